"""The page of a law: what is drawn, what is not stated, and in which words."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

from limbeck.laws import ScalingLaw
from limbeck.report.draw import draw_chart
from limbeck.report.figures import Chart, Section, Table
from limbeck.report.lawful import law_section
from tests.laws.planted import study


def section(gap: Callable[[float], float], **changes: Any) -> Section:
    law = ScalingLaw.fit(study(gap, **changes))
    return law_section(law, [law.samples_for(gap=0.15)])


def chart_of(page: Section) -> Chart:
    (chart,) = (part for part in page.parts if isinstance(part, Chart))
    return chart


def table_of(page: Section, start: str) -> Table:
    (table,) = (part for part in page.parts if isinstance(part, Table) and part.caption.startswith(start))
    return table


def test_a_law_that_holds_shows_its_floor_and_goes_beyond_the_measured_sizes() -> None:
    page = section(lambda k: 0.5 * k**-0.5 + 0.05)
    chart = chart_of(page)
    assert [level.name for level in chart.levels] == ["floor e"]
    runs = next(line for line in chart.lines if line.name == "95% of new runs stay below")
    assert runs.x[-1] == pytest.approx(400)
    assert table_of(page, "Plans").rows[0][0] == "33"


def test_a_refuted_law_shows_no_floor_and_stays_within_the_measured_sizes() -> None:
    page = section(lambda k: 0.4 * math.exp(-k / 10) + 0.05)
    chart = chart_of(page)
    assert chart.levels == ()
    assert "is not to be trusted" in page.text[0]
    runs = next(line for line in chart.lines if line.name == "95% of new runs stay below")
    assert runs.x[-1] == pytest.approx(200)
    numbers = table_of(page, "The law")
    assert "no floor or rate is stated" in numbers.caption
    assert numbers.rows[2][1] == "not stated"
    forms = {row[0]: row[-1] for row in table_of(page, "Forms").rows}
    assert forms["c·k^(-b) + e"] == "yes"
    assert forms["c·exp(−k/τ) + e"] == "no"


def test_where_every_form_is_refuted_the_page_stands_on_the_measured_sizes() -> None:
    chart = chart_of(section(lambda k: 0.3 + 0.1 * math.sin(2 * math.log(k)), noise=0.003))
    runs = next(line for line in chart.lines if line.name == "95% of new runs stay below")
    assert runs.x == (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)


def test_held_out_sizes_are_drawn_beside_the_measured_ones_for_the_law_and_for_the_best_form() -> None:
    chart = chart_of(section(lambda k: 0.4 * math.exp(-k / 10) + 0.05))
    held = [line for line in chart.lines if line.name.startswith("held out")]
    assert [line.name.removeprefix("held out: predicted by ") for line in held] == ["c·k^(-b) + e", "c·exp(−k/τ) + e"]
    assert all(line.x == (100.0, 200.0) and line.role == "main" for line in held)
    drawn = [trace for trace in draw_chart(chart)["data"] if "error_y" in trace]
    last = [trace["x"][-1] for trace in drawn]  # of the measured gaps and of both predictions
    assert len(last) == 3
    for first, second in itertools.pairwise(last):
        assert math.log10(second / first) > 0.02
    assert len({trace["marker"]["color"] for trace in drawn}) == 3


def test_sizes_are_whole_numbers_or_words() -> None:
    page = section(lambda k: 0.6 - 0.09 * math.log(k))
    texts = [cell for part in page.parts if isinstance(part, Table) for row in part.rows for cell in row]
    assert not any("e+" in text for text in texts)
    assert any("over a million" in text or "∞" in text for text in texts)
