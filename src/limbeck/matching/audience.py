"""Whom a set is made for: the configurations of a space, drawn uniformly, from a net, or by the worst current gap."""

from typing import ClassVar, final

import torch
from torch import Tensor

from limbeck.data.examples import Examples
from limbeck.errors import FitError, OptionError
from limbeck.matching.state import Audience, Surroundings, seed_from
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.distance import distance_matrix, net
from limbeck.training.predict import fitted, predict
from limbeck.training.space import Space
from limbeck.training.train import train
from limbeck.values import replace, value

__all__ = ["Everyone", "Net", "WorstGap"]

PROBES, PROBE_SEEDS = 64, (0, 1)  # real examples and initialisations that distances are measured with


@final
@value
class Everyone(Audience):
    """Each configuration of the space with the same probability."""

    space: Space

    def __post_init__(self) -> None:
        _followed(self.space)

    @property
    def sentence(self) -> str:
        return _alone(self.space) or f"Made for {self.members}, uniformly."

    def draw(self, notes: dict[str, Tensor], surroundings: Surroundings) -> tuple[int, dict[str, Tensor]]:
        return seed_from(surroundings) % len(self.space), notes


class _Centred(Audience):
    """One that draws among ``centres`` of a net over the space, which its notes hold."""

    centres: int

    @property
    def members(self) -> str:
        return _cover(self.space, self.most)

    @property
    def most(self) -> int:
        return min(self.centres, len(self.space))

    def drawable(self, notes: dict[str, Tensor]) -> tuple[int, ...]:
        return tuple(notes["centres"].tolist())


@final
@value
class Net(_Centred):
    """The centres of a net over the space, in the configuration distance of Luo & Xu [luo2025boundary].

    centres: at most so many, ≥ 1; a greedy k-centre net over real training examples [gonzalez1985clustering].
    in_turn: each centre in turn, or uniformly at random.
    """

    space: Space
    centres: int = 6
    in_turn: bool = True

    def __post_init__(self) -> None:
        _followed(self.space)
        _at_least_one(centres=self.centres)

    @property
    def sentence(self) -> str:
        how = "in turn" if self.in_turn else "uniformly"
        return _alone(self.space) or f"Made for {self.members}, {how}."

    def begin(self, surroundings: Surroundings) -> dict[str, Tensor]:
        return {**_net(self.space, self.centres, surroundings), "turn": torch.tensor(0)}

    def draw(self, notes: dict[str, Tensor], surroundings: Surroundings) -> tuple[int, dict[str, Tensor]]:
        centres, turn = notes["centres"].tolist(), int(notes["turn"])
        place = turn if self.in_turn else seed_from(surroundings)
        return centres[place % len(centres)], notes | {"turn": torch.tensor(turn + 1)}

    def told(self, notes: dict[str, Tensor]) -> str:
        return _told(self.space, notes, [])


