"""The front door: a task and a method's name become a synthetic set, and a directory that can be resumed."""

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace as with_fields
from numbers import Integral
from pathlib import Path
from typing import Any, SupportsIndex

import torch

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.distillation.advice import AUTO, advised
from limbeck.distillation.budget import iterations_for, parse_seconds
from limbeck.distillation.checkpoint import CHECKPOINTS
from limbeck.distillation.distiller import Distiller, Progress, Situation, stored_per_class
from limbeck.distillation.methods import method as named
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.real_pool import Everything, RealPool
from limbeck.distillation.setting import Setting
from limbeck.distillation.settings import changed
from limbeck.distillation.shaping import SHAPES, shaped
from limbeck.distillation.variant import in_words
from limbeck.errors import ArtifactError, DirectoryError, LimbeckError, OptionError
from limbeck.files import check_place, write_atomically
from limbeck.networks.names import architecture
from limbeck.networks.network import Architecture
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.stages import Paused
from limbeck.values import decode, encode, replace

log = logging.getLogger("limbeck.distillation")

LATER = ("preprocessing", "compilation", "chunk")  # what run.json holds since; older ones are taken to be alike

__all__ = ["compose", "distill", "distill_into", "same_run", "stored_run"]


def compose(task: Task, method: str, per_class: int | tuple[int, ...], **settings: Any) -> Distiller:
    """The named method for this task with some settings changed (``network="convnet-3-128"``, ``iterations=500``,
    ``lr=0.1``, ``augmentation="dsa"``, any dotted field; and what :func:`limbeck.distillation.shaping.shaped` takes).
    """
    network = settings.pop("network", None)
    chosen = architecture(network) if isinstance(network, str) else network
    if chosen is not None and not isinstance(chosen, Architecture):
        raise OptionError(f"the network is {network!r:.60}: give a name (limbeck list networks) or an Architecture.")
    made = named(method, Setting.of(task, per_class, chosen))
    shapes = {key: str(settings.pop(key)) for key in SHAPES if key in settings}
    if shapes:
        if not isinstance(made, MatchingDistiller):
            raise OptionError(
                f"'{method}' only chooses real examples, and has no place for {', '.join(shapes)}: name a method that "
                "matches, e.g. dm."
            )
        made = shaped(made, shapes, task.shape)
    made = changed(made, settings)
    _check_pool(made, task, per_class)
    return made


def distill(
    task: Task,
    method: str | Distiller = "dm",
    *,
    per_class: SupportsIndex | tuple[SupportsIndex, ...] = 10,
    seed: SupportsIndex = 0,
    out: str | Path | None = None,
    budget: float | str | None = None,
    compute: Compute | None = None,
    watch: Callable[[Progress], None] | None = None,
    **settings: Any,
) -> SyntheticSet:
    """Distil ``task`` into ``per_class`` stored examples a class.

    method:  a name (``limbeck list methods``), "auto" for what measured tables advise, or a distiller value.
    out:     a directory for checkpoints, log and the finished set; a killed run goes on there. None: memory only.
    budget:  seconds, or a text such as "10m", turned once into iterations (stored in ``out``); None uses the method's
             published iterations.
    settings: changes to the method, see :func:`compose`.
    """
    size, chance = _plain(per_class), _plain(seed)
    spent = parse_seconds(budget) if isinstance(budget, str) else budget
    asked = {"task": task, "method": method, "per_class": size}
    _check_asked({**asked, "seed": chance, "budget": spent, "compute": compute})
    if method == AUTO:
        advice = advised(task, size, spent)
        method, settings = advice.method, {**advice.settings, **settings}
    distiller = compose(task, method, size, **settings) if isinstance(method, str) else changed(method, settings)
    situation = Situation(size, chance, compute or Compute())
    if watch is not None:
        situation = with_fields(situation, watch=watch)
    if out is None:
        stored_per_class(task, size)
        ready = _budgeted(distiller, task, situation, spent)
        made = ready.distill(task, situation)
    else:
        made = distill_into(Path(out), distiller, task, situation, spent)
    assert made is not None
    return made


def _plain(number: Any) -> Any:
    """A whole number of another library (numpy's) as Python's own, also within a tuple; anything else as it is."""
    if isinstance(number, tuple | list):
        return tuple(_plain(each) for each in number)
    return int(number) if isinstance(number, Integral) and not isinstance(number, bool) else number


