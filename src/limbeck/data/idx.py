"""IDX files, plain or gzipped: MNIST, FashionMNIST, KMNIST, EMNIST."""

import gzip
import io
import math
import re
import zlib
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from limbeck.data.arrays import class_indices, rows_of
from limbeck.data.assemble import Part, Parts, assemble
from limbeck.data.memory import check_room
from limbeck.data.options import Options
from limbeck.data.task import Task
from limbeck.errors import SourceError

__all__ = ["idx", "read_idx"]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_TRAIN = re.compile(r"train-images[-.]idx\d-ubyte(\.gz)?$")
_DEFLATE = 1100  # deflate cannot pack more than 1032 bytes into one


def idx(path: str | Path, **options: Any) -> Task:
    """A task from a directory of IDX files, or from its ``…train-images-idx3-ubyte[.gz]`` where it holds several sets.

    ``t10k-`` or ``test-`` files are the test split. Class names: the lines of ``classes.txt`` beside them, or 0, 1, ….
    options: see :class:`limbeck.data.options.Options`. Errors: SourceError, FitError.
    """
    chosen, images = Options.of(options), _train_images(Path(path))
    labels = _beside(images, "train-", "train-", labels=True)
    test = [_beside(images, "train-", prefix, labels=False) for prefix in ("t10k-", "test-")]
    names_file = images.parent / "classes.txt"
    pairs = [(images, labels)]
    if found := [t for t in test if t is not None]:
        pairs.append((found[0], _beside(found[0], "", "", labels=True)))
    for first, second in pairs:
        if second is None:
            raise SourceError(f"'{first}' has no labels file beside it: put the matching …-labels-idx1-ubyte there.")
    names = names_file.read_text(encoding="utf-8").splitlines() if names_file.is_file() else None
    read = [(read_idx(a, chosen.memory), read_idx(cast(Path, b), chosen.memory)) for a, b in pairs]
    classes, indices = class_indices([np.asarray(b) for _, b in read], names)
    parts = [Part(rows_of(a, chosen.memory), i) for (a, _), i in zip(read, indices, strict=True)]
    return assemble(f"idx:{path}", Parts(parts[0], test=parts[1] if found else None), classes, chosen)


def _train_images(path: Path) -> Path:
    if path.is_file():
        if not _TRAIN.search(path.name):
            raise SourceError(
                f"'{path.name}' is no …train-images-idx3-ubyte[.gz] file: name that one, or its directory."
            )
        return path
    if not path.is_dir():
        raise SourceError(f"'{path}' does not exist: give a directory of IDX files.")
    found = sorted(p for p in path.iterdir() if _TRAIN.search(p.name))
    # A set that lies there both plain and gzipped is one set.
    found = [p for p in found if not (p.suffix == ".gz" and p.with_suffix("") in found)]
    if len(found) != 1:
        listed = ", ".join(p.name for p in found[:3]) or "none"
        raise SourceError(f"'{path}' holds {len(found)} train-images IDX files ({listed}): name the one to use.")
    return found[0]


def _beside(images: Path, old: str, new: str, *, labels: bool) -> Path | None:
    """The file beside ``images`` with another prefix, or with its labels, gzipped or not."""
    stem = images.name.removesuffix(".gz").replace(f"{old}images", f"{new}images")
    if labels:
        stem = re.sub(r"images([-.])idx\d", r"labels\1idx1", stem)
    return next((p for p in (images.with_name(stem), images.with_name(f"{stem}.gz")) if p.is_file()), None)


def read_idx(path: Path, memory: int) -> NDArray[Any]:
    """The array of one IDX file; a plain file beyond ``memory`` bytes is mapped. SourceError where it is damaged."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return _read(path, stream, memory)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"'{path}' cannot be read ({error}): it is truncated or corrupt, fetch it again.") from error


def _read(path: Path, stream: io.BufferedIOBase, memory: int) -> NDArray[Any]:
    dtype, shape, offset = _header(path, stream)
    size, packed = math.prod(shape) * dtype.itemsize, path.suffix == ".gz"
    stored = path.stat().st_size
    if (size > _DEFLATE * stored) if packed else (size + offset != stored):
        raise SourceError(
            f"'{path}' announces {size} bytes of data, which a file of {stored} bytes cannot hold: fetch it again."
        )
    if not packed and size > memory:
        return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)
    check_room(path, size)
    data = np.empty(size, dtype=np.uint8)
    filled, view = 0, memoryview(data.data)
    while filled < size and (got := stream.readinto(view[filled:])):
        filled += got
    if filled < size or stream.read(1):
        raise SourceError(f"'{path}' holds more or less data than its header says: it is corrupt, fetch it again.")
    array = data.view(dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(path: Path, stream: io.BufferedIOBase) -> tuple["np.dtype[Any]", tuple[int, ...], int]:
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not 1 <= head[3] <= 4:
        raise SourceError(f"'{path}' is no IDX file (its first bytes are {head.hex() or 'missing'}): fetch it again.")
    sizes = stream.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise SourceError(f"'{path}' ends within its header: it is truncated, fetch it again.")
    shape = tuple(int(n) for n in np.frombuffer(sizes, dtype=">u4"))
    if 0 in shape:
        raise SourceError(f"'{path}' is empty: its header says {' × '.join(map(str, shape))}.")
    return np.dtype(_TYPES[head[2]]), shape, 4 + 4 * head[3]
