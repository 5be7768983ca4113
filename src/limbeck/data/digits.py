"""The embedded data set: scikit-learn's 1,797 handwritten digits, 8 × 8 pixels in 17 shades of grey."""

from typing import Any

import torch

from limbeck.data.assemble import Part, Parts, assemble
from limbeck.data.options import Options
from limbeck.data.rows import TensorRows
from limbeck.data.task import Task

__all__ = ["digits"]


def digits(*, seed: int = 0, zca: bool = False, **options: Any) -> Task:
    """Handwritten digits [alpaydin1998digits]: 20 % test, then 15 % validation, so about 120 train images a class.

    options: see :class:`limbeck.data.options.Options`.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    chosen = Options.of({"seed": seed, "zca": zca, "validation_share": 0.15, **options})
    pixels = torch.from_numpy(images).to(torch.float32).view(-1, 1, 8, 8) / 16
    part = Part(TensorRows(pixels), torch.from_numpy(labels).to(torch.int64))
    return assemble("digits", Parts(part), [str(c) for c in range(10)], chosen)
