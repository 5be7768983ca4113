"""Schedules and lengths at points where their values are known."""

from collections.abc import Callable

import pytest

from limbeck.data.dsa import DSA
from limbeck.errors import OptionError
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.training.configuration import Configuration, Constant, Cosine, Epochs, Schedule, Step, Updates
from limbeck.training.optimizer import AdamW
from limbeck.values import decode, digest, encode, replace


def test_step_drops_at_its_shares() -> None:
    schedule = Step(at=(0.5, 0.75), gamma=0.1)
    factors = [schedule.factor(u, 8) for u in range(8)]
    assert factors == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_cosine_goes_from_one_to_its_floor() -> None:
    schedule = Cosine(floor=0.2)
    assert schedule.factor(0, 10) == 1.0
    assert schedule.factor(5, 10) == pytest.approx(0.6)
    assert schedule.factor(10, 10) == pytest.approx(0.2)


@pytest.mark.parametrize("schedule", [Constant(warmup=0.4), Step(at=(1.0,), warmup=0.4)])
def test_warm_up_is_linear(schedule: Schedule) -> None:
    assert [schedule.factor(u, 10) for u in range(5)] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


def test_updates_do_not_depend_on_the_set_and_epochs_do() -> None:
    assert Updates(70).updates(10, 256) == Updates(70).updates(50_000, 256) == 70
    assert Epochs(3).updates(10, 256) == 3
    assert Epochs(3).updates(257, 256) == 6


def test_configurations_are_values() -> None:
    one = Configuration("a", ConvNet(width=8), AdamW(), Cosine(warmup=0.1), DSA(), Epochs(5), 32, "squared")
    again = decode(encode(one))
    assert again == one and hash(again) == hash(one) and digest(again) == digest(one)
    assert digest(replace(one, batch=33)) != digest(one)


def test_bad_values_are_sentences() -> None:
    with pytest.raises(OptionError, match="batch size is 0"):
        Configuration("a", MLP(), batch=0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Step(gamma=-3.0),
        lambda: Step(gamma=0.0),
        lambda: Step(warmup=2.0),
        lambda: Cosine(floor=-1.0),
        lambda: Constant(warmup=-0.1),
        lambda: Updates(-1),
        lambda: Epochs(-5),
    ],
)
def test_schedules_and_lengths_that_make_no_sense(wrong: Callable[[], object]) -> None:
    with pytest.raises(OptionError, match="give"):
        wrong()
