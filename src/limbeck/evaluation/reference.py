"""Full-data references: what the same recipe reaches on all real training examples."""

import math
from collections.abc import Sequence
from typing import Literal

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.errors import OptionError
from limbeck.evaluation.cells import FULL
from limbeck.evaluation.exam import Exam, Taught, checked_seeds
from limbeck.evaluation.origin import Origin
from limbeck.evaluation.records import Records
from limbeck.training.configuration import Configuration, Epochs, Updates
from limbeck.values import replace

__all__ = ["examined_full", "train_full"]

TOLERANCE = 0.002  # less gain in validation accuracy than this by twice as many updates counts as converged
DOUBLINGS = 5
EPOCHS = 10  # passes before convergence may be declared: a plateau at chance is none


def train_full(
    task: Task,
    configuration: Configuration,
    *,
    updates: int | Literal["matched", "converged"] = "matched",
    seeds: int | Sequence[int] = 3,
    split: str = "test",
    compute: Compute | None = None,
) -> Records:
    """Rows of networks trained on the whole training split (method "full"), to be handed to the evaluation.

    updates: "matched" (the configuration's own number) or a number: the set is called "full-matched". "converged":
             from the configuration's number, or that of 10 epochs where it is larger, the number is doubled, each time
             from the start with the schedule stretched, until doubling gains less than 0.002 of mean validation
             accuracy; the longest run is returned as "full-converged", or as "full-unconverged" where the fifth
             doubling still gained more.
    Raises OptionError where a length in epochs leaves "matched" undefined, FitError where the network does not fit.
    """
    numbers, _ = checked_seeds(seeds), _base(task, configuration, updates)
    exam = Exam(task, split, reader="train_full", compute=compute or Compute())
    return examined_full(exam, configuration, updates, numbers)


def examined_full(
    exam: Exam, configuration: Configuration, updates: int | Literal["matched", "converged"], numbers: tuple[int, ...]
) -> Records:
    """What :func:`train_full` returns, by a given exam: its trainings stop and go on where it has stages."""
    task, base, name = exam.task, _base(exam.task, configuration, updates), f"{FULL}-matched"
    taught = _teach(exam, replace(configuration, length=Updates(base)), numbers)
    if updates == "converged":
        taught, name = _until_converged(exam, taught, base)
    return Records(exam.rows(_origin(task, name), taught))


def _until_converged(exam: Exam, taught: Taught, base: int) -> tuple[Taught, str]:
    """The longest of the runs that were tried, and what it is called."""
    reached = exam.validation(taught)
    for doubling in range(1, DOUBLINGS + 1):
        longer = replace(taught.configuration, length=Updates(base * 2**doubling))
        taught, before = _teach(exam, longer, taught.seeds), reached
        reached = exam.validation(taught)
        if math.isnan(reached) or reached - before < TOLERANCE:
            return taught, f"{FULL}-converged"
    return taught, f"{FULL}-unconverged"


def _teach(exam: Exam, configuration: Configuration, seeds: tuple[int, ...]) -> Taught:
    return exam.teach(_origin(exam.task, FULL), configuration, exam.task.train, seeds)


def _base(task: Task, configuration: Configuration, updates: int | str) -> int:
    """Updates of the first run."""
    if isinstance(updates, int):
        if updates < 1:
            raise OptionError(f"{updates} updates were asked for: at least 1 is needed.")
        return updates
    if updates not in ("matched", "converged"):
        raise OptionError(f"updates is '{updates}': give a number, 'matched' or 'converged'.")
    if updates == "matched" and isinstance(configuration.length, Epochs):
        raise OptionError(
            f"'{configuration.name}' has a length in epochs, which is another number of updates for every size: give "
            "the number of updates of the set that the reference is to match."
        )
    own = configuration.length.updates(len(task.train), configuration.batch)
    return own if updates == "matched" else max(own, Epochs(EPOCHS).updates(len(task.train), configuration.batch))


def _origin(task: Task, name: str) -> Origin:
    return Origin(name, FULL, len(task.train) / len(task.classes), len(task.train), 0, "hard")
