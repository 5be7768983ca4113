"""Several splits examined after one training; row for row what ``evaluate`` and ``train_full`` give split by split."""

import dataclasses
from typing import Literal, NamedTuple

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.task import Pool, Task
from limbeck.errors import OptionError
from limbeck.evaluation.cells import FULL
from limbeck.evaluation.evaluate import own_recipe
from limbeck.evaluation.exam import Exam
from limbeck.evaluation.origin import Origin, check_match, origin_of
from limbeck.evaluation.records import Record
from limbeck.evaluation.reference import train_full
from limbeck.study.runs import EvaluateRun, ReferenceRun
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration, Updates

__all__ = ["judge", "judge_full"]


def judge(made: SyntheticSet, task: Task, run: EvaluateRun) -> tuple[Record, ...]:
    """The rows of a set: one a seed and split. Raises MismatchError where the set is of another task."""
    check_match(made, task)
    configuration = own_recipe(made) if run.configuration is None else run.configuration
    judges = _Judge(task, run.seeds, run.splits, run.distil.compute)
    return judges.rows(origin_of(made, run.labels), configuration, made.examples(run.labels))


def judge_full(task: Task, run: ReferenceRun) -> tuple[Record, ...]:
    """The rows of networks trained on all real training data."""
    if not isinstance(run.configuration.length, Updates):
        raise OptionError(
            f"'{run.configuration.name}' has a length in epochs, which is another number of updates for every size: "
            "the full data can be matched only where a configuration has a number of updates."
        )
    if run.length == "matched":
        size, classes = len(task.train), len(task.classes)
        origin = Origin(f"{FULL}-matched", FULL, size / classes, size, 0, "hard")
        return _Judge(task, run.seeds, run.splits, run.compute).rows(origin, run.configuration, task.train)
    return _converged(task, run)


def _converged(task: Task, run: ReferenceRun) -> tuple[Record, ...]:
    """The length is sought once; for the other splits only the longest training is repeated."""
    wanted: int | Literal["converged"] = "converged"
    rows: list[Record] = []
    for split in run.splits:
        found = train_full(
            task, run.configuration, updates=wanted, seeds=run.seeds, split=split, compute=run.compute
        ).rows
        wanted, name = found[0].updates, (rows or found)[0].set
        rows += [dataclasses.replace(row, set=name) for row in found]
    return tuple(rows)


class _Judge(NamedTuple):
    """Who is trained, and on which splits examined."""

    task: Task
    seeds: tuple[int, ...]
    splits: tuple[str, ...]
    compute: Compute

    def rows(self, origin: Origin, configuration: Configuration, examples: Examples | Pool) -> tuple[Record, ...]:
        exams = [Exam(self.task, split, reader="study", compute=self.compute) for split in self.splits]
        taught = exams[0].teach(origin, configuration, examples, self.seeds)
        return tuple(row for exam in exams for row in exam.rows(origin, taught))
