"""The plan: how many samples a new distil-and-train run needs, and how surely they suffice."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbeck.errors import OptionError
from limbeck.laws.evidence import Ground
from limbeck.laws.fit import Fit, fit
from limbeck.laws.forms import FreePower
from limbeck.laws.law import IMPOSSIBLE, LEVEL, Interval

__all__ = ["Plan", "Target", "check_certainty", "plan"]


@dataclass(frozen=True)
class Target:
    """What is to be reached: a "gap" to full data, or a "risk" (1 − accuracy), as a fraction, and how it was asked."""

    measure: str
    value: float
    asked: str

    @staticmethod
    def of(*, gap: float | None = None, accuracy: float | None = None, error: float | None = None) -> "Target":
        """From exactly one number. Raises OptionError."""
        given = {"gap": gap, "accuracy": accuracy, "error": error}
        named = {name: number for name, number in given.items() if number is not None}
        if len(named) != 1:
            raise OptionError("a plan needs exactly one target: give gap, accuracy or error.")
        ((name, number),) = named.items()
        if not -1 < number < 1:
            raise OptionError(f"the {name} is {number}: it is a fraction, not percent.")
        if name == "gap":
            return Target("gap", number, f"a gap of {100 * number:.3g} points to full data")
        if name == "accuracy":
            return Target("risk", 1 - number, f"an accuracy of {100 * number:.3g} %")
        return Target("risk", number, f"an error of {100 * number:.3g} %")


@dataclass(frozen=True)
class Plan:
    """The answer.

    per_class: stored examples a class, None where the target cannot be reached so surely.  total: of all classes.
    floor:     what remains however many samples there are.  chance: the greatest certainty that any size gives.
    largest:   the largest measured size; a plan beyond it extrapolates.
    values:    stored numbers (images × values an image) and seconds: what distilling costs, None where not asked.
    """

    target: Target
    certainty: float
    per_class: int | None
    total: int | None
    floor: Interval
    chance: float
    largest: float
    values: int | None = None
    seconds: float | None = None

    @property
    def reachable(self) -> bool:
        """True where there is a number."""
        return self.per_class is not None

    @property
    def extrapolated(self) -> bool:
        """True where the size was not measured."""
        return self.per_class is not None and self.per_class > self.largest

    def with_costs(
        self, *, shape: tuple[int, ...] | None = None, seconds: Callable[[float], float] | None = None
    ) -> "Plan":
        """With the stored numbers of images of ``shape``, and ``seconds(per_class)`` that distilling takes."""
        if self.per_class is None or self.total is None:
            return self
        cost = None if seconds is None else float(seconds(float(self.per_class)))
        return replace(self, values=None if shape is None else self.total * math.prod(shape), seconds=cost)

    def sentence(self) -> str:
        """For a person."""
        if self.per_class is None:
            return f"{self.target.asked[:1].upper()}{self.target.asked[1:]} {self._why_not()}"
        parts = [f"{self.per_class} sample{'' if self.per_class == 1 else 's'} a class ({self.total} in all"]
        parts.append("" if self.values is None else f", {self.values} stored numbers")
        parts.append("" if self.seconds is None else f", about {self.seconds:.0f} s of distilling")
        said = "".join(parts) + f") reach {self.target.asked} in a new run with {100 * self.certainty:g} % certainty"
        if self.extrapolated:
            return f"{said}; {self.largest:g} a class is the largest measured size, so this is an extrapolation."
        return f"{said}."

    def _why_not(self) -> str:
        what = "floor" if self.target.measure == "gap" else "lowest error"
        if self.floor.value >= self.target.value:
            return f"cannot be reached: the {what} is {self.floor}."
        known = f"no {what} is seen" if self.floor.value <= IMPOSSIBLE else f"the {what} is {self.floor}"
        return (
            f"cannot be reached with {100 * self.certainty:g} % certainty: {known}, and the best "
            f"chance at any size is {100 * self.chance:.0f} %; more seeds or sizes would tell more."
        )

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "target": {"measure": self.target.measure, "value": self.target.value, "asked": self.target.asked},
            "certainty": self.certainty,
            "per_class": self.per_class,
            "total": self.total,
            "values": self.values,
            "seconds": self.seconds,
            "floor": self.floor.dictionary(),
            "best_chance": self.chance,
            "largest_measured": self.largest,
            "extrapolated": self.extrapolated,
            "sentence": self.sentence(),
        }


def plan(ground: Ground, target: Target, *, certainty: float = LEVEL) -> Plan:
    """The smallest size from the smallest measured to all real examples at which a new run reaches the target.

    A new run stays below U(k), the one-sided predictive bound of the free fit: variance between distillation seeds,
    between networks, and uncertainty of c, b, e and, for a gap, of the reference. Raises OptionError.
    """
    check_certainty(certainty)
    known = fit(FreePower(), ground.gaps if target.measure == "gap" else ground.risks)

    def bound(size: int, sure: float = certainty) -> float:
        return float(known.new_run(float(size), sure, ground.new_run(float(size)))[1])

    first = max(1, math.ceil(float(ground.table.sizes[0])))
    last = max(first, int(max(ground.table.available, float(ground.table.sizes[-1]))))
    sizes = np.unique(np.geomspace(first, last, 120).round().astype(int)).tolist()
    chance = _chance(lambda size, sure: bound(size, sure), sizes, target.value)
    per_class = _smallest(bound, sizes, target.value)
    total = None if per_class is None else round(per_class * ground.table.classes)
    return Plan(target, certainty, per_class, total, _floor(known), chance, float(ground.table.sizes[-1]))


def check_certainty(certainty: float) -> None:
    """Raises OptionError unless 1/2 < certainty < 1."""
    if not 0.5 < certainty < 1:
        raise OptionError(f"the certainty is {certainty}: it must lie between 0.5 and 1, e.g. 0.95.")


def _smallest(bound: Callable[[int], float], sizes: list[int], target: float) -> int | None:
    """The smallest integer whose bound is at most ``target``: near the first such of ``sizes``."""
    place = next((i for i, size in enumerate(sizes) if bound(size) <= target), None)
    if place is None:
        return None
    low, high = (sizes[place - 1] if place else sizes[0] - 1), sizes[place]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) <= target else (middle, high)
    return high


def _chance(bound: Callable[[int, float], float], sizes: list[int], target: float) -> float:
    """The greatest certainty that any of about ten sizes gives, by bisection; 0.5 stands for "no better than even"."""
    best = 0.5
    for size in sorted({*sizes[:: max(1, len(sizes) // 9)], sizes[-1]}):
        low, high = best, 0.9999
        if bound(size, low + 1e-6) > target:
            continue
        for _ in range(14):
            middle = (low + high) / 2
            low, high = (middle, high) if bound(size, middle) <= target else (low, middle)
        best = max(best, low)
    return best


def _floor(known: Fit) -> Interval:
    value, low, high = (float(each) for each in known.coefficient(-1, LEVEL))
    return Interval(value, low, high, LEVEL)
