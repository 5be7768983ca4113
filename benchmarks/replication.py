"""Do m3d and ncfm beat real images at 10 a class? Five new seeds, two hypotheses; a section of docs/results.md.

    python benchmarks/replication.py [benchmarks/results/replication.parquet]

The hypotheses stand in benchmarks/replication.yaml and were committed before the study ran.
"""

import sys
from pathlib import Path

from compared import PAGE, beside, family, left, named, points, put

from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, difference, kinds, of_kind, score
from limbeck.evaluation.cells import Kind
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
HYPOTHESES = ("m3d", "ncfm")  # each with hard labels
IN_FOUR = ("random in four", "kmeans in four")


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
    alike = [Kind(method, size, labels) for size in sizes for method in HYPOTHESES for labels in ("hard", "soft")]
    rows += ["", "| not tested, labelled alike | a class | against | difference, points |", "|---|---|---|---|"]
    rows += [_beside(records, kind, rival) for kind in alike for rival in ("kmeans", *IN_FOUR)]
    rows += ["", "| set | hard labels, % | soft labels, % |", "|---|---|---|"]
    rows += [_reached(records, choice.called, size) for size in sizes for choice in results.study.methods]
    interim = missing.sentence()
    return "\n".join([interim, "", *rows] if interim else rows)


def _beside(records: Records, kind: Kind, rival: str) -> str:
    theirs = Kind(rival, kind.per_class, kind.labels)
    try:
        known = points(difference(of_kind(records, kind), of_kind(records, theirs)).estimate)
    except EvidenceError:
        known = "not judged"
    return f"| {named(kind)} | {kind.per_class:g} | {named(theirs)} | {known} |"


def _reached(records: Records, method: str, size: float) -> str:
    there = kinds(records)
    asked = [Kind(method, size, labels) for labels in ("hard", "soft")]
    known = [percent(score(of_kind(records, kind)).estimate) if kind in there else "—" for kind in asked]
    return f"| {method} | {known[0]} | {known[1]} |"


def main() -> None:
    """Put the section into the page."""
    text = section(StudyResults.load(sys.argv[1] if len(sys.argv) > 1 else HERE / "results" / "replication.parquet"))
    put(PAGE, "replication", text)
    print(text)


if __name__ == "__main__":
    main()
