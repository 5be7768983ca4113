"""The outer loop: same bytes however often it is interrupted, no look at the test split, trouble answered."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import limbeck
from limbeck.compute import Compute
from limbeck.data.task import Pool, Task
from limbeck.distillation.distill import compose, distill, distill_into
from limbeck.distillation.distiller import Situation
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.setting import Setting
from limbeck.distillation.teacher import teacher
from limbeck.errors import ArtifactError, DirectoryError, FitError, OptionError
from limbeck.networks.names import architecture
from limbeck.training.configuration import Updates
from limbeck.values import replace as changed
from tests.distillation.killing import assert_same_bytes_when_killed

FILES = ("synthetic.safetensors", "card.json", "README.md", "preview.png")
FEW: dict[str, Any] = {"iterations": 6, "real_batch": 8, "network": "convnet-2-32:width=4"}


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("method", ["dm", "dc", "dsa"])
def test_same_seed_same_bytes(task: Task, tmp_path: Path, method: str) -> None:
    for place in ("a", "b"):
        distill(task, method, per_class=2, seed=3, out=tmp_path / place, **FEW)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    other = distill(task, method, per_class=2, seed=4, **FEW)
    mine = distill(task, method, per_class=2, seed=3, **FEW)
    assert not torch.equal(other.variables["pixels"], mine.variables["pixels"])


@pytest.mark.parametrize("method", ["dm", "dsa"])
@pytest.mark.parametrize("labels", ["hard", "learned"])
def test_stopping_at_every_checkpoint_changes_nothing(task: Task, tmp_path: Path, method: str, labels: str) -> None:
    settings = {**FEW, "labels": "learned:teacher=false" if labels == "learned" else "hard"}
    whole = distill(task, method, per_class=2, **settings)
    distiller = compose(task, method, 2, **settings)
    stops, made = 0, None
    while made is None:
        made = distill_into(tmp_path / "run", distiller, task, Situation(2, until=0.0))
        stops += made is None
    assert stops >= 4
    assert torch.equal(made.variables["pixels"], whole.variables["pixels"])
    assert (made.targets is None) == (labels == "hard")
    if made.targets is not None and whole.targets is not None:
        assert torch.equal(made.targets, whole.targets)


def test_stopping_between_checkpoints_changes_nothing(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limbeck.distillation.outer_loop.CELLS", 2)
    few = {**FEW, "lr": 1e21, "momentum": 0.0, "iterations": 8}  # of which some iterations are rolled back
    whole = distill(task, "dm", per_class=1, out=tmp_path / "whole", **few)
    monkeypatch.setattr("limbeck.distillation.outer_loop.PATIENCE", 0.0)
    stops, made = 0, None
    while made is None:
        made = distill_into(tmp_path / "run", compose(task, "dm", 1, **few), task, Situation(1, until=0.0))
        stops += made is None
        assert (tmp_path / "run" / "between.safetensors").exists() == (made is None)
    assert stops >= 7
    assert whole.card.budget["rollbacks"]
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "whole")


def test_a_finished_run_is_found(task: Task, tmp_path: Path) -> None:
    first = distill(task, "dm", per_class=2, out=tmp_path, **FEW)
    stamp = (tmp_path / "synthetic.safetensors").stat().st_mtime_ns
    again = distill(task, "dm", per_class=2, out=tmp_path, **FEW)
    assert (tmp_path / "synthetic.safetensors").stat().st_mtime_ns == stamp
    assert torch.equal(first.variables["pixels"], again.variables["pixels"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_class": 40, "parametrisation": "factored"},
        {"view": "attention", "network": "mlp"},
        {"augmentation": "mixup"},
    ],
    ids=["too many", "a misfit", "mixed labels"],
)
def test_a_corrected_request_may_begin_where_the_wrong_one_was(
    task: Task, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    size = wrong.get("per_class", 1)
    with pytest.raises(FitError):
        distill(task, "dm", out=tmp_path / "d", **{**FEW, "per_class": size, **wrong})
    assert len(distill(task, "dm", per_class=1, out=tmp_path / "d", **FEW)) == len(task.classes)


def test_a_directory_of_another_run_is_refused(task: Task, tmp_path: Path) -> None:
    distill(task, "dm", per_class=2, out=tmp_path / "a", **FEW)
    with pytest.raises(DirectoryError, match="another seed"):
        distill(task, "dm", per_class=2, seed=1, out=tmp_path / "a", **FEW)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").write_text("precious")
    with pytest.raises(DirectoryError, match="not empty"):
        distill(task, "dm", per_class=2, out=tmp_path / "b", **FEW)
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["thesis.tex"]


def test_preprocessing_names_a_run_and_a_teacher(tmp_path: Path) -> None:
    """Data that are whitened are other data: a run does not go on with them, and they have a teacher of their own."""
    plain, white = limbeck.data.digits(), limbeck.data.digits(zca=True)
    assert plain.fingerprint == white.fingerprint
    few = {"iterations": 2, "real_batch": 4, "network": "mlp:width=4"}
    distill(plain, "dm", per_class=1, out=tmp_path / "a", **few)
    with pytest.raises(DirectoryError, match="another preprocessing"):
        distill(white, "dm", per_class=1, out=tmp_path / "a", **few)
    setting = Setting.of(plain, 1, architecture("mlp:width=4"))
    training = changed(setting.teacher, length=Updates(2))
    names = [teacher(task, training, Situation(1, cache=tmp_path / "cache")).name for task in (plain, white)]
    assert names[0] != names[1] and len(list((tmp_path / "cache").iterdir())) == 2


def test_a_run_goes_on_in_its_own_arithmetic(task: Task, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Other chunks are refused, another number of threads is said; run.json of before either is taken as it is."""
    chunked = {chunk: Compute(device="cpu", chunk=chunk) for chunk in (None, 4)}
    distill(task, "dm", per_class=1, out=tmp_path, compute=chunked[None], **FEW)
    with pytest.raises(DirectoryError, match="another chunk"):
        distill(task, "dm", per_class=1, out=tmp_path, compute=chunked[4], **FEW)
    path = tmp_path / "run.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | {"threads": found["threads"] + 1}))
    distill(task, "dm", per_class=1, out=tmp_path, compute=chunked[None], **FEW)
    assert "threads" in caplog.text
    path.write_text(json.dumps({k: v for k, v in found.items() if k not in ("chunk", "preprocessing", "threads")}))
    distill(task, "dm", per_class=1, out=tmp_path, compute=chunked[None], **FEW)


