"""State: networks that were trained on real data before the distillation began."""

from collections import Counter
from typing import final

import torch
from torch import Tensor

from limbeck.errors import FitError
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
    seed_from,
    taught,
)
from limbeck.matching.shelf import put, taken
from limbeck.matching.state import NOTES, Audience, Location, State, Surroundings
from limbeck.networks.network import Architecture
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.training.optimizer import SGD, Optimizer
from limbeck.values import value

__all__ = ["TrainedNetworks"]


@final
@value
class TrainedNetworks(State):
    """A uniformly drawn member of ``count`` networks, each trained ``updates`` steps on real data when the run begins.

    blend: look at (1 − β)·θ_initial + β·θ_trained, β ~ U(0, 1), instead of at θ_trained [wang2025ncfm].
    audience: draws each member's configuration, by which it is trained; none twice before all were drawn once, and so
              on. FitError for one that follows the run.
    """

    architectures: tuple[Architecture, ...]
    count: int = 5
    updates: int = 500
    optimizer: Optimizer = SGD(lr=0.01, momentum=0.9, weight_decay=5e-4)
    batch: int = 128
    blend: bool = False
    audience: Audience | None = None

    def __post_init__(self) -> None:
        checked(self.architectures, count=self.count, updates=self.updates, batch=self.batch)
        if self.audience is not None and self.audience.adapts:
            raise FitError(
                "networks that were trained before the run cannot follow gaps that are measured in it: draw them from "
                "a net of the space, or use the state pool."
            )

    def start(self, surroundings: Surroundings) -> Location:
        lesson = Lesson(self.optimizer, surroundings.augmentation, self.batch, self.updates, surroundings.compute)
        location = Location(self.architectures[0], {}, {}, {})
        for member in range(self.count):
            kind, memory = self._kind(location, surroundings)
            architecture, whose = kind_of(self, self.architectures, kind)
            here = Location(architecture, {}, memory, location.counters | whose | {f"kind {member}": kind})
            before = fresh(architecture, surroundings)
            network = architecture.build(surroundings.shape, surroundings.classes)
            mine = taught(self, here, lesson)
            after = learn_on_real(network, Running(before, {}), lesson=mine, surroundings=surroundings)
            if not finite(after):
                raise FitError(
                    f"network {member} of the state diverged while it was trained on real data: lower "
                    f"state.optimizer.lr (now {mine.optimizer.lr:g})."
                )
            memory = put(memory, f"trained {member}", after.params)
            memory = put(memory, f"initial {member}", before) if self.blend else memory
            location = Location(architecture, {}, memory, here.counters)
        return self.move(location, surroundings)

    @property
    def whom(self) -> str:
        if self.audience is None or self.count >= self.audience.most:
            return super().whom
        few = f"Made for {self.count} of {self.audience.members}, one for each network that is trained before the run"
        return f"{few}: --set state.count={self.audience.most} trains one for each configuration."

    def move(self, location: Location, surroundings: Surroundings) -> Location:
        member = choose(self.count, surroundings)
        weights = taken(location.memory, f"trained {member}")
        if self.blend:
            share = float(torch.rand((), generator=generator(seed_from(surroundings), "blend")))
            initial = taken(location.memory, f"initial {member}")
            weights = {name: torch.lerp(initial[name], weights[name], share) for name in weights}
        architecture, whose = kind_of(self, self.architectures, location.counters[f"kind {member}"])
        return Location(architecture, weights, location.memory, location.counters | whose | {"member": member})

    def trained(self, location: Location) -> Params | None:
        return taken(location.memory, f"trained {location.counters['member']}") if self.blend else None

    def _kind(self, location: Location, surroundings: Surroundings) -> tuple[int, dict[str, Tensor]]:
        """The kind of the next member: the drawn one, or the first after it that has no more members than any other."""
        kind, memory = drawn(self, len(self.architectures), location.memory, surroundings)
        if self.audience is None:
            return kind, memory
        chances = self.audience.drawable(taken(memory, NOTES))
        before = Counter(number for name, number in location.counters.items() if name.startswith("kind "))
        least, start = min(before[each] for each in chances), chances.index(kind)
        return next(each for each in chances[start:] + chances[:start] if before[each] == least), memory
