"""How uncertain the gaps are: one variance model for all sizes, how sizes of one seed go together, the errors that all
sizes share, and the test set's.

All functions take any number of leading axes, so that thousands of simulated studies go through the code that real
ones go through.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limbeck.laws.law import Array

__all__ = ["Noise", "Trend", "crossed", "new_variance", "noise", "outlying", "together"]

_STEPS = 30
_RANGES = (0.0, 0.5, 1.0, 2.0, 4.0)  # of exp(−|Δ log k|/range); 2 is that of nested subsets, 0 independence
_WIDER = 0.01  # level at which the runs of a size scatter more than all other sizes predict
_SMALLEST = 1e-12  # of a variance of accuracies: without any spread intervals have zero width, not zero divisors


@dataclass(frozen=True)
class Trend:
    """log σ²(k) = α₀ + α₁·z, z = log k scaled to [-1, 1] over the measured sizes and constant beyond them.

    coefficients: (…, 2).  covariance: (…, 2, 2) of the coefficients, 2 (Xᵀ diag(ν) X)⁻¹ with ν the degrees of freedom.
    """

    coefficients: Array
    covariance: Array
    low: float
    high: float

    def basis(self, sizes: Array) -> Array:
        """(n, 2) columns 1 and z for n sizes."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        z = np.clip((np.log(sizes) - middle) / half, -1.0, 1.0)
        return np.stack([np.ones_like(z), z], -1)

    def at(self, sizes: Array, *, doubt: float = 1.0) -> Array:
        """(…, n) σ² for n sizes, raised by exp(doubt·h), h the variance of log σ² there.

        Half of h makes the mean of a log-normal σ², which is what a new run has; the other half pays for weights that
        come from the same estimates: a size whose variance happens to look small weighs too much, and intervals from
        bare estimates are too short.
        """
        basis = self.basis(sizes)
        unsure = np.einsum("na,...ab,nb->...n", basis, self.covariance, basis)
        return np.maximum(np.exp(self.coefficients @ basis.T + doubt * unsure), _SMALLEST)


def trend(sizes: Array, variances: Array, freedom: Array) -> Trend:
    """Gamma maximum likelihood with log link by Fisher scoring; entries of zero freedom are not looked at.

    sizes: (K,).  variances, freedom: (…, K) sample variances and their degrees of freedom.
    """
    shape = Trend(np.zeros(2), np.zeros((2, 2)), float(np.log(sizes.min())), float(np.log(sizes.max())))
    basis = shape.basis(sizes)
    pooled = (variances * freedom).sum(-1) / freedom.sum(-1)
    pooled = np.maximum(pooled, _SMALLEST)
    relative = np.maximum(variances / pooled[..., None], 1e-9)
    information = np.einsum("ka,...k,kb->...ab", basis, freedom, basis)
    inverse = np.linalg.inv(information + 1e-9 * np.eye(2))
    coefficients = np.zeros((*pooled.shape, 2))
    for _ in range(_STEPS):
        misfit = freedom * (relative / np.exp(coefficients @ basis.T) - 1)
        step = np.einsum("...ab,...b->...a", inverse, misfit @ basis)
        coefficients = coefficients + np.clip(step, -1.0, 1.0)
    coefficients[..., 0] += np.log(pooled)
    return Trend(coefficients, 2 * inverse, shape.low, shape.high)


def _dispersed(sizes: Array, known: Trend, variances: Array, freedom: Array) -> Trend:
    """The trend with its coefficients as unsure as the variances scatter about it, if that is more than by chance.

    The covariance is multiplied by Pearson's Σ ν/2 (s²/σ² − 1)²/(K − 2), between 1 and 2: variances of real studies do
    not lie on a line.
    """
    fitted = np.exp(known.coefficients @ known.basis(sizes).T)
    there = np.maximum((freedom > 0).sum(-1) - 2, 1)
    ratio = (freedom / 2 * (variances / np.maximum(fitted, _SMALLEST) - 1) ** 2).sum(-1) / there
    return replace(known, covariance=known.covariance * np.clip(ratio, 1.0, 2.0)[..., None, None])


