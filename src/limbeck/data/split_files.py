"""Which files of a directory are train, validation and test, by their names."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from limbeck.data.folder import VALIDATION_IS_TEST
from limbeck.errors import SourceError

__all__ = ["split_files", "with_test"]

T = TypeVar("T")

_SPLIT = {
    "train": re.compile(r"(^|[-_.])train"),
    "validation": re.compile(r"(^|[-_.])(validation|valid|val|dev)([-_.]|$)"),
    "test": re.compile(r"(^|[-_.])test"),
}


def split_files(path: Path, suffixes: Sequence[str], what: str) -> dict[str, list[Path]]:
    """Files of each split, in the order train, validation, test; all are train where no name says otherwise, in
    whatever letters.

    path: a file, or a directory with files of one of the ``suffixes``, in it or in ``data`` below it. what: "a Parquet
    file", for errors. Raises SourceError.
    """
    if path.is_file():
        return {"train": [path]}
    if not path.is_dir():
        raise SourceError(f"'{path}' does not exist: give {what}, or a directory of them.")
    files = _among(path, suffixes) or _among(path / "data", suffixes)
    if not files:
        raise SourceError(f"'{path}' holds no {' or '.join(suffixes)} file: give {what}, or a directory of them.")
    found = {split: [f for f in files if pattern.search(f.name.lower())] for split, pattern in _SPLIT.items()}
    if not any(found.values()):
        return {"train": files}
    if not found["train"]:
        raise SourceError(f"'{path}' holds no file whose name begins with train: name one so, or give a single file.")
    return {split: paths for split, paths in found.items() if paths}


def with_test(splits: Mapping[str, T]) -> tuple[dict[str, T], list[str]]:
    """The splits, a lone validation split as test, and the sentence that says so."""
    if "validation" not in splits or "test" in splits:
        return dict(splits), []
    return {("test" if name == "validation" else name): part for name, part in splits.items()}, [VALIDATION_IS_TEST]


def _among(directory: Path, suffixes: Sequence[str]) -> list[Path]:
    files = sorted(f for suffix in suffixes for f in directory.glob(f"*{suffix}") if not f.name.startswith("."))
    first: dict[str, Path] = {}
    for file in files:
        stem = file.name.removesuffix(max((s for s in suffixes if file.name.endswith(s)), key=len))
        if first.setdefault(stem, file) != file:
            raise SourceError(
                f"'{directory}' holds both {first[stem].name} and {file.name}, which look like the same rows twice: "
                "leave one of them, or rename it."
            )
    return files
