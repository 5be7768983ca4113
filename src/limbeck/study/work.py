"""The contract between a study and what it does: a run and its place become an outcome."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from limbeck.evaluation.records import Record
from limbeck.study.runs import Run
from limbeck.study.study import Study
from limbeck.training.configuration import Configuration

__all__ = ["Description", "Outcome", "Place", "Work"]


@dataclass(frozen=True)
class Description:
    """What has to be known of the data before a study can be laid out.

    fingerprint:    of the task (content and split).
    configurations: the evaluation's, resolved; None is the set's own recipe. references: those of the full data.
    set_bytes:      disk that one stored example takes. row_bytes: that one record takes.
    """

    fingerprint: str
    classes: int
    configurations: tuple[Configuration | None, ...]
    references: tuple[Configuration, ...]
    set_bytes: int = 0
    row_bytes: int = 0


@dataclass(frozen=True)
class Place:
    """Where and how long a run works.

    directory: of the study. until: seconds after which the run stops where it can go on, to be called again.
    most:      seconds after which it is given up.
    facts:     of the runs that this one needs, by their names.
    """

    directory: Path
    until: float = 600.0
    most: float = 1800.0
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def set_of(self, run: Run) -> Path:
        """The directory of the synthetic set that ``run`` makes."""
        return self.directory / "sets" / run.name

    def pieces_of(self, run: Run) -> Path:
        """The directory of what is done of ``run`` while it is not done."""
        return self.directory / "pieces" / run.name


@dataclass(frozen=True)
class Outcome:
    """What came of a run: "done", "more" (stopped where it can go on), or "failed" with a sentence.

    facts: plain JSON data to keep (iterations, bytes …). seconds: spent in this call.
    """

    state: Literal["done", "more", "failed"]
    rows: tuple[Record, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    failure: str = ""


class Work(ABC):
    """A value that can be sent to another process."""

    @abstractmethod
    def describe(self, study: Study) -> Description:
        """Open the data, check all that can be checked before work begins, resolve names. Raises LimbeckError."""

    @abstractmethod
    def perform(self, run: Run, place: Place) -> Outcome:
        """Do ``run``, or go on with it. Whatever it leaves on disk is whole or absent. Raises LimbeckError."""

    @abstractmethod
    def predict(self, run: Run, place: Place) -> float:
        """Seconds that ``run`` will take, from a measurement of a few seconds at most."""

    @abstractmethod
    def longest(self, run: Run, place: Place) -> float:
        """Seconds of the longest piece of ``run`` that nothing can stop within, predicted."""

    @abstractmethod
    def present(self, run: Run, place: Place) -> bool:
        """True where the files that ``run`` leaves are there (always, for a run that leaves none)."""
