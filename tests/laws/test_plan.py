"""Plans: predictive, invertible, and honest about what cannot be reached."""

import json
import math

import pytest
from planted import FULL_ACCURACY, row, study

from limbeck.errors import EvidenceError, OptionError
from limbeck.evaluation.records import Records
from limbeck.laws import ScalingLaw
from limbeck.laws.outlook import outlook
from limbeck.laws.spending import Spending


@pytest.fixture(scope="module")
def law() -> ScalingLaw:
    return ScalingLaw.fit(study(lambda k: 0.5 * k**-0.5 + 0.05))


def test_a_plan_leaves_room_for_a_new_run(law: ScalingLaw) -> None:
    even = (0.5 / (0.15 - 0.05)) ** 2  # where the *mean* reaches a gap of 0.15
    plan = law.samples_for(gap=0.15, certainty=0.95)
    assert plan.per_class is not None
    assert even < plan.per_class < 3 * even
    assert plan.total == 10 * plan.per_class
    less = law.samples_for(gap=0.15, certainty=0.6).per_class
    assert less is not None
    assert less < plan.per_class
    assert f"{plan.per_class} samples a class" in plan.sentence()
    assert not plan.extrapolated


def test_gap_at_is_the_inverse(law: ScalingLaw) -> None:
    plan = law.samples_for(gap=0.15, certainty=0.9)
    assert plan.per_class is not None
    assert law.gap_at(float(plan.per_class), certainty=0.9).high <= 0.15
    assert law.gap_at(float(plan.per_class - 1), certainty=0.9).high > 0.15


def test_below_the_floor_cannot_be_reached(law: ScalingLaw) -> None:
    plan = law.samples_for(gap=0.02)
    assert not plan.reachable
    assert "cannot be reached: the floor is 5.3 points [" in plan.sentence()
    assert plan.floor is not None
    assert plan.floor.low > 0.02
    assert plan.floor.holds(0.05)
    near = law.samples_for(gap=0.065)
    assert not near.reachable
    assert "best chance at any size" in near.sentence()
    assert json.loads(json.dumps(near.dictionary(), allow_nan=False))["per_class"] is None


def test_only_a_floor_that_is_surely_above_is_categorical(law: ScalingLaw) -> None:
    floor = law.e
    assert floor.low < 0.045 < floor.value
    text = law.samples_for(gap=0.045).sentence()  # below the estimate, but not below its interval
    assert "is not shown to be reachable" in text
    assert "cannot be reached" not in text
    assert "at no size is the chance better than even" in text


def test_an_open_floor_rules_nothing_out() -> None:
    law = ScalingLaw.fit(study(lambda k: 0.6 - 0.09 * math.log(k), noise=0.01))
    assert law.e.low == -math.inf
    plan = law.samples_for(gap=-0.9)
    assert plan.floor is not None
    assert plan.floor.low == -math.inf
    assert "cannot be reached" not in plan.sentence()
    assert plan.reachable or "no floor is seen" in plan.sentence()


@pytest.mark.parametrize("tau", [10.0, 30.0])
def test_a_refuted_law_plans_only_by_what_is_not_refuted(tau: float) -> None:
    def truth(k: float) -> float:
        return 0.4 * math.exp(-k / tau) + 0.05

    law = ScalingLaw.fit(study(truth, noise=0.005))
    assert not law.trust.holds
    below = law.samples_for(gap=0.02)  # the true floor is 0.05
    assert not below.reachable
    assert below.floor is None
    assert "floor is" not in below.sentence()
    plan = law.samples_for(gap=0.15)
    assert plan.per_class is not None
    assert truth(plan.per_class) < 0.15
    assert plan.per_class <= 3 * tau * math.log(4.0)
    assert not plan.extrapolated
    for text in (plan.sentence(), below.sentence()):
        assert text.startswith("c·k^(-b) + e is not to be trusted for these gaps (misfit p = ")
        assert "by c·exp(−k/τ) + e" in text
    assert plan.dictionary()["trust"]["holds"] is False
    with pytest.raises(EvidenceError, match="nothing is said outside the measured sizes"):
        outlook(law, 300)


def test_where_every_form_is_refuted_only_measured_sizes_speak() -> None:
    law = ScalingLaw.fit(study(lambda k: 0.3 + 0.1 * math.sin(2 * math.log(k)), noise=0.003))
    assert law.trust.standing == ()
    plan = law.samples_for(gap=0.3)
    assert plan.per_class in law.ground.table.sizes
    assert "by the measured sizes alone" in plan.sentence()
    for place, size in enumerate(law.ground.table.sizes):  # expected is what was measured, and the bound lies above
        known = law.gap_at(float(size))
        assert known.value == pytest.approx(float(law.ground.gaps.mean[place]))
        assert known.low < known.value < known.high
    with pytest.raises(EvidenceError, match="ask for one of 1, 2, 5"):
        outlook(law, 7)


def test_the_worst_bound_of_all_forms_that_stand_is_taken() -> None:
    law = ScalingLaw.fit(study(lambda k: 0.4 * math.exp(-k / 10) + 0.05))
    free = law.runs
    bounds = [float(fit.new_run(20.0, 0.9, law.ground.new_run(20.0))[1]) for fit in free.fits]
    assert law.gap_at(20.0, certainty=0.9).high == max(bounds)


