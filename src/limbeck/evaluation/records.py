"""Records: one trained network, one row."""

import base64
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import ArtifactError, OptionError, unknown
from limbeck.files import write_atomically

__all__ = ["Record", "Records"]

FORMAT = 1  # of the Parquet file; raised when a column changes its meaning
LABELS = ("hard", "soft", "learned")
SPLITS = ("validation", "test")
_FRACTIONS = ("accuracy", "selected", "validation", "balanced")


@dataclass(frozen=True)
class Record:
    """What one trained network did. Accuracies and recalls are fractions in [0, 1], times seconds.

    set, method, per_class, distillation_seed: what was trained on (``method`` "full" is the full-data reference,
        ``per_class`` the mean number of stored examples a class, ``stored`` their total).
    labels:     "hard", "soft" (a teacher's) or "learned".
    configuration, seed: how it was trained; ``updates`` optimizer steps.
    split:      what the accuracies were measured on: "validation" or "test".
    accuracy:   of the last weights. selected: on ``split``, of the snapshot with the best validation accuracy.
    validation: validation accuracy of the last weights; NaN where the task has no validation examples.
    balanced:   mean per-class recall of the last weights. recalls: each class, NaN for one that ``split`` lacks.
    correct:    packed bits (numpy.packbits), one an example of ``split``, of the last weights; ``examples`` of them.
    seconds:    wall-clock time of training, this network's share of those trained with it.
    failure:    "" or the sentence that says why this network stopped (non-finite loss); then accuracies are NaN and
        ``examples`` is 0.
    recipe:     digest of the configuration as it was used: rows of one name and two digests were trained differently.

    Raises OptionError where a value is outside its domain.
    """

    set: str
    method: str
    per_class: float
    stored: int
    distillation_seed: int
    labels: str
    configuration: str
    seed: int
    updates: int
    split: str
    accuracy: float
    selected: float
    validation: float
    balanced: float
    recalls: tuple[float, ...]
    correct: bytes
    examples: int
    seconds: float
    fingerprint: str
    split_seed: int
    versions: str
    failure: str = ""
    recipe: str = ""

    def __post_init__(self) -> None:
        if self.labels not in LABELS:
            raise unknown("kind of labels", self.labels, LABELS)
        if self.split not in SPLITS:
            raise unknown("split", self.split, SPLITS)
        for name in _FRACTIONS:
            self._check_fraction(name, getattr(self, name))
        for recall in self.recalls:
            self._check_fraction("recall", recall)
        if not self.failure and math.isnan(self.accuracy):
            raise OptionError(f"a network of {self.set} has no accuracy and no failure: say why it has none.")
        if self.failure and not math.isnan(self.accuracy):
            raise OptionError(f"a network of {self.set} failed and has an accuracy: a failed network has none.")
        if len(self.correct) != -(-self.examples // 8):
            raise OptionError(f"{len(self.correct)} bytes cannot hold one bit for each of {self.examples} examples.")

    def _check_fraction(self, name: str, number: float) -> None:
        if not (math.isnan(number) or 0 <= number <= 1):
            raise OptionError(f"{name} is {number} in a row of {self.set}: it is a fraction in [0, 1], not percent.")

    @property
    def finished(self) -> bool:
        """True where the network was trained to the end."""
        return not self.failure

    def correctness(self) -> NDArray[np.bool_]:
        """(examples,) True where the last weights were right."""
        bits = np.unpackbits(np.frombuffer(self.correct, np.uint8), count=self.examples)
        return bits.astype(bool)


@dataclass(frozen=True)
class Records:
    """Rows, in the order they were made."""

    rows: tuple[Record, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.rows)

    def __add__(self, other: "Records") -> "Records":
        return Records(self.rows + other.rows)

    def __repr__(self) -> str:
        failed = sum(not row.finished for row in self.rows)
        return f"Records({len(self.rows)} networks of {len({r.set for r in self.rows})} sets, {failed} failed)"

    def where(self, **equal: Any) -> "Records":
        """The rows whose fields have the given values; OptionError for an unknown field."""
        known = [f.name for f in fields(Record)]
        for key in equal:
            if key not in known:
                raise unknown("column of the records", key, known)
        return Records(tuple(r for r in self.rows if all(getattr(r, k) == v for k, v in equal.items())))

    @staticmethod
    def of(rows: Iterable[Record]) -> "Records":
        """Records from any iterable of rows."""
        return Records(tuple(rows))

    def dictionaries(self) -> list[dict[str, Any]]:
        """Plain dictionaries, one a row (``correct`` stays bytes)."""
        return [asdict(row) for row in self.rows]

    def to_json(self) -> str:
        """A JSON list, one object a row: NaN becomes null, ``correct`` base64."""
        rows = [{key: _plain(item) for key, item in row.items()} for row in self.dictionaries()]
        return json.dumps(rows, allow_nan=False)

    def to_parquet(self, path: Path | str) -> None:
        """Write one row a network to ``path``; the file is whole or absent. Raises DirectoryError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = _schema()
        table = pa.Table.from_pylist(self.dictionaries(), schema=schema)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        write_atomically(Path(path), sink.getvalue().to_pybytes())

    @staticmethod
    def from_parquet(path: Path | str) -> "Records":
        """The rows of a file that :meth:`to_parquet` wrote. Raises ArtifactError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not Path(path).is_file():
            raise ArtifactError(f"there are no records at '{path}': evaluate a set first, or mend the path.")
        try:
            table = pq.ParquetFile(path).read()
        except (pa.ArrowException, OSError) as error:
            raise ArtifactError(f"'{path}' is damaged or no Parquet file: make the records again.") from error
        _check_columns(path, table.schema)
        try:
            return Records(tuple(Record(**{**row, "recalls": tuple(row["recalls"])}) for row in table.to_pylist()))
        except (OptionError, TypeError) as error:
            raise ArtifactError(f"'{path}' holds a row that is no record ({error}): make the records again.") from error


def _schema() -> Any:
    """The Arrow schema of the records, with their format number."""
    import pyarrow as pa

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bytes: pa.binary()}
    columns = [
        pa.field(f.name, kinds.get(_type(f.type), pa.list_(pa.float64())), nullable=False) for f in fields(Record)
    ]
    return pa.schema(columns, metadata={"limbeck.records": str(FORMAT)})


