"""Selections by difficulty take the hardest, the middle or the easiest real examples."""

import pytest
import torch

from limbeck.data.task import Task
from limbeck.distillation.distiller import Situation
from limbeck.distillation.methods import method
from limbeck.distillation.selection_by_difficulty import EL2N, DifficultySelection, Forgetting
from limbeck.distillation.setting import Setting
from limbeck.distillation.settings import changed
from limbeck.errors import OptionError
from limbeck.networks.names import architecture


def small(name: str, task: Task, **settings: object) -> DifficultySelection:
    setting = Setting.of(task, 2, architecture("mlp:width=8"))
    few = {"networks": 2, "teacher.length.count": 2, "teacher.batch": 64, "teacher.augmentation": "none"}
    made = changed(method(name, setting), few | settings)
    assert isinstance(made, DifficultySelection)
    return made


@pytest.mark.parametrize("name", ["el2n", "grand", "forgetting"])
def test_pools_are_real_examples_in_the_order_of_the_scores(name: str, task: Task) -> None:
    sets = {
        pool: small(name, task, pool=pool).distill(task, Situation(2, seed=1)) for pool in ("hard", "middle", "easy")
    }
    flat = task.train.take(torch.arange(sum(task.counts))).flatten(1)
    for made in sets.values():
        assert len(made) == 2 * len(task.classes)
        assert (
            torch.cdist(made.examples().inputs.flatten(1), flat).min(1).values.max() < 0.1
        )  # of another example it is 1 at least
    assert not torch.equal(sets["hard"].examples().inputs, sets["easy"].examples().inputs)
    again = small(name, task).distill(task, Situation(2, seed=1))
    assert torch.equal(sets["hard"].examples().inputs, again.examples().inputs)


def test_a_smaller_set_is_the_beginning_of_a_larger_one(task: Task) -> None:
    two, four = (small("el2n", task).distill(task, Situation(k, seed=0)).examples().inputs for k in (2, 4))
    count = len(task.classes)
    assert torch.equal(two.view(count, 2, -1), four.view(count, 4, -1)[:, :2])


def test_ranks() -> None:
    task_free = DifficultySelection("x", EL2N(), *[Setting((4,), 2, 1, architecture("mlp")).teacher] * 2)
    scores = torch.tensor([3.0, 1.0, 2.0, 5.0, 1.0])
    assert task_free._rank(scores).tolist() == [3, 0, 2, 1, 4]
    assert changed(task_free, {"pool": "easy"})._rank(scores).tolist() == [1, 4, 2, 0, 3]  # type: ignore[attr-defined]
    assert changed(task_free, {"pool": "middle"})._rank(scores).tolist()[0] == 2  # type: ignore[attr-defined]


def test_soft_labels_are_the_teachers(task: Task) -> None:
    made = small("el2n", task, soft=True).distill(task, Situation(1))
    assert made.targets is not None
    assert torch.allclose(made.targets.sum(1), torch.ones(len(task.classes)))


def test_wrong_settings_are_sentences(task: Task) -> None:
    with pytest.raises(OptionError, match="hard, middle or easy"):
        small("el2n", task, pool="hardest")
    with pytest.raises(OptionError, match="at least 1"):
        small("el2n", task, networks=0)
    with pytest.raises(OptionError, match=r"\(0, 1\]"):
        EL2N(0.0)
    with pytest.raises(OptionError, match="at least 2"):
        Forgetting(1)
