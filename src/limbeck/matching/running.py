"""A running network: weights and moments that go on learning for a few updates at a time."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.examples import Examples
from limbeck.errors import OptionError
from limbeck.matching.state import Surroundings
from limbeck.networks.network import Architecture, Network
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.training.feed import Feed, augmented
from limbeck.training.layout import Layout
from limbeck.training.optimizer import Optimizer, OptimizerState
from limbeck.training.passes import Passes

__all__ = ["Lesson", "Running", "checked", "choose", "fresh", "learn", "learn_on_real", "seed_from"]


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


def seed_from(surroundings: Surroundings) -> int:
    """A fresh integer seed from the surroundings' generator, the same on every device that draws the same bits."""
    rng = surroundings.generator
    return int(torch.randint(2**62, (), generator=rng, device=rng.device))


def choose(count: int, surroundings: Surroundings) -> int:
    """A uniform index in [0, count)."""
    return seed_from(surroundings) % count


def fresh(architecture: Architecture, surroundings: Surroundings) -> Params:
    """New weights on the run's device, drawn on the CPU so that they are the same on every device."""
    weights = architecture.build(surroundings.shape, surroundings.classes).init(
        generator(seed_from(surroundings), "init")
    )
    return {name: w.to(surroundings.compute.torch_device) for name, w in weights.items()}


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


def checked(architectures: tuple[Architecture, ...], **counts: int) -> None:
    """OptionError unless there is an architecture and every count is at least 1."""
    if not architectures:
        raise OptionError("a state needs at least one architecture to draw from: give one.")
    for name, count in counts.items():
        if count < 1:
            raise OptionError(f"{name} is {count}: it must be at least 1.")


def _unpacked(moments: dict[str, Tensor]) -> OptimizerState:
    return {name: [moment] for name, moment in moments.items()}
