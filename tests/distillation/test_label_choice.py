"""Labels that are tried on validation: what is chosen, said and resumed."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from limbeck import values
from limbeck.compute import Compute
from limbeck.data.pools import PartPool
from limbeck.data.task import Task
from limbeck.distillation.distill import compose, distill, distill_into
from limbeck.distillation.distiller import Situation
from limbeck.distillation.effort import labelling_seconds
from limbeck.distillation.label_choice import choose_labels, trial
from limbeck.errors import FitError
from limbeck.networks.convnet import ConvNet
from limbeck.synthetic.labels import HardLabels, LearnedLabels, TeacherLabels, TriedLabels
from limbeck.training.configuration import Configuration, Epochs, Updates
from limbeck.training.cost import forward_seconds, training_seconds
from limbeck.training.optimizer import SGD

RECIPE = Configuration("own", ConvNet(depth=1, width=8), optimizer=SGD(lr=0.05), length=Updates(40))
SITUATION = Situation(8, compute=Compute("cpu", "float32", "off"))
TINY = {"network": "convnet-2-32:width=4", "iterations": 2, "real_batch": 4, "updates": 5, "teacher_epochs": 1}


@pytest.mark.parametrize("right", ["hard", "soft"])
def test_the_labels_that_tell_the_classes_are_chosen(task: Task, right: str) -> None:
    """Real images with their labels, against the same images with the labels of the next class."""
    index = torch.cat([task.train.of_class(c)[:8] for c in range(4)])
    inputs, true = task.train.take(index), torch.arange(4).repeat_interleave(8)
    wrong = (true + 1) % 4
    hard, soft = (true, wrong) if right == "hard" else (wrong, true)
    targets = torch.nn.functional.one_hot(soft, 4).float()
    choice = choose_labels(task, TriedLabels(networks=2), RECIPE, inputs, hard, targets, SITUATION)
    assert (choice.targets is None) == (right == "hard")
    assert choice.targets is None or choice.targets is targets
    assert choice.sentence.startswith("hard labels were" if right == "hard" else "a teacher's labels were")
    high, low = (float(part.split(" %")[0]) for part in choice.sentence.split(" to ")[1:])
    assert high > 60 > 25 > low


def test_equal_labels_stay_hard(task: Task) -> None:
    index = torch.cat([task.train.of_class(c)[:2] for c in range(4)])
    hard = torch.arange(4).repeat_interleave(2)
    targets = torch.nn.functional.one_hot(hard, 4).float()
    same = choose_labels(task, TriedLabels(networks=1), RECIPE, task.train.take(index), hard, targets, SITUATION)
    assert same.targets is None


def test_trials_are_no_longer_than_asked() -> None:
    assert trial(TriedLabels(updates=40), RECIPE) is RECIPE
    assert trial(TriedLabels(updates=10), RECIPE) == values.replace(RECIPE, length=Updates(10))
    by_epochs = values.replace(RECIPE, length=Epochs(3))
    assert trial(TriedLabels(updates=10), by_epochs) is by_epochs


def test_a_set_holds_the_labels_that_were_chosen_and_says_why(task: Task) -> None:
    tried = distill(task, "m3d", per_class=2, labels="tried", **TINY)
    alike = distill(task, "m3d", per_class=2, labels="hard" if tried.targets is None else "teacher", **TINY)
    assert torch.equal(tried.examples().inputs, alike.examples().inputs)
    assert torch.equal(tried.examples().targets, alike.examples().targets)
    assert sum("were chosen: on validation" in note for note in tried.card.notes) == 1
    assert not any("were chosen" in note for note in alike.card.notes)


def test_trials_that_are_interrupted_go_on_to_the_same_bytes(task: Task, tmp_path: Path) -> None:
    distiller = compose(task, "dm", 2, labels="tried", **TINY)
    whole = distill_into(tmp_path / "whole", distiller, task, Situation(2))
    for _ in range(30):  # every session is over when it begins
        made = distill_into(tmp_path / "parts", distiller, task, Situation(2, cache=tmp_path / "cache", until=0.0))
        if made is not None:
            break
    assert made is not None and whole is not None
    name = "synthetic.safetensors"
    assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
    assert made.card.notes == whole.card.notes
    assert not list((tmp_path / "cache").glob("labels-*"))


def test_what_labels_cost_is_counted_from_sizes(task: Task) -> None:
    """Nothing for hard labels; a teacher's training; two kinds × networks of short trainings and their validation."""
    guide, cpu = values.replace(RECIPE, length=Epochs(2)), Compute("cpu")
    network = RECIPE.architecture.build(task.shape, 4)
    cost = partial(labelling_seconds, task, recipe=RECIPE, teacher=guide, made=8, compute=cpu)
    assert cost(HardLabels()) == 0 == cost(LearnedLabels())
    updates = guide.length.updates(len(task.train), guide.batch)
    taught = training_seconds(network, min(guide.batch, len(task.train)), updates)
    assert cost(TeacherLabels()) == pytest.approx(taught)
    each = training_seconds(network, 8, 10) + forward_seconds(network, len(task.validation))
    assert cost(TriedLabels(networks=3, updates=10)) == pytest.approx(taught + 6 * each)


def test_nothing_to_try_on_is_a_sentence(task: Task) -> None:
    bare = replace(task, validation=PartPool(task.validation, torch.arange(0)))
    with pytest.raises(FitError, match="no validation examples"):
        distill(bare, "dm", per_class=1, labels="tried", **TINY)
