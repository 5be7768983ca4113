"""The two forms of the training loop: one network after the other, and all of them in one vectorised pass."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from limbeck.compilation import maybe_compile
from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.examples import Examples
from limbeck.networks.network import Network
from limbeck.training.configuration import Configuration
from limbeck.training.cost import training_seconds
from limbeck.training.feed import Feed, augmented
from limbeck.training.layout import Layout
from limbeck.training.passes import Passes

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

    def rate(self, update: int) -> float:
        return self.configuration.optimizer.lr * self.configuration.schedule.factor(update, self.updates)


@dataclass(eq=False)
class Run:
    """One network on its way: its loss at each update, its snapshots, and the update at which it failed."""

    flat: Tensor
    losses: list[float] = field(default_factory=list)
    snapshots: list[Tensor] = field(default_factory=list)
    failed: int | None = None


def looped(job: Job, seeds: Sequence[int], flats: Sequence[Tensor]) -> list[Run]:
    """One network after the other: the better form on a CPU, whose cores and cache one network already fills."""
    work = training_seconds(job.network, job.feed.batch, job.updates * len(seeds))
    job.passes.loss = maybe_compile(job.passes.plain_loss, job.passes.compute, work_seconds=work)
    return [_one(job, seed, flat) for seed, flat in zip(seeds, flats, strict=True)]


def _one(job: Job, seed: int, flat: Tensor) -> Run:
    optimizer, augmentation = job.configuration.optimizer, job.configuration.augmentation
    run, state, batches = Run(flat), optimizer.init([flat]), job.feed.batches(seed)
    for update in range(job.updates):
        run.snapshots += [run.flat for mark in job.marks if mark == update]
        examples, draw = next(batches)
        batch = augmented(augmentation, examples, draw, classes=job.network.classes)
        loss, grad = job.passes.gradient(run.flat, batch)
        (new,), state = optimizer.step([run.flat], [grad], state, job.rate(update))
        if not bool(torch.isfinite(loss) & torch.isfinite(new).all()):
            run.failed = update
            break
        run.losses.append(float(loss))
        run.flat = new
    run.snapshots += [run.flat] * (len(job.marks) - len(run.snapshots))
    return _sorted_back(run, job.marks)


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
        run = Run(flat[row], kept, [snapshot[row] for snapshot in snapshots], failed)
        runs.append(_sorted_back(run, job.marks))
    return runs


def _stack(augmentation: Augmentation, each: Sequence[tuple[Examples, Draw]], classes: int) -> Examples:
    """One augmented batch a network, as tensors (m, n, …)."""
    batches = [augmented(augmentation, examples, draw, classes=classes) for examples, draw in each]
    weights = [b.weights for b in batches if b.weights is not None]
    inputs, targets = torch.stack([b.inputs for b in batches]), torch.stack([b.targets for b in batches])
    return Examples(inputs, targets, torch.stack(weights) if weights else None)


def _sorted_back(run: Run, marks: Sequence[int]) -> Run:
    """Snapshots were taken in the order of time; ``keep`` may name them in any order."""
    times = sorted(range(len(marks)), key=lambda i: marks[i])
    taken = dict(zip(times, run.snapshots, strict=True))
    run.snapshots = [taken[i] for i in range(len(marks))]
    return run
