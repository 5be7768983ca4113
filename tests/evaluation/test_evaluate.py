import ast
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import limbeck
from limbeck.compute import Compute
from limbeck.data import Pool, Sealed, Task, digits
from limbeck.errors import FitError, MismatchError, OptionError
from limbeck.evaluation.evaluate import evaluate, own_recipe
from limbeck.evaluation.records import Record, Records
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.seeds import derive
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.optimizer import SGD
from limbeck.training.predict import predict
from limbeck.training.space import Space
from limbeck.training.train import train
from limbeck.values import digest, replace

Make = Callable[..., SyntheticSet]
COMPUTE = Compute(device="cpu", precision="float32", compilation="off")


def quiet(rows: Records) -> list[Record]:
    """Without wall-clock time."""
    return [dataclasses.replace(row, seconds=0.0) for row in rows]


def judge(set: SyntheticSet, task: Task, **options: object) -> Records:
    return evaluate(set, task, **{"seeds": 2, "compute": COMPUTE, **options})


def test_a_set_is_evaluated_from_end_to_end(make: Make, task: Task) -> None:
    told: list[tuple[int, int]] = []
    opened = len(task.test.openings)
    rows = judge(make(seed=3), task, watch=lambda done, total: told.append((done, total)))
    assert task.test.openings[opened:] == ["evaluate"]
    assert told == [(2, 2)]
    assert [(row.configuration, row.seed, row.distillation_seed) for row in rows] == [("own", 0, 3), ("own", 1, 3)]
    for row in rows:
        assert row.accuracy > 0.3  # chance is 0.1
        assert row.examples == task.test.size
        assert row.correctness().mean() == pytest.approx(row.accuracy)
        assert row.balanced == pytest.approx(sum(row.recalls) / 10)
        assert (row.method, row.per_class, row.stored, row.labels, row.updates) == ("random", 2.0, 20, "hard", 20)
        assert row.split == "test"
        assert not row.failure


def test_the_numbers_are_those_of_the_naive_way(make: Make, task: Task, small: Configuration) -> None:
    row = judge(make(seed=3), task, seeds=(7,), split="validation").rows[0]
    network = small.architecture.build(task.shape, 10)
    keep = (0.5, 0.6, 0.7, 0.8, 0.9)
    seed = derive(3, "evaluation", 7)
    trained = train(network, small, make().examples(), seeds=(seed,), compute=COMPUTE, keep=keep)

    real = task.validation.examples()

    def accuracy(params: dict[str, torch.Tensor]) -> float:
        logits = predict(network, params, real.inputs, statistics=None, compute=COMPUTE)
        return float((logits.argmax(1) == real.labels).double().mean())

    assert row.accuracy == row.validation == accuracy(trained.params[0])
    assert row.selected == max(accuracy(params) for params in (*trained.snapshots[0], trained.params[0]))
    right = predict(network, trained.params[0], real.inputs, statistics=None, compute=COMPUTE).argmax(1) == real.labels
    third = real.labels == 3
    assert row.recalls[3] == pytest.approx(float(right[third].double().mean()))


def test_the_snapshot_is_chosen_on_validation_not_on_test(make: Make, task: Task) -> None:
    longer = replace(make().card.recipe, name="noisy", optimizer=SGD(lr=0.3), length=Updates(10))
    tests = judge(make(), task, configurations=(longer,), seeds=4)
    for row in tests:
        assert row.validation <= 1
        assert 0 <= row.selected <= 1
    # a choice on test could never be worse than the last weights; one on validation sometimes is
    assert any(row.selected != row.accuracy for row in tests)


def test_the_same_seed_gives_the_same_rows(make: Make, task: Task) -> None:
    assert quiet(judge(make(), task)) == quiet(judge(make(), task))
    together, alone = judge(make(), task, seeds=(0, 5)), judge(make(), task, seeds=(5,))
    assert together.rows[1].correct == alone.rows[0].correct


def test_networks_are_nested_in_the_distillation_seed(make: Make, task: Task) -> None:
    one, two = judge(make(seed=0), task), judge(make(seed=1), task)
    assert [row.seed for row in one] == [row.seed for row in two]
    assert all(a.correct != b.correct for a, b in zip(one, two, strict=True))


def test_validation_never_opens_the_sealed_split(make: Make, task: Task) -> None:
    def explode() -> Pool:
        raise AssertionError("the test split was read")

    sealed = dataclasses.replace(task, test=Sealed(explode, task.test.size))
    rows = judge(make(), sealed, split="validation")
    assert rows.rows[0].split == "validation"
    assert rows.rows[0].accuracy == rows.rows[0].validation
    assert sealed.test.openings == []
    with pytest.raises(AssertionError, match="was read"):
        judge(make(), sealed)


