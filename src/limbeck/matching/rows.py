"""Discrepancies of paired rows: row j of one side against row j of the other (gradients, batch statistics)."""

from typing import ClassVar, final

import torch
from torch import Tensor

from limbeck.errors import FitError
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context, Discrepancy, Facts
from limbeck.shapes import Scalar
from limbeck.values import value

__all__ = ["RowCosine", "RowL1", "RowSquared", "VectorCosine"]

EPSILON = 1e-6  # the published one; it keeps rows of dead units at a finite distance


@final
@value
class RowCosine(Discrepancy):
    """Σ_j [1 − ⟨r_j, s_j⟩ / (‖r_j‖·‖s_j‖ + 1e-6)] [zhao2021dc]. Raises FitError on clouds that are not paired."""

    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=False, paired=True)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        _check(real, synthetic, self)
        return _cosine_gap(real.points, synthetic.points)


@final
@value
class VectorCosine(Discrepancy):
    """Σ_g [1 − ⟨r_g, s_g⟩ / (‖r_g‖·‖s_g‖ + 1e-6)], r_g all rows of group g as one vector [zhao2021dc]."""

    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=False, paired=True)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        _check(real, synthetic, self)
        inner = torch.stack([(r * s).sum() for r, s in zip(real.split(), synthetic.split(), strict=True)])
        r = torch.stack([torch.linalg.vector_norm(g) for g in real.split()])
        s = torch.stack([torch.linalg.vector_norm(g) for g in synthetic.split()])
        return (1 - inner / (r * s + EPSILON)).sum()


@final
@value
class RowSquared(Discrepancy):
    """Σ_j ‖r_j − s_j‖² [kim2022idc]. Raises FitError on clouds that are not paired."""

    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=True, paired=True)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        _check(real, synthetic, self)
        return (real.points - synthetic.points).square().sum()


@final
@value
class RowL1(Discrepancy):
    """Σ_j ‖r_j − s_j‖₁ [kim2022idc]. Raises FitError on clouds that are not paired."""

    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=True, paired=True)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        _check(real, synthetic, self)
        return (real.points - synthetic.points).abs().sum()


def _cosine_gap(r: Tensor, s: Tensor) -> Tensor:
    norms = torch.linalg.vector_norm(r, dim=1) * torch.linalg.vector_norm(s, dim=1)
    gap: Tensor = (1 - (r * s).sum(1) / (norms + EPSILON)).sum()
    return gap


def _check(real: Cloud, synthetic: Cloud, discrepancy: Discrepancy) -> None:
    name = type(discrepancy).__name__
    if not (real.paired and synthetic.paired):
        raise FitError(f"{name} compares row with row, and these points are not paired: use the view of gradients.")
    if real.points.shape != synthetic.points.shape:
        shapes = f"{tuple(real.points.shape)} and {tuple(synthetic.points.shape)}"
        raise FitError(f"{name} compares row with row, but the sides have {shapes} rows × columns: make them equal.")
