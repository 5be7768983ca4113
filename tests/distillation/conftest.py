"""A tiny task for the tests of this room: digits cut to 4 classes."""

import pytest

from limbeck.data.arrays import arrays
from limbeck.data.task import Task


@pytest.fixture(scope="session")
def task() -> Task:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    few = labels < 4
    return arrays(images[few].reshape(-1, 1, 8, 8).astype("float32") / 16, labels[few], seed=0)
