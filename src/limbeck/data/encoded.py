"""Rows that are encoded images: in files, or in a mapped Arrow table; surveyed once, decoded when asked for."""

import hashlib
import os
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.data.images import Decoding, header
from limbeck.data.rows import Rows, TensorRows, scaled
from limbeck.errors import OptionError, SourceError

__all__ = ["Encoded", "EncodedRows", "Files", "decoded"]

_LARGEST = 2**28  # bytes of one encoded image
_SQUARE = 64  # side of images that differ in size, where none is asked for


class Encoded(ABC):
    """n encoded images."""

    @abstractmethod
    def __len__(self) -> int:
        """The number n of images."""

    @abstractmethod
    def encoded(self, i: int) -> bytes:
        """The bytes of image ``i``; SourceError where there are none."""

    @abstractmethod
    def where(self, i: int) -> str:
        """What a person calls image ``i``: its file, or table and row."""


@final
class Files(Encoded):
    """One file an image."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)

    def __len__(self) -> int:
        return len(self._paths)

    def encoded(self, i: int) -> bytes:
        path = self._paths[i]
        try:
            if path.stat().st_size > _LARGEST:
                raise SourceError(f"'{path}' has more than {_LARGEST >> 20} MiB: shrink that image or remove it.")
            return path.read_bytes()
        except OSError as error:
            raise SourceError(f"'{path}' cannot be read ({error.strerror}): mend or remove it.") from error

    def where(self, i: int) -> str:
        return str(self._paths[i])


@final
class EncodedRows(Rows):
    """Images decoded when they are drawn, on several threads."""

    def __init__(self, images: Encoded, decoding: Decoding, digest: str) -> None:
        self._images, self._decoding, self._digest = images, decoding, digest
        self.shape = decoding.shape

    def __len__(self) -> int:
        return len(self._images)

    def stored(self, index: Tensor) -> Tensor:
        """Decoded images (len(index), c, h, w): uint8, or float32 where they are deep."""
        wanted = index.tolist()
        with warnings.catch_warnings(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
            warnings.simplefilter("ignore")  # about metadata that is not read here; the survey has counted pixels
            pixels = list(threads.map(self._one, wanted))
        return torch.from_numpy(np.stack(pixels)) if pixels else torch.zeros(0, *self.shape, dtype=torch.uint8)

    def raw(self, index: Tensor) -> Tensor:
        return scaled(self.stored(index))

    def digest(self) -> str:
        return self._digest

    def load(self) -> TensorRows:
        """The same rows decoded once and for all."""
        kind = torch.float32 if self._decoding.deep else torch.uint8
        values = torch.empty(len(self), *self.shape, dtype=kind)
        for index in torch.split(torch.arange(len(self)), self.step):
            values[index] = self.stored(index)
        return TensorRows(values, self._digest)

    def _one(self, i: int) -> NDArray[Any]:
        return self._decoding(self._images.encoded(i), self._images.where(i))


class _Survey:
    """What the headers of all images say, and a digest of the bytes of each collection."""

    def __init__(self) -> None:
        self.sizes: dict[tuple[int, int], str] = {}
        self.channels: dict[int, str] = {}  # the first image of each count
        self.counts: Counter[int] = Counter()
        self.deep = False

    def look(self, images: Encoded) -> "hashlib.blake2b":
        """Reads every image once, without decoding it."""
        hasher = hashlib.blake2b(digest_size=16)
        for i in range(len(images)):
            encoded = images.encoded(i)
            found = header(encoded, images.where(i))
            if len(self.sizes) < 2:
                self.sizes.setdefault((found.height, found.width), images.where(i))
            self.channels.setdefault(found.channels, images.where(i))
            self.counts[found.channels] += 1
            self.deep = self.deep or found.deep
            hasher.update(len(encoded).to_bytes(8, "little") + encoded)
        return hasher

    @property
    def coloured(self) -> bool:
        """True where grey and colour are mixed, as in nearly every folder of photos: grey loses nothing as colour."""
        return set(self.channels) == {1, 3}

    def decoding(self, size: int | None, channels: int | None) -> Decoding:
        """One decoding for all: grey among colour is read as colour.

        SourceError where some have transparency, others have none, and no channel count is chosen.
        """
        if channels is None and self.coloured:
            channels = 3
        if channels is None and len(self.channels) > 1:
            (a, first), (b, second) = sorted(self.channels.items())[-2:]
            raise SourceError(
                f"images have different channel counts, {a} in '{first}' and {b} in '{second}': "
                "make them equal with channels=3 or --channels 3 (colour), or with 1 (grey)."
            )
        count = channels if channels is not None else next(iter(self.channels))
        if len(self.sizes) == 1:
            height, width = next(iter(self.sizes))
            if size is None or height == width == size:  # asking for what they have is asking for nothing
                return Decoding(count, height, width, self.deep, resize=False)
        side = size or _SQUARE
        return Decoding(count, side, side, self.deep, resize=True)


def decoded(
    parts: Sequence[Encoded], *, size: int | None, channels: int | None, memory: int
) -> tuple[list[Rows], list[str]]:
    """Rows of every part, all decoded alike, and notes for the user; in memory where all fit into ``memory`` bytes.

    size: side in pixels of the square that all images become, in [4, 1024], or None: their common size, else 64.
    channels: 1, 3 or 4, or None: their common count, and 3 where grey and colour are mixed.
    """
    if size is not None and not 4 <= size <= 1024:
        raise OptionError(f"size is {size}: it is the side of the images in pixels, from 4 to 1024.")
    if channels not in (None, 1, 3, 4):
        raise OptionError(f"channels is {channels}: use 1 (grey), 3 (RGB) or 4 (RGBA).")
    survey = _Survey()
    hashers = [survey.look(part) for part in parts]
    decoding = survey.decoding(size, channels)
    for hasher in hashers:
        hasher.update(repr(decoding).encode())
    rows = [EncodedRows(part, decoding, h.hexdigest()) for part, h in zip(parts, hashers, strict=True)]
    notes = []
    if size is None and decoding.resize:
        notes.append(f"images differ in size and were cut to squares of {_SQUARE} px: choose another side with size.")
    if channels is None and survey.coloured:
        grey, all_images = survey.counts[1], survey.counts.total()
        verbs = "is grey and was" if grey == 1 else "are grey and were"
        notes.append(f"{grey:,} of {all_images:,} images {verbs} read as colour: choose grey for all with channels 1.")
    if decoding.stored_bytes * sum(len(part) for part in parts) > memory:
        return [*rows], notes
    return [r.load() for r in rows], notes
