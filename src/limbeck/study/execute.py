"""The driver: hands runs to workers, keeps what they bring, and can be killed at any moment."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, final

from limbeck.errors import MismatchError
from limbeck.study.directory import StudyDirectory
from limbeck.study.pace import Paces
from limbeck.study.runs import EvaluateRun, Run
from limbeck.study.store import Store
from limbeck.study.study import Execution, Study
from limbeck.study.work import Description, Outcome, Place, Work
from limbeck.study.workers import InProcess, Worker, WorkerProcess

__all__ = ["StudyProgress", "Summary", "default_work", "lay_out", "run"]

MOST_DEATHS = 3  # of the workers that do one run
UNIT = 600.0  # seconds after which a distillation is put back at a checkpoint


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
    unit: float = UNIT,
) -> Summary:
    """Do all runs of ``study`` that are not done, and come back when they are, or after about ``seconds``.

    directory: the study's own; runs found done there are not done again. Failed ones are tried again.
    work:      what a run does (the default distils and evaluates).
    unit:      seconds after which a distillation is put back at a checkpoint.

    Raises DirectoryError (another study's directory, another driver, a full disk), MismatchError (other data), and
    whatever is wrong with the study before any work begins. A run's own failure is kept in the store and the summary.
    """
    began = time.monotonic()
    home = StudyDirectory(directory)
    chosen = work if work is not None else default_work()
    description = chosen.describe(study)  # whatever is wrong with the study is said before anything is written
    with home.driven():
        home.claim(study)
        with home.store() as store:
            runs = lay_out(study, home, store, description)
            driver = _Driver(home, store, chosen, runs, watch)
            home.log("begin", **driver.counts())
            try:
                driver.drive(study.execution, unit, float("inf") if seconds is None else began + seconds)
            finally:
                home.log("end", **driver.counts())
            return driver.summary()


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
        self._begun, self._workers = False, 1
        self._deaths: dict[str, int] = {}
        self._spent: dict[str, float] = {}  # on runs that were put back at a checkpoint
        self._paces = Paces()
        for entry in entries:
            if entry.state == "done":
                self._paces.add(self._runs[entry.name].group, entry.seconds)
        self._reopen()
        self._open = Counter(self._runs[n].group for n, state in self._state.items() if state == "open")

    def drive(self, execution: Execution, unit: float, ends: float) -> None:
        """Work until nothing can begin any more, or until the monotonic clock shows ``ends``."""
        workers = {_worker(execution) for _ in range(execution.processes)} if "open" in self._state.values() else set()
        idle, self._workers = list(workers), execution.processes
        flying: dict[Future[Outcome], tuple[Worker, str]] = {}
        try:
            while True:
                while idle and (name := self._next({n for _, n in flying.values()}, ends)) is not None:
                    self._begun = True
                    worker = idle.pop()
                    self._tell([*(n for _, n in flying.values()), name])
                    flying[worker.submit(self._work, self._runs[name], self._place(name, unit, ends))] = (worker, name)
                if not flying:
                    break
                for future in wait(flying, timeout=1.0, return_when=FIRST_COMPLETED).done:
                    worker, name = flying.pop(future)
                    if not self._take(name, future):
                        worker.close()
                        workers.remove(worker)
                        worker = _worker(execution)
                        workers.add(worker)
                    idle.append(worker)
                self._tell([n for _, n in flying.values()])
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
        return Place(self._home.path, min(unit, max(ends - time.monotonic(), 1.0)), facts)

    def _blocked(self, name: str) -> bool:
        return any(self._state[n] == "failed" or self._blocked(n) for n in self._needs[name])

    # -- what came -----------------------------------------------------------------------------------------------------

    def _take(self, name: str, future: "Future[Outcome]") -> bool:
        """Keep what came of a run; False where its worker died."""
        taken = self._runs[name]
        try:
            outcome = future.result()
        except BrokenProcessPool:
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

    def _keep(self, name: str, outcome: Outcome) -> None:
        taken = self._runs[name]
        self._store.finish(taken, _stamped(taken, outcome))
        before = self._facts[name].get("content")
        if before not in (None, outcome.facts.get("content")):
            self._home.log("other bytes", run=name, title=taken.title)  # made again on another kind of machine
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
