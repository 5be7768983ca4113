"""The section of protocol S in docs/results.md and its tables in docs/results-tables.md, from a study or its export.

python benchmarks/methods_results.py [benchmarks/results/methods.parquet]
"""

import contextlib
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from compared import PAGE, TABLES, Compared, Left, beside, budgets, family, left, named, points, put

from limbeck.distillation.catalogue import SEEN
from limbeck.distillation.methods import METHODS
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, kinds, of_kind, score
from limbeck.evaluation.cells import FULL, Kind, cells
from limbeck.evaluation.intervals import t_interval
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults
from limbeck.study.runs import DistilRun
from limbeck.study.study import MethodChoice
from limbeck.synthetic.names import parametrisation
from limbeck.synthetic.parametrisation import Parametrisation

HERE = Path(__file__).parent
IN_FOUR = " in four"  # the end of the names of real images that are stored four in one, untouched
LABELS = ("hard", "soft")
_NO_VERDICT = "A method is given a verdict when all of its sets, and all selections, are judged at both sizes."


def in_four(results: StudyResults) -> tuple[str, ...]:
    """The study's names of real images that are stored four in one."""
    return tuple(choice.called for choice in results.study.methods if choice.called.endswith(IN_FOUR))


def distilled(results: StudyResults) -> tuple[str, ...]:
    """The study's names of methods that distil, in its order."""
    apart = in_four(results)
    return tuple(c.called for c in results.study.methods if METHODS[c.name].distils and c.called not in apart)


def storing_four(results: StudyResults) -> tuple[str, ...]:
    """Those of them that store several images in one."""
    return tuple(c.called for c in results.study.methods if c.called in distilled(results) and multiplicity(c) > 1)


def multiplicity(choice: MethodChoice) -> int:
    """Images in a stored one, for images of 28 × 28."""
    text = dict(choice.settings).get("parametrisation")
    made = METHODS[choice.name].build(SEEN)
    how = parametrisation(text) if isinstance(text, str) else getattr(made, "parametrisation", None)
    return how.multiplicity if isinstance(how, Parametrisation) else 1


def by_validation(records: Records, method: str, size: float) -> Kind | None:
    """The method with the labels that are better on validation; None where nothing of it is judged at this size."""
    known: dict[Kind, float] = {}
    for kind in kinds(records):
        if (kind.method, kind.per_class) == (method, size):
            with contextlib.suppress(EvidenceError):  # no set of it has a network that finished
                known[kind] = score(of_kind(records, kind), measure="validation").estimate.value
    return max(known, key=lambda kind: known[kind], default=None)


def compared_at(records: Records, methods: tuple[str, ...], size: float) -> dict[str, Compared]:
    """Each method, with its labels chosen on validation, against the best selection; Holm over methods at this size."""
    mine = [kind for method in methods if (kind := by_validation(records, method, size))]
    known = [each for kind in mine if (each := beside(records, kind))]
    return {each.kind.method: each for each in family(known)}


def verdict(found: list[Compared | None], complete: bool) -> str:
    """Works: clearly better at every size."""
    if not complete or any(each is None for each in found):
        return "open"
    words = [(each.word, f"{each.kind.per_class:g}") for each in found if each is not None]
    if all(word == "better" for word, _ in words):
        return "**works**"
    clear = [f"{word} at {size}" for word, size in words if word != "cannot tell"]
    return "; ".join(clear) or "cannot tell"


def verdicts(results: StudyResults, records: Records, missing: Left) -> list[str]:
    """One row a method: its differences at all sizes, and whether it works."""
    sizes, methods = results.study.per_class, distilled(results)
    chosen = [choice.called for choice in results.study.methods if not METHODS[choice.name].distils]
    at = {size: compared_at(records, methods, size) for size in sizes}
    heads = [f"{size} a class: labels, points against the best selection, p (Holm)" for size in sizes]
    rows = ["| method | says | " + " | ".join(heads) + " |", "|---" * (len(sizes) + 2) + "|"]
    for method in methods:
        found = [at[size].get(method) for size in sizes]
        complete = not missing.open.keys() & {(name, size) for name in (method, *chosen) for size in sizes}
        cells = [method, verdict(found, complete), *(_difference(each) for each in found)]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _difference(each: Compared | None) -> str:
    if each is None:
        return "—"
    p = "" if each.p is None else f"; p = {each.p:.2g}"
    return f"{each.kind.labels}: {points(each.found.estimate)} against {named(each.best)}{p}"


