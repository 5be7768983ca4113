"""A laboratory where everything is known: learners on fixed features whose optimum, curvature and noise are computable.

Ridge regression and regularised softmax regression are strongly convex: training on a set S of k examples ends in the
one minimiser w_S of L_S(w) = mean loss over S + λ/2·‖w‖². With S drawn from the full data by known weights q, its mean
gradient at w_q scatters with covariance G_q/k, so that to first order in 1/k

    w_S − w_q ~ N(0, H_q⁻¹ G_q H_q⁻¹ / k),    H_q = ∇²L_q(w_q),

and hence for the two risk gaps that are measured here, with V = H_q⁻¹ G_q H_q⁻¹ and w_T the optimum on full data:

    "excess":   L_T(w_S) − L_T(w_T)       = ½ tr(H_T V)/k + L_T(w_q) − L_T(w_T)     (where q = full data): b = 1
    "distance": E over examples of |φ(w_S) − φ(w_T)|, φ the outputs, q = full data:  b = 1/2, c from a Gaussian's mean
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import OptionError
from limbeck.laws.law import Array
from limbeck.laws.table import GapTable
from limbeck.seeds import derive

__all__ = ["Known", "Laboratory", "Measure", "RidgeLaboratory", "SoftmaxLaboratory"]

Measure: TypeAlias = Literal["excess", "distance"]


class Known(NamedTuple):
    """The law as computed, not fitted: gap(k) = c·k^(-b) + e for k examples a class."""

    c: float
    b: float
    e: float


@dataclass(frozen=True)
class Laboratory(ABC):
    """A learner on fixed features.

    features: (n, d).  targets: (n, C) one-hot or any regression targets.  ridge: λ > 0.
    """

    features: Array
    targets: Array
    ridge: float

    def __post_init__(self) -> None:
        if not self.ridge > 0 or len(self.features) != len(self.targets):
            raise OptionError("a laboratory needs as many targets as features, and a ridge above 0.")

    @abstractmethod
    def optimum(self, features: Array, targets: Array, weights: Array) -> Array:
        """(d, C) minimiser of Σ weights·loss + λ/2‖w‖²; weights sum to 1."""

    @abstractmethod
    def losses(self, w: Array, features: Array, targets: Array) -> Array:
        """(n,) loss of each example, without the ridge."""

    @abstractmethod
    def gradients(self, w: Array, features: Array, targets: Array) -> Array:
        """(n, d·C) gradient of each example's loss."""

    @abstractmethod
    def hessian(self, w: Array, features: Array, weights: Array) -> Array:
        """(d·C, d·C) of the regularised objective."""

    @abstractmethod
    def output_curvature(self, w: Array, features: Array) -> Array:
        """(n, C, C) second derivative of each example's loss by its outputs φᵀw."""

    @property
    def uniform(self) -> Array:
        """The weights of full data."""
        return np.full(len(self.features), 1 / len(self.features))

    def full(self, weights: Array | None = None) -> Array:
        """(d, C) optimum on the full data, weighted where weights are given."""
        return self._full if weights is None else self.optimum(self.features, self.targets, weights)

    @cached_property
    def _full(self) -> Array:
        return self.optimum(self.features, self.targets, self.uniform)

    def objective(self, w: Array) -> float:
        """L_T(w)."""
        return float(self.losses(w, self.features, self.targets).mean() + self.ridge / 2 * (w**2).sum())

    def excess(self, w: Array) -> float:
        """L_T(w) − L_T(w_T) ≥ 0."""
        return self.objective(w) - self.objective(self.full())

    def distance(self, w: Array) -> float:
        """Mean absolute difference of the outputs from those of the full-data optimum, over examples and classes."""
        return float(np.abs(self.features @ (w - self.full())).mean())

    @property
    @abstractmethod
    def convexity(self) -> float:
        """μ of L_T: strong convexity and hence a Polyak–Łojasiewicz constant, wherever the weights are."""

    def curvature(self, w: Array) -> float:
        """The smallest curvature of L_T at w, at least μ."""
        return float(np.linalg.eigvalsh(self.hessian(w, self.features, self.uniform))[0])

    def bound(self, features: Array, targets: Array, weights: Array) -> tuple[float, float]:
        """Excess of the optimum on a weighted set, and what the matching term bounds it by: δ²/(2μ).

        δ = ‖∇L_T(w_S)‖ = ‖∇L_T(w_S) − ∇L_S(w_S)‖ is the mismatch of gradients at the set's own optimum, and
        L_T(w) − L_T(w_T) ≤ ‖∇L_T(w)‖²/(2μ) is the PL inequality.
        """
        w = self.optimum(features, targets, weights)
        real = self.gradients(w, self.features, self.targets).mean(0) + self.ridge * w.ravel()
        return self.excess(w), float(real @ real) / (2 * self.convexity)

    def drawn(self, size: int, generator: np.random.Generator, weights: Array | None = None) -> NDArray[np.int64]:
        """(size,) indices drawn with replacement: the statistical term is then exactly that of G/k."""
        return generator.choice(len(self.features), size=size, p=weights).astype(np.int64)

    def trained(self, index: NDArray[np.int64]) -> Array:
        """The optimum on drawn examples: that of all examples, each weighted by how often it was drawn."""
        often = np.bincount(index, minlength=len(self.features)) / len(index)
        return self.optimum(self.features, self.targets, often)

    def spread(self, weights: Array | None = None) -> Array:
        """(d·C, d·C) V = H⁻¹ G H⁻¹, k times the covariance of w_S."""
        q = self.uniform if weights is None else weights
        w = self.full(q)
        each = self.gradients(w, self.features, self.targets)
        centred = each - q @ each
        inverse = np.linalg.inv(self.hessian(w, self.features, q))
        return np.asarray(inverse @ ((q[:, None] * centred).T @ centred) @ inverse)

    def predicted(self, measure: Measure, weights: Array | None = None) -> Known:
        """The law of sets drawn by ``weights``, computed from curvature and noise, for k examples a class.

        A floor needs weights and the measure "excess": c is then ½ tr(H_T V) + ∇L_T(w_q)ᵀ k E[w_S − w_q].
        """
        classes, spread = self.targets.shape[1], self.spread(weights)
        if measure == "distance":
            if weights is not None:
                raise OptionError("the distance has a power law only around the full data's own optimum.")
            variances = np.stack([self._of_class(spread, c) for c in range(classes)])
            outputs = np.einsum("nd,cde,ne->nc", self.features, variances, self.features)
            mean = math.sqrt(2 / math.pi) * float(np.sqrt(outputs).mean())
            return Known(mean / math.sqrt(classes), 0.5, 0.0)
        w = self.full(weights)
        curvature = self.hessian(w, self.features, self.uniform)
        drift = 0.0 if weights is None else self._drift(weights, spread)
        return Known((float(np.trace(curvature @ spread)) / 2 + drift) / classes, 1.0, self.excess(w))

    def _drift(self, weights: Array, spread: Array) -> float:
        """∇L_T(w_q)ᵀ m E[w_S − w_q] for m drawn examples, to first order.

        w_S − w_q = −H_S⁻¹ g_S has the mean H⁻¹ (E[H_i H⁻¹ g_i] − ½ ∇³L_q[V])/m; with u = H⁻¹ ∇L_T(w_q) the last part is
        half the derivative of tr(H_q V) along u.
        """
        w = self.full(weights)
        each = self.gradients(w, self.features, self.targets)
        inverse = np.linalg.inv(self.hessian(w, self.features, weights))
        u = inverse @ (each.mean(0) + self.ridge * w.ravel())
        steps = ((each - weights @ each) @ inverse).reshape(len(each), *w.shape)
        moved = np.einsum("nd,ndc->nc", self.features, steps)
        along = self.features @ u.reshape(w.shape)
        curved = np.einsum("n,nc,nce,ne->", weights, along, self.output_curvature(w, self.features), moved)
        small = 1e-4 / max(float(np.linalg.norm(u)), 1e-12) * u.reshape(w.shape)
        up, down = (self.hessian(w + s * small, self.features, weights) for s in (1, -1))
        bent = float(((up - down) * spread).sum()) / 2 * max(float(np.linalg.norm(u)), 1e-12) / 1e-4
        return float(curved) - bent / 2

    def _of_class(self, spread: Array, place: int) -> Array:
        size, classes = self.features.shape[1], self.targets.shape[1]
        return spread.reshape(size, classes, size, classes)[:, place, :, place]

    def study(
        self, sizes: tuple[int, ...], *, seeds: int, measure: Measure, weights: Array | None = None, seed: int = 0
    ) -> GapTable:
        """The table of a study of drawn sets, ``sizes`` examples a class; each risk is the gap itself."""
        classes = self.targets.shape[1]
        risks = np.zeros((len(sizes), seeds))
        value = self.excess if measure == "excess" else self.distance
        for row, size in enumerate(sizes):
            for unit in range(seeds):
                generator = np.random.default_rng(derive(seed, "laboratory", size, unit))
                risks[row, unit] = value(self.trained(self.drawn(size * classes, generator, weights)))
        return self.table(sizes, risks)

    def table(self, sizes: tuple[int, ...], risks: Array) -> GapTable:
        """A gap table of sets of ``sizes`` examples a class: risks (K, S) are the gaps themselves, one a seed."""
        classes, count = self.targets.shape[1], len(sizes)
        return GapTable(
            method="sets",
            labels="hard",
            configurations=(type(self).__name__,),
            split="validation",
            sizes=np.array(sizes, dtype=np.float64),
            total=np.array(sizes, dtype=np.float64) * classes,
            risks=risks,
            seeds=tuple(range(risks.shape[1])),
            networks=np.ones(count),
            within=np.zeros(count),
            reference=np.zeros(2),
            available=len(self.features) / classes,
            test=np.zeros((count + 1, count + 1)),
        )


