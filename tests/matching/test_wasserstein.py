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


@pytest.mark.parametrize("blur", [0.1, 0.03, 0.01])
@pytest.mark.parametrize(("n", "m", "d"), [(6, 4, 3), (20, 10, 2)])
def test_sinkhorn_is_converged_at_every_blur(blur, n, m, d):
    x, y = normal(n, 11, d), 0.8 * normal(m, 12, d) + 0.3
    epsilon = blur * float(torch.cdist(x, y).square().mean())
    between, own = plain(x, y, epsilon), plain(y, y, epsilon)
    exact = 2 * (between.sum(0)[:, None] * y - between.T @ x) - 2 * (own.sum(0)[:, None] * y - own.T @ y)
    leaf = y.clone().requires_grad_()
    gap = Sinkhorn(blur=blur)(cloud(x), cloud(y).with_points(leaf), Context())
    (slope,) = torch.autograd.grad(gap, leaf)
    assert float((slope - exact).norm() / exact.norm()) < 1e-3


def plain(x, y, epsilon):
    """The plan of uniform groups by 5,000 steps of Sinkhorn's algorithm as it is written, side by side in turn."""
    costs = torch.cdist(x, y).square()
    f, g = torch.zeros(len(x), dtype=torch.float64), torch.zeros(len(y), dtype=torch.float64)
    for step in range(5000):
        here = epsilon * max(1.0, 100 * 0.9**step)
        f = -here * (torch.logsumexp((g - costs) / here, 1) - math.log(len(y)))
        g = -here * (torch.logsumexp((f - costs.T) / here, 1) - math.log(len(x)))
    plan = ((f[:, None] + g - costs) / epsilon).exp() / (len(x) * len(y))
    assert torch.allclose(plan.sum(1), torch.full_like(f, 1 / len(x)), atol=1e-5)
    return plan


def test_more_steps_than_needed_are_not_taken_and_fewer_give_the_best_found():
    x, y = normal(6, 5), 0.5 * normal(6, 6) + 1.0
    enough = Sinkhorn()(cloud(x), cloud(y), Context())
    assert torch.equal(enough, Sinkhorn(iterations=10**9)(cloud(x), cloud(y), Context()))
    few = Sinkhorn(iterations=3)(cloud(x), cloud(y), Context())
    assert float(few) == pytest.approx(float(enough), rel=1e-2)


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


def test_points_that_are_not_finite_have_no_finite_gap():
    assert not torch.isfinite(Sinkhorn()(cloud(normal(3, 0)), cloud(normal(2, 1) * float("nan")), Context()))


def test_trouble_is_a_sentence():
    with pytest.raises(OptionError, match="blur"):
        Sinkhorn(blur=0.0)
    with pytest.raises(OptionError, match="epsilon -1"):
        Sinkhorn(epsilon=-1.0)
    with pytest.raises(OptionError, match="tolerance"):
        Sinkhorn(tolerance=-1e-4)
    with pytest.raises(OptionError, match="0 projections"):
        SlicedWasserstein(projections=0)
