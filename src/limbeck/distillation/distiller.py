"""The contract of a distiller: a task becomes a synthetic set."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["Distiller", "Progress", "Situation"]


class Progress(NamedTuple):
    """What a running distillation tells whoever watches."""

    done: int  # iterations
    total: int
    loss: float
    seconds: float  # spent so far, over all sessions of this run


@dataclass(frozen=True)
class Situation:
    """All that a distillation needs besides the method and the task.

    per_class: stored examples a class, ≥ 1, or one number for each class.
    seed:      decides everything random.
    directory: where checkpoints and the log live (None: nothing is written, nothing can be resumed).
    watch:     called after every iteration.
    until:     seconds after which the run stops at a checkpoint and ``distill`` returns None, to go on another time.
    """

    per_class: int | tuple[int, ...]
    seed: int = 0
    compute: Compute = field(default_factory=Compute)
    directory: Path | None = None
    watch: Callable[[Progress], None] = lambda progress: None
    until: float | None = None


class Distiller(ABC):
    """A frozen value (``@value``): same value, task, situation → same bytes on one device."""

    name: str

    @abstractmethod
    def distill(self, task: Task, situation: Situation) -> SyntheticSet | None:
        """The synthetic set; None when ``situation.until`` ended the session before the run was done."""
