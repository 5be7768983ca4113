"""The verdict in words: is a method better than random examples, and than random examples with soft labels?"""

from collections.abc import Collection
from dataclasses import dataclass

from limbeck.errors import EvidenceError
from limbeck.evaluation.cells import FULL, Kind, alike, cells, kinds
from limbeck.evaluation.intervals import LEVEL, holm
from limbeck.evaluation.records import Records
from limbeck.evaluation.scores import Difference, difference

__all__ = ["Comparison", "Verdict", "best_baseline", "gain_over_random", "of_kind", "verdict"]


@dataclass(frozen=True)
class Comparison:
    """One question of a verdict.

    against:    the baseline, in words.
    word:       "better", "worse", "cannot tell" (the difference is not clear) or "not compared".
    difference: ours − baseline, None where not compared.
    p:          its p-value after Holm's correction over the questions of the verdict, None without an interval.
    reason:     why it was not compared, "" otherwise.
    """

    against: str
    word: str
    difference: Difference | None
    p: float | None
    reason: str

    def sentence(self) -> str:
        """For a person."""
        if self.difference is None:
            return f"against {self.against}: {self.word} ({self.reason})"
        known = self.difference.estimate.sentence("points")
        known += "" if self.p is None else f", p = {self.p:.3g} after Holm, which the interval is not"
        tail = f"; {self.difference.remarks}" if self.difference.remarks else ""
        return f"against {self.against}: {self.word}, difference {known}{tail}"


@dataclass(frozen=True)
class Verdict:
    """The answers for one kind; ``level`` is the certainty that all of them hold together."""

    kind: Kind
    comparisons: tuple[Comparison, ...]
    level: float

    def sentence(self) -> str:
        """For a person."""
        return f"{self.kind} — " + "; ".join(each.sentence() for each in self.comparisons) + "."


def verdict(records: Records, kind: Kind, *, measure: str = "accuracy", level: float = LEVEL) -> Verdict:
    """Compare ``kind`` with random examples of its size, once with hard and once with soft labels.

    Both are paired differences over distillation seeds, their p-values corrected together (Holm [holm1979]); "better"
    and "worse" need an adjusted p below 1 − level, everything else is "cannot tell".
    """
    ours = of_kind(records, kind)
    asked = [("random", Kind("random", kind.per_class, "hard"))]
    asked += [("random with soft labels", Kind("random", kind.per_class, "soft"))]
    found: list[tuple[str, Difference | None, str]] = []
    for name, baseline in asked:
        try:
            found.append((name, difference(ours, of_kind(records, baseline), measure=measure, level=level), ""))
        except EvidenceError as error:
            found.append((name, None, str(error)))
    known = [known.estimate.p for _, known, _ in found if known is not None and known.estimate.p is not None]
    adjusted = iter(holm(known))
    comparisons = []
    for name, known_difference, reason in found:
        p = None if known_difference is None or known_difference.estimate.p is None else next(adjusted)
        word = _word(known_difference, p, 1 - level)
        comparisons.append(Comparison(name, word, known_difference, p, reason))
    return Verdict(kind, tuple(comparisons), level)


def gain_over_random(records: Records, kind: Kind, *, measure: str = "accuracy", level: float = LEVEL) -> Difference:
    """``kind`` minus random examples of the same size with the same labels (soft ones, where ours are learned).

    Raises EvidenceError where there are no such rows.
    """
    baseline = Kind("random", kind.per_class, "hard" if kind.labels == "hard" else "soft")
    return difference(of_kind(records, kind), of_kind(records, baseline), measure=measure, level=level)


def best_baseline(records: Records, kind: Kind, *, baselines: Collection[str] | None = None) -> Kind:
    """The baseline of the size of ``kind`` with the best *validation* accuracy, on the configurations that both have.

    What is chosen here is then compared on test: ``difference(ours, of_kind(records, best))``.
    baselines: names of methods that count as baselines; None: all named methods that only choose.
    Raises EvidenceError where there is none.
    """
    names = _baselines() if baselines is None else baselines
    ours = of_kind(records, kind)
    mine = cells(ours).configurations
    best: tuple[float, Kind] | None = None
    for each in kinds(records):
        if each.method not in names or each.per_class != kind.per_class or each == kind:
            continue
        theirs = cells(alike(of_kind(records, each), ours), measure="validation")
        shared = [name for name in mine if name in theirs.configurations]
        if not shared:
            continue
        values = theirs.by_unit(shared).values()
        mean = sum(values) / len(values)
        if best is None or mean > best[0]:
            best = (mean, each)
    if best is None:
        raise EvidenceError(
            f"no baseline at {kind.per_class:g} a class shares a configuration with {kind}: evaluate one."
        )
    return best[1]


def of_kind(records: Records, kind: Kind) -> Records:
    """The rows of one kind. Raises EvidenceError where there are none."""
    rows = [r for r in records if (r.set if r.method == FULL else r.method, r.per_class, r.labels) == _key(kind)]
    if not rows:
        raise EvidenceError(f"there are no rows of {kind}: evaluate such a set, too.")
    return Records.of(rows)


def _key(kind: Kind) -> tuple[str, float, str]:
    return kind.method, kind.per_class, kind.labels


def _word(known: Difference | None, p: float | None, alpha: float) -> str:
    if known is None:
        return "not compared"
    if p is None or p >= alpha:
        return "cannot tell"
    return "better" if known.estimate.value > 0 else "worse"


def _baselines() -> tuple[str, ...]:
    from limbeck.distillation.methods import METHODS

    return tuple(name for name, entry in METHODS.items() if not entry.distils)
