"""The variance model, outlying runs, and degrees of freedom."""

import numpy as np
import pytest

from limbeck.laws.noise import crossed, new_variance, noise, outlying, trend

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


def test_where_all_runs_of_a_size_scatter_none_is_outlying() -> None:
    mnist = [  # DM, accuracies in points: 1, 2, 4, … a class
        [83.3, 85.4, 82.5, 84.7, 80.7],
        [89.1, 89.7, 89.2, 89.8, 89.0],
        [91.5, 91.6, 91.0, 91.8, 91.2],
        [93.8, 94.0, 93.8, 93.7, 93.9],
        [94.9, 95.0, 94.9, 94.7, 95.0],
        [96.1, 96.1, 96.1, np.nan, np.nan],
        [97.2, 96.8, 96.8, np.nan, np.nan],
        [97.7, 97.2, 97.4, np.nan, np.nan],
    ]
    runs = -np.array(mnist) / 100
    assert not outlying(SIZES, runs).any()
    runs[3, 0] += 0.02
    assert np.argwhere(outlying(SIZES, runs)).tolist() == [[3, 0]]


def test_of_two_runs_none_can_be_called_outlying() -> None:
    runs = study(50, 2)
    runs[:, 0, 0] += 1.0
    assert not outlying(SIZES, runs).any()


def test_covariance_adds_what_is_common() -> None:
    runs = study(1, 4)[0]
    known, more = noise_of(runs), noise_of(runs, shared=1e-4)
    np.testing.assert_allclose(more.covariance() - known.covariance(), 1e-4)
    np.testing.assert_allclose(known.covariance(), known.own())
    np.testing.assert_allclose(np.diag(known.own()), known.trend.at(SIZES) / 4)


def nested(number: int, seeds: int) -> np.ndarray:
    """Means over nested subsets: of a size k the first k of the same draws."""
    draws = np.random.default_rng(3).normal(size=(number, seeds, int(SIZES[-1]))).cumsum(-1)
    return np.moveaxis(draws[..., SIZES.astype(int) - 1] / SIZES, -1, -2)


def test_subsets_of_one_seed_go_together_as_the_root_of_their_sizes() -> None:
    known = noise_of(nested(200, 10))
    own = known.own().mean(0)
    truth = np.sqrt(np.minimum(SIZES[:, None], SIZES) / np.maximum(SIZES[:, None], SIZES))
    found = own / np.sqrt(np.diag(own)[:, None] * np.diag(own))
    np.testing.assert_allclose(found, truth, atol=0.12)
    assert known.ranges[:, 0].mean() < 0.02  # independence is ruled out


def test_independent_seeds_are_seen_to_be_independent() -> None:
    known = noise_of(study(200, 10))
    assert known.ranges[:, 0].mean() > 0.6
    assert np.abs(known.own()[:, 0, 1:]).max(-1).mean() < 0.35 * known.own()[:, 0, 0].mean()


def test_sizes_without_common_seeds_do_not_go_together() -> None:
    runs = nested(1, 8)[0]
    runs[:4, :4], runs[4:, 4:] = np.nan, np.nan
    own = noise_of(runs).own()
    assert (own[:4, 4:] == 0).all() and (own[:4, :4] != 0).all()


def test_what_a_network_seed_adds_to_all_sets_is_not_averaged_away() -> None:
    generator = np.random.default_rng(1)
    effect = 0.01 * generator.normal(size=(4000, 1, 3))
    variance, freedom = crossed(effect + 0.01 * generator.normal(size=(4000, 50, 3)))
    assert float(variance.mean()) == pytest.approx(1e-4 / 3 * (1 + 1 / 50), rel=0.05)
    assert (freedom == 2).all()
    assert float(crossed(np.zeros((4, 1)))[0]) == 0.0


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
    # less than that, because whether sizes go together is estimated, too
    assert 0.6 * scatter < float(np.median(known.freedom(weights))) < 1.05 * scatter


def test_a_new_run_adds_the_spread_of_its_one_network() -> None:
    known = noise_of(study(1, 4)[0])
    own = float(known.trend.at(np.array([20.0]), doubt=0.5)[0])
    none = new_variance(known, np.zeros(8), np.full(8, 5.0), 20.0)
    some = new_variance(known, np.full(8, 1e-3), np.full(8, 5.0), 20.0)
    assert float(none) == pytest.approx(own)
    assert float(some) == pytest.approx(own + 8e-4)


def test_variances_that_vanish_leave_a_number() -> None:
    """Runs that all agree: σ² is tiny, and no exact zero beside what they share."""
    sizes = np.array([1.0, 10.0, 100.0])
    known = trend(sizes, np.zeros(3), np.full(3, 4.0))
    assert (known.at(sizes) >= 1e-12).all()
