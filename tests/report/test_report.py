"""What a page tells: numbers that are known beforehand arrive in figures, tables and sentences."""

import math
from collections.abc import Callable

import pytest
import torch

from limbeck.data.task import Task
from limbeck.errors import EvidenceError
from limbeck.evaluation.records import Records
from limbeck.report import accuracy_section, configurations_section, finding, judge, report_sets, report_study, verdicts
from limbeck.report.figures import Chart, Code, Gallery, HeatMap, Section, Table
from limbeck.report.pictures import strip
from limbeck.report.told import table_section
from limbeck.synthetic.synthetic_set import SyntheticSet

Rows = Callable[..., Records]
Make = Callable[..., SyntheticSet]
DM, RANDOM = [[0.80, 0.82], [0.82, 0.84], [0.84, 0.86]], [[0.70], [0.72], [0.74]]


def study(rows: Rows) -> Records:
    full = {"set": "full-matched", "stored": 300, "distillation_seed": 0}
    return (
        rows("dm", 1.0, [[0.4], [0.5], [0.6]])
        + rows("dm", 10.0, DM)
        + rows("random", 10.0, RANDOM)
        + rows("herding", 10.0, [[0.9], [0.8], [0.7]], validation=0.9)
        + rows("full", 100.0, [[0.95]], **full)
        + rows("full", 100.0, [[0.97]], seed=1, **full)
    )


def test_accuracy_line_has_means_and_t_intervals_over_distillation_seeds(make_rows: Rows) -> None:
    (chart,) = accuracy_section(judge(study(make_rows))).parts
    assert isinstance(chart, Chart)
    line = next(line for line in chart.lines if line.name == "dm")
    assert line.x == (1.0, 10.0)
    assert line.y == pytest.approx((0.5, 0.83))
    half = 4.302653 * 0.02 / math.sqrt(3)  # t for 2 degrees of freedom, spread of the seeds' means 0.02
    assert (line.low[1], line.high[1]) == pytest.approx((0.83 - half, 0.83 + half), abs=1e-6)
    assert line.role == "main"
    assert {other.name: other.role for other in chart.lines} == {
        "dm": "main",
        "herding": "reference",
        "random": "reference",
    }
    (level,) = chart.levels
    assert (level.name, level.y) == ("full data, as many updates", pytest.approx(0.96))
    assert (chart.x.kind, chart.y.kind) == ("log", "fraction")
    assert "dm from 50.0" in chart.alt


def test_intervals_stay_within_what_accuracies_can_be(make_rows: Rows) -> None:
    (chart,) = accuracy_section(judge(make_rows("dm", 10.0, [[0.9], [1.0]]))).parts
    assert isinstance(chart, Chart)
    assert (chart.lines[0].low, chart.lines[0].high) == (pytest.approx((0.314690,), abs=1e-5), (1.0,))


def test_finding_says_what_was_found_and_against_what(make_rows: Rows) -> None:
    said = finding(judge(study(make_rows)))
    assert said == (
        "30 synthetic examples (10 a class) made by dm reach 83.0\u00a0% test accuracy: "
        "better than random (+11.0 points) and 13.0 points below the full data."
    )
    (sentence,) = verdicts(judge(study(make_rows)))
    assert "not compared with random with soft labels" in sentence


def test_no_difference_is_called_none(make_rows: Rows) -> None:
    records = make_rows("dm", 10.0, [[0.7], [0.9], [0.8]]) + make_rows("random", 10.0, [[0.8], [0.7], [0.85]])
    assert "not distinguishable from random" in finding(judge(records))


def test_the_told_method_is_chosen_on_validation_not_on_test(make_rows: Rows) -> None:
    lucky = make_rows("dsa", 10.0, [[0.99], [0.99]], validation=0.1)
    assert "made by dm" in finding(judge(lucky + make_rows("dm", 10.0, [[0.8], [0.8]], validation=0.7)))


def test_failed_networks_are_counted_and_never_averaged(make_rows: Rows) -> None:
    nan = {"accuracy": math.nan, "selected": math.nan, "validation": math.nan, "balanced": math.nan, "recalls": ()}
    failed = make_rows("dm", 10.0, [[0.0]], **nan, correct=b"", examples=0, failure="the loss was not finite", seed=9)
    story = report_study(study(make_rows) + failed)
    table = next(p for s in story.sections for p in s.parts if s.title == "All results")
    assert isinstance(table, Table)
    row = next(row for row in table.rows if row[:2] == ("dm", "10"))
    assert row[table.header.index("accuracy")] == "83.0\u00a0%"
    assert row[table.header.index("failed")] == "1"
    assert any("the loss was not finite" in text for s in story.sections for text in s.text)
    assert "1 failed" in [fact.detail for fact in story.facts]


def test_a_kind_whose_networks_all_failed_is_told_without_numbers(make_rows: Rows) -> None:
    nan = {"accuracy": math.nan, "selected": math.nan, "validation": math.nan, "balanced": math.nan, "recalls": ()}
    failed = make_rows("dc", 10.0, [[0.0]], **nan, correct=b"", examples=0, failure="not finite")
    story = report_study(study(make_rows) + failed)
    assert any(detail.startswith("dc, 10 a class: no network finished") for detail in story.details)
    assert finding(judge(failed)).startswith("Nothing distilled was judged")


