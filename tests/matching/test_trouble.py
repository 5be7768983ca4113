"""Trouble that data can bring: coinciding points, absent classes, a difficulty term that drowns the loss."""

import pytest
import torch

from limbeck.errors import FitError, OptionError
from limbeck.matching import (
    DISCREPANCIES,
    MMD,
    VIEWS,
    Context,
    Features,
    Gaussian,
    Gradients,
    Laplace,
    Match,
    MeanGap,
    Place,
    RealSide,
    RowCosine,
    Sum,
)
from limbeck.matching.cloud import Cloud
from limbeck.matching.sdc import BatchGradientNorm, SampleGradientNorm
from limbeck.seeds import generator
from tests.matching.small_matching import CPU, small, some_batch, surroundings


def read(surrogate: Sum, real, synthetic):
    network, params = small()
    return surrogate.read(real, synthetic, Place(network, params, CPU), Context(generator=generator(0)))


@pytest.mark.parametrize("name", DISCREPANCIES)
def test_points_that_are_all_one_have_a_finite_value_and_gradient(name: str) -> None:
    """Every kernel matrix of such points is singular, and every distance is zero."""
    discrepancy = DISCREPANCIES[name][0]
    paired = discrepancy.facts.paired
    points = torch.ones(6, 5, dtype=torch.float64)
    groups = torch.tensor([0, 0, 0, 1, 1, 1])
    for other in (points, points + 1):
        mine = other.clone().requires_grad_()
        clouds = Cloud(points, groups, 2, paired=paired), Cloud(mine, groups, 2, paired=paired)
        context = Context(generator=generator(0), state=discrepancy.init(5, generator(1)))
        found = discrepancy(*clouds, context)
        (slope,) = torch.autograd.grad(found, mine, allow_unused=True, materialize_grads=True)
        assert torch.isfinite(found)
        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("kernel", [Gaussian, Laplace])
@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan")])
def test_a_bandwidth_that_is_none_is_a_sentence(kernel, bandwidth: float) -> None:
    with pytest.raises(OptionError, match="bandwidth is"):
        MMD(kernel(bandwidth=bandwidth))


@pytest.mark.parametrize("name", VIEWS)
def test_a_batch_may_lack_classes(name: str) -> None:
    view = VIEWS[name][0]
    gap = RowCosine() if view.paired else MeanGap()
    whole = some_batch((2, 3, 2))
    kept = whole.labels != 1

    def without(batch):
        return type(batch)(batch.inputs[kept], batch.labels[kept], (0, 2), (2, 2))

    reading = read(Sum((Match(view, gap),)), without(whole), without(some_batch((2, 3, 2), seed=1)))
    assert torch.isfinite(reading.loss)
    assert reading.cotangents.inputs.shape == (4, 1, 8, 8)


def test_absent_classes_change_nothing_for_the_others() -> None:
    one, two = some_batch((2, 3, 2)), some_batch((2, 3, 2), seed=1)
    surrogate = Sum((Match(Features(), MeanGap()),))
    kept = one.labels != 1
    few = [type(b)(b.inputs[kept], b.labels[kept], (0, 2), (2, 2)) for b in (one, two)]
    slopes = read(surrogate, one, two).cotangents.inputs
    assert torch.allclose(read(surrogate, *few).cotangents.inputs, slopes[kept], atol=1e-10)


def test_a_class_without_real_examples_is_a_sentence() -> None:
    real = surroundings().real
    empty = RealSide(real.pool, 3, torch.device("cpu"), (real.pools[0], real.pools[1][:0], real.pools[2]))
    with pytest.raises(FitError, match="class 1 has no real examples"):
        empty.draw((0, 1, 2), 4, generator(0))
    assert len(empty.draw((0, 2), 4, generator(0))) == 8


@pytest.mark.parametrize("name", [n for n, (d, _) in DISCREPANCIES.items() if not d.facts.paired])
def test_a_group_of_nothing_is_a_sentence(name: str) -> None:
    discrepancy = DISCREPANCIES[name][0]
    context = Context(generator=generator(0), state=discrepancy.init(5, generator(1)))
    points = torch.randn(4, 5, generator=generator(2), dtype=torch.float64)
    whole = Cloud(points, torch.tensor([0, 0, 1, 2]), 3)
    assert torch.isfinite(discrepancy(whole, whole, context))
    absent = Cloud(points, torch.tensor([0, 0, 2, 2]), 3)
    weightless = Cloud(points, torch.tensor([0, 0, 1, 2]), 3, torch.tensor([1.0, 2.0, 0.0, 1.0]).double())
    for empty in (absent, weightless):
        for sides in ((empty, whole), (whole, empty)):
            with pytest.raises(FitError, match="group 1 of 3 has no point"):
                discrepancy(*sides, context)


def test_a_batch_names_the_class_that_it_has_no_example_of() -> None:
    batch = some_batch((2, 1, 2))
    kept = batch.labels != 1
    with pytest.raises(FitError, match="class 1 has no example in a batch"):
        type(batch)(batch.inputs[kept], batch.labels[kept], (0, 1, 2), (2, 0, 2))


def test_a_difficulty_term_that_drowns_the_loss_is_said() -> None:
    for term in (BatchGradientNorm(weight=5.0), SampleGradientNorm(weight=5.0)):
        (sentence,) = Sum((Match(Gradients(), RowCosine()), term)).remarks
        assert "5 times as large as the matching loss" in sentence
    assert Sum((Match(Gradients(), RowCosine()), BatchGradientNorm(weight=0.05))).remarks == ()
