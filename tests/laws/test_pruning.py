"""The data-pruning laboratory: solved and simulated agree with each other and with a table of small simulations."""

import math

import numpy as np
import pytest

from limbeck.errors import OptionError
from limbeck.laws.pruning import Pruning, max_margin, simulate, solve
from limbeck.values import decode, encode

PROBE = math.radians(20)
TABLE = [  # 20 simulations of N = 100 each, standard errors ≤ 0.008
    (Pruning(1.0, kept="random"), 0.258),
    (Pruning(4.0, 0.5, "random"), 0.182),
    (Pruning(1.0, 0.2, "easy"), 0.282),
    (Pruning(1.0, 0.5, "hard"), 0.401),
    (Pruning(4.0, 0.5, "hard"), 0.140),
    (Pruning(8.0, 0.5, "easy"), 0.069),
    (Pruning(4.0, 0.2, "hard", PROBE), 0.417),
    (Pruning(4.0, 0.5, "easy", PROBE), 0.167),
    (Pruning(16.0, 0.2, "hard", PROBE), 0.250),
]


@pytest.mark.parametrize(("experiment", "known"), TABLE)
def test_solution_is_near_the_table(experiment: Pruning, known: float) -> None:
    assert solve(experiment) == pytest.approx(known, abs=0.018)


@pytest.mark.parametrize(
    "experiment",
    [Pruning(2.0), Pruning(2.0, 0.5, "easy"), Pruning(4.0, 0.2, "hard", PROBE), Pruning(4.0, 0.5, "easy", PROBE, True)],
    ids=str,
)
def test_simulation_agrees_with_the_solution(experiment: Pruning) -> None:
    found = simulate(experiment, dimensions=100, trials=12, seed=1)
    # 1/N corrections are of the order 0.5/N·error^-1 here: below 0.01 at N = 100
    assert found.mean == pytest.approx(solve(experiment), abs=3.5 * found.standard_error + 0.006)


def test_easy_wins_with_few_examples_and_hard_with_many() -> None:
    assert solve(Pruning(1.0, 0.5, "easy")) < solve(Pruning(1.0, 0.5, "random")) < solve(Pruning(1.0, 0.5, "hard"))
    assert solve(Pruning(16.0, 0.5, "hard")) < solve(Pruning(16.0, 0.5, "easy")) < solve(Pruning(16.0, 0.5, "random"))


def test_without_pruning_nothing_depends_on_the_probe() -> None:
    assert solve(Pruning(3.0, 1.0, "hard", PROBE)) == solve(Pruning(3.0))
    assert solve(Pruning(6.0, 0.5, "random", PROBE)) == pytest.approx(solve(Pruning(3.0)), abs=1e-6)


def test_a_probe_that_is_nearly_perfect_is_as_good_as_a_perfect_one() -> None:
    assert solve(Pruning(4.0, 0.5, "hard", 0.05)) == pytest.approx(solve(Pruning(4.0, 0.5, "hard")), abs=0.004)


def test_large_samples_follow_the_known_power_law() -> None:
    """The max-margin error of random examples falls as α^(-1), with a constant near 0.5."""
    assert 50 * solve(Pruning(50.0)) == pytest.approx(0.5005, rel=0.03)
    assert solve(Pruning(100.0)) / solve(Pruning(50.0)) == pytest.approx(0.5, rel=0.02)


def test_the_margin_is_the_largest() -> None:
    generator = np.random.default_rng(0)
    points = generator.normal(size=(30, 6))
    points *= np.sign(points[:, :1])
    best = max_margin(points)
    reached = (points @ best).min()
    assert reached > 0
    for _ in range(200):
        other = best + 0.05 * generator.normal(size=6)
        assert (points @ other).min() / np.linalg.norm(other) <= reached + 1e-9
    with pytest.raises(OptionError, match="no plane"):
        max_margin(np.concatenate([points, -points]))


def test_experiments_are_values_with_domains() -> None:
    experiment = Pruning(4.0, 0.5, "hard", PROBE, True)
    assert decode(encode(experiment)) == experiment
    for wrong in (
        {"alpha": 0.0},
        {"alpha": 1.0, "fraction": 0.0},
        {"alpha": 1.0, "angle": 2.0},
        {"alpha": 1.0, "kept": "soft"},
    ):
        with pytest.raises(OptionError):
            Pruning(**wrong)
    assert simulate(experiment, dimensions=20, trials=3).mean == simulate(experiment, dimensions=20, trials=3).mean
