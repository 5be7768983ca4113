"""Several splits examined after one training; row for row what ``evaluate`` and ``train_full`` give split by split."""

import dataclasses
import functools
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
from limbeck.evaluation.reference import examined_full
from limbeck.study.pieces import Pieces
from limbeck.study.runs import EvaluateRun, ReferenceRun
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration, Updates

__all__ = ["judge", "judge_full"]


def judge(made: SyntheticSet, task: Task, run: EvaluateRun, pieces: Pieces) -> tuple[Record, ...]:
    """The rows of a set: one a seed and split.

    Raises MismatchError where the set is of another task, Paused where the session ended, to go on by ``pieces``.
    """
    check_match(made, task)
    configuration = own_recipe(made) if run.configuration is None else run.configuration
    judges = _Judge(task, run.seeds, run.splits, run.distil.compute, pieces)
    return judges.rows(origin_of(made, run.labels), configuration, made.examples(run.labels))


def judge_full(task: Task, run: ReferenceRun, pieces: Pieces) -> tuple[Record, ...]:
    """The rows of networks trained on all real training data. Raises Paused as :func:`judge` does."""
    if not isinstance(run.configuration.length, Updates):
        raise OptionError(
            f"'{run.configuration.name}' has a length in epochs, which is another number of updates for every size: "
            "the full data can be matched only where a configuration has a number of updates."
        )
    judges = _Judge(task, run.seeds, run.splits, run.compute, pieces)
    if run.length == "matched":
        size, classes = len(task.train), len(task.classes)
        origin = Origin(f"{FULL}-matched", FULL, size / classes, size, 0, "hard")
        return judges.rows(origin, run.configuration, task.train)
    return judges.converged(run.configuration)


class _Judge(NamedTuple):
    """Who is trained, and on which splits examined."""

    task: Task
    seeds: tuple[int, ...]
    splits: tuple[str, ...]
    compute: Compute
    pieces: Pieces

    def rows(self, origin: Origin, configuration: Configuration, examples: Examples | Pool) -> tuple[Record, ...]:
        exams = [self._exam(split) for split in self.splits]
        taught = exams[0].teach(origin, configuration, examples, self.seeds)
        return tuple(
            self.pieces.row(exam.split, seed, functools.partial(exam.row, origin, taught, place))
            for exam in exams
            for place, seed in enumerate(self.seeds)
        )

    def converged(self, configuration: Configuration) -> tuple[Record, ...]:
        """The length is sought once; for the other splits only the longest training is repeated, or found."""
        wanted: int | Literal["converged"] = "converged"
        rows: list[Record] = []
        for split in self.splits:
            found = examined_full(self._exam(split), configuration, wanted, self.seeds).rows
            wanted, name = found[0].updates, (rows or found)[0].set
            rows += [dataclasses.replace(row, set=name) for row in found]
        return tuple(rows)

    def _exam(self, split: str) -> Exam:
        return Exam(self.task, split, reader="study", compute=self.compute, stages=self.pieces.stages)
