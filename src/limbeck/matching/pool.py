"""State: a pool of networks, each partly trained on real data, one of which is looked at in each iteration."""

from typing import final

from limbeck.matching.running import (
    Lesson,
    Running,
    checked,
    choose,
    drawn,
    finite,
    fresh,
    kind_of,
    learn_on_real,
    taught,
)
from limbeck.matching.shelf import put, taken
from limbeck.matching.state import Audience, Location, State, Surroundings
from limbeck.networks.network import Architecture
from limbeck.training.optimizer import SGD, Optimizer
from limbeck.values import value

__all__ = ["NetworkPool"]


@final
@value
class NetworkPool(State):
    """A uniformly drawn member of ``count`` networks; the member learns ``updates`` steps after it was looked at.

    A member that was looked at ``limit`` times is replaced by a new one, so that networks of every age up to
    ``limit`` · ``updates`` real steps are seen. [zhao2023idm] [zhou2022frepo]
    audience: draws a new member's configuration, whose optimizer and augmentation it learns by.
    """

    architectures: tuple[Architecture, ...]
    count: int = 10
    updates: int = 10
    limit: int = 20
    optimizer: Optimizer = SGD(lr=0.01, momentum=0.9, weight_decay=5e-4)
    batch: int = 64
    audience: Audience | None = None

    def __post_init__(self) -> None:
        checked(self.architectures, count=self.count, updates=self.updates, limit=self.limit, batch=self.batch)

    def start(self, surroundings: Surroundings) -> Location:
        empty = Location(self.architectures[0], {}, {}, {})
        for member in range(self.count):
            empty = self._renew(empty, member, surroundings)
        return self._look(empty, surroundings)

    def move(self, location: Location, surroundings: Surroundings) -> Location:
        member = location.counters["member"]
        age = location.counters[f"age {member}"] + 1
        if age >= self.limit:
            return self._look(self._renew(location, member, surroundings), surroundings)
        lesson = Lesson(self.optimizer, surroundings.augmentation, self.batch, self.updates, surroundings.compute)
        lesson = taught(self, location, lesson)
        before = Running(location.params, taken(location.memory, f"moments {member}"))
        after = learn_on_real(location.network(surroundings), before, lesson=lesson, surroundings=surroundings)
        if not finite(after):  # a new one in its place, as for one that is too old
            return self._look(self._renew(location, member, surroundings), surroundings)
        memory = put(put(location.memory, f"weights {member}", after.params), f"moments {member}", after.moments)
        counters = location.counters | {f"age {member}": age}
        return self._look(Location(location.architecture, after.params, memory, counters), surroundings)

    def _renew(self, location: Location, member: int, surroundings: Surroundings) -> Location:
        kind, memory = drawn(self, len(self.architectures), location.memory, surroundings)
        weights = fresh(kind_of(self, self.architectures, kind)[0], surroundings)
        memory = put(put(memory, f"weights {member}", weights), f"moments {member}", {})
        counters = location.counters | {f"age {member}": 0, f"kind {member}": kind}
        return Location(location.architecture, location.params, memory, counters)

    def _look(self, location: Location, surroundings: Surroundings) -> Location:
        member = choose(self.count, surroundings)
        architecture, whose = kind_of(self, self.architectures, location.counters[f"kind {member}"])
        weights = taken(location.memory, f"weights {member}")
        return Location(architecture, weights, location.memory, location.counters | whose | {"member": member})
