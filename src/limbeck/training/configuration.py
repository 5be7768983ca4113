"""A configuration: everything that decides what a training run does to a network, except the data and the seed.

It fixes the number of *updates* and the batch size, so that sets of every size, and the full data, are trained equally
long (Luo & Xu's update operator). A length in epochs exists for comparison with papers.
"""

from abc import ABC, abstractmethod
from typing import Literal, TypeAlias, get_args

from limbeck.data.augmentation import Augmentation
from limbeck.data.nothing import Nothing
from limbeck.errors import OptionError, unknown
from limbeck.networks.network import Architecture
from limbeck.training.optimizer import SGD, Optimizer
from limbeck.values import value

__all__ = ["Configuration", "Constant", "Cosine", "Epochs", "Length", "Schedule", "Step", "Updates"]


Loss: TypeAlias = Literal["cross_entropy", "squared"]


class Schedule(ABC):
    """A frozen value: the factor on the learning rate at each update. warmup: a share of the updates, in [0, 1]."""

    warmup: float = 0.0

    @abstractmethod
    def factor(self, update: int, total: int) -> float:
        """Factor in (0, 1] at ``update`` of ``total``."""


@value
class Constant(Schedule):
    """Factor 1, after a linear warm-up over the first ``warmup`` share of the updates."""

    warmup: float = 0.0

    def __post_init__(self) -> None:
        _check_share("warmup", self.warmup)

    def factor(self, update: int, total: int) -> float:
        return _warm(self.warmup, update, total)


@value
class Step(Schedule):
    """×``gamma`` after each of the ``at`` shares of the updates (the field's ×0.1 at half)."""

    at: tuple[float, ...] = (0.5,)
    gamma: float = 0.1
    warmup: float = 0.0

    def __post_init__(self) -> None:
        if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in self.at):
            raise OptionError(f"the schedule steps down at {self.at}: give shares of the updates from 0 to 1.")
        if not 0 < self.gamma <= 1:
            raise OptionError(f"the schedule multiplies the rate by {self.gamma:g}: give a factor in (0, 1].")
        _check_share("warmup", self.warmup)

    def factor(self, update: int, total: int) -> float:
        passed = sum(update >= share * total for share in self.at)
        return _warm(self.warmup, update, total) * float(self.gamma**passed)


@value
class Cosine(Schedule):
    """½(1 + cos(π·done)) from 1 down to ``floor``."""

    floor: float = 0.0
    warmup: float = 0.0

    def __post_init__(self) -> None:
        _check_share("floor", self.floor)
        _check_share("warmup", self.warmup)

    def factor(self, update: int, total: int) -> float:
        import math

        wave = 0.5 * (1 + math.cos(math.pi * update / max(1, total)))
        return _warm(self.warmup, update, total) * (self.floor + (1 - self.floor) * wave)


def _check_share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise OptionError(f"the {name} of the schedule is {share:g}: give a number from 0 to 1.")


def _check_count(what: str, count: int) -> None:
    if count < 0:
        raise OptionError(f"a training was to last {count} {what}: give 0, which leaves the initial weights, or more.")


def _warm(share: float, update: int, total: int) -> float:
    span = share * total
    return min(1.0, (update + 1) / span) if span >= 1 else 1.0


class Length(ABC):
    """A frozen value: how long a training run lasts."""

    @abstractmethod
    def updates(self, examples: int, batch: int) -> int:
        """Number of optimizer steps for a set of ``examples`` and batches of ``batch``."""


@value
class Updates(Length):
    """So many optimizer steps, whatever the size of the set."""

    count: int = 1000

    def __post_init__(self) -> None:
        _check_count("updates", self.count)

    def updates(self, examples: int, batch: int) -> int:
        del examples, batch
        return self.count


@value
class Epochs(Length):
    """So many passes over the set: comparable with papers, not between sizes."""

    count: int = 300

    def __post_init__(self) -> None:
        _check_count("epochs", self.count)

    def updates(self, examples: int, batch: int) -> int:
        return self.count * -(-examples // batch)


@value
class Configuration:
    """How a network learns.

    batch:   examples an update at most: a smaller set is one whole batch an update, a larger one is cut into batches
             that are as equal as can be.
    loss:    "cross_entropy" on logits, or "squared": ½‖logits − target‖² averaged over the batch.
    """

    name: str
    architecture: Architecture
    optimizer: Optimizer = SGD()
    schedule: Schedule = Step()
    augmentation: Augmentation = Nothing()
    length: Length = Updates()
    batch: int = 256
    loss: Loss = "cross_entropy"

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise OptionError(f"the batch size is {self.batch}: it must be at least 1.")
        if self.loss not in get_args(Loss):
            raise unknown("loss", self.loss, get_args(Loss))
