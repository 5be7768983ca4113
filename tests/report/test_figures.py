"""Figures as drawings: valid Plotly, percent and logarithms where they belong, nothing that Plotly would interpret."""

import json
import math

import pytest

from limbeck.report.draw import COLOURS, draw_chart, draw_heat_map
from limbeck.report.figures import Axis, Chart, HeatMap, Level, Line
from limbeck.report.numbers import chart_numbers, counted, duration, heat_map_numbers, percent, points, quantity


def chart(**changes: object) -> Chart:
    line = Line("dm", (1.0, 10.0), (0.5, 0.8), (math.nan, 0.7), (math.nan, 0.9), notes=("n = 1", "n = 3"))
    values = {"x": Axis("size", "log", (1.0, 10.0)), "y": Axis("accuracy (%)", "fraction"), "lines": (line,)}
    return Chart(title="title", **{**values, **changes})  # type: ignore[arg-type]


def test_drawings_are_valid_plotly() -> None:
    go = pytest.importorskip("plotly.graph_objects")
    band = Line("band", (1.0, 10.0), (0.5, 0.8), (0.4, 0.7), (0.6, 0.9), interval="band")
    whole = chart(lines=(*chart().lines, band), levels=(Level("full", 0.9, 0.88, 0.92),))
    grid = HeatMap("title", ("a", "b"), ("x", "y", "z"), ((0.1, None, 0.3), (0.4, 0.5, math.nan)), "l", "x", "y")
    for drawing in (draw_chart(whole), draw_heat_map(grid)):
        go.Figure(drawing)  # raises for an attribute that Plotly does not know
        json.dumps(drawing, allow_nan=False)


def test_axes_have_labels_units_and_scales() -> None:
    layout = draw_chart(chart())["layout"]
    assert layout["xaxis"]["type"] == "log"
    assert layout["xaxis"]["title"]["text"] == "size"
    assert layout["xaxis"]["ticktext"] == ["1", "10"]
    assert layout["yaxis"]["tickformat"] == ".0%"


def test_intervals_are_distances_from_the_point_and_missing_ones_are_null() -> None:
    (trace,) = draw_chart(chart())["data"]
    assert trace["error_y"]["array"] == [None, pytest.approx(0.1)]
    assert trace["error_y"]["arrayminus"] == [None, pytest.approx(0.1)]
    assert trace["x"] == [1.0, 10.0]  # a single line is not moved aside


def test_neighbours_stand_apart_but_tell_their_true_size() -> None:
    first, second = (Line(n, (10.0,), (0.5,), (0.4,), (0.6,)) for n in "ab")
    a, b = draw_chart(chart(lines=(first, second)))["data"]
    assert a["x"][0] < 10 < b["x"][0]
    assert a["customdata"][0][0] == b["customdata"][0][0] == 10.0
    assert a["line"]["color"] != b["line"]["color"]


def test_one_group_shares_a_colour_and_one_name_a_legend_entry() -> None:
    lines = (Line("a", (1.0,), (1.0,)), Line("a", (1.0,), (2.0,)), Line("a soft", (1.0,), (3.0,), group="a"))
    drawn = draw_chart(chart(lines=lines))
    assert {trace["line"]["color"] for trace in drawn["data"]} == {COLOURS[0]}
    assert [trace.get("showlegend", True) for trace in drawn["data"]] == [True, False, True]


def test_names_cannot_be_markup_or_templates() -> None:
    evil = '<a href="javascript:alert(1)">%{x}</a>'
    drawn = json.dumps([draw_chart(chart(lines=(Line(evil, (1.0,), (0.5,), notes=(evil,)),)))["data"]])
    grid = HeatMap("t", (evil,), (evil,), ((0.5,),), evil, evil, evil)
    drawn += json.dumps(draw_heat_map(grid))
    assert "<a" not in drawn
    assert drawn.count("%{x}") == 0


def test_heat_map_leaves_unmeasured_cells_empty() -> None:
    (trace,) = draw_heat_map(HeatMap("t", ("a",), ("x", "y", "z"), ((0.25, None, math.nan),), "l", "", ""))["data"]
    assert trace["z"] == [[0.25, None, None]]
    assert trace["text"] == [["25", "", ""]]


def test_every_figure_has_its_numbers_as_a_table() -> None:
    table = chart_numbers(chart(levels=(Level("full", 0.95),)))
    assert table.folded
    assert table.rows[1] == ("dm", "10", "80.0\u00a0%", "70.0\u00a0%", "90.0\u00a0%")
    assert table.rows[-1] == ("full", "–", "95.0\u00a0%", "–", "–")
    long = Line("loss", tuple(map(float, range(5000))), (1.0,) * 5000)
    assert len(chart_numbers(chart(lines=(long,))).rows) <= 400
    grid = HeatMap("t", ("a", "b"), ("x",), ((0.25,), (None,)), "l", "configuration", "")
    assert heat_map_numbers(grid).rows == (("x", "25.0\u00a0%", "–"),)


def test_numbers_for_people() -> None:
    assert percent(0.8512) == "85.1\u00a0%"
    assert percent(math.nan) == percent(None) == points(None) == quantity(math.inf) == duration(math.nan) == "–"
    assert points(0.0412) == "+4.1"
    assert points(-0.05) == "−5.0"
    assert quantity(1234.0) == "1,234"
    assert quantity(0.00012345) == "0.0001234"
    assert [duration(s) for s in (3.25, 59, 93, 3700)] == ["3.2 s", "59 s", "1 min 33 s", "1 h 1 min"]
    assert [counted(n, "seed") for n in (1, 2)] == ["1 seed", "2 seeds"]
