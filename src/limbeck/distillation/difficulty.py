"""What "hard" means: measures that read a score of each example off networks kept along their training on real data.

The functions behind them are in :mod:`limbeck.matching.difficulty`; here stands at which points of a path they look.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeAlias, TypeVar, final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.errors import OptionError
from limbeck.matching.difficulty import batch_gradient_norm, el2n, forgetting, gradn, misclassification
from limbeck.networks.network import Network, Statistics
from limbeck.options import pick
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.values import replace, value

__all__ = [
    "DIFFICULTIES",
    "EL2N",
    "BatchGradient",
    "Difficulty",
    "Fits",
    "Forgetting",
    "GraDN",
    "GraNd",
    "Misclassification",
    "Paths",
    "difficulty",
]

Paths: TypeAlias = tuple[tuple[Params, ...], ...]  # network by network: its weights at the kept points of its training
Fits: TypeAlias = tuple[tuple[Statistics, ...], ...]  # batch norm's statistics at the same points; () without them
T = TypeVar("T")


class Difficulty(ABC):
    """A frozen value (``@value``): a score of each example, higher for harder ones."""

    @property
    @abstractmethod
    def keep(self) -> tuple[float, ...]:
        """Shares of the training at which it needs weights, ascending."""

    @abstractmethod
    def scores(
        self, network: Network, paths: Paths, examples: Examples, compute: Compute, statistics: Fits = ()
    ) -> Tensor:
        """(n,) of examples of one class, from the weights kept along each network's training.

        statistics: of batch norm at these weights, over real examples of all classes: one class has others.
        """

    def fitted(self, examples: int) -> "Difficulty":
        """The measure that lets ``examples`` of a set be compared with real ones: itself, unless it sees batches."""
        del examples
        return self


@value
class _Early(Difficulty):
    """Looks once, at a share of the training in (0, 1]."""

    at: float = 0.1

    def __post_init__(self) -> None:
        _share(self.at)

    @property
    def keep(self) -> tuple[float, ...]:
        return (self.at,)


@value
class _AlongTraining(Difficulty):
    """Looks at ``points`` ≥ 1 equal steps of the training."""

    points: int = 1

    def __post_init__(self) -> None:
        _points(self.points)

    @property
    def keep(self) -> tuple[float, ...]:
        return _equal_steps(self.points)


@final
@value
class EL2N(_Early):
    """E_θ ‖softmax f_θ(x) − y‖₂ early in training [paul2021diet]. at: share of the training, in (0, 1]."""

    def scores(
        self, network: Network, paths: Paths, examples: Examples, compute: Compute, statistics: Fits = ()
    ) -> Tensor:
        return el2n(network, _flat(paths), examples, compute, _flat(statistics))


@final
@value
class GraNd(_Early):
    """E_θ ‖∇_θ ℓ(f_θ(x), y)‖₂ early in training [paul2021diet]. at: share of the training, in (0, 1]."""

    def scores(
        self, network: Network, paths: Paths, examples: Examples, compute: Compute, statistics: Fits = ()
    ) -> Tensor:
        return gradn(network, _flat(paths), examples, compute, _flat(statistics))


@final
@value
class GraDN(_AlongTraining):
    """E_θ ‖∇_θ ℓ(f_θ(x), y)‖₂ over networks and ``points`` equal steps of their training [wang2024sdc].

    The norm is of each example's own gradient, before any mean; :class:`BatchGradient` is the other reading.
    """

    points: int = 4

    def scores(
        self, network: Network, paths: Paths, examples: Examples, compute: Compute, statistics: Fits = ()
    ) -> Tensor:
        return gradn(network, _flat(paths), examples, compute, _flat(statistics))


@final
@value
class Misclassification(_AlongTraining):
    """χ: the share of networks, at ``points`` equal steps of their training, that are wrong [wang2024sdc]."""

    def scores(
        self, network: Network, paths: Paths, examples: Examples, compute: Compute, statistics: Fits = ()
    ) -> Tensor:
        return misclassification(network, _flat(paths), examples, compute, _flat(statistics))


@final
@value
class Forgetting(Difficulty):
    """How often an example turns from right to wrong, at ``snapshots`` equal steps of training [toneva2019forgetting].

    The published count looks after every batch; few snapshots count less, in nearly the same order.
    """

    snapshots: int = 20

    def __post_init__(self) -> None:
        if self.snapshots < 2:
            raise OptionError(f"forgetting was to be seen in {self.snapshots} snapshots: it needs at least 2.")

    @property
    def keep(self) -> tuple[float, ...]:
        return _equal_steps(self.snapshots)

    def scores(
        self, network: Network, paths: Paths, examples: Examples, compute: Compute, statistics: Fits = ()
    ) -> Tensor:
        pairs = zip(paths, statistics or [()] * len(paths), strict=True)
        return torch.stack([forgetting(network, path, examples, compute, held) for path, held in pairs]).mean(0)


@final
@value
class BatchGradient(Difficulty):
    """E_θ ‖∇_θ mean loss of a batch of one class‖₂, the same for all examples of a batch.

    Gradients cancel in a batch, so that this is no mean of GraDN and falls with the size of the batch: compare batches
    of equal size only (``fitted``). Batches are drawn once, with a fixed seed; the last one is filled up. Batch norm
    sees the batch, as in training on it.

    points: equal steps of the training.  size: examples a batch (fewer where there are fewer).
    """

    points: int = 4
    size: int = 10

    def __post_init__(self) -> None:
        _points(self.points)
        if self.size < 1:
            raise OptionError(f"the batch whose gradient is measured has {self.size} examples: give at least 1.")

    @property
    def keep(self) -> tuple[float, ...]:
        return _equal_steps(self.points)

    def fitted(self, examples: int) -> Difficulty:
        return replace(self, size=max(1, examples))

    def scores(
        self, network: Network, paths: Paths, examples: Examples, compute: Compute, statistics: Fits = ()
    ) -> Tensor:
        del statistics  # a step of training sees the batch's own
        n, size = len(examples), min(self.size, len(examples))
        order = torch.randperm(n, generator=generator(0, "batches")).to(examples.inputs.device)
        ensemble = _flat(paths)
        found = torch.empty(n, dtype=examples.inputs.dtype, device=examples.inputs.device)
        for start in range(0, n, size):
            batch = examples.take(order[min(start, n - size) :][:size])
            norms = [batch_gradient_norm(network, params, batch, compute) for params in ensemble]
            found[order[start : start + size]] = torch.stack(norms).mean()
        return found


def _flat(paths: tuple[tuple[T, ...], ...]) -> list[T]:
    return [point for path in paths for point in path]


def _equal_steps(count: int) -> tuple[float, ...]:
    return tuple((i + 1) / count for i in range(count))


def _share(at: float) -> None:
    if not 0 < at <= 1:
        raise OptionError(f"difficulty was to be measured at {at} of the training: the share must be in (0, 1].")


def _points(points: int) -> None:
    if points < 1:
        raise OptionError(f"difficulty was to be measured at {points} points of the training: at least 1 is needed.")


DIFFICULTIES: Mapping[str, tuple[Difficulty, str]] = {
    "gradn": (GraDN(), "mean norm of an example's own gradient along training"),
    "batch_gradient": (BatchGradient(), "norm of the gradient of a whole batch, in which gradients cancel"),
    "misclassification": (Misclassification(), "share of trained networks that are wrong"),
    "el2n": (EL2N(), "distance of the prediction from the label, early in training"),
    "grand": (GraNd(), "norm of an example's own gradient, early in training"),
    "forgetting": (Forgetting(), "how often training forgets an example"),
}


def difficulty(text: str) -> Difficulty:
    """The measure of ``name`` or ``name:field=value,…``, e.g. ``el2n:at=0.2``; OptionError."""
    return pick(DIFFICULTIES, text, "measure of difficulty")
