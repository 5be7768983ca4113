"""The variance model, outlying runs, and degrees of freedom."""

import numpy as np
import pytest

from limbeck.laws.noise import new_variance, noise, outlying, trend

SIZES = np.array([1.0, 2, 5, 10, 20, 50, 100, 200])


def study(number: int, seeds: int, *, seed: int = 0) -> np.ndarray:
    """Runs whose sd falls from 0.02 to 0.005."""
    generator = np.random.default_rng(seed)
    sd = 0.02 * SIZES ** -(np.log(4) / np.log(200))
    return generator.normal(size=(number, 8, seeds)) * sd[:, None]


def noise_of(runs: np.ndarray, *, shared: float = 0.0):
    batch = runs.shape[:-2]
    return noise(SIZES, runs, np.full(batch, shared), np.full(batch, 4.0), np.zeros((*batch, 8, 8)))


def test_trend_finds_variances_that_lie_on_one() -> None:
    true = 3e-4 * SIZES**-0.7
    known = trend(SIZES, true, np.full(8, 2.0))
    bare = np.exp(known.coefficients @ known.basis(SIZES).T)
    np.testing.assert_allclose(bare, true, rtol=1e-6)


def test_trend_ignores_sizes_without_freedom() -> None:
    true = 3e-4 * SIZES**-0.7
    wrong = true.copy()
    wrong[3] = 1.0
    freedom = np.full(8, 2.0)
    freedom[3] = 0
    known = trend(SIZES, wrong, freedom)
    np.testing.assert_allclose(np.exp(known.coefficients @ known.basis(SIZES).T), true, rtol=1e-6)


def test_trend_is_constant_beyond_the_sizes_and_unbiased() -> None:
    known = noise_of(study(2000, 3)).trend
    bare = np.exp(known.coefficients @ known.basis(SIZES).T)
    bare = np.median(bare, 0)
    np.testing.assert_allclose(bare, (0.02 * SIZES ** -(np.log(4) / np.log(200))) ** 2, rtol=0.12)
    np.testing.assert_allclose(known.at(np.array([200.0])), known.at(np.array([5000.0])))


def test_no_spread_at_all_is_no_division_by_zero() -> None:
    known = noise_of(np.zeros((8, 3)))
    assert np.isfinite(known.covariance()).all()
    assert (np.diag(known.covariance()) < 1e-9).all()


def test_an_outlying_run_is_found_and_clean_ones_are_left() -> None:
    runs = study(400, 5)
    assert outlying(SIZES, runs).any((-1, -2)).mean() < 0.16
    runs[:, 4, 2] += 0.1
    found = outlying(SIZES, runs)
    assert found[:, 4, 2].mean() > 0.97
    assert found.sum() < 1.25 * len(runs)


def test_of_two_runs_none_can_be_called_outlying() -> None:
    runs = study(50, 2)
    runs[:, 0, 0] += 1.0
    assert not outlying(SIZES, runs).any()


def test_covariance_adds_what_is_common() -> None:
    runs = study(1, 4)[0]
    apart, together = noise_of(runs).covariance(), noise_of(runs, shared=1e-4).covariance()
    np.testing.assert_allclose(together - apart, 1e-4)
    assert (apart[~np.eye(8, dtype=bool)] == 0).all()


def test_freedom_is_the_references_where_only_the_reference_errs() -> None:
    runs = study(1, 4)[0]
    known = noise_of(runs, shared=1.0)
    assert float(known.freedom(np.full(8, 1 / 8))) == pytest.approx(4.0, rel=1e-3)
    # a difference of gaps does not know the reference
    assert float(known.freedom(np.array([1, -1, 0, 0, 0, 0, 0, 0.0]))) > 4.5


def test_freedom_describes_how_the_estimated_variance_scatters() -> None:
    known = noise_of(study(4000, 4))
    weights = np.full((4000, 8), 1 / 8)
    bare = np.exp(known.trend.coefficients @ known.trend.basis(SIZES).T).mean(-1)
    scatter = 2 * bare.mean() ** 2 / bare.var()
    assert float(np.median(known.freedom(weights))) == pytest.approx(scatter, rel=0.2)


def test_a_new_run_adds_the_spread_of_its_one_network() -> None:
    known = noise_of(study(1, 4)[0])
    own = float(known.trend.at(np.array([20.0]))[0])
    none = new_variance(known, np.zeros(8), np.full(8, 5.0), 20.0)
    some = new_variance(known, np.full(8, 1e-3), np.full(8, 5.0), 20.0)
    assert float(none) == pytest.approx(own)
    assert float(some) == pytest.approx(own + 8e-4)
