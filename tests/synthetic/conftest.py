"""Small sets and pools to save, show and choose from."""

import math
from collections.abc import Callable
from typing import final

import pytest
import torch
from torch import Tensor, nn

from limbeck.data.preprocessing import Preprocessing
from limbeck.data.task import Pool
from limbeck.networks.network import Architecture, Outputs
from limbeck.seeds import generator
from limbeck.synthetic import Card, Parametrisation, Pixels, SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.values import value


@final
@value
class LinearProbe(Architecture):
    """One linear layer."""

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        return _LinearProbe(shape, classes)


class _LinearProbe(nn.Module):
    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.last = nn.Linear(math.prod(shape), classes)

    def forward(self, inputs: Tensor) -> Outputs:
        return Outputs(self.last(inputs.flatten(1)), inputs.flatten(1), ())


@final
class Held(Pool):
    """Inputs in memory; counts what is taken."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        self.inputs, self.labels, self.shape, self.taken = inputs, labels, tuple(inputs.shape[1:]), 0

    def take(self, index: Tensor) -> Tensor:
        self.taken += len(index)
        return self.inputs[index]

    def raw(self, index: Tensor) -> Tensor:
        return self.inputs[index]


Make = Callable[..., SyntheticSet]


@pytest.fixture
def pool() -> Held:
    """Three classes of 12, 7 and 3 images of 8×8."""
    labels = torch.tensor([0] * 12 + [1] * 7 + [2] * 3)[torch.randperm(22, generator=generator(0, "order"))]
    return Held(torch.randn(22, 1, 8, 8, generator=generator(0, "images")), labels)


@pytest.fixture
def make() -> Make:
    """A synthetic set of any shape, parametrisation, labels and names."""

    def build(
        shape: tuple[int, ...] = (3, 8, 8),
        parametrisation: Parametrisation = Pixels(),  # noqa: B008  a frozen value
        *,
        classes: tuple[str, ...] = ("cat", "dog", "owl"),
        soft: bool = False,
        whiten: bool = False,
        seed: int = 0,
    ) -> SyntheticSet:
        k, g = 2 * len(classes), generator(seed, "set")
        variables = {"pixels": torch.randn(k, *shape, generator=g)}
        labels = torch.arange(len(classes)).repeat_interleave(2)
        decoded = k * parametrisation.multiplicity
        targets = torch.rand(decoded, len(classes), generator=g).softmax(1) if soft else None
        card = Card(
            task="made up",
            fingerprint="ab12",
            split_seed=0,
            classes=classes,
            shape=shape,
            method="dm",
            distiller={"kind": "MatchingDistiller", "steps": [1, 2], "rate": 0.5},
            per_class=(2,) * len(classes),
            seed=seed,
            recipe=Configuration("own", LinearProbe()),
            losses=((0, 2.5), (10, 1.25)),
            budget={"iterations": 10},
            versions={"limbeck": "0", "torch": "0", "python": "0"},
            notes=("no groups were given.",),
        )
        step_size = 0.1 if soft else None
        process = _preprocessing(shape, whiten)
        return SyntheticSet(variables, parametrisation, labels, targets, step_size, process, card)

    return build


def _preprocessing(shape: tuple[int, ...], whiten: bool) -> Preprocessing:
    g = generator(7, "preprocessing")
    mean, std = 0.4 + 0.1 * torch.rand(shape[0], generator=g), 0.1 + 0.1 * torch.rand(shape[0], generator=g)
    if not whiten:
        return Preprocessing(mean, std)
    d = math.prod(shape)
    root = torch.randn(d, d, generator=g) / d**0.5
    matrix = torch.eye(d) + 0.2 * (root + root.T)
    return Preprocessing(mean, std, torch.randn(d, generator=g), matrix, torch.linalg.inv(matrix).contiguous())
