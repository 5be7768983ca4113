"""Rates that differ from curve to curve: b_a ~ N(b, τ²), from the whole profile likelihood of each curve.

Curve a says of its rate what its profile says: z_a(x)², the price of b_a = x, turned from Student's t into a normal's
so that z_a² ≤ 1.96² is the very interval that the curve alone has. Its likelihood under (b, τ) is

    m_a(b, τ) = ∫ exp(−z_a(x)²/2) N(x; b, τ²) dx,

without a normal approximation of the curve: one that bounds b on one side only, or not at all, says just that. Beyond
the grid of rates z_a is constant. The rate's interval is {b : 2(max ℓ − max_τ ℓ(b, τ)) ≤ M log(1 + t²_{M−1}/(M−1))},
M the effective number of curves: where curves are exact this is Hartung and Knapp's t interval, and where they are not
and τ = 0 it is wider than needed.

Errors of curves that share sets are correlated. With r_a the signed root of 2(max m_a − m_a) and R_τ the correlation
(ρ_ab s_a s_b off the diagonal, over s² + τ² on it), ℓ = Σ max log m_a − ½ log|R_τ| − ½ rᵀ R_τ⁻¹ r: exact for normal
profiles of any correlation, and for independent ones of any form.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from limbeck.laws.fit import quantile
from limbeck.laws.law import LEVEL, Array, Interval

__all__ = ["Heterogeneity", "normal_price"]

_FINE = 3  # steps of the quadrature a step of the grid
_DEVIATIONS = np.concatenate([[0.0], np.geomspace(0.005, 2.0, 32)])  # τ
_NOTHING = 1e3  # the standard error of a rate that a curve does not bound
_LEAST = 1e-290


@dataclass(frozen=True)
class Heterogeneity:
    """M curves and what they say of the mean of their rates, of the spread about it, and of each other.

    shapes: (G,) geometric grid of rates.  prices: (M, F) z² on the finer grid of the quadrature.
    correlation: (M, M) of the errors of the rates.
    """

    shapes: Array
    prices: Array
    correlation: Array
    level: float = LEVEL

    @cached_property
    def mean(self) -> Interval:
        """b, the mean of the rates of all curves like these; 0 or ∞ where the data do not bound it."""
        rise = 2 * (self._likelihood.max() - self._likelihood.max(0))
        number = self._number
        reach = float(quantile(np.asarray(number - 1), (1 + self.level) / 2))
        return _interval(rise, number * float(np.log1p(reach**2 / (number - 1))), self.shapes, self.level)

    @cached_property
    def deviation(self) -> Interval:
        """τ by restricted maximum likelihood: ∫ exp ℓ(b, τ) db; ∞ where so few curves do not bound it.

        The likelihood ratio of a variance with ν = M − 1 degrees of freedom has the mean ν(log(ν/2) − ψ(ν/2)), by which
        the price of the interval is raised (Bartlett).
        """
        from scipy.special import chdtri, digamma

        known = _restricted(self._likelihood, self.shapes)
        rise = 2 * (known.max() - known)
        freedom = self._number_at(0.0) - 1
        raised = freedom * float(np.log(freedom / 2) - digamma(freedom / 2))
        return _interval(rise, raised * float(chdtri(1, 1 - self.level)), _DEVIATIONS, self.level)

    @cached_property
    def same(self) -> float:
        """p-value of one rate for all curves: min_b rᵀ R⁻¹ r, χ² with M − 1 degrees of freedom."""
        from scipy.special import chdtrc

        top, _ = self._roots
        square = 2 * (top[0].sum() - self._likelihood[0].max()) - np.linalg.slogdet(self._correlations[0])[1]
        bounded = int((self.errors < _NOTHING).sum())
        return float(chdtrc(max(1, bounded - 1), max(0.0, float(square))))

    def another(self) -> Interval:
        """The rate of a further curve like these: the middle of its predictive distribution, b and τ flat."""
        mass = np.cumsum(_deviation_weights(self._likelihood, self.shapes) @ self._onward(self._likelihood))
        ends = _bounds(self.shapes)
        low, middle, high = (
            float(np.interp(p, mass[:-1], ends)) for p in ((1 - self.level) / 2, 0.5, (1 + self.level) / 2)
        )
        at_zero, unbounded = mass[0] > (1 - self.level) / 2, mass[-2] < (1 + self.level) / 2
        return Interval(middle, 0.0 if at_zero else low, float("inf") if unbounded else high, self.level)

    def prior(self, curve: int) -> Array:
        """(G,) −2 log of what all *other* curves say of this one's rate, its least value 0."""
        return self._priors[curve]

    def shrunken(self, curve: int) -> Interval:
        """The rate of one curve with what the others say of it."""
        price = self.prices[curve][::_FINE] + self.prior(curve)
        limit = float(quantile(np.asarray(1e6), (1 + self.level) / 2)) ** 2
        return _interval(price - price.min(), limit, self.shapes, self.level)

    @cached_property
    def _priors(self) -> Array:
        """(M, G); see :meth:`prior`.

        Where errors are correlated the others know less than they seem to: their density is raised to the power that
        makes the variance of this rate, given τ, what it is for normal profiles with that correlation.
        """
        widths, everyone = _widths(self.shapes), range(len(self.prices))
        likely = np.stack([self._likelihood_of([a for a in everyone if a != curve]) for curve in everyone])
        raised = (self._onward(likely)[..., 1:-1] / widths) ** np.stack([self._powers(a) for a in everyone])[..., None]
        raised = raised / np.maximum((raised * widths).sum(-1, keepdims=True), _LEAST)
        known = np.stack([_deviation_weights(each, self.shapes) for each in likely])
        told = -2 * np.log(np.maximum(np.einsum("mt,mtx->mx", known, raised), _LEAST))
        return np.asarray(told - told.min(-1, keepdims=True))

    @property
    def _number(self) -> float:
        """How many curves tell of b: Kish's effective number, in which one that bounds nothing does not count."""
        return self._number_at(self.deviation.value)

    def _number_at(self, deviation: float) -> float:
        weights = 1 / (self.errors**2 + deviation**2)
        return max(2.0, float(weights.sum() ** 2 / (weights**2).sum()))

    @cached_property
    def errors(self) -> Array:
        """(M,) standard errors: half the width of z² ≤ 1; very large where a side is open."""
        fine = _finer(self.shapes)
        ends = [_interval(price, 1.0, fine, self.level) for price in self.prices]
        return np.array([e.half if e.low > 0 and np.isfinite(e.high) else _NOTHING for e in ends])

    @cached_property
    def _marginals(self) -> Array:
        """(T, M, G) log m_a."""
        likely = np.exp(-self.prices / 2)
        spread = (likely @ _kernel(*_ends(self.shapes))).reshape(len(likely), -1, len(self.shapes))
        logs = np.log(np.maximum(np.moveaxis(spread, 1, 0), _LEAST))
        return np.concatenate([-self.prices[None, :, ::_FINE] / 2, logs])

    @cached_property
    def _correlations(self) -> Array:
        """(T, M, M) R_τ."""
        scale = self.errors / np.sqrt(self.errors**2 + _DEVIATIONS[:, None] ** 2)
        known = self.errors < _NOTHING
        off = self.correlation * (1 - np.eye(len(known))) * np.outer(known, known)
        return np.asarray(off * scale[:, :, None] * scale[:, None, :] + np.eye(len(known)))

    @cached_property
    def _roots(self) -> tuple[Array, Array]:
        """(T, M) log of the greatest m_a, and (T, M, G) signed root of 2(max − log m_a)."""
        logs = self._marginals
        top = logs.max(-1)
        sign = np.sign(np.arange(logs.shape[-1]) - logs.argmax(-1)[..., None])
        return top, sign * np.sqrt(2 * (top[..., None] - logs))

    @cached_property
    def _likelihood(self) -> Array:
        """(T, G) ℓ(b, τ)."""
        return self._likelihood_of(list(range(len(self.prices))))

    def _likelihood_of(self, curves: list[int]) -> Array:
        """(T, G) ℓ(b, τ) of some of the curves."""
        top, root = (each[:, curves] for each in self._roots)
        related = self._correlations[:, curves][:, :, curves]
        square = (root * (np.linalg.inv(related) @ root)).sum(1)
        return np.asarray((top.sum(1) - np.linalg.slogdet(related)[1] / 2)[:, None] - square / 2)

    def _onward(self, likely: Array) -> Array:
        """(…, T, G + 2) mass of the rate of a further curve, given τ, in the cells of the grid and on either side."""
        weights = np.exp(likely - likely.max(-1, keepdims=True)) * _widths(self.shapes)
        weights = np.moveaxis((weights / weights.sum(-1, keepdims=True)).reshape(-1, *likely.shape[-2:]), 0, 1)
        still = np.pad(weights[:1], ((0, 0), (0, 0), (1, 1)))
        onward = np.concatenate([still, weights[1:] @ _onward(*_ends(self.shapes))])
        return np.moveaxis(onward, 0, 1).reshape(*likely.shape[:-1], -1)

    def _powers(self, curve: int) -> Array:
        """(T,) what share of the others' information on a curve's rate is information, for each τ."""
        number = len(self.prices)
        if not (self.correlation - np.diag(np.diagonal(self.correlation))).any():
            return np.ones(len(_DEVIATIONS))
        least = np.maximum(_DEVIATIONS, 1e-3 * float(self.errors.min()))
        tie = (np.eye(number) - 1 / number) / least[:, None, None] ** 2
        scale = np.outer(self.errors, self.errors)
        known = [c * scale for c in (self._correlations[0], np.eye(number))]
        true, naive = (np.linalg.inv(np.linalg.inv(each) + tie)[:, curve, curve] for each in known)
        own = float(self.errors[curve]) ** -2
        share = (1 / true - own) / np.maximum(1 / naive - own, 1e-300)
        return np.asarray(np.clip(share, 0.0, 1.0))