@dataclass(frozen=True)
class Noise:
    """Mean gaps and the covariance of their errors.

    sizes:   (K,) stored examples a class.  mean: (…, K) mean risk gap.  counts: (…, K) distillation seeds behind it.
    trend:   variance over distillation seeds.
    ranges:  (…, G) how likely each of the ranges is over which sets of one seed go together, adding up to 1.
    common:  (…, K, K) n_kl/√(n_k n_l), n_kl the seeds that both sizes have.
    shared:  (…,) variance of what all sizes have in common: the reference's mean and the network seeds; its degrees of
             freedom are ``shared_freedom``.
    test:    (…, K, K) covariance by the choice of the test examples.
    """

    sizes: Array
    mean: Array
    counts: Array
    trend: Trend
    ranges: Array
    common: Array
    shared: Array
    shared_freedom: Array
    test: Array

    def own(self) -> Array:
        """(…, K, K) covariance of the means by distillation seeds: ρ_kl σ_k σ_l n_kl/(n_k n_l)."""
        alike = np.einsum("...g,gkl->...kl", self.ranges, _alike(self.sizes)) * self.common
        deviation = np.sqrt(self.trend.at(self.sizes) / self.counts)
        return np.asarray(deviation[..., None] * deviation[..., None, :] * alike)

    def covariance(self) -> Array:
        """(…, K, K): own + v_shared·11ᵀ + test."""
        return np.asarray(self.own() + self.shared[..., None, None] + self.test)

    def freedom(self, weights: Array, *, new: float | None = None, added: Array | None = None) -> Array:
        """(…,) Satterthwaite's degrees of freedom of the variance of Σ_k weights_k · gap_k (+ a new run).

        ν = 2 V² / Var(V), with Var(V) from the covariance of the trend's coefficients, from how unsure the range is
        over which sizes go together, and from the freedom of what is shared.
        weights: (…, K).  new: the size of a new run, ``added`` (…,) its variance.
        """
        own = weights * np.einsum("...kl,...l->...k", self.own(), weights)
        slopes = own @ self.trend.basis(self.sizes)
        total = own.sum(-1) + np.einsum("...k,...kl,...l->...", weights, self.test, weights)
        if new is not None and added is not None:
            slopes = slopes + added[..., None] * self.trend.basis(np.array([new]))[0]
            total = total + added
        shared = self.shared * weights.sum(-1) ** 2
        total = total + shared
        spread = np.einsum("...a,...ab,...b->...", slopes, self.trend.covariance, slopes)
        spread = spread + self._by_range(weights) + 2 * shared**2 / self.shared_freedom
        return np.asarray(np.clip(2 * total**2 / np.maximum(spread, 1e-300), 1.0, 1e6))

    def _by_range(self, weights: Array) -> Array:
        """(…,) variance of the seeds' part of V over the ranges."""
        scaled = weights * np.sqrt(self.trend.at(self.sizes) / self.counts)
        pairs = scaled[..., None] * scaled[..., None, :] * self.common
        parts = np.einsum("...kl,gkl->...g", pairs, _alike(self.sizes))
        mean = (self.ranges * parts).sum(-1)
        return np.asarray((self.ranges * (parts - mean[..., None]) ** 2).sum(-1))


def _alike(sizes: Array) -> Array:
    """(G, K, K) correlations exp(−|Δ log k|/range) by range."""
    distance = np.abs(np.log(sizes)[:, None] - np.log(sizes))
    return np.stack([np.exp(-distance / each) if each else np.eye(len(sizes)) for each in _RANGES])


