"""Where more examples stop paying."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.errors import OptionError
from limbeck.laws.fit import Fit, quantile
from limbeck.laws.law import Interval, points
from limbeck.laws.noise import Noise
from limbeck.laws.plan import floor_of, seen

__all__ = ["GAIN", "Saturation", "measured_saturation", "saturation", "size_in_words"]

GAIN = 0.01  # a point


@dataclass(frozen=True)
class Saturation:
    """The size from which on doubling it closes less than ``gain`` of the gap.

    per_class: c (1 − 2^(-b)) k^(-b) = gain solved for k, below 1 where it is so from the start; None where the law does
               not hold or the sizes are too few, so that only measured gaps are compared.
    before, largest: the two largest measured sizes.
    doubled:   the gap that doubling the largest size closes by the law; without it, what doubling gained between the
               two largest sizes.
    floor:     e, None where none is seen.  remaining: the gap above it at the largest size.
    """

    gain: float
    per_class: Interval | None
    before: float
    largest: float
    doubled: Interval
    floor: Interval | None = None
    remaining: float | None = None

    @property
    def advice(self) -> str:
        """What to do next, in words."""
        if self.per_class is None:
            less, more = self.doubled.high <= self.gain, self.doubled.low >= self.gain
        else:
            less, more = self.per_class.high <= self.largest, self.per_class.low >= self.largest
        if less:
            return "improving the method pays more than more samples"
        if more:
            return "more samples still pay"
        return "whether more samples still pay is not clear: measure larger sizes or more seeds"

    def sentence(self) -> str:
        """For a person."""
        if self.per_class is None:
            return (
                f"Between {self.before:g} and {self.largest:g} a class, twice as many samples gained "
                f"{self.doubled.points}, by the measured gaps: {self.advice}."
            )
        if self.floor is None or self.remaining is None:
            return (
                f"No floor is seen: twice as many samples as {self.largest:g} a class would gain "
                f"{self.doubled.points} more, by the fit: {self.advice}."
            )
        value, low, high = (size_in_words(each) for each in (self.per_class.value, *self.per_class.ends))
        unit = "point" if self.gain == GAIN else "points"
        return (
            f"From {value} a class [{low}, {high}] on, twice as many samples gain less than {100 * self.gain:g} {unit}"
            f"; at {self.largest:g} a class {points(self.remaining)} points are left above a floor of "
            f"{self.floor.points}: {self.advice}."
        )

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "gain": self.gain,
            "per_class": None if self.per_class is None else self.per_class.dictionary(),
            "largest_measured": self.largest,
            "doubled": self.doubled.dictionary(),
            "floor": None if self.floor is None else self.floor.dictionary(),
            "remaining": self.remaining,
            "advice": self.advice,
        }


def saturation(free: Fit, gain: float, *, level: float) -> Saturation:
    """Solve for the size under a fit of c·k^(-b) + e, with its profile interval. Raises OptionError."""
    _check(gain)
    profile, (before, largest) = free.profile, (float(size) for size in free.noise.sizes[-2:])
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
    c = float(profile.coefficients[best][0])
    known = Interval(_solve(c, float(shapes[best]), gain), low, high, level)
    floor = floor_of(free, level)
    remaining = c * largest ** -float(shapes[best])
    told = (floor, remaining) if seen(floor) else (None, None)
    return Saturation(gain, known, before, largest, _doubled(free, largest, level), *told)


def measured_saturation(noise: Noise, gain: float, *, level: float) -> Saturation:
    """What doubling gained between the two largest sizes: (gap_{K−1} − gap_K)/log₂(k_K/k_{K−1}). Raises OptionError."""
    _check(gain)
    before, largest = (float(size) for size in noise.sizes[-2:])
    weights = np.zeros(len(noise.sizes))
    weights[-2:] = np.array([1.0, -1.0]) / math.log2(largest / before)
    value = float(noise.mean @ weights)
    reach = float(quantile(noise.freedom(weights), (1 + level) / 2))
    half = reach * math.sqrt(float(weights @ noise.covariance() @ weights))
    return Saturation(gain, None, before, largest, Interval(value, value - half, value + half, level))


def size_in_words(number: float) -> str:
    """A size that a law solves for, as whole examples a class."""
    return "∞" if math.isinf(number) else "over a million" if number > 1e6 else f"{max(number, 1):,.0f}"


def _doubled(free: Fit, largest: float, level: float) -> Interval:
    """c (k^(-b) − (2k)^(-b)) at the largest size."""
    shapes = free.profile.shapes
    row = np.stack([largest**-shapes * (1 - 2.0**-shapes), np.zeros_like(shapes)], -1)
    weights, _ = free.profile.weights(row)
    low, high = free.profile.band(row, quantile(free.noise.freedom(weights), (1 + level) / 2))
    return Interval(float(free.profile.at_best(free.profile.linear(row)[0])), float(low), float(high), level)


def _check(gain: float) -> None:
    if not 0 < gain < 1:
        raise OptionError(f"the gain is {gain}: give a positive fraction of accuracy, e.g. 0.01.")


def _solve(c: float, b: float, gain: float) -> float:
    """k at which c·k^(-b) − c·(2k)^(-b) = gain; 0 where c ≤ 0, ∞ beyond 10¹²."""
    if c <= 0:
        return 0.0
    exponent = math.log(c * (1 - 2.0**-b) / gain) / b
    return math.inf if exponent > math.log(1e12) else math.exp(exponent)
