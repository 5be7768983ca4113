"""What a training run is fed: batches by seed, from examples on the device or from a pool bigger than memory."""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.examples import Examples
from limbeck.data.task import Pool
from limbeck.errors import FitError, OptionError
from limbeck.networks.network import Network
from limbeck.seeds import generator

__all__ = ["Feed", "augmented", "normalised"]

_FITS = 2**30  # bytes of inputs that are copied to the device once instead of batch by batch


@final
class Feed:
    """The examples of a run on ``device``, and their order and augmentation for each seed."""

    def __init__(
        self, source: Examples | Pool, augmentation: Augmentation, *, batch: int, device: torch.device
    ) -> None:
        self.augmentation, self.device = augmentation, device
        self.shape: tuple[int, ...] = tuple(source.inputs.shape[1:]) if isinstance(source, Examples) else source.shape
        self.size = len(source)
        self.batch = min(batch, self.size)
        if isinstance(source, Pool) and 4 * self.size * torch.Size(self.shape).numel() <= _FITS:
            source = source.examples()
        self._source = normalised(source.to(device)) if isinstance(source, Examples) else source

    @property
    def dtype(self) -> torch.dtype:
        """float64 for float64 examples, float32 for all others."""
        double = isinstance(self._source, Examples) and self._source.inputs.dtype == torch.float64
        return torch.float64 if double else torch.float32

    def check(self, network: Network) -> None:
        """FitError where the examples are not what the network takes; OptionError where there are none."""
        if self.size == 0:
            raise OptionError("there are no examples to train on: give at least one.")
        if self.shape != tuple(network.shape):
            raise FitError(f"inputs of shape {self.shape} were given to a network for {tuple(network.shape)}.")
        targets = self._source.targets if isinstance(self._source, Examples) else self._source.labels
        if targets.ndim == 2 and targets.shape[1] != network.classes:
            raise FitError(f"targets have {targets.shape[1]} classes, the network has {network.classes}.")
        if targets.ndim == 1 and not 0 <= int(targets.min()) <= int(targets.max()) < network.classes:
            raise FitError(f"labels lie outside 0 … {network.classes - 1}, the classes of the network.")

    def batches(self, seed: int, first: int = 0) -> Iterator[tuple[Examples, Draw]]:
        """Endless batches with their draws, from number ``first`` on: the whole set where it fits a batch, else epochs
        in new orders, in as many batches as needed and as equal as can be.

        The usual way, full batches and a rest, gives a rest of 2 in 450 the weight of a batch of 64: on FashionMNIST,
        45 a class, that costs 2 to 3 points (LOG.md).
        """
        draws = generator(seed, "augment", device=self.device)
        for number, index in enumerate(self._order(seed)):
            draw = self.augmentation.draw(self.size if index is None else len(index), self.shape, draws)
            if number >= first:
                yield self._take(index), draw

    def _order(self, seed: int) -> Iterator[Tensor | None]:
        order = generator(seed, "order")
        while True:
            if self.batch == self.size:
                yield None
            else:
                yield from torch.tensor_split(torch.randperm(self.size, generator=order), -(-self.size // self.batch))

    def _take(self, index: Tensor | None) -> Examples:
        if isinstance(self._source, Pool):
            index = torch.arange(self.size) if index is None else index
            return self._source.examples(index).to(self.device)
        return self._source if index is None else self._source.take(index.to(self.device))


def augmented(augmentation: Augmentation, examples: Examples, draw: Draw, *, classes: int) -> Examples:
    """The examples after a draw; targets become probabilities where the augmentation mixes them."""
    inputs = augmentation.apply(examples.inputs, draw)
    if not augmentation.mixes_labels:
        return Examples(inputs, examples.targets, examples.weights)
    return Examples(inputs, augmentation.mix(examples.probabilities(classes), draw), examples.weights)


def normalised(examples: Examples) -> Examples:
    """Inputs in float32 (or float64), and weights of mean one over the set, so that a batch's mean is unbiased."""
    dtype = torch.float64 if examples.inputs.dtype == torch.float64 else torch.float32
    examples = examples.to(examples.inputs.device, dtype)
    if examples.weights is None:
        return examples
    total = examples.weights.sum()
    if not bool(total > 0) or bool((examples.weights < 0).any()):
        raise OptionError("example weights must be non-negative and not all zero.")
    return Examples(examples.inputs, examples.targets, examples.weights * (len(examples) / total))
