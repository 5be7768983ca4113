"""Near-optimal sets are nearer than drawn ones, and the bilevel gradient is a difference quotient."""

import numpy as np
import pytest

from limbeck.errors import OptionError
from limbeck.laws import ScalingLaw
from limbeck.laws.laboratory import Laboratory, RidgeLaboratory, SoftmaxLaboratory
from limbeck.laws.near_optimal import bilevel, herded


@pytest.fixture(scope="module", params=[RidgeLaboratory, SoftmaxLaboratory])
def laboratory(request) -> Laboratory:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(300, 4))
    labels = (features @ generator.normal(size=(4, 3)) + generator.gumbel(size=(300, 3))).argmax(1)
    return request.param(features, np.eye(3)[labels], 0.1)


@pytest.fixture
def weights(laboratory: Laboratory) -> np.ndarray:
    q = np.exp(0.5 * laboratory.features[:, 0])
    return q / q.sum()


def test_herded_sets_fall_to_the_floor_under_the_law_of_drawn_ones(laboratory: Laboratory, weights) -> None:
    known, sizes = laboratory.predicted("excess", weights), (1, 2, 4, 8, 16, 32, 64, 128)
    gaps = np.zeros((len(sizes), 4))
    for seed in range(4):
        first = laboratory.drawn(3, np.random.default_rng(seed), weights)
        order = herded(laboratory, 3 * sizes[-1], weights=weights, first=first)
        np.testing.assert_array_equal(order[:3], first)
        for row, size in enumerate(sizes):
            index = order[: 3 * size]
            w = laboratory.trained(index)
            gaps[row, seed] = laboratory.excess(w)
            share = np.full(len(index), 1 / len(index))
            gap, bound = laboratory.bound(laboratory.features[index], laboratory.targets[index], share)
            assert gap == pytest.approx(gaps[row, seed], abs=1e-9)
            assert gap <= bound
    assert np.all(gaps[2:].mean(1) < known.c / np.array(sizes[2:]) + known.e)
    assert gaps[-1].mean() == pytest.approx(known.e, rel=0.05)
    law = ScalingLaw.of(laboratory.table(sizes, gaps))
    assert law.b.low > 0.5  # a greedy choice falls faster than chance, whose excess falls as 1/k
    assert law.e.value == pytest.approx(known.e, rel=0.1)


def test_herding_is_the_greedy_choice(laboratory: Laboratory) -> None:
    w = laboratory.full()
    each = laboratory.gradients(w, laboratory.features, laboratory.targets)
    inverse = np.linalg.inv(laboratory.hessian(w, laboratory.features, laboratory.uniform))
    chosen = herded(laboratory, 6)
    for number in range(1, 7):
        means = (each[chosen[: number - 1]].sum(0) + each) / number - each.mean(0)
        assert int(np.einsum("nd,de,ne->n", means, inverse, means).argmin()) == chosen[number - 1]


def test_bilevel_sets_reach_what_hard_labels_allow() -> None:
    generator = np.random.default_rng(3)
    features = generator.normal(size=(200, 5))
    targets = np.eye(2)[(features[:, 0] + 0.5 * generator.normal(size=200) > 0).astype(int)]
    laboratory = RidgeLaboratory(features, targets, 0.2)
    index = laboratory.drawn(6, generator)
    made, labels = bilevel(laboratory, index, steps=400)
    share = np.full(6, 1 / 6)
    before, _ = laboratory.bound(features[index], targets[index], share)
    after, bound = laboratory.bound(made, labels, share)
    assert after < 0.02 * before
    assert after <= bound + 1e-12
    assert np.all(made >= features.min(0) - 1e-12)
    assert np.all(made <= features.max(0) + 1e-12)
    np.testing.assert_array_equal(labels, targets[index])
    with pytest.raises(OptionError, match="0 steps"):
        bilevel(laboratory, index, steps=0)