def _check_asked(asked: Mapping[str, Any]) -> None:
    """OptionError for arguments of another kind, before they fail somewhere deep."""
    if not isinstance(asked["task"], Task):
        raise OptionError(f"the task is {asked['task']!r:.60}: open the data first, e.g. limbeck.data.digits().")
    if not isinstance(asked["method"], str | Distiller):
        raise OptionError(f"the method is {asked['method']!r:.60}: give a name (limbeck list methods) or a distiller.")
    counts = asked["per_class"]
    if not all(type(n) is int for n in (counts if isinstance(counts, tuple) else (counts,))):
        raise OptionError(
            f"the size is {counts!r:.60}: give a whole number a class, or a tuple with one for each class."
        )
    if type(asked["seed"]) is not int:
        raise OptionError(f"the seed is {asked['seed']!r:.60}: give a whole number.")
    seconds = asked["budget"]
    if seconds is not None and (not isinstance(seconds, int | float) or not 0 < seconds < math.inf):
        raise OptionError(f"the budget is {seconds!r}: give seconds above 0, or None for the published iterations.")
    if asked["compute"] is not None and not isinstance(asked["compute"], Compute):
        raise OptionError(f"compute is {asked['compute']!r:.60}: give a Compute, e.g. Compute(device='cpu').")


def distill_into(
    directory: Path,
    distiller: Distiller,
    task: Task,
    situation: Situation,
    budget: float | None = None,
    command: str = "",
) -> SyntheticSet | None:
    """Run, go on with, or find finished, the distillation of ``directory``; None where ``situation.until`` ended it.

    command: what a person gave to start this, kept in run.json. Raises DirectoryError where the directory holds
    something else.
    """
    situation = with_fields(situation, directory=directory, compute=situation.compute.resolve())
    stored_per_class(task, situation.per_class)
    found = stored_run(directory)
    begins = found is None
    if found is None:
        ready = _budgeted(distiller, task, situation, budget)
        found = _description(ready, task, situation, budget) | {"threads": torch.get_num_threads()}
        found |= {"command": command} if command else {}
        write_atomically(directory / "run.json", json.dumps(found, indent=1, sort_keys=True).encode())
    else:
        ready = same_run(found, distiller, task, situation, budget)
        _say_threads(found)
    if (directory / "card.json").exists():
        return SyntheticSet.load(directory)
    began = time.perf_counter()
    try:
        made = ready.distill(task, situation)
    except Paused:
        made = None
    except LimbeckError:
        if begins and not any((directory / name).exists() for name in CHECKPOINTS):
            (directory / "run.json").unlink(missing_ok=True)  # nothing was made: a corrected request may begin here
        raise
    _add_seconds(directory, time.perf_counter() - began)
    if made is not None:
        made.save(directory, made_by=in_words(made.card))
        for name in CHECKPOINTS:
            (directory / name).unlink(missing_ok=True)
    return made


def _say_threads(found: Mapping[str, Any]) -> None:
    """Sums are taken in another order by another number of threads, so that bytes are the same for the same number."""
    before, now = found.get("threads"), torch.get_num_threads()
    if before not in (None, now):
        log.warning(
            "this run was begun with %s threads and goes on with %s, so that its last digits may differ from those of "
            "a run that was never stopped (OMP_NUM_THREADS=%s avoids it).",
            before,
            now,
            before,
        )


def _check_pool(distiller: Distiller, task: Task, per_class: int | tuple[int, ...]) -> None:
    """FitError, before any work, where the part of the real examples to see is smaller than what is asked for."""
    within = getattr(distiller, "within", None)
    if isinstance(within, RealPool) and not isinstance(within, Everything):
        multiplicity = getattr(getattr(distiller, "parametrisation", None), "multiplicity", 1)
        counts = stored_per_class(task, per_class, multiplicity)
        within.check(task, tuple(count * multiplicity for count in counts))


def _budgeted(distiller: Distiller, task: Task, situation: Situation, budget: float | None) -> Distiller:
    if budget is None or not isinstance(distiller, MatchingDistiller):
        return distiller
    return replace(distiller, iterations=iterations_for(budget, distiller, task, situation))


