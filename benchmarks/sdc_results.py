"""Sets with a difficulty term beside the same sets without one: sections of docs/results.md and docs/results-tables.md.

    python benchmarks/sdc_results.py [DIRECTORY_OF_EXPORTS]

Reads methods, sdc_fashion, sdc_mnist, sdc_cifar and sdc_grid from benchmarks/results, as far as they are there, whole
or partial.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

from compared import PAGE, TABLES, left, points, put, seconds

from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, difference, holm, of_kind, score
from limbeck.evaluation.cells import Kind
from limbeck.evaluation.scores import Difference
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults
from limbeck.study.study import MethodChoice, Study

HERE = Path(__file__).parent
STUDIES = {"sdc_fashion": "methods", "sdc_mnist": "sdc_mnist", "sdc_cifar": "sdc_cifar"}  # where sets without it are
GRID = "sdc_grid"
READINGS = {"sdc": "the batch's gradient", "gradn": "each example's gradient"}


@dataclass(frozen=True)
class Pair:
    """One method at one size with a difficulty term and without, as their studies call them."""

    corrected: str
    plain: str
    reading: str
    weight: float
    per_class: int


@dataclass(frozen=True)
class Measured:
    """What a pair came to; p is Holm's over the pairs of its study, None where n = 1."""

    pair: Pair
    found: Difference
    without: str
    with_it: str
    seconds: tuple[float, float]
    p: float | None = None


def pairs(corrected: Study, plain: Study) -> list[Pair]:
    """Every method with a difficulty term and its like without one. Raises EvidenceError where there is none."""
    found = []
    for choice in corrected.methods:
        if "difficulty" in dict(choice.settings):
            like = partner(choice, plain)
            reading, _, weight = str(dict(choice.settings)["difficulty"]).partition("=")
            for size in choice.per_class or corrected.per_class:
                found.append(Pair(choice.called, like.called, reading, float(weight), size))
    return found


def partner(choice: MethodChoice, study: Study) -> MethodChoice:
    """The method of ``study`` that differs from ``choice`` in the difficulty term alone."""
    wanted = _bare(choice)
    for each in study.methods:
        if each.name == choice.name and "difficulty" not in dict(each.settings) and _bare(each) == wanted:
            return each
    raise EvidenceError(f"'{study.name}' has no {choice.name} set like '{choice.called}' but for its difficulty term.")


def _bare(choice: MethodChoice) -> dict[str, Any]:
    return {key: item for key, item in choice.settings if key != "difficulty"}


def measured(corrected: StudyResults, plain: StudyResults, split: str = "test") -> list[Measured]:
    """The pairs that have sets on both sides; the others are said on standard error.

    Raises EvidenceError where one side had other iterations than the other.
    """
    found = []
    for pair in pairs(corrected.study, plain.study):
        ours = Kind(pair.corrected, float(pair.per_class), "hard")
        theirs = Kind(pair.plain, float(pair.per_class), "hard")
        sides = ((corrected, pair.corrected), (plain, pair.plain))
        lengths = {results.iterations().get((name, pair.per_class)) for results, name in sides}
        if len(lengths - {None}) > 1:
            raise EvidenceError(f"{ours} had other iterations than {theirs}: they are no pair.")
        try:
            found.append(_measured(pair, (ours, corrected, split), (theirs, plain, split)))
        except EvidenceError as error:
            print(error, file=sys.stderr)
    adjusted = iter(holm([each.found.estimate.p for each in found if each.found.estimate.p is not None]))
    return [replace(each, p=None if each.found.estimate.p is None else next(adjusted)) for each in found]


Side = tuple[Kind, StudyResults, str]


def _measured(pair: Pair, ours: Side, theirs: Side) -> Measured:
    mine, other = (of_kind(results.records.where(split=split), kind) for kind, results, split in (ours, theirs))
    spent = tuple(median(seconds(results)[kind.method, pair.per_class]) for kind, results, _ in (theirs, ours))
    return Measured(pair, difference(mine, other), _shown(other), _shown(mine), (spent[0], spent[1]))


def _shown(records: Records) -> str:
    return percent(score(records).estimate)


def table(name: str, found: Iterable[Measured]) -> list[str]:
    """One row a pair."""
    rows = []
    for each in found:
        known, pair = each.found.estimate, each.pair
        cells = [name, pair.plain, f"{pair.per_class}", READINGS.get(pair.reading, pair.reading), f"{pair.weight:g}"]
        cells += [each.without, each.with_it, points(known), "—" if each.p is None else f"{each.p:.2g}", f"{known.n}"]
        cells.append(f"{each.seconds[0]:.0f} → {each.seconds[1]:.0f}")
        rows.append("| " + " | ".join(cells) + " |")
    return rows


HEAD = "| data | method | a class | norm of | λ | without | with | difference, points | p (Holm) | n | seconds a set |"


def chosen(found: Iterable[Measured]) -> dict[tuple[str, str], tuple[float, float]]:
    """(method, reading) → the λ with the best mean difference over sizes, and that difference."""
    by: dict[tuple[str, str], dict[float, list[float]]] = {}
    for each in found:
        weights = by.setdefault((each.pair.plain, each.pair.reading), {})
        weights.setdefault(each.pair.weight, []).append(each.found.estimate.value)
    return {key: max(((w, fmean(v)) for w, v in known.items()), key=lambda item: item[1]) for key, known in by.items()}


def best(found: Iterable[Measured]) -> list[str]:
    """The λ that was chosen from the grid."""
    said = [
        f"* {method}, {READINGS.get(reading, reading)}: λ = {weight:g} ({100 * gain:+.1f} points on validation)."
        for (method, reading), (weight, gain) in chosen(found).items()
    ]
    return ["λ with the best mean over sizes on validation:", "", *said]


def grid(found: Iterable[Measured]) -> str:
    """Every λ of the grid."""
    return "\n".join([HEAD, "|---" * 11 + "|", *table("fashion, validation", found)])


def load(folder: Path) -> dict[str, StudyResults]:
    """The studies that are there."""
    names = dict.fromkeys([*STUDIES, *STUDIES.values(), GRID])
    return {name: StudyResults.load(path) for name in names if (path := folder / f"{name}.parquet").exists()}


def section(known: dict[str, StudyResults]) -> str:
    """Everything between the marks."""
    rows = [HEAD, "|---" * 11 + "|"]
    said = [f"* {name}: {text}" for name, results in known.items() if (text := left(results).sentence())]
    absent = []
    for name, base in STUDIES.items():
        if name in known and base in known:
            rows += table(name.removeprefix("sdc_"), measured(known[name], known[base]))
        else:
            absent.append(name)
    if absent:
        said.append(f"* **Not run yet: {', '.join(absent)}.**")
    parts = [part for part, there in ((said, said), (rows, len(rows) > 2)) if there]
    if GRID in known:
        parts.append(best(measured(known[GRID], known[GRID], "validation")))
    return "\n\n".join("\n".join(part) for part in parts)


def main() -> None:
    """Put the sections between the marks."""
    known = load(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "results")
    text = section(known)
    put(PAGE, "sdc", text)
    print(text)
    if GRID in known:
        put(TABLES, "sdc-grid", grid(measured(known[GRID], known[GRID], "validation")))


if __name__ == "__main__":
    main()