def accuracies(results: StudyResults, records: Records) -> list[str]:
    """One row a method and size: accuracy with either labels, and the difference to selections labelled alike."""
    heads = [text for labels in LABELS for text in (f"{labels} labels", "minus best selection labelled alike")]
    rows = ["| a class | method | " + " | ".join(heads) + " | sets × networks |", "|---" * 7 + "|"]
    apart = distilled(results)
    names = dict.fromkeys(choice.called for choice in results.study.methods)
    for size in results.study.per_class:
        for name in names:
            asked = [Kind(name, float(size), labels) for labels in LABELS]
            cells = [text for kind in asked for text in _accuracy(records, kind, name in apart)]
            if any(cell != "—" for cell in cells):
                rows.append("| " + " | ".join([str(size), name, *cells, _counts(records, name, size)]) + " |")
    return rows


def _accuracy(records: Records, kind: Kind, distils: bool) -> tuple[str, str]:
    try:
        known = percent(score(of_kind(records, kind)).estimate)
    except EvidenceError:
        return "—", "—"
    alike = beside(records.where(labels=kind.labels), kind) if distils else None
    return known, "—" if alike is None else points(alike.found.estimate)


def _counts(records: Records, method: str, size: float) -> str:
    rows = records.where(method=method, per_class=size)
    sets = {row.distillation_seed for row in rows}
    networks = {(row.distillation_seed, row.seed) for row in rows}
    failed = sum(not row.finished for row in rows)
    return f"{len(sets)} × {len(networks) / len(sets):g}" + (f", {failed} failed" if failed else "")


def equal_storage(records: Records, methods: tuple[str, ...], baselines: tuple[str, ...]) -> list[str]:
    """Methods that store four images in one beside real images that are stored so, with either labels."""
    heads = [f"{labels} labels on both sides, points (on validation the better of)" for labels in LABELS]
    rows = ["| method | a class | " + " | ".join(heads) + " |", "|---" * 4 + "|"]
    for method in methods:
        for size in sorted({kind.per_class for kind in kinds(records) if kind.method == method}):
            told = []
            for labels in LABELS:
                alike, kind = records.where(labels=labels), Kind(method, size, labels)
                known = beside(alike, kind, baselines) if kind in kinds(alike) else None
                told.append("—" if known is None else f"{points(known.found.estimate)} ({known.best.method})")
            rows.append("| " + " | ".join([method, f"{size:g}", *told]) + " |")
    return rows


def full_data(records: Records) -> list[str]:
    """Accuracy of networks trained on all real examples for as many updates."""
    rows = records.where(method=FULL)
    if not len(rows):
        return ["All real examples, as many updates: not measured yet."]
    return [f"All real examples, as many updates: {percent(score(rows).estimate)} ({len(rows)} networks)."]


def section(results: StudyResults) -> str:
    """Everything between the marks of the page: verdicts, and what storing four in one gives by itself."""
    records, missing = results.records.where(split="test"), left(results)
    parts = [
        [missing.sentence(), _NO_VERDICT if missing.open else ""],
        verdicts(results, records, missing),
        equal_storage(records, storing_four(results), in_four(results)),
        full_data(records),
    ]
    return "\n\n".join(text for part in parts if (text := "\n".join(part).strip()))


def tables(results: StudyResults) -> str:
    """Everything between the marks of the page of tables: accuracies with either labels, iterations, seconds."""
    records = results.records.where(split="test")
    return "\n\n".join("\n".join(part) for part in (accuracies(results, records), budgets(results, distilled(results))))


@dataclass(frozen=True)
class Remade:
    """A kind of set that two studies hold: accuracies by seed, in percent."""

    kind: Kind
    before: Mapping[int, float]
    now: Mapping[int, float]


def remade(results: StudyResults, before: StudyResults) -> list[Remade]:
    """Every kind of set that both hold by one definition of its method, over the seeds that both have."""
    found, records = [], [each.records.where(split="test") for each in (results, before)]
    now_by, then_by = revisions(results), revisions(before)
    for kind in kinds(records[1]):
        alike = kind in kinds(records[0]) and now_by.get(kind.method) == then_by.get(kind.method)
        if alike and not kind.method.startswith(FULL):
            now, then = (cells(of_kind(each, kind)).by_unit() for each in records)
            both = sorted(now.keys() & then.keys())
            if both:
                sides = ({seed: 100 * side[seed] for seed in both} for side in (then, now))
                found.append(Remade(kind, *sides))
    return found