def test_too_few_sizes_are_planned_with_only_where_they_were_measured() -> None:
    law = ScalingLaw.fit(study(lambda k: 0.5 * k**-0.5 + 0.05, sizes=(1, 2, 5, 10), noise=0.004))
    plan = law.samples_for(gap=0.3)
    assert plan.reachable
    assert plan.sentence().startswith(f"A demonstration: {plan.per_class} samples a class")
    far = law.samples_for(gap=0.1)  # 100 a class would reach it
    assert not far.reachable
    assert far.floor is None
    assert "within the measured sizes" in far.sentence()
    with pytest.raises(EvidenceError, match="ask for 1 to 10 a class"):
        outlook(law, 20)
    assert outlook(law, 10).sentence().startswith("A demonstration: 10 samples a class")


def test_failed_and_outlying_runs_are_a_condition_of_the_plan() -> None:
    records = study(lambda k: 0.5 * k**-0.5 + 0.05)
    lost = [row(0.0, failure="NaN.", per_class=5.0, stored=50, distillation_seed=9, seed=s) for s in range(3)]
    bent = [
        row(0.05, per_class=r.per_class, stored=r.stored, distillation_seed=2, seed=r.seed)
        if (r.method, r.per_class, r.distillation_seed) == ("dm", 20.0, 2)
        else r
        for r in records
    ]
    plan = ScalingLaw.fit(Records.of([*bent, *lost])).samples_for(gap=0.15)
    expected = "if the run does not fail (3 of 83 networks did and 1 of 40 runs lay far from the others)"
    assert expected in plan.sentence()
    assert plan.dictionary()["dropped"] == {"failed": 3, "networks": 83, "outlying": 1, "runs": 40}


def test_accuracy_and_error_are_one(law: ScalingLaw) -> None:
    accuracy, error = law.samples_for(accuracy=0.8), law.samples_for(error=0.2)
    assert accuracy.per_class == error.per_class
    by_gap = law.samples_for(gap=0.2 - (1 - FULL_ACCURACY))
    assert by_gap.per_class == pytest.approx(accuracy.per_class, rel=0.2)
    assert "80 %" in accuracy.sentence()


def test_costs_and_extrapolation(law: ScalingLaw) -> None:
    plan = law.samples_for(gap=0.085, certainty=0.8).with_costs(Spending(64.0, lambda k: 2 * k))
    assert plan.per_class is not None
    assert plan.total is not None
    assert plan.extrapolated
    assert "200 a class is the largest measured size, so this is an extrapolation" in plan.sentence()
    assert plan.values == 64 * plan.total
    assert plan.seconds == 2 * plan.per_class


def test_what_is_asked_is_checked(law: ScalingLaw) -> None:
    with pytest.raises(OptionError, match="exactly one"):
        law.samples_for()
    with pytest.raises(OptionError, match="exactly one"):
        law.samples_for(gap=0.1, accuracy=0.9)
    for target in ({"accuracy": 90.0}, {"accuracy": -0.3}, {"error": -0.1}, {"gap": 5.0}, {"error": math.nan}):
        with pytest.raises(OptionError, match="not percent"):
            law.samples_for(**target)
    with pytest.raises(OptionError, match="certainty"):
        law.samples_for(gap=0.1, certainty=0.3)
    with pytest.raises(OptionError, match="positive size"):
        law.gap_at(0.0)


def test_the_outlook_is_the_inverse_in_words(law: ScalingLaw) -> None:
    size = law.samples_for(gap=0.15, certainty=0.9).per_class
    assert size is not None
    left = outlook(law, float(size), certainty=0.9)
    assert left.gap.high <= 0.15
    assert f"{size} samples a class ({10 * size} in all)" in left.sentence()
    assert json.loads(json.dumps(left.dictionary(), allow_nan=False))["gap_below"] == left.gap.high
    assert "extrapolation" in outlook(law, 1000.0).sentence()


def test_sizes_below_the_measured_ones_extrapolate_too() -> None:
    law = ScalingLaw.fit(study(lambda k: 0.5 * k**-0.5 + 0.05, sizes=(2, 4, 8, 16, 32, 64, 128, 256)))
    assert "2 a class is the smallest measured size, so this is an extrapolation" in outlook(law, 1).sentence()


@pytest.mark.parametrize("size", [math.inf, -math.inf, math.nan, 0.1, 0.0, -3.0, 1.5, 1e9])
def test_only_whole_sizes_that_there_are_can_be_asked_for(law: ScalingLaw, size: float) -> None:
    with pytest.raises(OptionError, match="whole number from 1 to 5000"):
        outlook(law, size)


def test_costs_of_the_inverse(law: ScalingLaw) -> None:
    left = outlook(law, 10).with_costs(Spending(64.0, lambda k: 3.0))
    assert (left.values, left.seconds) == (6400, 3.0)
    assert "6,400 stored numbers, about 3 s of distilling" in left.sentence()
    plan = law.samples_for(gap=0.15).with_costs(Spending(None, lambda k: 3.0))
    assert (plan.values, plan.seconds) == (None, 3.0)
    out = law.samples_for(gap=0.02)
    assert out.with_costs(Spending(64.0)) == out
