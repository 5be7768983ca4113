"""State: a network that is trained on the synthetic set while the set is made."""

from typing import final

from limbeck.matching.running import (
    Lesson,
    Running,
    checked,
    entered,
    kept,
    learn,
    moments_at,
    seed_from,
    taught,
)
from limbeck.matching.state import Audience, Location, State, Surroundings
from limbeck.networks.network import Architecture
from limbeck.training.optimizer import SGD, Optimizer
from limbeck.values import value

__all__ = ["AlongSynthetic"]


@final
@value
class AlongSynthetic(State):
    """After a matching step ``inner`` epochs on the synthetic set; after ``steps`` of them a new network [zhao2021dc].

    steps: matching steps a network, ≥ 1.  inner: epochs between two of them, ≥ 1.
    optimizer: of the network; batch: examples an update. The run's augmentation is used, drawn anew for each batch.
    audience: draws a new network's configuration, whose optimizer and augmentation are used instead.
    """

    architectures: tuple[Architecture, ...]
    steps: int = 1
    inner: int = 1
    optimizer: Optimizer = SGD(lr=0.01, momentum=0.0, weight_decay=0.0)
    batch: int = 256
    audience: Audience | None = None

    def __post_init__(self) -> None:
        checked(self.architectures, steps=self.steps, inner=self.inner, batch=self.batch)

    def start(self, surroundings: Surroundings) -> Location:
        return self._new(surroundings, None)

    def move(self, location: Location, surroundings: Surroundings) -> Location:
        step = location.counters["step"] + 1
        if step >= self.steps:
            return self._new(surroundings, location)
        examples = surroundings.synthetic
        updates = self.inner * -(-len(examples) // self.batch)
        lesson = Lesson(self.optimizer, surroundings.augmentation, self.batch, updates, surroundings.compute)
        lesson = taught(self, location, lesson)
        before = Running(location.params, moments_at(location))
        after = learn(location.network(surroundings), before, examples, lesson=lesson, seed=seed_from(surroundings))
        return kept(location, after, {"step": step})

    def _new(self, surroundings: Surroundings, before: Location | None) -> Location:
        place = entered(self, self.architectures, surroundings, before)
        return Location(place.architecture, place.params, place.memory, place.counters | {"step": 0})
