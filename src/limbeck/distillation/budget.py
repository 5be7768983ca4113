"""A time budget becomes a number of iterations, once; it is stored, so that a repeated run has the same bytes."""

import time
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from limbeck import values
from limbeck.compilation import seconds_compiling
from limbeck.data.task import Task
from limbeck.distillation.distiller import Progress, Situation, stored_per_class
from limbeck.distillation.effort import labelling_seconds
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import OptionError

__all__ = ["PREPARES", "Timing", "iterations_for", "labels_after", "measured_timing", "parse_seconds"]

PREPARES = 5.0  # seconds before the first iteration from which on they are no mere warming up
COMPILED = 60.0  # seconds of a budget from which on compiling, which takes that long, may pay
KEPT = 0.2  # of the time to compile a graph that is left where it is found on disk: 2 s instead of 5 to 15
FEW = 20  # iterations of a run that is never compiled, for all that is measured of it
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_seconds(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``5m`` or ``2h``; OptionError otherwise."""
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].isalpha() else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except (ValueError, KeyError) as error:
        raise OptionError(f"'{text}' is no time budget: write 90s, 5m or 2h.") from error
    if not 0 < seconds < float("inf"):
        raise OptionError(f"a budget of '{text}' leaves no time: write 90s, 5m or 2h.")
    return seconds


class _Enough(Exception):
    pass


class Timing(NamedTuple):
    """What a run costs: seconds before its first iteration (networks that are trained first), of an iteration, and
    after the last one (labels), which are computed from sizes, not measured. Compiling stands apart: a process does
    it once."""

    before: float
    iteration: float
    after: float = 0.0
    compiling: float = 0.0

    def seconds(self, iterations: int) -> float:
        """Of a whole run in a process that has compiled already."""
        return self.before + iterations * self.iteration + self.after


def measured_timing(distiller: MatchingDistiller, task: Task, situation: Situation, *, spend: float) -> Timing:
    """Preparation, and the mean seconds of an iteration, measured for about ``spend`` seconds on a throw-away run.

    Preparation is measured whole, however long it takes. The first iteration warms up and is left out where there are
    others. The clock stands still while passes are compiled, which may happen in any iteration.
    """
    compiled = seconds_compiling()

    def clock() -> float:
        return time.perf_counter() - seconds_compiling()

    times = [clock()]

    def watch(progress: Progress) -> None:
        times.append(clock())
        enough = times[-1] - times[1] > spend and len(times) > 3
        if enough or progress.done == progress.total:  # labels would be made after the last
            raise _Enough

    trial = replace(situation, directory=None, watch=watch, until=None)
    with suppress(_Enough):
        values.replace(distiller, iterations=max(distiller.iterations, 4)).distill(task, trial)
    steps = [after - before for before, after in pairwise(times[1:])]
    each = sum(steps) / len(steps)
    before = max(0.0, times[1] - times[0] - each)
    return Timing(before, each, labels_after(distiller, task, situation), seconds_compiling() - compiled)


def labels_after(distiller: MatchingDistiller, task: Task, situation: Situation) -> float:
    """Computed seconds that labels take after the last iteration, on top of any budget."""
    multiplicity = distiller.parametrisation.multiplicity
    made = sum(stored_per_class(task, situation.per_class, multiplicity)) * multiplicity
    return labelling_seconds(
        task, distiller.labels, distiller.recipe, distiller.teacher, made=made, compute=situation.compute.resolve()
    )


def iterations_for(
    seconds: float, distiller: MatchingDistiller, task: Task, situation: Situation, *, apart: bool = False
) -> int:
    """How many iterations fit in ``seconds`` on this machine, at least 1.

    A tenth of the budget goes into measuring. What a method prepares (networks trained on real data) is taken off
    twice, because the measurement and the run both pay for it; once where the measurement stands ``apart``. Compiling
    is taken off once, because whoever comes first pays for it; a fifth of it where the measurement stands ``apart``,
    and the run finds the graphs on disk. Labels that are made after the last iteration come on top.
    Where what was measured was compiled and so short a run is not, or the other way round, it is measured again; a
    budget too small to compile in begins with passes that are not. Raises OptionError where preparing leaves nothing.
    """
    spend = min(0.1 * seconds, 20.0)
    if seconds < COMPILED:
        distiller = values.replace(distiller, iterations=min(distiller.iterations, FEW))
    found = _fitting(seconds, distiller, measured_timing(distiller, task, situation, spend=spend), apart)
    shorter = values.replace(distiller, iterations=found)
    if shorter.settled(task, situation) == distiller.settled(task, situation):
        return found
    return _fitting(seconds, shorter, measured_timing(shorter, task, situation, spend=spend), apart)


def _fitting(seconds: float, distiller: MatchingDistiller, timing: Timing, apart: bool) -> int:
    spend = min(0.1 * seconds, 20.0)
    compiling = timing.compiling * (KEPT if apart else 1.0)
    prepared = (timing.before if apart else 2 * timing.before) + compiling
    left = seconds - spend - prepared
    if left <= 0 and prepared > PREPARES:
        how = ", compiling among them," if compiling > PREPARES else ""
        raise OptionError(
            f"{distiller.name} spends {prepared:.0f} s{how} before its first iteration, and a budget of "
            f"{seconds:.0f} s leaves nothing after them: give at least {1.5 * prepared:.0f} s, or --set iterations=…"
        )
    return max(1, int(left / timing.iteration))
