"""The pools: a split held as a tensor, one whose rows are read from disk when they are drawn, and a part of either."""

from typing import final

import torch
from torch import Tensor

from limbeck.data.preprocessing import Preprocessing
from limbeck.data.rows import Rows, TensorRows, scaled
from limbeck.data.task import Pool

__all__ = ["ArrowPool", "PartPool", "TensorPool", "pool"]

_CACHE = 2**30  # bytes of preprocessed float32 that a tensor pool keeps at most
_STEP = 4096  # examples preprocessed at once; fixed, so that the bytes do not depend on who asks first


@final
class TensorPool(Pool):
    """A split in memory: uint8 or float32 as stored; preprocessed as a whole once where that stays below 1 GiB."""

    def __init__(self, values: Tensor, labels: Tensor, preprocessing: Preprocessing) -> None:
        self._values, self.labels, self._preprocessing = values, labels, preprocessing
        self.shape = tuple(values.shape[1:])
        self._ready: Tensor | None = None

    def take(self, index: Tensor) -> Tensor:
        if 4 * self._values.numel() > _CACHE:
            return self._preprocessing.forward(self.raw(index))
        if self._ready is None:
            # Always all at once: a matrix product may round a row differently in another batch.
            self._ready = torch.cat([self._preprocessing.forward(scaled(v)) for v in torch.split(self._values, _STEP)])
        return self._ready[index.to(self._ready.device)]

    def raw(self, index: Tensor) -> Tensor:
        return scaled(self._values[index.to(self._values.device)])

    def to(self, device: torch.device) -> "TensorPool":
        """The same split with its inputs on ``device``; labels stay on the CPU."""
        return TensorPool(self._values.to(device), self.labels, self._preprocessing)


@final
class ArrowPool(Pool):
    """A split bigger than memory: the rows asked for are read, decoded and preprocessed, nothing else is kept."""

    def __init__(self, rows: Rows, index: Tensor, labels: Tensor, preprocessing: Preprocessing) -> None:
        self._rows, self._index, self.labels, self._preprocessing = rows, index, labels, preprocessing
        self.shape = rows.shape

    def take(self, index: Tensor) -> Tensor:
        return self._preprocessing.forward(self.raw(index))

    def raw(self, index: Tensor) -> Tensor:
        return self._rows.raw(self._index[index])


@final
class PartPool(Pool):
    """The examples of ``whole`` at ``index`` (int64, distinct), renumbered from 0."""

    def __init__(self, whole: Pool, index: Tensor) -> None:
        self._whole, self._index = whole, index
        self.labels, self.shape = whole.labels[index], whole.shape

    def take(self, index: Tensor) -> Tensor:
        return self._whole.take(self._index[index.cpu()])

    def raw(self, index: Tensor) -> Tensor:
        return self._whole.raw(self._index[index.cpu()])


def pool(rows: Rows, index: Tensor, labels: Tensor, preprocessing: Preprocessing) -> Pool:
    """The pool that fits the rows; ``labels`` are those of ``index``."""
    if isinstance(rows, TensorRows):
        whole = len(index) == len(rows) and bool((index == torch.arange(len(rows))).all())
        return TensorPool(rows.values if whole else rows.values[index], labels, preprocessing)
    return ArrowPool(rows, index, labels, preprocessing)
