"""The table of docs/results.md from a study's directory or its export.

python benchmarks/fashion_results.py benchmarks/results/fashion.parquet
"""

import sys
from pathlib import Path

from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, best_baseline, difference, holm, kinds, of_kind, score
from limbeck.evaluation.cells import FULL, Kind
from limbeck.evaluation.scores import Difference
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults
from limbeck.study.runs import DistilRun

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
BEGIN, END = "<!-- fashion: begin -->", "<!-- fashion: end -->"
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
    found = []
    for kind in kinds(records):
        if kind.method in METHODS:
            try:
                best = best_baseline(records, kind)
                found.append((kind, best, difference(of_kind(records, kind), of_kind(records, best))))
            except EvidenceError as error:
                print(error, file=sys.stderr)
    adjusted = holm([d.estimate.p for *_, d in found if d.estimate.p is not None])
    rows = ["| method | a class | best baseline (on validation) | difference on test, points | p (Holm) | says |"]
    rows.append("|---|---|---|---|---|---|")
    for (kind, best, d), p in sorted(zip(found, adjusted, strict=True), key=lambda item: str(item[0][0])):
        word = "cannot tell" if p >= 0.05 else "better" if d.estimate.value > 0 else "worse"
        rows.append(f"| {kind.method} | {kind.per_class:g} | {name(best)} | {interval(d)} | {p:.3g} | {word} |")
    return rows


def name(kind: Kind) -> str:
    """The baseline with its labels."""
    return f"{kind.method}, {kind.labels} labels"


def interval(known: Difference) -> str:
    """+3.1 [+2.0, +4.2] in points."""
    estimate = known.estimate
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:+.1f} (one seed)"
    return f"{100 * estimate.value:+.1f} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def budgets(results: StudyResults) -> list[str]:
    """Iterations and mean seconds of each distillation on the machine that ran them."""
    seconds: dict[tuple[str, int], list[float]] = {}
    for entry in results.entries:
        run = entry.run if entry.kind == "DistilRun" and entry.state == "done" else None
        if isinstance(run, DistilRun) and (run.label or run.method) in METHODS:
            seconds.setdefault((run.label or run.method, run.per_class), []).append(entry.seconds)
    rows = ["| method | a class | iterations | seconds a set, one thread (n) |", "|---|---|---|---|"]
    for (method, size), spent in sorted(seconds.items()):
        iterations = results.iterations().get((method, size), 0)
        rows.append(f"| {method} | {size} | {iterations} | {sum(spent) / len(spent):.0f} ({len(spent)}) |")
    return rows


def main() -> None:
    """Put the tables between the marks of docs/results.md."""
    results = StudyResults.load(sys.argv[1])
    records = results.records.where(split="test")
    text = "\n".join([*differences(records), "", *scores(records), "", *budgets(results)])
    page = PAGE.read_text(encoding="utf-8")
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
