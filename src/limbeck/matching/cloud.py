"""What a view gives and a discrepancy compares: weighted points in groups.

A group is a class (or all classes together, where a method sums over them). Rows of a gradient are points too; they
are *paired*: row j of one side belongs to row j of the other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Cloud"]


@dataclass(frozen=True, eq=False)
class Cloud:
    """``n`` points in ``count`` groups.

    points:  (n, d) floating point, ordered by group.
    groups:  (n,) int64 in [0, count), ascending; every group has at least one point.
    count:   number of groups.
    weights: (n,) ≥ 0, or None for uniform; a group's weights are normalised to sum 1 by whoever uses them.
    paired:  rows correspond one to one to the other cloud's rows (gradients).
    """

    points: Tensor
    groups: Tensor
    count: int
    weights: Tensor | None = None
    paired: bool = False

    def shares(self) -> Tensor:
        """(n,) weights that sum to 1 in each group."""
        raw = torch.ones_like(self.points[:, 0]) if self.weights is None else self.weights
        total = torch.zeros(self.count, dtype=raw.dtype, device=raw.device).index_add_(0, self.groups, raw)
        return raw / total[self.groups]

    def means(self) -> Tensor:
        """(count, d) weighted mean of each group; differentiable in ``points``."""
        zero = torch.zeros(self.count, self.points.shape[1], dtype=self.points.dtype, device=self.points.device)
        return zero.index_add(0, self.groups, self.points * self.shares()[:, None])

    def split(self) -> tuple[Tensor, ...]:
        """The points of each group, (n_g, d) each."""
        sizes = torch.bincount(self.groups, minlength=self.count).tolist()
        return torch.split(self.points, sizes)

    def measures(self) -> tuple[tuple[Tensor, Tensor], ...]:
        """Points (n_g, d) and shares (n_g,), which sum to 1, of each group."""
        sizes = torch.bincount(self.groups, minlength=self.count).tolist()
        return tuple(zip(torch.split(self.points, sizes), torch.split(self.shares(), sizes), strict=True))

    def with_points(self, points: Tensor) -> "Cloud":
        """The same groups and weights around other points (used for leaves)."""
        return Cloud(points, self.groups, self.count, self.weights, self.paired)
