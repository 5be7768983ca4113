import dataclasses
from collections.abc import Callable

import pytest
import torch

from limbeck.compute import Compute
from limbeck.data import Task, digits
from limbeck.errors import EvidenceError, MismatchError, OptionError
from limbeck.evaluation.measure import Draws, difficulties, measure
from limbeck.matching.calibration import Calibration
from limbeck.matching.features import Features
from limbeck.matching.fresh import Fresh
from limbeck.matching.moments import MeanGap
from limbeck.matching.pixel_values import PixelValues
from limbeck.matching.surrogate import Match, Sum
from limbeck.matching.trained import TrainedNetworks
from limbeck.matching.warm_up import WarmUp
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from limbeck.synthetic.synthetic_set import SyntheticSet

Make = Callable[..., SyntheticSet]
COMPUTE = Compute(device="cpu", precision="float32", compilation="off")
STATE = Fresh((MLP(width=8),))


def test_the_mean_gap_of_pixels_is_that_of_the_means(make: Make, task: Task) -> None:
    surrogate = Sum((Match(PixelValues(), MeanGap()),))
    rows = measure(
        make(), task, surrogate=surrogate, state=STATE, draws=Draws(count=1, real_batch=10_000), compute=COMPUTE
    )
    by_hand = 0.0
    synthetic = make().examples().inputs
    for label in range(10):
        mine = task.train.take(task.train.of_class(label)).flatten(1).mean(0)
        theirs = synthetic[make().labels == label].flatten(1).mean(0)
        by_hand += float((mine - theirs).square().sum())
    assert rows[0].quantity == "loss"
    assert rows[0].value == pytest.approx(by_hand, rel=1e-4)
    assert {row.quantity for row in rows} == {"loss", "PixelValues.MeanGap"}


def test_soft_targets_do_not_change_the_class(make: Make, task: Task) -> None:
    made = make(soft=True)
    assert made.targets is not None
    turned = dataclasses.replace(made, targets=made.targets.roll(1, dims=1))
    plan = Draws(count=1, real_batch=8)
    surrogate = Sum((Match(PixelValues(), MeanGap()),))
    one, two = (
        measure(s, task, surrogate=surrogate, state=STATE, draws=plan, compute=COMPUTE) for s in (make(), turned)
    )
    assert one[0].value == two[0].value


def test_two_sets_see_the_same_places(make: Make, task: Task) -> None:
    surrogate = Sum((Match(Features(), MeanGap()),))
    one, two = (
        measure(each, task, surrogate=surrogate, state=STATE, draws=Draws(count=3, real_batch=8), compute=COMPUTE)
        for each in (make(), make(seed=1))
    )
    assert [row.value for row in one] == [row.value for row in two]  # the same images under another name
    assert len({row.value for row in one if row.quantity == "loss"}) == 3


def test_a_finished_set_is_read_as_at_the_end_of_a_run(make: Make, task: Task) -> None:
    """Calibration at the trained network, not at a blend; what warms up has done so."""
    trained = TrainedNetworks((MLP(width=8),), count=1, updates=3, batch=8, blend=True)
    rows = measure(
        make(), task, surrogate=Sum((Calibration(1.0),)), state=trained, draws=Draws(count=3), compute=COMPUTE
    )
    assert len({row.value for row in rows if row.quantity == "loss"}) == 1
    first, then = Sum((Match(PixelValues(), MeanGap()),)), Sum((Match(PixelValues(), MeanGap(), weight=3.0),))
    one, end = (
        measure(make(), task, surrogate=each, state=STATE, draws=Draws(count=1, real_batch=8), compute=COMPUTE)
        for each in (WarmUp(first, then), then)
    )
    assert one[0].value == end[0].value


def test_difficulties_are_rows(make: Make, task: Task) -> None:
    network = MLP(width=8).build(task.shape, 10)
    ensemble = [network.init(generator(seed, "init")) for seed in (0, 1)]
    rows = difficulties(make(), network, ensemble, compute=COMPUTE)
    assert len(rows) == 3 * 20
    examples = make().examples()
    right = torch.stack([network(p, examples.inputs).logits.argmax(1) == examples.labels for p in ensemble])
    share = [row.value for row in rows if row.quantity == "misclassification"]
    assert share == pytest.approx((1 - right.float().mean(0)).tolist())
    with pytest.raises(EvidenceError, match="none was given"):
        difficulties(make(), network, [], compute=COMPUTE)


def test_the_task_must_be_the_sets(make: Make) -> None:
    with pytest.raises(MismatchError, match="split with 1"):
        measure(make(), digits(seed=1), surrogate=Sum((Match(PixelValues(), MeanGap()),)), state=STATE)
    with pytest.raises(OptionError, match="at least 1"):
        Draws(count=0)
