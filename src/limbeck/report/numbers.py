"""Numbers as people read them, and the tables that stand under every figure for those who cannot see it."""

import math

from limbeck.report.figures import Axis, Chart, HeatMap, Table

__all__ = ["chart_numbers", "counted", "duration", "heat_map_numbers", "percent", "points", "quantity"]

_MINUS = "−"
_SPACE = "\u00a0"  # keeps a number and its sign on one line


def percent(fraction: float | None, digits: int = 1) -> str:
    """``0.8512`` → ``85.1 %``; a dash for None and NaN."""
    if fraction is None or not math.isfinite(fraction):
        return "–"
    return f"{100 * fraction:.{digits}f}{_SPACE}%".replace("-", _MINUS)


def points(difference: float | None) -> str:
    """A signed difference of two fractions in percentage points: ``0.0412`` → ``+4.1``."""
    if difference is None or not math.isfinite(difference):
        return "–"
    return f"{100 * difference:+.1f}".replace("-", _MINUS)


def quantity(number: float | int | None) -> str:
    """A plain number with at most four significant digits, thousands apart: ``1234.0`` → ``1,234``."""
    if number is None or not math.isfinite(number):
        return "–"
    whole = float(number).is_integer() and abs(number) < 1e9
    return (f"{int(number):,}" if whole else f"{number:.4g}").replace("-", _MINUS)


def counted(count: float | int, what: str) -> str:
    """``3 seeds``, ``1 seed``."""
    return f"{quantity(count)} {what}{'' if count == 1 else 's'}"


def duration(seconds: float | int | None) -> str:
    """Seconds as people say them: ``93`` → ``1 min 33 s``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def chart_numbers(chart: Chart) -> Table:
    """All points of a chart as a folded table; at most 400 of them, evenly drawn from long lines."""
    rows = []
    share = max(1, -(-sum(len(line.x) for line in chart.lines) // 400))
    bounded = any(line.low for line in chart.lines) or any(level.low is not None for level in chart.levels)
    for line in chart.lines:
        for i in range(0, len(line.x), share):
            ends = (line.low[i], line.high[i]) if line.low else (None, None)
            rows.append((line.name, _on(chart.x, line.x[i]), _on(chart.y, line.y[i]), *(_on(chart.y, e) for e in ends)))
    rows += [(level.name, "–", *(_on(chart.y, v) for v in (level.y, level.low, level.high))) for level in chart.levels]
    header = ("line", chart.x.label, chart.y.label, "interval from", "to")
    width = 5 if bounded else 3
    return Table("The numbers of this figure", header[:width], tuple(row[:width] for row in rows), folded=True)


def heat_map_numbers(grid: HeatMap) -> Table:
    """All cells of a heat map as a folded table, one column of the figure a row, so that it fits a narrow screen."""
    rows = tuple(
        (column, *(percent(grid.values[i][j]) for i in range(len(grid.rows)))) for j, column in enumerate(grid.columns)
    )
    return Table("The numbers of this figure", (grid.x, *grid.rows), rows, folded=True)


def _on(axis: Axis, number: float | None) -> str:
    return percent(number) if axis.kind == "fraction" else quantity(number)
