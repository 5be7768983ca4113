"""Charts and heat maps as Plotly figures (plain JSON data); colours of text and grid are set by the page's theme."""

import html
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from limbeck.report.figures import Axis, Chart, HeatMap, Level, Line

__all__ = ["COLOURS", "draw_chart", "draw_heat_map"]

Drawing: TypeAlias = dict[str, Any]

# Okabe and Ito's eight colours, which people with any colour vision tell apart, without black and yellow, which vanish
# on one of the two themes; shapes and dashes tell the lines apart once more.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#8C6BB1", "#7F7F7F")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "star", "hexagon")
_DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "dash", "dot", "dashdot")
# decades between neighbours on a logarithmic axis, so that intervals and marks do not hide each other; less for many
_DODGE, _SPREAD = 0.03, 0.09
_BAR = {"thickness": 14, "lenmode": "pixels", "len": 220, "y": 1, "yanchor": "top"}
_ROW = 20  # pixels that an entry of the legend takes
_LEVELS = ("solid", "dash", "dot", "dashdot")


def draw_chart(chart: Chart) -> Drawing:
    """``{"data", "layout"}`` of a chart, for ``Plotly.newPlot``."""
    groups = list(dict.fromkeys(line.group or line.name for line in chart.lines))
    colours = [groups.index(line.group or line.name) for line in chart.lines]
    data: list[Drawing] = []
    for place, line in enumerate(chart.lines):
        new = line.name not in [earlier.name for earlier in chart.lines[:place]]
        data += [
            {**trace, "showlegend": False} if not new else trace for trace in _line(chart, line, place, colours[place])
        ]
    for place, level in enumerate(chart.levels):
        data += _level(chart, level, place)
    entries = len({line.name for line in chart.lines}) + len(chart.levels)
    layout = _layout(legend=entries > 1)
    layout["height"] += _ROW * max(0, entries - 6)  # a phone shows one entry a row
    layout["xaxis"] = _axis(chart.x)
    layout["yaxis"] = _axis(chart.y)
    return {"data": data, "layout": layout}


def draw_heat_map(grid: HeatMap) -> Drawing:
    """``{"data", "layout"}`` of a heat map; cells show their number where there is room for it."""
    room = len(grid.columns) <= 40
    cells = [[None if v is None or math.isnan(v) else v for v in row] for row in grid.values]
    text = [["" if v is None else f"{100 * v:.0f}" for v in row] for row in cells]
    columns, rows = [_safe(c) for c in grid.columns], [_safe(r) for r in grid.rows]
    trace = {
        "type": "heatmap",
        "z": cells,
        "x": list(range(len(columns))),
        "y": list(range(len(rows))),
        "customdata": [[[row, column] for column in columns] for row in rows],
        "colorscale": "Cividis",
        "xgap": 1,
        "ygap": 1,
        "text": text if room else None,
        "texttemplate": "%{text}" if room else None,
        "textfont": {"size": 11},
        "hovertemplate": f"%{{customdata[0]}}<br>%{{customdata[1]}}<br>{_safe(grid.label)}: %{{z:.1%}}<extra></extra>",
        "colorbar": {"title": {"text": _safe(grid.label), "side": "right"}, "tickformat": ".0%", **_BAR},
    }
    layout = _layout(legend=False)
    longest = max((len(c) for c in grid.columns), default=0)
    layout["height"] = 130 + 26 * len(rows) + min(230, 6 * longest)
    layout["xaxis"] = _named(grid.x, columns, angle=-55 if longest > 4 else 0)
    layout["yaxis"] = {**_named(grid.y, rows, angle=0), "autorange": "reversed"}
    return {"data": [trace], "layout": layout}


