"""The store: an embedded database that survives ``kill -9`` with no row lost, doubled or torn.

Invariant: the rows of a run and its mark "done" are written in one transaction, and only the driver writes. So a run
has all of its rows or none, whatever is killed when.
"""

import contextlib
import dataclasses
import json
import math
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias

from limbeck.errors import ArtifactError, DirectoryError
from limbeck.evaluation.records import Record
from limbeck.study.runs import Run
from limbeck.study.work import Outcome
from limbeck.values import canonical, decode

__all__ = ["Entry", "State", "Store"]

State: TypeAlias = Literal["open", "done", "failed"]
_FIELDS = {f.name: f.type for f in dataclasses.fields(Record)}
_COLUMNS: dict[Any, str] = {int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, value TEXT NOT NULL, state TEXT NOT NULL,
    place INTEGER, seconds REAL NOT NULL DEFAULT 0, facts TEXT NOT NULL DEFAULT '{{}}',
    failure TEXT NOT NULL DEFAULT '', finished REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (
    run TEXT NOT NULL REFERENCES runs(run), row INTEGER NOT NULL,
    {", ".join(f'"{name}" {_COLUMNS.get(kind, "TEXT")}' for name, kind in _FIELDS.items())},
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Entry:
    """One run as the store knows it. ``place`` is its position in the study; None where no study asks for it now."""

    name: str
    kind: str
    title: str
    value: str
    state: State
    place: int | None
    seconds: float
    facts: Mapping[str, Any]
    failure: str

    @property
    def run(self) -> Run:
        """The run itself. Raises ArtifactError where this version does not know it."""
        run = decode(json.loads(self.value))
        if not isinstance(run, Run):
            raise ArtifactError(f"the store's entry {self.name} is a {type(run).__name__} and no run: it is damaged.")
        return run


class Store:
    """``results.sqlite`` of one study. ``readonly`` serves status and reports while a driver writes."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        if readonly and not path.exists():
            raise ArtifactError(f"'{path}' is not there: run the study first.")
        with _sentences(path):
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
            if readonly:
                self._db.execute("PRAGMA query_only = ON")
            else:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.executescript(_SCHEMA)
                self._add_columns()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    # -- what a study is ---------------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A stored text, or None."""
        with _sentences(self.path):
            found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def set_meta(self, key: str, text: str) -> None:
        """Store a text."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))

    def wish(self, runs: Sequence[Run]) -> None:
        """Enter the runs of a study in their order; those that are there keep what they have."""
        entries = [(r.name, type(r).__name__, r.title, canonical(r), i) for i, r in enumerate(runs)]
        with self._transaction() as db:
            db.execute("UPDATE runs SET place = NULL")
            db.executemany(
                "INSERT INTO runs (run, kind, title, value, state, place) VALUES (?, ?, ?, ?, 'open', ?) "
                "ON CONFLICT (run) DO UPDATE SET place = excluded.place, title = excluded.title, "
                "value = excluded.value",
                entries,
            )

    # -- what came of it ---------------------------------------------------------------------------------------------

    def finish(self, run: Run, outcome: Outcome) -> None:
        """Keep a done run's rows, facts and mark, all or nothing; a run that was done before is replaced whole."""
        entry = Entry(
            run.name, type(run).__name__, run.title, canonical(run), "done", None, outcome.seconds, outcome.facts, ""
        )
        self.insert([(entry, outcome.rows)])

    def insert(self, finished: Iterable[tuple[Entry, Sequence[Record]]]) -> None:
        """Keep done runs with their rows, in one transaction."""
        with self._transaction() as db:
            for entry, rows in finished:
                db.execute(
                    "INSERT INTO runs (run, kind, title, value, state, seconds, facts, finished) "
                    "VALUES (?, ?, ?, ?, 'done', ?, ?, ?) ON CONFLICT (run) DO UPDATE SET state = 'done', "
                    "failure = '', seconds = seconds + excluded.seconds, facts = excluded.facts, "
                    "finished = excluded.finished",
                    (
                        entry.name,
                        entry.kind,
                        entry.title,
                        entry.value,
                        entry.seconds,
                        json.dumps(dict(entry.facts)),
                        time.time(),
                    ),
                )
                db.execute("DELETE FROM rows WHERE run = ?", (entry.name,))
                marks = ", ".join("?" * (2 + len(_FIELDS)))
                names = ", ".join(f'"{name}"' for name in ("run", "row", *_FIELDS))
                cells = [(entry.name, i, *_cells(record)) for i, record in enumerate(rows)]
                db.executemany(f"INSERT INTO rows ({names}) VALUES ({marks})", cells)

    def fail(self, run: Run, sentence: str, seconds: float = 0.0) -> None:
        """Keep why a run failed; the next session tries it again."""
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET state = 'failed', failure = ?, seconds = seconds + ?, finished = ? WHERE run = ?",
                (sentence, seconds, time.time(), run.name),
            )

    def spend(self, run: Run, seconds: float) -> None:
        """Add the seconds of a session that ended at a checkpoint."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET seconds = seconds + ? WHERE run = ?", (seconds, run.name))

    def reopen(self, names: Iterable[str]) -> None:
        """Forget that these runs are done (their files are gone); their rows stay until they are done again."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE runs SET state = 'open', failure = '', seconds = 0 WHERE run = ?", [(n,) for n in names]
            )

    # -- reading -----------------------------------------------------------------------------------------------------

    def entries(self, *, wished: bool = False) -> list[Entry]:
        """All runs (or only those that the study asks for now), in the study's order."""
        where = "WHERE place IS NOT NULL" if wished else ""
        query = f"SELECT run, kind, title, value, state, place, seconds, facts, failure FROM runs {where}"
        with _sentences(self.path):
            found = self._db.execute(f"{query} ORDER BY place IS NULL, place, run").fetchall()
        return [
            Entry(n, k, t, v, s, p, seconds, json.loads(facts), why) for n, k, t, v, s, p, seconds, facts, why in found
        ]

    def rows(self, *, wished: bool = False) -> list[tuple[str, int, Record]]:
        """(run, row, record) of all done runs, in the study's order."""
        names = ", ".join(f'rows."{name}"' for name in _FIELDS)
        where = "AND runs.place IS NOT NULL" if wished else ""
        with _sentences(self.path):
            found = self._db.execute(
                f"SELECT rows.run, rows.row, {names} FROM rows JOIN runs USING (run) WHERE runs.state = 'done' {where} "
                "ORDER BY runs.place IS NULL, runs.place, rows.run, rows.row"
            ).fetchall()
        return [(run, row, _record(cells)) for run, row, *cells in found]

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reading inside sees one moment, whatever a driver writes meanwhile."""
        with _sentences(self.path):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    # -- underneath --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _sentences(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _add_columns(self) -> None:
        """A store of an earlier version lacks the fields that records have gained since."""
        there = {row[1] for row in self._db.execute("PRAGMA table_info(rows)")}
        for name, kind in _FIELDS.items():
            if name not in there:
                self._db.execute(f'ALTER TABLE rows ADD COLUMN "{name}" {_COLUMNS.get(kind, "TEXT")}')


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """SQLite's troubles as sentences."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise DirectoryError(
            f"'{path}' cannot be used ({error}): is the disk full, or the folder read-only?"
        ) from error
    except sqlite3.DatabaseError as error:
        raise ArtifactError(
            f"'{path}' is no store of a study ({error}): move it away and start from an export."
        ) from error


def _cells(record: Record) -> list[Any]:
    values = [getattr(record, name) for name in _FIELDS]
    return [json.dumps(list(v)) if isinstance(v, tuple) else v for v in values]


def _record(cells: Sequence[Any]) -> Record:
    """SQLite keeps NaN as NULL; a column that the store's version did not have yet takes the field's default."""
    given: dict[str, Any] = {}
    for (name, kind), cell in zip(_FIELDS.items(), cells, strict=True):
        if kind is float:
            given[name] = math.nan if cell is None else float(cell)
        elif kind in _COLUMNS:
            if cell is not None:
                given[name] = cell
        elif cell is not None:
            given[name] = tuple(json.loads(cell))
    return Record(**given)
