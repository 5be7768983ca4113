"""Workers: one process each, so that one that dies takes nothing along but its own run."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import final

from limbeck.errors import LimbeckError
from limbeck.study.runs import Run
from limbeck.study.work import Outcome, Place, Work

__all__ = ["InProcess", "Worker", "WorkerProcess", "attempt", "given_up", "settle"]


def attempt(work: Work, run: Run, place: Place) -> Outcome:
    """Perform ``run``; a failure is an outcome too, so that the study goes on without it."""
    began = time.perf_counter()
    try:
        return work.perform(run, place)
    except LimbeckError as error:
        return Outcome("failed", failure=str(error), seconds=time.perf_counter() - began)
    except Exception as error:  # a defect of one run must not cost the others; the log keeps where it was
        where = traceback.extract_tb(error.__traceback__)[-1]
        sentence = f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}, line {where.lineno})"
        return Outcome("failed", failure=sentence, seconds=time.perf_counter() - began)


class Worker(ABC):
    """Takes one run at a time."""

    @abstractmethod
    def submit(self, work: Work, run: Run, place: Place) -> "Future[Outcome]":
        """Begin ``run``; the future raises BrokenProcessPool when the worker died of it."""

    @abstractmethod
    def kill(self) -> None:
        """End the run that it is at, and the worker with it: the future raises BrokenProcessPool."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the worker; what it is doing is lost (a distillation goes on from its checkpoint)."""


@final
class InProcess(Worker):
    """Works in the driver itself, while it is asked."""

    def __init__(self, threads: int | None) -> None:
        import torch

        self._before = torch.get_num_threads()
        if threads is not None:
            torch.set_num_threads(threads)

    def submit(self, work: Work, run: Run, place: Place) -> "Future[Outcome]":
        future: Future[Outcome] = Future()
        try:
            with _alarmed(place.most):
                outcome = attempt(work, run, place)
        except LimbeckError as error:  # the alarm rang between the end of the run and its own
            outcome = Outcome("failed", failure=str(error))
        future.set_result(outcome)
        return future

    def kill(self) -> None:
        """Nothing: it has ended its run before anybody can ask for this."""

    def close(self) -> None:
        import torch

        torch.set_num_threads(self._before)


@final
class WorkerProcess(Worker):
    """A process of its own (spawned: threads and CUDA do not survive a fork). Once it died, close it, make another."""

    def __init__(self, threads: int | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=settle, initargs=(threads,))
        self._pid = self._pool.submit(os.getpid)
        self._dead = False

    def submit(self, work: Work, run: Run, place: Place) -> "Future[Outcome]":
        try:
            future = self._pool.submit(attempt, work, run, place)
        except BrokenProcessPool as error:  # it died while it was idle
            future = Future()
            future.set_exception(error)
        future.add_done_callback(self._notice)
        return future

    def kill(self) -> None:
        with contextlib.suppress(BrokenProcessPool, OSError, TooLong):
            os.kill(self._pid.result(timeout=60), getattr(signal, "SIGKILL", signal.SIGTERM))

    def close(self) -> None:
        with contextlib.suppress(BrokenProcessPool, OSError, TooLong):
            pid = self._pid.result(timeout=60)
            if not self._dead:
                os.kill(pid, signal.SIGTERM)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _notice(self, future: "Future[Outcome]") -> None:
        if not future.cancelled():
            self._dead |= isinstance(future.exception(), BrokenProcessPool)


@contextlib.contextmanager
def _alarmed(seconds: float) -> Iterator[None]:
    """An alarm that ends the body as a failure; where the system has none, or not here, the body runs through."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: object) -> None:
        raise LimbeckError(given_up(seconds))

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def given_up(seconds: float) -> str:
    """Why a run that took more than ``seconds`` in one go is a failure."""
    took = f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.3g} s"
    return (
        f"it was given up after {took}, twice the study's unit: use a smaller network or size, or give the study a "
        "larger unit (unit: 1h)."
    )


def settle(threads: int | None) -> None:
    """Settle in: the driver alone answers Ctrl-C, and a worker whose driver is gone goes too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _leave_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
