import pytest

from limbeck.compute import Compute
from limbeck.data import Task
from limbeck.errors import OptionError
from limbeck.evaluation import reference
from limbeck.evaluation.reference import train_full
from limbeck.training.configuration import Configuration, Epochs, Updates
from limbeck.training.optimizer import SGD
from limbeck.values import digest, replace

COMPUTE = Compute(device="cpu", precision="float32", compilation="off")


def test_the_matched_reference_has_the_same_number_of_updates(task: Task, small: Configuration) -> None:
    rows = train_full(task, small, seeds=2, compute=COMPUTE)
    assert [(row.set, row.method, row.seed) for row in rows] == [
        ("full-matched", "full", 0),
        ("full-matched", "full", 1),
    ]
    assert all(row.updates == 20 and row.stored == len(task.train) for row in rows)
    assert rows.rows[0].recipe == digest(small)
    assert rows.rows[0].accuracy > 0.3
    assert train_full(task, small, updates=5, seeds=1, compute=COMPUTE).rows[0].updates == 5
    assert task.test.openings[-1] == "train_full"


def test_the_converged_reference_doubles_until_validation_stays(task: Task, small: Configuration) -> None:
    slow = replace(small, optimizer=SGD(lr=1e-6), length=Updates(2))  # learns nothing: twice as long gains nothing
    rows = train_full(task, slow, updates="converged", seeds=1, split="validation", compute=COMPUTE)
    assert (rows.rows[0].set, rows.rows[0].updates) == ("full-converged", 100)  # ten epochs, doubled


def test_what_still_gains_is_not_called_converged(
    task: Task, small: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "EPOCHS", 2)
    monkeypatch.setattr(reference, "DOUBLINGS", 1)
    rows = train_full(task, small, updates="converged", seeds=1, split="validation", compute=COMPUTE)
    assert (rows.rows[0].set, rows.rows[0].updates) == ("full-unconverged", 40)


def test_a_length_in_epochs_matches_nothing(task: Task, small: Configuration) -> None:
    epochs = replace(small, length=Epochs(1))
    with pytest.raises(OptionError, match="length in epochs"):
        train_full(task, epochs, compute=COMPUTE)
    with pytest.raises(OptionError, match="at least 1"):
        train_full(task, small, updates=0, compute=COMPUTE)
