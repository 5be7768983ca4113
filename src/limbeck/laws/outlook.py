"""The inverse of a plan: the gap that a given number of samples leaves in a new distil-and-train run."""

from dataclasses import dataclass, replace
from typing import Any

from limbeck.errors import OptionError
from limbeck.laws.law import LEVEL, Interval, points
from limbeck.laws.newrun import Dropped
from limbeck.laws.plan import outside, prefaced
from limbeck.laws.scaling import ScalingLaw
from limbeck.laws.spending import Spending
from limbeck.laws.trust import Trust

__all__ = ["Outlook", "outlook"]


@dataclass(frozen=True)
class Outlook:
    """gap: expected of a new run at ``per_class``, which stays below its high end with ``certainty`` (one-sided).

    total: examples of all classes.  smallest, largest: measured sizes; beyond them this extrapolates.
    trust: in the law.  dropped: failed and outlying runs, which the certainty knows nothing of.
    values: stored numbers, and seconds: what distilling costs, None where not known.
    """

    per_class: int
    total: int
    certainty: float
    gap: Interval
    smallest: float
    largest: float
    trust: Trust
    dropped: Dropped
    values: int | None = None
    seconds: float | None = None

    @property
    def extrapolated(self) -> bool:
        """True where the size lies outside the measured ones."""
        return not self.smallest <= self.per_class <= self.largest

    def with_costs(self, spent: Spending) -> "Outlook":
        """With the stored numbers and the seconds that distilling takes."""
        return replace(self, values=spent.numbers(self.total), seconds=spent.seconds(float(self.per_class)))

    def sentence(self) -> str:
        """For a person: what must be said of the law first."""
        parts = [f"{self.per_class} sample{'' if self.per_class == 1 else 's'} a class ({self.total} in all"]
        parts.append("" if self.values is None else f", {self.values:,} stored numbers")
        parts.append("" if self.seconds is None else f", about {self.seconds:.0f} s of distilling")
        said = (
            f"{''.join(parts)}) leave a gap to full data of less than {points(self.gap.high)} points in a new run with "
            f"{100 * self.certainty:g} % certainty ({points(self.gap.value)} expected){self.dropped.clause()}"
            f"{outside(float(self.per_class), self.smallest, self.largest)}"
        )
        if not self.trust.holds:
            said = f"{self.trust.doubt}: {self.trust.basis}, {said}"
        return prefaced(self.trust, said)

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "per_class": self.per_class,
            "total": self.total,
            "values": self.values,
            "seconds": self.seconds,
            "certainty": self.certainty,
            "gap": self.gap.value,
            "gap_below": self.gap.high,
            "smallest_measured": self.smallest,
            "largest_measured": self.largest,
            "extrapolated": self.extrapolated,
            "trust": self.trust.dictionary(),
            "dropped": self.dropped.dictionary(),
            "sentence": self.sentence(),
        }


def outlook(law: ScalingLaw, per_class: int | float, *, certainty: float = LEVEL) -> Outlook:
    """What ``per_class`` samples leave, a whole number from 1 to all real examples of a class.

    Raises OptionError for a size or a certainty outside its domain, EvidenceError where a refuted law says nothing.
    """
    runs = law.runs
    if not (1 <= per_class <= runs.available and float(per_class).is_integer()):
        raise OptionError(
            f"the size is {per_class:g}: give a whole number from 1 to {runs.available} examples a class, as many as "
            "there are real ones."
        )
    gap = law.gap_at(float(per_class), certainty=certainty)
    total = round(per_class * runs.ground.table.classes)
    span = (runs.smallest, runs.largest)
    return Outlook(int(per_class), total, certainty, gap, *span, runs.trust, runs.dropped)
