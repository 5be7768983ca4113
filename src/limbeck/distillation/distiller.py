"""The contract of a distiller: a task becomes a synthetic set."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.errors import FitError, OptionError
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.stages import Stages

__all__ = ["Distiller", "Progress", "Situation", "stored_per_class"]


class Progress(NamedTuple):
    """What a running distillation tells whoever watches."""

    done: int  # iterations
    total: int
    loss: float
    seconds: float  # spent in this session


def _unwatched(progress: Progress) -> None:
    del progress


@dataclass(frozen=True)
class Situation:
    """All that a distillation needs besides the method and the task.

    per_class: stored examples a class, ≥ 1, or one number for each class.
    seed:      decides everything random.
    directory: where checkpoints and the log live (None: nothing is written, nothing can be resumed).
    cache:     where trained teachers are kept and found again (None: trained anew; the result is the same).
    watch:     called after every iteration.
    until:     seconds after which the run stops at a checkpoint and ``distill`` returns None, to go on another time.
    began:     when they began to count, on the monotonic clock.
    """

    per_class: int | tuple[int, ...]
    seed: int = 0
    compute: Compute = field(default_factory=Compute)
    directory: Path | None = None
    cache: Path | None = None
    watch: Callable[[Progress], None] = _unwatched
    until: float | None = None
    began: float = field(default_factory=time.monotonic)

    def late(self, by: float = 0.0) -> bool:
        """True where the session ended more than ``by`` seconds ago."""
        return self.until is not None and time.monotonic() > self.began + self.until + by

    def stages(self, name: str) -> Stages | None:
        """Where the trainings that ``name`` stands for may stop and go on; None where they are to run through."""
        if self.until is None or self.cache is None:
            return None
        return Stages(self.cache / name, self.began + self.until)


class Distiller(ABC):
    """A frozen value (``@value``): same value, task, situation → same bytes on one device."""

    name: str

    @abstractmethod
    def distill(self, task: Task, situation: Situation) -> SyntheticSet | None:
        """The synthetic set; None when ``situation.until`` ended the session before the run was done."""


def stored_per_class(task: Task, per_class: int | tuple[int, ...], multiplicity: int = 1) -> tuple[int, ...]:
    """How many examples of each class to store; checks them against the training split.

    Raises OptionError for counts below 1, FitError where a class has fewer real examples than the set would hold.
    """
    counts = (per_class,) * len(task.classes) if isinstance(per_class, int) else tuple(per_class)
    if len(counts) != len(task.classes):
        raise OptionError(
            f"{len(counts)} sizes were given for {len(task.classes)} classes: give one size, or one a class."
        )
    if min(counts) < 1:
        raise OptionError(f"{min(counts)} examples a class were asked for: at least 1 is needed.")
    for name, have, want in zip(task.classes, task.counts, counts, strict=True):
        if have < want * multiplicity:
            raise FitError(
                f"class '{name}' has {have} training examples, but {want * multiplicity} were asked for: "
                f"use --per-class {max(1, have // multiplicity)} or less, or collect more of it."
            )
    return counts