def test_validation_stands_in_where_test_was_not_read(make_rows: Rows) -> None:
    assert judge(make_rows("dm", 1.0, DM, split="validation")).split == "validation"
    assert judge(make_rows("dm", 1.0, DM) + make_rows("dm", 2.0, DM, split="validation")).split == "test"


def test_heat_map_has_every_kind_and_configuration(make_rows: Rows) -> None:
    records = study(make_rows) + make_rows("dm", 10.0, [[0.2], [0.3], [0.4]], configuration="other")
    section = configurations_section(judge(records))
    assert section is not None
    (grid,) = section.parts
    assert isinstance(grid, HeatMap)
    assert grid.columns == ("own", "other")
    assert grid.values[grid.rows.index("dm, 10 a class")] == pytest.approx((0.83, 0.3))
    assert grid.values[grid.rows.index("random, 10 a class")][1] is None
    assert configurations_section(judge(study(make_rows))) is None


def test_best_baseline_is_named(make_rows: Rows) -> None:
    story = report_study(study(make_rows))
    (table,) = next(s for s in story.sections if s.title == "Better than real examples?").parts
    assert isinstance(table, Table)
    assert table.rows[1][3].endswith("(herding)")


def test_no_records_are_an_error(make_rows: Rows) -> None:
    with pytest.raises(EvidenceError, match="no records"):
        report_study(Records(()))


def test_a_set_without_records_is_shown_with_recipe_and_command(task: Task, make_set: Make) -> None:
    story = report_sets([make_set(task)], task=task, command="limbeck distill toy")
    assert "have not been judged yet" in story.finding
    titles = [section.title for section in story.sections]
    assert titles == ["What was made", "Loss curves", "Recipe", "Reproduce", "Read with care"]
    parts = {section.title: section.parts for section in story.sections}
    assert parts["Reproduce"] == (Code("This command makes everything on this page again:", "limbeck distill toy"),)
    (gallery,) = parts["What was made"]
    assert isinstance(gallery, Gallery)
    assert next((name, [s.count for s in strips]) for name, strips in gallery.rows) == ("zero", [2, 10])
    (losses,) = parts["Loss curves"]
    assert isinstance(losses, Chart)
    assert losses.lines[0].y[0] == 10.0
    assert "privacy" in story.sections[-1].text[0]


def test_pictures_of_a_study_show_distilled_sets_largest_first(task: Task, make_set: Make, make_rows: Rows) -> None:
    sets = [make_set(task, method, k, s) for method in ("dm", "random") for k in (1, 2) for s in (0, 1)]
    story = report_study(study(make_rows), sets, task=task, first=[Section("The plan")])
    assert story.sections[0].title == "The plan"
    shown = next(s for s in story.sections if s.title == "What was made").parts
    assert [p.title for p in shown if isinstance(p, Gallery)] == ["dm, 2 a class, seed 0", "dm, 1 a class, seed 0"]
    assert [p.folded for p in shown if isinstance(p, Gallery)] == [False, True]


def test_tables_are_shown_as_rows(make_task: Callable[..., Task], make_set: Make) -> None:
    task = make_task((12,), ("no", "yes"))
    table = report_sets([make_set(task)], task=task).sections[0].parts[0]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["no", "yes"]
    assert len(table.header) == 9
    assert "8 of 12 features" in table.caption


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 5, 7), (3, 32, 32), (4, 300, 200)])
def test_strips_are_pictures_of_any_shape(shape: tuple[int, ...]) -> None:
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(strip(torch.ones(3, *shape))))
    assert image.mode == "RGBA"
    opaque = torch.tensor(list(image.getchannel("A").tobytes()))
    assert 0.2 < float((opaque == 255).float().mean()) < 0.31  # three of ten places
    assert max(image.size[1], image.size[0] / 10) <= 101


def test_the_test_split_is_never_opened(task: Task, make_set: Make, make_rows: Rows) -> None:
    report_study(study(make_rows), [make_set(task)], task=task)
    assert task.test.openings == []


def test_a_row_of_the_table_is_of_one_set_of_networks(make_rows: Rows) -> None:
    """A set that was judged in two configurations, beside baselines of one: all numbers are of the shared one."""
    rows = make_rows("dm", 10.0, [[0.9], [0.9]], configuration="quick")
    rows += make_rows("dm", 10.0, [[0.3, 0.3, 0.3], [0.3, 0.3, 0.3]], configuration="own")
    rows += make_rows("random", 10.0, [[0.5], [0.5]], configuration="quick")
    (table,) = table_section(judge(rows)).parts
    assert isinstance(table, Table)
    row = dict(zip(table.header, next(r for r in table.rows if r[0] == "dm"), strict=True))
    assert row["networks"] == "2"
    assert row["accuracy"].startswith("90.0")
    assert row["selected"].startswith("90.0")


def test_one_seed_gives_no_verdict(make_rows: Rows) -> None:
    told = finding(judge(make_rows("dm", 10.0, [[0.9]]) + make_rows("random", 10.0, [[0.8]])))
    assert "not distinguishable" not in told
    assert "+10.0 points against random, of one seed" in told
