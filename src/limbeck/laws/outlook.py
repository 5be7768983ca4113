"""The inverse of a plan: the gap that a given number of samples leaves in a new distil-and-train run."""

from dataclasses import dataclass
from typing import Any

from limbeck.laws.law import LEVEL, Interval
from limbeck.laws.scaling import ScalingLaw

__all__ = ["Outlook", "outlook"]


@dataclass(frozen=True)
class Outlook:
    """gap: expected of a new run at ``per_class``, which stays below its high end with ``certainty`` (one-sided).

    total: examples of all classes.  largest: the largest measured size; beyond it this extrapolates.
    """

    per_class: float
    total: int
    certainty: float
    gap: Interval
    largest: float

    @property
    def extrapolated(self) -> bool:
        """True where the size lies beyond the measured ones."""
        return self.per_class > self.largest

    def sentence(self) -> str:
        """For a person."""
        most, mean = (f"{100 * end:.1f}".replace("-", "−") for end in (self.gap.high, self.gap.value))
        said = (
            f"{self.per_class:g} samples a class ({self.total} in all) leave a gap to full data of less than {most} "
            f"points in a new run with {100 * self.certainty:g} % certainty ({mean} expected)"
        )
        if self.extrapolated:
            return f"{said}; {self.largest:g} a class is the largest measured size, so this is an extrapolation."
        return f"{said}."

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "per_class": self.per_class,
            "total": self.total,
            "certainty": self.certainty,
            "gap": self.gap.value,
            "gap_below": self.gap.high,
            "largest_measured": self.largest,
            "extrapolated": self.extrapolated,
            "sentence": self.sentence(),
        }


def outlook(law: ScalingLaw, per_class: float, *, certainty: float = LEVEL) -> Outlook:
    """What ``per_class`` samples leave. Raises OptionError for a size or a certainty outside its domain."""
    gap = law.gap_at(per_class, certainty=certainty)
    table = law.ground.table
    return Outlook(per_class, round(per_class * table.classes), certainty, gap, float(table.sizes[-1]))
