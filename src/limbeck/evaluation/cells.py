"""From rows to what a score is made of: means over evaluation seeds, one a distillation seed and configuration.

The design is nested: networks (evaluation seeds) stand within configurations, and these within distillation seeds. What
is independent is the distillation seed, so that networks are averaged first and intervals go over distillation seeds.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from limbeck.errors import EvidenceError, MismatchError, OptionError, unknown
from limbeck.evaluation.records import Record, Records

__all__ = ["FULL", "MEASURES", "Cells", "Kind", "alike", "cells", "kinds"]

FULL = "full"
MEASURES = ("accuracy", "selected", "balanced", "validation")


@dataclass(frozen=True, order=True)
class Kind:
    """What is scored together: sets of one method, size and kind of labels, whatever their distillation seed."""

    method: str
    per_class: float
    labels: str

    def __str__(self) -> str:
        return f"{self.method} with {self.labels} labels at {self.per_class:g} a class"


@dataclass(frozen=True)
class Cells:
    """The means of one kind.

    means:   (unit, configuration) → mean over the networks that were trained to the end.
    unit:    what a unit is: a "distillation seed"; for the full-data reference, which has none, a "training seed".
    configurations: those that every unit has at least one finished network of; scores use these only, so that all
             units are averaged over the same ones. left_out: the others.
    recipes: configuration → digests of what was trained under this name.
    grain:   the step in which a unit's mean can differ: 1/(examples × networks), of the unit with fewest.
    """

    kind: Kind
    split: str
    means: dict[tuple[int, str], float]
    unit: str
    units: tuple[int, ...]
    configurations: tuple[str, ...]
    left_out: tuple[str, ...]
    networks: int
    failed: int
    failures: tuple[str, ...]
    failed_configurations: tuple[str, ...]
    recipes: dict[str, frozenset[str]]
    grain: float
    fingerprint: str
    split_seed: int

    def by_unit(self, configurations: Iterable[str] | None = None) -> dict[int, float]:
        """Each unit's mean over ``configurations`` (all that count), equally weighted."""
        names = self.configurations if configurations is None else tuple(configurations)
        return {unit: math.fsum(self.means[unit, name] for name in names) / len(names) for unit in self.units}

    def remarks(self) -> str:
        """What must be said beside any number made from these cells; "" where there is nothing."""
        parts = []
        if self.failed:
            finished = f"over the {self.networks - self.failed} of {self.networks} networks that finished"
            parts.append(f"{finished}; {self.failed} failed ({self.failures[0]})")
        several = [name for name in self.configurations if len(self.recipes[name]) > 1]
        if several:
            many = max(len(self.recipes[name]) for name in several)
            shared = f"a mean over {many} training recipes under the name '{several[0]}'"
            parts.append(f"{shared} (sets are compared by their own one)")
        if self.left_out:
            parts.append(f"without {', '.join(self.left_out)}, which not every {self.unit} has a finished network of")
        return "; ".join(parts)


def kinds(records: Records) -> tuple[Kind, ...]:
    """The kinds among the records, sorted."""
    return tuple(sorted({_kind(row) for row in records}))


def cells(records: Records, *, measure: str = "accuracy") -> Cells:
    """The cells of records of one kind, task and split.

    Raises OptionError where several kinds or splits are mixed, MismatchError where tasks are, EvidenceError where
    there is nothing to average.
    """
    if measure not in MEASURES:
        raise unknown("measure", measure, MEASURES)
    if not len(records):
        raise EvidenceError("there are no rows to score: evaluate a set first, or mend the selection of rows.")
    records = _once(records)
    kind, split, task = _one(records)
    done: dict[tuple[int, str], list[float]] = {}
    for row in records:
        if row.finished:
            done.setdefault((_unit(row), row.configuration), []).append(getattr(row, measure))
    units = tuple(sorted({_unit(row) for row in records}))
    names = tuple(dict.fromkeys(row.configuration for row in records))
    shared = tuple(name for name in names if all((unit, name) in done for unit in units))
    failures = [row for row in records if not row.finished]
    if not shared:
        why = f": {failures[0].failure}" if failures else ""
        raise EvidenceError(f"no configuration has a finished network of {kind} for every seed{why}")
    return Cells(
        kind=kind,
        split=split,
        means={place: math.fsum(values) / len(values) for place, values in done.items()},
        unit="training seed" if records.rows[0].method == FULL else "distillation seed",
        units=units,
        configurations=shared,
        left_out=tuple(name for name in names if name not in shared),
        networks=len(records),
        failed=len(failures),
        failures=tuple(dict.fromkeys(row.failure for row in failures)),
        failed_configurations=tuple(dict.fromkeys(row.configuration for row in failures)),
        recipes={name: frozenset(row.recipe for row in records if row.configuration == name) for name in names},
        grain=_grain(records, units, shared),
        fingerprint=task[0],
        split_seed=task[1],
    )


def alike(theirs: Iterable[Record], ours: Iterable[Record]) -> Records:
    """``theirs`` less the networks that were trained by another recipe than ours.

    Baselines and references of several sets stand together under one name ("own" means each set's recipe), and a set is
    to be compared with those that were trained as it was. A configuration in which no recipe is shared stays whole.
    """
    ours, theirs = tuple(ours), tuple(theirs)
    mine = {(row.configuration, row.recipe) for row in ours}
    shared = {row.configuration for row in theirs if (row.configuration, row.recipe) in mine}
    return Records.of(
        row for row in theirs if row.configuration not in shared or (row.configuration, row.recipe) in mine
    )


def _once(records: Records) -> Records:
    """Each network once: a set with hard labels that was judged by its own and by hard ones has every row twice."""
    seen: dict[tuple[object, ...], Record] = {}
    for row in records:
        who = (row.method, row.set, row.distillation_seed, row.labels, row.per_class, row.split, row.split_seed)
        how = (row.configuration, row.recipe, row.seed, row.updates, row.failure or row.accuracy, row.correct)
        seen.setdefault((*who, *how, row.fingerprint), row)
    return records if len(seen) == len(records) else Records(tuple(seen.values()))


def _one(records: Records) -> tuple[Kind, str, tuple[str, int]]:
    """The one kind, split and task of the rows."""
    tasks = {(row.fingerprint, row.split_seed) for row in records}
    if len(tasks) > 1:
        raise MismatchError(f"the rows come from {len(tasks)} tasks or splits of the data: score each by itself.")
    splits = {row.split for row in records}
    if len(splits) > 1:
        raise OptionError("the rows mix accuracies on validation and on test: keep one, e.g. where(split='test').")
    found = kinds(records)
    if len(found) > 1:
        raise OptionError(
            f"the rows mix {found[0]} and {found[1]}: keep one method, size and kind of labels with where(…)."
        )
    return found[0], splits.pop(), tasks.pop()


def _grain(records: Records, units: tuple[int, ...], configurations: tuple[str, ...]) -> float:
    """1/(examples that a unit's networks were asked, together), the largest of all units; 0 where that is not known."""
    asked = dict.fromkeys(units, 0)
    for row in records:
        if row.finished and row.configuration in configurations:
            asked[_unit(row)] += row.examples
    return 1 / min(asked.values()) if all(asked.values()) else 0.0


def _kind(row: Record) -> Kind:
    return Kind(row.set if row.method == FULL else row.method, row.per_class, row.labels)


def _unit(row: Record) -> int:
    return row.seed if row.method == FULL else row.distillation_seed
