"""Arrays in an .npz file, read without pickle and never larger than announced and affordable."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.data.arrays import class_indices, rows_of
from limbeck.data.assemble import LEAK, Part, Parts, assemble
from limbeck.data.memory import check_room
from limbeck.data.options import Options
from limbeck.data.task import Task
from limbeck.errors import SourceError

__all__ = ["npz"]

# (inputs, labels) of train, validation and test under the names in use; MedMNIST's are the last.
_NAMES = (
    (("x", "y"), ("x_val", "y_val"), ("x_test", "y_test")),
    (("x_train", "y_train"), ("x_val", "y_val"), ("x_test", "y_test")),
    (("train_images", "train_labels"), ("val_images", "val_labels"), ("test_images", "test_labels")),
)
_DEFLATE = 1100  # deflate cannot pack more than 1032 bytes into one


def npz(path: str | Path, **options: Any) -> Task:
    """A task from arrays ``x, y`` or ``x_train, y_train, x_test, y_test`` (and ``x_val, y_val``), optional ``classes``.

    Arrays as for :func:`limbeck.data.arrays`. Arrays larger than ``memory`` stay on disk where the file is not
    compressed (np.savez). options: see :class:`limbeck.data.options.Options`. Errors: SourceError, FitError.
    """
    chosen, place = Options.of(options), Path(path)
    if place.is_dir():
        raise SourceError(f"'{path}' is a directory: give an .npz file in it, with the arrays x and y.")
    if not place.is_file():
        raise SourceError(f"'{path}' does not exist: give an .npz file with the arrays x and y.")
    try:
        with zipfile.ZipFile(place) as archive:
            pairs, classes = _arrays(place, archive, chosen.memory)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise SourceError(
            f"'{path}' is no .npz file that can be read ({error}): it is truncated or corrupt."
        ) from error
    labels = [y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y for _, y in pairs.values()]
    names, indices = class_indices(labels, classes)
    parts = {
        s: Part(rows_of(x, chosen.memory, train=s == "train"), i)
        for (s, (x, _)), i in zip(pairs.items(), indices, strict=True)
    }
    notes = [] if chosen.groups is not None else [LEAK]
    whole = Parts(parts["train"], parts.get("validation"), parts.get("test"))
    return assemble(f"npz:{path}", whole, names, chosen, notes)


def _arrays(path: Path, archive: zipfile.ZipFile, memory: int) -> tuple[dict[str, tuple[Any, Any]], list[str] | None]:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    known = next((names for names in _NAMES if set(names[0]) <= set(members)), None)
    if known is None:
        listed = ", ".join(sorted(members)[:8]) or "nothing"
        raise SourceError(f"'{path}' holds {listed}: name the arrays x and y, or x_train, y_train, x_test and y_test.")
    there = [(s, p) for s, p in zip(("train", "validation", "test"), known, strict=True) if set(p) <= set(members)]
    wanted = [members[n] for _, pair in there for n in pair]
    check_room(path, sum(i.file_size for i in wanted if not _mappable(i, memory)))
    pairs = {split: tuple(_array(path, archive, members[n], memory) for n in pair) for split, pair in there}
    classes = None
    if "classes" in members:
        classes = [str(c) for c in _array(path, archive, members["classes"], memory)]
    return {split: (x, y) for split, (x, y) in pairs.items()}, classes


def _mappable(info: zipfile.ZipInfo, memory: int) -> bool:
    return info.compress_type == zipfile.ZIP_STORED and info.file_size > memory


def _array(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, memory: int) -> NDArray[Any]:
    """One member, after its header is found to agree with the size in the archive's directory."""
    if info.file_size > _DEFLATE * max(info.compress_size, 1) or info.compress_size > path.stat().st_size:
        raise SourceError(f"'{path}' announces an impossible size for '{info.filename}': it is corrupt.")
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise SourceError(f"'{path}' has '{info.filename}' in the format {version}: save it with np.savez.")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        start = stream.tell()
    if dtype.hasobject:
        raise SourceError(
            f"'{path}' holds Python objects in '{info.filename}', which could run code: save plain arrays."
        )
    if math.prod(shape) * dtype.itemsize + start != info.file_size:
        raise SourceError(
            f"'{path}' has '{info.filename}' of shape {shape}, which is not what it holds: it is corrupt."
        )
    if _mappable(info, memory):
        with path.open("rb") as file:
            file.seek(info.header_offset + 26)
            lengths = np.frombuffer(file.read(4), dtype="<u2")
        offset = info.header_offset + 30 + int(lengths.sum()) + start
        return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape, order="F" if fortran else "C")
    with archive.open(info) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)
