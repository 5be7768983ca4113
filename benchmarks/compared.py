"""What the readers of studies share: methods against the best selection of real examples, in points, with Holm's p."""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from limbeck.distillation.methods import METHODS
from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, best_baseline, difference, holm, kinds, of_kind
from limbeck.evaluation.cells import Kind
from limbeck.evaluation.intervals import Estimate
from limbeck.evaluation.scores import Difference
from limbeck.study.results import StudyResults
from limbeck.study.runs import DistilRun, EvaluateRun

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
TABLES = PAGE.with_name("results-tables.md")  # long tables, each named in PAGE
ALPHA = 0.05
FEW = 10  # open kinds of sets that are named


@dataclass(frozen=True)
class Compared:
    """A kind of set beside the best baseline of its size; p is Holm's over the family, None where n = 1."""

    kind: Kind
    best: Kind
    found: Difference
    p: float | None = None

    @property
    def word(self) -> str:
        """One of better, worse, and cannot tell."""
        if self.p is None or self.p >= ALPHA:
            return "cannot tell"
        return "better" if self.found.estimate.value > 0 else "worse"


def distils(kind: Kind) -> bool:
    """True for a named method that is no selection."""
    return kind.method in METHODS and METHODS[kind.method].distils


def against_best(
    records: Records, wanted: Callable[[Kind], bool] = distils, *, baselines: Collection[str] | None = None
) -> list[Compared]:
    """Each kind that is wanted against the baseline of its size that is best on validation; one family for Holm.

    Kinds that nothing can be compared with are said on standard error.
    """
    return family(known for kind in kinds(records) if wanted(kind) and (known := beside(records, kind, baselines)))


def beside(records: Records, kind: Kind, baselines: Collection[str] | None = None) -> Compared | None:
    """One kind against the baseline that is best on validation, without a p-value; None where there is none."""
    try:
        best = best_baseline(records, kind, baselines=baselines)
        return Compared(kind, best, difference(of_kind(records, kind), of_kind(records, best)))
    except EvidenceError as error:
        print(error, file=sys.stderr)
        return None


def family(compared: Iterable[Compared]) -> list[Compared]:
    """The same with Holm's p-values over all that have one."""
    found = list(compared)
    adjusted = iter(holm([each.found.estimate.p for each in found if each.found.estimate.p is not None]))
    return [replace(each, p=None if each.found.estimate.p is None else next(adjusted)) for each in found]


def named(kind: Kind) -> str:
    """A kind without its size."""
    return f"{kind.method}, {kind.labels} labels"


def points(known: Estimate) -> str:
    """+3.1 [+2.0, +4.2] in percentage points."""
    if known.low is None or known.high is None:
        return f"{100 * known.value:+.1f} (one seed)"
    return f"{100 * known.value:+.1f} [{100 * known.low:+.1f}, {100 * known.high:+.1f}]"


def seconds(results: StudyResults) -> dict[tuple[str, int], list[float]]:
    """Seconds of every finished distillation, by the method as the study calls it and the size."""
    spent: dict[tuple[str, int], list[float]] = {}
    for entry in results.entries:
        run = entry.run if entry.kind == "DistilRun" and entry.state == "done" else None
        if isinstance(run, DistilRun):
            spent.setdefault((run.label or run.method, run.per_class), []).append(entry.seconds)
    return spent


def budgets(results: StudyResults, methods: Collection[str]) -> list[str]:
    """Iterations and mean seconds of each distillation on the machine that ran them."""
    rows = ["| method | a class | iterations | seconds a set, one thread (n) |", "|---|---|---|---|"]
    for (method, size), spent in sorted(seconds(results).items()):
        if method in methods:
            iterations = results.iterations().get((method, size), 0)
            rows.append(f"| {method} | {size} | {iterations} | {fmean(spent):.0f} ({len(spent)}) |")
    return rows


@dataclass(frozen=True)
class Left:
    """What a study has still to judge: (method, size) → runs that are open; ``total`` runs in all."""

    open: Counter[tuple[str, int]]
    total: int

    def sentence(self) -> str:
        """For the page; "" where the study is complete."""
        if not self.open:
            return ""
        done = self.total - sum(self.open.values())
        names = [f"{method} at {size} ({count})" for (method, size), count in sorted(self.open.items())]
        which = f"; open are {', '.join(names)}" if len(names) <= FEW else ""
        return f"**Interim: {done} of {self.total} judgements are done**{which}. Intervals and p will change."


def left(results: StudyResults) -> Left:
    """The judgements that the study asks for and that are not done."""
    asked = {run.name: run for run in results.study.runs((None,)) if isinstance(run, EvaluateRun)}
    done = {entry.name for entry in results.entries if entry.state == "done"}
    missing = [run.distil for name, run in asked.items() if name not in done]
    return Left(Counter((run.label or run.method, run.per_class) for run in missing), len(asked))


def put(page: Path, name: str, text: str) -> None:
    """``text`` between the marks ``<!-- name: begin -->`` and ``<!-- name: end -->`` of a page that has them."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    whole = page.read_text(encoding="utf-8")
    head, tail = whole.split(begin)[0], whole.split(end)[1]
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
