import pytest
import torch
from torch.nn import functional as F

from limbeck.errors import FitError, OptionError
from limbeck.matching import (
    AdaptivePace,
    BatchGradientNorm,
    Context,
    Features,
    Gradients,
    LinearPace,
    LogarithmicPace,
    Match,
    MeanGap,
    Place,
    RowCosine,
    SampleGradientNorm,
    SteadyPace,
    Sum,
)
from limbeck.seeds import generator
from tests.matching.small_matching import CPU, moved, small, some_batch


def place():
    network, params = small(activation="gelu")
    return Place(network, params, CPU)


def class_norms(where, batch):
    found = []
    for c in range(3):
        leaves = {k: p.clone().requires_grad_() for k, p in where.params.items()}
        loss = F.cross_entropy(
            where.network(leaves, batch.inputs[batch.labels == c]).logits, batch.labels[batch.labels == c]
        )
        grads = torch.autograd.grad(loss, list(leaves.values()))
        found.append(torch.cat([g.flatten() for g in grads if g.ndim >= 2]).norm())
    return sum(found)


def test_the_absolute_term_is_the_sum_of_class_norms():
    where, batch = place(), some_batch((2, 3, 2))
    term = BatchGradientNorm(weight=0.3, relative=False)
    assert torch.allclose(Sum((term,)).read(None, batch, where, Context()).loss, 0.3 * class_norms(where, batch))


def test_a_class_of_one_has_the_same_norm_in_both_readings():
    where, batch = place(), some_batch((1, 1, 1))
    whole = BatchGradientNorm(1.0, relative=False, view=Gradients(layers="all"))
    each = SampleGradientNorm(1.0, relative=False)
    a, b = (Sum((term,)).read(None, batch, where, Context()) for term in (whole, each))
    assert torch.allclose(a.loss, b.loss)
    assert torch.allclose(a.cotangents.inputs, b.cotangents.inputs, atol=1e-10)


@pytest.mark.parametrize(
    "term", [BatchGradientNorm(0.5, relative=False), SampleGradientNorm(0.5, relative=False)], ids=repr
)
def test_the_gradient_is_the_difference_quotient(term):
    where, batch = place(), some_batch((2, 1, 3), soft=True)
    surrogate = Sum((term,))
    reading = surrogate.read(None, batch, where, Context())
    g = generator(0)
    step, turn = (torch.randn(t.shape, generator=g, dtype=torch.float64) for t in (batch.inputs, batch.targets))

    def at(s):
        there = moved(batch, batch.inputs + s * step, batch.targets + s * turn)
        return float(surrogate.read(None, there, where, Context()).loss)

    slope = (reading.cotangents.inputs * step).sum() + (reading.cotangents.targets * turn).sum()
    assert float(slope) == pytest.approx((at(1e-6) - at(-1e-6)) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("matching", [Match(Gradients(), RowCosine()), Match(Features(), MeanGap())], ids=["dc", "dm"])
def test_the_relative_term_is_a_share_of_the_matching_loss(matching):
    where, real, batch = place(), some_batch((4, 4, 4), 1), some_batch((2, 2, 2))
    alone = Sum((matching,)).read(real, batch, where, Context())
    for term in (BatchGradientNorm(0.1), SampleGradientNorm(0.1)):
        both = Sum((matching, term)).read(real, batch, where, Context())
        assert torch.allclose(both.loss, 1.1 * alone.loss)
        assert not torch.allclose(both.cotangents.inputs, alone.cotangents.inputs)


def test_a_step_along_the_term_makes_the_examples_easier():
    where, batch = place(), some_batch((2, 2, 2))
    reading = Sum((BatchGradientNorm(1.0, relative=False),)).read(None, batch, where, Context())
    easier = moved(batch, batch.inputs - 0.05 * reading.cotangents.inputs, None)
    assert class_norms(where, easier) < class_norms(where, batch)


def test_paces():
    assert [SteadyPace().factor(p, 5.0) for p in (0.0, 1.0)] == [1.0, 1.0]
    assert [LinearPace(1.0, 0.0).factor(p, 5.0) for p in (0.0, 0.25, 1.0)] == [1.0, 0.75, 0.0]
    logarithmic = [LogarithmicPace(0.0, 2.0).factor(p, 5.0) for p in (0.0, 0.25, 1.0)]
    assert logarithmic[0] == pytest.approx(0.0)
    assert logarithmic[1] > 0.5 * 2.0
    assert logarithmic[2] == pytest.approx(2.0)
    assert [AdaptivePace(2.0).factor(0.0, r) for r in (0.5, 5.0)] == [0.5, 2.0]


def test_the_adaptive_pace_follows_the_real_gradient():
    where, real, batch = place(), some_batch((4, 4, 4), 1), some_batch((2, 2, 2))
    term = BatchGradientNorm(1.0, AdaptivePace(ceiling=100.0), relative=False)
    assert Sum((term,)).needs.real
    assert not Sum((BatchGradientNorm(),)).needs.real
    here, there = class_norms(where, batch), class_norms(where, real)
    assert torch.allclose(Sum((term,)).read(real, batch, where, Context()).loss, here * here / there)


def test_what_cannot_be_is_a_sentence():
    with pytest.raises(OptionError, match="negative"):
        BatchGradientNorm(-1.0)
    with pytest.raises(OptionError, match="negative"):
        SampleGradientNorm(-1.0)
    with pytest.raises(OptionError, match="sharpness"):
        LogarithmicPace(sharpness=0.0)
    with pytest.raises(FitError, match="gradients"):
        BatchGradientNorm(view=Features())
