import pytest
import torch
from torch.nn import functional as F

from limbeck.compute import Compute
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
from limbeck.matching import sdc as module
from limbeck.matching.difficulty import CHUNK
from limbeck.matching.sdc import GradientNorms
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


@pytest.mark.parametrize("first", [True, False])
def test_the_relative_term_sees_all_that_is_matched_whatever_the_order(first):
    where, real, batch = place(), some_batch((4, 4, 4), 1), some_batch((2, 2, 2))
    matching = Match(Gradients(), RowCosine()), Match(Features(), MeanGap(), weight=1000.0)
    alone = Sum(matching).read(real, batch, where, Context())
    for term in (BatchGradientNorm(0.1), SampleGradientNorm(0.1)):
        terms = (term, *matching) if first else (*matching, term)
        both = Sum(terms).read(real, batch, where, Context())
        assert torch.allclose(both.loss, 1.1 * alone.loss)
        assert torch.allclose(Sum((matching[1], term, matching[0])).read(real, batch, where, Context()).loss, both.loss)
    single = Sum((BatchGradientNorm(0.1), matching[0])).read(real, batch, where, Context())
    assert torch.allclose(single.loss, 1.1 * Sum(matching[:1]).read(real, batch, where, Context()).loss)


def test_two_relative_terms_are_shares_of_what_is_matched_and_not_of_each_other():
    where, real, batch = place(), some_batch((4, 4, 4), 1), some_batch((2, 2, 2))
    matching = Match(Gradients(), RowCosine()), Match(Gradients(layers="conv"), RowCosine())
    alone = Sum(matching).read(real, batch, where, Context())
    relative = BatchGradientNorm(0.1), BatchGradientNorm(0.2, view=Gradients(layers="conv"))
    both = Sum((relative[0], matching[0], relative[1], matching[1])).read(real, batch, where, Context())
    assert torch.allclose(both.loss, 1.3 * alone.loss)


@pytest.mark.parametrize("soft", [False, True])
def test_sample_gradients_in_pieces_are_those_in_one(soft):
    where, batch = place(), some_batch((3, 1, 3), soft=soft)
    views = [
        GradientNorms().open(where.network, where.params, batch, compute=Compute(device="cpu", chunk=chunk), pull=True)
        for chunk in (7, 3)
    ]
    assert torch.allclose(views[0].clouds[0].points, views[1].clouds[0].points)
    cotangent = torch.randn(7, 1, generator=generator(1), dtype=torch.float64)
    whole, parts = (view.pull((cotangent,)) for view in views)
    assert torch.allclose(whole.inputs, parts.inputs, atol=1e-12)
    assert (whole.targets is None) == (not soft)
    if soft:
        assert torch.allclose(whole.targets, parts.targets, atol=1e-12)


def test_few_sample_gradients_are_in_memory_together(monkeypatch):
    sizes, whole = [], module.sample_gradient_norms
    monkeypatch.setattr(module, "sample_gradient_norms", lambda *w: sizes.append(len(w[2])) or whole(*w))
    where, batch = place(), some_batch((20, 20, 30))
    Sum((SampleGradientNorm(0.5, relative=False),)).read(None, batch, where, Context())
    assert max(sizes) <= CHUNK < 70


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
    assert not Sum((BatchGradientNorm(relative=False),)).needs.real
    here, there = class_norms(where, batch), class_norms(where, real)
    assert torch.allclose(Sum((term,)).read(real, batch, where, Context()).loss, here * here / there)


def test_what_cannot_be_is_a_sentence():
    with pytest.raises(OptionError, match="negative"):
        BatchGradientNorm(-1.0)
    with pytest.raises(OptionError, match="negative"):
        SampleGradientNorm(-1.0)
    with pytest.raises(OptionError, match="sharpness"):
        LogarithmicPace(sharpness=0.0)
    with pytest.raises(OptionError, match="sharpness"):
        LogarithmicPace(sharpness=710.0)
    for wrong in (-0.5, float("inf"), float("nan")):
        for pace, name in ((LinearPace, "start"), (LinearPace, "end"), (LogarithmicPace, "start"),
                           (LogarithmicPace, "end"), (AdaptivePace, "ceiling")):  # fmt: skip
            with pytest.raises(OptionError, match=name):
                pace(**{name: wrong})
        with pytest.raises(OptionError, match="weight of the difficulty term"):
            BatchGradientNorm(wrong)
    with pytest.raises(FitError, match="gradients"):
        BatchGradientNorm(view=Features())
    with pytest.raises(FitError, match="relative to the others"):
        Sum((BatchGradientNorm(),))
