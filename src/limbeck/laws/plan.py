"""The plan: how many samples a new distil-and-train run needs, and how surely they suffice."""

from dataclasses import dataclass, replace
from typing import Any

from limbeck.errors import OptionError
from limbeck.laws.fit import Fit
from limbeck.laws.law import IMPOSSIBLE, LEVEL, Interval
from limbeck.laws.newrun import Dropped, NewRuns
from limbeck.laws.spending import Spending
from limbeck.laws.trust import Trust

__all__ = ["Plan", "Target", "check_certainty", "floor_of", "outside", "plan", "prefaced", "seen"]


@dataclass(frozen=True)
class Target:
    """What is to be reached: a "gap" to full data, or a "risk" (1 − accuracy), as a fraction, and how it was asked."""

    measure: str
    value: float
    asked: str

    @staticmethod
    def of(*, gap: float | None = None, accuracy: float | None = None, error: float | None = None) -> "Target":
        """From exactly one number: a gap in (−1, 1), an accuracy or an error in [0, 1]. Raises OptionError."""
        given = {"gap": gap, "accuracy": accuracy, "error": error}
        named = {name: number for name, number in given.items() if number is not None}
        if len(named) != 1:
            raise OptionError("a plan needs exactly one target: give gap, accuracy or error.")
        ((name, number),) = named.items()
        if name == "gap":
            if not -1 < number < 1:
                raise OptionError(f"the gap is {number}: it is a fraction between -1 and 1, not percent.")
            return Target("gap", number, f"a gap of {100 * number:.3g} points to full data")
        if not 0 <= number <= 1:
            raise OptionError(f"the {name} is {number}: it is a fraction from 0 to 1, not percent.")
        if name == "accuracy":
            return Target("risk", 1 - number, f"an accuracy of {100 * number:.3g} %")
        return Target("risk", number, f"an error of {100 * number:.3g} %")


@dataclass(frozen=True)
class Plan:
    """The answer.

    per_class: stored examples a class, None where no size is shown to reach the target so surely.  total: of all
               classes.
    floor:     what remains however many samples there are, None where the law does not hold or the sizes are too few.
    chance:    the greatest certainty that any size gives; 0.5 stands for "no better than even".
    smallest, largest: measured sizes; a plan beyond them extrapolates.
    trust:     in the law.  dropped: failed and outlying runs, which the certainty knows nothing of.
    values:    stored numbers, and seconds: what distilling costs, None where not known.
    """

    target: Target
    certainty: float
    per_class: int | None
    total: int | None
    floor: Interval | None
    chance: float
    smallest: float
    largest: float
    trust: Trust
    dropped: Dropped
    values: int | None = None
    seconds: float | None = None

    @property
    def reachable(self) -> bool:
        """True where there is a number."""
        return self.per_class is not None

    @property
    def extrapolated(self) -> bool:
        """True where the size lies outside the measured ones."""
        return self.per_class is not None and not self.smallest <= self.per_class <= self.largest

    def with_costs(self, spent: Spending) -> "Plan":
        """With the stored numbers and the seconds that distilling takes."""
        if self.per_class is None or self.total is None:
            return self
        return replace(self, values=spent.numbers(self.total), seconds=spent.seconds(float(self.per_class)))

    def sentence(self) -> str:
        """For a person: what must be said of the law first."""
        return prefaced(self.trust, self.clause())

    def clause(self) -> str:
        """The sentence without its beginning that says whether this is a demonstration."""
        said = self._answer()
        if self.trust.holds:
            return said
        return f"{self.trust.doubt}: {self.trust.basis}, {said}"

    def _answer(self) -> str:
        if self.per_class is None:
            return f"{self.target.asked} {self._why_not()}"
        parts = [f"{self.per_class} sample{'' if self.per_class == 1 else 's'} a class ({self.total} in all"]
        parts.append("" if self.values is None else f", {self.values:,} stored numbers")
        parts.append("" if self.seconds is None else f", about {self.seconds:.0f} s of distilling")
        said = "".join(parts) + f") reach {self.target.asked} in a new run with {100 * self.certainty:g} % certainty"
        said += self.dropped.clause()
        return said + outside(float(self.per_class), self.smallest, self.largest)

    def _why_not(self) -> str:
        what = "floor" if self.target.measure == "gap" else "lowest error"
        if self.floor is not None and self.floor.low > self.target.value:
            return f"cannot be reached: the {what} is {self.floor.points}."
        known = ""
        if self.floor is not None:
            known = f"the {what} is {self.floor.points}, and " if seen(self.floor) else f"no {what} is seen, and "
        best = "at no size is the chance better than even"
        if self.chance > 0.5:
            best = f"the best chance at any size is {100 * self.chance:.0f} %"
        where = "" if self.trust.claims else " within the measured sizes"
        return (
            f"is not shown to be reachable with {100 * self.certainty:g} % certainty{where}: {known}{best}; more "
            "seeds or sizes would tell more."
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
            "floor": None if self.floor is None else self.floor.dictionary(),
            "best_chance": self.chance,
            "smallest_measured": self.smallest,
            "largest_measured": self.largest,
            "extrapolated": self.extrapolated,
            "trust": self.trust.dictionary(),
            "dropped": self.dropped.dictionary(),
            "sentence": self.sentence(),
        }


