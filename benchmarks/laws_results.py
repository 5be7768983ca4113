"""The tables and figures of docs/laws.md from the exports of the scaling studies.

python benchmarks/laws_results.py [benchmarks/results/scaling_fashion.parquet …]
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from compared import ALPHA, left, put
from laws_checks import Found, adjusted, half_p, paired, points, predictions_kept, sensitivity
from svg import Curve, Scale, chart

from limbeck.errors import EvidenceError
from limbeck.evaluation.cells import FULL
from limbeck.evaluation.intervals import estimate
from limbeck.laws import ScalingLaw
from limbeck.laws.plan import Plan
from limbeck.laws.pooled import pooled
from limbeck.laws.spending import spending
from limbeck.laws.twice import doubled_for, doubled_names
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "laws.md"
TARGETS = (0.2, 0.1, 0.05, 0.02)
PLANS = """Examples a class with which a *new* run stays within so many points of full data with 95 % certainty, and the
distilling that they cost on one core (`limbeck plan EXPORT --gap 0.05`). † extrapolated; ‡ a demonstration;
"not shown": the evidence does not carry such a promise."""
STUDIES = ("scaling_fashion", "scaling_mnist", "scaling_mlp")


def laws(name: str, results: StudyResults) -> list[Found]:
    """A law for every method that has the sizes for one; the others are said on standard error."""
    records = results.records.where(split="test")
    known = [choice.called for choice in results.study.methods]
    found = []
    apart = doubled_names(known).values()
    for method in dict.fromkeys(m for m in known if m not in apart):
        try:
            law = ScalingLaw.fit(records, method=method, doubled=doubled_for(records, method))
        except EvidenceError as error:
            print(f"{name}, {method}: {error}", file=sys.stderr)
            continue
        found.append(Found(name, method, law, half_p(law)))
    return found


def verdicts(found: list[Found]) -> list[str]:
    """One row a law."""
    rows = [
        "| study | method | sizes × seeds | c, points | b | floor e, points | p of b = 1/2 (Holm) | verdict |",
        "|---|---|---|---|---|---|---|---|",
    ]
    corrected = adjusted(found)
    for each in found:
        noise, law = each.law.ground.noise, each.law
        p = corrected.get((each.study, each.method), 1.0)
        counts = f"{len(noise.sizes)} × {noise.counts.min():g}–{noise.counts.max():g}"
        cells = (
            each.study,
            each.method,
            counts,
            points(law.c),
            str(law.b),
            points(law.e),
            f"{p:.3g}",
            _word(law.rate.word, p),
        )
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _word(word: str, p: float) -> str:
    """The verdict on b = 1/2, and whether it survives the correction over all curves."""
    return f"{word}, not after Holm" if word in ("faster", "slower") and p >= ALPHA else word


def predictions(found: list[Found]) -> list[str]:
    """Held-out sizes: what each form said from the smaller ones, and what was then measured."""
    rows = [
        "| study | method | form | a class: predicted gap → measured, points | inside | score |",
        "|---|---|---|---|---|---|",
    ]
    for each in found:
        for form in each.law.forms:
            if form.held is None:
                continue
            told = zip(form.held.sizes, form.held.predicted, form.held.observed, strict=True)
            said = "; ".join(f"{k:g}: {points(p)} → {100 * o:.1f}" for k, p, o in told)
            inside = f"{form.held.inside} of {len(form.held.sizes)}"
            rows.append(f"| {each.study} | {each.method} | {form.name} | {said} | {inside} | {form.held.score:.1f} |")
    return rows


def gaps(found: list[Found]) -> list[str]:
    """Measured gaps by size."""
    sizes = sorted({float(k) for each in found for k in each.law.ground.noise.sizes})
    rows = ["| study | method | " + " | ".join(f"{k:g}" for k in sizes) + " |", "|---" * (len(sizes) + 2) + "|"]
    for each in found:
        noise = each.law.ground.noise
        error = np.sqrt(np.diag(noise.covariance()))
        known = {
            float(k): f"{100 * g:.1f} ± {100 * s:.1f}" for k, g, s in zip(noise.sizes, noise.mean, error, strict=True)
        }
        rows.append(f"| {each.study} | {each.method} | " + " | ".join(known.get(k, "—") for k in sizes) + " |")
    return rows


def plans(found: list[Found], loaded: Mapping[str, StudyResults]) -> list[str]:
    """Examples a class that keep a new run within a gap, and what distilling so many costs."""
    rows = [
        f"| study | method | {' | '.join(f'{100 * gap:g} points' for gap in TARGETS)} |",
        f"|---|---|{'---|' * len(TARGETS)}",
    ]
    for each in found:
        spent = spending(loaded[each.study], each.law.ground.table)
        answers = [each.law.samples_for(gap=gap, certainty=0.95).with_costs(spent) for gap in TARGETS]
        rows.append(f"| {each.study} | {each.method} | " + " | ".join(map(_cell, answers)) + " |")
    return rows


def _cell(plan: Plan) -> str:
    if plan.per_class is None:
        return "not shown"
    cost = "" if not plan.seconds else f" ({plan.seconds:.0f} s)"
    return f"{plan.per_class}{'†' if plan.extrapolated else ''}{'‡' if plan.trust.thin else ''}{cost}"


def words(found: list[Found]) -> list[str]:
    """All sentences of every law."""
    said = ["<details><summary>Every sentence that <code>limbeck law scaling</code> says of these curves</summary>", ""]
    said += [f"* **{each.study}, {each.method}.** " + " ".join(each.law.sentences()) for each in found]
    return [*said, "", "</details>"]


def together(found: list[Found]) -> list[str]:
    """All curves in one hierarchy: is there one rate?"""
    if len(found) < 2:
        return []
    names = [f"{each.study}, {each.method}" for each in found]
    try:
        pool = pooled([each.law for each in found], names=names)
    except EvidenceError as error:
        return [str(error)]
    return [f"* {sentence}" for sentence in pool.sentences()]


def references(name: str, results: StudyResults) -> str:
    """Accuracy of full data by as many updates."""
    full = results.records.where(method=FULL, split="test")
    known = estimate([row.accuracy for row in full if row.finished], unit="training seed")
    interval = "" if known.low is None or known.high is None else f" [{100 * known.low:.1f}, {100 * known.high:.1f}]"
    return f"* {name}: {100 * known.value:.1f} %{interval}, n = {known.n}"


def figure(name: str, found: list[Found]) -> str:
    """Gap against size, both logarithmic, with the fits of the free exponent."""
    curves = []
    for colour, each in enumerate(found):
        noise = each.law.ground.noise
        sizes = [float(k) for k in noise.sizes]
        error = [1.96 * float(s) for s in np.sqrt(np.diag(noise.covariance()))]
        curves.append(Curve(each.method, sizes, [float(g) for g in noise.mean], error, joined=False, colour=colour))
        grid = [float(k) for k in np.geomspace(sizes[0], sizes[-1], 40)]
        fitted = [float(each.law.free.gap(k)) for k in grid]
        curves.append(Curve(f"{each.method}, fit", grid, fitted, dashed=True, colour=colour))
    x = Scale("synthetic or chosen examples a class", (1, 2, 5, 10, 20, 50, 100, 200), logarithmic=True)
    y = Scale(
        "gap in test accuracy (fraction)", (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5), logarithmic=True
    )
    return chart(f"{name}: gap to full data, 95 % intervals", x, y, curves)


def main() -> None:
    """Put the tables between the marks of docs/laws.md, and the figures beside it."""
    paths = [Path(word) for word in sys.argv[1:]] or [HERE / "results" / f"{name}.parquet" for name in STUDIES]
    loaded = {path.stem: StudyResults.load(path) for path in paths if path.exists()}
    found = [each for name, results in loaded.items() for each in laws(name, results)]
    images = PAGE.parent / "images"
    shown = []
    for name in loaded:
        mine = [each for each in found if each.study == name]
        if mine:
            (images / f"{name}.svg").write_text(figure(name, mine), encoding="utf-8")
            shown.append(f"![Gap to full data against size, {name}](images/{name}.svg)")
    full = ["Full data, as many updates:", "", *(references(name, results) for name, results in loaded.items())]
    open_ = [f"{name}: {said}" for name, results in loaded.items() if (said := left(results).sentence())]
    records = {name: results.records.where(split="test") for name, results in loaded.items()}
    parts = [
        open_, full, shown, gaps(found), verdicts(found), predictions(found),
        ["**The registered predictions**", "", *predictions_kept(found)], paired(records),
        ["**One rate for all?**", "", *together(found)],
        ["**Sensitivity of b**", "", *sensitivity(found)],
        [f"**Plans.** {PLANS}", "", *plans(found, loaded)],
        words(found),
    ]  # fmt: skip
    text = "\n\n".join("\n".join(part) for part in parts if part)
    put(PAGE, "scaling", text)
    print(text)


if __name__ == "__main__":
    main()
