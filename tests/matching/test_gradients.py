import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from limbeck.compute import Compute
from limbeck.errors import FitError
from limbeck.matching import Gradients
from limbeck.matching import gradients as module
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from tests.matching.small_matching import CPU, moved, small, some_batch


def naive(network, params, batch, names, inputs, targets):
    """Class gradients by one differentiable backward pass a class, and nothing clever."""
    leaves = {k: p.clone().requires_grad_() for k, p in params.items()}
    weights = torch.ones(len(batch), dtype=torch.float64) if batch.weights is None else batch.weights
    found, start = [], 0
    for size in batch.sizes:
        rows = slice(start, start + size)
        goal = batch.labels[rows] if targets is None else targets[rows]
        losses = F.cross_entropy(network(leaves, inputs[rows]).logits, goal, reduction="none")
        loss = (losses * weights[rows]).sum() / weights[rows].sum()
        grads = torch.autograd.grad(loss, [leaves[k] for k in names], create_graph=True, materialize_grads=True)
        found.append(dict(zip(names, grads, strict=True)))
        start += size
    return found


def rows_of(tensor, unit):
    return tensor.reshape(1, -1) if unit != "row" or tensor.ndim < 2 else tensor.flatten(1)


def clouds_of(found, view):
    if view.sum_classes:
        found = [{k: sum(g[k] for g in found) / len(found) for k in found[0]}]
    if view.unit == "network":
        return [torch.cat([torch.cat([t.flatten() for t in g.values()])[None] for g in found])]
    return [torch.cat([rows_of(g[k], view.unit) for g in found]) for k in found[0]]


def chosen(params, view):
    kinds = {"weights": lambda p: p.ndim >= 2, "conv": lambda p: p.ndim == 4, "all": lambda p: True}
    return [k for k in sorted(params) if kinds[view.layers](params[k])]


@pytest.mark.parametrize("limit", [0, 10**9], ids=["forward over backward", "backward over backward"])
@pytest.mark.parametrize("norm", ["instance", "batch", "layer", "group", "none"])
@given(
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    seed=st.integers(0, 99),
    soft=st.booleans(),
    weighted=st.booleans(),
    layers=st.sampled_from(["weights", "conv", "all"]),
    unit=st.sampled_from(["row", "layer", "network"]),
    sum_classes=st.booleans(),
    activation=st.sampled_from(["relu", "gelu", "swish"]),
    chunk=st.sampled_from([None, 1, 2]),
)
@settings(max_examples=8, deadline=None)
def test_gradients_and_pull_are_the_naive_ones(
    limit, norm, sizes, seed, soft, weighted, layers, unit, sum_classes, activation, chunk
):
    view = Gradients(layers=layers, unit=unit, sum_classes=sum_classes)
    network, params = small(norm, seed, activation=activation)
    batch = some_batch(sizes, seed, soft=soft, weighted=weighted)
    compute = Compute(device="cpu", chunk=chunk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGEST_GRAPH", limit)
        glimpse = view.open(network, params, batch, compute=compute, pull=True)
    g = generator(seed, "directions")
    v = tuple(torch.randn(c.points.shape, generator=g, dtype=torch.float64) for c in glimpse.clouds)
    back = glimpse.pull(v)
    inputs = batch.inputs.clone().requires_grad_()
    targets = batch.targets.clone().requires_grad_() if soft else None
    truth = clouds_of(naive(network, params, batch, chosen(params, view), inputs, targets), view)
    leaves = [inputs, targets] if soft else [inputs]
    pulled = torch.autograd.grad(sum((t * w).sum() for t, w in zip(truth, v, strict=True)), leaves)
    for cloud, t in zip(glimpse.clouds, truth, strict=True):
        assert torch.allclose(cloud.points, t.detach(), atol=1e-12)
        assert cloud.paired
        assert cloud.count == (1 if sum_classes else 3)
    assert torch.allclose(back.inputs, pulled[0], atol=1e-10)
    assert (back.targets is None) == (not soft)
    if soft:
        assert torch.allclose(back.targets, pulled[1], atol=1e-10)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_the_real_side_sees_the_same_without_a_graph(norm):
    network, params = small(norm)
    batch = some_batch((3, 2, 4), weighted=True)
    for view in (Gradients(), Gradients(sum_classes=True)):
        here = view.open(network, params, batch, compute=CPU, pull=True).clouds
        there = view.open(network, params, batch, compute=Compute(device="cpu", chunk=2), pull=False).clouds
        for a, b in zip(here, there, strict=True):
            assert torch.allclose(a.points, b.points, atol=1e-12)
            assert not b.points.requires_grad


def test_rows_are_output_units():
    network, params = small(width=4)
    clouds = Gradients().open(network, params, some_batch(), compute=CPU, pull=False).clouds
    shapes = sorted(tuple(c.points.shape) for c in clouds)
    assert shapes == sorted([(3 * 3, 4 * 2 * 2), (3 * 4, 1 * 9), (3 * 4, 4 * 9)])
    assert all(c.groups.tolist() == sorted(c.groups.tolist()) for c in clouds)


def test_the_order_of_weights_does_not_matter():
    network, params = small()
    batch = some_batch()
    other = dict(reversed(params.items()))
    a = Gradients().open(network, params, batch, compute=CPU, pull=False).clouds
    b = Gradients().open(network, other, batch, compute=CPU, pull=False).clouds
    assert all(torch.equal(x.points, y.points) for x, y in zip(a, b, strict=True))


def test_low_precision_stays_near():
    network, params = small()
    params = {k: p.float() for k, p in params.items()}
    batch = some_batch((4, 4, 4))
    batch = moved(batch, batch.inputs.float(), None)
    exact = Gradients(unit="network").open(network, params, batch, compute=CPU, pull=False).clouds[0].points
    low = Compute(device="cpu", precision="bfloat16")
    rough = Gradients(unit="network").open(network, params, batch, compute=low, pull=False).clouds[0].points
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).norm() / exact.norm() < 0.1


def test_a_network_without_such_weights_is_a_sentence():
    mlp = MLP(width=4).build((1, 8, 8), 3)
    with pytest.raises(FitError, match="conv"):
        Gradients(layers="conv").open(mlp, mlp.init(generator(0), torch.float64), some_batch(), compute=CPU, pull=False)