def normal_price(shapes: Array, chi2: Array, freedom: float) -> Array:
    """(F,) z² on the finer grid from χ² on ``shapes``: P(|Z| > z) = P(|t_ν| > √rise)."""
    from scipy.interpolate import CubicSpline
    from scipy.special import ndtri, stdtr

    fine = CubicSpline(np.log(shapes), chi2)(np.log(_finer(shapes)))
    root = np.sqrt(np.maximum(fine - fine.min(), 0.0))
    return np.asarray(ndtri(np.maximum(stdtr(freedom, -root), _LEAST)) ** 2)


def _restricted(likely: Array, shapes: Array) -> Array:
    """(T,) log ∫ exp ℓ db."""
    top = likely.max()
    return np.asarray(np.log(np.maximum((np.exp(likely - top) * _widths(shapes)).sum(-1), _LEAST)) + top)


def _deviation_weights(likely: Array, shapes: Array) -> Array:
    """(T,) weights of the deviations, τ flat."""
    known = _restricted(likely, shapes)
    weights = np.exp(known - known.max()) * np.gradient(_DEVIATIONS)
    return np.asarray(weights / weights.sum())


def _finer(shapes: Array) -> Array:
    return np.geomspace(shapes[0], shapes[-1], _FINE * (len(shapes) - 1) + 1)


