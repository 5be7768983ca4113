"""What runs cost here: the arithmetic, and one measurement of very small runs."""

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limbeck.compute import Compute
from limbeck.errors import FitError, OptionError
from limbeck.study import costs as costs_module
from limbeck.study.costs import Costs, Trial, measured_costs
from limbeck.study.runs import EvaluateRun, Run, Source
from limbeck.study.study import Execution
from limbeck.study.work import Outcome, Place
from tests.study.study_fakes import row

CPU = Compute("cpu", "float32", "off")


def test_costs_grow_with_size_and_length() -> None:
    costs = Costs(1.0, 0.1, 0.2, 0.01, 0.001, 0.3, 0.002, 1e-4, classes=10, batch=256, networks=2)
    assert costs.distil(5, 100) == pytest.approx(0.2 + 100 * 0.015)
    assert costs.judge(5, 100) == pytest.approx(0.3 + 100 * (0.002 + 50 * 1e-4))
    assert costs.judge(26, 100) == costs.judge(13, 100)  # 260 examples are two batches of 130
    assert costs.judge(1024, 100) == pytest.approx(0.3 + 100 * (0.002 + 256 * 1e-4))
    assert costs.reference(100) == pytest.approx(costs.judge(1024, 100) / 2)


def test_a_measurement_finds_something_everywhere(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "rows.npz", x=chance.normal(size=(120, 3)), y=np.repeat([0, 1], 60))
    trial = Trial(Source(f"npz:{tmp_path / 'rows.npz'}"), 4, CPU, (("real_batch", 4),), network="mlp:width=4")
    costs = measured_costs(trial, Execution(1, 1), budget=600.0)
    assert 0 < costs.start < costs.spent
    assert costs.classes == 2
    for seconds in (costs.choose, costs.distil(2, 1), costs.judge(2, 1), costs.reference(1)):
        assert 0 < seconds < 5


class Slow:
    """Examining takes 5 s and an update 0.01 s and 0.001 s an example; nothing is trained."""

    def perform(self, run: Run, place: Place) -> Outcome:
        del place
        if not isinstance(run, EvaluateRun):
            return Outcome("done", seconds=0.1)
        assert run.configuration is not None
        stored = 10 * run.distil.per_class
        batch = stored / math.ceil(stored / 256)
        training = run.configuration.length.updates(stored, 256) * (0.01 + 0.001 * batch)
        rows = tuple(replace(row(seed=seed), seconds=training / len(run.seeds)) for seed in run.seeds)
        return Outcome("done", rows, seconds=5.0 + training)


@pytest.mark.parametrize("most", [20, 28])  # 280 examples are two batches of 140, as they are in training
def test_costs_of_training_are_those_of_the_training_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, most: int
) -> None:
    monkeypatch.setattr(costs_module, "RealWork", Slow)
    found = costs_module._sample(Trial(Source("digits"), most, CPU), tmp_path, 600.0, time.time() + 600)
    assert found.exam == pytest.approx(5.0)
    assert found.judge(4, 100) == pytest.approx(5.0 + 100 * (0.01 + 0.001 * 40))


def test_what_is_wrong_with_the_trial_is_said_by_its_process() -> None:
    with pytest.raises(OptionError, match="unknown source"):
        measured_costs(Trial(Source("digit"), 4, CPU), Execution(1, 1), budget=30.0)


def test_measuring_gives_up_where_half_of_the_budget_is_gone(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).normal(size=(120, 3)), y=np.repeat([0, 1], 60))
    trial = Trial(Source(f"npz:{tmp_path / 'rows.npz'}"), 4, CPU, (("real_batch", 4),), network="mlp:width=4")
    with pytest.raises(FitError, match="more than half of the"):  # a new process alone takes longer
        measured_costs(trial, Execution(1, 1), budget=0.01)
