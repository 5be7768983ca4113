"""The pilot: a study that fits a time budget on this machine. The only law that starts a study."""

import itertools
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.distillation.setting import default_network
from limbeck.errors import DirectoryError, FitError, OptionError
from limbeck.laws.twice import ENDINGS
from limbeck.networks.names import architecture
from limbeck.study.costs import Costs, Trial, measured_costs
from limbeck.study.execute import StudyProgress, Summary, run
from limbeck.study.perform import opened
from limbeck.study.runs import Options, Source
from limbeck.study.study import Evaluation, Execution, MethodChoice, References, Study

__all__ = ["DOUBLED", "Design", "design", "lasting", "pilot", "same_pilot", "source_of"]

LARGEST = 200  # examples a class at most
FIFTH = 5  # the largest size is this part of the smallest class
LEAST, MOST = 40, 20_000  # iterations of a distillation (and a fourth of the updates); DM has published the latter
DISTILLING = 0.3  # share of the time that distilling has at least
VALIDATION = 2000  # examples that methods are chosen on: more cost passes that a pilot needs elsewhere
SHORTEST = 30.0  # seconds
WIDE = 2  # largest sizes (whole, half) that are tried before designs with fewer sizes and seeds are
FINISH = 6.0  # seconds for laws, plan and page
EACH = 0.04  # seconds that handing out and keeping one run takes
NETWORKS, REFERENCES = 2, 3  # of one set; of all real data
SHARE = "validation_share"  # the option of sources
DOUBLED = "dm" + ENDINGS[0]  # the rows that tell whether the largest sizes have converged

Measure = Callable[[Trial, Execution, float], Costs]


class Rung(NamedTuple):
    """One design: sizes, distillation seeds, updates of a network at a learning rate, and whether the largest two
    sizes are also distilled twice as long."""

    sizes: int
    seeds: int
    updates: int
    rate: float
    doubled: bool = False


# Richest first. Short trainings take a larger rate, so that they arrive. The last three are the least a law can bear.
RUNGS = (
    Rung(9, 6, 1000, 0.01, True),
    Rung(9, 5, 300, 0.02, True),
    Rung(8, 4, 300, 0.02, True),
    Rung(8, 4, 150, 0.05),
    Rung(8, 3, 100, 0.05),
    Rung(7, 3, 60, 0.05),
    Rung(6, 3, 60, 0.05),
)
POOR = (Rung(5, 3, 60, 0.05), Rung(4, 3, 60, 0.05), Rung(4, 2, 60, 0.05))


@dataclass(frozen=True)
class Design:
    """A study, the seconds it is expected to take from now, and why it is what it is, for a person."""

    study: Study
    seconds: float
    sentence: str


def design(
    source: Source,
    budget: float,
    *,
    network: str | None = None,
    device: str = "auto",
    spent: float = 0.0,
    measure: Measure | None = None,
) -> Design:
    """The richest study that fits ``budget`` seconds on this machine, whose rates are measured for a few seconds.

    Sizes are log-spaced from 1 to a fifth of the smallest class, 200 at most. A design is a number of sizes, of
    distillation seeds and of updates; whatever time is left goes into iterations, equally many at every size. Where no
    design fits, the largest size is halved, and a design with fewer sizes and seeds is preferred to halving it twice;
    where distilling never fits, random real examples alone are planned with.
    Where the data have no validation split of their own, 2,000 examples at most are kept for one.

    spent: seconds of the budget that are gone. measure: another way to know the costs.
    Raises FitError where not even the smallest design fits, OptionError where the budget cannot be meant.
    """
    if not SHORTEST <= budget < math.inf:
        raise OptionError(f"a budget of {budget:g} s is too short for a pilot: give at least {SHORTEST:g}s.")
    began = time.perf_counter()
    compute = Compute(device=device, compilation="off").resolve()
    source = _slim(source)
    task = opened(source)
    most = _most(task)
    architecture(network or default_network(task.shape)).build(task.shape, len(task.classes))  # says what does not fit
    execution = _execution()
    trial = Trial(source, most, compute, _settings(1), network=network, networks=NETWORKS)
    spent += time.perf_counter() - began
    _begun(spent, budget)
    costs = (measure or _measured)(trial, execution, budget)
    workers = execution.processes
    room = workers * (0.97 * budget - spent - costs.spent - costs.start - FINISH)
    chosen = _fitting(most, costs, room)
    if chosen is None:
        least = _fixed((1, 2, 3, 4), POOR[-1], costs, ("random",)) / workers + budget - room / workers
        raise FitError(
            f"{budget:g} s are too short for a pilot on this data and machine: give --budget {_minutes(1.2 * least)} "
            "or more, or a smaller --network."
        )
    rung, sizes, methods, iterations = chosen
    study = _study(_Laid(source, rung, sizes, methods, iterations), budget, network, compute, execution)
    seconds = budget - spent - costs.spent
    if "dm" not in methods or iterations == MOST:  # then there is less to do than there is time for
        seconds = _whole(rung, sizes, methods, iterations, costs) / workers + costs.start + FINISH
    return Design(study, seconds, _told(rung, sizes, methods, iterations))


