"""A time budget becomes iterations; what is done once, compiling above all, is not taken for an iteration's cost."""

import time
from dataclasses import replace

import pytest
import torch

import limbeck
from limbeck import compilation
from limbeck.compilation import compiled, seconds_compiling
from limbeck.compute import Compute
from limbeck.distillation import outer_loop
from limbeck.distillation.budget import Timing, iterations_for, measured_timing, parse_seconds
from limbeck.distillation.distill import compose
from limbeck.distillation.distiller import Situation
from limbeck.errors import OptionError

SITUATION = Situation(1, 0, Compute("cpu", "float32", "off"))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that takes a thousand seconds for a function's first call, on a clock that is put forward."""
    real, late = time.perf_counter, [0.0]

    def compile_(function, **options):
        waited: list[bool] = []

        def call(*args):
            if not waited:
                waited.append(True)
                late[0] += 1000.0
            return function(*args)

        return call

    monkeypatch.setattr(time, "perf_counter", lambda: real() + late[0])
    monkeypatch.setattr(torch, "compile", compile_)
    monkeypatch.setattr(compilation, "_COMPILED", {})


def test_the_first_call_of_a_compiled_function_is_compiling(slow: None) -> None:
    before = seconds_compiling()
    fast = compiled(abs, "abs of a budget")
    assert seconds_compiling() == before  # nothing is compiled until it is called
    assert fast(-3) == 3
    once = seconds_compiling() - before
    assert once == pytest.approx(1000.0, abs=1.0)
    assert fast(-4) == 4
    assert seconds_compiling() - before == once


def test_an_iteration_that_compiles_is_not_what_iterations_cost(slow: None) -> None:
    """Compiling in the third iteration, which is among those measured."""
    task = limbeck.data.digits()
    made = compose(task, "dm", 1, network="mlp", real_batch=4)
    late = compiled(abs, "abs in the third iteration")

    class Late(type(made)):
        def distill(self, task, situation):
            def watch(progress):
                if progress.done == 3:
                    late(-1)
                situation.watch(progress)

            return super().distill(task, replace(situation, watch=watch))

    slowed = Late(**{name: getattr(made, name) for name in made.__dataclass_fields__})
    found = measured_timing(slowed, task, SITUATION, spend=0.3)
    assert found.compiling == pytest.approx(1000.0, abs=1.0)
    assert found.iteration < 1.0
    assert measured_timing(made, task, SITUATION, spend=0.3).compiling == 0.0


@pytest.mark.parametrize(
    ("timing", "apart", "expected"),
    [
        (Timing(0.0, 0.5), False, 180),  # a tenth of 100 s goes into measuring
        (Timing(10.0, 0.5), False, 140),  # prepared twice
        (Timing(10.0, 0.5), True, 160),  # prepared once
        (Timing(0.0, 0.5, compiling=30.0), False, 120),  # compiled once, whoever does it
        (Timing(0.0, 0.5, compiling=30.0), True, 168),  # the run loads what was compiled
        (Timing(0.0, 500.0), True, 1),
    ],
)
def test_a_budget_in_iterations(timing: Timing, apart: bool, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limbeck.distillation.budget.measured_timing", lambda *_, **__: timing)
    task = limbeck.data.digits()
    assert iterations_for(100.0, compose(task, "dm", 1), task, SITUATION, apart=apart) == expected


def test_a_budget_that_compiling_eats_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = Timing(0.0, 0.1, compiling=40.0)
    monkeypatch.setattr("limbeck.distillation.budget.measured_timing", lambda *_, **__: timing)
    task = limbeck.data.digits()
    with pytest.raises(OptionError, match=r"40 s, compiling among them, .* give at least 60 s"):
        iterations_for(30.0, compose(task, "dm", 1), task, SITUATION)


def test_budgets_as_people_write_them() -> None:
    assert [parse_seconds(text) for text in ("90", "90s", "5m", "0.5h", "2M")] == [90, 90, 300, 1800, 120]
    for wrong in ("", "m", "5 minutes", "-1s", "0", "inf", "nan"):
        with pytest.raises(OptionError, match="90s, 5m or 2h"):
            parse_seconds(wrong)


def test_a_trial_makes_no_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A throw-away run ends before a teacher is trained, however quickly its iterations are done."""
    task, made = limbeck.data.digits(), []
    monkeypatch.setattr(outer_loop, "choose_labels", lambda *_, **__: made.append(1))
    short = compose(task, "dm", 1, network="mlp", real_batch=4, labels="tried", iterations=5)
    assert measured_timing(short, task, SITUATION, spend=1e9).iteration > 0
    assert not made


def test_a_small_budget_is_not_spent_on_compiling(slow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are measured on passes that are not compiled, although the published run would be."""
    task = limbeck.data.digits()
    made = compose(task, "dm", 1, network="convnet-2-32:width=8", real_batch=16)
    auto = Compute("cpu", "float32", "auto")
    published = replace(made, iterations=10**9)
    monkeypatch.setattr(compilation, "has_compiler", lambda: True)
    assert published.settled(task, Situation(1, 0, auto)).compilation == "on"
    before = seconds_compiling()
    assert iterations_for(10.0, published, task, Situation(1, 0, auto)) >= 1
    assert seconds_compiling() == before
