"""What runs really do: distil, evaluate, train on the full data, measure paces."""

import functools
import hashlib
import math
import os
import re
import time
from typing import Any, final

import torch

from limbeck.compute import Compute
from limbeck.data.sources import open_source
from limbeck.data.task import Task
from limbeck.distillation.budget import iterations_for, measured_timing
from limbeck.distillation.distill import compose, distill_into
from limbeck.distillation.distiller import Distiller, Situation, stored_per_class
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.setting import Setting
from limbeck.errors import DirectoryError, OptionError
from limbeck.networks.names import architecture
from limbeck.networks.network import Network
from limbeck.study.directory import locked
from limbeck.study.judging import judge, judge_full
from limbeck.study.pieces import Pieces
from limbeck.study.runs import DistilRun, EvaluateRun, PaceRun, ReferenceRun, Run, Source
from limbeck.study.study import Study
from limbeck.study.work import Description, Outcome, Place, Work
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.cost import training_seconds
from limbeck.training.space import space
from limbeck.training.stages import Paused
from limbeck.training.train import train
from limbeck.values import replace, value

__all__ = ["RealWork", "opened"]

SNAPSHOTS = 3  # validation passes of one trained network
PROBE = 8  # updates that are timed to predict a training
SHORT = 30.0  # seconds from which a prediction is worth a measurement


def opened(source: Source) -> Task:
    """The task of a source; ``$NAME`` in its text is read from the environment. OptionError where it is not set."""
    text = os.path.expandvars(source.text)
    missing = re.search(r"\$\{?(\w+)", text)
    if missing:
        raise OptionError(
            f"'{source.text}' needs the environment variable {missing[1]}: set it to where the data lies."
        )
    return _opened(text, source.options)


@functools.lru_cache(maxsize=1)
def _opened(text: str, options: tuple[tuple[str, Any], ...]) -> Task:
    return open_source(text, **dict(options))


@final
@value
class RealWork(Work):
    """Runs done with the rooms to the left."""

    def describe(self, study: Study) -> Description:
        task = opened(study.source)
        seen: set[tuple[str, object, int]] = set()
        recipes: list[Configuration] = []  # the sets' own, each once: full data is trained by every one of them
        for run in study.distillations():
            if (key := (run.method, run.settings, run.per_class)) in seen:
                continue
            seen.add(key)
            distiller = _distiller(task, run, run.iterations)
            multiplicity = getattr(getattr(distiller, "parametrisation", None), "multiplicity", 1)
            stored_per_class(task, run.per_class, multiplicity)
            recipe = getattr(distiller, "recipe", None)
            if recipe is not None and (named := replace(recipe, name="own")) not in recipes:
                recipes.append(named)
        configurations = _configurations(task, study)
        own = recipes if None in configurations else []
        references = [c for c in (*own, *configurations) if c is not None and isinstance(c.length, Updates)]
        examples = len(task.validation) + task.test.size
        return Description(
            fingerprint=f"{task.fingerprint}/{task.split_seed}",
            classes=len(task.classes),
            configurations=configurations,
            references=tuple(references),
            set_bytes=6 * math.prod(task.shape) + 4 * len(task.classes),
            row_bytes=500 + 20 * len(task.classes) + examples // 16,
        )

    def perform(self, run: Run, place: Place) -> Outcome:
        began = time.monotonic()
        pieces = Pieces(place.pieces_of(run), began + place.until)
        try:
            if isinstance(run, DistilRun):
                outcome = _distil(run, place)
            elif isinstance(run, EvaluateRun):
                made = SyntheticSet.load(place.set_of(run.distil))
                outcome = Outcome("done", judge(made, opened(run.distil.source), run, pieces))
            elif isinstance(run, ReferenceRun):
                outcome = Outcome("done", judge_full(opened(run.source), run, pieces))
            elif isinstance(run, PaceRun):
                outcome = Outcome("done", facts=_pace(run))
            else:
                raise OptionError(f"{type(run).__name__} is no run that is known here: use a newer limbeck.")
        except Paused:
            outcome = Outcome("more")
        return Outcome(outcome.state, outcome.rows, outcome.facts, time.monotonic() - began)

    def present(self, run: Run, place: Place) -> bool:
        return not isinstance(run, DistilRun) or (place.set_of(run) / "card.json").exists()

    def longest(self, run: Run, place: Place) -> float:
        if isinstance(run, EvaluateRun):
            task = opened(run.distil.source)
            recipe = run.configuration or getattr(_distiller(task, run.distil, None), "recipe", None)
            return 0.0 if recipe is None else _exam_seconds(run.distil.source, recipe, run.distil.compute)
        if isinstance(run, ReferenceRun):
            return _exam_seconds(run.source, run.configuration, run.compute)
        return 0.0  # a distillation stops after any iteration, and so does the training of its teacher

    def predict(self, run: Run, place: Place) -> float:
        if isinstance(run, PaceRun):
            return min(0.1 * run.budget, 20.0)
        if isinstance(run, DistilRun):
            return run.budget or _distil_seconds(run)
        if isinstance(run, EvaluateRun):
            task = opened(run.distil.source)
            recipe = run.configuration or getattr(_distiller(task, run.distil, None), "recipe", None)
            stored = run.distil.per_class * len(task.classes)
            return (
                0.0
                if recipe is None
                else len(run.seeds) * _network_seconds(run.distil.source, recipe, stored, run.distil.compute)
            )
        if isinstance(run, ReferenceRun):
            stored = len(opened(run.source).train)
            each = _network_seconds(run.source, run.configuration, stored, run.compute)
            return len(run.seeds) * each * (1 if run.length == "matched" else 7)  # converged: two doublings and more
        return 0.0