def noise(sizes: Array, runs: Array, shared: Array, shared_freedom: Array, test: Array) -> Noise:
    """The noise of a table of runs: one gap a distillation seed, NaN where there is none.

    runs: (…, K, S).  Raises nothing: the table has been checked to hold at least two runs a size.
    """
    mean, variance, counts = _moments(runs)
    freedom = np.maximum(counts - 1, 0)
    known = trend(sizes, variance, freedom)
    fitted = np.maximum(np.exp(known.coefficients @ known.basis(sizes).T), _SMALLEST)
    scale = np.sqrt(np.where(counts > 1, fitted * freedom / np.maximum(counts, 1), np.nan))
    ranges = _ranges(sizes, (runs - mean[..., None]) / scale[..., None])
    alike = np.einsum("...g,gkl->...kl", ranges, _alike(sizes))
    known = replace(known, covariance=_spread(known, sizes, freedom, alike))
    known = _dispersed(sizes, known, variance, freedom)
    there = np.isfinite(runs).astype(np.float64)
    both = np.einsum("...ks,...ls->...kl", there, there) / np.sqrt(counts[..., None] * counts[..., None, :])
    return Noise(sizes, mean, counts, known, ranges, both, shared, shared_freedom, test)


def _ranges(sizes: Array, standard: Array) -> Array:
    """(…, G) how likely each range is of the correlation exp(−|Δ log k|/range) between the sets of one seed.

    A smaller subset of one seed is the beginning of a larger one, and a distilled set begins with it: for means over
    nested subsets the correlation is √(k/l), which is range 2. Each range weighs by its restricted likelihood, and
    independence by as much as all others together. standard: (…, K, S) standardised deviations, NaN where none is.
    """
    there = np.isfinite(standard)
    filled = np.where(there, standard, 0.0)
    pairs = np.moveaxis(there, -1, -2)
    pairs = pairs[..., :, None] & pairs[..., None, :]
    number = np.maximum(there.any(-2).sum(-1), 1)
    scores = []
    for kind in _alike(sizes):
        seen = np.where(pairs, kind, np.eye(len(sizes)))
        factor = np.linalg.cholesky(seen)
        white = np.linalg.solve(factor, np.moveaxis(filled, -1, -2)[..., None])[..., 0]
        logs = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
        scores.append(-(logs + (white**2).sum(-1) / 2).sum(-1) * (1 - 1 / number))
    likely = np.stack(scores, -1)
    prior = np.where(np.array(_RANGES) == 0, 1.0, 1 / (len(_RANGES) - 1))
    weights = prior * np.exp(likely - likely.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def _spread(known: Trend, sizes: Array, freedom: Array, alike: Array) -> Array:
    """(…, 2, 2) covariance of the trend's coefficients where sizes go together: cov(s²_k, s²_l) ∝ ρ_kl²."""
    basis, root = known.basis(sizes), np.sqrt(freedom)
    middle = np.einsum("ka,...k,...kl,...l,lb->...ab", basis, root, alike**2, root, basis, optimize=True)
    return np.asarray(known.covariance @ middle @ known.covariance / 2)


def together(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """The sum of two independent variances, each with its degrees of freedom, and Satterthwaite's of the sum."""
    (a, nu), (b, mu) = first, second
    spread = np.asarray(a**2 / nu + b**2 / mu)
    return np.asarray(a + b), np.where(spread > 0, (a + b) ** 2 / np.where(spread > 0, spread, 1.0), 1.0)


def crossed(networks: Array) -> tuple[Array, Array]:
    """Variance (…,) of the mean over m network seeds that *all* sets were trained with, and its degrees of freedom.

    A seed that learns better does so on every set, which averaging over sets does not remove. With d_j the mean over
    sets of what seed j is above the others, it is Σ d_j²/(m (m − 1)): a little too large, by what is left of the error
    of single networks, so that it needs no correction that could end below zero. networks: (…, N, m) gaps of N sets.
    """
    number = networks.shape[-1]
    if number < 2:
        return np.zeros(networks.shape[:-2]), np.ones(networks.shape[:-2])
    effect = (networks - networks.mean(-1, keepdims=True)).mean(-2)
    variance = (effect**2).sum(-1) / (number * (number - 1))
    return np.asarray(variance), np.full(variance.shape, number - 1.0)


def new_variance(known: Noise, within: Array, networks: Array, size: float) -> Array:
    """(…,) variance of one new set of ``size`` with one network, about the mean of its size.

    σ²(k) of the measured sets, each the mean of m networks, plus (1 − 1/m) of the variance between networks.
    within: (…, K) that variance.  networks: (K,) m.  Both are interpolated in log k and constant beyond the sizes.
    """
    x, places = np.log(size), np.log(known.sizes)
    right = int(np.clip(np.searchsorted(places, x), 1, len(places) - 1))
    share = np.clip((x - places[right - 1]) / (places[right] - places[right - 1]), 0.0, 1.0)
    between = (1 - share) * within[..., right - 1] + share * within[..., right]
    number = (1 - share) * networks[right - 1] + share * networks[right]
    return np.asarray(known.trend.at(np.array([size]), doubt=0.5)[..., 0] + between * (1 - 1 / number))


def _moments(runs: Array) -> tuple[Array, Array, Array]:
    """Mean, unbiased variance (0 for one run) and count along the last axis, without NaN."""
    there = np.isfinite(runs)
    counts = there.sum(-1).astype(np.float64)
    filled = np.where(there, runs, 0.0)
    mean = filled.sum(-1) / np.maximum(counts, 1)
    squares = (np.where(there, runs - mean[..., None], 0.0) ** 2).sum(-1)
    return mean, squares / np.maximum(counts - 1, 1), counts


def outlying(sizes: Array, runs: Array, *, chance: float = 0.1, passes: int = 2) -> NDArray[np.bool_]:
    """(…, K, S) True for a run that lies too far from the others of its size to be one of them.

    Its distance from the mean of the other n − 1 runs, over σ·√(1 + 1/(n−1)), is held against a t distribution. σ is
    what the variances of all *other* sizes predict, but where the other n − 1 runs of its own size scatter clearly more
    (F test at 1 %) what they show: a size at which all runs scatter has no outlier. A run is outlying where its p-value
    is below ``chance`` over the number of runs (Bonferroni), at most one a size and pass. Sizes with fewer than three
    runs have none.
    """
    from scipy.special import fdtrc, stdtr

    out = np.zeros(runs.shape, dtype=bool)
    for _ in range(passes):
        kept = np.where(out, np.nan, runs)
        mean, variance, counts = _moments(kept)
        number = len(sizes)
        others = np.maximum(counts - 1, 0)[..., None, :] * (1 - np.eye(number))
        wide = np.broadcast_to(variance[..., None, :], others.shape)
        left = trend(sizes, wide, others)
        basis = left.basis(sizes)
        predicted = np.exp(np.einsum("...ka,ka->...k", left.coefficients, basis))
        freedom = 2 / np.einsum("ka,...kab,kb->...k", basis, left.covariance, basis)
        others_of_size = np.maximum(counts - 1, 1)[..., None]
        rest = (mean * counts)[..., None] - kept
        distance = np.abs(kept - rest / others_of_size)
        squares = (variance * (counts - 1))[..., None] - distance**2 * others_of_size / (others_of_size + 1)
        spare, usual = np.maximum(others_of_size - 1, 1), predicted[..., None]
        shown = np.maximum(squares, 0.0) / spare
        wider = fdtrc(spare, freedom[..., None], np.nan_to_num(shown) / usual) < _WIDER
        scale = np.sqrt(np.where(wider, shown, usual) * (1 + 1 / others_of_size))
        p = 2 * stdtr(freedom[..., None], -distance / scale)
        p = np.where(np.isfinite(kept) & (counts >= 3)[..., None], p, 1.0)
        worst = p == p.min(-1, keepdims=True)
        found = worst & (p < chance / counts.sum(-1)[..., None, None])
        if not found.any():
            break
        out |= found
    return out
