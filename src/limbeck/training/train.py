"""The only training loop: networks of one configuration, each decided by its own seed alone."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from limbeck.compilation import settled
from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.task import Pool
from limbeck.errors import FitError, OptionError
from limbeck.networks.network import Network
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.training.configuration import Configuration
from limbeck.training.cost import forward_flops, training_seconds
from limbeck.training.feed import Feed
from limbeck.training.forms import Job, Run, looped, stacked
from limbeck.training.layout import Layout
from limbeck.training.passes import Passes
from limbeck.training.stages import Stages

__all__ = ["Trained", "train"]

CUDA_RATE = 3e12  # operations a second that eager passes of small ConvNets reach at least: an assumption, kept low
MOST_TOGETHER = 300.0  # seconds that networks are trained in one pass where the session has an end


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training run leaves, network by network in the order of the seeds.

    params:    last weights (of a network that stopped: those before the update that failed).
    snapshots: weights at the asked shares of the updates.
    failures:  "" or the sentence that says at which update a network stopped, and why.
    losses:    mean training loss over each hundredth of the updates, as far as the network came.
    updates:   optimizer steps planned for each network.  seconds: wall-clock time of all networks together.
    """

    params: tuple[Params, ...]
    snapshots: tuple[tuple[Params, ...], ...]
    failures: tuple[str, ...]
    losses: tuple[tuple[float, ...], ...]
    updates: int
    seconds: float


def train(
    network: Network,
    configuration: Configuration,
    examples: Examples | Pool,
    *,
    seeds: Sequence[int],
    compute: Compute,
    keep: Sequence[float] = (),
    start: Sequence[Params] | None = None,
    stages: Stages | None = None,
) -> Trained:
    """Train one network a seed on ``examples`` as ``configuration`` says.

    A network depends on its own seed only, not on those beside it: the seed gives its initial weights, the order of its
    batches and its augmentation. A set that fits a batch is one whole batch an update, a larger one is shuffled every
    epoch and cut into equal batches. The loss of a batch is Σ w_i ℓ_i / n with weights of mean one over the set.

    keep:   shares of the updates in [0, 1] at which weights are kept.
    start:  initial weights, one a seed, instead of fresh ones.
    stages: where a training stops when their time is over, to go on at the next call with the same bytes.
    Raises FitError and OptionError before training starts, Paused where ``stages`` ended the session; a loss or weight
    that is not finite stops its network only.
    """
    began = time.perf_counter()
    _check(seeds, keep, start)
    feed = Feed(examples, configuration.augmentation, batch=configuration.batch, device=compute.torch_device)
    feed.check(network)
    flats, layout = _initial(network, seeds, start, feed)
    updates = configuration.length.updates(feed.size, configuration.batch)
    work = training_seconds(network, feed.batch, updates * len(seeds))
    compute = settled(compute, work_seconds=work)
    passes = Passes(network, layout, kind=configuration.loss, compute=compute)
    marks = tuple(round(share * updates) for share in keep)
    job = Job(network, configuration, feed, layout, passes, updates, marks, stages)
    form = stacked if _together(job, len(seeds)) else looped
    runs = form(job, seeds, flats)
    return Trained(
        params=tuple(layout.copy(run.flat) for run in runs),
        snapshots=tuple(tuple(layout.copy(flat) for flat in run.snapshots) for run in runs),
        failures=tuple(_sentence(run, updates) for run in runs),
        losses=tuple(_curve(run.losses, updates) for run in runs),
        updates=updates,
        seconds=time.perf_counter() - began + sum(run.before for run in runs),
    )


def _together(job: Job, networks: int) -> bool:
    """Are they trained in one pass? Only on CUDA, and where that takes no stages: it cannot stop on the way."""
    if job.feed.device.type != "cuda" or networks == 1:
        return False
    operations = 3 * forward_flops(job.network) * job.feed.batch * job.updates * networks
    return job.stages is None or operations / CUDA_RATE < MOST_TOGETHER


def _check(seeds: Sequence[int], keep: Sequence[float], start: Sequence[Params] | None) -> None:
    if not seeds:
        raise OptionError("no seed was given: give one for each network.")
    if not all(0 <= share <= 1 for share in keep):
        raise OptionError(f"keep is {tuple(keep)}: it holds shares of the updates, between 0 and 1.")
    if start is not None and len(start) != len(seeds):
        raise FitError(f"{len(start)} starting weights were given for {len(seeds)} seeds: give one for each.")


def _initial(
    network: Network, seeds: Sequence[int], start: Sequence[Params] | None, feed: Feed
) -> tuple[list[Tensor], Layout]:
    """Flat initial weights of each network; drawn on the CPU, so that they are the same on every device."""
    params = [network.init(generator(seed, "init"), feed.dtype) for seed in seeds] if start is None else list(start)
    layout = Layout(params[0])
    return [layout.join(each).detach().to(feed.device, feed.dtype) for each in params], layout


def _sentence(run: Run, updates: int) -> str:
    if run.failed is None:
        return ""
    return f"stopped at update {run.failed + 1} of {updates}: the loss or a weight became infinite or not a number."


def _curve(losses: Sequence[float], updates: int) -> tuple[float, ...]:
    span = max(1, math.ceil(updates / 100))
    parts = [losses[low : low + span] for low in range(0, len(losses), span)]
    return tuple(sum(part) / len(part) for part in parts)
