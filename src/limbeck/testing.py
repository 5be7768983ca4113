"""Conformance suites: a discrepancy, a network or a distiller of your own can prove that it keeps its contract.

Each ``check_…`` returns nothing, or raises AssertionError with a sentence that names the broken fact.
"""

import functools
import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.data.task import Pool, Sealed, Task
from limbeck.distillation.distiller import Distiller, Situation
from limbeck.errors import LimbeckError
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context, Discrepancy
from limbeck.networks.network import Architecture
from limbeck.seeds import generator
from limbeck.values import decode, encode

__all__ = ["check_discrepancy", "check_distiller", "check_network"]

DIMENSION = 3
SIZES = ((3, 4), (2, 5))  # points a group, of the first and of the second cloud; paired clouds both take the first


def check_discrepancy(discrepancy: Discrepancy, *, seed: int = 0) -> None:
    """Verify a discrepancy's declared facts on small random clouds; AssertionError names what does not hold.

    Checked: it is a value; symmetry; zero for equal clouds, and only there where it says so; sign; pairing; bias (by
    all subsamples of a finite population, so exactly); the order of points, groups that add up, weights; the gradient
    in both clouds against difference quotients in float64 (of ``fixed`` where something is held constant, and without
    it that a step down lowers the value); that it is finite where points coincide; the points' type; randomness from
    the context alone; and of an adversary that it increases the discrepancy.
    """
    bench = _Bench(discrepancy, seed)
    _is_value(discrepancy)
    before = torch.get_rng_state()
    for check in (_symmetry, _equality, _difference, _sign, _order, _groups, _pairing, _weights, _bias):
        check(bench)
    for check in (_gradient, _degenerate, _types, _repetition, _adversary):
        check(bench)
    bench.holds(torch.equal(before, torch.get_rng_state()), "draws from the global generator; use context.generator")


@dataclass(frozen=True, eq=False)
class _Bench:
    """A discrepancy under examination, and the clouds that it is examined on."""

    discrepancy: Discrepancy
    seed: int

    @property
    def paired(self) -> bool:
        return self.discrepancy.facts.paired

    def cloud(self, name: str, sizes: tuple[int, ...], spread: float = 1.0, shift: float = 0.0) -> Cloud:
        """Normal points in float64, ``sizes[g]`` in group g."""
        points = torch.randn(sum(sizes), DIMENSION, generator=generator(self.seed, name), dtype=torch.float64)
        return self.around(points * spread + shift, sizes)

    def around(self, points: Tensor, sizes: tuple[int, ...], weights: Tensor | None = None) -> Cloud:
        groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        return Cloud(points, groups, len(sizes), weights, paired=self.paired)

    def pair(self, spread: float = 1.5, shift: float = 0.5) -> tuple[Cloud, Cloud]:
        second = SIZES[0] if self.paired else SIZES[1]
        return self.cloud("first", SIZES[0]), self.cloud("second", second, spread, shift)

    def context(self, draw: int = 0) -> Context:
        """A fresh one with the state of a beginning run; the same randomness for the same ``draw``."""
        state = self.discrepancy.init(DIMENSION, generator(self.seed, "state"))
        return Context(0.5, generator(self.seed, "draw", draw), state)

    def value(self, real: Cloud, synthetic: Cloud) -> float:
        return float(self.discrepancy(real, synthetic, self.context()))

    @functools.cached_property
    def usual(self) -> float:
        """The size of a value, which rounding is measured by."""
        return abs(self.value(*self.pair()))

    def slopes(self, real: Cloud, synthetic: Cloud) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The value, and its gradients in both clouds' points; zeros where it does not depend on them."""
        leaves = tuple(c.points.clone().requires_grad_() for c in (real, synthetic))
        result = self.discrepancy(real.with_points(leaves[0]), synthetic.with_points(leaves[1]), self.context())
        if not result.requires_grad:
            return result, tuple(torch.zeros_like(leaf) for leaf in leaves)
        return result, torch.autograd.grad(result, leaves, materialize_grads=True, retain_graph=True)

    def holds(self, fact: bool, sentence: str) -> None:
        if not fact:
            raise AssertionError(f"{type(self.discrepancy).__name__} {sentence}.")

    def agree(self, one: float, other: float, sentence: str, tolerance: float = 1e-6) -> None:
        scale = max(abs(one), abs(other), self.usual, 1e-9)
        self.holds(abs(one - other) <= tolerance * scale, f"{sentence}: {one:.9g} against {other:.9g}")


