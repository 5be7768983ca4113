"""Hard labels or a teacher's for finished images: which train better networks, on validation."""

import shutil
from typing import NamedTuple

import torch
from torch import Tensor

from limbeck.data.examples import Examples
from limbeck.data.task import Task
from limbeck.distillation.distiller import Situation
from limbeck.errors import FitError
from limbeck.networks.network import Network
from limbeck.seeds import derive
from limbeck.synthetic.labels import LabelRule, TriedLabels
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.predict import fitted, predict
from limbeck.training.stages import Stages
from limbeck.training.train import train
from limbeck.values import canonical, digest, replace

__all__ = ["LabelChoice", "check_triable", "choose_labels", "trial"]


class LabelChoice(NamedTuple):
    """The targets that were chosen, None for hard labels, and the sentence that says why."""

    targets: Tensor | None
    sentence: str


def check_triable(rule: LabelRule, task: Task) -> None:
    """FitError, before any work, where labels are to be tried and there is nothing to try them on."""
    if isinstance(rule, TriedLabels) and not len(task.validation):
        raise FitError(
            "labels are to be tried on validation, and the task has no validation examples: split some off, or set "
            "labels=hard or labels=teacher."
        )


def trial(rule: TriedLabels, recipe: Configuration) -> Configuration:
    """How the networks of a trial are trained: as ``recipe`` says, no longer than ``rule`` allows."""
    if not isinstance(recipe.length, Updates) or recipe.length.count <= rule.updates:
        return recipe
    return replace(recipe, length=Updates(rule.updates))


def choose_labels(
    task: Task,
    rule: TriedLabels,
    recipe: Configuration,
    inputs: Tensor,
    hard: Tensor,
    soft: Tensor,
    situation: Situation,
) -> LabelChoice:
    """Train networks on ``inputs`` (n, …) with ``hard`` (n,) and with ``soft`` (n, classes) labels, and keep those with
    the higher mean accuracy on validation; hard ones where both are equal.

    A network that did not finish counts 0. Raises Paused where the session ended meanwhile.
    """
    recipe = trial(rule, recipe)
    network = recipe.architecture.build(task.shape, len(task.classes))
    seeds = [derive(situation.seed, "labels", i) for i in range(rule.networks)]
    content = [task.fingerprint, task.split_seed, situation.seed, canonical(recipe), float(inputs.double().sum())]
    staged = [situation.stages(f"labels-{name}-{digest(content)}") for name in ("hard", "soft")]
    scores = []
    for targets, stages in zip((hard, soft), staged, strict=True):
        examples = Examples(inputs, targets)
        scores.append(_validated(task, network, recipe, examples, seeds, situation, stages))
    for stages in staged:
        if stages is not None:
            shutil.rmtree(stages.directory, ignore_errors=True)
    better = scores[1] > scores[0]
    what, other = ("a teacher's labels", "hard ones") if better else ("hard labels", "a teacher's")
    sentence = (
        f"{what} were chosen: on validation they train networks to {100 * max(scores):.1f} %, and {other} to "
        f"{100 * min(scores):.1f} % (mean of {rule.networks})."
    )
    return LabelChoice(soft if better else None, sentence)


def _validated(
    task: Task,
    network: Network,
    recipe: Configuration,
    examples: Examples,
    seeds: list[int],
    situation: Situation,
    stages: Stages | None,
) -> float:
    """Mean accuracy on validation."""
    outcome = train(network, recipe, examples, seeds=seeds, compute=situation.compute, stages=stages)
    total = 0.0
    for params, failure in zip(outcome.params, outcome.failures, strict=True):
        statistics = fitted(network, params, examples, situation.compute)
        logits = predict(network, params, task.validation, statistics=statistics, compute=situation.compute)
        if not failure and bool(torch.isfinite(logits).all()):
            total += float((logits.argmax(1).cpu() == task.validation.labels.cpu()).double().mean())
    return total / len(seeds)
