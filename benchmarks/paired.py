"""Paired measurements: the two sides take turns in one process, so that what the machine does else hits both."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from scipy.stats import t as student

LEVEL = 0.95
Seconds = Callable[[], float]  # runs some work and says how many seconds a unit of it took


def timed(work: Callable[[], object], units: float = 1.0) -> Seconds:
    """Wall-clock seconds of one call of ``work``, which does ``units`` of what is counted."""

    def run() -> float:
        began = time.perf_counter()
        work()
        return (time.perf_counter() - began) / units

    return run


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Mean ± t·s/√n; infinite for one value."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return -math.inf, math.inf
    reach = float(student.ppf((1 + level) / 2, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return mean - reach, mean + reach


def paired(reference: Seconds, ours: Seconds, *, seconds: float, least: int = 3, most: int = 15) -> dict[str, Any]:
    """Reference and ours in turns, the order swapped each time, for about ``seconds`` and at least ``least`` pairs.

    Both are run once beforehand. The ratio is the geometric mean over pairs with its t-interval on the logarithm.
    """
    reference(), ours()
    began, pairs = time.perf_counter(), list[tuple[float, float]]()
    while len(pairs) < least or (len(pairs) < most and time.perf_counter() - began < seconds):
        if len(pairs) % 2:
            mine = ours()
            pairs.append((reference(), mine))
        else:
            theirs = reference()
            pairs.append((theirs, ours()))
    logs = [math.log(theirs / mine) for theirs, mine in pairs]
    low, high = interval(logs)
    return {
        "pairs": len(pairs),
        "reference": summary([theirs for theirs, _ in pairs]),
        "limbeck": summary([mine for _, mine in pairs]),
        "ratio": math.exp(statistics.fmean(logs)),
        "ratio_low": math.exp(low),
        "ratio_high": math.exp(high),
        "level": LEVEL,
    }


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Smallest, median, largest and all values, seconds."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values), "all": list(values)}


def exponent(sizes: Sequence[float], values: Sequence[float]) -> dict[str, float]:
    """b of value ∝ size^b, by least squares on the logarithms, with its t-interval."""
    from scipy.stats import linregress

    fit = linregress([math.log(s) for s in sizes], [math.log(max(v, 1e-12)) for v in values])
    reach = float(student.ppf((1 + LEVEL) / 2, len(sizes) - 2)) * float(fit.stderr)
    return {"exponent": float(fit.slope), "low": float(fit.slope) - reach, "high": float(fit.slope) + reach}
