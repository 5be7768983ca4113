"""Verdicts on the rate: the law bounds the gap from above, so it can be respected without being tight."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.laws.fit import Fit, fit, quantile
from limbeck.laws.forms import Flat
from limbeck.laws.law import Array, Interval
from limbeck.laws.profile import project_design

__all__ = ["HALF", "NEAR", "POWER", "Rate", "judge", "visible"]

HALF = 0.5
NEAR = 0.15  # an interval of b within 1/2 ± this says that the rate is k^(-1/2)
POWER = 0.8
_WORDS = {
    "tight": "the bound c·k^(-1/2) + e is respected and its rate is tight",
    "faster": "the bound c·k^(-1/2) + e is respected with room: the gap falls faster",
    "slower": "the gap falls slower than k^(-1/2) at this budget",
    "not distinguishable": "the data do not distinguish the rate from k^(-1/2)",
    "no fall": "no fall of the gap is seen, so there is no rate",
}


@dataclass(frozen=True)
class Rate:
    """What the data say of b.

    word:     "tight" (the interval of b holds 1/2 and lies within 1/2 ± 0.15), "faster" (above 1/2), "slower" (below
              1/2, which says something of this budget, not of the bound), "not distinguishable", or "no fall"
              (a constant fits as well, by an F test of c and b together, or c is negative).
    visible:  the nearest b below and above 1/2 that a study like this one tells from 1/2 with a chance of 80 %;
              0 or ∞ where it could tell none.
    """

    word: str
    b: Interval
    visible: tuple[float, float]

    @property
    def respected(self) -> bool:
        """True unless the rate is clearly slower than the bound's."""
        return self.word != "slower"

    def sentence(self) -> str:
        """For a person."""
        below, above = self.visible
        seen = [f"b ≤ {below:.2f}" if below > 0 else "", f"b ≥ {above:.2f}" if np.isfinite(above) else ""]
        told = " or ".join(text for text in seen if text) or "no other b"
        return f"{_WORDS[self.word]} (b = {self.b}; such a study tells {told} from 1/2 four times out of five)."

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        below, above = self.visible
        return {
            "word": self.word,
            "respected": self.respected,
            "b": self.b.dictionary(),
            "visible_below": below if below > 0 else None,
            "visible_above": above if np.isfinite(above) else None,
            "power": POWER,
        }


def words(low: Array, high: Array) -> Array:
    """(…,) indices into the words of :class:`Rate`, in the order tight, faster, slower, not distinguishable."""
    near = (low >= HALF - NEAR) & (high <= HALF + NEAR) & (low <= HALF) & (high >= HALF)
    return np.select([near, low > HALF, high < HALF], [0.0, 1.0, 2.0], 3.0)


def judge(free: Fit, *, level: float) -> Rate:
    """The verdict of a fit of c·k^(-b) + e."""
    value, low, high = (float(each) for each in free.shape(level))
    word = tuple(_WORDS)[int(words(np.array(low), np.array(high)))] if _falls(free, level) else "no fall"
    return Rate(word, Interval(value, low, high, level), visible(free, level=level))


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
