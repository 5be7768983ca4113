"""Scores: pure functions of Records. Means and intervals go over distillation seeds; failures are counted and said."""

import math
from dataclasses import dataclass

from limbeck.errors import EvidenceError, MismatchError
from limbeck.evaluation.cells import FULL, Cells, Kind, alike, cells
from limbeck.evaluation.intervals import LEVEL, Estimate, estimate, welch
from limbeck.evaluation.records import Records

__all__ = ["Difference", "Score", "Worst", "difference", "gap", "score"]


@dataclass(frozen=True)
class Worst:
    """The configuration that a kind does worst in: one that networks failed in, or else that of the lowest mean.

    estimate: None where no network finished in it for some distillation seed.
    """

    configuration: str
    estimate: Estimate | None
    failed: int

    def sentence(self) -> str:
        """For a person."""
        known = "no accuracy" if self.estimate is None else self.estimate.sentence("%")
        trouble = f", {self.failed} networks failed" if self.failed else ""
        return f"worst configuration {self.configuration}: {known}{trouble}"


@dataclass(frozen=True)
class Score:
    """How good one kind of set is, on one split.

    estimate: mean of ``measure`` over distillation seeds, of means over configurations, of means over networks.
    networks: trained, ``failed`` of them; ``remarks`` says what must be read beside the number ("" for nothing).
    """

    kind: Kind
    measure: str
    split: str
    estimate: Estimate
    worst: Worst
    configurations: tuple[str, ...]
    networks: int
    failed: int
    remarks: str

    def sentence(self) -> str:
        """For a person: the number, its n, and what it leaves out."""
        n = f"{len(self.configurations)} configuration{'s' * (len(self.configurations) != 1)}, {self.networks} networks"
        tail = f"; {self.remarks}" if self.remarks else ""
        return f"{self.kind}: {self.split} {self.measure} {self.estimate.sentence('%')}, {n}{tail}."


@dataclass(frozen=True)
class Difference:
    """ours − theirs, on the configurations that both were trained in.

    estimate: of the differences; ``paired`` by distillation seed, or of two independent samples (full data).
    remarks:  failures, configurations left out, and recipes that differ under one name ("" for nothing).
    """

    ours: Kind
    theirs: Kind
    measure: str
    split: str
    estimate: Estimate
    paired: bool
    configurations: tuple[str, ...]
    remarks: str

    def sentence(self) -> str:
        """For a person."""
        how = "paired" if self.paired else "unpaired"
        tail = f"; {self.remarks}" if self.remarks else ""
        known = self.estimate.sentence("points")
        return f"{self.ours} minus {self.theirs}: {self.split} {self.measure} {known}, {how}{tail}."


def score(records: Records, *, measure: str = "accuracy", level: float = LEVEL) -> Score:
    """The score of records of one kind (method, size, labels).

    measure: "accuracy" (last weights), "selected" (snapshot chosen on validation), "balanced" or "validation".
    Raises EvidenceError where nothing can be averaged, OptionError or MismatchError where rows are mixed.
    """
    known = cells(records, measure=measure)
    return Score(
        kind=known.kind,
        measure=measure,
        split=known.split,
        estimate=estimate(list(known.by_unit().values()), level=level, unit=known.unit, grain=known.grain),
        worst=_worst(records, known, level),
        configurations=known.configurations,
        networks=known.networks,
        failed=known.failed,
        remarks=known.remarks(),
    )


