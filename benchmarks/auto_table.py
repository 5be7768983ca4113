"""The table that ``--method auto`` reads, from what studies measured.

    python benchmarks/auto_table.py benchmarks/results/fashion.parquet [MORE …]

A cell is one study at one size: every method that distils, beside the selection that is best on validation (Holm over
the study's comparisons). MNIST is refused, because ``auto`` is judged on it. Writes
src/limbeck/distillation/auto_table.json.
"""

import hashlib
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from compared import Compared, against_best, seconds

from limbeck.distillation.advice import TABLE
from limbeck.distillation.methods import METHODS
from limbeck.evaluation import Records, kinds, of_kind, score
from limbeck.evaluation.cells import Kind, cells
from limbeck.study.perform import opened
from limbeck.study.results import StudyResults

FORBIDDEN = "mnist"


def of_study(path: Path) -> list[dict[str, Any]]:
    """The cells of one study."""
    results = StudyResults.load(path)
    name = results.study.source.text.rstrip("/").split("/")[-1].split(":")[-1]
    if name == FORBIDDEN:
        sys.exit(f"{path} was made on MNIST, on which auto is judged: leave it out.")
    task = opened(results.study.source)
    records = results.records.where(split="test")
    compared = against_best(records)
    facts = {
        "task": name,
        "source": f"{path.name}, {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}",
        "values": math.prod(task.shape),
        "examples": min(task.counts),
    }
    sizes = sorted({each.kind.per_class for each in compared})
    return [facts | cell(records, compared, results, size) for size in sizes]


def cell(records: Records, compared: list[Compared], results: StudyResults, size: float) -> dict[str, Any]:
    """What was measured at one size."""
    mine = [each for each in compared if each.kind.per_class == size]
    known = {name: values for (name, k), values in seconds(results).items() if k == size}
    spent = {each.kind.method: round(statistics.median(known[each.kind.method]), 1) for each in mine}
    methods = [
        {
            "method": each.kind.method,
            "labels": each.kind.labels,
            "iterations": results.iterations().get((each.kind.method, int(size))),
            "seconds": spent[each.kind.method],
            "accuracy": accuracy(records, each.kind),
            "difference": round(each.found.estimate.value, 4),
            "low": rounded(each.found.estimate.low),
            "high": rounded(each.found.estimate.high),
            "p": rounded(each.p),
            "n": each.found.estimate.n,
        }
        for each in mine
    ]
    best, soft = mine[0].best, soft_selection(records, size) or mine[0].best
    return {
        "per_class": size,
        "seconds": statistics.median(spent.values()),
        "best": {"method": best.method, "labels": best.labels, "accuracy": accuracy(records, best)},
        "selection": {"method": soft.method, "labels": soft.labels, "accuracy": accuracy(records, soft)},
        "methods": methods,
    }


def soft_selection(records: Records, size: float) -> Kind | None:
    """The selection with a teacher's labels that is best on validation."""
    names = [k for k in kinds(records) if k.per_class == size and k.labels == "soft" and k.method in METHODS]
    known = {k: cells(of_kind(records, k), measure="validation").by_unit().values() for k in names}
    chosen = {k: sum(v) / len(v) for k, v in known.items() if not METHODS[k.method].distils}
    return max(chosen, key=lambda k: chosen[k]) if chosen else None


def accuracy(records: Records, kind: Kind) -> float:
    """Mean test accuracy."""
    return round(score(of_kind(records, kind)).estimate.value, 4)


def rounded(number: float | None) -> float | None:
    """Four digits are more than is known."""
    return None if number is None else round(number, 4)


def main() -> None:
    """Write the table."""
    paths = [Path(text) for text in sys.argv[1:]]
    if not paths:
        sys.exit("usage: python benchmarks/auto_table.py STUDY_EXPORT…")
    found = [each for path in paths for each in of_study(path)]
    made_by = " ".join(["python benchmarks/auto_table.py", *map(str, paths)])
    TABLE.write_text(json.dumps({"made_by": made_by, "cells": found}, indent=1) + "\n", encoding="utf-8")
    for each in found:
        print(
            each["task"],
            each["per_class"],
            each["best"],
            [(m["method"], m["difference"], m["p"]) for m in each["methods"]],
        )


if __name__ == "__main__":
    main()
