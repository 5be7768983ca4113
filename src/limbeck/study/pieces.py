"""What is done of a run that a session ended within: rows of the networks that were examined, stages of trainings."""

from collections.abc import Callable
from pathlib import Path
from typing import final

from limbeck.errors import ArtifactError
from limbeck.evaluation.records import Record, Records
from limbeck.training.stages import Paused, Stages

__all__ = ["Pieces"]


@final
class Pieces:
    """One run's ``directory`` of pieces, which is not there where the run is short and done in one session.

    ends: of this session, on the monotonic clock.
    """

    def __init__(self, directory: Path, ends: float) -> None:
        self.stages = Stages(directory, ends)
        self._path = directory / "rows.parquet"
        self._rows = {(row.split, row.seed): row for row in _kept(self._path)}
        self._fresh = False  # has this session made a row? Each makes one at least, so that every run ends

    def row(self, split: str, seed: int, make: Callable[[], Record]) -> Record:
        """The row that an earlier session has made, else the one made now. Raises Paused where time is over before."""
        if (split, seed) not in self._rows:
            if self.stages.late and self._fresh:
                Records.of(self._rows.values()).to_parquet(self._path)
                raise Paused
            self._rows[split, seed], self._fresh = make(), True
        return self._rows[split, seed]


def _kept(path: Path) -> Records:
    if not path.exists():
        return Records(())
    try:
        return Records.from_parquet(path)
    except ArtifactError:  # damaged: they are made again
        return Records(())
