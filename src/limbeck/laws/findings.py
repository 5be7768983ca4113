"""What a study of several sizes found: for each method its law with plans, or the sentence that says why not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from limbeck.errors import EvidenceError
from limbeck.evaluation.cells import FULL
from limbeck.evaluation.records import Records
from limbeck.laws.law import LEVEL, Interval, points
from limbeck.laws.plan import Plan, prefaced
from limbeck.laws.scaling import ScalingLaw
from limbeck.laws.spending import spending
from limbeck.laws.twice import doubled_for, doubled_names
from limbeck.study.results import StudyResults

__all__ = ["TARGETS", "Found", "findings"]

TARGETS = (0.2, 0.1, 0.05, 0.02)  # gaps to full data that are planned for
MORE = 4  # times the budget, for what it would buy


@dataclass(frozen=True)
class Found:
    """What was found for one method and kind of labels.

    reason:  why there is no law, else "".
    promise: mean validation accuracy over the sizes that all laws share (the largest of each where they share none):
             at one large size alone methods are alike, and chance would choose. NaN where there is no law.
    """

    method: str
    labels: str
    law: ScalingLaw | None
    plans: tuple[Plan, ...]
    reason: str = ""
    promise: float = math.nan

    @property
    def name(self) -> str:
        """The method, with its labels where they are not hard."""
        return self.method if self.labels == "hard" else f"{self.method} with {self.labels} labels"

    def sentence(self) -> str:
        """The plan in one sentence: for the smallest gap that can be reached within the measured sizes, if any can."""
        if self.law is None:
            return f"No law can be fitted for {self.name}: {self.reason}"
        reached = [plan for plan in self.plans if plan.reachable and not plan.extrapolated]
        best = reached[-1] if reached else next((p for p in self.plans if p.reachable), self.plans[0])
        flat = "" if self.law.rate.falls else " no fall of the gap with the size was seen at this budget;"
        return prefaced(self.law.trust, f"with {self.name},{flat} {best.clause()}")

    def sureness(self) -> str:
        """How sure the plan is, and what a larger budget would buy."""
        if self.law is None:
            return "A larger budget would allow more sizes and seeds."
        largest = self.law.runs.largest
        gap, later, spread = self.margins(largest)
        return (
            f"How sure: {largest:g} a class by {self.name} leave {points(gap.value)} points to full data, and in a "
            f"new run less than {points(gap.high)} with {100 * gap.level:g} % certainty. {MORE} times the budget, "
            f"spent on seeds, would narrow this margin from {points(gap.high - gap.value)} to about {points(later)} "
            f"points; {points(spread)} of it are the spread between runs, which no budget removes."
        )

    def margins(self, per_class: float) -> tuple[Interval, float, float]:
        """The gap of a new run, the margin above it that ``MORE`` times the budget would leave, and that of one run.

        margin² = (margin of the mean)² + (margin of one run)²; a budget m times as large divides the first by m.
        """
        assert self.law is not None
        gap = self.law.gap_at(per_class, certainty=LEVEL)
        margin = gap.high - gap.value
        mean = self.law.runs.at(per_class, LEVEL, run=False).high - gap.value
        spread = math.sqrt(max(0.0, margin**2 - mean**2))
        return gap, math.hypot(spread, min(mean, margin) / math.sqrt(MORE)), spread

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "method": self.method,
            "labels": self.labels,
            "sentence": self.sentence(),
            "sureness": self.sureness(),
            "reason": self.reason,
            "plans": [plan.dictionary() for plan in self.plans],
            "law": None if self.law is None else self.law.dictionary(),
        }


def findings(
    results: StudyResults,
    *,
    certainty: float = LEVEL,
    targets: Sequence[float] = TARGETS,
    shape: tuple[int, ...] | None = None,
) -> tuple[Found, ...]:
    """Laws and plans of every method, the best on validation over the sizes they share first, those without a law last.

    shape: of one example, for the stored numbers of a plan. Raises EvidenceError where there are no rows.
    """
    records = results.records.where(split="test")
    apart = {FULL, *doubled_names({row.method for row in records}).values()}
    kinds = dict.fromkeys((row.method, row.labels) for row in records if row.method not in apart)
    if not kinds:
        raise EvidenceError("the study has no rows on the test split: run it to the end first.")
    asked = _Asked(certainty, tuple(targets), shape)
    found = [_found(results, records, kind, asked) for kind in kinds]
    measured = [frozenset(map(float, f.law.ground.table.sizes)) for f in found if f.law is not None]
    shared = sorted(frozenset.intersection(*measured)) if measured else []
    ranked = [replace(each, promise=_promise(each, records, shared)) for each in found]
    return tuple(sorted(ranked, key=lambda f: (f.law is None, 0.0 if math.isnan(f.promise) else -f.promise)))


class _Asked(NamedTuple):
    certainty: float
    targets: tuple[float, ...]
    shape: tuple[int, ...] | None


def _found(results: StudyResults, records: Records, kind: tuple[str, str], asked: _Asked) -> Found:
    method, labels = kind
    doubled = doubled_for(records, method)
    try:
        law = ScalingLaw.fit(records, method=method, labels=labels, doubled=doubled)
    except EvidenceError as error:
        return Found(method, labels, None, (), str(error))
    spent = spending(results, law.ground.table, shape=asked.shape)
    plans = (law.samples_for(gap=gap, certainty=asked.certainty) for gap in asked.targets)
    return Found(method, labels, law, tuple(plan.with_costs(spent) for plan in plans))


def _promise(found: Found, records: Records, sizes: Sequence[float]) -> float:
    if found.law is None:
        return math.nan
    means = []
    for size in sizes or [float(found.law.ground.table.sizes[-1])]:
        rows = records.where(method=found.method, labels=found.labels, per_class=size)
        known = [row.validation for row in rows if row.finished and not math.isnan(row.validation)]
        means += [math.fsum(known) / len(known)] if known else [math.nan]
    return math.fsum(means) / len(means)