def test_only_the_room_evaluation_opens_the_test_split() -> None:
    package = Path(limbeck.__file__).parent
    openers = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            opens = isinstance(node, ast.Attribute) and node.attr == "open" and isinstance(node.value, ast.Attribute)
            if opens and node.value.attr == "test":
                openers.add(path.relative_to(package).as_posix())
    assert openers == {"evaluation/exam.py"}


def test_another_task_is_an_error_that_says_both(make: Make, task: Task) -> None:
    with pytest.raises(MismatchError, match=rf"fingerprint 0123.*{task.fingerprint}"):
        judge(make(fingerprint="0123"), task)
    with pytest.raises(MismatchError, match="seed 0, and the task is split with 1"):
        judge(make(), digits(seed=1))
    with pytest.raises(MismatchError, match="ZCA"):
        judge(make(), digits(zca=True))


def test_bad_requests_are_errors_before_training(make: Make, task: Task, small: Configuration) -> None:
    opened = len(task.test.openings)
    deep = Configuration("deep", ConvNet(depth=5, width=8))
    cases: list[tuple[type[Exception], str, dict[str, object]]] = [
        (OptionError, "did you mean test", {"split": "tst"}),
        (OptionError, "kind of labels", {"labels": "soft"}),
        (OptionError, "did you mean quick", {"configurations": "quickly"}),
        (OptionError, "no configuration", {"configurations": ()}),
        (OptionError, "called 'small'", {"configurations": (small, small)}),
        (OptionError, "seeds", {"seeds": 0}),
        (OptionError, "seeds", {"seeds": (1, 1)}),
        (FitError, "at most depth 3", {"configurations": (small, deep)}),
    ]
    for kind, sentence, options in cases:
        with pytest.raises(kind, match=sentence):
            judge(make(), task, **options)
    assert len(task.test.openings) == opened


def test_a_failure_is_a_row_without_accuracies(make: Make, task: Task, small: Configuration) -> None:
    wild = replace(small, name="wild", optimizer=SGD(lr=1e30))
    rows = judge(make(), task, configurations=(small, wild))
    assert [row.finished for row in rows] == [True, True, False, False]
    bad = rows.rows[2]
    assert math.isnan(bad.accuracy)
    assert math.isnan(bad.selected)
    assert bad.examples == 0
    assert len(bad.recalls) == 10
    assert "stopped at update" in bad.failure


def test_a_learned_step_size_belongs_to_the_own_recipe_alone(make: Make, task: Task, small: Configuration) -> None:
    learned = make(step_size=0.001)
    assert own_recipe(learned).optimizer == SGD(lr=0.001)
    assert judge(learned, task, seeds=1).rows[0].recipe == digest(own_recipe(learned))
    foreign = judge(learned, task, configurations=(small,), seeds=1).rows[0]
    assert foreign.correct == judge(make(), task, configurations=(small,), seeds=1).rows[0].correct
    assert foreign.recipe == digest(small)


def test_soft_labels_can_be_hardened(make: Make, task: Task) -> None:
    soft, hard = judge(make(soft=True), task), judge(make(soft=True), task, labels="hard")
    assert [row.labels for row in (*soft, *hard)] == ["soft"] * 2 + ["hard"] * 2
    assert quiet(hard) == quiet(judge(make(), task))
    assert soft.rows[0].correct != hard.rows[0].correct
    learned = make(soft=True, distiller={"labels": {"kind": "LearnedLabels"}})
    assert judge(learned, task, seeds=1).rows[0].labels == "learned"


def test_names_and_spaces_of_configurations(make: Make, task: Task, small: Configuration) -> None:
    assert judge(make(), task, configurations="quick", seeds=1).rows[0].configuration == "quick"
    both = Space("both", (small, replace(small, name="wider", architecture=MLP(width=20))))
    assert [row.configuration for row in judge(make(), task, configurations=both, seeds=1)] == ["small", "wider"]


def test_batch_norm_is_examined_with_the_sets_own_statistics(make: Make, task: Task) -> None:
    normed = Configuration("bn", ConvNet(depth=1, width=8, norm="batch"), SGD(lr=0.05), length=Updates(20))
    assert judge(make(), task, configurations=(normed,)).rows[0].accuracy > 0.25


def test_references_stand_beside_the_rows(make: Make, task: Task) -> None:
    reference = judge(make(), task, seeds=1)
    assert len(judge(make(), task, seeds=1, references=reference)) == 2
    with pytest.raises(MismatchError, match="a reference was measured on test"):
        judge(make(), task, split="validation", references=reference)
