"""Results as figures: accuracy against size, and accuracy in every configuration."""

import math
from collections.abc import Sequence

from limbeck.report.figures import Axis, Chart, HeatMap, Level, Line, Section
from limbeck.report.numbers import counted, percent, quantity
from limbeck.report.results import Judged, Results, mean_of
from limbeck.report.told import interval, possible, row_name

__all__ = ["accuracy_section", "configurations_section"]


def accuracy_section(results: Results) -> Section:
    """Accuracy against size with intervals: all methods, all baselines and the full data."""
    lines = tuple(_line(group) for group in _curves(results).values())
    levels = tuple(_level(judged) for judged in results.full if judged.score is not None)
    sizes = tuple(sorted({value for line in lines for value in line.x}))
    chart = Chart(
        title=f"{results.split.capitalize()} accuracy against size",
        x=Axis("stored examples a class (logarithmic)", "log", sizes),
        y=Axis(f"{results.split} accuracy (%)", "fraction"),
        lines=lines,
        levels=levels,
        alt=_alt(results, lines, levels),
    )
    text = (
        f"Means over distillation seeds of the accuracy of the last weights on {results.split}, averaged over "
        f"{counted(len(results.configurations) or 1, 'training configuration')}. Bars are 95 % t-intervals over "
        "distillation seeds; there is none where there is one seed. Solid lines are distilled sets, broken lines real "
        "examples that a baseline chose, level lines networks trained on all real data, with intervals over training "
        "seeds. Points of one size stand slightly apart, so that their bars do not hide each other.",
    )
    return Section("Accuracy against size", text, (chart,))


def configurations_section(results: Results) -> Section | None:
    """Mean accuracy of every kind in every configuration; None with fewer than two configurations."""
    columns = tuple(dict.fromkeys(row.configuration for row in results.records))
    if len(columns) < 2:
        return None
    told = [*results.sets, *results.full]
    values = tuple(tuple(_cell(judged, column) for column in columns) for judged in told)
    cells = [
        (v, f"{row_name(j)}; {c}")
        for row, j in zip(values, told, strict=True)
        for v, c in zip(row, columns, strict=True)
    ]
    known = [(value, where) for value, where in cells if value is not None]
    alt = f"Heat map of {results.split} accuracy, {len(told)} sets by {len(columns)} configurations"
    if known:
        (low, lowest), (high, highest) = min(known), max(known)
        alt += f", from {percent(low)} ({lowest}) to {percent(high)} ({highest})"
    grid = HeatMap(
        title=f"{results.split.capitalize()} accuracy in each configuration",
        rows=tuple(row_name(judged) for judged in told),
        columns=columns,
        values=values,
        label="accuracy (%)",
        x="training configuration",
        y="",
        alt=f"{alt}.",
    )
    text = (
        "A configuration is a network with its optimizer, schedule, augmentation and length. A cell is the mean over "
        "finished networks and distillation seeds; an empty cell has none.",
    )
    return Section("For whom it works", text, (grid,))


def _curves(results: Results) -> dict[str, list[Judged]]:
    curves: dict[str, list[Judged]] = {}
    for judged in results.sets:
        if judged.score is not None:
            curves.setdefault(judged.name, []).append(judged)
    return curves


def _line(group: Sequence[Judged]) -> Line:
    known = [(j, j.score.estimate) for j in group if j.score is not None]
    bounded = any(e.low is not None for _, e in known)
    return Line(
        name=group[0].name,
        x=tuple(j.kind.per_class for j, _ in known),
        y=tuple(e.value for _, e in known),
        low=tuple(possible(e)[0] for _, e in known) if bounded else (),
        high=tuple(possible(e)[1] for _, e in known) if bounded else (),
        role="main" if group[0].distilled else "reference",
        notes=tuple(interval(e) for _, e in known),
        group=group[0].kind.method,
    )


def _level(judged: Judged) -> Level:
    assert judged.score is not None
    value = judged.score.estimate
    low, high = (None if math.isnan(end) else end for end in possible(value))
    return Level(judged.name, value.value, low, high)


def _cell(judged: Judged, configuration: str) -> float | None:
    mean = mean_of(row.accuracy for row in judged.records if row.configuration == configuration)
    return mean if math.isfinite(mean) else None


def _alt(results: Results, lines: Sequence[Line], levels: Sequence[Level]) -> str:
    def end(line: Line, place: int) -> str:
        return f"{percent(line.y[place])} at {quantity(line.x[place])}"

    said = [f"{line.name} from {end(line, 0)} to {end(line, -1)} a class" for line in lines]
    said += [f"{level.name} at {percent(level.y)}" for level in levels]
    return f"Line chart of {results.split} accuracy against stored examples a class: {'; '.join(said)}."
