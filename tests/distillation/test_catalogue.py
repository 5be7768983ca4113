"""What methods are made of, and which of them the table advises."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from limbeck import values
from limbeck.compute import Compute
from limbeck.data.pools import PartPool
from limbeck.data.task import Task
from limbeck.distillation.advice import FEW_EPOCHS, TABLE, advise, advised, table
from limbeck.distillation.catalogue import costs, described
from limbeck.distillation.distill import distill
from limbeck.distillation.effort import labelling_seconds
from limbeck.distillation.methods import METHODS
from limbeck.distillation.setting import TEACHER_EPOCHS, Setting
from limbeck.errors import OptionError
from limbeck.synthetic.labels import TriedLabels
from limbeck.training.configuration import Epochs


def test_every_method_is_described_and_measured() -> None:
    found = {d.method: d for d in described()}
    assert set(found) == set(METHODS)
    assert (found["dm"].view, found["dm"].discrepancy, found["dm"].state) == ("features", "mean-gap", "fresh")
    assert (found["dsa"].view, found["dsa"].discrepancy) == ("gradients", "row-cosine")
    assert found["dsa"].needs == "weight gradients, training on the set"
    assert found["idc"].state == "along-real"
    assert found["datadam"].view == "attention + features"
    assert found["ncfm"].discrepancy == "characteristic + cross-entropy"
    assert found["random"].view == "–"
    assert found["kmeans"].needs == "a network trained on real data"
    for each in found.values():
        assert each.seconds is not None and each.seconds > 0, each.method
    assert found["dm"].seconds < found["dsa"].seconds  # type: ignore[operator]
    assert set(costs()) == {"command", "machine", "setting", "seconds"}


def cell(
    per_class: int, seconds: float, *, low: float | None, difference: float = 0.02, **changes: Any
) -> dict[str, Any]:
    method = {"method": "dm", "labels": "hard", "difference": difference, "low": low, "high": 0.03, "p": 0.2}
    own: dict[str, Any] = {
        "task": "planted",
        "source": "planted.parquet",
        "per_class": per_class,
        "seconds": seconds,
        "values": 784,
        "examples": 5000,
        "best": {"method": "kmeans", "labels": "hard"},
        "selection": {"method": "herding", "labels": "soft"},
        "methods": [
            method,
            {**method, "method": "dc", "difference": -0.1, "low": -0.12, "p": 0.001},
            {**method, "method": "idc", "difference": 0.05, "low": -0.01, "p": 1.0},
        ],
    }
    return {**own, **changes}


HERE: dict[str, Any] = {"budget": 60.0, "values": 784, "examples": 5000}


def test_a_method_that_is_clearly_better_is_chosen() -> None:
    advice = advise([cell(1, 60, low=0.01)], per_class=1, **HERE)
    assert (advice.method, dict(advice.settings)) == ("dm", {})
    assert "may be no gain" not in advice.sentence and "which may be chance" in advice.sentence  # p = 0.2
    assert "+2.0 [+1.0, +3.0] points over kmeans with hard labels, p = 0.2 after Holm" in advice.sentence


def test_a_gain_that_may_be_none_is_chosen_and_said() -> None:
    advice = advise([cell(1, 60, low=-0.01)], per_class=1, **HERE)
    assert advice.method == "idc"  # the larger mean of two that are unclear
    assert "which may be no gain at all" in advice.sentence


def test_labels_of_a_method_measured_with_both_are_tried() -> None:
    known = cell(1, 60, low=0.01)
    both = {**known, "methods": [*known["methods"], {**known["methods"][0], "labels": "soft", "difference": 0.01}]}
    advice = advise([both], per_class=1, **HERE)
    assert (advice.method, dict(advice.settings)) == ("dm", {})
    assert advice.tried is not None
    assert "dm with hard or a teacher's soft labels, whichever are better on validation" in advice.tried
    assert "with hard ones +2.0 [+1.0, +3.0] points" in advice.tried
    assert advise([known], per_class=1, **HERE).tried is None


def test_labels_are_tried_where_the_budget_and_the_task_allow_it(task: Task) -> None:
    """Decided for two threads, whatever there are: a budget of 1 ms leaves nothing; a small one takes the table's few
    epochs; none at all takes the usual ones."""
    short, long = advised(task, 1, 1e-3), advised(task, 1)
    assert "labels" not in short.settings or short.settings["labels"] == "teacher"
    assert dict(long.settings) == {"labels": "tried"}
    usual, few = (labels_of(task, epochs) for epochs in (TEACHER_EPOCHS, FEW_EPOCHS))
    middle = advised(task, 1, (usual + few) / 2 * torch.get_num_threads() / 2)
    assert dict(middle.settings) == {"labels": "tried", "teacher_epochs": FEW_EPOCHS}
    bare = replace(task, validation=PartPool(task.validation, torch.arange(0)))
    assert dict(advised(bare, 1).settings) in ({}, {"labels": "teacher"})


def labels_of(task: Task, epochs: int) -> float:
    """Computed seconds of trying labels with a teacher of so many epochs, one image a class of a set of four in one."""
    setting = Setting.of(task, 1)
    teacher = values.replace(setting.teacher, length=Epochs(epochs))
    return labelling_seconds(task, TriedLabels(), setting.recipe(), teacher, made=16, compute=Compute("cpu"))


@pytest.mark.parametrize(("low", "difference"), [(-0.04, -0.02), (None, 0.02)])
def test_else_the_best_selection_with_soft_labels(low: float | None, difference: float) -> None:
    planted = cell(1, 60, low=low, difference=difference)
    advice = advise([{**planted, "methods": planted["methods"][:2]}], per_class=1, **HERE)
    assert (advice.method, dict(advice.settings)) == ("herding", {"soft": True})
    assert "no method was better than kmeans with hard labels" in advice.sentence


def test_the_nearest_cell_in_logarithms_decides() -> None:
    cells = [cell(1, 60, low=0.01), cell(10, 60, low=0.0, methods=[]), cell(10, 6000, low=0.01)]
    assert advise(cells, per_class=2, **HERE).method == "dm"
    assert advise(cells, per_class=5, **HERE).method == "herding"
    assert advise(cells, per_class=10, **{**HERE, "budget": 5000.0}).method == "dm"
    assert advise(cells, per_class=50, **{**HERE, "budget": None}).method in ("herding", "dm")


def test_no_table_is_a_sentence() -> None:
    with pytest.raises(OptionError, match="name a method"):
        advise([], per_class=1, **HERE)


def test_the_committed_table_says_where_it_comes_from_and_leaves_mnist_out() -> None:
    found = json.loads(TABLE.read_text())
    assert found["made_by"].startswith("python benchmarks/auto_table.py")
    for each in table():
        assert each["task"] != "mnist"
        assert {m["method"] for m in each["methods"]} <= set(METHODS)
        assert each["selection"]["method"] in METHODS


def test_auto_distils_what_is_advised(task: Task) -> None:
    advice = advised(task, 1, 60.0)
    few = {"teacher_epochs": 1} if not METHODS[advice.method].distils else {"iterations": 2}
    made = distill(task, "auto", per_class=1, budget=60.0, network="convnet-2-32:width=4", **few)  # type: ignore[arg-type]
    assert made.card.method == advice.method
    with pytest.raises(OptionError, match="at least 1"):
        advised(task, 0)
