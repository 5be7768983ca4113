"""The one currency of all rooms: inputs with their targets and, where they differ, weights."""

from dataclasses import dataclass

import torch
from torch import Tensor

from limbeck.errors import FitError

__all__ = ["Examples"]


@dataclass(frozen=True, eq=False)
class Examples:
    """``n`` examples, preprocessed and ready for a network.

    inputs:  images (n, c, h, w) or feature rows (n, d), floating point.
    targets: class indices (n,) in [0, k), int64, or probabilities (n, k), floating point.
    weights: (n,) ≥ 0, or None for uniform.
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor | None = None

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise FitError(f"{len(self.inputs)} inputs have {len(self.targets)} targets: give one target an input.")

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def labels(self) -> Tensor:
        """Hard labels (n,), int64: the targets themselves, or the most probable class."""
        return self.targets if self.targets.ndim == 1 else self.targets.argmax(1)

    def probabilities(self, classes: int) -> Tensor:
        """Targets as probabilities (n, classes) of the inputs' type."""
        if self.targets.ndim == 2:
            return self.targets.to(self.inputs.dtype)
        return torch.nn.functional.one_hot(self.targets, classes).to(self.inputs.dtype)

    def take(self, index: Tensor) -> "Examples":
        """The examples at ``index`` (int64 or bool)."""
        weights = None if self.weights is None else self.weights[index]
        return Examples(self.inputs[index], self.targets[index], weights)

    def to(self, device: str | torch.device, dtype: torch.dtype | None = None) -> "Examples":
        """The same examples on ``device``; ``dtype`` changes floating-point inputs, soft targets and weights."""
        soft = self.targets.to(device, dtype) if self.targets.is_floating_point() else self.targets.to(device)
        weights = None if self.weights is None else self.weights.to(device, dtype)
        return Examples(self.inputs.to(device, dtype), soft, weights)