def pilot(study: Study, directory: Path, *, watch: Callable[[StudyProgress], None]) -> Summary:
    """Run the study of :func:`design`, resumably."""
    return run(study, directory, watch=watch)


def same_pilot(stored: Study, source: Source, budget: float, *, network: str | None, device: str) -> None:
    """Check that a directory's study is the pilot asked for. Raises DirectoryError that names what differs."""
    if not stored.name.startswith("pilot-"):
        raise DirectoryError(f"the directory belongs to the study '{stored.name}', no pilot: choose another --out.")
    asked, there = f"{budget:g}s", stored.name.removeprefix("pilot-")
    kept = dict(stored.source.options)
    if SHARE not in dict(source.options):
        kept.pop(SHARE, None)
    for what, old, new in (
        ("source", stored.source.text, source.text),
        ("source's options", kept, dict(source.options)),
        ("budget", there, asked),
        ("network", stored.network or "the default", network or "the default"),
        ("device", stored.compute.device, stored.compute.device if device == "auto" else device),
    ):
        if old != new:
            raise DirectoryError(
                f"the directory belongs to a pilot with another {what} ({old} there, {new} now): choose another --out."
            )


def source_of(text: str, **options: Any) -> Source:
    """A study's source from the text and options of a command line."""
    kept = {key: item for key, item in options.items() if item is not None and item is not False}
    return Source(text, tuple(sorted(kept.items())))


def lasting(most: int, count: int) -> tuple[int, ...]:
    """At least ``count`` whole sizes from 1 to ``most`` (all, where there are no more), evenly spaced in logarithm."""
    for points in range(min(count, most), 4 * most + 1):
        sizes = tuple(sorted({int(k) for k in np.geomspace(1, most, points).round()}))
        if len(sizes) >= min(count, most):
            return sizes
    return tuple(range(1, most + 1))


# -- what fits ---------------------------------------------------------------------------------------------------------


def _slim(source: Source) -> Source:
    """The source with VALIDATION validation examples, where it would cut off more and was not told how many."""
    task = opened(source)
    if SHARE in dict(source.options) or len(task.validation) <= VALIDATION:
        return source
    share = round(VALIDATION / (len(task.validation) + len(task.train)), 6)
    return Source(source.text, tuple(sorted((*source.options, (SHARE, share)))))


