"""Where more examples stop paying."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.errors import OptionError
from limbeck.laws.fit import Fit, quantile
from limbeck.laws.law import IMPOSSIBLE, Interval

__all__ = ["Saturation", "saturation"]


@dataclass(frozen=True)
class Saturation:
    """The size from which on doubling it closes less than ``gain`` of the gap.

    per_class: c (1 − 2^(-b)) k^(-b) = gain solved for k; below 1 where it is so from the start.
    largest:   the largest measured size.  remaining: the gap above the floor there.  floor: e.
    doubled:   the gap that doubling the largest size closes.
    """

    gain: float
    per_class: Interval
    largest: float
    remaining: float
    floor: float
    doubled: float

    @property
    def advice(self) -> str:
        """What to do next, in words."""
        if self.per_class.high <= self.largest:
            return "improving the method pays more than more samples"
        if self.per_class.low >= self.largest:
            return "more samples still pay"
        return "whether more samples still pay is not clear: measure larger sizes or more seeds"

    def sentence(self) -> str:
        """For a person."""
        value, low, high = (_size(each) for each in (self.per_class.value, self.per_class.low, self.per_class.high))
        unit = "point" if self.gain == 0.01 else "points"
        if self.floor <= IMPOSSIBLE:
            return (
                f"No floor is seen: twice as many samples as {self.largest:g} a class would gain about "
                f"{100 * self.doubled:.1f} points more, by the fit: {self.advice}."
            )
        return (
            f"From {value} a class [{low}, {high}] on, twice as many samples gain less than {100 * self.gain:g} {unit}"
            f"; at {self.largest:g} a class {100 * self.remaining:.1f} points are left above a floor of "
            f"{100 * self.floor:.1f}: {self.advice}."
        )

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "gain": self.gain,
            "per_class": self.per_class.dictionary(),
            "largest_measured": self.largest,
            "remaining": self.remaining,
            "floor": self.floor,
            "doubled": self.doubled,
            "advice": self.advice,
        }


def saturation(free: Fit, gain: float, *, level: float) -> Saturation:
    """Solve for the size under a fit of c·k^(-b) + e, with its profile interval. Raises OptionError."""
    if not gain > 0:
        raise OptionError(f"the gain is {gain}: give a positive fraction of accuracy, e.g. 0.01.")
    profile, largest = free.profile, float(free.noise.sizes[-1])
    shapes = profile.shapes
    row = np.stack([np.ones_like(shapes), np.zeros_like(shapes)], -1)
    weights, _ = profile.weights(row)
    reach = float(quantile(free.noise.freedom(weights), (1 + level) / 2))
    value, variance = profile.linear(row)
    left = reach**2 - profile.rise()
    half = np.sqrt(np.maximum(left, 0.0) * variance)
    inside = left >= 0
    low = min(_solve(c, b, gain) for c, b in zip((value - half)[inside], shapes[inside], strict=True))
    high = max(_solve(c, b, gain) for c, b in zip((value + half)[inside], shapes[inside], strict=True))
    best = int(profile.chi2.argmin())
    c, e = profile.coefficients[best]
    known = Interval(_solve(c, shapes[best], gain), low, high, level)
    remaining = float(c * largest ** -shapes[best])
    return Saturation(gain, known, largest, remaining, float(e), remaining * (1 - 2.0 ** -float(shapes[best])))


def _solve(c: float, b: float, gain: float) -> float:
    """k at which c·k^(-b) − c·(2k)^(-b) = gain; 0 where c ≤ 0, ∞ beyond 10¹²."""
    if c <= 0:
        return 0.0
    exponent = math.log(c * (1 - 2.0**-b) / gain) / b
    return math.inf if exponent > math.log(1e12) else math.exp(exponent)


def _size(number: float) -> str:
    return "∞" if math.isinf(number) else "over a million" if number > 1e6 else f"{max(number, 1):.0f}"
