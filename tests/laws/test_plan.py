"""Plans: predictive, invertible, and honest about what cannot be reached."""

import json

import pytest
from planted import FULL_ACCURACY, study

from limbeck.errors import OptionError
from limbeck.laws import ScalingLaw
from limbeck.laws.outlook import outlook


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
    assert "cannot be reached: the floor is" in plan.sentence()
    assert plan.floor.holds(0.05)
    near = law.samples_for(gap=0.056)
    assert not near.reachable
    assert "best chance at any size" in near.sentence()
    assert json.loads(json.dumps(near.dictionary(), allow_nan=False))["per_class"] is None


def test_accuracy_and_error_are_one(law: ScalingLaw) -> None:
    accuracy, error = law.samples_for(accuracy=0.8), law.samples_for(error=0.2)
    assert accuracy.per_class == error.per_class
    by_gap = law.samples_for(gap=0.2 - (1 - FULL_ACCURACY))
    assert by_gap.per_class == pytest.approx(accuracy.per_class, rel=0.2)
    assert "80 %" in accuracy.sentence()


def test_costs_and_extrapolation(law: ScalingLaw) -> None:
    plan = law.samples_for(gap=0.085, certainty=0.8).with_costs(shape=(1, 8, 8), seconds=lambda k: 2 * k)
    assert plan.per_class is not None
    assert plan.total is not None
    assert plan.extrapolated
    assert "extrapolation" in plan.sentence()
    assert plan.values == 64 * plan.total
    assert plan.seconds == 2 * plan.per_class


def test_what_is_asked_is_checked(law: ScalingLaw) -> None:
    with pytest.raises(OptionError, match="exactly one"):
        law.samples_for()
    with pytest.raises(OptionError, match="exactly one"):
        law.samples_for(gap=0.1, accuracy=0.9)
    with pytest.raises(OptionError, match="not percent"):
        law.samples_for(accuracy=90.0)
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


def test_costs_without_a_shape(law: ScalingLaw) -> None:
    plan = law.samples_for(gap=0.15).with_costs(seconds=lambda k: 3.0)
    assert (plan.values, plan.seconds) == (None, 3.0)