def _most(task: Task) -> int:
    most = min(LARGEST, min(task.counts) // FIFTH)
    if most < 4:
        raise FitError(
            f"the smallest class has {min(task.counts)} training examples and a pilot needs at least {4 * FIFTH}: "
            "leave that class out, or add examples."
        )
    return most


def _begun(spent: float, budget: float) -> None:
    """Before anything is measured: is there time left for a study?"""
    if spent > budget / 2:
        raise FitError(
            f"starting and opening the data took {spent:.0f} of the {budget:g} s: give --budget {_minutes(4 * spent)} "
            "or more."
        )


def _fitting(most: int, costs: Costs, room: float) -> tuple[Rung, tuple[int, ...], tuple[str, ...], int] | None:
    """The richest design that fits ``room`` seconds of work, with its sizes, methods and iterations."""
    halved = [most]
    while halved[-1] >= 8:
        halved.append(halved[-1] // 2)
    wide, narrow = halved[:WIDE], halved[WIDE:]
    for methods in (("random", "dm"), ("random",)):
        for rungs, sizes_up_to in ((RUNGS, wide), (POOR, wide), (RUNGS, narrow), (POOR, narrow)):
            for largest, rung in itertools.product(sizes_up_to, rungs):
                sizes = lasting(largest, rung.sizes)
                left = room - _fixed(sizes, rung, costs, methods)
                if "dm" not in methods:
                    if left >= 0:
                        return rung, sizes, methods, 0
                    continue
                iterations = left / _slope(sizes, rung, costs)
                if iterations >= max(LEAST, rung.updates // 4) and left >= DISTILLING * room:
                    return rung, sizes, methods, min(MOST, int(iterations))
    return None


def _fixed(sizes: tuple[int, ...], rung: Rung, costs: Costs, methods: tuple[str, ...]) -> float:
    """Seconds of all but the iterations, of one process; the last, largest set may find no other to share with."""
    judged = sum(costs.judge(k, rung.updates) for k in sizes) * len(methods)
    made = len(sizes) * (costs.choose + (costs.store if "dm" in methods else 0.0))
    each = 2 * EACH * len(sizes) * len(methods)
    again = sum(costs.judge(k, rung.updates) + costs.store for k in sizes[-2:]) if rung.doubled else 0.0
    full = REFERENCES * (costs.reference(rung.updates) + EACH)
    return rung.seeds * (judged + made + each + again) + full + costs.judge(sizes[-1], rung.updates)


def _slope(sizes: tuple[int, ...], rung: Rung, costs: Costs) -> float:
    """Seconds that one more iteration of every distillation takes."""
    once = [costs.distil(k, 1) - costs.store for k in sizes]
    twice = 2 * sum(once[-2:]) if rung.doubled else 0.0
    return rung.seeds * (sum(once) + twice) + once[-1]


def _whole(rung: Rung, sizes: tuple[int, ...], methods: tuple[str, ...], iterations: int, costs: Costs) -> float:
    return _fixed(sizes, rung, costs, methods) + iterations * _slope(sizes, rung, costs)


def _measured(trial: Trial, execution: Execution, budget: float) -> Costs:
    return measured_costs(trial, execution, budget=budget)


def _execution() -> Execution:
    there = getattr(os, "sched_getaffinity", None)
    cores = len(there(0)) if there is not None else os.cpu_count() or 1
    processes = min(4, cores)
    return Execution(processes, max(1, cores // processes))


# -- the study ---------------------------------------------------------------------------------------------------------


class _Laid(NamedTuple):
    source: Source
    rung: Rung
    sizes: tuple[int, ...]
    methods: tuple[str, ...]
    iterations: int


def _study(laid: _Laid, budget: float, network: str | None, compute: Compute, execution: Execution) -> Study:
    rung = laid.rung
    recipe: Options = (("recipe.optimizer.lr", rung.rate), ("updates", rung.updates))
    methods = [MethodChoice("random", recipe, label="random")]
    if "dm" in laid.methods:
        methods += [_matching("dm", size, laid.iterations, recipe) for size in laid.sizes]
        twice = laid.sizes[-2:] if rung.doubled else ()
        methods += [_matching(DOUBLED, size, 2 * laid.iterations, recipe) for size in twice]
    return Study(
        name=f"pilot-{budget:g}s",
        source=laid.source,
        methods=tuple(methods),
        per_class=laid.sizes,
        seeds=((0, tuple(range(rung.seeds))),),
        network=network,
        evaluation=Evaluation(("own",), seeds=tuple(range(NETWORKS)), together=NETWORKS, splits=("test",)),
        references=References(matched=tuple(range(REFERENCES))),
        compute=compute,
        execution=execution,
    )


def _matching(label: str, size: int, iterations: int, recipe: Options) -> MethodChoice:
    settings = tuple(sorted((*recipe, *_settings(size))))
    return MethodChoice("dm", settings, label=label, per_class=(size,), iterations=((0, float(iterations)),))


def _settings(size: int) -> Options:
    # a class mean's gradient is shared by its images, so that a short run's image learning rate grows with the size
    return (("lr", 1.0 + size), ("real_batch", 64))


def _told(rung: Rung, sizes: tuple[int, ...], methods: tuple[str, ...], iterations: int) -> str:
    lengths = f", {iterations:,} iterations a distillation" if "dm" in methods else ""
    said = (
        f"{' and '.join(methods)} at {', '.join(map(str, sizes))} a class, {rung.seeds} distillation seeds, networks "
        f"of {rung.updates:,} updates{lengths}."
    )
    return said if "dm" in methods else f"{said} Distilling does not fit the budget, so only real examples are chosen."


def _minutes(seconds: float) -> str:
    return f"{math.ceil(seconds / 10) * 10}s" if seconds < 120 else f"{math.ceil(seconds / 60)}m"