def _ends(shapes: Array) -> tuple[float, float, int]:
    return float(shapes[0]), float(shapes[-1]), len(shapes)


def _bounds(shapes: Array) -> Array:
    """(G + 1,) of the cells about the rates; the first and last cell end where they would on a longer grid."""
    ratio = float(np.sqrt(shapes[1] / shapes[0]))
    return np.append(shapes / ratio, shapes[-1] * ratio)


def _widths(shapes: Array) -> Array:
    return np.diff(_bounds(shapes))


@lru_cache(maxsize=2)
def _kernel(low: float, high: float, number: int) -> Array:
    """(F, (T − 1)·G) mass of N(b, τ²) in the cells of the finer grid; the outer cells reach to infinity."""
    from scipy.special import ndtr

    shapes = np.geomspace(low, high, number)
    inner = _bounds(_finer(shapes))[1:-1]
    made = np.empty((len(inner) + 1, len(_DEVIATIONS) - 1, number))
    for place, deviation in enumerate(_DEVIATIONS[1:]):
        below = ndtr((inner[:, None] - shapes) / deviation)
        made[:, place] = np.diff(below, axis=0, prepend=0.0, append=1.0)
    return made.reshape(len(made), -1)


@lru_cache(maxsize=2)
def _onward(low: float, high: float, number: int) -> Array:
    """(T − 1, G, G + 2) mass of N(b, τ²), [t, b, x], in the cells of the grid and on either side of it."""
    from scipy.special import ndtr

    shapes = np.geomspace(low, high, number)
    below = ndtr((_bounds(shapes) - shapes[:, None]) / _DEVIATIONS[1:, None, None])
    return np.asarray(np.diff(below, axis=-1, prepend=0.0, append=1.0))


def _interval(rise: Array, limit: float, grid: Array, level: float) -> Interval:
    """Least point of a curve over a grid, by a parabola, and where its root crosses √limit; open at the grid's ends."""
    steps, inside = np.arange(len(grid), dtype=np.float64), np.flatnonzero(rise <= limit)
    best, first, last = int(rise.argmin()), int(inside[0]), int(inside[-1])
    place = float(best)
    if 0 < best < len(grid) - 1:
        left, middle, right = (float(each) for each in rise[best - 1 : best + 2])
        place += (left - right) / max(2 * (left - 2 * middle + right), 1e-300)
    root, reach = np.sqrt(np.maximum(rise, 0.0)), float(np.sqrt(limit))
    low = 0.0 if first == 0 else _crossing(root, reach, first - 1, first)
    high = float("inf") if last == len(grid) - 1 else _crossing(root, reach, last + 1, last)
    at = np.interp([place, low, min(high, steps[-1])], steps, grid)
    return Interval(
        float(at[0]), 0.0 if first == 0 else float(at[1]), high if high == float("inf") else float(at[2]), level
    )


def _crossing(root: Array, reach: float, outside: int, inside: int) -> float:
    share = (reach - root[inside]) / max(float(root[outside] - root[inside]), 1e-300)
    return float(inside + np.clip(share, 0.0, 1.0) * (outside - inside))
