"""Records: one trained network, one row."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Record", "Records"]


@dataclass(frozen=True)
class Record:
    """What one trained network did. Accuracies and recalls are fractions in [0, 1], times seconds.

    set, method, per_class, distillation_seed: what was trained on (``method`` "full" is the full-data reference,
        ``per_class`` the mean number of stored examples a class, ``stored`` their total).
    labels:     "hard", "soft" (a teacher's) or "learned".
    configuration, seed: how it was trained; ``updates`` optimizer steps.
    split:      what the accuracies were measured on: "validation" or "test".
    accuracy:   of the last weights. selected: on ``split``, of the snapshot with the best validation accuracy.
    balanced:   mean per-class recall of the last weights. recalls: each class.
    correct:    packed bits (numpy.packbits), one an example of ``split``, of the last weights; ``examples`` of them.
    failure:    "" or the sentence that says why this network stopped (non-finite loss); then accuracies are NaN.
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

    def where(self, **equal: Any) -> "Records":
        """The rows whose fields have the given values."""
        return Records(tuple(r for r in self.rows if all(getattr(r, k) == v for k, v in equal.items())))

    @staticmethod
    def of(rows: Iterable[Record]) -> "Records":
        """Records from any iterable of rows."""
        return Records(tuple(rows))

    def dictionaries(self) -> list[dict[str, Any]]:
        """Plain dictionaries, one a row (``correct`` stays bytes)."""
        return [asdict(row) for row in self.rows]
