"""State: a network that is trained on real data while the set is made."""

from typing import final

from limbeck.data.augmentation import Augmentation
from limbeck.matching.running import Lesson, Running, checked, entered, kept, learn_on_real, moments_at, taught
from limbeck.matching.state import Audience, Location, State, Surroundings
from limbeck.networks.network import Architecture
from limbeck.training.optimizer import SGD, Optimizer
from limbeck.values import value

__all__ = ["AlongReal"]


@final
@value
class AlongReal(State):
    """After a matching step ``updates`` steps on real batches; after ``steps`` of them a new network [kim2022idc].

    steps: matching steps a network, ≥ 1.  updates: of the network between two of them (2000 examples in batches of 64
    are 31), ≥ 1. The optimizer's moments go on. augmentation: of the network's training; None takes the run's.
    audience: draws a new network's configuration, whose optimizer and augmentation are used instead.
    """

    architectures: tuple[Architecture, ...]
    steps: int = 100
    updates: int = 31
    optimizer: Optimizer = SGD(lr=0.01, momentum=0.9, weight_decay=5e-4)
    batch: int = 64
    augmentation: Augmentation | None = None
    audience: Audience | None = None

    def __post_init__(self) -> None:
        checked(self.architectures, steps=self.steps, updates=self.updates, batch=self.batch)

    def start(self, surroundings: Surroundings) -> Location:
        return self._new(surroundings, None)

    def move(self, location: Location, surroundings: Surroundings) -> Location:
        step = location.counters["step"] + 1
        if step >= self.steps:
            return self._new(surroundings, location)
        augmentation = self.augmentation or surroundings.augmentation
        lesson = Lesson(self.optimizer, augmentation, self.batch, self.updates, surroundings.compute)
        lesson = taught(self, location, lesson)
        before = Running(location.params, moments_at(location))
        after = learn_on_real(location.network(surroundings), before, lesson=lesson, surroundings=surroundings)
        return kept(location, after, {"step": step})

    def _new(self, surroundings: Surroundings, before: Location | None) -> Location:
        place = entered(self, self.architectures, surroundings, before)
        return Location(place.architecture, place.params, place.memory, place.counters | {"step": 0})
