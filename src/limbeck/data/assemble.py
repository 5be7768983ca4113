"""From what a source has read to a Task: checks, split, fingerprint, preprocessing, pools."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from limbeck.data.options import Options
from limbeck.data.pools import pool
from limbeck.data.preprocessing import Preprocessing
from limbeck.data.rows import Rows
from limbeck.data.split import group_ids, split
from limbeck.data.task import Pool, Sealed, Task
from limbeck.data.whitening import fit
from limbeck.errors import FitError
from limbeck.seeds import generator

__all__ = ["LEAK", "Part", "Parts", "assemble"]

LEAK = (
    "no groups were given: near-duplicates (the same patient, writer or video) may lie on both sides of the split "
    "and flatter every number; name them with groups."
)


class Part(NamedTuple):
    """Rows with their labels (n,), int64."""

    rows: Rows
    labels: Tensor


@dataclass(frozen=True, eq=False)
class Parts:
    """What a source gives: all training data, and its own validation and test splits where it has them."""

    train: Part
    validation: Part | None = None
    test: Part | None = None

    def named(self) -> list[tuple[str, Part]]:
        """The parts there are, by name."""
        pairs = [("train", self.train), ("validation", self.validation), ("test", self.test)]
        return [(name, part) for name, part in pairs if part is not None]


@dataclass(frozen=True, eq=False)
class _Piece:
    rows: Rows
    index: Tensor
    labels: Tensor


def assemble(
    name: str,
    parts: Parts,
    classes: Sequence[str],
    options: Options,
    notes: Sequence[str] = (),
    features: Sequence[str] = (),
) -> Task:
    """The task; FitError where labels, classes and inputs do not fit together."""
    _check(parts, classes)
    sizes = [len(part.labels) for _, part in parts.named()]
    ids = None if options.groups is None else group_ids(options.groups, sizes)
    train, validation, test = _pieces(parts, classes, options, None if ids is None else ids[0])
    preprocessing = fit(train.rows, train.index, zca=options.zca)
    sealed = _pool(test, preprocessing)
    return Task(
        name=name,
        train=_pool(train, preprocessing),
        validation=_pool(validation, preprocessing),
        test=Sealed(lambda: sealed, len(sealed)),
        classes=tuple(classes),
        preprocessing=preprocessing,
        fingerprint=_fingerprint(parts, classes, options, ids),
        split_seed=options.seed,
        notes=tuple(notes),
        features=tuple(features),
    )


def _check(parts: Parts, classes: Sequence[str]) -> None:
    if len(classes) < 2:
        raise FitError(f"there is one class only ({', '.join(classes)}): a task needs examples of at least 2 classes.")
    shape = parts.train.rows.shape
    for split_name, part in parts.named():
        if len(part.rows) != len(part.labels):
            raise FitError(
                f"{split_name} has {len(part.rows)} inputs but {len(part.labels)} labels: give every input one label."
            )
        if part.rows.shape != shape:
            raise FitError(f"train has shape {shape} but {split_name} has {part.rows.shape}: make them equal.")
        if len(part.labels) and (int(part.labels.min()) < 0 or int(part.labels.max()) >= len(classes)):
            wrong = part.labels[(part.labels < 0) | (part.labels >= len(classes))][0]
            raise FitError(
                f"{split_name} has the label {int(wrong)}: labels of {len(classes)} classes are 0 to "
                f"{len(classes) - 1}."
            )
        empty = torch.nonzero(torch.bincount(part.labels, minlength=len(classes)) == 0).flatten().tolist()
        if empty:
            raise FitError(
                f"{split_name} has no example of {len(empty)} of {len(classes)} classes (as '{classes[empty[0]]}'): "
                "number the labels from 0 without gaps, and give every split every class."
            )


def _pieces(
    parts: Parts, classes: Sequence[str], options: Options, groups: Tensor | None
) -> tuple[_Piece, _Piece, _Piece]:
    rows, labels = parts.train
    left = torch.arange(len(labels))
    held: dict[str, _Piece] = {}
    for name, given, share in (
        ("test", parts.test, options.test_share),
        ("validation", parts.validation, options.validation_share),
    ):
        if given is not None:
            held[name] = _Piece(given.rows, torch.arange(len(given.labels)), given.labels)
            continue
        mine = None if groups is None else groups[left]
        rest, part = split(labels[left], share, generator(options.seed, "split", name), names=classes, groups=mine)
        held[name] = _Piece(rows, left[part], labels[left[part]])
        left = left[rest]
    return _Piece(rows, left, labels[left]), held["validation"], held["test"]


def _pool(piece: _Piece, preprocessing: Preprocessing) -> Pool:
    return pool(piece.rows, piece.index, piece.labels, preprocessing)


def _fingerprint(parts: Parts, classes: Sequence[str], options: Options, ids: list[Tensor | None] | None) -> str:
    """Digest of contents, labels, class names and the rule of the split without its seed, which a Task says itself."""
    hasher = hashlib.blake2b(json.dumps(list(classes)).encode(), digest_size=16)
    for name, part in parts.named():
        hasher.update(f"{name} {len(part.labels)} {part.rows.digest()}".encode())
        hasher.update(np.ascontiguousarray(part.labels.numpy()).data)
    if parts.validation is None:
        hasher.update(f"validation {options.validation_share}".encode())
    if parts.test is None:
        hasher.update(f"test {options.test_share}".encode())
    if ids is not None and ids[0] is not None:
        hasher.update(np.ascontiguousarray(ids[0].numpy()).data)
    return hasher.hexdigest()
