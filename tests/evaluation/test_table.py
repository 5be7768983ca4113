import json

import pytest

from limbeck.errors import EvidenceError
from limbeck.evaluation.records import Records
from limbeck.evaluation.table import table
from tests.evaluation.evaluation_rows import row


def records() -> Records:
    made = [row(0.6 + unit / 10 + seed / 50, distillation_seed=unit, seed=seed) for unit in (0, 1) for seed in (0, 1)]
    made += [row(0.5, distillation_seed=unit, method="random") for unit in (0, 1)]
    made += [row(0.0, distillation_seed=0, method="dc", failure="stopped at update 1 of 5: infinite.")]
    made += [row(0.9, method="full", set="full-matched", per_class=100.0, seed=seed) for seed in (0, 1)]
    return Records.of(made)


def test_the_lines() -> None:
    known = table(records())
    assert [line.kind.method for line in known.lines] == ["dm", "random", "dc", "full-matched"]
    best = known.lines[0]
    assert best.sets == 2
    assert best.networks == 4
    assert best.gain is not None
    assert best.gain.value == pytest.approx(0.16)
    assert best.gap is not None
    assert best.gap.value == pytest.approx(0.24)
    assert known.lines[1].gain is None
    assert known.lines[3].gap is None


def test_a_kind_that_failed_has_a_line_that_says_why() -> None:
    known = table(records())
    assert known.lines[2].score is None
    assert known.lines[2].failed == 1
    assert any("stopped at update 1 of 5" in note for note in known.notes())


def test_texts_and_json() -> None:
    known = table(records())
    assert all(len(line.texts()) == len(known.columns) for line in known.lines)
    assert known.lines[0].texts()[:3] == ("dm", "hard", "10")
    assert known.lines[0].texts()[3].startswith("66.0 ± ")
    assert known.lines[2].texts()[3] == "—"
    first = json.loads(json.dumps(known.dictionaries()))[0]
    assert first["accuracy"]["mean"] == pytest.approx(0.66)
    assert first["accuracy"]["n"] == 2


def test_no_rows_are_an_error() -> None:
    with pytest.raises(EvidenceError, match="no rows"):
        table(Records(()))


def test_columns_that_say_nothing_or_do_not_fit_are_left_out() -> None:
    heads, rows, hidden = table(records()).fitting(400)
    assert "gain over\nrandom" in heads
    assert "failed" in heads
    assert "worst\nconfiguration" not in heads  # there is one configuration only
    assert not hidden
    alone = table(Records.of([row(0.5)]))
    heads, rows, hidden = alone.fitting(400)
    assert heads == ("method", "labels", "per\nclass", "accuracy", "selected", "sets ×\nnetworks")
    assert rows == [("dm", "hard", "10", "50.0", "50.0", "1 × 1")]
    heads, rows, hidden = alone.fitting(36)
    assert hidden == ("selected", "sets × networks")
    assert [len(cells) for cells in rows] == [len(heads)]
