"""What a study has found: its records and its runs, from a store or from an export; read by report and laws."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import final

from limbeck.errors import ArtifactError
from limbeck.evaluation.records import Records
from limbeck.study.directory import StudyDirectory
from limbeck.study.exported import read_export
from limbeck.study.runs import DistilRun
from limbeck.study.store import Entry
from limbeck.study.study import Study

__all__ = ["Status", "StudyResults", "status"]


@final
@dataclass(frozen=True)
class StudyResults:
    """Records (references are method "full"), every run, and the study they belong to.

    directory: where the sets are; None for an export.
    """

    study: Study
    records: Records
    entries: tuple[Entry, ...]
    directory: Path | None = None

    @staticmethod
    def load(path: str | Path) -> "StudyResults":
        """From a study's directory (a driver may be at work), or from an export. Raises ArtifactError."""
        if Path(path).is_dir():
            home = StudyDirectory(path)
            study = home.study()
            with home.store(readonly=True) as store, store.snapshot():
                wished = bool(store.entries(wished=True))  # just imported: nothing is asked for yet, all is shown
                records = Records.of(record for *_, record in store.rows(wished=wished))
                return StudyResults(study, records, tuple(store.entries(wished=wished)), home.path)
        if not Path(path).exists():
            raise ArtifactError(f"'{path}' is not there: give a study's directory, or a file that its export wrote.")
        found = read_export(path)
        rows = [row for _, rows in found.finished for row in rows]
        return StudyResults(found.study, Records.of(rows), tuple(entry for entry, _ in found.finished))

    def iterations(self) -> dict[tuple[str, int], int]:
        """Iterations of each (method as the study calls it, size) whose distillation has any."""
        found = {}
        for entry in self.entries:
            run = entry.run if entry.kind == "DistilRun" else None
            if isinstance(run, DistilRun) and entry.facts.get("iterations") is not None:
                found[run.label or run.method, run.per_class] = int(entry.facts["iterations"])
        return found

    def set_directories(self) -> dict[str, Path]:
        """Where the sets are that are there, by the ``set`` of their records."""
        if self.directory is None:
            return {}
        folders = {e.name: self.directory / "sets" / e.name for e in self.entries if e.kind == "DistilRun"}
        return {name: folder for name, folder in folders.items() if (folder / "card.json").exists()}


@final
@dataclass(frozen=True)
class Status:
    """Where a study stands: runs by state, rows, seconds of work, and why runs failed (what, sentence)."""

    done: int
    failed: int
    open: int
    rows: int
    seconds: float
    failures: tuple[tuple[str, str], ...]

    @property
    def sentence(self) -> str:
        """For people."""
        total = self.done + self.failed + self.open
        trouble = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {total} runs done{trouble}, {self.rows} rows, {self.seconds / 60:.1f} minutes of work."


def status(directory: str | Path) -> Status:
    """Where the study of ``directory`` stands; a driver may be at work. Raises ArtifactError where there is none."""
    results = StudyResults.load(directory)
    counts = Counter(e.state for e in results.entries)
    failures = tuple((e.title, e.failure) for e in results.entries if e.state == "failed")
    seconds = sum(e.seconds for e in results.entries)
    return Status(counts["done"], counts["failed"], counts["open"], len(results.records), seconds, failures)
