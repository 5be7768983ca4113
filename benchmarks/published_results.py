"""The published number beside ours, and CIFAR-10 on the CPU: two tables of docs/results.md.

    python benchmarks/published_results.py [--published DIRECTORY] [--cifar FILE] [--page docs/results.md]

Reads the exports that benchmarks/published.py keeps (or its directories of runs), and that of
benchmarks/cifar_cpu.yaml, as far as they are there.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from compared import PAGE, against_best, budgets, left, named, points, put, seconds
from published import DEPARTURES, ITERATIONS, RECIPES, SEEDS, SIZES, Stage, stages

from limbeck.errors import EvidenceError
from limbeck.evaluation import kinds, of_kind, score
from limbeck.evaluation.cells import FULL
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
CLOSE = 0.01  # a difference to the published mean that asks for no reason

TABLE = "Wang et al. 2025 (NCFM), table 1"
NO_PSI = "Wang et al. 2025 (NCFM), table 5, sampled frequencies"
# (data, method) → published accuracy in percent at 1, 10 and 50 a class, and where it stands; None: not found
PUBLISHED: Mapping[tuple[str, str], tuple[tuple[float, str] | None, ...]] = {
    ("cifar10", "dm"): ((26.0, TABLE), (48.9, TABLE), (63.0, TABLE)),
    ("cifar10", "ncfm"): ((49.5, f"{TABLE}, learned frequencies"), (65.6, NO_PSI), (74.2, NO_PSI)),
    ("cifar10", "dsa"): ((28.8, TABLE), (52.1, TABLE), (60.6, TABLE)),
    ("cifar10", "idc"): tuple((value, "README of Kim et al. 2022") for value in (50.6, 67.5, 74.5)),
    ("cifar10", "datadam"): tuple((value, "a later paper's table") for value in (32.0, 54.2, 67.0)),
    ("fashionmnist", "dsa"): tuple((value, "README of Zhao & Bilen 2021") for value in (70.6, 84.6, 88.7)),
    ("fashionmnist", "idc"): tuple((value, "README of Kim et al. 2022") for value in (81.0, 86.0, 86.2)),
}


def published(stage: Stage) -> tuple[float, str] | None:
    """The published accuracy (a fraction) and its source."""
    known = PUBLISHED.get((stage.data, stage.method), (None,) * len(SIZES))[SIZES.index(stage.per_class)]
    return None if known is None else (known[0] / 100, known[1])


def found(folder: Path) -> list[tuple[Stage, StudyResults]]:
    """Every stage of the folder of exports, or of runs, in the order of the protocol; all shares."""
    names = {path.stem if path.suffix == ".parquet" else path.name: path for path in folder.glob("*-*")}
    shares = {float(name.partition("-share")[2]) for name in names if "-share" in name} | {1.0}
    known = [stage for share in sorted(shares, reverse=True) for stage in stages(share)]
    return [(stage, StudyResults.load(names[stage.name])) for stage in known if stage.name in names]


def row(stage: Stage, results: StudyResults) -> str | None:
    """One line of the table; None where no set has been judged."""
    records = results.records.where(split="test")
    ours = [kind for kind in kinds(records) if not kind.method.startswith(FULL)]
    if not ours:
        return None
    reached = score(of_kind(records, ours[0]))
    known, estimate = published(stage), reached.estimate
    gap, told, source = None, "not found", "—"
    if known is not None:
        gap, told, source = estimate.value - known[0], f"{100 * known[0]:.1f}", known[1]
    away = "—" if gap is None else f"{100 * gap:+.1f}{'' if abs(gap) <= CLOSE else ' *'}"
    spent = fmean(seconds(results)[stage.method, stage.per_class])
    length = f"{stage.iterations:,} of {ITERATIONS[stage.method](stage.per_class):,}"
    sets = str(estimate.n) if estimate.n == SEEDS else f"{estimate.n} of {SEEDS}"
    cells = [stage.data, stage.method, str(stage.per_class), length, percent(estimate)]
    cells += [f"{sets} × {reached.networks / estimate.n:g}", told, away, source, f"{spent:.0f}"]
    return "| " + " | ".join(cells) + " |"


def beside_published(folder: Path) -> str:
    """The section of protocol P. Raises EvidenceError where there is nothing to show."""
    told = [(stage, line) for stage, results in found(folder) if (line := row(stage, results)) is not None]
    if not told:
        raise EvidenceError(f"there is no judged set in '{folder}': run benchmarks/published.py first.")
    names = ["data", "method", "a class", "iterations", "ours, %", "sets × networks"]
    names += ["published, %", "difference, points", "source", "seconds a set"]
    kept = {stage.method for stage, _ in told}
    reasons = [f"* {method}: {DEPARTURES[method]}." for method in RECIPES if method in kept]
    note = "A star: more than one point from the published mean. Where the recipes depart from the published ones:"
    head = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    return "\n".join([*head, *(line for _, line in told), "", note, "", *reasons])


def on_the_cpu(results: StudyResults) -> str:
    """The section of CIFAR-10 on the CPU: methods against the best selection, scores, budgets."""
    records = results.records.where(split="test")
    methods = [choice.called for choice in results.study.methods]
    rows = [left(results).sentence(), ""]
    rows.append("| method | a class | best selection (on validation) | difference on test, points | p (Holm) | says |")
    rows.append("|---" * 6 + "|")
    for each in against_best(records):
        p = "—" if each.p is None else f"{each.p:.3g}"
        cells = (
            each.kind.method,
            f"{each.kind.per_class:g}",
            named(each.best),
            points(each.found.estimate),
            p,
            each.word,
        )
        rows.append("| " + " | ".join(cells) + " |")
    rows += ["", "| method | a class | accuracy, % | sets × networks |", "|---|---|---|---|"]
    for kind in sorted(
        kinds(records), key=lambda k: (k.per_class, methods.index(k.method) if k.method in methods else 99)
    ):
        reached = score(of_kind(records, kind))
        size = "all" if kind.method.startswith(FULL) else f"{kind.per_class:g}"
        count = f"{reached.estimate.n} × {reached.networks / reached.estimate.n:g}"
        rows.append(f"| {kind.method} | {size} | {percent(reached.estimate)} | {count} |")
    return "\n".join([*rows, "", *budgets(results, ("dm", "dsa"))]).strip()


def main(words: Sequence[str] | None = None) -> None:
    """Put the tables between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--published", type=Path, default=HERE / "results" / "published")
    parser.add_argument("--cifar", type=Path, default=HERE / "results" / "cifar_cpu.parquet")
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(words)
    if given.published.is_dir():
        told = beside_published(given.published)
        put(given.page, "published", told)
        print(told)
    if given.cifar.exists():
        told = on_the_cpu(StudyResults.load(given.cifar))
        put(given.page, "cifar_cpu", told)
        print(told)


if __name__ == "__main__":
    main()
