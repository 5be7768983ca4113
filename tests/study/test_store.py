"""The store returns what it was given, and upgrades what an earlier version wrote."""

import sqlite3

import pytest

from limbeck.errors import DirectoryError
from limbeck.evaluation.records import Records
from limbeck.study import Estimate, Outcome, estimate, run
from limbeck.study.store import Store
from tests.study.study_fakes import FakeWork, row, small_study


def runs():
    return tuple(small_study().distillations())


def test_rows_come_back_exactly(tmp_path):
    records = tuple(row(seed=i) for i in range(40))
    first = runs()[0]
    with Store(tmp_path / "r.sqlite") as store:
        store.wish(runs())
        store.finish(first, Outcome("done", records, {"iterations": 3}, 2.5))
        store.finish(first, Outcome("done", records, {"iterations": 3}, 2.5))  # doing it twice replaces, never doubles
    with Store(tmp_path / "r.sqlite", readonly=True) as store:
        found = store.rows()
        assert Records.of(r for *_, r in found).to_json() == Records.of(records).to_json()
        assert [(n, i) for n, i, _ in found] == [(first.name, i) for i in range(40)]
        entry = store.entries()[0]
        assert (entry.run, entry.state, entry.facts, entry.seconds) == (first, "done", {"iterations": 3}, 5.0)
        assert [e.state for e in store.entries()[1:]] == ["open"] * 7


def test_half_a_transaction_is_none(tmp_path):
    class Refused(Exception):
        pass

    def rows():
        yield row(seed=0)
        raise Refused

    with Store(tmp_path / "r.sqlite") as store:
        store.wish(runs())
        entry = store.entries()[0]
        with pytest.raises(Refused):
            store.insert([(entry, Several(rows))])
        assert store.rows() == []
        assert store.entries()[0].state == "open"


class Several(tuple):
    """A sequence that breaks while it is read."""

    def __new__(cls, rows):
        self = super().__new__(cls)
        self.rows = rows
        return self

    def __iter__(self):
        return self.rows()


def test_a_store_without_a_newer_column(tmp_path):
    with Store(tmp_path / "r.sqlite") as store:
        store.wish(runs())
        store.finish(runs()[0], Outcome("done", (row(),)))
    database = sqlite3.connect(tmp_path / "r.sqlite")
    database.execute("ALTER TABLE rows DROP COLUMN recipe")
    database.commit()
    database.close()
    with Store(tmp_path / "r.sqlite") as store:
        assert store.rows()[0][2].recipe == ""


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DirectoryError, match="cannot be used"):
        Store(tmp_path / "no" / "r.sqlite")


def test_estimate(tmp_path):
    found = estimate(small_study(), tmp_path / "s", work=FakeWork(piece=1.0))
    assert found == Estimate({"full data": 1, "distil": 8, "evaluate": 32}, 0, 113.0, found.disk, 1.0)
    assert "41 runs (1 × full data, 8 × distil, 32 × evaluate)" in found.sentence
    assert not (tmp_path / "s").exists()
    assert found.disk > 12 * 10 * 1000
    run(small_study(), tmp_path / "s", work=FakeWork(refuse="evaluate dm lr=2.0, 2 a class, seed 1"))
    later = estimate(small_study(), tmp_path / "s", work=FakeWork())
    assert later.done == 37
    assert later.seconds < 1  # from what the finished runs took
