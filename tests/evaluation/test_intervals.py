import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.errors import EvidenceError, OptionError
from limbeck.evaluation.intervals import estimate, holm, t_interval, welch


def test_the_interval_of_three_values_by_hand() -> None:
    # mean 0.6, s = 0.1, t(0.975, 2) = 4.302653: half = 4.302653 · 0.1 / √3 = 0.248414
    known = estimate([0.5, 0.6, 0.7])
    assert known.value == pytest.approx(0.6)
    assert known.spread == pytest.approx(0.1)
    assert known.half == pytest.approx(0.248414, abs=1e-6)
    assert known.clear
    # t = 0.6 / 0.057735 = 10.392, two-sided p with 2 degrees of freedom: 1 − t/√(2 + t²) = 0.009133
    assert known.p == pytest.approx(1 - 10.3923 / math.sqrt(2 + 108), abs=1e-5)


def test_one_value_has_no_interval() -> None:
    known = estimate([0.5])
    assert known.low is None
    assert known.p is None
    assert not known.clear
    assert "no interval" in known.sentence()
    with pytest.raises(EvidenceError, match="at least 2"):
        t_interval([0.5])
    with pytest.raises(EvidenceError, match="over nothing"):
        estimate([])
    with pytest.raises(EvidenceError, match="not finite"):
        estimate([0.5, math.nan])
    with pytest.raises(OptionError, match="level"):
        estimate([0.5, 0.6], level=95.0)


def test_equal_values_are_exact() -> None:
    assert t_interval([0.25, 0.25]) == (0.25, 0.25)
    assert estimate([0.0, 0.0]).p == 1.0
    assert estimate([0.5, 0.5]).p == 0.0


def test_a_grain_keeps_chance_agreement_from_being_exact() -> None:
    # s = grain/√12 = 0.00288675, t(0.975, 1) = 12.7062: half = 12.7062 · 0.00288675 / √2 = 0.025937
    known = estimate([0.02, 0.02], grain=0.01)
    assert known.half == pytest.approx(0.025937, abs=1e-6)
    assert not known.clear
    assert estimate([0.4, 0.6], grain=0.01) == estimate([0.4, 0.6])
    assert welch([0.5, 0.5], [0.48, 0.48], grains=(0.01, 0.01)).p == pytest.approx(0.02, abs=0.005)


def test_grains_cover_where_chance_agreement_is_common() -> None:
    # two seeds that scatter by one step: without the grain the interval misses whenever the two round alike
    draws = np.round(np.random.default_rng(1).normal(0.705, 0.01, size=(4000, 2)), 2)
    known = [estimate(list(map(float, each)), grain=0.01) for each in draws]
    covered = sum(k.low is not None and k.high is not None and k.low <= 0.705 <= k.high for k in known)
    assert covered / 4000 > 0.93
    alike = np.mean(draws[:, 0] == draws[:, 1])
    assert alike > 0.2


def test_the_interval_covers_at_its_level() -> None:
    draws = np.random.default_rng(0).normal(0.7, 0.05, size=(2000, 3))
    covered = sum(low <= 0.7 <= high for low, high in (t_interval(list(map(float, each))) for each in draws))
    # standard error of a share at 0.95 over 2000: 0.005
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_welch_by_hand() -> None:
    # means 3 and 2, variances 1 (n = 3) and 2 (n = 2): error² = 1/3 + 1, ν = (4/3)² / ((1/9)/2 + 1/1) = 1.684211
    known = welch([2.0, 3.0, 4.0], [1.0, 3.0])
    assert known.value == pytest.approx(1.0)
    from scipy.stats import t

    assert known.half == pytest.approx(t.ppf(0.975, 1.6842105) * math.sqrt(4 / 3), rel=1e-6)
    assert welch([2.0, 3.0], [1.0]).low is None


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()
    with pytest.raises(OptionError, match="p-value"):
        holm([1.2])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_between_the_raw_and_bonferroni(p: list[float]) -> None:
    for raw, adjusted in zip(p, holm(p), strict=True):
        assert raw <= adjusted <= min(1.0, max(len(p) * raw, max(p)))
