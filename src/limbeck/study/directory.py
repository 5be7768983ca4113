"""A study's directory: which study it belongs to, who drives it, and its log.

``study.json`` the frozen study · ``results.sqlite`` the store · ``sets/<run>/`` the synthetic sets ·
``teachers/`` trained teachers · ``pieces/<run>/`` runs that stopped on the way · ``log.jsonl`` one line an event.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limbeck.errors import ArtifactError, DirectoryError, LimbeckError
from limbeck.files import check_place, write_atomically
from limbeck.study.store import Store
from limbeck.study.study import Study
from limbeck.values import canonical, decode, encode

__all__ = ["StudyDirectory", "locked"]


class StudyDirectory:
    """The paths of one study."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def spec(self) -> Path:
        """The frozen study."""
        return self.path / "study.json"

    @property
    def results(self) -> Path:
        """The store's file."""
        return self.path / "results.sqlite"

    def store(self, *, readonly: bool = False) -> Store:
        """The store, opened."""
        return Store(self.results, readonly=readonly)

    def study(self) -> Study:
        """The study that the directory belongs to. Raises ArtifactError where it is missing or damaged."""
        if not self.spec.is_file():
            raise ArtifactError(
                f"'{self.path}' holds no study: run one with --out {self.path}, or import an export into it."
            )
        try:
            study = decode(json.loads(self.spec.read_text(encoding="utf-8")))
        except (ValueError, TypeError, LimbeckError) as error:
            raise ArtifactError(f"'{self.spec}' is damaged ({error}): write the study's file there again.") from error
        if not isinstance(study, Study):
            raise ArtifactError(f"'{self.spec}' holds a {type(study).__name__} and no study.")
        return study

    def check(self) -> None:
        """DirectoryError where the directory cannot become a study's, because it holds something else."""
        if self.path.exists() and not self.path.is_dir():
            raise DirectoryError(f"'{self.path}' is a file: choose another directory.")
        check_place(self.path)
        if self.spec.exists() or not self.path.exists():
            return
        if any(p.name not in _OWN for p in self.path.iterdir() if not p.name.startswith(".")):
            raise DirectoryError(f"'{self.path}' is not empty and holds no study: choose another directory.")

    def claim(self, study: Study) -> None:
        """Make the directory the study's, or check that it is. Raises DirectoryError where it belongs to another."""
        self.check_same(study)
        write_atomically(self.spec, (canonical(study) + "\n").encode())

    def check_same(self, study: Study) -> None:
        """DirectoryError where the directory belongs to another study, or cannot become this one's."""
        self.check()
        if self.spec.exists():
            difference = _difference(encode(self.study().identity), encode(study.identity))
            if difference:
                raise DirectoryError(
                    f"'{self.path}' belongs to a study with another {difference}: choose another directory, and start "
                    "it from an export of this one to keep what they share."
                )

    @contextlib.contextmanager
    def driven(self) -> Iterator[None]:
        """Hold the right to write. Raises DirectoryError while another driver does."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise DirectoryError(f"'{self.path}' cannot be made ({why}): choose another directory.") from error
        with locked(self.path / ".driver.lock") as mine:
            if not mine:
                raise DirectoryError(f"'{self.path}' is being run by another process: wait for it, or stop it first.")
            yield

    def log(self, event: str, **facts: Any) -> None:
        """Append one line to ``log.jsonl``; a line torn by a kill is closed first."""
        path = self.path / "log.jsonl"
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts})
        with contextlib.suppress(OSError), path.open("ab+") as file:  # the log is a courtesy; the store is the record
            file.seek(max(0, file.seek(0, 2) - 1))
            torn = file.read(1) not in (b"", b"\n")
            file.write(("\n" if torn else "").encode() + line.encode() + b"\n")


_OWN = {"results.sqlite", "results.sqlite-wal", "results.sqlite-shm", "log.jsonl", "sets", "teachers", "pieces"}
_OWN |= {"study.json"}


@contextlib.contextmanager
def locked(path: Path, *, wait: float = 0.0) -> Iterator[bool]:
    """True while this process alone holds ``path``; False when another held it for all of ``wait`` seconds.

    An SQLite file carries the lock, because the system gives it back when its holder is killed, on every platform.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
            mine = True
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise DirectoryError(f"'{path}' cannot be locked ({error}): choose another directory.") from error
            mine = False
        yield mine
    finally:
        connection.close()


def _difference(old: Any, new: Any, at: str = "") -> str:
    """The path of the first key that differs, or ""."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*new, *old)):
            found = _difference(old.get(key), new.get(key), f"{at}.{key}".lstrip("."))
            if found:
                return found
        return ""
    return "" if old == new else at