def _is_value(thing: Any) -> None:
    name = type(thing).__name__
    try:
        same = decode(encode(thing)) == thing and hash(thing) == hash(decode(encode(thing)))
    except (TypeError, LimbeckError) as error:
        raise AssertionError(f"{name} is no frozen value that can be written and read back: use @value.") from error
    if not same:
        raise AssertionError(f"{name} is not equal to itself after it was written and read back.")


def _symmetry(bench: _Bench) -> None:
    if bench.discrepancy.facts.symmetric:
        a, b = bench.pair()
        bench.agree(bench.value(a, b), bench.value(b, a), "declares that it is symmetric, but D(P, Q) ≠ D(Q, P)")


def _equality(bench: _Bench) -> None:
    facts = bench.discrepancy.facts
    a, _ = bench.pair()
    if facts.unbiased or not facts.nonnegative:  # an estimator: of two equal samples it says something below zero
        bench.holds(not facts.zero_iff_equal, "declares zero for equal clouds and no bias, which exclude each other")
        return
    bench.agree(bench.value(a, a), 0.0, "is not zero for equal clouds", 1e-4)


def _difference(bench: _Bench) -> None:
    if not bench.discrepancy.facts.zero_iff_equal:
        return
    a, b = bench.pair()
    least = 1e-3 * bench.value(a, b)
    bench.holds(least > 0, "declares zero only for equal clouds, but is zero for two random ones")
    moved = a.with_points(a.points + 0.7)
    bench.holds(bench.value(a, moved) > least, "declares zero only for equal clouds, but does not see a translation")
    spread = a.with_points(a.means()[a.groups] + 2.0 * (a.points - a.means()[a.groups]))
    bench.holds(
        bench.value(a, spread) > least, "declares zero only for equal clouds, but sees no spread around one mean"
    )


def _sign(bench: _Bench) -> None:
    if not bench.discrepancy.facts.nonnegative:
        return
    for spread, shift in itertools.product((0.3, 1.0, 3.0), (0.0, 1.0)):
        found = bench.value(*bench.pair(spread, shift))
        least = -1e-6 * max(1.0, abs(bench.value(*bench.pair())))
        bench.holds(found >= least, f"declares that it is never negative, but says {found:.6g}")


def _order(bench: _Bench) -> None:
    a, b = bench.pair()
    other = [c.with_points(torch.cat([p.flip(0) for p in c.split()])) for c in (a, b)]
    bench.agree(bench.value(*other), bench.value(a, b), "depends on the order of the points in a group")


def _groups(bench: _Bench) -> None:
    a, b = bench.pair()
    alone = [
        bench.value(bench.around(p, (len(p),)), bench.around(q, (len(q),)))
        for p, q in zip(a.split(), b.split(), strict=True)
    ]
    bench.agree(bench.value(a, b), sum(alone), "does not add up over groups")


def _pairing(bench: _Bench) -> None:
    if not bench.paired:
        return
    a, b = bench.pair()
    loose = Cloud(b.points, b.groups, b.count)
    fewer = bench.cloud("second", (2, 4))
    for other, why in ((loose, "are not paired"), (fewer, "have unequal shapes")):
        try:
            bench.discrepancy(a, other, bench.context())
        except LimbeckError:
            continue
        bench.holds(False, f"declares that it compares row with row, but takes clouds that {why}")


def _weights(bench: _Bench) -> None:
    """A point that is there twice is a point of twice the weight; samples with a bias correction are no measures."""
    if bench.paired or bench.discrepancy.facts.unbiased or not bench.discrepancy.facts.nonnegative:
        return
    _, b = bench.pair()
    points = bench.cloud("first", (3,)).points
    twice = bench.around(torch.cat([points, points[:1]]), (4,))
    heavy = bench.around(points, (3,), torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64))
    other = bench.around(b.split()[1], (len(b.split()[1]),))
    sentence = "does not treat a point of twice the weight as two points"
    bench.agree(bench.value(twice, other), bench.value(heavy, other), sentence)
    bench.agree(bench.value(other, twice), bench.value(other, heavy), sentence)


def _bias(bench: _Bench) -> None:
    """Mean over all subsamples of a finite population against the population's own value.

    A statistic is unbiased for every distribution exactly when it is a U-statistic, and exactly then the mean over
    subsamples without replacement is its value on the population.
    """
    declared = bench.discrepancy.facts.unbiased
    if bench.paired or declared is None:
        return
    a, b = bench.cloud("first", (4,)), bench.cloud("second", (4,), 1.5, 0.5)
    pairs = itertools.product(itertools.combinations(range(4), 2), itertools.combinations(range(4), 3))
    found = [
        bench.value(bench.around(a.points[list(i)], (2,)), bench.around(b.points[list(j)], (3,))) for i, j in pairs
    ]
    mean, whole = sum(found) / len(found), bench.value(a, b)
    if declared:
        bench.agree(mean, whole, "declares no bias, but its mean over samples is not the population's value")
    else:
        bench.holds(abs(mean - whole) > 1e-6 * abs(whole), "declares a bias and has none")


