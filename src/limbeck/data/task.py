"""A task: real data, split once into train, validation and a sealed test, with all that is needed to use it."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, final

import torch
from torch import Tensor

from limbeck.data.examples import Examples
from limbeck.data.preprocessing import Preprocessing

__all__ = ["Pool", "Sealed", "Task"]

log = logging.getLogger("limbeck.data")


class Pool(ABC):
    """One split: labels in memory, inputs drawn by index. It may be bigger than memory."""

    labels: Tensor  # (n,) int64, on the CPU
    shape: tuple[int, ...]  # of one input: (c, h, w) or (d,)

    @abstractmethod
    def take(self, index: Tensor) -> Tensor:
        """Preprocessed inputs (len(index), *shape), float32, on the CPU or the pool's device."""

    @abstractmethod
    def raw(self, index: Tensor) -> Tensor:
        """Raw inputs (len(index), *shape), float32: images in [0, 1], table rows in the user's units."""

    def __len__(self) -> int:
        return len(self.labels)

    @final
    def of_class(self, label: int) -> Tensor:
        """Indices (int64, ascending) of one class."""
        cache: dict[int, Tensor] = self.__dict__.setdefault("_of_class", {})
        if label not in cache:
            cache[label] = torch.nonzero(self.labels == label).flatten()
        return cache[label]

    @final
    def examples(self, index: Tensor | None = None) -> Examples:
        """Examples at ``index``, or all of them."""
        index = torch.arange(len(self)) if index is None else index
        inputs = self.take(index)
        return Examples(inputs, self.labels[index].to(inputs.device))


@final
class Sealed:
    """The test split behind a seal: only the room ``evaluation`` opens it, and every opening is logged and counted."""

    def __init__(self, load: Callable[[], Pool], size: int) -> None:
        self._load, self.size, self.openings = load, size, list[str]()

    def open(self, reader: str) -> Pool:
        """The test split, for the named reader."""
        self.openings.append(reader)
        log.info("test split opened by %s (time %d)", reader, len(self.openings))
        return self._load()


@dataclass(frozen=True, eq=False)
class Task:
    """What is real.

    name:        how the data was named, e.g. ``digits`` or ``idx:/data/fashionmnist``.
    train, validation: pools. test: sealed.
    classes:     class names, in the order of the labels.
    fingerprint: digest of the content of all splits (raw values, labels, class names), not of where it lies.
    split_seed:  the seed that split it; with the fingerprint it says exactly which examples were train.
    """

    name: str
    train: Pool
    validation: Pool
    test: Sealed
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    fingerprint: str
    split_seed: int
    notes: tuple[str, ...] = field(default=())  # sentences that the user should read (e.g. about groups)
    features: tuple[str, ...] = ()  # names of a table's columns as they are matched, where the source knows them

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input: (c, h, w) or (d,)."""
        return self.train.shape

    @property
    def kind(self) -> Literal["image", "table"]:
        """Images have three axes, table rows one."""
        return "image" if len(self.shape) == 3 else "table"

    @property
    def counts(self) -> tuple[int, ...]:
        """Training examples of each class."""
        return tuple(torch.bincount(self.train.labels, minlength=len(self.classes)).tolist())
