"""Kernels: how alike two points are. A kernel is a frozen value; maximum mean discrepancy is built on one."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

import torch
from torch import Tensor

from limbeck.errors import OptionError
from limbeck.shapes import Points, Scalar
from limbeck.values import replace, value

__all__ = ["Distance", "Gaussian", "Kernel", "Laplace", "Linear", "Polynomial"]


class Kernel(ABC):
    """A frozen value (``@value``): k(x, y) of two points, positive definite, or so on weights that sum to 0."""

    characteristic: ClassVar[bool]  # True: only equal measures have the same mean embedding

    @property
    def held(self) -> bool:
        """True where the kernel's scale depends on the points and counts as constant."""
        return False

    @property
    def linear(self) -> bool:
        """True where the kernel is ⟨x, y⟩ up to a factor and a constant: MMD does not see a common translation."""
        return False

    def scale(self, x: Points, y: Points, shares: tuple[Tensor, Tensor]) -> Scalar:
        """The length that the kernel takes from both clouds' points and their shares; 1 where it takes none."""
        del y, shares
        return x.new_ones(())

    def fixed(self, scale: Scalar) -> "Kernel":
        """The kernel whose scale is this one, whatever the points; itself where it takes none from them."""
        del scale
        return self

    @abstractmethod
    def gram(self, x: Points, y: Points, scale: Scalar) -> Points:
        """(n, m) k(x_i, y_j), differentiable in both (the pair of a point with itself adds nothing where it cannot)."""


class Radial(Kernel):
    """Kernels of ‖x − y‖ in units of a length: fixed, or the median distance between the two clouds."""

    characteristic: ClassVar[bool] = True
    bandwidth: float | None
    scales: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.bandwidth is not None and not self.bandwidth > 0:
            raise OptionError(
                f"the bandwidth is {self.bandwidth}: it must be above 0, or none for the median distance."
            )
        if not self.scales or not min(self.scales) > 0:
            raise OptionError(f"the scales of a kernel are {self.scales}: give at least one, each above 0.")

    @property
    def held(self) -> bool:
        return self.bandwidth is None

    def scale(self, x: Points, y: Points, shares: tuple[Tensor, Tensor]) -> Scalar:
        if self.bandwidth is not None:
            return x.new_tensor(self.bandwidth)
        return median_distance(x.detach(), y.detach(), shares)

    def fixed(self, scale: Scalar) -> Kernel:
        return replace(self, bandwidth=float(scale))


@final
@value
class Linear(Kernel):
    """k(x, y) = ⟨x, y⟩; MMD² is then the squared distance of the means, as in DM [zhao2023dm]."""

    characteristic: ClassVar[bool] = False

    @property
    def linear(self) -> bool:
        return True

    def gram(self, x: Points, y: Points, scale: Scalar) -> Points:
        del scale
        return x @ y.T


@final
@value
class Gaussian(Radial):
    """k(x, y) = mean over s in scales of exp(−‖x − y‖² / (2 s² σ²)) [gretton2012mmd].

    bandwidth: σ > 0, or None for the median of ‖x − y‖ over x of one cloud and y of the other, group by group, held
               fixed in the gradient. Where that is 0 the mean is used, and 1 where all points are one.
    scales:    multiples of σ, each > 0; several make a mixture that sees coarse and fine differences.
    """

    bandwidth: float | None = None
    scales: tuple[float, ...] = (1.0,)

    def gram(self, x: Points, y: Points, scale: Scalar) -> Points:
        squares = squared_distances(x, y) / scale.square()
        return torch.stack([torch.exp(squares / (-2 * s**2)) for s in self.scales]).mean(0)


@final
@value
class Laplace(Radial):
    """k(x, y) = mean over s in scales of exp(−‖x − y‖ / (s σ)); bandwidth and scales as for the Gaussian kernel."""

    bandwidth: float | None = None
    scales: tuple[float, ...] = (1.0,)

    def gram(self, x: Points, y: Points, scale: Scalar) -> Points:
        lengths = distances(x, y) / scale
        return torch.stack([torch.exp(-lengths / s) for s in self.scales]).mean(0)


@final
@value
class Polynomial(Kernel):
    """k(x, y) = (⟨x, y⟩/d + offset)^degree: MMD² compares moments up to the degree.

    degree: ≥ 1.  offset: ≥ 0; at 0 only moments of exactly the degree are compared.
    Moments about the origin: where the points lie further from it than from each other, digits are lost.
    """

    degree: int = 3
    offset: float = 1.0
    characteristic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.degree < 1 or self.offset < 0:
            raise OptionError(
                f"a polynomial kernel of degree {self.degree} and offset {self.offset} is none: "
                "the degree must be at least 1 and the offset at least 0."
            )

    @property
    def linear(self) -> bool:
        return self.degree == 1

    def gram(self, x: Points, y: Points, scale: Scalar) -> Points:
        del scale
        return (x @ y.T / x.shape[1] + self.offset) ** self.degree


@final
@value
class Distance(Kernel):
    """k(x, y) = −‖x − y‖: MMD² is then the energy distance 2 E‖x − y‖ − E‖x − x'‖ − E‖y − y'‖ [szekely2013energy]."""

    characteristic: ClassVar[bool] = True

    def gram(self, x: Points, y: Points, scale: Scalar) -> Points:
        del scale
        return -distances(x, y)


def squared_distances(x: Points, y: Points) -> Points:
    """(n, m) ‖x_i − y_j‖² ≥ 0 by one matrix product."""
    centre = torch.cat([x, y]).detach().mean(0)  # far from the origin the product would cancel
    x, y = x - centre, y - centre
    squares = x.square().sum(1)[:, None] + y.square().sum(1) - 2 * (x @ y.T)
    return squares.clamp(min=0)


def distances(x: Points, y: Points) -> Points:
    """(n, m) ‖x_i − y_j‖ by differences: exact, and of derivative 0 where two points coincide."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def median_distance(x: Points, y: Points, shares: tuple[Tensor, Tensor]) -> Scalar:
    """Weighted median of ‖x − y‖, x and y independent; where it is 0 the mean, and 1 where that is 0 too.

    A function of the two measures, so that a point of twice the weight counts as two.
    """
    lengths, order = distances(x, y).flatten().sort()
    mass = torch.outer(*shares).flatten()[order].cumsum(0)
    half = int((mass < 0.5 - 1e-6).sum().clamp(max=len(lengths) - 1))  # rounding must not choose among ties
    median = lengths[half]
    mean = (torch.outer(*shares).flatten()[order] * lengths).sum()
    fallback = torch.where(mean > 0, mean, torch.ones_like(mean))
    return torch.where(median > 0, median, fallback)
