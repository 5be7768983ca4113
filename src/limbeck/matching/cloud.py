"""What a view gives and a discrepancy compares: weighted points in groups.

A group is a class (or all classes together, where a method sums over them). Rows of a gradient are points too; they
are *paired*: row j of one side belongs to row j of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limbeck.errors import FitError

__all__ = ["Cloud"]


@dataclass(frozen=True, eq=False)
class Cloud:
    """``n`` points in ``count`` groups.

    points:  (n, d) floating point, ordered by group.
    groups:  (n,) int64 in [0, count), ascending; every group has at least one point.
    count:   number of groups.
    weights: (n,) ≥ 0, or None for uniform; a group's weights, not all 0, are normalised to sum 1 by whoever uses them.
    paired:  rows correspond one to one to the other cloud's rows (gradients).

    A group without points or weight is a FitError where groups are looked at; only points without weights on an
    accelerator, which would be waited for, are not looked through for their means: a Batch has done it.
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
        if (self.weights is not None or total.device.type == "cpu") and not bool((total > 0).all()):
            _refuse((total > 0).int().tolist())
        return raw / total[self.groups]

    def means(self) -> Tensor:
        """(count, d) weighted mean of each group; differentiable in ``points``."""
        zero = torch.zeros(self.count, self.points.shape[1], dtype=self.points.dtype, device=self.points.device)
        return zero.index_add(0, self.groups, self.points * self.shares()[:, None])

    def split(self) -> tuple[Tensor, ...]:
        """The points of each group, (n_g, d) each."""
        return torch.split(self.points, self._sizes())

    def measures(self) -> tuple[tuple[Tensor, Tensor], ...]:
        """Points (n_g, d) and shares (n_g,), which sum to 1, of each group."""
        sizes = self._sizes()
        return tuple(zip(torch.split(self.points, sizes), torch.split(self.shares(), sizes), strict=True))

    def with_points(self, points: Tensor) -> "Cloud":
        """The same groups and weights around other points (used for leaves)."""
        return Cloud(points, self.groups, self.count, self.weights, self.paired)

    def _sizes(self) -> list[int]:
        sizes: list[int] = torch.bincount(self.groups, minlength=self.count).tolist()
        if 0 in sizes:
            _refuse(sizes)
        return sizes


def _refuse(there: Sequence[int]) -> None:
    """FitError that names the first group that nothing is there of."""
    group = next(i for i, amount in enumerate(there) if not amount)
    raise FitError(
        f"group {group} of {len(there)} has no point of positive weight, so that nothing can be compared with it: "
        "leave its class out, or give it an example."
    )
