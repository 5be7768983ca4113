from typing import ClassVar, final

import pytest
import torch
from torch.nn import functional as F

from limbeck.data.dsa import DSA
from limbeck.errors import FitError, OptionError
from limbeck.matching import (
    BatchGradientNorm,
    Calibration,
    Context,
    Features,
    Gradients,
    Match,
    MeanGap,
    Moments,
    Place,
    RowCosine,
    RowSquared,
    Sum,
    View,
)
from limbeck.matching import gradients as module
from limbeck.seeds import generator
from limbeck.values import decode, encode, value
from tests.matching.small_matching import CPU, moved, small, some_batch

OPENED: list[bool] = []


@final
@value
class CountedFeatures(View):
    """Features that note each opening."""

    def open(self, network, params, batch, *, compute, pull):
        OPENED.append(pull)
        return Features().open(network, params, batch, compute=compute, pull=pull)


@final
@value
class CountedGradients(View):
    """Gradients that note each opening."""

    of_gradients: ClassVar[bool] = True
    paired: ClassVar[bool] = True

    def open(self, network, params, batch, *, compute, pull):
        OPENED.append(pull)
        return Gradients().open(network, params, batch, compute=compute, pull=pull)


def place(norm="instance", **fields):
    network, params = small(norm, **fields)
    return Place(network, params, CPU)


def test_terms_with_one_view_open_it_once_a_side():
    OPENED.clear()
    both = Sum((Match(CountedFeatures(), MeanGap()), Match(CountedFeatures(), Moments(order=3), weight=0.5)))
    both.read(some_batch((4, 4, 4), 1), some_batch(), place(), Context())
    assert sorted(OPENED) == [False, True]


def test_a_relative_term_shares_the_opening_of_a_match_wherever_it_stands():
    for order in (1, -1):
        OPENED.clear()
        match, term = Match(CountedGradients(), RowCosine()), BatchGradientNorm(0.1, view=CountedGradients())
        terms = (Match(Features(), MeanGap()), match, term)[::order]
        Sum(terms).read(some_batch((4, 4, 4), 1), some_batch(), place(), Context())
        assert sorted(OPENED) == [False, True]


def test_a_sum_reads_what_its_terms_read():
    terms = (
        Match(Features(), MeanGap(), weight=2.0),
        Match(Gradients(), RowCosine()),
        Match(Features(), Moments()),
        Calibration(weight=0.3),
        BatchGradientNorm(weight=0.1, relative=False),
    )
    real, synthetic, where = some_batch((4, 4, 4), 1), some_batch(soft=True), place()
    whole = Sum(terms).read(real, synthetic, where, Context())
    each = [Sum((term,)).read(real, synthetic, where, Context()) for term in terms]
    assert torch.allclose(whole.loss, sum(r.loss for r in each))
    assert torch.allclose(whole.cotangents.inputs, sum(r.cotangents.inputs for r in each))
    assert torch.allclose(whole.cotangents.targets, sum(r.cotangents.targets for r in each))
    assert len(whole.parts) == 5
    assert sum(whole.parts.values()) == pytest.approx(float(whole.loss))


