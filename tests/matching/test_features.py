import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.compute import Compute
from limbeck.errors import FitError, OptionError
from limbeck.matching import Attention, BatchStatistics, Features, GradientNorms, Logits, Losses, PixelValues
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from tests.matching.small_matching import CPU, moved, small, some_batch

VIEWS = [
    PixelValues(),
    Features(),
    Features(layer=0),
    Attention(),
    Attention(power=1),
    Logits(),
    Losses(),
    BatchStatistics(),
    GradientNorms(),
]


@pytest.mark.parametrize("view", VIEWS, ids=repr)
@given(sizes=st.tuples(*[st.integers(1, 3)] * 3), seed=st.integers(0, 99), soft=st.booleans(), weighted=st.booleans())
@settings(max_examples=5, deadline=None)
def test_the_pull_is_the_derivative(view, sizes, seed, soft, weighted):
    network, params = small(activation="gelu")
    batch = some_batch(sizes, seed, soft=soft, weighted=weighted)
    g = generator(seed, "directions")
    glimpse = view.open(network, params, batch, compute=CPU, pull=True)
    v = tuple(torch.randn(c.points.shape, generator=g, dtype=torch.float64) for c in glimpse.clouds)
    back = glimpse.pull(v)
    step = torch.randn(batch.inputs.shape, generator=g, dtype=torch.float64)
    turn = torch.randn(len(batch), 3, generator=g, dtype=torch.float64) if soft else None

    def at(s: float) -> torch.Tensor:
        targets = batch.targets + s * turn if soft else None
        clouds = view.open(
            network, params, moved(batch, batch.inputs + s * step, targets), compute=CPU, pull=False
        ).clouds
        return sum((c.points * w).sum() for c, w in zip(clouds, v, strict=True))

    quotient = (at(1e-5) - at(-1e-5)) / 2e-5
    slope = (back.inputs * step).sum()
    if back.targets is not None:
        slope = slope + (back.targets * turn).sum()
    assert torch.allclose(slope, quotient, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("view", VIEWS, ids=repr)
def test_the_real_side_sees_the_same_in_any_chunks(view):
    network, params = small()
    batch = some_batch((3, 1, 2), soft=True, weighted=True)
    whole = view.open(network, params, batch, compute=CPU, pull=True).clouds
    small_chunks = view.open(network, params, batch, compute=Compute(device="cpu", chunk=2), pull=False).clouds
    for a, b in zip(whole, small_chunks, strict=True):
        assert torch.allclose(a.points, b.points, atol=1e-12)
        assert not b.points.requires_grad
        assert not a.points.requires_grad
        assert torch.equal(a.groups, b.groups)


def test_features_are_the_networks():
    network, params = small()
    batch = some_batch()
    outputs = network(params, batch.inputs)
    (embedding,) = Features().open(network, params, batch, compute=CPU, pull=False).clouds
    (first,) = Features(layer=0).open(network, params, batch, compute=CPU, pull=False).clouds
    assert torch.allclose(embedding.points, outputs.embedding)
    assert torch.allclose(first.points, outputs.maps[0].flatten(1))
    assert embedding.groups.tolist() == [0, 0, 1, 1, 1, 2]


def test_attention_is_the_normalised_power_sum_over_channels():
    network, params = small()
    batch = some_batch()
    (cloud,) = (
        Attention(power=4).open(network, params, batch, compute=CPU, pull=False).clouds
    )  # two stages, not the last
    maps = network(params, batch.inputs).maps[0]
    for i in range(len(batch)):
        v = sum(maps[i, c].abs() ** 4 for c in range(maps.shape[1])).flatten()
        assert torch.allclose(cloud.points[i], v / v.norm())


def test_statistics_are_means_and_variances_of_each_class():
    network, params = small()
    batch = some_batch((2, 3))
    clouds = BatchStatistics().open(network, params, batch, compute=CPU, pull=False).clouds
    for cloud, maps in zip(clouds, network(params, batch.inputs).maps, strict=True):
        for group, part in enumerate(maps.split([2, 3])):
            rows = part.transpose(0, 1).flatten(1)
            direct = torch.cat([rows.mean(1), rows.var(1, correction=0)])
            assert torch.allclose(cloud.points[group], direct)


def test_low_precision_is_for_the_real_side_in_float32_only():
    network, params = small()
    batch = some_batch()
    low = Compute(device="cpu", precision="bfloat16")
    exact = Features().open(network, params, batch, compute=CPU, pull=False).clouds[0].points
    assert torch.equal(Features().open(network, params, batch, compute=low, pull=False).clouds[0].points, exact)
    single = moved(batch, batch.inputs.float(), None)
    params = {k: p.float() for k, p in params.items()}
    rough = Features().open(network, params, single, compute=low, pull=False).clouds[0].points
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).norm() / exact.norm() < 0.05


def test_what_a_network_does_not_show_is_a_sentence():
    network, params = small()
    with pytest.raises(FitError, match="stage 5"):
        Features(layer=5).open(network, params, some_batch(), compute=CPU, pull=False)
    mlp = MLP(width=4).build((1, 8, 8), 3)
    with pytest.raises(FitError, match="ConvNet"):
        Attention().open(mlp, mlp.init(generator(0), torch.float64), some_batch(), compute=CPU, pull=False)
    with pytest.raises(OptionError, match="layer"):
        Features(layer=-2)
    with pytest.raises(OptionError, match="power"):
        Attention(power=0)


@pytest.mark.parametrize("view", [Features(), Features(layer=0), Attention(), Logits(), Losses()], ids=repr)
@pytest.mark.parametrize("soft", [False, True])
def test_the_synthetic_side_is_the_same_in_chunks(view, soft):
    network, params = small()
    batch = some_batch((2, 3, 4), soft=soft, weighted=True)
    whole, parts = (view.open(network, params, batch, compute=Compute("cpu", chunk=n), pull=True) for n in (100, 2))
    g = generator(0, "directions")
    v = tuple(torch.randn(c.points.shape, generator=g, dtype=torch.float64) for c in whole.clouds)
    for a, b in zip(whole.clouds, parts.clouds, strict=True):
        assert torch.allclose(a.points, b.points, atol=1e-12)
    for a, b in zip(whole.pull(v), parts.pull(v), strict=True):
        assert (a is None) == (b is None)
        assert a is None or torch.allclose(a, b, atol=1e-12)
