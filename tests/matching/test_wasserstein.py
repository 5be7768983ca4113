import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, linprog
from scipy.stats import wasserstein_distance

from limbeck.errors import OptionError
from limbeck.matching import Cloud, Context, Sinkhorn, SlicedWasserstein
from limbeck.seeds import generator


def cloud(points, weights=None):
    points = torch.as_tensor(points, dtype=torch.float64)
    return Cloud(points, torch.zeros(len(points), dtype=torch.int64), 1, weights)


def normal(n, seed, d=3):
    return torch.randn(n, d, generator=generator(seed), dtype=torch.float64)


def transport(x, y, p, q):
    """W₂² by linear programming."""
    costs = torch.cdist(x, y).square().numpy().reshape(-1)
    n, m = len(x), len(y)
    rows = [[1.0 if i == k else 0.0 for i in range(n) for _ in range(m)] for k in range(n)]
    columns = [[1.0 if j == k else 0.0 for _ in range(n) for j in range(m)] for k in range(m)]
    return linprog(costs, A_eq=rows + columns, b_eq=[*p.tolist(), *q.tolist()]).fun


@given(n=st.integers(1, 6), m=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_on_the_line_it_is_the_exact_transport(n, m, seed):
    x, y = normal(n, seed, 1), normal(m, seed + 100, 1)
    w, v = (torch.rand(k, generator=generator(seed, k), dtype=torch.float64) + 0.1 for k in (n, m))
    found = SlicedWasserstein()(cloud(x, w), cloud(y, v), Context())
    assert float(found) == pytest.approx(transport(x, y, w / w.sum(), v / v.sum()), rel=1e-6, abs=1e-9)


def test_ordered_clouds_agree_with_scipy():
    x, y = normal(5, 0, 1), normal(7, 1, 1).abs() + 4.0  # apart: W₁ is the gap of the means, W₂ at least that
    first = wasserstein_distance(x.flatten().numpy(), y.flatten().numpy())
    assert first == pytest.approx(float(y.mean() - x.mean()))
    assert float(SlicedWasserstein()(cloud(x), cloud(y), Context())) >= first**2


def test_two_gaussians_on_the_line():
    grid = torch.erfinv(2 * (torch.arange(4000).double() + 0.5) / 4000 - 1)[:, None] * math.sqrt(2)
    found = SlicedWasserstein()(cloud(grid), cloud(1.0 + 2.5 * grid[::2]), Context())
    assert float(found) == pytest.approx(1.0 + 1.5**2, rel=1e-2)


def test_a_translation_costs_its_square_and_an_order_nothing():
    x, v = normal(6, 2), torch.tensor([1.0, -2.0, 0.5]).double()
    weights = torch.rand(6, generator=generator(3), dtype=torch.float64) + 0.1
    turned = torch.randperm(6, generator=generator(4))
    sliced = SlicedWasserstein(projections=2000)(cloud(x), cloud((x + v)[turned]), Context())
    assert float(sliced) == pytest.approx(float(v.square().sum()) / 3, rel=0.05)
    sinkhorn = Sinkhorn(iterations=200)(cloud(x, weights), cloud((x + v)[turned], weights[turned]), Context())
    assert float(sinkhorn) == pytest.approx(float(v.square().sum()), rel=1e-6)


def test_two_diracs():
    x, y = cloud([[1.0, 2.0]]), cloud([[4.0, 6.0]])
    assert float(Sinkhorn()(x, y, Context())) == pytest.approx(25.0)
    sliced = SlicedWasserstein(projections=4000)(x, y, Context())
    assert float(sliced) == pytest.approx(12.5, rel=0.05)


def test_sinkhorn_lies_between_transport_and_the_gap_of_the_means():
    x, y = normal(6, 5), 0.5 * normal(6, 6) + 1.0
    costs = torch.cdist(x, y).square()
    rows, columns = linear_sum_assignment(costs.numpy())
    exact = float(costs[rows, columns].mean())
    sharp = float(Sinkhorn(blur=0.005, iterations=3000)(cloud(x), cloud(y), Context()))
    assert sharp == pytest.approx(exact, rel=2e-2)
    blunt = float(Sinkhorn(blur=1e4)(cloud(x), cloud(y), Context()))
    assert blunt == pytest.approx(float((x.mean(0) - y.mean(0)).square().sum()), rel=1e-3)


def test_descending_it_moves_points_onto_the_others():
    x, leaf = normal(4, 7, 2), normal(4, 8, 2).requires_grad_()
    for _ in range(60):
        gap = Sinkhorn(blur=0.05)(cloud(x), cloud(x).with_points(leaf), Context())
        (grad,) = torch.autograd.grad(gap, leaf)
        leaf = (leaf - 2.0 * grad).detach().requires_grad_()
    assert torch.cdist(x, leaf).min(1).values.max() < 0.05


@pytest.mark.parametrize("discrepancy", [SlicedWasserstein(), Sinkhorn()], ids=repr)
def test_degenerate_clouds_have_finite_gradients(discrepancy):
    same = torch.ones(3, 2, dtype=torch.float64)
    leaf = same.clone().requires_grad_()
    gap = discrepancy(cloud(same, torch.tensor([0.0, 1.0, 1.0]).double()), cloud(same).with_points(leaf), Context())
    (grad,) = torch.autograd.grad(gap, leaf)
    assert float(gap.detach()) == pytest.approx(0.0, abs=1e-9)
    assert torch.isfinite(grad).all()


def test_trouble_is_a_sentence():
    with pytest.raises(OptionError, match="blur"):
        Sinkhorn(blur=0.0)
    with pytest.raises(OptionError, match="epsilon -1"):
        Sinkhorn(epsilon=-1.0)
    with pytest.raises(OptionError, match="0 projections"):
        SlicedWasserstein(projections=0)
