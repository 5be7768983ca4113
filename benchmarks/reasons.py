"""Why gradient matching falls behind in protocol S: one thing changed at a time; a table of docs/results.md.

    python benchmarks/reasons.py [DIRECTORY_OF_EXPORTS]

Validation accuracies of benchmarks/reasons.yaml beside those of protocol S's first sets, hard labels. The validation
splits differ (a tenth and a fiftieth of the training examples), so only large differences mean anything.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from compared import put

from limbeck.evaluation import Records
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "results.md"
USUAL = ("random", "kmeans", "dc", "dcc", "dsa", "dm")  # of protocol S

Cells = dict[tuple[str, int], float]


def cells(records: Records, names: Mapping[str, str], validation: bool) -> Cells:
    """(what it is called, a class) → mean accuracy over the networks of the first set, in percent.

    validation: the rows are of the test split, and their validation accuracies are wanted.
    """
    table: dict[tuple[str, int], list[float]] = {}
    for row in records.where(distillation_seed=0, labels="hard"):
        reached = row.validation if validation else row.accuracy
        if row.method in names:
            table.setdefault((names[row.method], int(row.per_class)), []).append(100 * reached)
    return {key: fmean(values) for key, values in table.items()}


def section(found: Cells) -> str:
    """Markdown, a row for each thing that was tried."""
    sizes = sorted({size for _, size in found})
    rows = ["| | " + " | ".join(f"{size} a class" for size in sizes) + " |", "|---|" + "---|" * len(sizes)]
    for name in sorted({name for name, _ in found}):
        given = [f"{found[name, size]:.1f}" if (name, size) in found else "—" for size in sizes]
        rows.append(f"| {name} | " + " | ".join(given) + " |")
    return "\n".join(rows)


def main() -> None:
    """Print the table and put it into the page."""
    home = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "results"
    tried = StudyResults.load(home / "reasons.parquet").records.where(split="validation")
    usual = StudyResults.load(home / "methods.parquet").records.where(split="test")  # holds validation accuracies too
    found = cells(usual, {name: f"{name}, as in protocol S" for name in USUAL}, validation=True)
    found |= cells(tried, {row.method: row.method for row in tried}, validation=False)
    text = section(found)
    print(text)
    put(PAGE, "reasons", text)


if __name__ == "__main__":
    main()