@final
@dataclass(frozen=True)
class RidgeLaboratory(Laboratory):
    """Squared loss ½‖φᵀw − y‖²: its curvature is the same everywhere, and so is μ."""

    @property
    def convexity(self) -> float:
        return self.curvature(self._full)

    def optimum(self, features: Array, targets: Array, weights: Array) -> Array:
        weighted = features * weights[:, None]
        inner = weighted.T @ features + self.ridge * np.eye(features.shape[1])
        return np.asarray(np.linalg.solve(inner, weighted.T @ targets))

    def losses(self, w: Array, features: Array, targets: Array) -> Array:
        return np.asarray(((features @ w - targets) ** 2).sum(1) / 2)

    def gradients(self, w: Array, features: Array, targets: Array) -> Array:
        error = features @ w - targets
        return np.asarray((features[:, :, None] * error[:, None, :]).reshape(len(features), -1))

    def hessian(self, w: Array, features: Array, weights: Array) -> Array:
        inner = (features * weights[:, None]).T @ features + self.ridge * np.eye(features.shape[1])
        return np.asarray(np.kron(inner, np.eye(w.shape[1])), dtype=np.float64)

    def output_curvature(self, w: Array, features: Array) -> Array:
        return np.broadcast_to(np.eye(w.shape[1]), (len(features), w.shape[1], w.shape[1]))

    def perfect(self) -> tuple[Array, Array]:
        """C examples whose ridge solution is w_T exactly: the smallest set there is, a floor of zero at one a class.

        With orthogonal rows φ_j = unit vectors u_j that span the columns of w_T, and mean loss over m of them, the
        solution is Σ u_j t_jᵀ/(1 + mλ) along them: targets t_j = (1 + mλ)·u_jᵀ w_T.
        """
        w = self.full()
        basis: Array = np.asarray(np.linalg.qr(w)[0], dtype=np.float64).T
        return basis, np.asarray((1 + len(basis) * self.ridge) * (basis @ w), dtype=np.float64)


