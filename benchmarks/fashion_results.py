"""The table of docs/results.md from a study's directory or its export.

python benchmarks/fashion_results.py [benchmarks/results/fashion.parquet]
"""

import sys
from pathlib import Path

from compared import PAGE, against_best, budgets, named, points, put

from limbeck.evaluation import Records, kinds, of_kind, score
from limbeck.evaluation.cells import FULL
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults

USUAL = Path(__file__).parent / "results" / "fashion.parquet"
METHODS = ("dm", "dc", "dsa")


def scores(records: Records) -> list[str]:
    """One row a kind: accuracy, selected snapshot, n."""
    rows = [
        "| method | labels | a class | accuracy | selected snapshot | sets × networks |",
        "|---|---|---|---|---|---|",
    ]
    for kind in sorted(kinds(records), key=lambda k: (k.per_class, k.method in METHODS, k.method, k.labels)):
        mine = of_kind(records, kind)
        last, chosen = score(mine), score(mine, measure="selected")
        size = "all" if kind.method.startswith(FULL) else f"{kind.per_class:g}"
        count = f"{last.estimate.n} × {last.networks / last.estimate.n:g}"
        cells = (kind.method, kind.labels, size, percent(last.estimate), percent(chosen.estimate), count)
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def differences(records: Records) -> list[str]:
    """Each method against the best baseline of its size, chosen on validation; Holm over all of them."""
    rows = ["| method | a class | best baseline (on validation) | difference on test, points | p (Holm) | says |"]
    rows.append("|---|---|---|---|---|---|")
    for each in against_best(records, lambda kind: kind.method in METHODS):
        p = "—" if each.p is None else f"{each.p:.3g}"
        method, size = each.kind.method, f"{each.kind.per_class:g}"
        cells = (method, size, named(each.best), points(each.found.estimate), p, each.word)
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def main() -> None:
    """Put the tables between the marks of docs/results.md."""
    results = StudyResults.load(sys.argv[1] if len(sys.argv) > 1 else USUAL)
    records = results.records.where(split="test")
    text = "\n".join([*differences(records), "", *scores(records), "", *budgets(results, METHODS)])
    put(PAGE, "fashion", text)
    print(text)


if __name__ == "__main__":
    main()