@pytest.mark.parametrize("limit", [0, 10**9])
@pytest.mark.parametrize(
    "surrogate",
    [
        Sum((Match(Gradients(), RowCosine()), Calibration(0.5))),
        Sum((Match(Gradients(layers="conv"), RowSquared()),)),
        Sum((Match(Features(), MeanGap()), Match(Features(layer=0), MeanGap(), weight=0.1))),
    ],
    ids=["dc", "idc", "dm"],
)
def test_the_gradient_is_the_difference_quotient(surrogate, limit, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_GRAPH", limit)
    real, synthetic, where = some_batch((4, 4, 4), 1), some_batch(soft=True), place(activation="gelu")
    reading = surrogate.read(real, synthetic, where, Context())
    g = generator(0, "step")
    step = torch.randn(synthetic.inputs.shape, generator=g, dtype=torch.float64)
    turn = torch.randn(synthetic.targets.shape, generator=g, dtype=torch.float64)

    def at(s):
        there = moved(synthetic, synthetic.inputs + s * step, synthetic.targets + s * turn)
        return float(surrogate.read(real, there, where, Context()).loss)

    slope = (reading.cotangents.inputs * step).sum() + (reading.cotangents.targets * turn).sum()
    assert float(slope) == pytest.approx((at(1e-6) - at(-1e-6)) / 2e-6, rel=1e-5)


def direct_dc(network, params, real, synthetic, inputs):
    """DC's loss as the paper and its code state it, class by class, tensor by tensor, row by row."""
    total, starts = 0.0, (0, 0)
    for c in range(3):
        grads = []
        for batch, x, start in ((real, real.inputs, starts[0]), (synthetic, inputs, starts[1])):
            rows = slice(start, start + batch.sizes[c])
            leaves = {k: p.clone().requires_grad_() for k, p in params.items()}
            loss = F.cross_entropy(network(leaves, x[rows]).logits, batch.labels[rows])
            grads.append(torch.autograd.grad(loss, list(leaves.values()), create_graph=True))
        for r, s in zip(*grads, strict=True):
            if r.ndim >= 2:
                r, s = r.detach().flatten(1), s.flatten(1)
                for j in range(len(r)):
                    total = total + 1 - (r[j] @ s[j]) / (r[j].norm() * s[j].norm() + 1e-6)
        starts = (starts[0] + real.sizes[c], starts[1] + synthetic.sizes[c])
    return total


def direct_dm(network, params, real, synthetic, inputs):
    """DM's loss: squared distance of class means of the embedding."""
    total = 0.0
    for c in range(3):
        r = network(params, real.inputs[real.labels == c]).embedding.mean(0)
        s = network(params, inputs[synthetic.labels == c]).embedding.mean(0)
        total = total + ((r - s) ** 2).sum()
    return total


@pytest.mark.parametrize("augmented", [False, True], ids=["plain", "dsa"])
@pytest.mark.parametrize(
    ("surrogate", "direct"),
    [(Sum((Match(Gradients(), RowCosine()),)), direct_dc), (Sum((Match(Features(), MeanGap()),)), direct_dm)],
    ids=["dc", "dm"],
)
def test_published_losses_by_direct_evaluation(surrogate, direct, augmented):
    real, synthetic, where = some_batch((4, 3, 5), 1), some_batch((2, 1, 3)), place()
    if augmented:
        augmentation = DSA()
        draw = augmentation.draw(1, (1, 8, 8), generator(0, "augment"))
        real = moved(real, augmentation.apply(real.inputs, draw), None)
        synthetic = moved(synthetic, augmentation.apply(synthetic.inputs, draw), None)
    reading = surrogate.read(real, synthetic, where, Context())
    inputs = synthetic.inputs.clone().requires_grad_()
    truth = direct(where.network, where.params, real, synthetic, inputs)
    (gradient,) = torch.autograd.grad(truth, inputs)
    assert torch.allclose(reading.loss, truth.detach(), rtol=1e-10)
    assert torch.allclose(reading.cotangents.inputs, gradient, atol=1e-9)


def test_needs_say_what_the_terms_use():
    assert Sum((Match(Gradients(), RowCosine()),)).needs.gradients
    assert not Sum((Match(Features(), MeanGap()),)).needs.gradients
    assert Sum((Match(Features(), MeanGap()),)).needs.real
    alone = Sum((Calibration(),))
    assert not alone.needs.real
    reading = alone.read(None, some_batch(), place(), Context())
    assert reading.cotangents.targets is None
    assert float(reading.loss) > 0


def test_surrogates_are_values():
    surrogate = Sum((Match(Gradients(unit="layer"), RowCosine(), 2.0), Calibration(0.1)))
    assert decode(encode(surrogate)) == surrogate


def test_what_does_not_fit_is_a_sentence_at_once():
    with pytest.raises(FitError, match="gradients"):
        Match(Features(), RowCosine())
    with pytest.raises(OptionError, match="term"):
        Sum(())
    with pytest.raises(FitError, match="real"):
        Sum((Match(Features(), MeanGap()),)).read(None, some_batch(), place(), Context())
