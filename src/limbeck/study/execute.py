"""The driver: hands runs to workers, keeps what they bring, and can be killed at any moment."""

import math
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, final

from limbeck.errors import MismatchError, OptionError
from limbeck.study.directory import StudyDirectory
from limbeck.study.pace import Paces
from limbeck.study.runs import EvaluateRun, Run
from limbeck.study.store import Store
from limbeck.study.study import Execution, Study
from limbeck.study.work import Description, Outcome, Place, Work
from limbeck.study.workers import InProcess, Worker, WorkerProcess, given_up

__all__ = ["StudyProgress", "Summary", "default_work", "lay_out", "run"]

MOST_DEATHS = 3  # of the workers that do one run
STOP = 2 / 3  # of a unit, after which a run is to stop where it can go on: the rest is for what cannot stop
GIVEN_UP = 2  # units, after which a run that did not stop is a failure


class StudyProgress(NamedTuple):
    """What a running study tells whoever watches. ``seconds_left`` is None until a run of each kind is known."""

    done: int
    total: int
    failed: int
    seconds_left: float | None
    current: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """How a session ended. failures: (what, sentence). waiting: runs that need a failed one. open: still to be done."""

    total: int
    done: int
    failures: tuple[tuple[str, str], ...]
    waiting: int
    open: int

    @property
    def complete(self) -> bool:
        """True where every run is done."""
        return self.done == self.total


def _unwatched(progress: StudyProgress) -> None:
    del progress


def run(
    study: Study,
    directory: str | Path,
    *,
    work: Work | None = None,
    watch: Callable[[StudyProgress], None] = _unwatched,
    seconds: float | None = None,
    unit: float | None = None,
) -> Summary:
    """Do all runs of ``study`` that are not done, and come back when they are, or after about ``seconds``.

    directory: the study's own; runs found done there are not done again. Failed ones are tried again.
    work:      what a run does (the default distils and evaluates).
    unit:      seconds after which a run stops where it can go on; None: two thirds of the study's unit.

    Raises DirectoryError (another study's directory, another driver, a full disk), MismatchError (other data), and
    whatever is wrong with the study before any work begins. A run's own failure is kept in the store and the summary.
    """
    began = time.monotonic()
    home = StudyDirectory(directory)
    chosen = work if work is not None else default_work()
    description = chosen.describe(study)  # whatever is wrong with the study is said before anything is written
    _check_pieces(study, chosen, description, home)
    with home.driven():
        home.claim(study)
        with home.store() as store:
            runs = lay_out(study, home, store, description)
            driver = _Driver(home, store, chosen, runs, watch)
            home.log("begin", **driver.counts())
            stop = STOP * study.execution.unit if unit is None else unit
            try:
                driver.drive(study.execution, stop, float("inf") if seconds is None else began + seconds)
            finally:
                home.log("end", **driver.counts())
            return driver.summary()


def first_of_groups(runs: Iterable[Run]) -> tuple[Run, ...]:
    """One run for all those that take equally long."""
    found: dict[str, Run] = {}
    for run in runs:
        found.setdefault(run.group, run)
    return tuple(found.values())


def _check_pieces(study: Study, work: Work, description: Description, home: StudyDirectory) -> None:
    """OptionError where something that cannot stop on the way is longer than the study's unit."""
    for each in first_of_groups(study.runs(description.configurations, description.references)):
        longest, unit = work.longest(each, Place(home.path)), study.execution.unit
        if longest > unit:
            raise OptionError(
                f"one piece of '{each.title}' takes about {longest / 60:.0f} minutes, and no unit of this study is to "
                f"take more than {unit / 60:.3g}: use a smaller network or fewer examples, or give the study a larger "
                f"unit (unit: {math.ceil(longest / 60)}m)."
            )


def lay_out(study: Study, home: StudyDirectory, store: Store, description: Description) -> tuple[Run, ...]:
    """Check that the data is still the same, enter the study's runs in the store, and return them in order."""
    known = store.meta("fingerprint")
    if known is not None and known != description.fingerprint:
        raise MismatchError(
            f"the data of '{home.path}' was {known[:12]}… and is {description.fingerprint[:12]}… now: its rows cannot "
            "be compared, so mend the source or choose another directory."
        )
    runs = study.runs(description.configurations, description.references)
    store.wish(runs)
    store.set_meta("fingerprint", description.fingerprint)
    return runs


