"""Made-up sets and records whose numbers are known, on the embedded digits or on a small table."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from limbeck.data.preprocessing import Preprocessing
from limbeck.data.task import Pool, Sealed, Task
from limbeck.evaluation.records import Record, Records
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from limbeck.synthetic.pixels import Pixels
from limbeck.synthetic.synthetic_set import Card, SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.values import encode


class TensorPool(Pool):
    """Raw values in memory."""

    def __init__(self, values: torch.Tensor, labels: torch.Tensor) -> None:
        self.values, self.labels, self.shape = values, labels, tuple(values.shape[1:])

    def take(self, index: torch.Tensor) -> torch.Tensor:
        return self.values[index]

    def raw(self, index: torch.Tensor) -> torch.Tensor:
        return self.values[index]


def _task(shape: tuple[int, ...], classes: tuple[str, ...]) -> Task:
    labels = torch.arange(12 * len(classes)) % len(classes)
    values = torch.rand(len(labels), *shape, generator=generator(0, "task"))
    pool = TensorPool(values, labels)

    def sealed() -> Pool:
        raise AssertionError("the page read the test split")

    plain = Preprocessing(torch.zeros(shape[0]), torch.ones(shape[0]))
    return Task("toy", pool, pool, Sealed(sealed, 10), classes, plain, "f" * 32, 0)


@pytest.fixture
def task() -> Task:
    """Three classes of 8 × 8 grey images; its test split raises."""
    return _task((1, 8, 8), ("zero", "one", "two"))


@pytest.fixture
def make_task() -> Callable[..., Task]:
    return _task


@pytest.fixture
def make_set() -> Callable[..., SyntheticSet]:
    """``make_set(task, method="dm", per_class=2, seed=0, …)``: a set of the task's first training examples."""

    def make(task: Task, /, method: str = "dm", per_class: int = 2, seed: int = 0, **changes: Any) -> SyntheticSet:
        index = torch.cat([task.train.of_class(c)[:per_class] for c in range(len(task.classes))])
        architecture = ConvNet(depth=1, width=4) if task.kind == "image" else MLP()
        values: dict[str, Any] = {
            "task": task.name,
            "fingerprint": task.fingerprint,
            "split_seed": task.split_seed,
            "classes": task.classes,
            "shape": task.shape,
            "method": method,
            "distiller": encode({"name": method, "iterations": 30}),
            "per_class": (per_class,) * len(task.classes),
            "seed": seed,
            "recipe": Configuration("own", architecture),
            "losses": tuple((i, 10.0 / (i + 1)) for i in range(0, 30, 5)),
            "budget": {"iterations": 30, "device": "cpu"},
            "versions": {"limbeck": "0.1.0"},
        }
        card = Card(**(values | changes))
        pixels = task.train.take(index)
        return SyntheticSet(
            {"pixels": pixels}, Pixels(), task.train.labels[index], None, None, task.preprocessing, card
        )

    return make


@pytest.fixture
def make_rows() -> Callable[..., Records]:
    """``make_rows(method, per_class, accuracies, …)``: a row for each ``accuracies[distillation seed][network]``."""

    def rows(method: str, per_class: float, accuracies: list[list[float]], **changes: Any) -> Records:
        made = []
        for distillation_seed, networks in enumerate(accuracies):
            for seed, accuracy in enumerate(networks):
                values: dict[str, Any] = {
                    "set": method,
                    "method": method,
                    "per_class": per_class,
                    "stored": int(3 * per_class),
                    "distillation_seed": distillation_seed,
                    "labels": "hard",
                    "configuration": "own",
                    "seed": seed,
                    "updates": 10,
                    "split": "test",
                    "accuracy": accuracy,
                    "selected": accuracy,
                    "validation": accuracy,
                    "balanced": accuracy,
                    "recalls": (accuracy,) * 3,
                    "correct": np.packbits(np.ones(8, bool)).tobytes(),
                    "examples": 8,
                    "seconds": 1.0,
                    "fingerprint": "f" * 32,
                    "split_seed": 0,
                    "versions": "{}",
                    "recipe": "r",
                }
                made.append(Record(**(values | changes)))
        return Records.of(made)

    return rows
