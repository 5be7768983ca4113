"""The section of protocol S in docs/results.md, from a study's directory or its export, whole or partial.

python benchmarks/methods_results.py [benchmarks/results/methods.parquet]
"""

import contextlib
import sys
from pathlib import Path
from statistics import fmean, stdev

from compared import Compared, Left, beside, budgets, family, left, named, points, put

from limbeck.distillation.catalogue import SEEN
from limbeck.distillation.methods import METHODS
from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, kinds, of_kind, score
from limbeck.evaluation.cells import FULL, Kind, cells
from limbeck.evaluation.intervals import t_interval
from limbeck.evaluation.table import percent
from limbeck.study.results import StudyResults
from limbeck.study.study import MethodChoice
from limbeck.synthetic.names import parametrisation
from limbeck.synthetic.parametrisation import Parametrisation

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "results.md"
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
    """Methods that store four images in one beside real images that are stored so."""
    rows = ["| method | a class | labels | minus the better of real images stored four in one, points | which |"]
    rows.append("|---" * 5 + "|")
    for method in methods:
        for size in sorted({kind.per_class for kind in kinds(records) if kind.method == method}):
            kind = by_validation(records, method, size)
            known = None if kind is None else beside(records, kind, baselines)
            if kind is not None and known is not None:
                cells = (method, f"{size:g}", kind.labels, points(known.found.estimate), named(known.best))
                rows.append("| " + " | ".join(cells) + " |")
    return rows


def full_data(records: Records) -> list[str]:
    """Accuracy of networks trained on all real examples for as many updates."""
    rows = records.where(method=FULL)
    if not len(rows):
        return ["All real examples, as many updates: not measured yet."]
    return [f"All real examples, as many updates: {percent(score(rows).estimate)} ({len(rows)} networks)."]


def section(results: StudyResults) -> str:
    """Everything between the marks."""
    records, missing = results.records.where(split="test"), left(results)
    parts = [
        [missing.sentence(), _NO_VERDICT if missing.open else ""],
        verdicts(results, records, missing),
        accuracies(results, records),
        equal_storage(records, storing_four(results), in_four(results)),
        budgets(results, distilled(results)),
        full_data(records),
    ]
    return "\n\n".join(text for part in parts if (text := "\n".join(part).strip()))


def beside_float32(records: Records, before: Records) -> str:
    """One row a kind that both hold: accuracy now minus accuracy before, over the sets of the seeds that both have."""
    rows = ["| a class | method | labels | float32 | bfloat16 | difference, points | sets |", "|---" * 7 + "|"]
    gaps: list[float] = []
    shared = [kind for kind in kinds(before) if kind in kinds(records) and not kind.method.startswith(FULL)]
    for kind in shared:
        now, then = (cells(of_kind(each, kind)).by_unit() for each in (records, before))
        both = sorted(now.keys() & then.keys())
        if both:
            gaps += [100 * (now[seed] - then[seed]) for seed in both]
            means = [100 * fmean(found[seed] for seed in both) for found in (then, now)]
            known = [f"{kind.per_class:g}", kind.method, kind.labels, *(f"{mean:.1f}" for mean in means)]
            rows.append("| " + " | ".join([*known, f"{means[1] - means[0]:+.1f}", str(len(both))]) + " |")
    if not gaps:
        return "No set was made both ways yet."
    head = f"Bfloat16 minus float32 over {len(gaps)} sets with one kind of labels, made and judged both ways: "
    head += f"{fmean(gaps):+.2f} points"
    if len(gaps) > 1:
        low, high = t_interval(gaps)
        head += f" [{low:+.2f}, {high:+.2f}], standard deviation {stdev(gaps):.1f}"
    return "\n".join([f"{head}.", "", *rows])


def ranking(results: StudyResults) -> str:
    """Markdown: the sets of a study that has no intervals, the best first, with their iterations and seconds."""
    records = results.records.where(split="test")
    reached = {kind.method: score(of_kind(records, kind)).estimate.value for kind in kinds(records)}
    rows = ["| method | accuracy, % |", "|---|---|"]
    rows += [f"| {name} | {100 * reached[name]:.1f} |" for name in sorted(reached, key=lambda name: -reached[name])]
    return "\n".join([*rows, "", *budgets(results, reached)])


def main() -> None:
    """Put the section between the marks of docs/results.md."""
    results = StudyResults.load(sys.argv[1] if len(sys.argv) > 1 else HERE / "results" / "methods.parquet")
    before = StudyResults.load(HERE / "results" / "methods_float32.parquet")
    tests = (each.records.where(split="test") for each in (results, before))
    fifty = ranking(StudyResults.load(HERE / "results" / "fifty.parquet"))
    for name, text in (
        ("methods", section(results)),
        ("methods-float32", beside_float32(*tests)),
        ("fifty", fifty),
    ):
        put(PAGE, name, text)
        print(text)


if __name__ == "__main__":
    main()
