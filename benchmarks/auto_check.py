"""What ``--method auto`` chooses on MNIST, beside the best method that was measured there.

    LIMBECK_DATA=… python benchmarks/auto_check.py [benchmarks/results/auto_mnist.parquet]

Puts the answer into docs/results.md. auto is asked with the median seconds that the study's distillations took at
each size. It is within its interval of the best where the interval of the paired difference (best on test minus
chosen) holds zero. Fails where it is not. Whether the interval of its own accuracy reaches the best stands beside it.
Labels that auto tries are tried here set by set, as ``limbeck distill`` does: by mean validation accuracy of as many of
the study's networks.
"""

import dataclasses
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from compared import PAGE, named, points, put, seconds

from limbeck.distillation.advice import Advice, advised
from limbeck.distillation.methods import METHODS
from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, difference, kinds, of_kind, score
from limbeck.evaluation.cells import Kind
from limbeck.evaluation.intervals import Estimate
from limbeck.evaluation.scores import Difference
from limbeck.evaluation.table import percent
from limbeck.study.perform import opened
from limbeck.study.results import StudyResults
from limbeck.synthetic.labels import TriedLabels

HERE = Path(__file__).parent
TRIED = " with labels tried"  # the end of the names of sets whose labels were chosen one by one


@dataclass(frozen=True)
class Checked:
    """The choice at one size beside the best on test; ``short`` is best minus chosen, None where they are one."""

    chosen: Kind
    best: Kind
    short: Difference | None
    mine: Estimate  # accuracy of the choice
    top: Estimate  # accuracy of the best

    @property
    def within(self) -> bool:
        """True where the choice is the best, or their difference may be zero."""
        return self.short is None or not self.short.estimate.clear


def kind_of(advice: Advice, size: float) -> Kind:
    """The kind of set that an advice makes; sets whose labels are tried are rows of their own (:func:`tried`)."""
    if advice.settings.get("labels") == "tried":
        return Kind(advice.method + TRIED, size, "soft")
    soft = advice.settings.get("labels") == "teacher" or bool(advice.settings.get("soft"))
    return Kind(advice.method, size, "soft" if soft else "hard")


def tried(records: Records, method: str, size: float) -> Records:
    """The rows of each set of ``method`` with the labels that were better on validation.

    Better by the mean over the networks that TriedLabels trains; equal ones are hard.
    """
    networks, kept = TriedLabels().networks, []
    mine = [row for row in records.rows if (row.method, row.per_class) == (method, size)]
    for seed in sorted({row.distillation_seed for row in mine}):
        of_set = {
            labels: [row for row in mine if (row.distillation_seed, row.labels) == (seed, labels)]
            for labels in ("hard", "soft")
        }
        marks = {
            labels: statistics.fmean(row.validation for row in sorted(rows, key=lambda row: row.seed)[:networks])
            for labels, rows in of_set.items()
            if rows
        }
        kept += [
            dataclasses.replace(row, method=method + TRIED, labels="soft")
            for row in of_set[max(marks, key=lambda each: marks[each])]
        ]
    return Records.of(kept)


def checked(records: Records, choice: Kind) -> Checked:
    """``choice`` beside the best on test of its size. Raises EvidenceError where the choice was not measured."""
    if choice.method.endswith(TRIED):
        own = tried(records, choice.method.removesuffix(TRIED), choice.per_class)
        records = Records.of([*records.rows, *own.rows])
    known = [kind for kind in kinds(records) if kind.per_class == choice.per_class and kind.method in METHODS]
    known += [choice] if choice.method.endswith(TRIED) and choice in kinds(records) else []
    if choice not in known:
        raise EvidenceError(f"auto chose {choice}, which the study did not measure: add it to the study.")
    best = max(
        (kind for kind in known if kind.method in METHODS),
        key=lambda kind: score(of_kind(records, kind)).estimate.value,
    )
    mine, top = of_kind(records, choice), of_kind(records, best)
    short = None if best == choice else difference(top, mine)
    return Checked(choice, best, short, score(mine).estimate, score(top).estimate)


def told(found: Checked) -> str:
    """One row of the table."""
    mine, top = found.mine, found.top
    reaches = (mine.value if mine.high is None else mine.high) >= top.value
    short = "the same" if found.short is None else points(found.short.estimate)
    name = found.chosen.method if found.chosen.method.endswith(TRIED) else named(found.chosen)
    cells = [f"{found.chosen.per_class:g}", name, percent(mine), named(found.best), percent(top), short]
    return "| " + " | ".join([*cells, *("yes" if known else "no" for known in (found.within, reaches))]) + " |"


def main() -> None:
    """Put sentences and a table on the page; exit status 1 where auto was not within its interval of the best."""
    results = StudyResults.load(sys.argv[1] if len(sys.argv) > 1 else HERE / "results" / "auto_mnist.parquet")
    records, task = results.records.where(split="test"), opened(results.study.source)
    rows = [
        "| a class | auto chose | accuracy | best on test | accuracy | best minus chosen, points "
        "| within: the difference may be zero | its own interval reaches the best |"
    ]
    rows.append("|---" * 8 + "|")
    verdicts, said = [], []
    for size in results.study.per_class:
        budget = statistics.median(s for (_, k), spent in distillations(results).items() if k == size for s in spent)
        advice = advised(task, size, budget)
        said.append(f"* At {size} a class, {budget:.0f} s: {advice.sentence}")
        found = checked(records, kind_of(advice, float(size)))
        verdicts.append(found.within)
        rows.append(told(found))
    text = "\n".join([*said, "", *rows])
    put(PAGE, "auto", text)
    print(text)
    sys.exit(0 if all(verdicts) else 1)


def distillations(results: StudyResults) -> dict[tuple[str, int], list[float]]:
    """Seconds of the sets that were distilled, not chosen."""
    return {key: spent for key, spent in seconds(results).items() if METHODS[key[0]].distils}


if __name__ == "__main__":
    main()
