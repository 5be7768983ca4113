"""What runs cost here: measured for a few seconds in as many processes as a study will use, all at once."""

import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

from limbeck.compute import Compute
from limbeck.distillation.setting import Setting
from limbeck.errors import FitError
from limbeck.networks.names import architecture
from limbeck.study.perform import RealWork, opened
from limbeck.study.runs import DistilRun, EvaluateRun, Options, Run, Source
from limbeck.study.study import Execution
from limbeck.study.work import Outcome, Place
from limbeck.study.workers import settle
from limbeck.training.configuration import Configuration, Updates
from limbeck.values import replace

__all__ = ["Costs", "Trial", "measured_costs"]

SHARE = 0.04  # of the budget that one measurement may take
MOST = 0.5  # of the budget that all of them may take: a study that fits the rest would say nothing
WARM = 2  # iterations of the shorter of the two runs that tell a fixed cost from one that grows
UPDATES = 12  # of a network whose training is timed


class Trial(NamedTuple):
    """What is measured: a matching method and real examples chosen at random, at sizes from 1 to ``most`` a class."""

    source: Source
    most: int
    compute: Compute
    settings: Options = ()
    method: str = "dm"
    network: str | None = None
    networks: int = 2


@final
@dataclass(frozen=True)
class Costs:
    """Seconds of one process while the others work too.

    start:   until a fresh worker is ready.  choose: storing a set of real examples.  store: storing a distilled set.
    iterate, iterate_each: an iteration at k a class takes iterate + k·iterate_each.
    exam:    examining the networks of one run.  update, update_each: training them, for each update with a batch of n,
             takes update + n·update_each.
    classes, batch: k examples a class are equal batches of at most ``batch``.  networks: trained in one run.
    spent:   seconds that measuring took.
    """

    start: float
    choose: float
    store: float
    iterate: float
    iterate_each: float
    exam: float
    update: float
    update_each: float
    classes: int
    batch: int = 256
    networks: int = 2
    spent: float = 0.0

    def distil(self, per_class: int, iterations: int | float) -> float:
        """Seconds of one distillation."""
        return self.store + iterations * (self.iterate + per_class * self.iterate_each)

    def judge(self, per_class: int, updates: int) -> float:
        """Seconds of training and examining the networks of one set."""
        return self.exam + updates * (self.update + _equal(per_class * self.classes, self.batch) * self.update_each)

    def reference(self, updates: int) -> float:
        """Seconds of one network on all real training data."""
        return (self.exam + updates * (self.update + self.batch * self.update_each)) / self.networks


def measured_costs(trial: Trial, execution: Execution, *, budget: float) -> Costs:
    """Measure under the conditions of a study: the same processes and threads, all at work.

    budget: seconds that the study will have; about a sixth of them is spent here. Raises FitError once half of them are
    gone, as they are on a machine that is slow or busy, and LimbeckError for what is wrong with the trial.
    """
    began = time.perf_counter()
    until = time.time() + MOST * budget
    context = multiprocessing.get_context("spawn")
    count = execution.processes
    with (
        tempfile.TemporaryDirectory(prefix="limbeck-costs-") as folder,
        ProcessPoolExecutor(count, mp_context=context, initializer=settle, initargs=(execution.threads,)) as pool,
    ):
        places = [Path(folder) / str(place) for place in range(count)]
        found = [each.result() for each in [pool.submit(_sample, trial, place, budget, until) for place in places]]
    spent = time.perf_counter() - began
    names = ("start", "choose", "store", "iterate", "iterate_each", "exam", "update", "update_each")
    start, *means = (sum(float(getattr(costs, name)) for costs in found) / count for name in names)
    known = dict(zip(names[1:], means, strict=True))
    known |= {"start": start + spent - max(costs.spent for costs in found), "spent": spent}
    return replace(found[0], **known)


