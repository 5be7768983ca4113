"""Discrepancies of moments: how far the groups' means, variances … are apart."""

from typing import ClassVar, final

import torch
from torch import Tensor

from limbeck.errors import OptionError
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context, Discrepancy, Facts
from limbeck.shapes import Scalar
from limbeck.values import value

__all__ = ["MeanGap", "Moments"]


@final
@value
class MeanGap(Discrepancy):
    """Σ_g ‖mean_g(P) − mean_g(Q)‖², summed over the features; MMD² with the linear kernel [zhao2023dm]."""

    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=False, unbiased=False)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        return (real.means() - synthetic.means()).square().sum()


@final
@value
class Moments(Discrepancy):
    """Σ_g Σ_{j ≤ order} ‖m_j(P) − m_j(Q)‖², m_1 the mean, m_j the j-th centred moment of each feature.

    order: ≥ 1; 1 is MeanGap. After central moment discrepancy [zellinger2017cmd], squared and without its scaling.
    """

    order: int = 2
    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=False, unbiased=False)

    def __post_init__(self) -> None:
        if self.order < 1:
            raise OptionError(f"the order of moments is {self.order}: it must be at least 1.")

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        gaps = [
            (r - s).square().sum()
            for r, s in zip(_moments(real, self.order), _moments(synthetic, self.order), strict=True)
        ]
        return torch.stack(gaps).sum()


def _moments(cloud: Cloud, order: int) -> list[Tensor]:
    """Mean and centred moments, (count, d) each."""
    mean = cloud.means()
    centred = cloud.points - mean[cloud.groups]
    return [mean, *(cloud.with_points(centred**power).means() for power in range(2, order + 1))]
