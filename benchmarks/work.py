"""The two sides of every row: the same work by the reference path and by limbeck."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import reference
import torch
from paired import Seconds, timed

import limbeck.data as data
from limbeck.compute import Compute
from limbeck.data.augment import DSA
from limbeck.data.examples import Examples
from limbeck.data.task import Task
from limbeck.distillation.distill import compose
from limbeck.distillation.distiller import Distiller, Progress, Situation
from limbeck.networks.convnet import ConvNet
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.predict import predict
from limbeck.training.train import train
from limbeck.training.unroll import UnrollSteps, unrolled_gradient

FLOAT32 = Compute(device="cpu", precision="float32", compilation="off")
FAST = Compute(device="cpu", compilation="on")  # what "auto" comes to where the work is long enough


@dataclass(frozen=True)
class Sizes:
    """How large the work is; the defaults are the field's yardstick."""

    side: int = 32
    channels: int = 3
    classes: int = 10
    per_class: int = 10
    real_batch: int = 256
    real: int = 400  # stored real images a class
    width: int = 128
    depth: int = 3

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.side, self.side

    @property
    def network(self) -> ConvNet:
        return ConvNet(depth=self.depth, width=self.width)


def task_of(sizes: Sizes) -> Task:
    """Random images: what is timed does not depend on what they show."""
    draws, count = np.random.default_rng(0), sizes.classes * sizes.real
    images = draws.integers(0, 256, (count, *sizes.shape), dtype=np.uint8)
    few = draws.integers(0, 256, (2 * sizes.classes, *sizes.shape), dtype=np.uint8)
    labels = np.arange(count) % sizes.classes
    return data.arrays(images, labels, test=(few, np.arange(len(few)) % sizes.classes), validation_share=0.1)


class _Enough(Exception):
    """Ends a distillation from within its watch."""


def limbeck_steps(
    method: str, task: Task, sizes: Sizes, *, compute: Compute, steps: int = 2, **changes: Any
) -> Seconds:
    """Mean seconds of ``steps`` iterations after a first one, of a distillation that is then thrown away."""
    distiller = compose(
        task,
        method,
        sizes.per_class,
        network=sizes.network,
        augmentation=DSA(),
        real_batch=sizes.real_batch,
        iterations=10_000,
        **changes,
    )

    def run() -> float:
        times: list[float] = []

        def watch(progress: Progress) -> None:
            del progress
            times.append(time.perf_counter())
            if len(times) > steps:
                raise _Enough

        with suppress(_Enough):
            distiller.distill(task, replace(Situation(sizes.per_class, 0, compute), watch=watch))
        return (times[-1] - times[0]) / steps

    return run


def iteration(made: Distiller, task: Task, per_class: int, *, spend: float) -> tuple[float, float]:
    """CPU seconds of an iteration (mean of those after the first, at least three), and of what comes before."""
    times: list[float] = []
    began = time.process_time()

    def watch(progress: Progress) -> None:
        del progress
        times.append(time.process_time())
        if len(times) > 3 and times[-1] - times[0] > spend:
            raise _Enough

    with suppress(_Enough):
        made.distill(task, replace(Situation(per_class, 0, FLOAT32), watch=watch))
    each = (times[-1] - times[0]) / (len(times) - 1)
    return each, times[0] - began - each


def matching(task: Task, sizes: Sizes) -> reference.Matching:
    """The reference path's images and data, of the same shape and number."""
    everything = task.train.examples()
    known = reference.Data(everything.inputs, everything.targets, sizes.classes)
    first = torch.cat([everything.inputs[rows[: sizes.per_class]] for rows in known.rows])
    return reference.Matching(first, known, sizes.per_class, sizes.real_batch, sizes.width, depth=sizes.depth)


def dm(sizes: Sizes, compute: Compute) -> tuple[Seconds, Seconds]:
    """One step of distribution matching."""
    task = task_of(sizes)
    job = matching(task, sizes)
    return timed(partial(reference.dm_step, job)), limbeck_steps("dm", task, sizes, compute=compute)


def dsa(sizes: Sizes, compute: Compute) -> tuple[Seconds, Seconds]:
    """One step of gradient matching at a fresh network, without the training between two steps."""
    task = task_of(sizes)
    job = matching(task, sizes)
    ours = limbeck_steps("dsa", task, sizes, compute=compute, steps=1, **{"state.steps": 1})
    return timed(partial(reference.dsa_step, job)), ours


def training(sizes: Sizes, compute: Compute, *, epochs: int = 4) -> tuple[Seconds, Seconds]:
    """One epoch of one network on the synthetic set, augmentation included."""
    n = sizes.classes * sizes.per_class
    images = torch.randn(n, *sizes.shape, generator=generator(0, "images"))
    labels = torch.arange(n) % sizes.classes
    recipe = Configuration("bench", sizes.network, augmentation=DSA(), length=Updates(epochs))
    network = sizes.network.build(sizes.shape, sizes.classes)

    def theirs() -> None:
        one = reference.ConvNet(sizes.shape, sizes.classes, sizes.width, sizes.depth)
        reference.train(one, images, labels, reference.Lesson(epochs), 0)

    def ours() -> None:
        train(network, recipe, Examples(images, labels), seeds=(0,), compute=compute)

    return timed(theirs, epochs), timed(ours, epochs)


def test_pass(sizes: Sizes, compute: Compute, *, images: int = 2560) -> tuple[Seconds, Seconds]:
    """A test pass, for 10,000 images."""
    inputs = torch.randn(images, *sizes.shape, generator=generator(0, "test"))
    labels = torch.arange(images) % sizes.classes
    one = reference.ConvNet(sizes.shape, sizes.classes, sizes.width, sizes.depth)
    network = sizes.network.build(sizes.shape, sizes.classes)
    params = network.init(generator(0, "weights"))

    def ours() -> None:
        predict(network, params, inputs, statistics=None, compute=compute).argmax(1).eq(labels).float().mean()

    share = images / 10_000
    return timed(partial(reference.accuracy, one, inputs, labels), share), timed(ours, share)


def unroll(sizes: Sizes, *, steps: int, stride: int | None = 1) -> tuple[Seconds, Seconds]:
    """One step of training, differentiated in the images: autograd through the loop, and the backward walk."""
    n = sizes.classes * sizes.per_class
    images = torch.randn(n, *sizes.shape, generator=generator(0, "images"))
    labels = torch.arange(n) % sizes.classes
    one = reference.ConvNet(sizes.shape, sizes.classes, sizes.width, sizes.depth)
    network = sizes.network.build(sizes.shape, sizes.classes)
    start = network.init(generator(0, "weights"))
    plan = UnrollSteps(batches=(torch.arange(n),) * steps, stride=stride)

    def outer(params: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(network(params, images).logits, labels)

    def ours() -> None:
        examples = Examples(images, labels)
        unrolled_gradient(network, start, examples=examples, step_size=0.01, steps=plan, outer=outer)

    theirs = partial(reference.unrolled, one, images, labels, steps=steps, rate=0.01)
    return timed(theirs, steps), timed(ours, steps)