def _sample(trial: Trial, folder: Path, budget: float, until: float) -> Costs:
    """One process's measurements; its ``start`` is what the first run takes longer than later ones.

    until: when it gives up, in seconds since the epoch, which all processes share.
    """
    began = time.perf_counter()
    work, task = RealWork(), opened(trial.source)
    classes = len(task.classes)

    def performed(run: Run) -> Outcome:
        if time.time() > until:
            raise FitError(
                f"measuring what a run costs took more than half of the {budget:g} s on this machine as busy as it is: "
                f"give --budget {4 * budget:.0f}s or more, or a smaller --network."
            )
        return work.perform(run, Place(folder))

    def seconds(run: Run) -> float:
        return performed(run).seconds

    def judged(chosen: DistilRun, updates: int) -> tuple[float, float]:
        """Seconds of examining, and of an update of all networks."""
        outcome = performed(_judged(chosen, recipe, updates, trial.networks))
        training = sum(row.seconds for row in outcome.rows)
        return max(0.0, outcome.seconds - training), max(1e-6, training / updates)

    few, recipe = _chosen(trial, 1), _recipe(trial)
    seconds(few)
    judged(few, 1)
    seconds(_distilled(trial, 1, 1))
    warm = time.perf_counter() - began
    store, once = _line(lambda n: seconds(_distilled(trial, 1, n)), budget)
    real = dict(trial.settings).get("real_batch", 256)
    most = _affordable(once, trial.most, real, budget)
    large_store, often = _line(lambda n: seconds(_distilled(trial, most, n)), budget) if most > 1 else (store, once)
    large = _chosen(trial, most)
    choose = seconds(large)
    exam, update = judged(few, UPDATES)
    narrow, wide = _equal(classes, recipe.batch), _equal(most * classes, recipe.batch)
    grown = update * wide / narrow  # an update's seconds at most
    full, batch = judged(large, max(WARM, min(UPDATES, int(SHARE * budget / grown))))
    each = max(0.0, (often - once) / max(1, most - 1))
    slope = max(0.0, (batch - update) / max(1.0, wide - narrow))
    return Costs(
        start=max(0.0, warm - choose - exam - store),
        choose=choose,
        store=(store + large_store) / 2,
        iterate=max(1e-6, once - each),
        iterate_each=each,
        exam=(exam + full) / 2,
        update=max(1e-6, update - slope * narrow),
        update_each=slope,
        classes=classes,
        batch=min(recipe.batch, len(task.train)),
        networks=trial.networks,
        spent=time.perf_counter() - began,
    )


def _equal(examples: int, batch: int) -> float:
    """Size of equal batches that hold at most ``batch`` of so many examples."""
    return examples / math.ceil(examples / batch)


def _line(seconds: Callable[[int], float], budget: float) -> tuple[float, float]:
    """Fixed seconds and seconds a step, from a short and a longer run; the longer is as long as can be afforded."""
    short = seconds(WARM)
    more = max(2, min(30, int(WARM * min(1.0, SHARE * budget / 3) / max(short, 1e-6))))
    long = seconds(WARM + more)
    each = max(1e-6, (long - short) / more)
    return max(0.0, short - WARM * each), each


def _affordable(once: float, most: int, real: int, budget: float) -> int:
    """The largest size whose few iterations are a small share of the budget; a synthetic example costs three passes."""
    while most > 1 and 6 * once * (real + 3 * most) / (real + 3) > SHARE * budget:
        most //= 2
    return most


def _recipe(trial: Trial) -> Configuration:
    network = None if trial.network is None else architecture(trial.network)
    return Setting.of(opened(trial.source), 1, network).recipe()


def _named(trial: Trial) -> Options:
    return () if trial.network is None else (("network", trial.network),)


def _chosen(trial: Trial, per_class: int) -> DistilRun:
    return DistilRun(trial.source, "random", _named(trial), per_class, 0, compute=trial.compute)


def _distilled(trial: Trial, per_class: int, iterations: int) -> DistilRun:
    settings = tuple(sorted((*trial.settings, *_named(trial))))
    return DistilRun(trial.source, trial.method, settings, per_class, 0, iterations, compute=trial.compute)


def _judged(made: DistilRun, recipe: Configuration, updates: int, networks: int) -> EvaluateRun:
    timed = replace(recipe, name="timed", length=Updates(updates))
    return EvaluateRun(made, timed, tuple(range(networks)), ("test",))
