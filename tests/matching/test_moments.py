import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.errors import OptionError
from limbeck.matching import Cloud, Context, MeanGap, Moments
from limbeck.seeds import generator


def cloud(*groups, weights=None):
    points = torch.tensor([p for g in groups for p in g], dtype=torch.float64)
    index = torch.repeat_interleave(torch.arange(len(groups)), torch.tensor([len(g) for g in groups]))
    return Cloud(points, index, len(groups), weights)


def test_mean_gap_of_known_points():
    a = cloud([[0.0, 0.0], [2.0, 0.0]], [[1.0, 1.0]])
    b = cloud([[1.0, 3.0]], [[1.0, 0.0], [1.0, 1.0]])
    assert float(MeanGap()(a, b, Context())) == pytest.approx(9 + 0.25)


def test_weights_shift_the_mean():
    a = cloud([[0.0], [4.0]], weights=torch.tensor([3.0, 1.0], dtype=torch.float64))
    assert float(MeanGap()(a, cloud([[0.0]]), Context())) == pytest.approx(1.0)


def test_moments_of_known_points():
    a, b = cloud([[0.0], [2.0], [4.0]]), cloud([[2.0]])
    variance, third = 8 / 3, 0.0
    assert float(Moments(order=2)(a, b, Context())) == pytest.approx(variance**2)
    assert float(Moments(order=3)(a, b, Context())) == pytest.approx(variance**2 + third**2)
    skewed = cloud([[0.0], [0.0], [3.0]])
    assert float(Moments(order=3)(skewed, cloud([[1.0]]), Context())) == pytest.approx(2.0**2 + 2.0**2)


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3), seed=st.integers(0, 99), order=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_moments_are_the_direct_ones_and_differentiable(sizes, seed, order):
    g = generator(seed)
    index = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    a = Cloud(torch.randn(len(index), 3, generator=g, dtype=torch.float64), index, len(sizes))
    b = Cloud(torch.randn(len(index), 3, generator=g, dtype=torch.float64).requires_grad_(), index, len(sizes))

    def moments(points):
        mean = points.mean(0)
        return [mean, *(((points - mean) ** k).mean(0) for k in range(2, order + 1))]

    direct = sum(
        ((x - y) ** 2).sum()
        for p, q in zip(a.split(), b.split(), strict=True)
        for x, y in zip(moments(p), moments(q), strict=True)
    )
    value = Moments(order=order)(a, b, Context())
    assert torch.allclose(value, direct)
    ours, theirs = (torch.autograd.grad(v, b.points, retain_graph=True)[0] for v in (value, direct))
    assert torch.allclose(ours, theirs)
    if order == 1:
        assert torch.allclose(value, MeanGap()(a, b, Context()))


def test_order_zero_is_a_sentence():
    with pytest.raises(OptionError, match="order"):
        Moments(order=0)
