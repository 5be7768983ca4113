"""A running network: of a drawn kind, with weights and moments that go on learning for a few updates at a time."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.examples import Examples
from limbeck.errors import OptionError
from limbeck.matching.shelf import put, taken, without
from limbeck.matching.state import NOTES, Location, State, Surroundings, seed_from
from limbeck.networks.network import Architecture, Network
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.training.feed import Feed, augmented
from limbeck.training.layout import Layout
from limbeck.training.optimizer import Optimizer, OptimizerState
from limbeck.training.passes import Passes

__all__ = [
    "Lesson",
    "Running",
    "checked",
    "choose",
    "drawn",
    "entered",
    "fresh",
    "kept",
    "kind_of",
    "learn",
    "learn_on_real",
    "moments_at",
    "seed_from",
    "taught",
]


class Running(NamedTuple):
    """Weights, and the optimizer's moments as tensors by name ({} before the first update)."""

    params: Params
    moments: dict[str, Tensor]


@dataclass(frozen=True)
class Lesson:
    """How a running network learns: ``updates`` steps of ``optimizer`` at its own rate, on batches of ``batch``."""

    optimizer: Optimizer
    augmentation: Augmentation
    batch: int
    updates: int
    compute: Compute


def choose(count: int, surroundings: Surroundings) -> int:
    """A uniform index in [0, count)."""
    return seed_from(surroundings) % count


def fresh(architecture: Architecture, surroundings: Surroundings) -> Params:
    """New weights on the run's device, drawn on the CPU so that they are the same on every device."""
    weights = architecture.build(surroundings.shape, surroundings.classes).init(
        generator(seed_from(surroundings), "init")
    )
    return {name: w.to(surroundings.compute.torch_device) for name, w in weights.items()}


def drawn(
    state: State, count: int, memory: dict[str, Tensor], surroundings: Surroundings
) -> tuple[int, dict[str, Tensor]]:
    """Which kind a new network is of, and the memory afterwards.

    The kind is an index into the configurations of the state's audience, or into its ``count`` own architectures.
    """
    if state.audience is None:
        return choose(count, surroundings), memory
    notes = taken(memory, NOTES) or state.audience.begin(surroundings)
    kind, notes = state.audience.draw(notes, surroundings)
    return kind, put(memory, NOTES, notes)


def kind_of(state: State, architectures: tuple[Architecture, ...], kind: int) -> tuple[Architecture, dict[str, int]]:
    """The architecture of a drawn kind, and the counter that says whose it is."""
    if state.audience is None:
        return architectures[kind], {}
    return state.audience.space.configurations[kind].architecture, {"configuration": kind}


def entered(
    state: State, architectures: tuple[Architecture, ...], surroundings: Surroundings, before: Location | None = None
) -> Location:
    """A new random network of a drawn kind; of what ``before`` remembers only the audience's notes go on."""
    memory = {} if before is None else put({}, NOTES, taken(before.memory, NOTES))
    kind, memory = drawn(state, len(architectures), memory, surroundings)
    architecture, counters = kind_of(state, architectures, kind)
    return Location(architecture, fresh(architecture, surroundings), memory, counters)


def taught(state: State, location: Location, lesson: Lesson) -> Lesson:
    """The lesson of the network at ``location``: by the optimizer and augmentation that its audience drew, if any."""
    configuration = state.configuration(location)
    if configuration is None:
        return lesson
    return replace(lesson, optimizer=configuration.optimizer, augmentation=configuration.augmentation)


def moments_at(location: Location) -> dict[str, Tensor]:
    """The optimizer's moments in a memory that holds nothing else but the audience's notes."""
    return without(location.memory, NOTES)


def kept(location: Location, after: Running, counters: dict[str, int]) -> Location:
    """The place of the network after a lesson; the audience's notes go on."""
    memory = put(after.moments, NOTES, taken(location.memory, NOTES))
    return Location(location.architecture, after.params, memory, location.counters | counters)


def learn(network: Network, start: Running, examples: Examples, *, lesson: Lesson, seed: int) -> Running:
    """The network after the lesson; batches, their order and their augmentation follow from ``seed``."""
    layout = Layout(
        dict(sorted(start.params.items()))
    )  # moments are flat, and a checkpoint changes the order of weights
    flat = layout.join(start.params)
    passes = Passes(network, layout, kind="cross_entropy", compute=lesson.compute)
    feed = Feed(examples, lesson.augmentation, batch=lesson.batch, device=flat.device)
    state = _unpacked(start.moments) or lesson.optimizer.init([flat])
    batches = feed.batches(seed)
    for _ in range(lesson.updates):
        seen, draw = next(batches)
        batch = augmented(lesson.augmentation, seen, draw, classes=network.classes)
        _, gradient = passes.gradient(flat, batch)
        (flat,), state = lesson.optimizer.step([flat], [gradient], state, lesson.optimizer.lr)
    return Running(layout.copy(flat), {name: moments[0] for name, moments in state.items()})


def learn_on_real(network: Network, start: Running, *, lesson: Lesson, surroundings: Surroundings) -> Running:
    """The network after the lesson on newly drawn real examples, each seen once while they last."""
    seed = seed_from(surroundings)
    examples = surroundings.real.draw_any(lesson.batch * lesson.updates, generator(seed, "real"))
    return learn(network, start, examples, lesson=lesson, seed=seed)


def finite(running: Running) -> bool:
    """True where all weights are finite: a network that diverged says nothing of any set."""
    return all(bool(weight.isfinite().all()) for weight in running.params.values())


def checked(architectures: tuple[Architecture, ...], **counts: int) -> None:
    """OptionError unless there is an architecture and every count is at least 1."""
    if not architectures:
        raise OptionError("a state needs at least one architecture to draw from: give one.")
    for name, count in counts.items():
        if count < 1:
            raise OptionError(f"{name} is {count}: it must be at least 1.")


def _unpacked(moments: dict[str, Tensor]) -> OptimizerState:
    return {name: [moment] for name, moment in moments.items()}
