"""Complete pooling: curves with one b, fitted together under the covariance that shared sets and test examples make."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from limbeck.laws.fit import quantile
from limbeck.laws.forms import FreePower
from limbeck.laws.law import LEVEL, Array, Interval
from limbeck.laws.noise import Noise, outlying
from limbeck.laws.profile import Profile, project_design
from limbeck.laws.table import GapTable

__all__ = ["Joint", "covariance", "joint", "kinship"]

_TRUST = 0.97  # correlations are drawn towards independence, so that few seeds cannot make them singular
_FEWEST = 6  # pairs of runs that a correlation is estimated from; with fewer, sets that are shared count as the same


@dataclass(frozen=True)
class Joint:
    """c_a·k^(-b) + e_a for M curves with one b; coefficients are c_1, e_1, c_2, e_2, …

    The curves are weighed as if they were independent, and what their common errors add is added to the intervals:
    weights that let correlated errors cancel would trust a correlation that few seeds tell (they hold b in 91 %).
    noises: one a curve.  total: (N, N) covariance of all mean gaps.
    """

    noises: tuple[Noise, ...]
    total: Array
    profile: Profile
    level: float = LEVEL

    @cached_property
    def b(self) -> Interval:
        """The one exponent; half of the degrees of freedom, as for a single law."""
        _, weights = self.profile.weights(np.zeros((len(self.profile.shapes), 2 * len(self.noises))))
        low, high = self.profile.shape_ends(self._reach(weights, self._freedom(weights) / 2))
        return Interval(float(self.profile.at_best(self.profile.shapes)), float(low), float(high), self.level)

    def coefficient(self, curve: int, place: int) -> Interval:
        """c (place 0) or e (place 1) of one curve."""
        row = np.zeros((len(self.profile.shapes), 2 * len(self.noises)))
        row[:, 2 * curve + place] = 1.0
        weights, _ = self.profile.weights(row)
        low, high = self.profile.band(row, self._reach(weights, self._freedom(weights)))
        value, _ = self.profile.linear(row)
        return Interval(float(self.profile.at_best(value)), float(low), float(high), self.level)

    def _reach(self, weights: Array, freedom: float) -> Array:
        """t times the ratio of the standard error with common errors to that without."""
        error = np.linalg.solve(self.profile.whitener.T, weights)  # the whitener W has WᵀW = Σ⁻¹
        naive = float(error @ error)
        ratio = float(weights @ self.total @ weights / max(naive, 1e-300))
        return np.asarray(quantile(np.asarray(freedom), (1 + self.level) / 2) * np.sqrt(max(ratio, 0.0)))

    def _freedom(self, weights: Array) -> float:
        """Degrees of freedom of Σ weights·gap: the least that any one curve's part of it has.

        The variance of the sum is better known than that of a part, but each curve's sizes are weighed by its own
        estimated variances, and that error is not averaged away (benchmarks/study_pooled.py: the sum's degrees of
        freedom hold b in 91 % of studies).
        """
        parts = np.split(weights, np.cumsum([len(noise.sizes) for noise in self.noises])[:-1])
        known = [float(noise.freedom(part)) for noise, part in zip(self.noises, parts, strict=True) if part.any()]
        return min(known)


def joint(noises: Sequence[Noise], total: Array, *, level: float) -> Joint:
    """Fit c_a·k^(-b) + e_a with one b to all curves; total: (N, N) covariance of all mean gaps."""
    form, number = FreePower(), len(noises)
    shapes = form.shapes(noises[0].sizes)
    design, alone = np.zeros((len(shapes), len(total), 2 * number)), np.zeros_like(total)
    start = 0
    for place, noise in enumerate(noises):
        end = start + len(noise.sizes)
        design[:, start:end, 2 * place : 2 * place + 2] = form.design(noise.sizes, shapes)
        alone[start:end, start:end] = noise.covariance()
        start = end
    gaps = np.concatenate([noise.mean for noise in noises])
    return Joint(tuple(noises), total, project_design(design, shapes, gaps, alone), level)


def kinship(tables: Sequence[GapTable], noises: Sequence[Noise], families: Sequence[int]) -> Array:
    """(M, M) correlation between curves of what a distillation seed adds to a gap, within families of the same sets.

    From the runs that both curves have, standardised, without outlying ones; drawn a little to independence.
    """
    made = np.eye(len(tables))
    if len(set(families)) == len(families):
        return made
    runs = [_standard(table, noise) for table, noise in zip(tables, noises, strict=True)]
    for a in range(len(tables)):
        for b in range(a):
            if families[a] != families[b]:
                continue
            pairs = np.array([(runs[a][key], runs[b][key]) for key in runs[a] if key in runs[b]]).reshape(-1, 2)
            known = 1.0
            if len(pairs) >= _FEWEST:
                known = float((pairs[:, 0] * pairs[:, 1]).sum() / np.sqrt((pairs**2).sum(0).prod() + 1e-300))
            made[a, b] = made[b, a] = _TRUST * known
    values, vectors = np.linalg.eigh(made)
    positive = (vectors * np.maximum(values, 1 - _TRUST)) @ vectors.T
    scale = np.sqrt(np.diagonal(positive))
    return np.asarray(positive / np.outer(scale, scale))


def covariance(noises: Sequence[Noise], kin: Array, test: Array | None = None) -> Array:
    """(N, N) covariance of all mean gaps: each curve's own, and between curves of the same sets ρ_ab L_a P L_bᵀ.

    L_a Lᵀ_a is the covariance of curve a's means by seeds, and P pairs equal sizes. The references' errors are common
    to all sizes of a curve, where its e takes them up. test: (N, N) by the test examples; its blocks between curves are
    left out where they contradict the curves' own.
    """
    ends = np.cumsum([0, *(len(noise.sizes) for noise in noises)])
    factors = [np.linalg.cholesky(noise.own()) for noise in noises]
    total = np.zeros((ends[-1], ends[-1]))
    between = np.zeros_like(total) if test is None else _TRUST * test
    for a, first in enumerate(noises):
        for b, second in enumerate(noises):
            block = np.s_[ends[a] : ends[a + 1], ends[b] : ends[b + 1]]
            equal = (first.sizes[:, None] == second.sizes).astype(np.float64)
            total[block] = first.covariance() if a == b else kin[a, b] * factors[a] @ equal @ factors[b].T
            if a == b:
                between[block] = 0.0
    least = 1e-6 * float(np.diagonal(total).min())
    return total + between if float(np.linalg.eigvalsh(total + between)[0]) > least else total


def _standard(table: GapTable, noise: Noise) -> dict[tuple[float, int], float]:
    """Standardised deviations of the runs by size and seed."""
    runs = np.where(outlying(table.sizes, table.risks), np.nan, table.risks)
    apart = (runs - np.nanmean(runs, 1, keepdims=True)) / np.sqrt(noise.trend.at(table.sizes))[:, None]
    places = np.argwhere(np.isfinite(apart))
    return {(float(table.sizes[k]), table.seeds[s]): float(apart[k, s]) for k, s in places}