def _description(distiller: Distiller, task: Task, situation: Situation, budget: float | None) -> dict[str, Any]:
    compute = situation.compute.resolve()
    timed = budget if isinstance(distiller, MatchingDistiller) else None  # choosing takes its own time
    return {
        "task": task.name,
        "fingerprint": task.fingerprint,
        "split_seed": task.split_seed,
        "preprocessing": task.preprocessing.digest(),
        "per_class": encode(situation.per_class),
        "seed": situation.seed,
        "budget": timed,
        "device": compute.device,
        "precision": compute.precision,
        "compilation": compute.compilation,
        "chunk": compute.chunk,
        "distiller": encode(distiller),
    }


def stored_run(directory: Path) -> dict[str, Any] | None:
    """What the directory says it holds; None where it is new or empty."""
    if directory.exists() and not directory.is_dir():
        raise DirectoryError(f"'{directory}' is a file: choose another --out.")
    if not (directory / "card.json").exists():  # a finished set is only read
        check_place(directory)
    path = directory / "run.json"
    if not path.exists():
        if directory.exists() and any(not p.name.startswith(".") for p in directory.iterdir()):
            raise DirectoryError(f"'{directory}' is not empty and holds no run of limbeck: choose another --out.")
        return None
    try:
        found = json.loads(path.read_text())
        if not isinstance(found, dict):
            raise ValueError(f"{type(found).__name__} where an object should be")
    except ValueError as error:
        raise ArtifactError(f"'{path}' is damaged: remove '{directory}' and start again.") from error
    return found


def same_run(
    found: dict[str, Any], distiller: Distiller, task: Task, situation: Situation, budget: float | None
) -> Distiller:
    """The distiller to go on with: the one asked for, at the iterations that a budget was once turned into.

    found: what :func:`stored_run` read from ``situation.directory``. Raises DirectoryError where it is another run.
    """
    if budget is not None and isinstance(distiller, MatchingDistiller):
        stored = found.get("distiller", {}).get("iterations", distiller.iterations)
        distiller = replace(distiller, iterations=int(stored))
    asked = json.loads(json.dumps(_description(distiller, task, situation, budget)))
    found = {**{key: asked[key] for key in LATER}, **found, "distiller": _completed(found.get("distiller"))}
    if not isinstance(distiller, MatchingDistiller):
        found["budget"] = None
    before, now = _in_order(found), _in_order(asked)
    for key in now:
        if now[key] != before.get(key):
            what, old, new = _difference(key, before.get(key), now[key])
            raise DirectoryError(
                f"'{situation.directory}' belongs to a run with another {what} ({_said(old)} there, {_said(new)} now): "
                "choose another --out."
            )
    return distiller


def _in_order(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run's description, first what a person would name first: other things follow from the method and network."""
    made = run.get("distiller")
    made = made if isinstance(made, dict) else {}
    recipe = made.get("recipe")
    network = recipe.get("architecture") if isinstance(recipe, dict) else None
    data = {key: run.get(key) for key in ("task", "fingerprint", "split_seed", "preprocessing")}
    size = {key: run.get(key) for key in ("per_class", "seed")}
    compared = {key: made.get(key) for key in ("surrogate", "state")}
    return {**data, "method": made.get("name"), "network": network, **size, **compared, **run}


def _completed(stored: Any) -> Any:
    """A stored distiller with the fields that limbeck has gained since, at the defaults that it was made under."""
    try:
        return json.loads(json.dumps(encode(decode(stored))))
    except (LimbeckError, TypeError):
        return stored


def _difference(name: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """The first place where two JSON data differ, under its dotted name: what a person would have to set."""
    if isinstance(old, dict) and isinstance(new, dict):
        if old.get("kind") != new.get("kind"):  # then all fields differ, because they are others
            return name, old.get("kind"), new.get("kind")
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                return _difference(f"{name}.{key}".removeprefix("distiller."), old.get(key), new.get(key))
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        place = next(i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)
        return _difference(f"{name}[{place}]", old[place], new[place])
    return name, old, new


def _said(item: Any) -> str:
    text = "none" if item is None else item if isinstance(item, str) else json.dumps(item)
    return text if len(text) < 40 else text[:37] + "…"


def _add_seconds(directory: Path, seconds: float) -> None:
    """Wall-clock time lives apart from the artefact, whose bytes do not depend on it."""
    path = directory / "timing.json"
    try:
        before = float(json.loads(path.read_text())["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        before = 0.0
    write_atomically(path, json.dumps({"seconds": round(before + seconds, 3)}).encode())