@final
@value
class WorstGap(_Centred):
    """With probability ``share`` the centre of the largest current gap, else any centre of the net.

    The gap of a centre is the validation accuracy of a network that learned on real examples less that of the same
    network that learned on the current set, each for ``updates`` updates by the centre's configuration. A network that
    diverges has accuracy 0.

    centres:   of the net, as in :class:`Net`.
    refreshes: the gaps are measured anew when i/refreshes of the run are done, i = 0, 1, …, refreshes − 1; ≥ 1. Between
               them they stand in the checkpoint.
    examples:  of the validation split, at equal distances, at most.
    A budget in seconds counts iterations: measuring the gaps comes on top of it.
    """

    space: Space
    centres: int = 6
    refreshes: int = 4
    updates: int = 50
    share: float = 0.5
    examples: int = 512
    adapts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _followed(self.space)
        _at_least_one(
            centres=self.centres,
            refreshes=self.refreshes,
            updates=self.updates,
            **{"validation examples": self.examples},
        )
        if not 0 <= self.share <= 1:
            raise OptionError(
                f"the share of draws that go to the worst configuration is {self.share}: it is in [0, 1]."
            )

    @property
    def sentence(self) -> str:
        how = f"{100 * self.share:.0f} % of the draws by the worst gap on validation, measured {self.refreshes} times"
        return _alone(self.space) or f"Made for {self.members}, {how}."

    def begin(self, surroundings: Surroundings) -> dict[str, Tensor]:
        notes = _net(self.space, self.centres, surroundings)
        seed = seed_from(surroundings)
        many = len(notes["centres"])
        real = torch.zeros(many, dtype=torch.float64)
        if many > 1:
            most = self.updates * max(c.batch for c in self.space)
            count = min(most, sum(len(pool) for pool in surroundings.real.pools))
            examples = surroundings.real.draw_any(count, generator(seed, "audience"))
            real = self._accuracies(notes["centres"], examples, seed, surroundings)
        gaps = torch.zeros_like(real)
        return {**notes, "seed": torch.tensor(seed), "real": real, "gaps": gaps, "stage": torch.tensor(-1)}

    def draw(self, notes: dict[str, Tensor], surroundings: Surroundings) -> tuple[int, dict[str, Tensor]]:
        stage = surroundings.iteration * self.refreshes // max(1, surroundings.iterations)
        centres = notes["centres"].tolist()
        if stage > int(notes["stage"]) and len(centres) > 1:
            found = self._accuracies(notes["centres"], surroundings.synthetic, int(notes["seed"]), surroundings)
            notes = notes | {"gaps": notes["real"].cpu() - found, "stage": torch.tensor(stage)}
        chance = generator(seed_from(surroundings), "worst")
        if float(torch.rand((), generator=chance)) < self.share:
            return centres[int(notes["gaps"].argmax())], notes
        return centres[int(torch.randint(len(centres), (), generator=chance))], notes

    def told(self, notes: dict[str, Tensor]) -> str:
        return _told(self.space, notes, notes["gaps"].tolist())

    def _accuracies(self, centres: Tensor, examples: Examples, seed: int, surroundings: Surroundings) -> Tensor:
        """(m,) validation accuracy of a network of each centre that learned on ``examples``, float64."""
        if surroundings.validation is None or not len(surroundings.validation):
            raise FitError("the worst gap is measured on validation, and there are no validation examples: use net.")
        count = len(surroundings.validation)
        index = torch.linspace(0, count - 1, min(count, self.examples)).long()
        seen = surroundings.validation.examples(index)
        members = [self.space.configurations[i] for i in centres.tolist()]
        found = [
            _accuracy(replace(c, length=Updates(self.updates)), examples, seen, seed, surroundings) for c in members
        ]
        return torch.tensor(found, dtype=torch.float64)


def _accuracy(
    configuration: Configuration, examples: Examples, seen: Examples, seed: int, surroundings: Surroundings
) -> float:
    compute = surroundings.compute.eager()
    network = configuration.architecture.build(surroundings.shape, surroundings.classes)
    trained = train(network, configuration, examples, seeds=(seed,), compute=compute)
    if trained.failures[0]:
        return 0.0
    statistics = fitted(network, trained.params[0], examples, compute)
    logits = predict(network, trained.params[0], seen.inputs, statistics=statistics or None, compute=compute)
    return float((logits.argmax(1).cpu() == seen.labels.cpu()).double().mean())


def _net(space: Space, count: int, surroundings: Surroundings) -> dict[str, Tensor]:
    """The centres of the net, ascending, and its radius; the whole space where it is no larger than the net."""
    if count >= len(space):
        return {"centres": torch.arange(len(space)), "radius": torch.zeros((), dtype=torch.float64)}
    examples = surroundings.real.draw_any(PROBES, generator(seed_from(surroundings), "net"))
    compute = surroundings.compute.eager()
    distances = distance_matrix(space, examples, classes=surroundings.classes, seeds=PROBE_SEEDS, compute=compute)
    centres, radius = net(distances, count)
    return {"centres": torch.tensor(sorted(centres)), "radius": torch.tensor(radius, dtype=torch.float64)}


def _told(space: Space, notes: dict[str, Tensor], gaps: list[float]) -> str:
    if len(space) == 1:
        return ""
    names = [space.configurations[i].name for i in notes["centres"].tolist()]
    if gaps:
        names = [f"{name} ({100 * gap:+.1f} points)" for name, gap in zip(names, gaps, strict=True)]
    last = ", with the last gaps on validation" if gaps else ""
    return (
        f"It was made for the centres{last}: {', '.join(names)}; the radius of the net is {float(notes['radius']):.3f}."
    )


def _cover(space: Space, centres: int) -> str:
    return f"{centres} configurations that cover the {len(space)} of '{space.name}'"


def _alone(space: Space) -> str:
    """The sentence for a space of one configuration, "" for others."""
    only = f"The space '{space.name}' holds one configuration, '{space.configurations[0].name}'"
    return f"{only}: the set is made for it alone, however it is drawn." if len(space) == 1 else ""


def _followed(space: Space) -> None:
    for configuration in space:
        if configuration.augmentation.mixes_labels:
            raise FitError(
                f"the configuration '{configuration.name}' mixes labels, which matching cannot follow: leave it out."
            )


def _at_least_one(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise OptionError(f"{name} of an audience is {count}: it must be at least 1.")
