"""The contract of a store of raw examples, and the two that hold plain numbers: in memory, and mapped from a file."""

import hashlib
import math
import mmap
from abc import ABC, abstractmethod
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.data.memory import let_go

__all__ = ["CHUNK", "SCATTERED", "MappedRows", "Rows", "TensorRows", "scaled"]

CHUNK = 2**25  # bytes handled at once wherever all rows are walked through
SCATTERED = 16  # single rows read between two releases of pages: the system may map up to 2 MiB around each
_SCALE = {torch.uint8: 255.0, torch.uint16: 65535.0}


def scaled(values: Tensor) -> Tensor:
    """Float32 from stored values: 8- and 16-bit integers are divided by their largest value, floats stay."""
    if values.dtype not in _SCALE:
        return values.to(torch.float32)
    return values.to(torch.float32).div_(_SCALE[values.dtype])


class Rows(ABC):
    """n raw examples of one ``shape``, (c, h, w) or (d,), read by index."""

    shape: tuple[int, ...]

    @abstractmethod
    def __len__(self) -> int:
        """The number n of examples."""

    @abstractmethod
    def raw(self, index: Tensor) -> Tensor:
        """Raw float32 (len(index), *shape): images in [0, 1], table rows in the user's units."""

    @abstractmethod
    def digest(self) -> str:
        """A digest of the content, whatever place it lies in."""

    @property
    def step(self) -> int:
        """How many examples make a chunk of about 32 MiB in float32."""
        return max(1, CHUNK // (4 * math.prod(self.shape)))


@final
class TensorRows(Rows):
    """Rows in memory: uint8 (images in steps of 1/255) or float32. ``digest``: where known, as for decoded images."""

    def __init__(self, values: Tensor, digest: str | None = None) -> None:
        self.values, self.shape, self._digest = values, tuple(values.shape[1:]), digest

    def __len__(self) -> int:
        return len(self.values)

    def raw(self, index: Tensor) -> Tensor:
        return scaled(self.values[index])

    def digest(self) -> str:
        if self._digest is None:
            hasher = _hasher(self.values.numpy().dtype, self.shape)
            for part in torch.split(self.values, self.step):
                hasher.update(np.ascontiguousarray(part.numpy()).data)
            self._digest = hasher.hexdigest()
        return self._digest


@final
class MappedRows(Rows):
    """Rows of an array that is mapped from a file (np.memmap): only the rows asked for are read.

    Pages that were read stay mapped and would count as resident, so they are let go after every chunk.
    ``channels_last`` arrays (n, h, w, c) are turned; arrays (n, h, w) get one channel.
    """

    def __init__(self, array: "np.memmap[Any, Any]", *, image: bool, channels_last: bool = False) -> None:
        self._array, self._last, self._image = array, channels_last, image
        self._mapped = array._mmap  # type: ignore[attr-defined]
        shape = array.shape[1:]
        if image and len(shape) == 2:
            shape = (1, *shape)
        self.shape = (shape[2], shape[0], shape[1]) if channels_last else tuple(shape)

    def __len__(self) -> int:
        return len(self._array)

    def stored(self, index: Tensor) -> Tensor:
        """The rows at ``index`` in the type of the file, channels first."""
        if bool((index[1:] >= index[:-1]).all()):
            rows = torch.from_numpy(self._gathered(index.numpy()))
        else:
            # Ascending order reads the file forwards; the inverse permutation gives back the order asked for.
            order = torch.argsort(index)
            rows = torch.from_numpy(self._gathered(index[order].numpy()))[torch.argsort(order)]
        rows = rows.movedim(-1, 1) if self._last else rows
        return rows.reshape(len(index), *self.shape)

    def _gathered(self, ascending: NDArray[Any]) -> NDArray[Any]:
        kind, shape = self._array.dtype.newbyteorder("="), self._array.shape[1:]
        values = np.empty((len(ascending), *shape), dtype=kind)
        scattered = len(ascending) > 0 and ascending[-1] - ascending[0] > 4 * len(ascending)
        step = SCATTERED if scattered else max(1, CHUNK // max(1, values[:1].nbytes))
        for start in range(0, len(ascending), step):
            values[start : start + step] = self._array[ascending[start : start + step]]
            # A private (copy-on-write) mapping would lose what was written to it.
            if self._array.mode in ("r", "r+") and isinstance(self._mapped, mmap.mmap):
                let_go(self._mapped)
        return values

    def raw(self, index: Tensor) -> Tensor:
        rows = self.stored(index)
        return scaled(rows) if self._image else rows.to(torch.float32)

    def digest(self) -> str:
        hasher = _hasher(self._array.dtype.newbyteorder("="), self.shape)
        for index in torch.split(torch.arange(len(self)), self.step):
            hasher.update(np.ascontiguousarray(self.stored(index).numpy()).data)
        return hasher.hexdigest()


def _hasher(dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> "hashlib.blake2b":
    return hashlib.blake2b(f"{np.dtype(dtype).name} {shape}".encode(), digest_size=16)
