"""Tables of numbers, categories and embeddings, one row an example: CSV, TSV or Parquet."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.data.arrays import class_indices, rows_of
from limbeck.data.assemble import LEAK, Part, Parts, assemble
from limbeck.data.memory import check_room
from limbeck.data.options import Options
from limbeck.data.parquet import named
from limbeck.data.split_files import split_files, with_test
from limbeck.data.table_file import SUFFIXES, ColumnKind, TableFile, column_kind
from limbeck.data.task import Task
from limbeck.errors import FitError, OptionError, unknown

__all__ = ["MOST_LEVELS", "table"]

MOST_LEVELS = 100  # of a column of texts; more are names or sentences, not categories
_LABELS = ("label", "labels", "class", "target", "y")
_MISSING = "(missing)"
_MANY = 8  # levels from which on texts that are nearly all numbers are said to be
_IDENTIFIER = "'{0}' holds another whole number in every row: if these name the rows, leave them out with drop={0}."


_SECOND = "'{1}' is the class, and '{0}' stays a feature: if it says the same, leave it out with drop={0}."


def table(
    path: str | Path,
    *,
    label: str | None = None,
    drop: str | Sequence[str] = (),
    fill: str | None = None,
    **options: Any,
) -> Task:
    """A task from a file with a row an example, or a directory of files whose names begin with train, validation, test.

    CSV and TSV files (plain or gzipped) begin with the names of the columns and are separated by comma, semicolon or
    tab. Numbers stay as they are; a list of numbers (an embedding) becomes a feature a place; a column of texts becomes
    a feature of 0 and 1 a level of the training file, missing values being a level, and a level that only another file
    has is 0 everywhere.

    label:   the class column, or None: the one called label, labels, class, target or y.
    drop:    columns to leave out; in one text joined by ``+``.
    fill:    ``median``: a missing number becomes the median of the training file, before anything is split off it, and
             a feature of 0 and 1 beside it says so; None: missing numbers are refused.
    options: see :class:`limbeck.data.options.Options`.
    Errors:  SourceError (what is no file, or damaged), FitError (missing numbers, too many levels, no classes),
             OptionError (unknown columns).
    """
    chosen = Options.of(options)
    left_out = tuple(filter(None, drop.split("+"))) if isinstance(drop, str) else tuple(drop)
    files = split_files(Path(path), SUFFIXES, "a .csv, .tsv or .parquet file with a row an example")
    read, notes = with_test({split: TableFile(paths) for split, paths in files.items()})
    notes = notes if chosen.groups is not None else [LEAK, *notes]
    train = read["train"]
    target = _label(train, label)
    if fill not in (None, "median"):
        raise unknown("way to fill missing numbers", str(fill), ("median",))
    columns = [_column(train, name, fill is not None) for name in _kept(train, target, left_out)]
    features = tuple(name for column in columns for name in column.features)
    for each in read.values():
        check_room(each.where, 8 * each.rows * len(features))
    labels = {split: each.labels(target) for split, each in read.items()}
    names = _classes(labels["train"], train.known(target), target)
    classes, indices = class_indices([np.array([str(v) for v in part]) for part in labels.values()], names)
    values = {s: np.concatenate([column.encoded(each) for column in columns], axis=1) for s, each in read.items()}
    parts = {
        split: Part(rows_of(mine, chosen.memory, train=split == "train", names=features), i)
        for (split, mine), i in zip(values.items(), indices, strict=True)
    }
    name = named(f"table:{path}", label=label, drop="+".join(left_out) or None, fill=fill)
    whole = Parts(parts["train"], parts.get("validation"), parts.get("test"))
    counting = [column.name for column in columns if column.kind == "number" and train.counts_rows(column.name)]
    told = [_IDENTIFIER.format(name) for name in counting] + _told(columns, "test" in parts)
    told += [_SECOND.format(name, target) for name in _LABELS if label is None and name in {c.name for c in columns}]
    return assemble(name, whole, classes, chosen, [*notes, *told], features)


@dataclass(frozen=True)
class _Column:
    """How one column becomes features.

    levels: of a column of texts. width: numbers in a list. median: what a missing number becomes, None: it is refused.
    marked: a feature of its own says where a number was missing.
    """

    name: str
    kind: ColumnKind
    levels: tuple[str, ...] = ()
    width: int = 1
    median: float | None = None
    marked: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        if self.kind == "texts":
            return tuple(f"{self.name}={level}" for level in self.levels)
        if self.kind == "list":
            return tuple(f"{self.name}[{i}]" for i in range(self.width))
        return (self.name, f"{self.name}={_MISSING}") if self.marked else (self.name,)

    @property
    def _fills(self) -> bool:
        return self.kind == "texts" or self.median is not None

    def encoded(self, read: TableFile) -> NDArray[np.float64]:
        """(n, features) of one split. Raises FitError where it does not hold what the training file holds."""
        found = read.column(self.name)
        if self.kind != column_kind(found.type) and not (self._fills and str(found.type) == "null"):
            raise FitError(
                f"'{read.where}' has {found.type} in '{self.name}', where the training file has {_SPOKEN[self.kind]}: "
                f"mend the column, or leave it out with drop={self.name}."
            )
        if self.kind == "texts":
            texts = np.array(_texts(found))
            return np.stack([texts == level for level in self.levels], axis=1).astype(np.float64)
        if self.median is not None:
            numbers = _floats(found)
            missing = ~np.isfinite(numbers)
            columns = [np.where(missing, self.median, numbers), missing]
            return np.concatenate(columns[: 1 + self.marked], axis=1).astype(np.float64)
        numbers = _numbers(found, self.kind, read.where, self.name)
        if numbers.shape[1] != self.width:
            raise FitError(
                f"'{read.where}' has lists of {numbers.shape[1]} numbers in '{self.name}', and the training file of "
                f"{self.width}: make them equal."
            )
        return numbers


_SPOKEN = {"number": "numbers", "list": "lists of numbers", "texts": "texts"}


def _label(train: TableFile, label: str | None) -> str:
    """The class column."""
    if label is not None:
        if label not in train.names:
            raise unknown("label column", label, train.names)
        return label
    found = [name for name in _LABELS if name in train.names]
    if not found:
        raise OptionError(
            f"'{train.where}' has the columns {', '.join(train.names)}: name the class with label=COLUMN (as in "
            "table:PATH:label=COLUMN)."
        )
    return found[0]


def _kept(train: TableFile, target: str, left_out: Sequence[str]) -> list[str]:
    """The columns that become features."""
    for name in left_out:
        if name not in train.names:
            raise unknown("column to drop", name, train.names)
    if target in left_out:
        raise OptionError(f"'{target}' is the label and cannot be dropped: name another one with label=COLUMN.")
    kept = [name for name in train.names if name != target and name not in left_out]
    if not kept:
        raise FitError(f"'{train.where}' keeps no column beside the label '{target}': give it features.")
    return kept


def _classes(labels: Sequence[Any], known: Sequence[str] | None, target: str) -> list[str]:
    """Class names as the file orders them, or as numbers or texts do. Raises FitError where they are no classes."""
    odd = sorted({str(v) for v in labels if known is not None and not isinstance(v, str)})
    if odd:
        raise FitError(
            f"the column '{target}' holds the label {odd[0]}, for which there is no class name: leave such rows out."
        )
    found = sorted(set(labels))
    if known is not None and set(found) <= set(known):
        return [name for name in known if name in found]
    if any(isinstance(v, float) for v in found) or len(found) > max(2, len(labels) // 2):
        raise FitError(
            f"the column '{target}' holds {len(found):,} different values in {len(labels):,} rows, which are no "
            "classes: name another one with label=COLUMN, or put its values into classes first."
        )
    return [str(v) for v in found]


def _column(train: TableFile, name: str, fill: bool) -> _Column:
    """What a column of the training file becomes. Raises FitError where it can become nothing."""
    found = train.column(name)
    kind = column_kind(found.type)
    aside = f"leave it out with drop={name}"
    if kind is None:
        known = {"null": "is empty", "binary": "holds texts that are not UTF-8"}
        what = known.get(str(found.type), f"is of the type {found.type}, which is neither numbers nor texts")
        raise FitError(f"the column '{name}' of '{train.where}' {what}: mend it, or {aside}.")
    if kind == "number" and _beyond(found):
        raise FitError(
            f"the column '{name}' of '{train.where}' holds whole numbers beyond 2^53, which name rows and measure "
            f"nothing: {aside}."
        )
    if kind == "number" and fill:
        numbers = _floats(found)
        finite = np.isfinite(numbers)
        return _Column(
            name, kind, median=float(np.median(numbers[finite])) if finite.any() else 0.0, marked=not finite.all()
        )
    if kind != "texts":
        return _Column(name, kind, width=_numbers(found, kind, train.where, name).shape[1])
    levels = tuple(sorted(set(_texts(found))))
    if len(levels) > MOST_LEVELS:
        raise FitError(
            f"the column '{name}' of '{train.where}' holds {len(levels):,} different texts, and at most {MOST_LEVELS} "
            f"are taken for categories: {aside}, or put an embedding (a list of numbers) in its place."
            f"{_like_numbers(name, levels, ' ')}"
        )
    return _Column(name, kind, levels)


def _beyond(column: Any) -> bool:
    """True where whole numbers are larger than float64 can tell apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_integer(column.type):
        return False
    ends = pc.min_max(column).as_py()
    return max(abs(ends["min"] or 0), abs(ends["max"] or 0)) > 2**53


