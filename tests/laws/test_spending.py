"""What a plan costs, from a study's sets, its data, or its runs."""

from pathlib import Path

import pytest
import torch
from planted import study

from limbeck.evaluation.records import Records
from limbeck.laws import gap_table, spending
from limbeck.laws.spending import seconds_of
from limbeck.laws.spending import spending as spent
from limbeck.laws.twice import doubled_for, doubled_names
from limbeck.study.results import StudyResults
from limbeck.study.runs import DistilRun, Source
from limbeck.study.store import Entry
from limbeck.study.study import MethodChoice, Study
from limbeck.values import canonical

ROWS = study(lambda k: 0.5 / k, sizes=(1, 2, 4, 8), seeds=2, networks=1)
TABLE = gap_table(ROWS)


def made(source: str, directory: Path | None = None, *entries: Entry, records: Records = ROWS) -> StudyResults:
    return StudyResults(Study("a", Source(source), (MethodChoice("dm"),)), records, entries, directory)


def entry(name: str, size: int, seconds: float, label: str = "") -> Entry:
    run = DistilRun(Source("digits"), "dm", (), size, 0, 100, label=label)
    return Entry(name, "DistilRun", "distil", canonical(run), "done", 0, seconds, {"iterations": 100}, "")


class Stored:
    """A set of 20 examples of 64 numbers, half as many by its factors, with soft labels of 10 classes."""

    stored_values = 20 * (32 + 10)
    targets = torch.zeros(20, 10)

    def __len__(self) -> int:
        return 20


@pytest.mark.parametrize(("labels", "each"), [("soft", 42.0), ("hard", 32.0)])
def test_numbers_are_those_of_the_methods_own_sets(
    labels: str, each: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dm", "other"):
        (tmp_path / "sets" / name).mkdir(parents=True)
        (tmp_path / "sets" / name / "card.json").touch()
    opened: list[str] = []

    def load(folder: Path) -> Stored:
        opened.append(folder.name)
        return Stored()

    monkeypatch.setattr(spending.SyntheticSet, "load", staticmethod(load))
    rows = Records.of(row if row.method == "full" else type(row)(**{**vars(row), "labels": labels}) for row in ROWS)
    results = made("nowhere", tmp_path, entry("other", 1, 1.0, "other"), entry("dm", 1, 1.0), records=rows)
    known = spent(results, gap_table(rows))
    assert known.each == each
    assert known.numbers(200) == 200 * each
    assert opened == ["dm"]


def test_an_export_knows_the_shape_where_its_data_are_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spent(made("digits"), TABLE).each == 64
    assert spent(made("digits"), TABLE, shape=(3, 4, 4)).each == 48
    monkeypatch.delenv("NOT_SET", raising=False)
    assert spent(made("idx:$NOT_SET/mnist"), TABLE).each is None
    assert spent(made("hub:far/away"), TABLE).each is None  # nothing is loaded for the sake of a shape
    assert spent(made("hub:far/away"), TABLE).numbers(10) is None


def test_seconds_are_a_line_through_those_of_the_study() -> None:
    results = made("digits", None, entry("a", 1, 3.0), entry("b", 3, 7.0), entry("c", 9, 100.0, "dm-twice"))
    pace = seconds_of(results, "dm")
    assert pace is not None
    assert pace(10.0) == pytest.approx(21.0)
    assert spent(results, TABLE).seconds(10.0) == pytest.approx(21.0)
    assert seconds_of(made("digits", None, entry("a", 1, 3.0)), "dm") is None


def test_what_is_twice_as_long_is_known_by_its_name() -> None:
    assert doubled_names(["dm", "dm-twice", "dsa", "random-twice"]) == {"dm": "dm-twice"}
    assert doubled_names(["dm", "dm, twice as long"]) == {"dm": "dm, twice as long"}
    again = Records.of(
        type(row)(**{**vars(row), "method": "dm-twice"}) for row in ROWS if row.method == "dm" and row.per_class == 8
    )
    assert doubled_for(ROWS + again, "dm") == "dm-twice"
    assert doubled_for(ROWS, "dm") is None
    far = Records.of(type(row)(**{**vars(row), "per_class": 99.0}) for row in again)
    assert doubled_for(ROWS + far, "dm") is None