def _gradient(bench: _Bench) -> None:
    a, b = bench.pair()
    if bench.discrepancy.facts.held:  # what is held may differ between groups: one is looked at
        a, b = (bench.around(c.split()[0], (len(c.split()[0]),)) for c in (a, b))
    value, grads = bench.slopes(a, b)
    bench.holds(value.ndim == 0 and bool(torch.isfinite(value)), "does not return one finite number")
    bench.holds(value.requires_grad, "cannot be differentiated")
    bench.holds(all(bool(torch.isfinite(g).all()) for g in grads), "has a gradient that is not finite")
    still = bench.discrepancy.fixed(a, b)
    if bench.discrepancy.facts.held and still == bench.discrepancy:
        _descent(bench, (a, b), grads)
        return
    frozen = _Bench(still, bench.seed)
    bench.agree(frozen.value(a, b), float(value.detach()), "fixes something else than what it holds constant")
    for side, (cloud, grad) in enumerate(zip((a, b), grads, strict=True)):
        step = torch.randn(cloud.points.shape, generator=generator(bench.seed, "step", side), dtype=torch.float64)
        ends = []
        for size in (1e-6, -1e-6):
            moved = cloud.with_points(cloud.points + size * step)
            ends.append(frozen.value(moved, b) if side == 0 else frozen.value(a, moved))
        which = ("first", "second")[side]
        quotient, slope = (ends[0] - ends[1]) / 2e-6, float((grad * step).sum())
        bench.agree(slope, quotient, f"has a wrong gradient in the {which} cloud's points", 1e-4)


def _descent(bench: _Bench, pair: tuple[Cloud, Cloud], grads: tuple[Tensor, ...]) -> None:
    """What is held is not known, so that no quotient can be compared with: a small step down must lower the value."""
    here = bench.value(*pair)
    for side, grad in enumerate(grads):
        steepness = float(grad.square().sum())
        bench.holds(steepness > 0, "has no gradient")
        lower = pair[side].with_points(pair[side].points - 1e-3 * abs(here) / steepness * grad)
        there = bench.value(lower, pair[1]) if side == 0 else bench.value(pair[0], lower)
        which = ("first", "second")[side]
        bench.holds(there < here, f"rises where the {which} cloud's points go down its gradient")


def _degenerate(bench: _Bench) -> None:
    """Where a root or a norm has no derivative there must be a finite one: NaN would end a run."""
    a, b = bench.pair()
    met = b.points.clone()
    met[:2] = a.points[0]
    cases = {
        "clouds are equal": (a, a),
        "points coincide": (a, b.with_points(met)),
        "all points are one": (a.with_points(torch.ones_like(a.points)), b.with_points(torch.ones_like(b.points))),
        "all points are zero": (a.with_points(torch.zeros_like(a.points)), b.with_points(torch.zeros_like(b.points))),
    }
    for (case, pair), kind in itertools.product(cases.items(), (torch.float64, torch.float32)):
        value, grads = bench.slopes(*(c.with_points(c.points.to(kind)) for c in pair))
        bench.holds(bool(torch.isfinite(value)), f"is not finite where {case}")
        bench.holds(
            all(bool(torch.isfinite(g).all()) for g in grads), f"has a gradient that is not finite where {case}"
        )


def _types(bench: _Bench) -> None:
    a, b = bench.pair()
    exact = bench.value(a, b)
    for kind in (torch.float32, torch.float64):
        result = bench.discrepancy(a.with_points(a.points.to(kind)), b.with_points(b.points.to(kind)), bench.context())
        bench.holds(result.dtype == kind, f"returns {result.dtype} for points of {kind}")
        bench.agree(float(result), exact, f"says something else in {kind}", 1e-2)


def _repetition(bench: _Bench) -> None:
    a, b = bench.pair()
    kept = a.points.clone(), b.points.clone()
    bench.holds(bench.value(a, b) == bench.value(a, b), "gives two values for the same clouds, state and randomness")
    bench.holds(torch.equal(kept[0], a.points) and torch.equal(kept[1], b.points), "changes the points it is given")


