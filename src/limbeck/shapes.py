"""Shape aliases; they are checked while the tests run (pytest --jaxtyping-packages) and free otherwise.

Where two arguments must agree in a size, a signature spells its own shapes instead of these aliases.
"""

from typing import TypeAlias

from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Images", "Inputs", "Labels", "Params", "Points", "Scalar", "Targets"]

Inputs: TypeAlias = Float[Tensor, "_ ..."]  # n examples: images (n, c, h, w) or feature rows (n, d)
Images: TypeAlias = Float[Tensor, "_ _ _ _"]  # n, channels, height, width
Labels: TypeAlias = Int[Tensor, "_"]  # n class indices in [0, k)
Targets: TypeAlias = Float[Tensor, "_ _"]  # n × k class probabilities
Points: TypeAlias = Float[Tensor, "_ _"]  # n × d
Scalar: TypeAlias = Float[Tensor, ""]
Params: TypeAlias = dict[str, Tensor]  # the named weights of one network
