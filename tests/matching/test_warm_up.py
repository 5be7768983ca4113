"""A warm-up reads its first surrogate at the beginning of a run and of a network, and the other one after that."""

import pytest
import torch

from limbeck.errors import OptionError
from limbeck.matching import Context, Features, Gradients, Match, MeanGap, Place, RowCosine, Sum
from limbeck.matching.warm_up import WarmUp
from tests.matching.small_matching import CPU, small, some_batch

APART, TOGETHER = (Sum((Match(Gradients(sum_classes=summed), RowCosine()),)) for summed in (False, True))


def read(surrogate, **context):
    network, params = small()
    seed = torch.Generator().manual_seed(0)
    place = Place(network, params, CPU)
    return surrogate.read(
        some_batch((3, 2, 2)), some_batch((1, 2, 1), seed=1), place, Context(generator=seed, **context)
    )


@pytest.mark.parametrize(
    ("progress", "step", "then"), [(0.0, 0, False), (0.24, 9, False), (0.25, 0, True), (0.0, 10, True), (1.0, 0, True)]
)
def test_the_run_and_the_network_end_it(progress, step, then):
    mine = read(WarmUp(APART, TOGETHER), progress=progress, step=step)
    theirs, other = read(TOGETHER if then else APART), read(APART if then else TOGETHER)
    assert mine.loss == theirs.loss and mine.loss != other.loss
    assert torch.equal(mine.cotangents.inputs, theirs.cotangents.inputs)


def test_no_warm_up_is_the_second_throughout():
    assert read(WarmUp(APART, TOGETHER, share=0.0)).loss == read(TOGETHER).loss
    assert read(WarmUp(APART, TOGETHER, steps=0)).loss == read(TOGETHER).loss


def test_it_needs_what_either_needs():
    features = Sum((Match(Features(), MeanGap()),))
    assert not features.needs.gradients
    assert WarmUp(features, APART).needs.gradients and WarmUp(APART, features).needs.gradients


def test_shares_and_steps_have_domains():
    with pytest.raises(OptionError, match="from 0 to 1"):
        WarmUp(APART, TOGETHER, share=1.5)
    with pytest.raises(OptionError, match="from 0 on"):
        WarmUp(APART, TOGETHER, steps=-1)
