"""The contract of an augmentation: a seeded draw, and a differentiable application of it.

The two are apart so that the real and the synthetic batch can share one draw (siamese, as in DSA), and so that
a draw can be stored, repeated and replayed on a backward walk.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["Augmentation", "Draw"]

Draw: TypeAlias = Mapping[str, Tensor]  # what was drawn: each tensor has length n, or 1 (shared by the whole batch)


class Augmentation(ABC):
    """A frozen value (``@value``) that names its operations and strengths."""

    @abstractmethod
    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        """Parameters for ``n`` examples of ``shape`` ((c, h, w) or (d,)); ``n = 1`` is shared by any batch."""

    @abstractmethod
    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        """Augmented inputs, the same shape and type; differentiable in ``inputs``; batched, never image by image."""

    def mix(self, targets: Tensor, draw: Draw) -> Tensor:
        """Targets (n, k) after the draw: themselves, except where inputs are mixed (mixup, CutMix)."""
        del draw
        return targets

    @property
    def mixes_labels(self) -> bool:
        """True where :meth:`mix` changes targets, so that they must be probabilities."""
        return False
