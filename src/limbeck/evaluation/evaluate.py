"""How good is a synthetic set? The one function that trains on it and looks at the test split."""

from collections.abc import Callable, Sequence

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.errors import MismatchError, OptionError, unknown
from limbeck.evaluation.exam import Exam, checked_seeds
from limbeck.evaluation.origin import check_match, origin_of
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
    origin, examples = origin_of(set, labels), set.examples(labels)
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
    if not isinstance(set, SyntheticSet) or not isinstance(task, Task):
        raise OptionError(
            "evaluate takes a SyntheticSet (SyntheticSet.load(directory)) and then a task, in this order."
        )
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if labels not in ("own", "hard"):
        raise unknown("kind of labels", labels, ("own", "hard"))
    check_match(set, task)


def _check_references(references: Records | None, task: Task, split: str) -> None:
    for row in references or ():
        if (row.fingerprint, row.split_seed, row.split) != (task.fingerprint, task.split_seed, split):
            raise MismatchError(
                f"a reference was measured on {row.split} of {row.fingerprint} (split seed {row.split_seed}), and this "
                f"is {split} of {task.fingerprint} ({task.split_seed}): hand in references of the same task and split."
            )
