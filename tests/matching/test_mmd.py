import math

import pytest
import torch

from limbeck.errors import FitError, OptionError
from limbeck.matching import MMD, Cloud, Context, Distance, Gaussian, Laplace, Linear, MeanGap, Polynomial
from limbeck.seeds import generator

KERNELS = {
    "linear": (Linear(), lambda x, y: float(x @ y)),
    "gaussian": (Gaussian(0.8), lambda x, y: math.exp(-float((x - y).square().sum()) / (2 * 0.64))),
    "mixture": (
        Gaussian(0.8, (0.5, 2.0)),
        lambda x, y: sum(math.exp(-float((x - y).square().sum()) / (2 * (s * 0.8) ** 2)) for s in (0.5, 2.0)) / 2,
    ),
    "laplace": (Laplace(0.8), lambda x, y: math.exp(-float((x - y).norm()) / 0.8)),
    "polynomial": (Polynomial(degree=2, offset=0.5), lambda x, y: (float(x @ y) / 3 + 0.5) ** 2),
    "distance": (Distance(), lambda x, y: -float((x - y).norm())),
}


def cloud(points, weights=None, sizes=None):
    points = torch.as_tensor(points, dtype=torch.float64)
    sizes = sizes or (len(points),)
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return Cloud(points, groups, len(sizes), weights)


def normal(n, seed, d=3):
    return torch.randn(n, d, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("name", KERNELS)
def test_double_loop(name, unbiased):
    kernel, k = KERNELS[name]
    w, v = torch.tensor([1.0, 2.0, 3.0, 1.0]).double(), torch.tensor([1.0, 1.0, 4.0]).double()
    x, y, p, q = normal(4, 0), normal(3, 1) + 0.5, w / w.sum(), v / v.sum()

    def mean(a, b, s, t, skip=False):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (skip and i == j)]
        mass = sum(float(s[i] * t[j]) for i, j in pairs)
        return sum(float(s[i] * t[j]) * k(a[i], b[j]) for i, j in pairs) / mass

    direct = mean(x, x, p, p, unbiased) + mean(y, y, q, q, unbiased) - 2 * mean(x, y, p, q)
    found = MMD(kernel, unbiased)(cloud(x, w), cloud(y, v), Context())
    assert float(found) == pytest.approx(direct, rel=1e-9)


@pytest.mark.parametrize("far", [0.0, 0.3, 2.0])
def test_two_diracs(far):
    x, y = cloud([[0.0, 1.0]]), cloud([[far, 1.0]])
    k = math.exp(-(far**2) / 2)
    assert float(MMD(Gaussian(1.0))(x, y, Context())) == pytest.approx(2 - 2 * k, abs=1e-12)
    assert float(MMD(Laplace(1.0))(x, y, Context())) == pytest.approx(2 - 2 * math.exp(-far), abs=1e-12)
    assert float(MMD(Distance())(x, y, Context())) == pytest.approx(2 * far, abs=1e-12)
    # the median distance is the distance itself, whatever its unit
    assert float(MMD()(x, y, Context())) == pytest.approx(2 - 2 * math.exp(-0.5) if far else 0.0, abs=1e-12)


def test_two_gaussians_on_the_line():
    n, gap, width, sigma = 2000, 1.0, 1.5, 0.7
    grid = torch.erfinv(2 * (torch.arange(n).double() + 0.5) / n - 1) * math.sqrt(2)  # quantiles of N(0, 1)
    x, y = cloud(grid[:, None]), cloud((gap + width * grid)[:, None])

    def inner(variance, shift):
        return sigma / math.sqrt(sigma**2 + variance) * math.exp(-(shift**2) / (2 * (sigma**2 + variance)))

    closed = inner(2.0, 0) + inner(2 * width**2, 0) - 2 * inner(1 + width**2, gap)
    assert float(MMD(Gaussian(sigma))(x, y, Context())) == pytest.approx(closed, rel=2e-3)

    def folded(mean, deviation):  # E|N(mean, deviation²)|
        z = mean / deviation
        return deviation * math.sqrt(2 / math.pi) * math.exp(-z * z / 2) + mean * math.erf(z / math.sqrt(2))

    energy = 2 * folded(gap, math.sqrt(1 + width**2)) - folded(0, math.sqrt(2)) - folded(0, math.sqrt(2) * width)
    assert float(MMD(Distance())(x, y, Context())) == pytest.approx(energy, rel=5e-3)


