"""A training that stops on the way and goes on is the training that did not."""

import math
from pathlib import Path

import pytest
import torch

from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.dsa import DSA
from limbeck.data.mix import Mixup
from limbeck.data.nothing import Nothing
from limbeck.networks.mlp import MLP
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.feed import Feed
from limbeck.training.optimizer import SGD, AdamW, Optimizer
from limbeck.training.stages import Paused, Stages
from limbeck.training.train import Trained, train
from limbeck.values import replace
from tests.training.tiny_training import tiny

PLAIN = Configuration("plain", MLP(width=4), batch=8, length=Updates(5))
NETWORK = PLAIN.architecture.build((1, 8, 8), 3)
SEEDS = (3, 4)


def in_sessions(configuration: Configuration, place: Path, compute: Compute) -> tuple[Trained, int]:
    """Trained in sessions that are over at once, and how many that took."""
    sessions = 1
    while True:
        try:
            stages = Stages(place, -math.inf)
            found = train(
                NETWORK, configuration, tiny(), seeds=SEEDS, compute=compute, keep=(0.8, 0.0, 0.4), stages=stages
            )
            return found, sessions
        except Paused:
            sessions += 1


@pytest.mark.parametrize("augmentation", [Nothing(), DSA(), Mixup()])
@pytest.mark.parametrize("optimizer", [SGD(), AdamW(), SGD(momentum=0.0, lr=1e20)])
def test_stages_change_nothing(
    augmentation: Augmentation, optimizer: Optimizer, compute: Compute, tmp_path: Path
) -> None:
    configuration = replace(PLAIN, augmentation=augmentation, optimizer=optimizer)
    whole = train(NETWORK, configuration, tiny(), seeds=SEEDS, compute=compute, keep=(0.8, 0.0, 0.4))
    found, sessions = in_sessions(configuration, tmp_path, compute)
    again, once = in_sessions(configuration, tmp_path, compute)
    for other in (found, again):
        for place in range(len(SEEDS)):
            pairs = zip(
                (whole.params[place], *whole.snapshots[place]),
                (other.params[place], *other.snapshots[place]),
                strict=True,
            )
            for a, b in pairs:
                assert all(torch.equal(a[name], b[name]) for name in a)
        assert (other.losses, other.failures) == (whole.losses, whole.failures)
    assert all(whole.failures) == (optimizer.lr == 1e20)
    assert sessions >= 1 + 2 * (1 if all(whole.failures) else 4)
    assert once == 1  # what was trained in stages is found again
    assert again.seconds >= 0


def test_a_short_training_leaves_no_file_and_a_damaged_one_begins_again(
    compute: Compute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limbeck.training.stages.WORTH", math.inf)
    train(NETWORK, PLAIN, tiny(), seeds=SEEDS, compute=compute, stages=Stages(tmp_path / "long", math.inf))
    assert not (tmp_path / "long").exists()
    with pytest.raises(Paused):
        train(NETWORK, PLAIN, tiny(), seeds=SEEDS, compute=compute, stages=Stages(tmp_path, -math.inf))
    [file] = tmp_path.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    found = train(NETWORK, PLAIN, tiny(), seeds=SEEDS, compute=compute, stages=Stages(tmp_path, math.inf))
    whole = train(NETWORK, PLAIN, tiny(), seeds=SEEDS, compute=compute)
    assert found.losses == whole.losses


def test_batches_can_begin_later() -> None:
    feed = Feed(tiny(), DSA(), batch=8, device=torch.device("cpu"))
    every, later = feed.batches(0), feed.batches(0, 4)
    for _ in range(4):
        next(every)
    for (examples, draw), (others, other), _ in zip(every, later, range(3), strict=False):
        assert torch.equal(examples.inputs, others.inputs)
        assert torch.equal(
            feed.augmentation.apply(examples.inputs, draw), feed.augmentation.apply(others.inputs, other)
        )
