"""The contract of a state: where in weight space a method looks, and how that place moves while distilling."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.examples import Examples
from limbeck.matching.real_side import RealSide
from limbeck.networks.network import Architecture, Network
from limbeck.shapes import Params

__all__ = ["Location", "State", "Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """What a state may use when it moves: the data's shape, both sides, randomness (derived from the run's seed)."""

    shape: tuple[int, ...]
    classes: int
    real: RealSide
    synthetic: Examples  # the current set, decoded, not augmented, detached
    augmentation: Augmentation
    generator: torch.Generator
    compute: Compute


@dataclass(frozen=True, eq=False)
class Location:
    """A place in weight space, and what has to be remembered to move on; everything in it goes into checkpoints.

    architecture: of the network at this place (a state may draw from several).
    params: weights.  memory: further tensors (other networks of a pool, moments).  counters: plain numbers.
    """

    architecture: Architecture
    params: Params
    memory: dict[str, torch.Tensor]
    counters: dict[str, int]

    def network(self, surroundings: Surroundings) -> Network:
        """The pure function whose weights ``params`` are."""
        return self.architecture.build(surroundings.shape, surroundings.classes)


class State(ABC):
    """A frozen value (``@value``): fresh networks, one trained along the synthetic set or the real one, a pool …"""

    @abstractmethod
    def start(self, surroundings: Surroundings) -> Location:
        """The place of the first iteration."""

    @abstractmethod
    def move(self, location: Location, surroundings: Surroundings) -> Location:
        """The place of the next iteration, after the synthetic set has taken its step."""
