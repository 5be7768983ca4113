"""State: a new random network at every iteration."""

from typing import final

from limbeck.matching.running import checked, choose, fresh
from limbeck.matching.state import Location, State, Surroundings
from limbeck.networks.network import Architecture
from limbeck.values import value

__all__ = ["Fresh"]


@final
@value
class Fresh(State):
    """θ ~ the initial distribution of an architecture drawn uniformly from ``architectures`` [zhao2023dm]."""

    architectures: tuple[Architecture, ...]

    def __post_init__(self) -> None:
        checked(self.architectures)

    def start(self, surroundings: Surroundings) -> Location:
        architecture = self.architectures[choose(len(self.architectures), surroundings)]
        return Location(architecture, fresh(architecture, surroundings), {}, {})

    def move(self, location: Location, surroundings: Surroundings) -> Location:
        del location
        return self.start(surroundings)
