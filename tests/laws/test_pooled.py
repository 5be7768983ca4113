"""Rates of several curves: their mean, their spread, each of them, and one rate for all."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from planted import FULL_ACCURACY, SIZES, row, study

from limbeck.errors import EvidenceError, OptionError
from limbeck.evaluation.records import Records
from limbeck.laws import PooledLaw, ScalingLaw
from limbeck.laws.forms import FreePower
from limbeck.laws.heterogeneity import Heterogeneity, normal_price
from limbeck.laws.joint import covariance
from limbeck.laws.pooled import pooled

SHAPES = FreePower().shapes(np.ones(1))


def curves(rates: list[float], errors: list[float], correlation: np.ndarray | None = None) -> Heterogeneity:
    """Curves with normal profiles, known variances, and rates as given."""
    prices = [normal_price(SHAPES, ((SHAPES - b) / s) ** 2, 1e6) for b, s in zip(rates, errors, strict=True)]
    return Heterogeneity(SHAPES, np.stack(prices), np.eye(len(rates)) if correlation is None else correlation)


def two(b: tuple[float, float], *, seed: int = 0, sizes: tuple[tuple[int, ...], ...] = (SIZES, SIZES)) -> Records:
    """Configurations a and b with floors 0.02 and 0.1, the same sets behind both."""
    generator = np.random.default_rng(seed)
    rows = [
        row(FULL_ACCURACY, set="full-matched", method="full", per_class=5000.0, seed=s, configuration=name)
        for s in range(3)
        for name in "ab"
    ]
    for size in SIZES:
        for unit in range(4):
            common = 0.008 * generator.normal()
            for place, name in enumerate("ab"):
                gap = 0.5 * size ** -b[place] + (0.02, 0.1)[place] + common + 0.004 * generator.normal()
                what = {"per_class": float(size), "stored": 10 * size, "distillation_seed": unit}
                if size in sizes[place]:
                    rows.append(row(FULL_ACCURACY - gap, configuration=name, **what))
    return Records.of(rows)


def test_exact_curves_have_hartung_and_knapps_interval() -> None:
    rates = [0.35, 0.45, 0.5, 0.62, 0.8]
    known = curves(rates, [0.004] * 5)
    deviation = float(np.std(rates, ddof=1))
    half = 2.7764 * deviation / math.sqrt(5)
    assert known.mean.value == pytest.approx(np.mean(rates), abs=0.01)
    assert (known.mean.high - known.mean.low) / 2 == pytest.approx(half, rel=0.06)
    assert known.deviation.value == pytest.approx(deviation, rel=0.05)
    assert known.deviation.low < deviation < known.deviation.high
    assert known.same < 1e-9
    for place, rate in enumerate(rates):  # nothing is left to be told by the others
        assert known.shrunken(place).value == pytest.approx(rate, abs=0.01)


def test_unsure_curves_of_one_rate_share_it() -> None:
    errors = [0.1, 0.1, 0.1, 0.1]
    known = curves([0.55, 0.45, 0.5, 0.6], errors)
    q = sum((b - 0.525) ** 2 for b in (0.55, 0.45, 0.5, 0.6)) / 0.01
    from scipy.special import chdtrc

    assert known.same == pytest.approx(float(chdtrc(3, q)), rel=0.02)
    assert known.deviation.low == 0
    assert known.mean.value == pytest.approx(0.525, abs=0.01)
    assert 1.96 * 0.05 < known.mean.half < 3.19 * 0.05
    for place in range(4):
        assert known.shrunken(place).half < known.errors[place] * 1.96
    assert abs(known.shrunken(3).value - 0.525) < 0.6 - 0.525


def test_correlated_errors_are_no_independent_witnesses() -> None:
    together = np.full((3, 3), 0.9) + 0.1 * np.eye(3)
    rates, errors = [0.45, 0.5, 0.55], [0.05, 0.05, 0.05]
    alone, known = curves(rates, errors), curves(rates, errors, together)
    deviations = np.array(rates) - 0.5
    from scipy.special import chdtrc

    q = float(deviations @ np.linalg.inv(0.0025 * together) @ deviations)
    assert known.same == pytest.approx(float(chdtrc(2, q)), rel=0.03)
    assert known.same < alone.same  # a difference that common errors cannot make
    price = 3 * math.log1p(4.3027**2 / 2)  # what the mean's interval allows; its variance is 0.05² (1 + 2·0.9)/3
    assert curves([0.5] * 3, errors, together).mean.half == pytest.approx(0.05 * math.sqrt(price * 2.8 / 3), rel=0.02)
    assert curves([0.5] * 3, errors, together).shrunken(0).half > curves([0.5] * 3, errors).shrunken(0).half


def test_a_curve_that_says_nothing_changes_nothing() -> None:
    rates, errors = [0.4, 0.5, 0.6], [0.02, 0.02, 0.02]
    known = curves(rates, errors)
    silent = np.zeros((1, known.prices.shape[1]))
    more = Heterogeneity(SHAPES, np.concatenate([known.prices, silent]), np.eye(4))
    for before, after in ((known.mean, more.mean), (known.deviation, more.deviation)):
        assert (after.value, after.low, after.high) == pytest.approx((before.value, before.low, before.high), rel=1e-3)
    assert more.same == pytest.approx(known.same)
    told, further = more.shrunken(3), known.another()  # what the others say of it is all that is known
    assert told.value == pytest.approx(further.value, abs=0.03)
    assert told.low < min(rates) < max(rates) < told.high


def test_a_shared_rate_is_found_and_each_keeps_its_floor() -> None:
    law = PooledLaw.fit(two((0.5, 0.5)))
    assert law.names == ("a", "b")
    assert law.b.holds(0.5)
    assert law.tau.low == 0
    for name, floor in (("a", 0.02), ("b", 0.1)):
        assert law.e(name).holds(floor)
        assert law.c(name).holds(0.5)
        assert law.rate(name).holds(0.5)
        assert law.one.coefficient(law.names.index(name), 1).holds(floor)
    assert law.same > 0.01
    assert law.kin[0, 1] > 0.5
    assert law.one.b.holds(0.5)
    assert "2 curves say little" in " ".join(law.sentences())
    data = json.loads(json.dumps(law.dictionary(), allow_nan=False))
    assert set(data["curves"]) == {"a", "b"}
    alone = ScalingLaw.fit(two((0.5, 0.5)), configuration="a").b
    assert law.one.b.half <= 1.2 * alone.half


def test_two_rates_do_not_fit_one() -> None:
    law = PooledLaw.fit(two((0.3, 1.0)))
    assert law.same < 0.01
    assert "does not fit" in law.sentences()[0]
    assert law.rate("a").high < law.rate("b").low
    assert law.tau.low > 0


def test_curves_of_several_studies_and_sizes() -> None:
    first = two((0.5, 0.5), sizes=(SIZES, SIZES[:5]))
    with pytest.raises(OptionError, match="two of the studies are called 'one'"):
        PooledLaw.fit([first, first], sources=["one", "one"])
    law = PooledLaw.fit([first, study(lambda k: 0.4 * k**-0.5 + 0.05)], sources=["first", "second"])
    assert law.names == ("first, a", "first, b", "second, a")
    assert law.kin[0, 1] > 0.5
    assert law.kin[0, 2] == law.kin[1, 2] == 0
    assert law.b.holds(0.5)
    assert law.e("second, a").holds(0.05)
    assert any(text.startswith("first, b: A demonstration") for text in law.sentences())
    again = pooled(law.laws)
    assert again.same == pytest.approx(law.same)  # one method's configurations are known to be of the same sets


def test_a_curve_without_a_law_is_left_out_and_said() -> None:
    short = two((0.5, 0.5), sizes=(SIZES, SIZES[:3]))
    law = PooledLaw.fit([short, study(lambda k: 0.4 * k**-0.5 + 0.05)])
    assert len(law.laws) == 2
    assert any("3 sizes" in text for text in law.left)
    with pytest.raises(EvidenceError, match="3 sizes"):
        PooledLaw.fit(short)


def test_outlying_runs_make_no_correlation_and_unconverged_sizes_are_out() -> None:
    records = two((0.5, 0.5))
    struck = Records.of(
        replace(r, accuracy=r.accuracy - 0.2) if r.per_class == 10 and r.distillation_seed == 1 else r for r in records
    )
    law, clean = PooledLaw.fit(struck), PooledLaw.fit(records)
    assert all("left out" in " ".join(each.ground.remarks) for each in law.laws)
    assert law.kin[0, 1] == pytest.approx(clean.kin[0, 1], abs=0.2)
    twice = [
        replace(r, method="dm-twice", accuracy=r.accuracy + 0.05)
        for r in records
        if r.per_class == 200 and r.configuration == "a"
    ] + [
        replace(r, method="dm-twice")
        for r in records
        if r.method == "dm" and r.per_class == 200 and r.configuration == "b"
    ]
    law = PooledLaw.fit(records + Records.of(twice), doubled="dm-twice")
    assert [float(each.ground.table.sizes[-1]) for each in law.laws] == [100, 200]


def test_the_joint_covariance_is_one_of_a_distribution() -> None:
    law = PooledLaw.fit(two((0.5, 0.5), sizes=(SIZES, SIZES[1:])))
    noises = [each.ground.gaps for each in law.laws]
    made = covariance(noises, law.kin)
    assert np.linalg.eigvalsh(made)[0] > 0
    np.testing.assert_allclose(made[:8, :8], noises[0].covariance())
    first, second = (np.sqrt(np.diagonal(n.own())) for n in noises)
    assert np.all(np.abs(made[:8, 8:]) <= np.outer(first, second) + 1e-12)
    np.testing.assert_array_equal(covariance(noises, np.eye(2))[:8, 8:], 0)


def test_one_curve_is_not_pooled() -> None:
    records = study(lambda k: 0.5 / k)
    with pytest.raises(EvidenceError, match="two or more"):
        PooledLaw.fit(records)
    with pytest.raises(EvidenceError, match="two or more"):
        pooled([ScalingLaw.fit(records)])
    with pytest.raises(OptionError, match="different levels"):
        pooled([ScalingLaw.fit(records), ScalingLaw.fit(records, level=0.9)])
    with pytest.raises(OptionError, match="'z' is not among"):
        PooledLaw.fit(two((0.5, 0.5))).e("z")