def _like_numbers(name: str, levels: Sequence[str], before: str = "") -> str:
    """A sentence where most levels of a column of texts are numbers, "" elsewhere: commas, or marks for missing."""
    odd = [level for level in levels if not _is_number(level)]
    comma = [level for level in odd if level.count(",") == 1 and _is_number(level.replace(",", "."))]
    rest = [level for level in odd if level not in comma and level != _MISSING]
    if len(levels) < _MANY or len(rest) > len(levels) / 5 or not (comma or rest):
        return ""
    why = ["a comma for the point"] if comma else []
    why += [f"for {', '.join(repr(level) for level in rest[:3])}"] if rest else []
    return (
        f"{before}'{name}' looks like numbers, but {' and '.join(why)}: write numbers, and nothing where one is "
        "missing, to have them as such."
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _texts(column: Any) -> list[str]:
    return [_MISSING if text is None else text.strip() for text in column.to_pylist()]


def _numbers(column: Any, kind: str, where: str, name: str) -> NDArray[np.float64]:
    """(n, width) numbers of a column; FitError where one is missing, or lists are of several lengths."""
    import pyarrow.compute as pc

    width, inner, missing = 1, column, 0
    if kind == "list":
        there, missing = column.drop_null(), column.null_count
        lengths = pc.unique(pc.list_value_length(there)).to_pylist()
        if len(lengths) > 1 or 0 in lengths:
            raise FitError(
                f"'{where}' has lists of {', '.join(map(str, sorted(lengths)[:4]))} numbers in '{name}': "
                "give every row the same number of them."
            )
        width, inner = max(lengths, default=1), pc.list_flatten(there)
    numbers = _floats(inner, width)
    missing += int((~np.isfinite(numbers)).any(1).sum())
    if missing:
        instead = " or fill=median" if kind == "number" else ""
        raise FitError(
            f"'{where}' has {missing:,} rows without a finite number in '{name}': fill them, or say "
            f"drop={name}{instead} behind the source."
        )
    return numbers


def _floats(column: Any, width: int = 1) -> NDArray[np.float64]:
    """(n, width) numbers of an Arrow array; NaN where there is none."""
    import pyarrow as pa

    numbers = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    found: NDArray[np.float64] = (
        numbers.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).reshape(-1, width)
    )
    return found


def _told(columns: Sequence[_Column], apart: bool) -> list[str]:
    """Sentences about the columns of texts, and about missing numbers."""
    marked = ", ".join(column.name for column in columns if column.marked)
    whose = "" if apart else ", from which test is split off after"
    told = (
        [f"missing numbers of {marked} are marked and became the median of the training file{whose}."] if marked else []
    )
    told += [sentence for column in columns if (sentence := _like_numbers(column.name, column.levels))]
    texts = [f"{column.name} ({len(column.levels)})" for column in columns if column.kind == "texts"]
    if not texts:
        return told
    shown = ", ".join(texts[:8]) + (f" and {len(texts) - 8} more" if len(texts) > 8 else "")
    return [*told, f"columns of texts are categories, a feature of 0 and 1 a level: {shown}."]
