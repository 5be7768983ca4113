"""Beforehand: how many runs, how long, how much disk."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from limbeck.study.directory import StudyDirectory
from limbeck.study.execute import default_work, first_of_groups
from limbeck.study.pace import Paces
from limbeck.study.runs import DistilRun, EvaluateRun, ReferenceRun, Run
from limbeck.study.store import Entry
from limbeck.study.study import Study
from limbeck.study.work import Description, Place, Work

__all__ = ["Estimate", "estimate"]


@final
@dataclass(frozen=True)
class Estimate:
    """What a study will take from here.

    runs:    of each kind, in all. done: of them. seconds: of this machine's time until all is done.
    disk:    bytes that the whole study takes. longest: seconds of the longest piece of work that cannot stop within.
    """

    runs: dict[str, int]
    done: int
    seconds: float
    disk: int
    longest: float

    @property
    def sentence(self) -> str:
        """For people."""
        total = sum(self.runs.values())
        kinds = ", ".join(f"{count} × {kind}" for kind, count in self.runs.items())
        took = f"{self.seconds / 3600:.1f} h" if self.seconds > 5400 else f"{self.seconds / 60:.1f} min"
        there = f", {self.done} of them done" if self.done else ""
        return f"{total} runs ({kinds}){there}: about {took} from here and {self.disk / 1e6:.1f} MB of disk."


def estimate(study: Study, directory: str | Path, *, work: Work | None = None) -> Estimate:
    """How many runs, how long, how much disk. Rates come from runs that are done, else from measurements of seconds.

    directory: the study's; it need not exist, and nothing is written. Raises what :func:`limbeck.study.run` would raise
    about the study before work begins.
    """
    chosen = work if work is not None else default_work()
    description = chosen.describe(study)
    runs = study.runs(description.configurations, description.references)
    entries = _entries(directory)
    paces = Paces()
    for run in runs:
        if run.name in entries:
            paces.add(run.group, entries[run.name].seconds)
    left = [run for run in runs if run.name not in entries]
    seconds = 0.0
    for group, count in Counter(run.group for run in left).items():
        if not paces.knows(group):
            first = next(run for run in left if run.group == group)
            paces.add(group, chosen.predict(first, Place(Path(directory))))
        each = paces.seconds({group: 1}) or 0.0
        seconds += count * each
    kinds = Counter(_KINDS.get(type(run), "pace") for run in runs)
    return Estimate(
        runs=dict(kinds),
        done=len(runs) - len(left),
        seconds=seconds / study.execution.processes,
        disk=_disk(runs, description),
        longest=max((chosen.longest(run, Place(Path(directory))) for run in first_of_groups(left)), default=0.0),
    )


_KINDS: dict[type[Run], str] = {DistilRun: "distil", EvaluateRun: "evaluate", ReferenceRun: "full data"}


def _entries(directory: str | Path) -> dict[str, Entry]:
    home = StudyDirectory(directory)
    if not home.results.exists():
        return {}
    with home.store(readonly=True) as store:
        return {e.name: e for e in store.entries() if e.state == "done"}


def _disk(runs: Sequence[Run], description: Description) -> int:
    stored = sum(run.per_class * description.classes for run in runs if isinstance(run, DistilRun))
    rows = sum(len(run.seeds) * len(run.splits) for run in runs if isinstance(run, EvaluateRun | ReferenceRun))
    folders = sum(isinstance(run, DistilRun) for run in runs)
    return stored * description.set_bytes + rows * description.row_bytes + folders * 40_000 + len(runs) * 3_000
