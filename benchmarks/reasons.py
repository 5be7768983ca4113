"""Why gradient matching falls behind in protocol S: one thing changed at a time; a table of docs/results.md.

    python benchmarks/reasons.py [benchmarks/results/reasons.parquet]

Validation accuracies of benchmarks/reasons.yaml, hard labels. Every row stands beside the same method unchanged, and
beside k-means' images that networks are trained on for as long; both are differences paired by seed.
"""

import sys
from pathlib import Path

from compared import PAGE, left, points, put

from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, difference, kinds, of_kind, score
from limbeck.evaluation.cells import Kind
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
BEST = "kmeans"  # the selection that the others have to beat
LONGER = ", 2,000 updates"  # ends the names of sets that networks are trained on for longer


def unchanged(name: str) -> str:
    """ "dsa, from k-means" is "dsa" with something changed."""
    return name.split(", ")[0]


def rival(name: str) -> str:
    """k-means' images, trained on for as long as the set of this name."""
    return BEST + LONGER if name.endswith(LONGER) else BEST


def beside(records: Records, name: str, other: str, size: float) -> str:
    """Points, paired by seed; a dash for nothing to compare, or for sets that are not trained on alike."""
    if name == other:
        return "—"
    try:
        return points(difference(*(of_kind(records, Kind(each, size, "hard")) for each in (name, other))).estimate)
    except EvidenceError:
        return "—"


def section(results: StudyResults) -> str:
    """Markdown, a row for each thing that was tried."""
    records, sizes = results.records.where(split="validation"), results.study.per_class
    heads = [f"{size} a class: {what}" for size in sizes for what in ("%", "minus itself unchanged", "minus k-means")]
    rows = ["| | " + " | ".join(heads) + " | sets |", "|---" * (len(heads) + 2) + "|"]
    there = kinds(records)
    for name in (choice.called for choice in results.study.methods):
        cells, counts = [], []
        for size in map(float, sizes):
            kind = Kind(name, size, "hard")
            known = score(of_kind(records, kind)).estimate if kind in there else None
            cells += ["—" if known is None else percent(known)]
            cells += [beside(records, name, other, size) for other in (unchanged(name), rival(name))]
            counts.append("0" if known is None else str(known.n))
        rows.append("| " + " | ".join([name, *cells, ", ".join(dict.fromkeys(counts))]) + " |")
    interim = left(results).sentence()
    return "\n".join([interim, "", *rows] if interim else rows)


def main() -> None:
    """Put the table into the page."""
    text = section(StudyResults.load(sys.argv[1] if len(sys.argv) > 1 else HERE / "results" / "reasons.parquet"))
    put(PAGE, "reasons", text)
    print(text)


if __name__ == "__main__":
    main()
