"""Pixels: what is stored is what trains."""

from typing import final

from torch import Tensor

from limbeck.shapes import Params
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.values import value

__all__ = ["Pixels"]


@final
@value
class Pixels(Parametrisation):
    """Variables ``{"pixels": (k, *s)}`` are the network's inputs themselves: images (c, h, w) or feature rows (d,)."""

    @property
    def multiplicity(self) -> int:
        """One decoded example a stored one."""
        return 1

    def encode(self, inputs: Tensor) -> Params:
        """``inputs`` (k, *s), copied."""
        return {"pixels": inputs.detach().clone()}

    def decode(self, variables: Params, index: Tensor | None = None) -> Tensor:
        """Inputs (n, *s) at ``index``; for all of them (None) no copy is made."""
        return variables["pixels"] if index is None else variables["pixels"][index]
