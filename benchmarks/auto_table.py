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

from limbeck.distillation.advice import TABLE
from limbeck.distillation.methods import METHODS
from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, best_baseline, difference, holm, kinds, of_kind, score
from limbeck.evaluation.cells import Kind, cells
from limbeck.study.perform import opened
from limbeck.study.results import StudyResults
from limbeck.study.runs import DistilRun

FORBIDDEN = "mnist"


def of_study(path: Path) -> list[dict[str, Any]]:
    """The cells of one study."""
    results = StudyResults.load(path)
    name = results.study.source.text.rstrip("/").split("/")[-1].split(":")[-1]
    if name == FORBIDDEN:
        sys.exit(f"{path} was made on MNIST, on which auto is judged: leave it out.")
    task = opened(results.study.source)
    records = results.records.where(split="test")
    compared = comparisons(records)
    facts = {
        "task": name,
        "source": f"{path.name}, {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}",
        "values": math.prod(task.shape),
        "examples": min(task.counts),
    }
    sizes = sorted({kind.per_class for kind, *_ in compared})
    return [facts | cell(records, compared, results, size) for size in sizes]


def comparisons(records: Records) -> list[tuple[Kind, Kind, Any, float | None]]:
    """Each kind of set that was distilled, the best selection of its size, their difference, and p after Holm."""
    found = []
    for kind in kinds(records):
        if kind.method in METHODS and METHODS[kind.method].distils:
            try:
                best = best_baseline(records, kind)
                found.append((kind, best, difference(of_kind(records, kind), of_kind(records, best))))
            except EvidenceError as error:
                print(error, file=sys.stderr)
    adjusted = iter(holm([d.estimate.p for *_, d in found if d.estimate.p is not None]))
    return [(k, b, d, None if d.estimate.p is None else next(adjusted)) for k, b, d in found]


def cell(
    records: Records, compared: list[tuple[Kind, Kind, Any, float | None]], results: StudyResults, size: float
) -> dict[str, Any]:
    """What was measured at one size."""
    mine = [item for item in compared if item[0].per_class == size]
    spent = {kind.method: seconds(results, kind.method, size) for kind, *_ in mine}
    methods = [
        {
            "method": kind.method,
            "labels": kind.labels,
            "iterations": results.iterations().get((kind.method, int(size))),
            "seconds": spent[kind.method],
            "accuracy": accuracy(records, kind),
            "difference": round(found.estimate.value, 4),
            "low": rounded(found.estimate.low),
            "high": rounded(found.estimate.high),
            "p": rounded(p),
            "n": found.estimate.n,
        }
        for kind, _, found, p in mine
    ]
    best, soft = mine[0][1], soft_selection(records, size) or mine[0][1]
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


def seconds(results: StudyResults, method: str, size: float) -> float:
    """Median seconds of a distillation on the study's machine."""
    runs = [(e, e.run) for e in results.entries if e.kind == "DistilRun" and e.state == "done"]
    spent = [
        e.seconds for e, r in runs if isinstance(r, DistilRun) and (r.label or r.method, r.per_class) == (method, size)
    ]
    return round(statistics.median(spent), 1)


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
