"""t-type intervals and tests: of one mean, of the difference of two, and Holm's correction for several."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from limbeck.errors import EvidenceError, OptionError

__all__ = ["Estimate", "estimate", "holm", "t_interval", "welch"]

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over n independent units (distillation seeds) and how well it is known.

    value:     the mean.  spread: standard deviation of the units, None for one unit.
    low, high: t-type interval at ``level``, None where n < 2.
    p:         two-sided p-value of "the mean is zero", None where n < 2.
    """

    value: float
    spread: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    level: float = LEVEL
    unit: str = "distillation seed"

    @property
    def half(self) -> float | None:
        """Half the width of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    @property
    def clear(self) -> bool:
        """True where the interval leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def sentence(self, what: str = "") -> str:
        """The number with its n, for a person. what: "%" or "points" for fractions told in percent."""
        times, digits = (100, 1) if what else (1, 3)
        value, low, high = (
            f"{times * n:{'+' if what == 'points' else ''}.{digits}f}" if n is not None else ""
            for n in (self.value, self.low, self.high)
        )
        tail = f" {what}" if what else ""
        if self.low is None:
            return f"{value}{tail} ({self.n} {self.unit}: no interval, at least 2 are needed)"
        return f"{value} [{low}, {high}]{tail} ({100 * self.level:g}% t-interval, {self.n} {self.unit}s)"


def estimate(
    values: Sequence[float], *, level: float = LEVEL, unit: str = "distillation seed", grain: float = 0.0
) -> Estimate:
    """The mean of ``values``, one a unit, with mean ± t_{(1+level)/2, n−1} · s/√n; no interval where n = 1.

    grain: the step in which values can differ at all, e.g. 1/examples. s is at least grain/√12, the standard deviation
        within one step: units that agree by chance to the last example do not make their mean exact.
    Raises EvidenceError without values, OptionError for a level outside (0, 1).
    """
    _check(values, level)
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Estimate(mean, None, None, None, None, len(values), level, unit)
    variance = max(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1), grain**2 / 12)
    low, high, p = _t(mean, math.sqrt(variance / len(values)), float(len(values) - 1), level)
    return Estimate(mean, math.sqrt(variance), low, high, p, len(values), level, unit)


def t_interval(values: Sequence[float], *, level: float = LEVEL) -> tuple[float, float]:
    """The interval alone. Raises EvidenceError for fewer than two values."""
    known = estimate(values, level=level)
    if known.low is None or known.high is None:
        raise EvidenceError("an interval was asked for over one distillation seed: give at least 2, better 3 or more.")
    return known.low, known.high


def welch(
    ours: Sequence[float], theirs: Sequence[float], *, level: float = LEVEL, grains: tuple[float, float] = (0.0, 0.0)
) -> Estimate:
    """mean(ours) − mean(theirs) of two independent samples, degrees of freedom by Welch and Satterthwaite.

    No interval where one of them has a single value. ``n`` counts ``ours``; ``grains`` are as in :func:`estimate`.
    """
    _check(ours, level)
    _check(theirs, level)
    a, b = estimate(ours, level=level, grain=grains[0]), estimate(theirs, level=level, grain=grains[1])
    difference = a.value - b.value
    if a.spread is None or b.spread is None:
        return Estimate(difference, None, None, None, None, a.n, level)
    first, second = a.spread**2 / a.n, b.spread**2 / b.n
    total = first + second
    freedom = total**2 / (first**2 / (a.n - 1) + second**2 / (b.n - 1)) if total > 0 else float(a.n + b.n - 2)
    low, high, p = _t(difference, math.sqrt(total), freedom, level)
    return Estimate(difference, math.sqrt(total * a.n), low, high, p, a.n, level)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the given order: max over j ≤ i of min(1, (m − j + 1) · p_(j)).

    Rejecting those at most α keeps the chance of any false rejection below α, however they depend on each other.
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise OptionError(f"{p} is no p-value: it must lie in [0, 1].")
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = running
    return tuple(adjusted)


def _t(mean: float, error: float, freedom: float, level: float) -> tuple[float, float, float]:
    """(low, high, p) of Student's t; without any spread the mean is taken as exact."""
    from scipy.special import stdtr, stdtrit

    if error == 0:
        return mean, mean, 1.0 if mean == 0 else 0.0
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    return mean - reach, mean + reach, float(2 * stdtr(freedom, -abs(mean) / error))


def _check(values: Sequence[float], level: float) -> None:
    if not values:
        raise EvidenceError("a mean was asked for over nothing: no network of this kind was trained to the end.")
    if not all(math.isfinite(v) for v in values):
        raise EvidenceError(
            "a mean was asked for over values that are not finite: leave failed networks out, and count them."
        )
    if not 0 < level < 1:
        raise OptionError(f"the level is {level}: it must lie strictly between 0 and 1, e.g. 0.95.")
