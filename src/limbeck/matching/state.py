"""The contract of a state: where in weight space a method looks, and how that place moves while distilling."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.examples import Examples
from limbeck.data.task import Pool
from limbeck.matching.real_side import RealSide
from limbeck.matching.shelf import taken
from limbeck.networks.network import Architecture, Network
from limbeck.shapes import Params
from limbeck.training.configuration import Configuration
from limbeck.training.space import Space

__all__ = ["NOTES", "Audience", "Location", "State", "Surroundings", "seed_from"]

NOTES = "audience"  # the slot of a location's memory that holds what the audience remembers


@dataclass(frozen=True)
class Surroundings:
    """What a state may use when it moves: the data's shape, both sides, randomness (derived from the run's seed).

    validation: real examples to choose configurations by, never to match. iteration: done, of ``iterations``.
    """

    shape: tuple[int, ...]
    classes: int
    real: RealSide
    synthetic: Examples  # the current set, decoded, not augmented, detached
    augmentation: Augmentation
    generator: torch.Generator
    compute: Compute
    validation: Pool | None = None
    iteration: int = 0
    iterations: int = 1


def seed_from(surroundings: Surroundings) -> int:
    """A fresh integer seed from the surroundings' generator, the same on every device that draws the same bits."""
    rng = surroundings.generator
    return int(torch.randint(2**62, (), generator=rng, device=rng.device))


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


class Audience(ABC):
    """A frozen value (``@value``): the configurations that a set is made for, and how one is drawn for a new network.

    A drawn configuration gives the network's architecture and normalisation, the optimizer that it learns by where it
    learns, and the augmentation of its training and of what is compared at it.
    """

    space: Space
    adapts: ClassVar[bool] = False  # True where later draws follow what was measured in the run

    @property
    @abstractmethod
    def sentence(self) -> str:
        """For a person: whom the set is made for."""

    def begin(self, surroundings: Surroundings) -> dict[str, Tensor]:
        """What has to be remembered from the beginning of the run on; it goes into checkpoints."""
        del surroundings
        return {}

    @abstractmethod
    def draw(self, notes: dict[str, Tensor], surroundings: Surroundings) -> tuple[int, dict[str, Tensor]]:
        """Index in ``space`` of the configuration for a new network, and what is remembered afterwards."""

    @property
    def members(self) -> str:
        """The configurations that may be drawn, as the object of a sentence."""
        return f"the {len(self.space)} configurations of '{self.space.name}'"

    @property
    def most(self) -> int:
        """How many configurations may be drawn at most."""
        return len(self.space)

    def drawable(self, notes: dict[str, Tensor]) -> tuple[int, ...]:
        """Indices in ``space`` of the configurations that may be drawn, ascending."""
        del notes
        return tuple(range(len(self.space)))

    def told(self, notes: dict[str, Tensor]) -> str:
        """A sentence about what was found in the run, for the set's card, or ""."""
        del notes
        return ""


class State(ABC):
    """A frozen value (``@value``): fresh networks, one trained along the synthetic set or the real one, a pool …

    audience: the configurations that new networks are drawn from; None draws them from the state's own architectures.
    """

    audience: Audience | None = None

    @final
    def configuration(self, location: Location) -> Configuration | None:
        """What the audience drew for the network at ``location``; None without an audience."""
        if self.audience is None:
            return None
        return self.audience.space.configurations[location.counters["configuration"]]

    def trained(self, location: Location) -> Params | None:
        """Weights trained on real data, where ``location`` is a blend on the way to them; None elsewhere."""
        del location
        return None

    @property
    def whom(self) -> str:
        """For a person: whom the set is made for; "" without an audience."""
        return "" if self.audience is None else self.audience.sentence

    @final
    def told(self, location: Location, served: tuple[int, ...]) -> str:
        """What the audience found in the run, and whom it left out, for the set's card; "" without an audience.

        served: the configurations whose networks were looked at.
        """
        if self.audience is None:
            return ""
        notes = taken(location.memory, NOTES)
        chances, names = len(self.audience.drawable(notes)), self.audience.space.configurations
        partly = f"The run looked at {len(served)} of these {chances} configurations: "
        few = f"{partly}{', '.join(names[i].name for i in served)}." if 0 < len(served) < chances else ""
        return " ".join(filter(None, (self.audience.told(notes), few)))

    @abstractmethod
    def start(self, surroundings: Surroundings) -> Location:
        """The place of the first iteration."""

    @abstractmethod
    def move(self, location: Location, surroundings: Surroundings) -> Location:
        """The place of the next iteration, after the synthetic set has taken its step."""
