import math

import pytest
import torch

from limbeck.errors import OptionError
from limbeck.matching import CharacteristicGap, Cloud, Context, Features, Match, MeanGap, Place, Sum
from limbeck.seeds import generator
from tests.matching.small_matching import CPU, small, some_batch


def cloud(points, sizes=None, weights=None):
    points = torch.as_tensor(points, dtype=torch.float64)
    sizes = sizes or (len(points),)
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return Cloud(points, groups, len(sizes), weights)


def fixed(frequencies):
    return Context(state={"frequencies": torch.as_tensor(frequencies, dtype=torch.float64)})


def normal(n, seed, d=3):
    return torch.randn(n, d, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.5), (1.0, 1.0), (0.3, 0.9), (1.0, 0.0)])
def test_direct_complex_evaluation(alpha, beta):
    x, y, t = normal(5, 0), normal(4, 1) + 0.3, normal(7, 2)
    w = torch.tensor([1.0, 2.0, 1.0, 3.0]).double()
    gap = CharacteristicGap(alpha, beta, sampling="fixed", frequencies=7)
    found = gap(cloud(x, (2, 3)), cloud(y, (2, 2), w), fixed(t))
    total = 0.0
    for p, q, v in ((x[:2], y[:2], w[:2]), (x[2:], y[2:], w[2:])):
        for f in t:
            a = sum(complex(math.cos(f @ z), math.sin(f @ z)) for z in p) / len(p)
            b = sum(float(u) * complex(math.cos(f @ z), math.sin(f @ z)) for u, z in zip(v, q, strict=True))
            b /= float(v.sum())
            phase = 2 * (abs(a) * abs(b) - (a * b.conjugate()).real)
            total += math.sqrt(alpha * (abs(a) - abs(b)) ** 2 + beta * phase) / len(t)
    assert float(found) == pytest.approx(total, rel=1e-6)


def test_two_diracs():
    # |Φ| = 1 for both: only the phase differs, and |e^{ia} − e^{ib}| = 2 |sin((a − b)/2)|
    found = CharacteristicGap(1.0, 1.0, 1, sampling="fixed")(cloud([[0.4]]), cloud([[1.1]]), fixed([[3.0]]))
    assert float(found) == pytest.approx(2 * math.sin(3.0 * 0.7 / 2), rel=1e-6)
    only_amplitude = CharacteristicGap(1.0, 0.0, 1, sampling="fixed")
    assert float(only_amplitude(cloud([[0.4]]), cloud([[1.1]]), fixed([[3.0]]))) == pytest.approx(0.0, abs=1e-5)


def test_two_gaussians_of_one_mean():
    grid = torch.erfinv(2 * (torch.arange(2000).double() + 0.5) / 2000 - 1) * math.sqrt(2)
    found = CharacteristicGap(1.0, 1.0, 1, sampling="fixed")(
        cloud(grid[:, None]), cloud(2 * grid[:, None]), fixed([[0.8]])
    )
    assert float(found) == pytest.approx(math.exp(-0.32) - math.exp(-0.32 * 4), rel=1e-3)


def test_unit_features_see_no_length():
    x, y = cloud(normal(4, 3)), cloud(normal(5, 4))
    unit = CharacteristicGap(normalise=True, sampling="fixed", frequencies=9)
    t = normal(9, 5)
    longer = y.with_points(y.points * 7)
    assert float(unit(x, y, fixed(t))) == pytest.approx(float(unit(x, longer, fixed(t))))


def test_what_coincides_has_a_finite_derivative():
    x = cloud(normal(4, 6))
    leaf = x.points.clone().requires_grad_()
    gap = CharacteristicGap()(x, x.with_points(leaf), Context())
    (grad,) = torch.autograd.grad(gap, leaf)
    assert float(gap.detach()) < 1e-5
    assert torch.isfinite(grad).all()


def test_the_adversary_finds_where_the_clouds_differ():
    """They differ in one of eight coordinates, so its scale has to grow against the others'."""
    x = normal(60, 7, 8)
    y = x.clone()
    y[:, 0] = y[:, 0] * 0.2
    learned = CharacteristicGap(sampling="learned", frequencies=128, rate=0.1)
    context = Context(state=learned.init(8, generator(0)), generator=generator(1))
    start = context.state["log_scales"]
    before = float(learned(cloud(x), cloud(y), Context(generator=generator(2), state={"log_scales": start})))
    for _ in range(40):
        learned.ascend(cloud(x), cloud(y), context)
    end = context.state["log_scales"]
    after = float(learned(cloud(x), cloud(y), Context(generator=generator(2), state={"log_scales": end})))
    assert after > 1.5 * before
    moved = (end - start).mean(0)
    assert moved[0] > moved[1:].max()


@pytest.mark.parametrize(("sampling", "key"), [("learned", "log_scales"), ("fixed", "frequencies")])
def test_a_sum_keeps_the_state_of_each_term_apart(sampling, key):
    network, params = small()
    gap = CharacteristicGap(sampling=sampling, frequencies=16)
    surrogate = Sum((Match(Features(), MeanGap()), Match(Features(), gap), Match(Features(layer=0), gap)))
    batches = some_batch((4, 4, 4), 1), some_batch()
    first = Context(generator=generator(0))
    surrogate.read(*batches, Place(network, params, CPU), first)
    sizes = {name: kept.shape[1] for name, kept in sorted(first.state.items())}
    assert [name.split("/")[0] for name in sizes] == ["term 1", "term 2"]
    assert list(sizes) == [f"term {i}/layer 0/dimension {d}/{key}" for i, d in enumerate(sizes.values(), 1)]
    assert len(set(sizes.values())) == 2
    second = Context(generator=generator(1), state=dict(first.state))
    reading = surrogate.read(*batches, Place(network, params, CPU), second)
    same = [torch.equal(first.state[k], second.state[k]) for k in first.state]
    assert all(same) if sampling == "fixed" else not any(same)
    again = Context(generator=generator(1), state=dict(first.state))
    repeated = surrogate.read(*batches, Place(network, params, CPU), again)
    assert torch.equal(reading.cotangents.inputs, repeated.cotangents.inputs)
    assert all(torch.equal(second.state[k], again.state[k]) for k in first.state)


@pytest.mark.parametrize(("sampling", "key"), [("learned", "log_scales"), ("fixed", "frequencies")])
def test_networks_of_other_widths_have_frequencies_of_their_own(sampling, key):
    surrogate = Sum((Match(Features(), CharacteristicGap(sampling=sampling, frequencies=16)),))
    batches = some_batch((4, 4, 4), 1), some_batch()
    context = Context(generator=generator(0))
    narrow, wide = (Place(*small(width=width), CPU) for width in (4, 6))
    dimensions = [place.network(place.params, batches[0].inputs).embedding.shape[1] for place in (narrow, wide)]
    surrogate.read(*batches, narrow, context)
    alone = dict(context.state)
    surrogate.read(*batches, wide, context)
    assert list(context.state) == [f"term 0/layer 0/dimension {d}/{key}" for d in dimensions]
    assert all(torch.equal(context.state[name], kept) for name, kept in alone.items())
    surrogate.read(*batches, narrow, context)
    assert len(context.state) == 2


def test_trouble_is_a_sentence():
    with pytest.raises(OptionError, match="not both 0"):
        CharacteristicGap(0.0, 0.0)
    with pytest.raises(OptionError, match="frequencies"):
        CharacteristicGap(frequencies=0)
    with pytest.raises(OptionError, match="spread"):
        CharacteristicGap(spread=0.0)