def _type(kind: Any) -> Any:
    return kind if isinstance(kind, type) else None


def _check_columns(path: Path | str, schema: Any) -> None:
    """ArtifactError unless ``schema`` is the one that this version writes."""
    stated = (schema.metadata or {}).get(b"limbeck.records", b"")
    if not stated.isdigit():
        raise ArtifactError(f"'{path}' is a Parquet file but holds no limbeck records: give one that limbeck wrote.")
    if int(stated) > FORMAT:
        raise ArtifactError(
            f"'{path}' has records of format {int(stated)}, and this limbeck reads up to {FORMAT}: install a newer one."
        )
    known = _schema()
    for column in schema:
        if column.name not in known.names:
            raise ArtifactError(
                f"'{path}' has the column '{column.name}' that this limbeck does not know: install a newer one."
            )
        if column.type != known.field(column.name).type:
            raise ArtifactError(f"'{path}' has {column.type} in the column '{column.name}': make the records again.")
    missing = [name for name in known.names if name not in schema.names]
    if missing:
        raise ArtifactError(f"'{path}' lacks the column '{missing[0]}': make the records again.")


def _plain(item: Any) -> Any:
    """What JSON can hold."""
    if isinstance(item, bytes):
        return base64.b64encode(item).decode()
    if isinstance(item, tuple):
        return [_plain(each) for each in item]
    return None if isinstance(item, float) and math.isnan(item) else item
