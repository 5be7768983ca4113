"""The two forms of the training loop: one network after the other, and all of them in one vectorised pass."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.examples import Examples
from limbeck.networks.network import Network
from limbeck.training.configuration import Configuration
from limbeck.training.feed import Feed, augmented
from limbeck.training.layout import Layout
from limbeck.training.passes import Passes
from limbeck.training.stages import Paused, Stage, Stages

__all__ = ["Job", "Run", "looped", "stacked"]


@dataclass(frozen=True, eq=False)
class Job:
    """All that the networks of one call share."""

    network: Network
    configuration: Configuration
    feed: Feed
    layout: Layout
    passes: Passes
    updates: int
    marks: tuple[int, ...]
    stages: Stages | None = None

    def rate(self, update: int) -> float:
        return self.configuration.optimizer.lr * self.configuration.schedule.factor(update, self.updates)


@dataclass(frozen=True, eq=False)
class Run:
    """One trained network: its loss at each update, its snapshots, the update at which it failed, earlier sessions'
    seconds."""

    flat: Tensor
    losses: list[float]
    snapshots: list[Tensor]
    failed: int | None
    before: float = 0.0


def looped(job: Job, seeds: Sequence[int], flats: Sequence[Tensor]) -> list[Run]:
    """One network after the other: the better form on a CPU, whose cores and cache one network already fills."""
    return [_one(job, seed, flat) for seed, flat in zip(seeds, flats, strict=True)]


def _one(job: Job, seed: int, flat: Tensor) -> Run:
    fresh = Stage(flat, job.configuration.optimizer.init([flat]))
    kept = nullcontext(fresh) if job.stages is None else job.stages.training((job.configuration, seed), fresh)
    with kept as stage:
        before, left = stage.seconds, job.updates - stage.update if stage.failed is None else 0
        for _, (examples, draw) in zip(range(left), job.feed.batches(seed, stage.update), strict=False):
            _advance(job, stage, augmented(job.configuration.augmentation, examples, draw, classes=job.network.classes))
            if stage.failed is not None:
                break
            if job.stages is not None and job.stages.late and stage.update < job.updates:
                raise Paused
    snapshots = [*stage.snapshots, *[stage.flat] * (len(job.marks) - len(stage.snapshots))]
    return Run(stage.flat, stage.losses, _sorted_back(snapshots, job.marks), stage.failed, before)


def _advance(job: Job, stage: Stage, batch: Examples) -> None:
    """One update; where the loss or a weight becomes non-finite, the stage stays and has failed."""
    stage.snapshots += [stage.flat for mark in job.marks if mark == stage.update]
    loss, grad = job.passes.gradient(stage.flat, batch)
    rate = job.rate(stage.update)
    (new,), stage.moments = job.configuration.optimizer.step([stage.flat], [grad], stage.moments, rate)
    if not bool(torch.isfinite(loss) & torch.isfinite(new).all()):
        stage.failed = stage.update
        return
    stage.losses.append(float(loss))
    stage.flat, stage.update = new, stage.update + 1


def stacked(job: Job, seeds: Sequence[int], flats: Sequence[Tensor]) -> list[Run]:
    """All networks in one vectorised pass: the better form where launching work costs more than doing it (CUDA).

    Invariant: row j of every tensor depends on seed j only; a row that is not alive never changes again.
    """
    optimizer, many = job.configuration.optimizer, len(seeds)
    flat, streams = torch.stack(list(flats)), [job.feed.batches(seed) for seed in seeds]
    state, alive = optimizer.init([flat]), torch.ones(many, dtype=torch.bool, device=flat.device)
    trace = torch.full((job.updates, many), math.nan, device=flat.device)  # read once, after the last update
    snapshots: list[Tensor] = []
    for update in range(job.updates):
        snapshots += [flat for mark in job.marks if mark == update]
        batch = _stack(job.configuration.augmentation, [next(s) for s in streams], job.network.classes)
        losses, grads = job.passes.gradients(flat, batch)
        (new,), state = optimizer.step([flat], [grads], state, job.rate(update))
        alive = alive & torch.isfinite(losses) & torch.isfinite(new).all(1)
        flat = torch.where(alive[:, None], new, flat)
        trace[update] = torch.where(alive, losses, math.nan)
    snapshots += [flat] * (len(job.marks) - len(snapshots))
    columns = trace.cpu().T
    runs = []
    for row in range(many):
        kept = columns[row][~columns[row].isnan()].tolist()
        failed = None if len(kept) == job.updates else len(kept)
        runs.append(Run(flat[row], kept, _sorted_back([s[row] for s in snapshots], job.marks), failed))
    return runs


def _stack(augmentation: Augmentation, each: Sequence[tuple[Examples, Draw]], classes: int) -> Examples:
    """One augmented batch a network, as tensors (m, n, …)."""
    batches = [augmented(augmentation, examples, draw, classes=classes) for examples, draw in each]
    weights = [b.weights for b in batches if b.weights is not None]
    inputs, targets = torch.stack([b.inputs for b in batches]), torch.stack([b.targets for b in batches])
    return Examples(inputs, targets, torch.stack(weights) if weights else None)


def _sorted_back(snapshots: Sequence[Tensor], marks: Sequence[int]) -> list[Tensor]:
    """Snapshots were taken in the order of time; ``keep`` may name them in any order."""
    times = sorted(range(len(marks)), key=lambda i: marks[i])
    taken = dict(zip(times, snapshots, strict=True))
    return [taken[i] for i in range(len(marks))]
