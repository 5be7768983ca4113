"""Verdicts on the rate: the law bounds the gap from above, so it can be respected without being tight."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.laws.fit import Fit, fit, quantile
from limbeck.laws.forms import Flat
from limbeck.laws.law import Array, Interval
from limbeck.laws.profile import project_design
from limbeck.laws.trust import Trust

__all__ = ["HALF", "NEAR", "POWER", "Excess", "Rate", "judge", "visible", "words"]

HALF = 0.5
NEAR = 0.15  # an interval of b within 1/2 ± this says that the rate is k^(-1/2)
POWER = 0.8
_WORDS = {
    "tight": "the gap falls like k^(-1/2)",
    "faster": "the gap falls faster than k^(-1/2)",
    "slower": "the gap falls slower than k^(-1/2) at this budget",
    "not distinguishable": "the data do not distinguish the rate from k^(-1/2)",
    "no fall": "no fall of the gap is seen, so there is no rate",
    "not trusted": "no rate is read off a law that is not to be trusted",
    "too few sizes": "too few sizes for a verdict on the rate",
}


@dataclass(frozen=True)
class Excess:
    """How far the measured gap at ``per_class`` lies above the bound c·k^(-1/2) + e that starts at the smallest size.

    c is such that the bound meets the smallest size's gap, e is the floor of the free fit. The size is the one where
    the interval reaches highest above zero by its low end; intervals hold at all sizes together (Bonferroni).
    """

    per_class: float
    over: Interval

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"per_class": self.per_class, "over": self.over.dictionary()}


@dataclass(frozen=True)
class Rate:
    """What the data say of b.

    word:     "tight" (the interval of b holds 1/2 and lies within 1/2 ± 0.15), "faster" (above 1/2), "slower" (below
              1/2, which says something of this budget, not of the bound), "not distinguishable", "no fall" (not
              ``falls``), "not trusted" (the form is, see Trust), or "too few sizes" (a demonstration).
    visible:  the nearest b below and above 1/2 that a study like this one tells from 1/2 with a chance of 80 %;
              0 or ∞ where it could tell none.
    falls:    False where a constant fits as well, by an F test of c and b together, or c is negative.
    excess:   of the measured gaps over the bound; None where b may be 0 or the word gives no rate.
    why:      of "too few sizes" and "not trusted", else "".
    """

    word: str
    b: Interval
    visible: tuple[float, float]
    falls: bool
    excess: Excess | None = None
    why: str = ""

    @property
    def respected(self) -> bool | None:
        """Whether the gaps stay below c·k^(-1/2) + e; None where the data do not tell.

        False for a slower rate, or where a measured gap lies clearly above; True for a tight or faster one else.
        """
        if self.excess is not None and self.excess.over.low > 0:
            return False
        return {"tight": True, "faster": True, "slower": False}.get(self.word)

    def sentence(self) -> str:
        """For a person."""
        if self.word == "not trusted":
            return f"{_WORDS[self.word]}."
        if self.word == "too few sizes":
            return f"{_WORDS[self.word]}: {self.why}."
        below, above = self.visible
        seen = [f"b ≤ {below:.2f}" if below > 0 else "", f"b ≥ {above:.2f}" if np.isfinite(above) else ""]
        told = " or ".join(text for text in seen if text) or "no other b"
        said = f"{_WORDS[self.word]} (b = {self.b}; such a study tells {told} from 1/2 four times out of five)"
        return f"{said}; {self._bound()}."

    def _bound(self) -> str:
        if self.respected is None:
            return "whether the bound c·k^(-1/2) + e is respected is not known"
        if self.respected:
            return "the bound c·k^(-1/2) + e is respected" + (" with room" if self.word == "faster" else "")
        where = ""
        if self.excess is not None and self.excess.over.low > 0:
            where = f": at {self.excess.per_class:g} a class the gap is {self.excess.over.points} above it"
        return f"the bound c·k^(-1/2) + e through the smallest size is not respected{where}"

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        below, above = self.visible
        return {
            "word": self.word,
            "why": self.why,
            "falls": self.falls,
            "respected": self.respected,
            "excess": None if self.excess is None else self.excess.dictionary(),
            "b": self.b.dictionary(),
            "visible_below": below if below > 0 else None,
            "visible_above": above if np.isfinite(above) else None,
            "power": POWER,
        }


def words(low: Array, high: Array) -> Array:
    """(…,) indices into the words of :class:`Rate`, in the order tight, faster, slower, not distinguishable."""
    near = (low >= HALF - NEAR) & (high <= HALF + NEAR) & (low <= HALF) & (high >= HALF)
    return np.select([near, low > HALF, high < HALF], [0.0, 1.0, 2.0], 3.0)


def judge(free: Fit, trust: Trust, *, level: float) -> Rate:
    """The verdict of a fit of c·k^(-b) + e, as far as it may be trusted."""
    value, low, high = (float(each) for each in free.shape(level))
    b, near, falls = Interval(value, low, high, level), visible(free, level=level), _falls(free, level)
    if not trust.claims:
        word = "not trusted" if trust.thin == "" else "too few sizes"
        return Rate(word, b, near, falls, why=trust.thin or trust.doubt)
    if not falls:
        return Rate("no fall", b, near, falls)
    word = tuple(_WORDS)[int(words(np.array(low), np.array(high)))]
    return Rate(word, b, near, falls, _excess(free, level) if low > 0 else None)


def _excess(free: Fit, level: float) -> Excess:
    """g_k − e − (g_1 − e)·(k/k_1)^(-1/2) with e a linear function of the gaps at the best shape."""
    noise, number = free.noise, len(free.noise.sizes)
    share = (noise.sizes / noise.sizes[0]) ** -HALF
    row = np.zeros((len(free.profile.shapes), free.profile.design.shape[-1]))
    row[:, -1] = 1.0
    floor, _ = free.profile.weights(row)
    e = float(free.profile.at_best(free.profile.linear(row)[0]))
    found = []
    for place in range(1, number):
        weights = np.eye(number)[place] - share[place] * np.eye(number)[0] - (1 - share[place]) * floor
        value = float(noise.mean[place] - share[place] * noise.mean[0] - (1 - share[place]) * e)
        reach = float(quantile(noise.freedom(weights), 1 - (1 - level) / (2 * (number - 1))))
        half = reach * math.sqrt(float(weights @ noise.covariance() @ weights))
        found.append(Excess(float(noise.sizes[place]), Interval(value, value - half, value + half, level)))
    return max(found, key=lambda each: each.over.low)


def _falls(free: Fit, level: float) -> bool:
    from scipy.special import fdtri

    flat = fit(Flat(), free.noise)
    rise = float(flat.profile.chi2.min() - free.profile.chi2.min())
    freedom = max(1.0, float(free.noise.counts.sum()) - len(free.noise.sizes))
    return rise > 2 * float(fdtri(2, freedom, level)) and float(free.coefficient(0, level)[0]) > 0


def visible(free: Fit, *, level: float) -> tuple[float, float]:
    """The b nearest to 1/2, below and above, that would be told from 1/2 with a chance of 80 %.

    A law with another b, as near to the measured gaps as it gets, leaves χ² = λ(b) when it is fitted by b = 1/2; it is
    seen where √λ ≥ t_{(1+level)/2, ν} + t_{0.8, ν}.
    """
    profile = free.profile
    curves = np.einsum("gkp,gp->gk", profile.design, profile.coefficients)
    half = free.form.design(free.noise.sizes, np.array([HALF]))
    restricted = project_design(half, np.array([HALF]), curves, free.noise.covariance()[None]).chi2[:, 0]
    row = np.zeros((len(profile.shapes), profile.design.shape[-1]))
    freedom = np.asarray(free.noise.freedom(profile.weights(row)[1]) / 2)  # as for the interval of b
    needed = float((quantile(freedom, (1 + level) / 2) + quantile(freedom, POWER)) ** 2)
    seen = restricted >= needed
    below = profile.shapes[seen & (profile.shapes < HALF)]
    above = profile.shapes[seen & (profile.shapes > HALF)]
    return (float(below.max()) if len(below) else 0.0, float(above.min()) if len(above) else float("inf"))
