"""Where everything is known, the laws hold and the code recovers them."""

import numpy as np
import pytest

from limbeck.errors import FitError, OptionError
from limbeck.laws import ScalingLaw
from limbeck.laws.fixed_features import random_convolutions, raw_pixels
from limbeck.laws.laboratory import Laboratory, RidgeLaboratory, SoftmaxLaboratory
from limbeck.laws.near_optimal import herded

SIZES = (20, 40, 80, 160, 320, 640, 1300, 2600)


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(300, 4))
    labels = (features @ generator.normal(size=(4, 3)) + generator.gumbel(size=(300, 3))).argmax(1)
    return features, np.eye(3)[labels]


@pytest.fixture(scope="module", params=[RidgeLaboratory, SoftmaxLaboratory])
def laboratory(request, data) -> Laboratory:
    return request.param(*data, 0.1)


def test_optima_have_no_slope_and_gradients_are_difference_quotients(laboratory: Laboratory) -> None:
    w = laboratory.full()
    slope = laboratory.gradients(w, laboratory.features, laboratory.targets).mean(0) + laboratory.ridge * w.ravel()
    assert abs(slope).max() < 1e-9
    point = w + 0.3
    numbers = np.zeros(w.size)
    for i in range(w.size):
        step = np.zeros(w.size)
        step[i] = 1e-5
        up, down = (laboratory.objective(point + s * step.reshape(w.shape)) for s in (1, -1))
        numbers[i] = (up - down) / 2e-5
    exact = laboratory.gradients(point, laboratory.features, laboratory.targets).mean(0)
    np.testing.assert_allclose(numbers, exact + laboratory.ridge * point.ravel(), atol=1e-7)
    before, after = (
        laboratory.gradients(point + s * step.reshape(w.shape), laboratory.features, laboratory.targets).mean(0)
        + laboratory.ridge * (point + s * step.reshape(w.shape)).ravel()
        for s in (-1, 1)
    )
    curvature = laboratory.hessian(point, laboratory.features, laboratory.uniform)
    np.testing.assert_allclose((after - before) / 2e-5, curvature[:, -1], atol=1e-6)


@pytest.mark.parametrize("measure", ["excess", "distance"])
def test_the_law_is_recovered(laboratory: Laboratory, measure) -> None:
    known = laboratory.predicted(measure)
    law = ScalingLaw.of(laboratory.study(SIZES, seeds=5, measure=measure))
    assert law.b.holds(known.b)
    assert law.c.holds(known.c)
    assert law.e.holds(known.e)
    assert law.c.low > known.c / 4
    if measure == "excess":  # falls as 1/k: the bound holds with room
        assert law.rate.word == "faster"


def test_a_planted_floor_is_found(data) -> None:
    laboratory = RidgeLaboratory(*data, 0.1)
    weights = np.exp(0.5 * laboratory.features[:, 0])
    weights /= weights.sum()
    known = laboratory.predicted("excess", weights)
    law = ScalingLaw.of(laboratory.study(SIZES, seeds=8, measure="excess", weights=weights))
    assert known.e > 0.001
    assert law.e.holds(known.e)
    assert law.e.low > 0
    with pytest.raises(OptionError, match="own optimum"):
        laboratory.predicted("distance", weights)


@pytest.mark.parametrize("kind", [RidgeLaboratory, SoftmaxLaboratory])
def test_the_drift_of_optima_is_the_second_difference_over_weights(kind) -> None:
    generator = np.random.default_rng(4)
    features = generator.normal(size=(30, 3))
    targets = np.eye(3)[(features + generator.gumbel(size=(30, 3))).argmax(1)]
    laboratory, q = kind(features, targets, 0.1), np.exp(0.8 * features[:, 0])
    q = q / q.sum()
    w = laboratory.full(q)
    slope = laboratory.gradients(w, features, targets).mean(0) + laboratory.ridge * w.ravel()

    def along(step: float, place: int) -> float:
        return float(slope @ laboratory.optimum(features, targets, (1 - step) * q + step * np.eye(30)[place]).ravel())

    still, step = float(slope @ w.ravel()), 1e-3
    bends = [(along(step, i) + along(-step, i) - 2 * still) / step**2 for i in range(30)]
    drift = float(q @ np.array(bends)) / 2  # m E[w_S − w_q]: the multinomial's covariance is Σ q (δ − q)(δ − q)ᵀ/m
    plain = laboratory.hessian(w, features, laboratory.uniform) @ laboratory.spread(q)
    known = laboratory.predicted("excess", q)
    assert abs(drift) > 1e-3
    assert 3 * known.c == pytest.approx(float(np.trace(plain)) / 2 + drift, rel=1e-3)
    assert known.e == pytest.approx(laboratory.excess(w))


def test_the_curvature_of_outputs_is_that_of_the_hessian(laboratory: Laboratory) -> None:
    w = laboratory.full() + 0.2
    inner = laboratory.output_curvature(w, laboratory.features)
    whole = np.einsum("nd,nce,nf->dcfe", laboratory.features, inner, laboratory.features).reshape(w.size, w.size) / 300
    expected = laboratory.hessian(w, laboratory.features, laboratory.uniform) - laboratory.ridge * np.eye(w.size)
    np.testing.assert_allclose(whole, expected, atol=1e-10)


def test_the_matching_term_bounds_the_excess(laboratory: Laboratory) -> None:
    generator = np.random.default_rng(1)
    assert laboratory.convexity <= laboratory.curvature(laboratory.full()) + 1e-12
    gaps = {}
    for name, index in (("drawn", laboratory.drawn(24, generator)), ("herded", herded(laboratory, 24))):
        share = np.full(24, 1 / 24)
        gaps[name], bound = laboratory.bound(laboratory.features[index], laboratory.targets[index], share)
        assert 0 <= gaps[name] <= bound
    assert gaps["herded"] < gaps["drawn"]


def test_the_perfect_ridge_set_has_no_gap_at_one_a_class(data) -> None:
    laboratory = RidgeLaboratory(*data, 0.1)
    features, targets = laboratory.perfect()
    assert len(features) == 3
    w = laboratory.optimum(features, targets, np.full(3, 1 / 3))
    np.testing.assert_allclose(w, laboratory.full(), atol=1e-10)


def test_digits_on_fixed_features() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, targets = digits.images[:600, None] / 16.0, np.eye(10)[digits.target[:600]]
    pixels, answers = raw_pixels(images), random_convolutions(images, filters=4)
    assert pixels.shape == (600, 65)
    assert answers.shape == (600, 17)
    np.testing.assert_array_equal(answers, random_convolutions(images, filters=4))
    laboratory = RidgeLaboratory(answers, targets, 0.1)
    law = ScalingLaw.of(laboratory.study((20, 40, 80, 160, 320, 640, 1000, 2000), seeds=4, measure="excess"))
    assert law.b.holds(1.0)
    assert law.c.holds(laboratory.predicted("excess").c)
    with pytest.raises(FitError, match="too small"):
        random_convolutions(images[:, :, :2, :2])


def test_domains(data) -> None:
    with pytest.raises(OptionError, match="ridge above 0"):
        RidgeLaboratory(*data, 0.0)
