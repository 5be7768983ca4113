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
    sets: "Sequence[SyntheticSet]", task: "Task", configurations: str, seeds: int, split: str, compute: "Compute"
) -> "Records":
    """Rows of the sets and of every baseline at their sizes and distillation seeds, with hard and with soft labels."""
    from limbeck.cli.console import steps
    from limbeck.evaluation import evaluate
    from limbeck.evaluation.records import Records

    judged = Records(())
    with tempfile.TemporaryDirectory(prefix="limbeck-teachers-") as cache, steps("sets and baselines") as watch:
        plan = _plan(sets, task, compute, Path(cache))
        for place, make in enumerate(plan):
            watch(place, len(plan))
            made, recipes = make(configurations)
            judged += evaluate(made, task, configurations=recipes, seeds=seeds, split=split, compute=compute)
        watch(len(plan), len(plan))
    return judged


def _plan(sets: "Sequence[SyntheticSet]", task: "Task", compute: "Compute", cache: Path) -> list[Any]:
    """One maker a set, then one a baseline that is not among the sets."""
    plan = [lambda name, made=made: (made, _recipes(name, made, task)) for made in sets]
    done = {(made.card.method, made.card.per_class, made.card.seed, made.targets is not None) for made in sets}
    for made in sets:
        for method in BASELINES:
            for soft in (False, True):
                key = (method, made.card.per_class, made.card.seed, soft)
                if key not in done:
                    done.add(key)
                    plan.append(_baseline(made, task, method, soft, compute, cache))
    return plan


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