def _adversary(bench: _Bench) -> None:
    """Twenty steps of the adversary raise the discrepancy, averaged over draws; the old state's tensors stay."""
    a, b = bench.pair()
    context = bench.context(100)
    before = dict(context.state)
    kept = {name: tensor.clone() for name, tensor in before.items()}
    for _ in range(20):
        bench.discrepancy.ascend(a, b, context)
    unchanged = all(torch.equal(kept[name], tensor) for name, tensor in before.items())
    bench.holds(unchanged, "changes tensors of its state in place; put new ones into context.state")
    if all(context.state[name] is tensor for name, tensor in before.items()):
        return

    def mean(state: dict[str, Tensor]) -> float:
        draws = [Context(0.5, generator(bench.seed, "judge", i), dict(state)) for i in range(5)]
        return sum(float(bench.discrepancy(a, b, draw)) for draw in draws) / len(draws)

    start, end = mean(before), mean(context.state)
    bench.holds(end >= start, f"has an adversary that lowers it, from {start:.6g} to {end:.6g}")


def check_network(architecture: Architecture, shape: tuple[int, ...], classes: int = 3, *, seed: int = 0) -> None:
    """Verify an architecture on inputs of ``shape``: it is a value, a pure function, and differentiable.

    Checked: written and read back; weights that follow from the generator alone; shapes of logits, embedding and maps;
    the same outputs twice; examples that do not see each other (without batch norm); finite gradients in the inputs
    and in at least one weight.
    """
    _is_value(architecture)
    name = type(architecture).__name__
    network = architecture.build(shape, classes)
    params = network.init(generator(seed, "weights"))
    again = network.init(generator(seed, "weights"))
    _require(all(torch.equal(params[k], again[k]) for k in params), name, "draws weights not from its generator alone")
    inputs = torch.randn(4, *shape, generator=generator(seed, "inputs")).requires_grad_()
    outputs = network(params, inputs)
    _require(outputs.logits.shape == (4, classes), name, f"gives logits of shape {tuple(outputs.logits.shape)}")
    _require(outputs.embedding.ndim == 2 and len(outputs.embedding) == 4, name, "gives no embedding (n, d)")
    _require(all(len(m) == 4 for m in outputs.maps), name, "gives maps that do not belong to the examples")
    _require(torch.equal(outputs.logits, network(params, inputs).logits), name, "gives other outputs the second time")
    if not network.uses_batch_statistics:
        alone = torch.cat([network(params, x[None]).logits for x in inputs])
        _require(torch.allclose(alone, outputs.logits, atol=1e-4), name, "lets examples of a batch see each other")
    leaves = {k: p.clone().requires_grad_() for k, p in params.items()}
    loss = network(leaves, inputs).logits.square().sum()
    grads = torch.autograd.grad(loss, [inputs, *leaves.values()], materialize_grads=True)
    _require(all(bool(torch.isfinite(g).all()) for g in grads), name, "has a gradient that is not finite")
    _require(bool(grads[0].any()) and any(bool(g.any()) for g in grads[1:]), name, "has no gradient")


def check_distiller(distiller: Distiller, task: Task, *, per_class: int = 1, seed: int = 0) -> None:
    """Verify a distiller on a (small) task: a value, the right number of finite examples, the same bytes twice, which
    neither the sealed test split nor global randomness has a part in.

    It is run three times, so give it few iterations.
    """
    _is_value(distiller)
    name = type(distiller).__name__

    def refused() -> Pool:
        raise AssertionError(f"{name} opens the sealed test split.")

    sealed = replace(task, test=Sealed(refused, task.test.size))
    before = _global_randomness()
    made = []
    for each in (seed, seed, seed + 1):
        made.append(distiller.distill(sealed, Situation(per_class, each)))
        _require(
            _global_randomness() == before, name, "draws from a global generator, or seeds it; use seeds.generator"
        )
    _require(not sealed.test.openings, name, "opens the sealed test split")
    first, second, other = made
    if first is None or second is None or other is None:
        raise AssertionError(f"{name} returns no set although it had all the time.")
    images, targets = first.examples().inputs, first.examples().targets
    _require(bool(torch.isfinite(images).all()), name, "makes images that are not finite")
    again = second.examples()
    same = torch.equal(images, again.inputs) and torch.equal(targets, again.targets)
    _require(same, name, "makes another set with the same seed")
    _require(not torch.equal(images, other.examples().inputs), name, "ignores the seed")
    stored = torch.bincount(first.labels, minlength=len(task.classes))
    _require(bool((stored == per_class).all()), name, f"does not store {per_class} examples a class")


def _global_randomness() -> tuple[object, ...]:
    """The states of torch's and NumPy's own generators, in a form that can be compared.

    Not Python's: libraries draw from it for what has no part in results (beartype chooses by it what to check).
    """
    numpy = np.random.get_state(legacy=False)["state"]
    return torch.get_rng_state().numpy().tobytes(), numpy["key"].tobytes(), numpy["pos"]


def _require(fact: bool, name: str, sentence: str) -> None:
    if not fact:
        raise AssertionError(f"{name} {sentence}.")
