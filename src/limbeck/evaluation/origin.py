"""Where trained networks come from: the set that they were trained on, and whether it belongs to a task."""

from dataclasses import dataclass

import torch

from limbeck.data.task import Task
from limbeck.errors import MismatchError
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["Origin", "check_match", "origin_of"]


@dataclass(frozen=True)
class Origin:
    """What networks are trained on; the fields are those of Record."""

    set: str
    method: str
    per_class: float
    stored: int
    distillation_seed: int
    labels: str


def origin_of(set: SyntheticSet, labels: str) -> Origin:
    """The origin of networks trained on ``set`` with its "own" labels or "hard" ones."""
    card, kind = set.card, _labels(set, labels)
    per_class = len(set) / len(card.classes)
    name = f"{card.method}-{per_class:g}-seed{card.seed}" + ("" if kind == "hard" else f"-{kind}")
    return Origin(name, card.method, per_class, len(set), card.seed, kind)


def _labels(set: SyntheticSet, labels: str) -> str:
    """One of "hard", "soft" (a teacher's) and "learned"."""
    if labels == "hard" or set.targets is None:
        return "hard"
    rule = set.card.distiller.get("labels")
    return "learned" if isinstance(rule, dict) and rule.get("kind") == "LearnedLabels" else "soft"


def check_match(set: SyntheticSet, task: Task) -> None:
    """MismatchError unless ``task`` has the content, the split and the preprocessing that ``set`` was made from."""
    card = set.card
    if card.fingerprint != task.fingerprint:
        raise MismatchError(
            f"the set was made from '{card.task}' with fingerprint {card.fingerprint}, and '{task.name}' has "
            f"{task.fingerprint}: evaluate it on the data that it was made from, opened with the same options (groups, "
            "size, channels)."
        )
    if card.split_seed != task.split_seed:
        raise MismatchError(
            f"the set was made from the split with seed {card.split_seed}, and the task is split with "
            f"{task.split_seed}, so that its test examples may have been trained on: open the source with split seed "
            f"{card.split_seed}."
        )
    _check_preprocessing(set, task)


def _check_preprocessing(set: SyntheticSet, task: Task) -> None:
    """One content may be preprocessed in two ways; inputs of one mean nothing to networks of the other."""
    ours, theirs = set.preprocessing.tensors(), task.preprocessing.tensors()
    alike = ours.keys() == theirs.keys() and all(
        ours[k].shape == theirs[k].shape and torch.allclose(ours[k].cpu(), theirs[k].cpu(), atol=1e-3, rtol=1e-3)
        for k in ("mean", "std")
    )
    if not alike:
        raise MismatchError(
            f"the set was preprocessed with {', '.join(ours)} and the task with {', '.join(theirs)} of other values or "
            "kinds: open the source with the preprocessing that the set was made with (normalisation, ZCA)."
        )
