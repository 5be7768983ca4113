"""The contract of a view: what we look at, as clouds, and how a change of the clouds comes back to the inputs.

``open`` works like a vector–Jacobian product: it returns the clouds and a *pullback*. So a quantity that two terms
need is computed once, and a view of gradients can pull back without a second backward pass through a graph.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from torch import Tensor

from limbeck.compute import Compute
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.networks.network import Network
from limbeck.shapes import Params

__all__ = ["Cotangents", "Glimpse", "View"]


class Cotangents(NamedTuple):
    """∂(loss)/∂(what the synthetic side is made of)."""

    inputs: Tensor  # like batch.inputs
    targets: Tensor | None  # like batch.targets, None where labels are hard


class Glimpse(NamedTuple):
    """What was seen: one cloud a layer (detached), and the way back."""

    clouds: tuple[Cloud, ...]
    pull: Callable[[tuple[Tensor, ...]], Cotangents] | None  # from ∂loss/∂points of each cloud; None on the real side


class View(ABC):
    """A frozen value (``@value``): pixels, features, attention, gradients, logits, statistics."""

    of_gradients: ClassVar[bool] = False  # True where weight gradients are looked at
    paired: ClassVar[bool] = False  # True where its clouds are paired
    of_trained: ClassVar[bool] = False  # True where it looks at the trained network of a place that is a blend

    @abstractmethod
    def open(self, network: Network, params: Params, batch: Batch, *, compute: Compute, pull: bool) -> Glimpse:
        """Look at ``batch`` through ``network`` at ``params``; ``pull=False`` (real side) keeps no graph."""
