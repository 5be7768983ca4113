"""Do m3d and ncfm beat real images at 10 a class? Five new seeds, two hypotheses; a section of docs/results.md.

    python benchmarks/replication.py [benchmarks/results/replication.parquet]

The hypotheses stand in benchmarks/replication.yaml and were committed before the study ran.
"""

import sys
from pathlib import Path

from compared import PAGE, beside, family, left, named, points, put

from limbeck.evaluation import Records, difference, of_kind, score
from limbeck.evaluation.cells import Kind
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
HYPOTHESES = ("m3d", "ncfm")  # each with hard labels
IN_FOUR = "random in four"


def section(results: StudyResults) -> str:
    """Markdown: a row a hypothesis, then the accuracies of everything that was judged."""
    records, missing = results.records.where(split="test"), left(results)
    sizes = [float(size) for size in results.study.per_class]
    wanted = [Kind(method, size, "hard") for size in sizes for method in HYPOTHESES]
    tested = family(known for kind in wanted if (known := beside(records, kind)) is not None)
    rows = ["| hypothesis | a class | against | difference, points | p (Holm) | sets | says |", "|---" * 7 + "|"]
    for each in tested:
        value = each.found.estimate
        p = "—" if each.p is None else f"{each.p:.2g}"
        cells = [named(each.kind), f"{each.kind.per_class:g}", named(each.best), points(value), p, str(value.n)]
        rows.append("| " + " | ".join([*cells, each.word]) + " |")
    rows += ["", "| not tested | a class | against | difference, points |", "|---|---|---|---|"]
    rows += [_beside_four(records, kind, labels) for kind in wanted for labels in ("hard", "soft")]
    rows += ["", "| set | hard labels, % | soft labels, % |", "|---|---|---|"]
    rows += [_reached(records, choice.called, size) for size in sizes for choice in results.study.methods]
    interim = missing.sentence()
    return "\n".join([interim, "", *rows] if interim else rows)


def _beside_four(records: Records, kind: Kind, labels: str) -> str:
    theirs = Kind(IN_FOUR, kind.per_class, labels)
    found = difference(of_kind(records, kind), of_kind(records, theirs))
    return f"| {named(kind)} | {kind.per_class:g} | {named(theirs)} | {points(found.estimate)} |"


def _reached(records: Records, method: str, size: float) -> str:
    known = [percent(score(of_kind(records, Kind(method, size, labels))).estimate) for labels in ("hard", "soft")]
    return f"| {method} | {known[0]} | {known[1]} |"


def main() -> None:
    """Put the section into the page."""
    text = section(StudyResults.load(sys.argv[1] if len(sys.argv) > 1 else HERE / "results" / "replication.parquet"))
    put(PAGE, "replication", text)
    print(text)


if __name__ == "__main__":
    main()