def default_work() -> Work:
    """What runs do unless told otherwise: distil and evaluate."""
    from limbeck.study.perform import RealWork

    return RealWork()


def _worker(execution: Execution) -> Worker:
    return InProcess(execution.threads) if execution.processes == 1 else WorkerProcess(execution.threads)


class _Flight(NamedTuple):
    """A run that a worker is at, and since when (monotonic clock)."""

    worker: Worker
    name: str
    begun: float


@final
class _Driver:
    """One session. Invariant: a run is in the store as done or failed, or with one worker, or it will be handed out."""

    def __init__(
        self,
        home: StudyDirectory,
        store: Store,
        work: Work,
        runs: Sequence[Run],
        watch: Callable[[StudyProgress], None],
    ) -> None:
        self._home, self._store, self._work, self._watch = home, store, work, watch
        self._runs = {r.name: r for r in runs}
        self._needs = {name: tuple(need.name for need in r.needs) for name, r in self._runs.items()}
        entries = store.entries(wished=True)
        self._facts = {e.name: e.facts for e in entries}
        self._state: dict[str, str] = {e.name: "done" if e.state == "done" else "open" for e in entries}
        self._failures: dict[str, str] = {}
        self._begun, self._workers, self._most = False, 1, math.inf
        self._given_up: set[str] = set()
        self._deaths: dict[str, int] = {}
        self._spent: dict[str, float] = {}  # on runs that were put back at a checkpoint
        self._paces = Paces()
        for entry in entries:
            if entry.state == "done":
                self._paces.add(self._runs[entry.name].group, entry.seconds)
        self._reopen()
        self._sweep()
        self._open = Counter(self._runs[n].group for n, state in self._state.items() if state == "open")

    def drive(self, execution: Execution, unit: float, ends: float) -> None:
        """Work until nothing can begin any more, or until the monotonic clock shows ``ends``."""
        workers = {_worker(execution) for _ in range(execution.processes)} if "open" in self._state.values() else set()
        idle, self._workers, self._most = list(workers), execution.processes, GIVEN_UP * execution.unit
        flying: dict[Future[Outcome], _Flight] = {}
        try:
            while True:
                while idle and (name := self._next({n for _, n, _ in flying.values()}, ends)) is not None:
                    self._begun = True
                    worker, begun = idle.pop(), time.monotonic()
                    self._tell([*(n for _, n, _ in flying.values()), name])
                    future = worker.submit(self._work, self._runs[name], self._place(name, unit, ends))
                    flying[future] = _Flight(worker, name, begun)
                if not flying:
                    break
                for future in wait(flying, timeout=min(1.0, self._most), return_when=FIRST_COMPLETED).done:
                    worker, name, _ = flying.pop(future)
                    if not self._take(name, future):
                        worker.close()
                        workers.remove(worker)
                        worker = _worker(execution)
                        workers.add(worker)
                    idle.append(worker)
                self._give_up(flying.values())
                self._tell([n for _, n, _ in flying.values()])
        finally:
            for worker in workers:
                worker.close()
        self._tell([])

    def counts(self) -> dict[str, int]:
        """Runs by state."""
        states = list(self._state.values())
        return {"runs": len(states), **{s: states.count(s) for s in ("done", "failed", "open")}}

    def summary(self) -> Summary:
        """Where the study stands."""
        counts = self.counts()
        waiting = sum(state == "open" and self._blocked(name) for name, state in self._state.items())
        failures = tuple((self._runs[n].title, sentence) for n, sentence in self._failures.items())
        return Summary(counts["runs"], counts["done"], failures, waiting, counts["open"] - waiting)

    # -- what next -----------------------------------------------------------------------------------------------------

    def _reopen(self) -> None:
        """Sets that are gone (a fresh checkout) are made again, but only those that a run still needs."""
        place = Place(self._home.path)
        needed = {n for name, state in self._state.items() if state == "open" for n in self._needs[name]}
        gone = [n for n in self._runs if n in needed and self._state[n] == "done"]
        gone = [n for n in gone if not self._work.present(self._runs[n], place)]
        self._store.reopen(gone)
        self._state.update(dict.fromkeys(gone, "open"))

    def _sweep(self) -> None:
        """Pieces of runs that are done: the session before was killed just before it would have removed them."""
        for name, state in self._state.items():
            if state == "done":
                self._forget(name)

    def _forget(self, name: str) -> None:
        shutil.rmtree(Place(self._home.path).pieces_of(self._runs[name]), ignore_errors=True)

    def _next(self, busy: set[str], ends: float) -> str | None:
        """The first run of the study that can begin now."""
        if self._begun and time.monotonic() > ends:  # the shortest session does one unit, so that sessions add up
            return None
        for name, state in self._state.items():
            if state == "open" and name not in busy and all(self._state[n] == "done" for n in self._needs[name]):
                return name
        return None

    def _place(self, name: str, unit: float, ends: float) -> Place:
        facts = {need: self._facts[need] for need in self._needs[name]}
        return Place(self._home.path, min(unit, max(ends - time.monotonic(), 1.0)), self._most, facts)

    def _blocked(self, name: str) -> bool:
        return any(self._state[n] == "failed" or self._blocked(n) for n in self._needs[name])

    # -- what came -----------------------------------------------------------------------------------------------------

    def _take(self, name: str, future: "Future[Outcome]") -> bool:
        """Keep what came of a run; False where its worker died."""
        taken = self._runs[name]
        try:
            outcome = future.result()
        except BrokenProcessPool:
            if name in self._given_up:
                self._fail(name, Outcome("failed", failure=given_up(self._most), seconds=self._most))
                return False
            deaths = self._deaths[name] = self._deaths.get(name, 0) + 1
            self._home.log("died", run=name, title=taken.title, times=deaths)
            if deaths >= MOST_DEATHS:
                sentence = (
                    f"its worker died {deaths} times (killed, or out of memory?): use fewer processes or less memory."
                )
                self._fail(name, Outcome("failed", failure=sentence))
            return False
        if outcome.state == "done":
            self._keep(name, outcome)
        elif outcome.state == "more":
            self._store.spend(taken, outcome.seconds)
            self._spent[name] = self._spent.get(name, 0.0) + outcome.seconds
        else:
            self._fail(name, outcome)
        return True

    def _give_up(self, flights: Iterable["_Flight"]) -> None:
        """End what should have stopped long ago, so that a run that hangs does not hang the study."""
        for worker, name, begun in flights:
            if name not in self._given_up and time.monotonic() - begun > self._most:
                self._given_up.add(name)
                worker.kill()

    def _keep(self, name: str, outcome: Outcome) -> None:
        taken = self._runs[name]
        self._store.finish(taken, _stamped(taken, outcome))
        before = self._facts[name].get("content")
        if before not in (None, outcome.facts.get("content")):
            self._home.log("other bytes", run=name, title=taken.title)  # made again on another kind of machine
        self._forget(name)
        self._state[name], self._facts[name] = "done", outcome.facts
        self._open[taken.group] -= 1
        self._paces.add(taken.group, outcome.seconds + self._spent.get(name, 0.0))
        self._home.log("done", run=name, title=taken.title, seconds=round(outcome.seconds, 3))

    def _fail(self, name: str, outcome: Outcome) -> None:
        self._store.fail(self._runs[name], outcome.failure, outcome.seconds)
        self._state[name], self._failures[name] = "failed", outcome.failure
        self._open[self._runs[name].group] -= 1
        self._home.log("failed", run=name, title=self._runs[name].title, why=outcome.failure)

    def _tell(self, current: Sequence[str]) -> None:
        counts = self.counts()
        left = self._paces.seconds(self._open)
        share = None if left is None else left / self._workers
        titles = tuple(self._runs[n].title for n in current)
        self._watch(StudyProgress(counts["done"], counts["runs"], counts["failed"], share, titles))


def _stamped(finished: Run, outcome: Outcome) -> Outcome:
    """The rows under the study's names: the set is its run, the method is what the study calls it."""
    if not isinstance(finished, EvaluateRun):
        return outcome
    distil = finished.distil
    set_name, method = distil.name, distil.label or distil.method
    return replace(outcome, rows=tuple(replace(row, set=set_name, method=method) for row in outcome.rows))
