"""Variable projection: generalised least squares for every shape on a grid, and intervals by profiling over it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.laws.forms import Form
from limbeck.laws.law import Array

__all__ = ["Profile", "project", "project_design"]

FEW = 3  # shapes within reach, below which the grid is coarse beside the data


@dataclass(frozen=True)
class Profile:
    """A form, fitted for every shape.

    shapes: (G,).  design: (G, K, p).  coefficients: (…, G, p).  covariance: (…, G, p, p) given the shape.
    chi2:   (…, G) rᵀ Σ⁻¹ r.  whitener: (…, K, K), W with WᵀW = Σ⁻¹.
    """

    shapes: Array
    design: Array
    coefficients: Array
    covariance: Array
    chi2: Array
    whitener: Array

    def at_best(self, values: Array) -> Array:
        """Of (…, G) values those of the best shape, (…,)."""
        index = self.chi2.argmin(-1)[..., None]
        return np.asarray(np.take_along_axis(np.broadcast_to(values, self.chi2.shape), index, -1)[..., 0])

    def rise(self) -> Array:
        """(…, G) χ² above its minimum."""
        return np.asarray(self.chi2 - self.chi2.min(-1, keepdims=True))

    def linear(self, row: Array) -> tuple[Array, Array]:
        """Value and variance given the shape, both (…, G), of Σ_j row_j β_j; row: (G, p)."""
        value = np.einsum("...gp,gp->...g", self.coefficients, row)
        variance = np.einsum("gp,...gpq,gq->...g", row, self.covariance, row)
        return value, np.maximum(variance, 0.0)

    def band(self, row: Array, reach: Array, *, added: Array | None = None) -> tuple[Array, Array]:
        """Ends of {v : min over shapes of rise + (v − value)²/(variance + added) ≤ reach²}, (…,) each.

        row: (G, p).  reach: (…,) a quantile of Student's t.  added: (…,) further independent variance (a new run).
        Where the data are sharper than the grid, so that few shapes are left, the true one may lie between two: half a
        step to both sides is let in.
        """
        value, variance = self.linear(row)
        if added is not None:
            variance = variance + added[..., None]
        left = reach[..., None] ** 2 - self.rise()
        half = np.sqrt(np.maximum(left, 0.0) * variance)
        inside = left >= 0
        least, most = value, value
        if len(self.shapes) > 1:
            between = (value[..., 1:] + value[..., :-1]) / 2
            before = np.concatenate([value[..., :1], between], -1)
            after = np.concatenate([between, value[..., -1:]], -1)
            few = inside.sum(-1, keepdims=True) < FEW
            least = np.where(few, np.minimum(value, np.minimum(before, after)), value)
            most = np.where(few, np.maximum(value, np.maximum(before, after)), value)
        low = np.where(inside, least - half, np.inf).min(-1)
        high = np.where(inside, most + half, -np.inf).max(-1)
        return np.asarray(low), np.asarray(high)

    def shape_ends(self, reach: Array) -> tuple[Array, Array]:
        """Ends of {shape : rise ≤ reach²}, interpolated on the grid; 0 or ∞ where the grid ends inside the set."""
        rise, limit = self.rise(), reach[..., None] ** 2
        inside = rise <= limit
        last = len(self.shapes) - 1
        first = np.asarray(inside.argmax(-1))
        final = np.asarray(last - inside[..., ::-1].argmax(-1))
        low = self._crossing(rise, limit, np.asarray(first - 1), first)
        high = self._crossing(rise, limit, np.asarray(final + 1), final)
        return np.asarray(np.where(first == 0, 0.0, low)), np.asarray(np.where(final == last, np.inf, high))

    def _crossing(self, rise: Array, limit: Array, outside: NDArray[np.int64], inside: NDArray[np.int64]) -> Array:
        outside = np.clip(outside, 0, len(self.shapes) - 1)
        beyond = np.sqrt(np.take_along_axis(rise, outside[..., None], -1)[..., 0])
        within = np.sqrt(np.take_along_axis(rise, inside[..., None], -1)[..., 0])
        share = (np.sqrt(limit[..., 0]) - within) / np.maximum(beyond - within, 1e-300)
        a, b = np.log(self.shapes[inside]), np.log(self.shapes[outside])
        return np.asarray(np.exp(a + np.clip(share, 0.0, 1.0) * (b - a)))

    def weights(self, row: Array) -> tuple[Array, Array]:
        """How the fit weighs the gaps, linearised at the best shape: (…, K) for Σ row·β, and (…, K) for the shape.

        The Jacobian's columns are the design's and, where there is more than one shape, the derivative by the shape.
        row: (G, p).
        """
        index = self.chi2.argmin(-1)
        jacobian = self.design[index]
        right = row[index]
        if len(self.shapes) > 1:
            near = np.clip(index, 1, len(self.shapes) - 2)
            width = self.shapes[near + 1] - self.shapes[near - 1]
            coefficients = np.take_along_axis(self.coefficients, index[..., None, None], -2)[..., 0, :]
            change = (self.design[near + 1] - self.design[near - 1]) / width[..., None, None]
            slope = np.einsum("...kp,...p->...k", change, coefficients)
            jacobian = np.concatenate([jacobian, slope[..., None]], -1)
            turn = (row[near + 1] - row[near - 1]) / width[..., None]
            right = np.concatenate([right, np.einsum("...p,...p->...", turn, coefficients)[..., None]], -1)
        inverse = np.linalg.pinv(self.whitener @ jacobian, rcond=1e-10) @ self.whitener
        return np.einsum("...p,...pk->...k", right, inverse), inverse[..., -1, :]


def project(form: Form, sizes: Array, gaps: Array, covariance: Array) -> Profile:
    """Fit ``form`` for each of its shapes by generalised least squares.

    sizes: (K,).  gaps: (…, K).  covariance: (…, K, K) positive definite.
    """
    shapes = form.shapes(sizes)
    return project_design(form.design(sizes, shapes), shapes, gaps, covariance)


def project_design(design: Array, shapes: Array, gaps: Array, covariance: Array) -> Profile:
    """The same for any design (G, N, p) and (…, N) gaps."""
    whitener = np.linalg.inv(np.linalg.cholesky(covariance))
    columns = np.einsum("...kl,glp->...gkp", whitener, design, optimize=True)
    aims = np.einsum("...kl,...l->...k", whitener, gaps)
    inner = np.swapaxes(columns, -1, -2) @ columns
    inverse = np.linalg.inv(inner)
    right = np.einsum("...gkp,...k->...gp", columns, aims)
    coefficients = np.einsum("...gpq,...gq->...gp", inverse, right)
    residual = aims[..., None, :] - np.einsum("...gkp,...gp->...gk", columns, coefficients)
    return Profile(shapes, design, coefficients, inverse, (residual**2).sum(-1), whitener)
