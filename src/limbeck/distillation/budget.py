"""A time budget becomes a number of iterations, once; it is stored, so that a repeated run has the same bytes."""

import time
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from limbeck import values
from limbeck.data.task import Task
from limbeck.distillation.distiller import Progress, Situation
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import OptionError

__all__ = ["iterations_for", "parse_seconds", "seconds_an_iteration"]

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


def seconds_an_iteration(distiller: MatchingDistiller, task: Task, situation: Situation, *, spend: float) -> float:
    """Mean seconds of an iteration, measured for about ``spend`` seconds on a throw-away run.

    The first iteration warms up and is left out where there are others.
    """
    times = [time.perf_counter()]
    start = times[0]

    def watch(progress: Progress) -> None:
        times.append(time.perf_counter())
        if times[-1] - start > spend and len(times) > 3:
            raise _Enough

    trial = replace(situation, directory=None, watch=watch, until=None)
    with suppress(_Enough):
        values.replace(distiller, iterations=max(distiller.iterations, 4)).distill(task, trial)
    steps = [after - before for before, after in pairwise(times[1:])]
    return sum(steps) / len(steps) if steps else times[-1] - start


def iterations_for(seconds: float, distiller: MatchingDistiller, task: Task, situation: Situation) -> int:
    """How many iterations fit in ``seconds`` on this machine, at least 1; a tenth of the budget goes into measuring."""
    spend = min(0.1 * seconds, 20.0)
    each = seconds_an_iteration(distiller, task, situation, spend=spend)
    return max(1, int((seconds - spend) / each))