def test_energy_is_twice_the_cramer_distance_on_the_line():
    x, y = normal(5, 2, 1), normal(4, 3, 1)
    jumps = torch.cat([x, y]).flatten().sort().values
    below = [(c[None, :, 0] <= jumps[:, None]).double().mean(1) for c in (x, y)]
    cramer = ((below[0] - below[1])[:-1].square() * jumps.diff()).sum()
    assert float(MMD(Distance())(cloud(x), cloud(y), Context())) == pytest.approx(2 * float(cramer))


def test_the_linear_kernel_is_the_mean_gap():
    x, y = cloud(normal(5, 4), sizes=(2, 3)), cloud(normal(3, 5), sizes=(1, 2))
    assert float(MMD(Linear())(x, y, Context())) == pytest.approx(float(MeanGap()(x, y, Context())))


def test_the_median_follows_the_unit_and_the_weights():
    x, y = normal(4, 6), normal(5, 7)
    for factor in (1e-3, 1e3):
        scaled = MMD()(cloud(factor * x), cloud(factor * y), Context())
        assert float(scaled) == pytest.approx(float(MMD()(cloud(x), cloud(y), Context())))
    w = torch.tensor([0.0, 1.0, 1.0, 0.0]).double()  # points of no weight have no say
    heavy = MMD()(cloud(x, w), cloud(y), Context())
    assert float(heavy) == pytest.approx(float(MMD()(cloud(x[1:3]), cloud(y), Context())))


def test_degenerate_clouds_have_finite_values_and_gradients():
    same = torch.ones(3, 2, dtype=torch.float64)
    mostly = torch.cat([same, torch.zeros(1, 2)])  # the median distance is 0, the mean is not
    for kernel in (Gaussian(), Laplace(), Distance()):
        for points in (same, mostly):
            leaf = points.clone().requires_grad_()
            value = MMD(kernel)(cloud(same), cloud(same).with_points(leaf[:3]), Context())
            value = value + MMD(kernel)(
                cloud(same), Cloud(leaf, torch.zeros(len(leaf), dtype=torch.int64), 1), Context()
            )
            (grad,) = torch.autograd.grad(value, leaf)
            assert torch.isfinite(grad).all()
            assert (
                float(value.detach()) == pytest.approx(0.0, abs=1e-12) if points is same else float(value.detach()) > 0
            )


def test_far_from_the_origin_single_precision_still_sees_the_gap():
    x, y = normal(6, 8), normal(6, 9) + 0.5
    near = MMD(Gaussian(1.0))(cloud(x), cloud(y), Context())
    far = [Cloud((c + 1000).float(), torch.zeros(6, dtype=torch.int64), 1) for c in (x, y)]
    assert float(MMD(Gaussian(1.0))(*far, Context())) == pytest.approx(float(near), rel=1e-2)


@pytest.mark.parametrize("kernel", [Linear(), Polynomial(degree=1, offset=0.5)], ids=repr)
@pytest.mark.parametrize("unbiased", [False, True])
def test_a_linear_kernel_does_not_see_where_the_origin_is(kernel, unbiased):
    x, y = normal(6, 10), 0.5 * normal(5, 11) + 0.3
    near = MMD(kernel, unbiased)(cloud(x, sizes=(2, 4)), cloud(y, sizes=(2, 3)), Context())
    groups = [cloud(x, sizes=(2, 4)).groups, cloud(y, sizes=(2, 3)).groups]
    leaf = (y + 1000).float().requires_grad_()
    far = MMD(kernel, unbiased)(Cloud((x + 1000).float(), groups[0], 2), Cloud(leaf, groups[1], 2), Context())
    assert float(far.detach()) == pytest.approx(float(near), rel=1e-3)
    (grad,) = torch.autograd.grad(far, leaf)
    exact = y.clone().requires_grad_()
    value = MMD(kernel, unbiased)(cloud(x, sizes=(2, 4)), Cloud(exact, groups[1], 2), Context())
    assert torch.allclose(grad.double(), torch.autograd.grad(value, exact)[0], rtol=1e-3, atol=1e-3)


def test_trouble_is_a_sentence():
    for kernel in (Gaussian, Laplace):
        with pytest.raises(OptionError, match="bandwidth is 0"):
            kernel(0.0)
        with pytest.raises(OptionError, match="scales"):
            kernel(1.0, ())
    with pytest.raises(OptionError, match="polynomial"):
        Polynomial(degree=0)
    with pytest.raises(FitError, match="two points in every group"):
        MMD(Gaussian(1.0), unbiased=True)(cloud([[0.0]]), cloud([[0.0], [1.0]]), Context())
