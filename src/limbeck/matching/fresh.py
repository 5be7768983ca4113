"""State: a new random network at every iteration."""

from typing import final

from limbeck.matching.running import checked, entered
from limbeck.matching.state import Audience, Location, State, Surroundings
from limbeck.networks.network import Architecture
from limbeck.values import value

__all__ = ["Fresh"]


@final
@value
class Fresh(State):
    """θ ~ the initial distribution of an architecture drawn uniformly from ``architectures`` [zhao2023dm].

    audience: draws the network's configuration instead.
    """

    architectures: tuple[Architecture, ...]
    audience: Audience | None = None

    def __post_init__(self) -> None:
        checked(self.architectures)

    def start(self, surroundings: Surroundings) -> Location:
        return entered(self, self.architectures, surroundings)

    def move(self, location: Location, surroundings: Surroundings) -> Location:
        return entered(self, self.architectures, surroundings, location)
