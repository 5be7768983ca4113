"""Results in words and numbers: what was found, the verdicts, and the table of everything."""

import math
from collections.abc import Collection

from limbeck.evaluation.intervals import Estimate
from limbeck.evaluation.scores import Difference
from limbeck.evaluation.verdict import Comparison
from limbeck.report.figures import Fact, Section, Table
from limbeck.report.numbers import counted, duration, percent, points, quantity
from limbeck.report.results import Judged, Results, mean_of, name_of

__all__ = ["facts", "finding", "interval", "possible", "row_name", "table_section", "verdict_section", "verdicts"]


def finding(results: Results, changed: Collection[str] = ()) -> str:
    """One sentence: what the distilled sets reach, against random and against the full data.

    changed: names of methods that were not run as published under these names; the sentence says so.
    """
    best = results.best
    if best is None or best.score is None:
        return "Nothing distilled was judged: only real examples or failed networks are on record."
    size = f"{counted(best.records.rows[0].stored, 'synthetic example')} ({quantity(best.kind.per_class)} a class)"
    name = f"{best.name}, changed as said below," if best.kind.method in changed else best.name
    start = f"{size} made by {name} reach {percent(best.score.estimate.value)} {results.split} accuracy"
    said = [] if best.verdict is None else [_short(c) for c in best.verdict.comparisons if c.difference is not None]
    if best.gap is not None:
        value = best.gap.estimate.value
        said.append(f"{points(abs(value))[1:]} points {'below' if value >= 0 else 'above'} the full data")
    return f"{start}{': ' if said else ''}{', '.join(said[:-1])}{' and ' if len(said) > 1 else ''}{''.join(said[-1:])}."


def verdicts(results: Results) -> tuple[str, ...]:
    """A sentence for each distilled kind of the largest size: better than random, and than random with soft labels?"""
    best = results.best
    size = None if best is None else best.kind.per_class
    return tuple(_verdict(judged) for judged in results.sets if judged.distilled and judged.kind.per_class == size)


def verdict_section(results: Results) -> Section | None:
    """Every distilled kind against random, random with soft labels and the best baseline; None without such kinds."""
    told = [judged for judged in results.sets if judged.verdict is not None]
    if not told:
        return None
    header = ("set", "against random", "against random with soft labels", "against the best baseline")
    rows = tuple(_answers(judged) for judged in told)
    remarks = dict.fromkeys(
        c.difference.remarks for j in told for c in _compared(j) if c.difference and c.difference.remarks
    )
    text = [
        "Differences in percentage points, paired by distillation seed, with 95 % t-intervals. “Better” and “worse” "
        "need p < 0.05 after Holm's correction over the two questions about random; a difference without either word "
        "may be chance. The best baseline is chosen on validation."
    ]
    text += [f"To be read beside the differences: {'. '.join(remarks)}."] if remarks else []
    return Section("Better than real examples?", tuple(text), (Table("", header, rows),))


def facts(results: Results) -> tuple[Fact, ...]:
    """The numbers on top."""
    best, found = results.best, list[Fact]()
    if best is not None and best.score is not None:
        label = f"{results.split} accuracy, {best.name}, {quantity(best.kind.per_class)} a class"
        found.append(Fact(percent(best.score.estimate.value), label, interval(best.score.estimate)))
        for comparison in _compared(best):
            if comparison.difference is not None:
                value = comparison.difference.estimate
                found.append(
                    Fact(points(value.value), f"points against {comparison.against}", interval(value, signed=True))
                )
    for judged in results.full:
        if judged.score is not None:
            found.append(Fact(percent(judged.score.estimate.value), judged.name, interval(judged.score.estimate)))
    failed = sum(not row.finished for row in results.records)
    return (
        *found,
        Fact(f"{len(results.records):,}", "networks trained", f"{failed} failed" if failed else "none failed"),
    )


def table_section(results: Results) -> Section:
    """Every kind in one row, and failures in words."""
    measured = ("accuracy", "95 % interval", "seeds", "networks", "failed", "selected", "balanced")
    header = ("set", "a class", "stored", *measured, "to full data (points)", "worst configuration")
    rows = tuple(_result(judged) for judged in (*results.sets, *results.full))
    told = [i for i in range(len(header)) if {row[i] for row in rows} != {"–"}]  # no reference: no column for the gap
    shown = tuple(tuple(row[i] for i in told) for row in (header, *rows))
    caption = f"Accuracies on {results.split}, differences in percentage points with their 95 % intervals"
    failures = dict.fromkeys(row.failure for row in results.records if row.failure)
    text = [
        "“Accuracy” is of the last weights, “selected” of the snapshot with the best validation accuracy, “balanced” "
        "the mean recall of the classes. Seeds are distillation seeds (training seeds for the full data); networks are "
        "averaged within them first."
    ]
    if failures:
        text.append(
            f"Networks that failed are counted and left out of the means: {'; '.join(failures)}.".replace("..", ".")
        )
    spent = sum(row.seconds for row in results.records if math.isfinite(row.seconds))
    text.append(f"Training these networks took {duration(spent)} of computing.")
    return Section("All results", tuple(text), (Table(caption, shown[0], shown[1:]),))


