"""Hand-made rows for tests of scores."""

import math
from typing import Any

from limbeck.evaluation.records import Record


def row(accuracy: float, **changes: Any) -> Record:
    """A row of method "dm", hard labels, 10 a class; a failure makes every accuracy NaN."""
    failed = "failure" in changes
    number = math.nan if failed else accuracy
    values: dict[str, Any] = {
        "set": "dm-10-seed0",
        "method": "dm",
        "per_class": 10.0,
        "stored": 20,
        "distillation_seed": 0,
        "labels": "hard",
        "configuration": "a",
        "seed": 0,
        "updates": 5,
        "split": "test",
        "accuracy": number,
        "selected": number,
        "validation": number,
        "balanced": number,
        "recalls": (number, number),
        "correct": b"" if failed else bytes(1250),
        "examples": 0 if failed else 10_000,
        "seconds": 1.0,
        "fingerprint": "f",
        "split_seed": 0,
        "versions": "{}",
    }
    return Record(**{**values, **changes})
