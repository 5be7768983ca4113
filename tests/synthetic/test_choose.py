"""Choosing: known answers, naive loops, every class its own count, misfits, speed."""

import time
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limbeck.errors import FitError, OptionError
from limbeck.seeds import generator
from limbeck.synthetic import CHOOSERS, Chooser, Herding, KCenter, KMeans, Random, choose_real, class_counts
from limbeck.values import decode, encode

ALL = [rule for rule, _ in CHOOSERS.values()]


def _herding(points: np.ndarray, k: int) -> list[int]:
    mean, picked = points.mean(0), list[int]()
    for t in range(1, k + 1):
        gaps = [
            np.inf if i in picked else np.linalg.norm(mean - (points[i] + points[picked].sum(0)) / t)
            for i in range(len(points))
        ]
        picked.append(int(np.argmin(gaps)))
    return picked


def _k_center(points: np.ndarray, k: int) -> list[int]:
    picked = [int(np.argmin(np.linalg.norm(points - points.mean(0), axis=1)))]
    while len(picked) < k:
        gaps = [min(np.linalg.norm(points[i] - points[j]) for j in picked) for i in range(len(points))]
        picked.append(int(np.argmax(gaps)))
    return picked


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: type(rule).__name__)
@given(n=st.integers(1, 12), d=st.integers(1, 4), data=st.data())
@settings(max_examples=20, deadline=None)
def test_any_choice_is_distinct_and_repeatable(rule: Chooser, n: int, d: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n))
    points = torch.randint(0, 3, (n, d), generator=generator(n, d)).float()  # with duplicates
    first, again = (rule.choose(points, k, generator(5, "choice")) for _ in range(2))
    assert first.dtype == torch.int64
    assert len(set(first.tolist())) == k
    assert 0 <= int(first.min()) <= int(first.max()) < n
    assert torch.equal(first, again)


@pytest.mark.parametrize(("rule", "naive"), [(Herding(), _herding), (KCenter(), _k_center)])
def test_greedy_choices_are_those_of_the_naive_loop(rule: Chooser, naive: object) -> None:
    assert callable(naive)
    for seed in range(5):
        points = 3 + torch.randn(40, 6, generator=generator(seed))
        assert rule.choose(points, 12, generator(0)).tolist() == naive(points.double().numpy(), 12)


def test_herding_keeps_the_mean() -> None:
    points = torch.randn(200, 8, generator=generator(3))
    mean = points.mean(0)
    herded = points[Herding().choose(points, 10, generator(0))].mean(0)
    drawn = points[Random().choose(points, 10, generator(0))].mean(0)
    assert (herded - mean).norm() < 0.3 * (drawn - mean).norm()


def test_k_means_takes_the_middle_of_each_cluster() -> None:
    middles = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    around = torch.tensor([[0.0, 0.0], [2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    points = (middles[:, None] + around).flatten(0, 1)
    for seed in range(5):
        assert sorted(KMeans().choose(points, 3, generator(seed)).tolist()) == [0, 5, 10]


def test_k_means_parts_what_shares_a_nearest_example() -> None:
    points = torch.zeros(5, 2)
    assert len(set(KMeans().choose(points, 5, generator(0)).tolist())) == 5


def test_k_center_of_a_line() -> None:
    points = torch.arange(11.0)[:, None]
    assert KCenter().choose(points, 3, generator(0)).tolist() == [5, 0, 10]


def test_random_depends_on_the_seed_alone() -> None:
    picks = {tuple(Random().choose(torch.empty(50, 0), 5, generator(seed)).tolist()) for seed in range(5)}
    assert len(picks) == 5


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: type(rule).__name__)
def test_each_class_has_its_own_count(rule: Chooser, pool: Any) -> None:
    picked = choose_real(pool, (5, 1, 3), chooser=rule, generator=generator(0), classes=("a", "b", "c"))
    assert [len(index) for index in picked] == [5, 1, 3]
    for label, index in enumerate(picked):
        assert (pool.labels[index] == label).all()
    assert pool.taken == (0 if rule == Random() else 22)


def test_features_decide(pool: Any) -> None:
    """Herding one example takes the one nearest to the mean of the features, not of the pixels."""

    def first(inputs: Tensor) -> Tensor:
        return inputs.flatten(1)[:, :1]

    (index, *_) = choose_real(
        pool, (1, 1, 1), chooser=Herding(), generator=generator(0), classes=("a", "b", "c"), features=first
    )
    values = pool.inputs[pool.of_class(0)].flatten(1)[:, 0]
    nearest = pool.of_class(0)[(values - values.mean()).abs().argmin()]
    assert int(index) == int(nearest)


def test_a_class_that_is_too_small_is_named(pool: Any) -> None:
    with pytest.raises(FitError, match="class 'rare' has 3 training examples, but 4 were asked for"):
        choose_real(pool, (1, 1, 4), chooser=Random(), generator=generator(0), classes=("a", "b", "rare"))


def test_counts_of_classes() -> None:
    assert class_counts(3, ("a", "b")) == (3, 3)
    assert class_counts([3, 1], ("a", "b")) == (3, 1)
    with pytest.raises(FitError, match="3 sizes were given for 2 classes"):
        class_counts((1, 2, 3), ("a", "b"))
    for bad in (0, -1, (2, 0)):
        with pytest.raises(OptionError, match="at least 1"):
            class_counts(bad, ("a", "b"))
    with pytest.raises(OptionError, match="at least 0"):
        KMeans(steps=-1)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: type(rule).__name__)
def test_rules_can_be_written(rule: Chooser) -> None:
    assert decode(encode(rule)) == rule


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: type(rule).__name__)
def test_a_large_class_takes_no_longer_than_seconds(rule: Chooser) -> None:
    points = torch.randn(6000, 2048, generator=generator(0))
    start = time.process_time()
    rule.choose(points, 10, generator(0))
    assert time.process_time() - start < 8  # below 2 s on an idle machine; a quadratic loop takes minutes