def row_name(judged: Judged) -> str:
    """A kind with its size."""
    return judged.name if judged.real else f"{judged.name}, {quantity(judged.kind.per_class)} a class"


def interval(value: Estimate, *, signed: bool = False) -> str:
    """An estimate's interval and n; ``signed`` for differences, in points."""
    n = counted(value.n, value.unit)
    if value.low is None:
        return f"{n}, no interval"
    if signed:
        return f"{points(value.low)} to {points(value.high)} (95\u00a0%, {n})"
    return f"{_ends(value)} (95\u00a0%, {n})"


def possible(value: Estimate) -> tuple[float, float]:
    """The interval of an accuracy, cut to [0, 1], where alone accuracies are; NaN where there is none."""
    ends = (math.nan if value.low is None else value.low, math.nan if value.high is None else value.high)
    low, high = (end if math.isnan(end) else min(1.0, max(0.0, end)) for end in ends)
    return low, high


def _ends(value: Estimate) -> str:
    low, high = possible(value)
    return f"{percent(low)[:-2]} to {percent(high)}"


def _compared(judged: Judged) -> tuple[Comparison, ...]:
    return () if judged.verdict is None else judged.verdict.comparisons


def _verdict(judged: Judged) -> str:
    if judged.score is None:
        return f"{row_name(judged)}: no network finished, so nothing can be said."
    return f"{row_name(judged)}: {'; '.join(_long(c) for c in _compared(judged))}."


def _short(comparison: Comparison) -> str:
    assert comparison.difference is not None
    value = points(comparison.difference.estimate.value)
    if comparison.difference.estimate.low is None:
        return f"{value} points against {comparison.against}, of one seed"
    words = {"better": "better than", "worse": "worse than"}
    return f"{words.get(comparison.word, 'not distinguishable from')} {comparison.against} ({value} points)"


def _long(comparison: Comparison) -> str:
    if comparison.difference is None:
        return f"not compared with {comparison.against}"
    value = comparison.difference.estimate
    words = {"better": "better than", "worse": "worse than"}
    start = (
        f"{words.get(comparison.word, 'not distinguishable from')} {comparison.against}, {points(value.value)} points"
    )
    if value.low is None:
        told = f"{points(value.value)} points against {comparison.against}"
        return f"{told} ({counted(value.n, value.unit)}, so no interval)"
    p = "" if comparison.p is None else f", p = {comparison.p:.2g} after Holm"
    return f"{start} (95\u00a0% interval {points(value.low)} to {points(value.high)}, n = {value.n}{p})"


def _answers(judged: Judged) -> tuple[str, ...]:
    words = {c.against: f"{_signed(c.difference, 1)}{_word(c)}" for c in _compared(judged)}
    best = "–" if judged.best is None else f"{_signed(judged.best, 1)} ({name_of(judged.best.theirs)})"
    return (row_name(judged), words.get("random", "–"), words.get("random with soft labels", "–"), best)


def _word(comparison: Comparison) -> str:
    return f" {comparison.word}" if comparison.word in ("better", "worse") else ""


def _result(judged: Judged) -> tuple[str, ...]:
    told = () if judged.score is None else judged.score.configurations  # one set of networks for all of a row's numbers
    rows = [row for row in judged.records.rows if not told or row.configuration in told]
    finished = [row for row in rows if row.finished]
    worst = judged.whole.worst if judged.whole is not None else None
    lowest = (
        "–" if worst is None or worst.estimate is None else f"{percent(worst.estimate.value)} ({worst.configuration})"
    )
    value = None if judged.score is None else judged.score.estimate
    return (
        judged.name,
        quantity(judged.kind.per_class),
        quantity(rows[0].stored),
        percent(None if value is None else value.value),
        "–" if value is None or value.low is None else _ends(value),
        quantity(None if value is None else value.n),
        quantity(len(rows)),
        quantity(len(rows) - len(finished)),
        percent(mean_of(row.selected for row in finished)),
        percent(mean_of(row.balanced for row in finished)),
        _signed(judged.gap, -1),
        lowest,
    )


def _signed(compared: Difference | None, sign: int) -> str:
    if compared is None:
        return "–"
    value = compared.estimate
    if value.low is None or value.high is None:
        return points(sign * value.value)
    low, high = sorted((sign * value.low, sign * value.high))
    return f"{points(sign * value.value)} [{points(low)}, {points(high)}]"