# -- the four kinds ----------------------------------------------------------------------------------------------------


def _distil(run: DistilRun, place: Place) -> Outcome:
    task, directory = opened(run.source), place.set_of(run)
    iterations = run.iterations if run.pace is None else place.facts[run.pace.name].get("iterations")
    situation = Situation(run.per_class, run.seed, run.compute, cache=place.directory / "teachers", until=place.until)
    with locked(place.directory / ".locks" / run.name, wait=60.0) as mine:
        if not mine:
            raise DirectoryError(f"another process is at work in '{directory}': stop it and run the study again.")
        made = distill_into(directory, _distiller(task, run, iterations), task, situation)
    if made is None:
        return Outcome("more")
    content = hashlib.sha256((directory / "synthetic.safetensors").read_bytes()).hexdigest()[:16]
    size = sum(p.stat().st_size for p in directory.iterdir() if p.is_file())
    return Outcome("done", facts={"content": content, "bytes": size, "iterations": made.card.budget.get("iterations")})


def _pace(run: PaceRun) -> dict[str, Any]:
    task = opened(run.source)
    distiller = compose(task, run.method, run.per_class, **dict(run.settings))
    if not isinstance(distiller, MatchingDistiller):
        return {}
    situation = Situation(run.per_class, 0, run.compute)
    return {"iterations": iterations_for(run.budget, distiller, task, situation, apart=True)}


def _distiller(task: Task, run: DistilRun, iterations: int | None) -> Distiller:
    length = {} if iterations is None else {"iterations": iterations}
    return compose(task, run.method, run.per_class, **{**dict(run.settings), **length})


def _configurations(task: Task, study: Study) -> tuple[Configuration | None, ...]:
    """The evaluation's configurations, names resolved for the data; None is the set's own recipe. Each fits."""
    found: list[Configuration | None] = []
    for item in study.evaluation.configurations:
        if isinstance(item, Configuration):
            found.append(item)
        else:
            found += [None] if item == "own" else space(item, task.shape).configurations
    recipe = Setting.of(task, 1).recipe()
    for name in study.evaluation.architectures:
        found.append(replace(recipe, name=name, architecture=architecture(name)))
    names = ["own" if c is None else c.name for c in found]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(
                f"evaluation.configurations has {names.count(name)} that are called '{name}': give each its own name."
            )
    for configuration in found:
        if configuration is not None:
            configuration.architecture.build(task.shape, len(task.classes))
    return tuple(found)


# -- predictions -------------------------------------------------------------------------------------------------------


def _distil_seconds(run: DistilRun) -> float:
    task = opened(run.source)
    distiller = _distiller(task, run, run.iterations)
    if isinstance(distiller, MatchingDistiller):
        situation = Situation(run.per_class, run.seed, run.compute)
        return measured_timing(distiller, task, situation, spend=1.5).seconds(distiller.iterations)
    teacher = getattr(distiller, "teacher", None)
    return 1.0 if teacher is None else 1.0 + _network_seconds(run.source, teacher, len(task.train), run.compute)


def _network_seconds(source: Source, configuration: Configuration, stored: int, compute: Compute) -> float:
    """Training one network on ``stored`` examples and examining it, at the rate measured once for this machine."""
    task = opened(source)
    network = configuration.architecture.build(task.shape, len(task.classes))
    batch = min(configuration.batch, stored)
    seconds = training_seconds(network, batch, configuration.length.updates(stored, configuration.batch))
    return (seconds + _exam_work(task, network)) * _rate(source, compute)


def _exam_seconds(source: Source, configuration: Configuration, compute: Compute) -> float:
    """Examining one network; measured only where the estimate from sizes is near a minute."""
    task = opened(source)
    work = _exam_work(task, configuration.architecture.build(task.shape, len(task.classes)))
    return work if work < SHORT else work * _rate(source, compute)


def _exam_work(task: Task, network: Network) -> float:
    passes = SNAPSHOTS * len(task.validation) + 2 * task.test.size
    return training_seconds(network, 1, 1) / 3 * passes


@functools.lru_cache(maxsize=8)
def _rate(source: Source, compute: Compute) -> float:
    """Measured over computed seconds of a short training; the first one warms up."""
    task = opened(source)
    recipe = replace(Setting.of(task, 10).recipe(), length=Updates(PROBE))
    network = recipe.architecture.build(task.shape, len(task.classes))
    few = task.train.examples(torch.arange(min(len(task.train), 64)))
    eager = replace(compute, compilation="off")
    measured = [train(network, recipe, few, seeds=(0,), compute=eager).seconds for _ in range(2)]
    return measured[-1] / training_seconds(network, len(few), PROBE)
