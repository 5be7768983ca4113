"""How good is a synthetic set? The one function that trains on it and looks at the test split."""

from collections.abc import Callable, Sequence

import torch

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.errors import MismatchError, OptionError, unknown
from limbeck.evaluation.exam import Exam, Origin, checked_seeds
from limbeck.evaluation.records import SPLITS, Records
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.training.space import Space, space
from limbeck.values import replace

__all__ = ["evaluate", "own_recipe"]


def _unwatched(done: int, total: int) -> None:
    del done, total


def evaluate(
    set: SyntheticSet,
    task: Task,
    *,
    configurations: str | Space | Sequence[Configuration] = "own",
    seeds: int | Sequence[int] = 5,
    split: str = "test",
    labels: str = "own",
    compute: Compute | None = None,
    references: Records | None = None,
    watch: Callable[[int, int], None] = _unwatched,
) -> Records:
    """Train networks on ``set`` and examine them on a split of ``task``: one row a configuration and seed.

    configurations: "own" (the card's recipe, with the learned step size where there is one), the name of a space, a
                    space, or configurations. A foreign configuration never uses the learned step size.
    seeds:      networks a configuration: n for 0 … n − 1, or the seeds; they are nested in the set's distillation seed.
    split:      "test" (opened once, and logged) or "validation" (for every choice; the test split stays sealed).
    labels:     "own", or "hard" for the classes alone where a set has soft labels.
    references: full-data rows of the same task and split, to stand beside the new ones (see ``train_full``).
    watch:      called with (networks done, networks in all).
    Raises MismatchError where the task is not the one that the set was made from, FitError where a network does not
    fit, OptionError for unknown names; all before any training.
    """
    _check(set, task, split, labels)
    _check_references(references, task, split)
    chosen, numbers = _chosen(configurations, set, task), checked_seeds(seeds)
    exam = Exam(task, split, reader="evaluate", compute=compute or Compute())
    origin, examples = _origin(set, labels), set.examples(labels)
    rows = Records(())
    for configuration in chosen:
        rows += Records(exam.rows(origin, exam.teach(origin, configuration, examples, numbers)))
        watch(len(rows), len(chosen) * len(numbers))
    return rows if references is None else rows + references


def own_recipe(set: SyntheticSet) -> Configuration:
    """The set's recipe under the name "own", with its learned step size where it has one."""
    recipe = replace(set.card.recipe, name="own")
    if set.step_size is None:
        return recipe
    return replace(recipe, optimizer=replace(recipe.optimizer, lr=set.step_size))


def _chosen(asked: str | Space | Sequence[Configuration], set: SyntheticSet, task: Task) -> tuple[Configuration, ...]:
    """The configurations asked for; each fits the task, and no two have one name."""
    if isinstance(asked, str):
        found = (own_recipe(set),) if asked == "own" else tuple(space(asked, task.shape).configurations)
    else:
        found = tuple(asked.configurations if isinstance(asked, Space) else asked)
    names = [configuration.name for configuration in found]
    if not found:
        raise OptionError("no configuration was given: use 'own', the name of a space, or a tuple of configurations.")
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"{names.count(name)} configurations are called '{name}': give each its own name.")
    for configuration in found:
        configuration.architecture.build(task.shape, len(task.classes))  # FitError where it does not fit
    return found


def _check(set: SyntheticSet, task: Task, split: str, labels: str) -> None:
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if labels not in ("own", "hard"):
        raise unknown("kind of labels", labels, ("own", "hard"))
    card = set.card
    if card.fingerprint != task.fingerprint:
        raise MismatchError(
            f"the set was made from '{card.task}' with fingerprint {card.fingerprint}, and '{task.name}' has "
            f"{task.fingerprint}: evaluate it on the data that it was made from."
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


def _check_references(references: Records | None, task: Task, split: str) -> None:
    for row in references or ():
        if (row.fingerprint, row.split_seed, row.split) != (task.fingerprint, task.split_seed, split):
            raise MismatchError(
                f"a reference was measured on {row.split} of {row.fingerprint} (split seed {row.split_seed}), and this "
                f"is {split} of {task.fingerprint} ({task.split_seed}): hand in references of the same task and split."
            )


def _origin(set: SyntheticSet, labels: str) -> Origin:
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