@final
@dataclass(frozen=True)
class SoftmaxLaboratory(Laboratory):
    """Cross-entropy of softmax(φᵀw), minimised by Newton's method; only the ridge is curved everywhere, so μ = λ."""

    @property
    def convexity(self) -> float:
        return self.ridge

    def optimum(self, features: Array, targets: Array, weights: Array) -> Array:
        w = np.zeros((features.shape[1], targets.shape[1]))
        value = self._value(w, features, targets, weights)
        for _ in range(100):
            slope = (self.gradients(w, features, targets) * weights[:, None]).sum(0) + self.ridge * w.ravel()
            if float(np.abs(slope).max()) < 1e-11:
                break
            step = np.linalg.solve(self.hessian(w, features, weights), slope).reshape(w.shape)
            length = 1.0
            # halved until the objective falls, beyond rounding: Newton's steps are only safe near the optimum
            while length > 1e-8 and self._value(w - length * step, features, targets, weights) > value * (1 + 1e-13):
                length /= 2
            w = w - length * step
            value = self._value(w, features, targets, weights)
        return w

    def losses(self, w: Array, features: Array, targets: Array) -> Array:
        logits = features @ w
        top = logits.max(1, keepdims=True)
        normal = top + np.log(np.exp(logits - top).sum(1, keepdims=True))
        return np.asarray((targets * (normal - logits)).sum(1))

    def gradients(self, w: Array, features: Array, targets: Array) -> Array:
        error = self._softmax(features @ w) - targets
        return np.asarray((features[:, :, None] * error[:, None, :]).reshape(len(features), -1))

    def output_curvature(self, w: Array, features: Array) -> Array:
        p = self._softmax(features @ w)
        return np.asarray(p[:, :, None] * np.eye(p.shape[1]) - p[:, :, None] * p[:, None, :])

    def hessian(self, w: Array, features: Array, weights: Array) -> Array:
        inner = weights[:, None, None] * self.output_curvature(w, features)
        size, classes = features.shape[1], inner.shape[1]
        curvature = np.zeros((size, classes, size, classes))
        for c in range(classes):
            for e in range(c, classes):
                block = (features * inner[:, c, e, None]).T @ features
                curvature[:, c, :, e] = curvature[:, e, :, c] = block
        return np.asarray(curvature.reshape(size * classes, -1) + self.ridge * np.eye(size * classes))

    def _value(self, w: Array, features: Array, targets: Array, weights: Array) -> float:
        return float(weights @ self.losses(w, features, targets)) + self.ridge / 2 * float((w**2).sum())

    @staticmethod
    def _softmax(logits: Array) -> Array:
        raised = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(raised / raised.sum(1, keepdims=True))