def difference(ours: Records, theirs: Records, *, measure: str = "accuracy", level: float = LEVEL) -> Difference:
    """Paired difference of two kinds: matched by distillation seed and by configuration, networks averaged first.

    Where theirs were trained by several recipes under one name, those count that ours were trained by. Configurations
    of one name must have been trained alike; "own" may differ, as each set has its own recipe, and then the remarks
    say so. Raises EvidenceError where nothing matches, MismatchError where tasks or splits differ.
    """
    a, b = cells(ours, measure=measure), cells(alike(theirs, ours), measure=measure)
    shared, remarks = _shared(a, b)
    units = [unit for unit in a.units if unit in b.units]
    if not units:
        raise EvidenceError(f"{a.kind} and {b.kind} share no distillation seed: make both with the same seeds.")
    mine, other = a.by_unit(shared), b.by_unit(shared)
    differences = [mine[unit] - other[unit] for unit in units]
    known = estimate(differences, level=level, grain=math.hypot(a.grain, b.grain))
    return Difference(a.kind, b.kind, measure, a.split, known, True, shared, remarks)


def gap(full: Records, ours: Records, *, measure: str = "accuracy", level: float = LEVEL) -> Difference:
    """Full data minus ours, on shared configurations; unpaired, because full data has no distillation seed.

    Where full data was trained by several recipes under one name, those count that ours were trained by.

    The interval adds the spread over distillation seeds and that of the reference over its training seeds (Welch).
    """
    a, b = cells(alike(full, ours), measure=measure), cells(ours, measure=measure)
    shared, remarks = _shared(a, b)
    sides = [list(each.by_unit(shared).values()) for each in (a, b)]
    known = welch(*sides, level=level, grains=(a.grain, b.grain))
    # n speaks of the sets that are judged, not of the reference
    known = Estimate(known.value, known.spread, known.low, known.high, known.p, len(b.units), level, b.unit)
    return Difference(a.kind, b.kind, measure, a.split, known, False, shared, remarks)


def _shared(a: Cells, b: Cells) -> tuple[tuple[str, ...], str]:
    """Configurations that count for both, and what must be said of them."""
    if (a.fingerprint, a.split_seed) != (b.fingerprint, b.split_seed):
        raise MismatchError(
            f"{a.kind} and {b.kind} were evaluated on different tasks or splits: compare within one task."
        )
    if a.split != b.split:
        raise MismatchError(
            f"{a.kind} was evaluated on {a.split} and {b.kind} on {b.split}: evaluate both on one split."
        )
    shared = tuple(name for name in a.configurations if name in b.configurations)
    if not shared:
        raise EvidenceError(
            f"{a.kind} and {b.kind} share no configuration that both finished in: evaluate both by the same."
        )
    unlike = [name for name in shared if a.recipes[name] != b.recipes[name]]
    lengths = "training seed" in (a.unit, b.unit)  # a converged reference is the same recipe, trained longer
    if any(name != "own" for name in unlike) and not lengths:
        raise EvidenceError(f"'{unlike[0]}' means different recipes for {a.kind} and {b.kind}: evaluate both anew.")
    left = [name for name in dict.fromkeys(a.configurations + b.configurations) if name not in shared]
    parts = [f"{each.kind}: {each.remarks()}" for each in (a, b) if each.remarks()]
    parts += [_unlike(a, b)] if unlike else []
    parts += [f"without {', '.join(left)}, which only one of them was trained in"] if left else []
    return shared, "; ".join(parts)


def _unlike(a: Cells, b: Cells) -> str:
    """What is said of two sides that were trained differently under one name."""
    full = {each.kind.method for each in (a, b) if each.unit == "training seed"}
    if not full:
        return "each by its own recipe"
    return "full data by another recipe" if f"{FULL}-matched" in full else "full data trained for longer"


def _worst(records: Records, known: Cells, level: float) -> Worst:
    """The worst configuration; one that networks failed in comes before all that merely have a low mean."""
    candidates = known.failed_configurations or known.configurations

    def mean(name: str) -> float:
        values = [known.means[unit, name] for unit in known.units if (unit, name) in known.means]
        return math.fsum(values) / len(values) if values else -1.0

    name = min(candidates, key=mean)
    whole = name in known.configurations
    values = [known.means[unit, name] for unit in known.units] if whole else []
    failed = sum(not row.finished for row in records if row.configuration == name)
    found = estimate(values, level=level, unit=known.unit, grain=known.grain) if whole else None
    return Worst(name, found, failed)
