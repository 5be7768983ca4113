"""No augmentation."""

from typing import final

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation, Draw
from limbeck.values import value

__all__ = ["Nothing"]


@final
@value
class Nothing(Augmentation):
    """Leaves inputs as they are."""

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        del n, shape, generator
        return {}

    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        del draw
        return inputs