def test_the_loss_falls(task: Task) -> None:
    made = distill(task, "dm", per_class=2, iterations=60, real_batch=32, network="convnet-2-32:width=8")
    losses = [loss for _, loss in made.card.losses]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


class _Forbidden:
    size = 1
    openings: tuple[str, ...] = ()

    def open(self, reader: str) -> Pool:
        raise AssertionError(f"{reader} read the test split")


@pytest.mark.parametrize("method", ["dm", "dc", "random", "herding"])
def test_a_task_whose_test_split_raises_distils_to_the_same_bytes(task: Task, method: str) -> None:
    settings = {"teacher_epochs": 1} if method == "herding" else FEW if method in ("dm", "dc") else {}
    sealed = replace(task)
    object.__setattr__(sealed, "test", _Forbidden())
    ours, theirs = (distill(t, method, per_class=2, **settings) for t in (sealed, task))
    assert torch.equal(ours.variables["pixels"], theirs.variables["pixels"])


def test_non_finite_rolls_back_and_halves_the_rate(task: Task, tmp_path: Path) -> None:
    wild = compose(task, "dm", 1, **{**FEW, "lr": 1e300, "iterations": 4})
    assert isinstance(wild, MatchingDistiller)
    with pytest.raises(FitError, match=r"non-finite .*\(--set lr=…\)\.$"):  # no --difficulty was given
        wild.distill(task, Situation(1, directory=tmp_path))
    log = (tmp_path / "log.jsonl").read_text()
    assert '"rolled_back": 10' in log


