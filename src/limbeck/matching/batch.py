"""What a surrogate sees of one side: inputs, ordered by class, already augmented."""

from dataclasses import dataclass

import torch
from torch import Tensor

from limbeck.errors import FitError

__all__ = ["Batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples of some classes, sorted by class.

    inputs:  (n, *shape), augmented.
    labels:  (n,) int64, class indices, ascending.
    classes: the class indices present, ascending; the *groups* of clouds made from this batch, in this order.
    sizes:   how many examples each of them has (Σ = n).
    targets: (n, k) probabilities where labels are soft or mixed, else None.
    weights: (n,) ≥ 0, or None for uniform within a class.
    Raises FitError where a class has no example: the gap to nothing would be a number like any other.
    """

    inputs: Tensor
    labels: Tensor
    classes: tuple[int, ...]
    sizes: tuple[int, ...]
    targets: Tensor | None = None
    weights: Tensor | None = None

    def __post_init__(self) -> None:
        for label, size in zip(self.classes, self.sizes, strict=True):
            if size < 1:
                raise FitError(f"class {label} has no example in a batch: leave the class out, or give it one.")

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def groups(self) -> Tensor:
        """(n,) int64: the position in ``classes`` of each example."""
        return torch.repeat_interleave(
            torch.arange(len(self.sizes), device=self.inputs.device),
            torch.tensor(self.sizes, device=self.inputs.device),
        )
