"""How far configurations are apart, measured, and how many balls of a radius cover a space of them."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.errors import OptionError
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration
from limbeck.training.feed import Feed, augmented
from limbeck.training.layout import Layout
from limbeck.training.passes import Passes
from limbeck.training.space import Space

__all__ = ["covering_number", "distance_matrix", "net"]


def distance_matrix(
    space: Space, examples: Examples, *, classes: int, seeds: Sequence[int] = (0, 1, 2), compute: Compute | None = None
) -> Tensor:
    """(m, m) distances d(a, b) = mean over seeds of ‖Δ_a − Δ_b‖ / (‖Δ_a‖ + ‖Δ_b‖), in [0, 1], float64.

    Δ_a (n·k values) is what one update by configuration a, from fresh weights, changes in the logits of the examples,
    less the mean over classes, which no decision depends on; logits can be compared between architectures, weights
    cannot. Each term is a metric (a relative distance in an inner product space), and so is their mean.
    """
    if not seeds:
        raise OptionError("no seed was given: distances are a mean over at least one.")
    compute = (compute or Compute(compilation="off")).resolve()
    total = torch.zeros(len(space), len(space), dtype=torch.float64)
    for seed in seeds:
        moves = torch.stack([_move(c, examples, classes, seed, compute) for c in space])
        norms = moves.norm(dim=1)
        gaps = torch.stack([(moves - move).norm(dim=1) for move in moves])
        total += gaps / (norms[:, None] + norms[None, :]).clamp_min(torch.finfo(torch.float64).tiny)
    return total / len(seeds)


def covering_number(distances: Tensor, radius: float) -> int:
    """Size of a net: every point lies within ``radius`` of a centre; found greedily, the farthest point first.

    The centres are more than ``radius`` apart, so covering(radius) ≤ the result ≤ packing(radius) ≤ covering(radius/2).
    """
    if not radius >= 0:
        raise OptionError(f"the radius is {radius}: it must be at least 0.")
    return next(len(centres) for centres, covered in _nets(distances) if covered <= radius)


def net(distances: Tensor, count: int) -> tuple[tuple[int, ...], float]:
    """``count`` centres (row indices) and the radius within which every point has one [gonzalez1985clustering].

    Greedy: the first point, then always the one farthest from all centres; the radius is at most twice the least that
    ``count`` centres can have. Points that coincide with a centre are not taken: there may be fewer than ``count``.
    """
    if count < 1:
        raise OptionError(f"a net of {count} centres covers nothing: ask for at least 1.")
    return next(found for found in _nets(distances) if len(found[0]) == count or found[1] == 0)


def _nets(distances: Tensor) -> Iterator[tuple[tuple[int, ...], float]]:
    """Nets of 1, 2, … centres with the radius that each covers all points at."""
    centres: tuple[int, ...] = (0,)
    nearest = distances[0].clone()
    while True:
        yield centres, float(nearest.max())
        centres = (*centres, int(nearest.argmax()))
        nearest = torch.minimum(nearest, distances[centres[-1]])


def _move(configuration: Configuration, examples: Examples, classes: int, seed: int, compute: Compute) -> Tensor:
    """Δ: (n·k,) float64, on the CPU."""
    device = compute.torch_device
    feed = Feed(examples, configuration.augmentation, batch=len(examples), device=device)
    network = configuration.architecture.build(feed.shape, classes)
    feed.check(network)
    params = network.init(generator(seed, "init"), feed.dtype)
    layout = Layout(params)
    passes = Passes(network, layout, kind=configuration.loss, compute=compute)
    flat = layout.join(params).to(device)
    probe, draw = next(feed.batches(seed))
    _, grad = passes.gradient(flat, augmented(configuration.augmentation, probe, draw, classes=classes))
    optimizer, updates = configuration.optimizer, configuration.length.updates(len(examples), configuration.batch)
    rate = optimizer.lr * configuration.schedule.factor(0, updates)
    (new,), _ = optimizer.step([flat], [grad], optimizer.init([flat]), rate)
    with torch.no_grad():
        before, after = (network(layout.split(w), probe.inputs).logits.double() for w in (flat, new))
    change = after - before
    return (change - change.mean(1, keepdim=True)).flatten().cpu()