def test_what_is_not_finite_from_the_first_is_not_blamed_on_the_rate(task: Task) -> None:
    drowned = compose(task, "dm", 1, **{**FEW, "difficulty": "sdc=1e39"})
    with pytest.raises(FitError, match="no smaller rate can mend"):
        drowned.distill(task, Situation(1))


def test_a_rate_that_is_a_little_too_large_recovers(task: Task) -> None:
    wild = compose(task, "dm", 1, **{**FEW, "lr": 1e21, "momentum": 0.0, "iterations": 8})
    made = wild.distill(task, Situation(1))
    assert made is not None
    assert torch.isfinite(made.variables["pixels"]).all()
    assert made.card.budget["rollbacks"] > 0


def test_damaged_checkpoint_is_a_sentence(task: Task, tmp_path: Path) -> None:
    distiller = compose(task, "dm", 1, **FEW)
    assert distill_into(tmp_path, distiller, task, Situation(1, until=0.0)) is None
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtifactError, match="damaged"):
        distill_into(tmp_path, distiller, task, Situation(1))


@pytest.mark.parametrize("size", [0, -3])
def test_sizes_below_one_are_refused(task: Task, size: int) -> None:
    with pytest.raises(OptionError, match="at least 1"):
        distill(task, "dm", per_class=size, **FEW)


def test_more_than_a_class_has_is_refused_by_name(task: Task) -> None:
    with pytest.raises(FitError, match=r"class '\d' has \d+ training examples"):
        distill(task, "random", per_class=5000)


def test_unbalanced_sizes(task: Task) -> None:
    made = distill(task, "dm", per_class=(1, 2, 3, 1), **FEW)
    assert made.labels.tolist() == [0, 1, 1, 2, 2, 2, 3]


def test_teacher_labels_are_given_to_the_finished_images(task: Task) -> None:
    hard = distill(task, "dm", per_class=2, **FEW)
    soft = distill(task, "dm", per_class=2, labels="teacher", teacher_epochs=1, **FEW)
    assert torch.equal(hard.variables["pixels"], soft.variables["pixels"])
    assert soft.targets is not None
    assert torch.allclose(soft.targets.sum(1), torch.ones(8))


def test_budget_becomes_stored_iterations(task: Task, tmp_path: Path) -> None:
    made = distill(task, "dm", per_class=1, out=tmp_path, budget=1.0, real_batch=8, network="convnet-2-32:width=4")
    stored = made.card.distiller["iterations"]
    assert stored >= 1
    again = distill(
        task, "dm", per_class=1, budget=None, iterations=stored, real_batch=8, network="convnet-2-32:width=4"
    )
    assert torch.equal(made.variables["pixels"], again.variables["pixels"])


def test_killed_at_twenty_random_moments_ends_with_the_same_bytes(tmp_path: Path) -> None:
    asked = {"method": "dsa", "per_class": 2, "iterations": 100, "network": "convnet-2-32:width=4"}
    assert_same_bytes_when_killed(tmp_path, moments=20, share=0.35, **asked)


def test_the_value_names_the_run(task: Task) -> None:
    a, b = compose(task, "dm", 2, **FEW), compose(task, "dm", 2, **FEW)
    assert a == b
    assert changed(a, iterations=7) != b


def test_numbers_of_numpy_and_times_in_words_are_taken(task: Task) -> None:
    made = distill(task, "random", per_class=np.int64(2), seed=np.int32(1), network="mlp")
    assert made.card.per_class == (2,) * len(task.classes)
    assert type(made.card.seed) is int
    assert repr(made) == f"SyntheticSet({len(made)} examples of {task.name} by random, 2 a class, seed 1)"
    assert len(distill(task, "dm", per_class=1, budget="1s", network="mlp", real_batch=4)) == len(task.classes)
    with pytest.raises(OptionError, match="no time budget"):
        distill(task, "dm", per_class=1, budget="soon", network="mlp")
