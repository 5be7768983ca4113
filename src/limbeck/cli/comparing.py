"""The baselines beside synthetic sets: made, judged by the same recipe, in one table."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limbeck.compute import Compute
    from limbeck.data.task import Task
    from limbeck.evaluation.records import Records
    from limbeck.synthetic.synthetic_set import SyntheticSet
    from limbeck.training.configuration import Configuration

__all__ = ["with_baselines"]

BASELINES = ("random", "herding", "kmeans", "kcenter")  # those by difficulty train many networks: limbeck distill


def with_baselines(
    sets: "Sequence[SyntheticSet]",
    tasks: "Sequence[Task]",
    configurations: str,
    seeds: int,
    split: str,
    compute: "Compute",
) -> "list[Records]":
    """For each set its rows, and those of every baseline of its task, size and seed, with hard and with soft labels."""
    from limbeck.cli.console import steps
    from limbeck.evaluation import evaluate
    from limbeck.evaluation.records import Records

    judged = [Records(())] * len(sets)
    with tempfile.TemporaryDirectory(prefix="limbeck-teachers-") as cache, steps("sets and baselines") as watch:
        plan = _plan(sets, tasks, compute, Path(cache))
        for place, (owners, make) in enumerate(plan):
            watch(place, len(plan))
            made, recipes = make(configurations)
            task = tasks[owners[0]]
            rows = evaluate(made, task, configurations=recipes, seeds=seeds, split=split, compute=compute)
            for owner in owners:
                judged[owner] += rows
        watch(len(plan), len(plan))
    return judged


def _plan(
    sets: "Sequence[SyntheticSet]", tasks: "Sequence[Task]", compute: "Compute", cache: Path
) -> list[tuple[list[int], Any]]:
    """One maker a set, then one a baseline that is not among the sets; each with the sets that it belongs to."""
    plan: list[tuple[list[int], Any]] = []
    found: dict[Any, tuple[list[int], Any]] = {}
    for place, (made, task) in enumerate(zip(sets, tasks, strict=True)):
        plan.append(([place], lambda name, made=made, task=task: (made, _recipes(name, made, task))))
        found[_key(made, task, made.card.method, made.targets is not None)] = plan[-1]
    for place, (made, task) in enumerate(zip(sets, tasks, strict=True)):
        for method in BASELINES:
            for soft in (False, True):
                key = _key(made, task, method, soft)
                if key not in found:
                    found[key] = ([], _baseline(made, task, method, soft, compute, cache))
                    plan.append(found[key])
                if place not in found[key][0]:
                    found[key][0].append(place)
    return plan


def _key(made: "SyntheticSet", task: "Task", method: str, soft: bool) -> tuple[Any, ...]:
    """Baselines with one key are one; the recipe belongs to it, because a baseline is judged by that of the set."""
    from limbeck.values import canonical

    card = made.card
    where = (task.fingerprint, task.split_seed, made.preprocessing.whiten is not None)
    return (*where, method, card.per_class, card.seed, soft, canonical(card.recipe))


def _baseline(made: "SyntheticSet", task: "Task", method: str, soft: bool, compute: "Compute", cache: Path) -> Any:
    from limbeck.distillation.distill import compose
    from limbeck.distillation.distiller import Situation

    def make(name: str) -> "tuple[SyntheticSet, tuple[Configuration, ...]]":
        network = made.card.recipe.architecture
        distiller = compose(task, method, made.card.per_class, network=network, soft=soft)
        situation = Situation(made.card.per_class, made.card.seed, compute, cache=cache)
        chosen = distiller.distill(task, situation)
        assert chosen is not None
        return chosen, _recipes(name, made, task)

    return make


def _recipes(name: str, made: "SyntheticSet", task: "Task") -> "tuple[Configuration, ...]":
    from limbeck.evaluation import own_recipe
    from limbeck.training.space import space

    return (own_recipe(made),) if name == "own" else tuple(space(name, task.shape).configurations)
