"""The switch from easy to hard examples: planted crossings are found, the theory's is where the solved law has it."""

import math

import numpy as np
import pytest
from planted import row

from limbeck.errors import EvidenceError
from limbeck.evaluation.records import Records
from limbeck.laws.pruning import Pruning, solve
from limbeck.laws.switch import Switch, _crossings, _increasing, measured_switch, theory_switch

SIZES = (1, 5, 10, 50, 200)


def pools(slope: float, at: float, *, noise: float = 0.005, seed: int = 0, seeds: int = 5) -> Records:
    """hard − easy = slope · log(k / at), noise alike on both sides."""
    chance = np.random.default_rng(seed)
    rows = []
    for size in SIZES:
        for s in range(seeds):
            common = 0.6 + 0.02 * chance.normal()
            for name, gain in (("dm easy", 0.0), ("dm hard", slope * math.log(size / at))):
                accuracy = common + gain + noise * chance.normal()
                made = {"method": name, "set": f"{name}-{size}-{s}", "per_class": float(size), "distillation_seed": s}
                rows.append(row(accuracy, **made))
    return Records.of(rows)


def found(records: Records) -> Switch:
    return measured_switch(records, easy="dm easy", hard="dm hard")


def test_a_planted_crossing_is_found() -> None:
    switch = found(pools(0.05, 22.0, noise=1e-6))
    assert switch.at == pytest.approx(22.0, rel=1e-3)
    assert switch.low == pytest.approx(22.0, rel=1e-2)
    noisy = found(pools(0.03, 22.0))
    assert noisy.low < 22.0 < noisy.high
    assert noisy.high / noisy.low < 6
    assert "overtakes" in noisy.sentence()
    assert "95 %" in noisy.sentence()


def test_intervals_cover() -> None:
    inside = 0
    for seed in range(60):
        switch = found(pools(0.02, 22.0, seed=seed, noise=0.01, seeds=4))
        inside += switch.low <= 22.0 <= switch.high
    assert inside >= 52  # 95 % of 60 is 57; below 52 has probability 0.4 %


def test_no_crossing_is_said() -> None:
    never, always = found(pools(0.02, 5000.0)), found(pools(0.02, 0.01))
    assert math.isinf(never.at)
    assert "at all sizes measured (1 to 200 a class)" in never.sentence()
    assert never.sentence().endswith("95 % interval of the switch: beyond 200.")
    assert never.advice(10.0) == "At 10 a class take easy examples: hard ones do not overtake at up to 200."
    beside = theory_switch().beside(never, 10)
    assert "measured beyond 200 a class, it agrees for a student of 910 weights or more" in beside
    assert always.at == 0
    assert "take hard" in always.advice(50.0)


def test_advice_by_size() -> None:
    switch = found(pools(0.05, 22.0, noise=0.002))
    assert switch.advice(1.0).startswith("At 1 a class take easy")
    assert switch.advice(200.0).startswith("At 200 a class take hard")
    assert "cannot be told" in switch.advice(switch.at)


def test_the_increasing_fit() -> None:
    rows = np.array([[1.0, 3.0, 2.0, 4.0], [4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    fit = _increasing(rows, np.ones(4))
    assert fit.tolist() == [[1.0, 2.5, 2.5, 4.0], [2.5] * 4, [1.0, 2.0, 3.0, 4.0]]
    assert _increasing(np.array([[3.0, 2.0, 1.0]]), np.array([1.0, 1.0, 2.0])).tolist() == [[1.75] * 3]


def test_the_increasing_fit_is_that_of_another_library() -> None:
    from sklearn.isotonic import isotonic_regression

    chance = np.random.default_rng(0)
    values, weights = chance.normal(size=(20, 6)), chance.random(6) + 0.1
    theirs = [isotonic_regression(row, sample_weight=weights) for row in values]
    assert np.allclose(_increasing(values, weights), theirs)


def test_crossings() -> None:
    sizes = np.array([1.0, 100.0])
    gaps = np.array([[-1.0, 1.0], [0.0, 1.0], [-2.0, -1.0], [2.0, -1.0]])
    assert _crossings(sizes, gaps, np.ones(2)).tolist() == [pytest.approx(10.0), 0.0, math.inf, 0.0]


def test_too_little_evidence_is_a_sentence() -> None:
    records = pools(0.02, 22.0)
    with pytest.raises(EvidenceError, match="sizes"):
        measured_switch(records, easy="dm easy", hard="dm harder")
    with pytest.raises(EvidenceError, match="sizes"):
        found(records.where(per_class=10.0))
    with pytest.raises(EvidenceError, match="one seed"):
        found(records.where(distillation_seed=0))


def test_the_theory_switches_where_both_ends_err_equally() -> None:
    theory = theory_switch(0.5)
    assert solve(Pruning(theory.alpha, 0.5, "easy")) == pytest.approx(
        solve(Pruning(theory.alpha, 0.5, "hard")), rel=0.02
    )
    assert 4 < theory.alpha < 8  # a table of small simulations has easy ahead at 4 and hard at 8
    assert 8 < theory_switch(0.2).alpha < 16
    assert theory.kept == theory.alpha / 2
    switch = found(pools(0.05, 22.0, noise=0.002))
    assert theory.weights(22.0, 10) == pytest.approx(220 / theory.kept)
    assert f"{theory.weights(switch.at, 10):.2g} weights" in theory.beside(switch, 10)
    least = theory.weights(200.0, 10)  # the largest size that was measured
    assert f"a student of {round(least, -1):.0f} weights or more" in theory.beside(found(pools(0.02, 5000.0)), 10)
    assert "no switch" in theory.beside(found(pools(0.02, 0.01)), 10)
    assert found(pools(0.02, 0.01)).sentence().endswith("interval of the switch: below the smallest size.")


def test_without_pruning_there_is_no_switch() -> None:
    with pytest.raises(EvidenceError, match="no switch"):
        theory_switch(1.0)
