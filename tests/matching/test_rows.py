import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.errors import FitError
from limbeck.matching import Cloud, Context, RowCosine, RowL1, RowSquared, VectorCosine
from limbeck.seeds import generator

ALL = [RowCosine(), RowL1(), RowSquared(), VectorCosine()]


def paired(points, sizes=None):
    sizes = sizes or (len(points),)
    index = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return Cloud(torch.as_tensor(points, dtype=torch.float64), index, len(sizes), paired=True)


def test_known_rows():
    a = paired([[1.0, 0.0], [3.0, 4.0]])
    b = paired([[0.0, 2.0], [3.0, 4.0]])
    assert float(RowCosine()(a, b, Context())) == pytest.approx(1.0, abs=1e-6)
    assert float(RowSquared()(a, b, Context())) == pytest.approx(5.0)
    assert float(RowL1()(a, b, Context())) == pytest.approx(3.0)
    cosine = 25 / (math.sqrt(26) * math.sqrt(29))
    assert float(VectorCosine()(a, b, Context())) == pytest.approx(1 - cosine, abs=1e-6)
    apart = float(VectorCosine()(paired(a.points, (1, 1)), paired(b.points, (1, 1)), Context()))
    assert apart == pytest.approx(1.0, abs=1e-6)


def test_the_published_constant_stands_in_the_denominator():
    a, b = paired([[1e-3, 0.0]]), paired([[2e-3, 0.0]])
    assert float(RowCosine()(a, b, Context())) == pytest.approx(1 - 2e-6 / (2e-6 + 1e-6))


@pytest.mark.parametrize("discrepancy", ALL, ids=repr)
@given(seed=st.integers(0, 99), rows=st.integers(1, 5), columns=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_gradients_are_difference_quotients(discrepancy, seed, rows, columns):
    g = generator(seed)
    a = paired(torch.randn(2 * rows, columns, generator=g, dtype=torch.float64), (rows, rows))
    b = paired(torch.randn(2 * rows, columns, generator=g, dtype=torch.float64), (rows, rows))
    leaf = b.points.clone().requires_grad_()
    (grad,) = torch.autograd.grad(discrepancy(a, b.with_points(leaf), Context()), leaf)
    step = torch.randn(leaf.shape, generator=g, dtype=torch.float64)
    up, down = (discrepancy(a, b.with_points(b.points + s * step), Context()) for s in (1e-7, -1e-7))
    assert float((grad * step).sum()) == pytest.approx(float(up - down) / 2e-7, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("discrepancy", ALL, ids=repr)
def test_dead_rows_have_a_finite_derivative(discrepancy):
    leaf = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    a, b = paired(torch.ones(2, 3)), paired(torch.zeros(2, 3)).with_points(leaf)
    value = discrepancy(a, b, Context())
    (grad,) = torch.autograd.grad(value, leaf)
    assert torch.isfinite(value)
    assert torch.isfinite(grad).all()


@pytest.mark.parametrize("discrepancy", ALL, ids=repr)
def test_what_is_not_paired_is_a_sentence(discrepancy):
    a = paired([[1.0, 2.0]])
    loose = Cloud(a.points, a.groups, 1)
    with pytest.raises(FitError, match="paired"):
        discrepancy(a, loose, Context())
    with pytest.raises(FitError, match="equal"):
        discrepancy(a, paired([[1.0, 2.0], [1.0, 2.0]]), Context())
