"""Variable projection against naive fits, and profile intervals against brute force."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from limbeck.laws.fit import fit
from limbeck.laws.forms import FORMS, Exponential, FreePower, Power
from limbeck.laws.profile import project

SIZES = np.array([1.0, 2, 5, 10, 20, 50, 100, 200])


def covariance(seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(8, 8)) * 0.004
    return root @ root.T + 1e-4 * np.eye(8)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_projection_is_the_best_of_many_least_squares(form) -> None:
    generator = np.random.default_rng(1)
    gaps, sigma = 0.4 * SIZES**-0.6 + 0.02 * generator.normal(size=8), covariance()
    found = project(form, SIZES, gaps, sigma)
    whitener = np.linalg.inv(np.linalg.cholesky(sigma))
    for index in (0, len(found.shapes) // 2, len(found.shapes) - 1):
        columns = form.design(SIZES, found.shapes)[index]
        best, *_ = np.linalg.lstsq(whitener @ columns, whitener @ gaps, rcond=None)
        np.testing.assert_allclose(found.coefficients[index], best, rtol=1e-5, atol=1e-6)
        assert found.chi2[index] == pytest.approx(((whitener @ (gaps - columns @ best)) ** 2).sum(), rel=1e-6)


def test_a_batch_is_its_members() -> None:
    generator = np.random.default_rng(2)
    gaps = 0.4 * SIZES**-0.5 + 0.01 * generator.normal(size=(3, 8))
    sigma = np.stack([covariance(i) for i in range(3)])
    whole = project(FreePower(31), SIZES, gaps, sigma)
    for i in range(3):
        alone = project(FreePower(31), SIZES, gaps[i], sigma[i])
        np.testing.assert_allclose(whole.chi2[i], alone.chi2)
        np.testing.assert_allclose(whole.coefficients[i], alone.coefficients)


@given(st.floats(0.1, 1.5), st.floats(0.1, 1.0), st.floats(-0.2, 0.3), st.sampled_from([1e-7, 1e-6]))
@example(b=0.59375, c=1.0, e=0.0, variance=1e-6)  # between two shapes of the grid, which is coarser than these data
@example(b=0.59375, c=1.0, e=0.0, variance=1e-7)
@settings(max_examples=20, deadline=None)
def test_a_noiseless_law_is_recovered(b: float, c: float, e: float, variance: float) -> None:
    found = project(FreePower(), SIZES, c * SIZES**-b + e, variance * np.eye(8))
    best = int(found.chi2.argmin())
    assert found.shapes[best] == pytest.approx(b, rel=0.02)
    low, high = found.band(np.stack([np.zeros(241), np.ones(241)], -1), np.asarray(3.0))
    assert low <= e <= high


def test_profile_band_is_what_brute_force_finds() -> None:
    generator = np.random.default_rng(3)
    gaps, sigma = 0.5 * SIZES**-0.5 + 0.05 + 0.01 * generator.normal(size=8), covariance()
    found = project(FreePower(), SIZES, gaps, sigma)
    row = np.stack([np.zeros(241), np.ones(241)], -1)
    low, high = found.band(row, np.asarray(2.0))
    inverse = np.linalg.inv(sigma)
    floors, allowed = np.linspace(float(low) - 0.05, float(high) + 0.05, 800), []
    for floor in floors:
        columns = SIZES[None, :] ** -found.shapes[:, None]
        left = gaps - floor
        c = columns @ inverse @ left / np.einsum("gk,kl,gl->g", columns, inverse, columns)
        rest = left - c[:, None] * columns
        allowed.append(np.einsum("gk,kl,gl->g", rest, inverse, rest).min() - found.chi2.min() <= 4.0)
    inside = floors[np.array(allowed)]
    step = floors[1] - floors[0]
    assert inside.min() == pytest.approx(float(low), abs=2 * step)
    assert inside.max() == pytest.approx(float(high), abs=2 * step)


def test_ends_of_the_shape_are_where_chi2_crosses() -> None:
    gaps = 0.5 * SIZES**-0.5 + 0.05
    found = project(FreePower(), SIZES, gaps, 1e-4 * np.eye(8))
    low, high = found.shape_ends(np.asarray(2.0))
    for end in (float(low), float(high)):
        there = project(Power(end), SIZES, gaps, 1e-4 * np.eye(8))
        assert there.chi2[0] - found.chi2.min() == pytest.approx(4.0, rel=0.05)
    wide = found.shape_ends(np.asarray(1e3))
    assert float(wide[0]) == 0
    assert np.isinf(float(wide[1]))


@pytest.mark.parametrize("form", [FreePower(2001), Exponential(2001), Power()], ids=lambda f: f.name)
def test_weights_are_the_derivative_of_the_estimate(form) -> None:
    gaps = 0.5 * np.exp(-SIZES / 30) + 0.05 if isinstance(form, Exponential) else 0.5 * SIZES**-0.5 + 0.05
    sigma = covariance()
    found = project(form, SIZES, gaps, sigma)
    row = form.design(np.array([35.0]), found.shapes)[:, 0, :]
    weights, _ = found.weights(row)
    for place in (0, 4, 7):
        moved = []
        for sign in (-1, 1):
            bent = gaps.copy()
            bent[place] += sign * 0.02
            again = project(form, SIZES, bent, sigma)
            moved.append(float(again.at_best(again.linear(row)[0])))
        assert (moved[1] - moved[0]) / 0.04 == pytest.approx(weights[place], rel=0.1, abs=0.01)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """400 studies of 4 seeds: 95 % intervals of c, b and e and a new run's bound."""
    from limbeck.laws.noise import noise

    generator = np.random.default_rng(4)
    runs = (0.5 * SIZES**-0.5 + 0.08)[:, None] + 0.012 * generator.normal(size=(400, 8, 4))
    known = fit(FreePower(81), noise(SIZES, runs, np.zeros(400), np.ones(400), np.zeros((400, 8, 8))))
    for truth, (_, low, high) in (
        (0.5, known.shape(0.95)),
        (0.5, known.coefficient(0, 0.95)),
        (0.08, known.coefficient(-1, 0.95)),
    ):
        assert 0.92 <= ((low <= truth) & (truth <= high)).mean() <= 0.99
    low, high = known.new_run(30.0, 0.95, np.full(400, 0.012**2))
    new = 0.5 * 30**-0.5 + 0.08 + 0.012 * generator.normal(size=400)
    assert 0.92 <= (new <= high).mean() <= 0.985
    assert 0.92 <= (new >= low).mean() <= 0.985