def revisions(results: StudyResults) -> dict[str, set[int]]:
    """Of the definition of each method that sets were made by, by what the study calls it."""
    found: dict[str, set[int]] = {}
    for entry in results.entries:
        if isinstance(entry.run, DistilRun):
            found.setdefault(entry.run.label or entry.run.method, set()).add(entry.run.revision)
    return found


def bfloat16(found: Sequence[Remade], methods: Collection[str], what: str = "Bfloat16 minus float32") -> str:
    """Accuracy now minus before, over the sets of methods that distil; hard and soft labels of a set are averaged.

    what: how the two makings differ, now minus before.
    """
    gaps: dict[tuple[str, float, int], list[float]] = {}
    for one in found:
        if one.kind.method in methods:
            for seed, value in one.now.items():
                gaps.setdefault((one.kind.method, one.kind.per_class, seed), []).append(value - one.before[seed])
    if not gaps:
        return "No set was distilled both ways yet."
    means = [fmean(each) for each in gaps.values()]
    head = f"{what} over the {len(means)} sets that were distilled and judged both ways: "
    head += f"{fmean(means):+.2f} points"
    if len(means) > 1:
        low, high = t_interval(means)
        head += f" [{low:+.2f}, {high:+.2f}], standard deviation {stdev(means):.1f}"
    return f"{head}."


def beside_float32(found: Sequence[Remade], heads: tuple[str, str] = ("float32", "bfloat16")) -> str:
    """One row a kind: accuracy before, now, and the difference. heads: what the two are called."""
    rows = [f"| a class | method | labels | {' | '.join(heads)} | difference, points | sets |", "|---" * 7 + "|"]
    for one in found:
        then, now = fmean(one.before.values()), fmean(one.now.values())
        known = [f"{one.kind.per_class:g}", one.kind.method, one.kind.labels, f"{then:.1f}", f"{now:.1f}"]
        rows.append("| " + " | ".join([*known, f"{now - then:+.1f}", str(len(one.now))]) + " |")
    return "\n".join(rows)


def elsewhere(found: Sequence[Remade], results: StudyResults) -> str:
    """The second machine minus the first: all methods, then those that match gradients and the others apart."""
    made = {choice.called: METHODS[choice.name].build(SEEN) for choice in results.study.methods}
    whole = set(distilled(results))
    along = {n for n in whole if isinstance(m := made[n], MatchingDistiller) and m.surrogate.needs.gradients}
    groups = {"all methods": whole, "those that match gradients": along, "the others": whole - along}
    what = "second machine minus the first"
    return "\n".join(f"* {bfloat16(found, group, f'{name.capitalize()}, {what},')}" for name, group in groups.items())


def ranking(results: StudyResults) -> str:
    """Markdown: the sets of a study that has no intervals, the best first."""
    records = results.records.where(split="test")
    reached = {kind.method: score(of_kind(records, kind)).estimate.value for kind in kinds(records)}
    rows = ["| method | accuracy, % |", "|---|---|"]
    return "\n".join(
        rows + [f"| {name} | {100 * reached[name]:.1f} |" for name in sorted(reached, key=lambda n: -reached[n])]
    )


def main() -> None:
    """Put the sections between the marks of docs/results.md and docs/results-tables.md."""
    results = StudyResults.load(sys.argv[1] if len(sys.argv) > 1 else HERE / "results" / "methods.parquet")
    before = StudyResults.load(HERE / "results" / "methods_float32.parquet")
    fifty = StudyResults.load(HERE / "results" / "fifty.parquet")
    again = remade(StudyResults.load(HERE / "results" / "methods_again.parquet"), results)
    both = remade(results, before)
    methods = {choice.called for choice in fifty.study.methods}
    for page, name, text in (
        (PAGE, "methods", section(results)),
        (TABLES, "methods", tables(results)),
        (PAGE, "methods-float32", bfloat16(both, distilled(results))),
        (TABLES, "methods-float32", beside_float32(both)),
        (PAGE, "methods-again", elsewhere(again, results)),
        (TABLES, "methods-again", beside_float32(again, ("first machine", "second machine"))),
        (PAGE, "fifty", ranking(fifty)),
        (TABLES, "fifty", "\n".join(budgets(fifty, methods))),
    ):
        put(page, name, text)
        print(text)


if __name__ == "__main__":
    main()
