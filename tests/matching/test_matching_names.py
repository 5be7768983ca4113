import itertools

import pytest
import torch

from limbeck.errors import FitError, OptionError
from limbeck.matching import DISCREPANCIES, STATES, VIEWS, Context, Features, Match, Place, RowSquared, Sum
from limbeck.matching.names import discrepancy, state, view
from limbeck.networks.convnet import ConvNet
from limbeck.values import decode, encode
from tests.matching.small_matching import CPU, small, some_batch


@pytest.mark.parametrize(("seen", "apart"), list(itertools.product(VIEWS, DISCREPANCIES)))
def test_any_view_with_any_discrepancy_works_or_says_why_not(seen, apart):
    network, params = small()
    if discrepancy(apart).facts.paired and not view(seen).paired:
        with pytest.raises(FitError, match="row"):
            Match(view(seen), discrepancy(apart))
        return
    surrogate = Sum((Match(view(seen), discrepancy(apart)),))
    reading = surrogate.read(some_batch((4, 4, 4), 1), some_batch(), Place(network, params, CPU), Context())
    assert torch.isfinite(reading.loss)
    assert torch.isfinite(reading.cotangents.inputs).all()
    assert reading.cotangents.inputs.abs().sum() > 0
    assert decode(encode(surrogate)) == surrogate


def test_texts_set_fields():
    assert view("features:layer=1") == Features(layer=1)
    assert discrepancy("row-squared") == RowSquared()
    architectures = (ConvNet(depth=2, width=4),)
    for name in STATES:
        made = state(name, architectures)
        assert decode(encode(made)) == made
    assert state("along-synthetic:steps=7", architectures).steps == 7


def test_unknown_names_are_sentences():
    with pytest.raises(OptionError, match="features"):
        view("feature")
    with pytest.raises(OptionError, match="mean-gap"):
        discrepancy("meangap")
    with pytest.raises(OptionError, match="fresh"):
        state("fres", (ConvNet(),))
