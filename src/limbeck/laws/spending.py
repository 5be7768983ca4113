"""What a plan costs: stored numbers, and seconds of distilling, as a study knows them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from limbeck.errors import LimbeckError
from limbeck.laws.table import GapTable
from limbeck.study.results import StudyResults
from limbeck.study.runs import DistilRun
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["Spending", "seconds_of", "spending"]

_QUICK = ("digits", "idx", "npz")  # sources whose shape costs no more than reading one file


@final
@dataclass(frozen=True)
class Spending:
    """each: stored numbers of one stored example, its labels included.  pace: seconds of a distillation by size.

    None where not known.
    """

    each: float | None = None
    pace: Callable[[float], float] | None = None

    def numbers(self, total: int) -> int | None:
        """Stored numbers of ``total`` stored examples."""
        return None if self.each is None else round(total * self.each)

    def seconds(self, per_class: float) -> float | None:
        """Seconds of one distillation of ``per_class`` stored examples a class."""
        return None if self.pace is None else float(self.pace(per_class))


def spending(results: StudyResults, table: GapTable, *, shape: tuple[int, ...] | None = None) -> Spending:
    """What the sets behind ``table`` cost.

    The numbers are those of a set of this method and kind of labels where the study has one at hand; else one example's
    shape, and its label's classes where labels are not hard. shape: where it is known already.
    """
    each = _stored(results, table)
    if each is None:
        shape = shape or _shape(results)
        soft = 0 if table.labels == "hard" else round(table.classes)
        each = None if shape is None else float(math.prod(shape) + soft)
    return Spending(each, seconds_of(results, table.method))


def seconds_of(results: StudyResults, method: str) -> Callable[[float], float] | None:
    """Seconds of one distillation by size, a line through those of the study; None where fewer than two sizes have any.

    Choosing real examples has no iterations and is not counted.
    """
    iterated, known = results.iterations(), []
    for entry in results.entries:
        run = entry.run if entry.kind == "DistilRun" and entry.state == "done" else None
        if isinstance(run, DistilRun) and (run.label or run.method) == method and (method, run.per_class) in iterated:
            known.append((float(run.per_class), entry.seconds))
    if len({size for size, _ in known}) < 2:
        return None
    sizes, seconds = zip(*known, strict=True)
    slope, start = np.polyfit(sizes, seconds, 1)
    return lambda size: max(0.0, float(start + slope * size))


def _stored(results: StudyResults, table: GapTable) -> float | None:
    """Numbers of one stored example of a set of this method; every variable and target has rows of its own."""
    folders = results.set_directories()
    rows = results.records.where(method=table.method, labels=table.labels)
    folder = next((folders[row.set] for row in rows if row.set in folders), None)
    if folder is None:
        return None
    made = SyntheticSet.load(folder)
    soft = made.targets.numel() if made.targets is not None and table.labels == "hard" else 0
    return (made.stored_values - soft) / len(made)


def _shape(results: StudyResults) -> tuple[int, ...] | None:
    """Of one real example, where the data are at hand and quickly read."""
    from limbeck.study.perform import opened

    if results.study.source.text.split(":")[0] not in _QUICK:
        return None
    try:
        return tuple(opened(results.study.source).shape)
    except LimbeckError:
        return None
