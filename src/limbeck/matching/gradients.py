"""The view of weight gradients: the rows of each class's gradient, and two ways back.

With v = ∂loss/∂g fixed, the pull is ∇_x Σ_c ⟨∇_θ ℓ_c(θ; x_c), v_c⟩, in one of two forms:

* backward over backward: the graph of the class gradients is kept and differentiated once more. Nothing is computed
  twice, but the graphs of all classes are alive together.
* forward over backward: mixed partial derivatives commute, so the pull is the directional derivative of ∇_x ℓ_c along
  v_c in weight space, class by class, in memory of one piece. (The other order, backward over forward, is silently
  wrong through PyTorch's fused batch, instance and layer norms: their forward-mode formulas read the saved mean and
  variance as constants.)

Value and pull for ten classes on 32×32 (one thread, float32, milliseconds, first form / second): ConvNet-3-32 with 1,
10, 50 examples a class 129 / 443, 611 / 1021, 2749 / 1868; ConvNet-3-128 with 1, 10: 301 / 555, 2341 / 2077. The size
of the graph decides. Where passes are compiled, the second form is (PyTorch compiles one derivative of a compiled
graph, not two).
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, ParamSpec, TypeVar, final

import torch
from torch import Tensor

from limbeck.compilation import compiled
from limbeck.compute import Compute
from limbeck.errors import FitError
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.matching.per_example import chunks, lowered
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.networks.network import Architecture, Network
from limbeck.seeds import generator
from limbeck.shapes import Params, Scalar
from limbeck.training.loss import example_losses
from limbeck.values import replace, value

__all__ = ["Gradients"]

P = ParamSpec("P")
R = TypeVar("R")

LARGEST_GRAPH = 12_000_000  # map values of the whole batch up to which its graph is kept (about 0.4 GB in float32)


class Piece(NamedTuple):
    """Consecutive examples of one group that go through the network together."""

    group: int
    rows: slice


@final
@value
class Gradients(View):
    """g_c = ∇_θ ℓ_c, ℓ_c the (weighted) mean cross-entropy of class c's examples; paired rows, a cloud a weight tensor.

    layers:      "weights" (all tensors with two or more dimensions), "conv" (convolution kernels only), or "all"
                 (biases and normalisation too, each one row).
    unit:        what one row is: "row" (an output unit: conv (out, in·h·w), linear (out, in)), "layer" (a whole
                 tensor), or "network" (all tensors of the view together, one cloud).
    sum_classes: one group with (1/C) Σ_c g_c instead of a group a class [lee2022dcc].

    Batch norm sees one class at a time, as in a network that is given the class alone. [zhao2021dc] [kim2022idc]
    """

    layers: Literal["weights", "conv", "all"] = "weights"
    unit: Literal["row", "layer", "network"] = "row"
    sum_classes: bool = False
    of_gradients: ClassVar[bool] = True
    paired: ClassVar[bool] = True

    def open(self, network: Network, params: Params, batch: Batch, *, compute: Compute, pull: bool) -> Glimpse:
        names = self._names(params)
        groups = 1 if self.sum_classes else len(batch.sizes)
        # The synthetic side is small, and its changes are smaller still: it is seen as exactly as it is given.
        opened = _Opened(
            self, network, params, names, batch, replace(compute, precision="float32") if pull else compute
        )
        layout = _Layout(self.unit, {name: params[name].shape for name in names}, groups)
        if not pull:
            return Glimpse(_clouds(layout.rows(opened.gradients(groups)), groups), None)
        if compute.compilation != "on" and _map_values(network) * len(batch) <= LARGEST_GRAPH:
            gradients, back = opened.kept(groups)
        else:
            gradients, back = opened.gradients(groups), opened.along
        return Glimpse(_clouds(layout.rows(gradients), groups), lambda v: back(layout.gradients(v)))

    def _names(self, params: Params) -> tuple[str, ...]:
        least, most = {"weights": (2, 9), "conv": (4, 4), "all": (0, 9)}[self.layers]
        # Sorted, because a checkpoint gives weights back in another order, and sums must not depend on it.
        names = tuple(sorted(name for name, p in params.items() if least <= p.ndim <= most))
        if not names:
            raise FitError(f"the network has no weights of the kind '{self.layers}': use layers=weights.")
        return names


@dataclass(frozen=True, eq=False)
class _Opened:
    """One side under one network: class gradients, and the pull of directions in weight space."""

    view: Gradients
    network: Network
    params: Params
    names: tuple[str, ...]
    batch: Batch
    compute: Compute

    @functools.cached_property
    def shares(self) -> Tensor:
        """(n,) weights that sum to 1 in each class, or to 1/C in each where classes are averaged."""
        batch = self.batch
        column = Cloud(batch.inputs.new_empty(len(batch), 1), batch.groups, len(batch.sizes), batch.weights)
        return column.shares() / (len(batch.sizes) if self.view.sum_classes else 1)

    def pieces(self) -> Iterator[Piece]:
        """They cover the batch once, in order; where classes are averaged and examples do not see each other through
        batch norm, a piece may cross classes."""
        together = self.view.sum_classes and not self.network.uses_batch_statistics
        start = 0
        for group, size in enumerate((len(self.batch),) if together else self.batch.sizes):
            for part in chunks(size, self.network, self.compute):
                yield Piece(0 if self.view.sum_classes else group, slice(start + part.start, start + part.stop))
            start += size

    def targets(self, rows: slice) -> Tensor:
        """Soft targets where the batch has them, else labels."""
        return self.batch.labels[rows] if self.batch.targets is None else self.batch.targets[rows].detach()

    def loss(self, weights: Params, inputs: Tensor, targets: Tensor, rows: slice) -> Scalar:
        """Σ_i share_i ℓ_i over the rows at all ``weights``."""
        return _shared_loss(self.network, weights, inputs, targets, self.shares[rows])

    def fast(self, function: Callable[P, R], inputs: Tensor, targets: Tensor) -> Callable[P, R]:
        """``function``, which must depend on the network, ``names`` and its arguments alone; compiled where asked."""
        if self.compute.compilation != "on":
            return function
        shapes = tuple(inputs.shape), inputs.dtype, str(inputs.device), targets.ndim
        return compiled(function, function.__qualname__, self.network.key, self.names, shapes)

    def gradients(self, groups: int) -> Params:
        """(groups, *shape) for each chosen weight; no graph is kept."""
        params, inputs = lowered(self.params, self.batch.inputs.detach(), self.compute)
        leaves = {name: params[name].detach().requires_grad_() for name in self.names}

        network = self.network  # what is compiled is kept: it must not hold this batch

        def class_loss(weights: Params, inputs: Tensor, targets: Tensor, shares: Tensor) -> Scalar:
            return _shared_loss(network, weights, inputs, targets, shares)

        total = {name: self.batch.inputs.new_zeros(groups, *leaf.shape) for name, leaf in leaves.items()}
        for group, rows in self.pieces():
            targets = self.targets(rows)
            with torch.enable_grad():
                loss = self.fast(class_loss, inputs[rows], targets)(
                    params | leaves, inputs[rows], targets, self.shares[rows]
                )
            grads = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
            for name, grad in zip(self.names, grads, strict=True):
                total[name][group] += grad
        return total

    def kept(self, groups: int) -> tuple[Params, Callable[[Params], Cotangents]]:
        """The same with its graph, and the pull through it."""
        inputs = self.batch.inputs.detach().requires_grad_()
        soft = None if self.batch.targets is None else self.batch.targets.detach().requires_grad_()
        goals = self.batch.labels if soft is None else soft
        leaves = {name: self.params[name].detach().requires_grad_() for name in self.names}
        zeros = [torch.zeros_like(leaf) for leaf in leaves.values()]
        sums: list[list[Tensor]] = [[] for _ in range(groups)]
        with torch.enable_grad():
            for group, rows in self.pieces():
                loss = self.loss(self.params | leaves, inputs[rows], goals[rows], rows)
                grads = torch.autograd.grad(loss, list(leaves.values()), create_graph=True, materialize_grads=True)
                sums[group] = [a + b for a, b in zip(sums[group] or zeros, grads, strict=True)]
            stacked = {name: torch.stack([g[i] for g in sums]) for i, name in enumerate(self.names)}

        def back(directions: Params) -> Cotangents:
            asked = (inputs,) if soft is None else (inputs, soft)
            alive = [name for name in self.names if stacked[name].requires_grad]
            vectors = [directions[name] for name in alive]
            grads = torch.autograd.grad([stacked[name] for name in alive], asked, vectors, materialize_grads=True)
            return Cotangents(grads[0], None if soft is None else grads[1])

        return {name: g.detach() for name, g in stacked.items()}, back

    def along(self, directions: Params) -> Cotangents:
        """∂/∂ε of ∇_x and ∇_targets of the loss at weights θ + ε v_group, by forward mode over a backward pass."""
        network, soft = self.network, self.batch.targets is not None
        params = {name: p.detach() for name, p in self.params.items()}
        still = {name: torch.zeros_like(p) for name, p in params.items()}

        def moved(params: Params, along: Params, inputs: Tensor, goals: Tensor, shares: Tensor) -> tuple[Tensor, ...]:
            def slopes(weights: Params) -> tuple[Tensor, ...]:
                def loss(*pair: Tensor) -> Scalar:
                    return _shared_loss(network, weights, pair[0], pair[1] if soft else goals, shares)

                asked = (inputs, goals) if soft else (inputs,)
                found: tuple[Tensor, ...] = torch.func.grad(loss, argnums=tuple(range(len(asked))))(*asked)
                return found

            change: tuple[Tensor, ...] = torch.func.jvp(slopes, (params,), (along,))[1]
            return change

        inputs, targets = [], []
        for group, rows in self.pieces():
            seen, goals = self.batch.inputs[rows].detach(), self.targets(rows)
            # All weights move, some by nothing: the compiler fails where only some carry a direction.
            direction = still | {name: v[group] for name, v in directions.items()}
            change = self.fast(moved, seen, goals)(params, direction, seen, goals, self.shares[rows])
            inputs.append(change[0])
            targets.append(change[-1])
        return Cotangents(torch.cat(inputs), torch.cat(targets) if soft else None)


def _shared_loss(network: Network, weights: Params, inputs: Tensor, targets: Tensor, shares: Tensor) -> Scalar:
    losses = example_losses(network(weights, inputs).logits, targets, "cross_entropy")
    return (losses * shares.to(losses.dtype)).sum()


class _Layout(NamedTuple):
    """Between gradients by weight, (groups, *shape) each, and the points of clouds."""

    unit: str
    shapes: dict[str, torch.Size]
    groups: int

    def rows(self, gradients: Params) -> tuple[Tensor, ...]:
        """Points of each cloud, (groups · rows, columns)."""
        if self.unit == "network":
            return (torch.cat([g.flatten(1) for g in gradients.values()], 1),)
        return tuple(g.reshape(self.groups * self._count(g.shape[1:]), -1) for g in gradients.values())

    def gradients(self, points: tuple[Tensor, ...]) -> Params:
        """Inverse of :meth:`rows`."""
        if self.unit == "network":
            points = torch.split(points[0], [shape.numel() for shape in self.shapes.values()], 1)
        return {
            name: p.reshape(self.groups, *shape) for (name, shape), p in zip(self.shapes.items(), points, strict=True)
        }

    def _count(self, shape: torch.Size) -> int:
        return 1 if self.unit == "layer" or len(shape) < 2 else shape[0]


def _clouds(points: tuple[Tensor, ...], groups: int) -> tuple[Cloud, ...]:
    """Paired clouds with equally many rows a group."""
    index = torch.arange(groups, device=points[0].device)
    return tuple(Cloud(p, index.repeat_interleave(len(p) // groups), groups, paired=True) for p in points)


def _map_values(network: Network) -> int:
    """Numbers in the maps of one example: what a graph keeps is a multiple of it."""
    return _counted(network.architecture, tuple(network.shape), network.classes)


@functools.lru_cache(maxsize=64)
def _counted(architecture: Architecture, shape: tuple[int, ...], classes: int) -> int:
    network = architecture.build(shape, classes)
    params = network.init(generator(0, "maps"))
    with torch.no_grad():
        return sum(m.numel() for m in network(params, torch.zeros(1, *shape)).maps)
