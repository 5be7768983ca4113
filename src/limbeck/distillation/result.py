"""From what a distiller made to the artefact, with its whole provenance. Nothing in it depends on wall-clock time."""

import platform
from dataclasses import dataclass, field
from importlib import metadata

import torch
from torch import Tensor

from limbeck.data.task import Task
from limbeck.distillation.distiller import Distiller, Situation
from limbeck.shapes import Params
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.synthetic.synthetic_set import Card, SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.values import encode

__all__ = ["Made", "finished", "versions"]


@dataclass(frozen=True, eq=False)
class Made:
    """What a distiller made.

    variables, labels, targets: as in SyntheticSet (any device). losses: the curve. budget: plain numbers for the card.
    notes: sentences for the card, after those of the task.
    """

    variables: Params
    labels: Tensor
    targets: Tensor | None
    losses: tuple[tuple[int, float], ...] = ()
    budget: dict[str, int | float | str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def versions() -> dict[str, str]:
    """Versions that a number depends on."""
    return {"limbeck": metadata.version("limbeck"), "torch": torch.__version__, "python": platform.python_version()}


def finished(distiller: Distiller, task: Task, situation: Situation, made: Made) -> SyntheticSet:
    """The artefact. ``distiller`` must have the fields ``recipe`` and, where it has one, ``parametrisation``."""
    recipe = getattr(distiller, "recipe")  # noqa: B009 (every concrete distiller declares it)
    assert isinstance(recipe, Configuration)
    parametrisation = _parametrisation(distiller)
    compute = situation.compute.resolve()
    card = Card(
        task=task.name,
        fingerprint=task.fingerprint,
        split_seed=task.split_seed,
        classes=task.classes,
        shape=task.shape,
        method=distiller.name,
        distiller=encode(distiller),
        per_class=tuple(torch.bincount(made.labels, minlength=len(task.classes)).tolist()),
        seed=situation.seed,
        recipe=recipe,
        losses=made.losses,
        budget={
            **made.budget,
            "device": compute.device,
            "precision": compute.precision,
            "compilation": compute.compilation,
        },
        versions=versions(),
        notes=(*task.notes, *made.notes),
        features=task.features,
    )
    targets = None if made.targets is None else made.targets.detach().cpu().to(torch.float32)
    stored = {k: v.detach().cpu().to(torch.float32) for k, v in made.variables.items()}
    return SyntheticSet(stored, parametrisation, made.labels.cpu(), targets, None, task.preprocessing, card)


def _parametrisation(distiller: Distiller) -> Parametrisation:
    from limbeck.synthetic.pixels import Pixels

    own = getattr(distiller, "parametrisation", Pixels())
    assert isinstance(own, Parametrisation)
    return own
