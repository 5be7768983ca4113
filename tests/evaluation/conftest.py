"""The digits, whole, and a small set of real examples of them."""

from collections.abc import Callable

import pytest
import torch

from limbeck.data import Task, digits
from limbeck.networks.mlp import MLP
from limbeck.synthetic.pixels import Pixels
from limbeck.synthetic.synthetic_set import Card, SyntheticSet
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.optimizer import SGD
from limbeck.values import encode

Make = Callable[..., SyntheticSet]


@pytest.fixture(scope="session")
def task() -> Task:
    return digits()


@pytest.fixture(scope="session")
def small() -> Configuration:
    return Configuration("small", MLP(width=16), SGD(lr=0.2), length=Updates(20))


@pytest.fixture(scope="session")
def make(task: Task, small: Configuration) -> Make:
    """The first two training images of each class as a set; ``soft`` smooths their labels."""

    def build(*, soft: bool = False, seed: int = 0, step_size: float | None = None, **card: object) -> SyntheticSet:
        index = torch.cat([task.train.of_class(c)[:2] for c in range(10)])
        labels = task.train.labels[index]
        targets = 0.6 * torch.eye(10)[labels] + 0.04 if soft else None
        known = Card(
            task="digits",
            fingerprint=task.fingerprint,
            split_seed=task.split_seed,
            classes=task.classes,
            shape=task.shape,
            method="random",
            distiller=encode({"labels": {"made": "up"}}),
            per_class=(2,) * 10,
            seed=seed,
            recipe=small,
        )
        changed = Card(**{**known.__dict__, **card})
        pixels = {"pixels": task.train.take(index)}
        return SyntheticSet(pixels, Pixels(), labels, targets, step_size, task.preprocessing, changed)

    return build