def plan(runs: NewRuns, target: Target, *, certainty: float = LEVEL) -> Plan:
    """The smallest size at which a new run reaches the target.

    A new run stays below U(k), the one-sided predictive bound: variance between distillation seeds, between networks,
    and uncertainty of the fit and, for a gap, of the reference. ``runs`` says which sizes may be planned with.
    runs: of the gaps, or of the risks, as the target asks. Raises OptionError.
    """
    check_certainty(certainty)
    sizes = runs.sizes()
    per_class = _smallest(runs, sizes, target.value, certainty)
    total = None if per_class is None else round(per_class * runs.ground.table.classes)
    floor = floor_of(runs.free, LEVEL) if runs.trust.claims else None
    chance = _chance(runs, sizes, target.value)
    span = (runs.smallest, runs.largest)
    return Plan(target, certainty, per_class, total, floor, chance, *span, runs.trust, runs.dropped)


def check_certainty(certainty: float) -> None:
    """Raises OptionError unless 1/2 < certainty < 1."""
    if not 0.5 < certainty < 1:
        raise OptionError(f"the certainty is {certainty}: it must lie between 0.5 and 1, e.g. 0.95.")


def floor_of(free: Fit, level: float) -> Interval:
    """e of c·k^(-b) + e with its interval, which is open below where b may be zero."""
    value, low, high = (float(each) for each in free.coefficient(-1, level))
    bounded = float(free.shape(level)[1]) > 0
    return Interval(value, low if bounded else -float("inf"), high, level)


def seen(floor: Interval) -> bool:
    """True where the data show a floor: its interval is closed below, and it is a gap that accuracies can have."""
    return floor.low > -float("inf") and floor.value > IMPOSSIBLE


def prefaced(trust: Trust, clause: str) -> str:
    """A clause as a sentence, which says first where the sizes are a demonstration."""
    if trust.thin:
        return f"A demonstration: {clause}"
    return clause if clause.startswith("c·") else f"{clause[:1].upper()}{clause[1:]}"


def outside(size: float, smallest: float, largest: float) -> str:
    """The end of a sentence about ``size``: whether it extrapolates."""
    if smallest <= size <= largest:
        return "."
    end = f"{largest:g} a class is the largest" if size > largest else f"{smallest:g} a class is the smallest"
    return f"; {end} measured size, so this is an extrapolation."


def _smallest(runs: NewRuns, sizes: list[int], target: float, certainty: float) -> int | None:
    """The smallest integer whose bound is at most ``target``: near the first such of ``sizes``."""

    def bound(size: int) -> float:
        return runs.at(float(size), certainty).high

    place = next((i for i, size in enumerate(sizes) if bound(size) <= target), None)
    if place is None or not runs.fits:
        return None if place is None else sizes[place]
    low, high = (sizes[place - 1] if place else sizes[0] - 1), sizes[place]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) <= target else (middle, high)
    return high


def _chance(runs: NewRuns, sizes: list[int], target: float) -> float:
    """The greatest certainty that any of about ten sizes gives, by bisection; 0.5 stands for "no better than even"."""
    best = 0.5
    for size in sorted({*sizes[:: max(1, len(sizes) // 9)], *sizes[-1:]}):
        low, high = best, 0.9999
        if runs.at(float(size), low + 1e-6).high > target:
            continue
        for _ in range(14):
            middle = (low + high) / 2
            low, high = (middle, high) if runs.at(float(size), middle).high <= target else (low, middle)
        best = max(best, low)
    return best
