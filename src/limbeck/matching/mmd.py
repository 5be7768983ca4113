"""Maximum mean discrepancy: the distance of the groups' means in the feature space of a kernel."""

from typing import final

import torch
from torch import Tensor

from limbeck.errors import FitError
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context, Discrepancy, Facts
from limbeck.matching.kernels import Gaussian, Kernel
from limbeck.shapes import Points, Scalar
from limbeck.values import replace, value

__all__ = ["MMD"]


@final
@value
class MMD(Discrepancy):
    """Σ_g E k(x, x') + E k(y, y') − 2 E k(x, y), x of one group and y of the other [gretton2012mmd] [zhang2024m3d].

    kernel:   any; with a characteristic one the value is 0 only for equal groups.
    unbiased: leaves a point's pair with itself out, with weights w as Σ_{i≠j} w_i w_j k_ij / (1 − Σ_i w_i²); then the
              value may be negative, and every group needs two points of positive weight (FitError).
    """

    kernel: Kernel = Gaussian()
    unbiased: bool = False

    @property
    def facts(self) -> Facts:
        free = self.unbiased and not self.kernel.held  # a bandwidth that is estimated too brings its own bias
        return Facts(
            symmetric=True,
            zero_iff_equal=self.kernel.characteristic and not self.unbiased,
            unbiased=True if free else None if self.unbiased else False,
            nonnegative=not self.unbiased,
            held=self.kernel.held,
        )

    def fixed(self, real: Cloud, synthetic: Cloud) -> "MMD":
        (x, a), (y, b) = real.measures()[0], synthetic.measures()[0]
        return replace(self, kernel=self.kernel.fixed(self.kernel.scale(x, y, (a, b)))) if self.kernel.held else self

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        # Without a point's pair with itself, points of unequal weight do not keep their mean.
        if self.kernel.linear and not (self.unbiased and (real.weights is not None or synthetic.weights is not None)):
            real, synthetic = _centred(real, synthetic)
        sides = zip(real.measures(), synthetic.measures(), strict=True)
        return torch.stack([self._group(x, y, (a, b)) for (x, a), (y, b) in sides]).sum()

    def _group(self, x: Points, y: Points, shares: tuple[Tensor, Tensor]) -> Scalar:
        a, b = shares
        scale = self.kernel.scale(x, y, shares)
        within = self._within(x, a, scale) + self._within(y, b, scale)
        gap: Tensor = within - 2 * (a @ self.kernel.gram(x, y, scale) @ b)
        return gap

    def _within(self, x: Points, share: Tensor, scale: Scalar) -> Scalar:
        gram = self.kernel.gram(x, x, scale)
        if not self.unbiased:
            biased: Tensor = share @ gram @ share
            return biased
        rest = 1 - share.square().sum()
        if not rest > 1e-6:
            raise FitError("the unbiased MMD needs two points in every group and found one: use unbiased=false.")
        free: Tensor = (share @ gram @ share - (share.square() * gram.diagonal()).sum()) / rest
        return free


def _centred(real: Cloud, synthetic: Cloud) -> tuple[Cloud, Cloud]:
    """Both sides about their common mean: far from the origin the products of a linear kernel would cancel."""
    centre = torch.cat([real.points, synthetic.points]).detach().mean(0)
    return real.with_points(real.points - centre), synthetic.with_points(synthetic.points - centre)