def _line(chart: Chart, line: Line, place: int, group: int) -> list[Drawing]:
    colour = COLOURS[group % len(COLOURS)]
    reference = line.role == "reference"
    barred = [other for other in chart.lines if other.low and other.interval == "bar"]
    step = min(_DODGE, _SPREAD / max(1, len(barred) - 1))
    shift = step * (barred.index(line) - (len(barred) - 1) / 2) if line in barred else 0.0
    x = [_dodged(value, shift) for value in line.x] if chart.x.kind == "log" else list(line.x)
    trace: Drawing = {
        "type": "scatter",
        "name": _safe(line.name),
        "x": x,
        "y": [_number(value) for value in line.y],
        "mode": "lines+markers" if line.joined and len(x) <= 60 else "lines" if line.joined else "markers",
        "line": {
            "color": colour,
            "width": 1.5 if reference else 2.5,
            "dash": _DASHES[place % len(_DASHES)] if reference else "solid",
        },
        "marker": {
            "color": colour,
            "size": 7 if reference else 9,
            "symbol": _SYMBOLS[place % len(_SYMBOLS)] + ("-open" if reference else ""),
        },
        "customdata": [
            [value, _safe(note)] for value, note in zip(line.x, line.notes or [""] * len(line.x), strict=True)
        ],
        "hovertemplate": _hover(chart),
        "legendgroup": _safe(line.name),
    }
    if line.low and line.interval == "bar":
        trace["error_y"] = _bars(line, colour)
    band = [_band(line.name, x, (line.low, line.high), colour)] if line.low and line.interval == "band" else []
    return [*band, trace]


def _bars(line: Line, colour: str) -> Drawing:
    up = [_number(h - y) for h, y in zip(line.high, line.y, strict=True)]
    down = [_number(y - low) for low, y in zip(line.low, line.y, strict=True)]
    thickness = 1.0 if line.role == "reference" else 1.8
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "color": colour,
        "thickness": thickness,
    }


def _band(name: str, x: Sequence[float], ends: tuple[Sequence[float], Sequence[float]], colour: str) -> Drawing:
    kept = [(a, low, high) for a, low, high in zip(x, *ends, strict=True) if math.isfinite(low) and math.isfinite(high)]
    there, back = [k[0] for k in kept], [k[0] for k in reversed(kept)]
    return {
        "type": "scatter",
        "x": there + back,
        "y": [k[1] for k in kept] + [k[2] for k in reversed(kept)],
        "fill": "toself",
        "fillcolor": _transparent(colour),
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": _safe(name),
    }


def _level(chart: Chart, level: Level, place: int) -> list[Drawing]:
    xs = [value for line in chart.lines for value in line.x]
    left, right = (min(xs), max(xs)) if xs else (1.0, 10.0)
    if chart.x.kind == "log":
        left, right = left / 1.25, right * 1.25
    grey = COLOURS[-1]
    bands = []
    if level.low is not None and level.high is not None:
        bands = [_band(level.name, (left, right), ((level.low,) * 2, (level.high,) * 2), grey)]
    line = {
        "type": "scatter",
        "name": _safe(level.name),
        "x": [left, right],
        "y": [level.y, level.y],
        "mode": "lines",
        "line": {"color": grey, "width": 2, "dash": _LEVELS[place % len(_LEVELS)]},
        "hovertemplate": f"{_safe(level.name)}: %{{y{_format(chart.y)}}}<extra></extra>",
        "legendgroup": _safe(level.name),
    }
    return [*bands, line]


def _hover(chart: Chart) -> str:
    first = f"{_safe(chart.x.label)}: %{{customdata[0]:,}}"
    return f"{first}<br>{_safe(chart.y.label)}: %{{y{_format(chart.y)}}}<br>%{{customdata[1]}}"


def _format(axis: Axis) -> str:
    return ":.1%" if axis.kind == "fraction" else ":.4g"


def _axis(axis: Axis) -> Drawing:
    drawn: Drawing = {"title": {"text": _safe(axis.label)}, "automargin": True, "zeroline": False}
    if axis.kind == "log":
        drawn |= {"type": "log", "dtick": "D2", "exponentformat": "power"}
    if axis.kind == "fraction":
        drawn |= {"tickformat": ".0%"}
    if axis.ticks:
        drawn |= {"tickvals": list(axis.ticks), "ticktext": [f"{tick:g}" for tick in axis.ticks]}
    return drawn


def _named(title: str, names: Sequence[str], angle: int) -> Drawing:
    return {
        "title": {"text": _safe(title)},
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "tickangle": angle,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }


def _layout(*, legend: bool) -> Drawing:
    return {
        "autosize": True,
        "height": 460,
        "margin": {"l": 56, "r": 16, "t": 34, "b": 48},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": legend,
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "hovermode": "closest",
    }


def _dodged(value: float, shift: float) -> float:
    return float(value * 10**shift)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None  # JSON has no NaN; Plotly leaves a gap for null


def _transparent(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"


def _safe(text: str) -> str:
    return html.escape(text).replace("%{", "% {")  # Plotly reads tags and %{templates} in any text that it draws
