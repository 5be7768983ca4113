"""Starts: order, grouping, repetition, noise, misfits."""

from typing import Any

import pytest
import torch

from limbeck.errors import FitError, OptionError
from limbeck.seeds import generator
from limbeck.synthetic import INITIALS, Chosen, Herding, Initial, Noise, RealRandom, Wanted, initial
from limbeck.values import decode, encode

CLASSES = ("a", "b", "c")


def _labels(pool: Any, inputs: torch.Tensor) -> list[int]:
    return [int(pool.labels[(pool.inputs == one).flatten(1).all(1)][0]) for one in inputs]


@pytest.mark.parametrize("start", [RealRandom(), Chosen(Herding())])
def test_real_starts_are_real_distinct_and_ordered_by_class(start: Initial, pool: Any) -> None:
    inputs = start.inputs(pool, Wanted((4, 2, 1), CLASSES, 1), generator(0))
    assert start.shows_real
    assert _labels(pool, inputs) == [0] * 4 + [1] * 2 + [2]
    assert len(torch.unique(inputs, dim=0)) == 7


def test_a_class_is_repeated_where_decoded_examples_outnumber_it(pool: Any) -> None:
    inputs = RealRandom().inputs(pool, Wanted((1, 1, 2), CLASSES, 4), generator(0))
    assert _labels(pool, inputs) == [0] * 4 + [1] * 4 + [2] * 8
    assert len(torch.unique(inputs[-8:], dim=0)) == 3  # all that there are


def test_noise_is_standard_normal_and_needs_no_data(pool: Any) -> None:
    inputs = Noise().inputs(pool, Wanted((20, 10, 5), CLASSES, 4), generator(0))
    assert inputs.shape == (140, 1, 8, 8)
    assert abs(float(inputs.mean())) < 0.05
    assert abs(float(inputs.std()) - 1) < 0.05
    assert pool.taken == 0
    assert not Noise().shows_real


def test_more_stored_than_real_examples_is_a_sentence(pool: Any) -> None:
    with pytest.raises(FitError, match="class 'c' has 3 training examples, but 4"):
        RealRandom().inputs(pool, Wanted((1, 1, 4), CLASSES, 1), generator(0))


def test_same_seed_same_start(pool: Any) -> None:
    for start, _ in INITIALS.values():
        one, two, other = (start.inputs(pool, Wanted((3, 2, 1), CLASSES, 1), generator(seed)) for seed in (0, 0, 1))
        assert torch.equal(one, two)
        if start in (Noise(), RealRandom()):
            assert not torch.equal(one, other)
        assert decode(encode(start)) == start


def test_names() -> None:
    assert initial("herding") == Chosen(Herding())
    with pytest.raises(OptionError, match="did you mean noise"):
        initial("nois")
