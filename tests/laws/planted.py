"""Records of a study whose law is known."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from limbeck.evaluation.records import Record, Records

SIZES = (1, 2, 5, 10, 20, 50, 100, 200)
FULL_ACCURACY = 0.95


def row(accuracy: float, **changes: Any) -> Record:
    """A row of method "dm" with hard labels; accuracies are clipped to [0, 1]."""
    number = math.nan if "failure" in changes else float(min(1.0, max(0.0, accuracy)))
    values: dict[str, Any] = {
        "set": "dm",
        "method": "dm",
        "per_class": 1.0,
        "stored": 10,
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
        "correct": b"",
        "examples": 0,
        "seconds": 1.0,
        "fingerprint": "f",
        "split_seed": 0,
        "versions": "{}",
    }
    return Record(**{**values, **changes})


def study(
    gap: Callable[[float], float],
    *,
    sizes: Sequence[float] = SIZES,
    seeds: int = 5,
    networks: int = 2,
    noise: float = 0.01,
    seed: int = 0,
) -> Records:
    """Sets of each size and seed with nested networks, and five references."""
    generator = np.random.default_rng(seed)
    rows = [
        row(FULL_ACCURACY + 0.2 * noise * generator.normal(), set="full-matched", method="full", per_class=5000.0,
            stored=50000, seed=s)
        for s in range(5)
    ]  # fmt: skip
    for size in sizes:
        for unit in range(seeds):
            level = FULL_ACCURACY - gap(size) + noise * generator.normal()
            for network in range(networks):
                accuracy = level + 0.3 * noise * generator.normal()
                place = {"per_class": float(size), "stored": int(10 * size), "distillation_seed": unit, "seed": network}
                rows.append(row(accuracy, **place))
    return Records.of(rows)
