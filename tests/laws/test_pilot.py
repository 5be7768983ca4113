"""The pilot's design: it fits its budget, spreads its sizes evenly, and grows with the budget."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.errors import DirectoryError, FitError, OptionError
from limbeck.laws import pilot
from limbeck.laws.pilot import DOUBLED, FINISH, LEAST, design, lasting, same_pilot, source_of
from limbeck.study.costs import Costs
from limbeck.study.perform import opened
from limbeck.study.runs import Source
from limbeck.study.study import Study

COSTS = Costs(3.0, 0.05, 0.15, 0.02, 0.001, 0.1, 0.002, 2e-5, classes=10, spent=5.0)
DIGITS = Source("digits")


def made(budget: float, costs: Costs = COSTS) -> Study:
    opened(DIGITS)  # so that no design pays for reading them
    return design(DIGITS, budget, measure=lambda *_: costs).study


def seconds(study: Study, costs: Costs) -> float:
    """What the study takes on a machine with these costs, run by run."""
    work = 0.0
    for run in study.distillations():
        updates = dict(run.settings)["updates"]
        work += costs.choose if run.method == "random" else costs.distil(run.per_class, run.iterations or 0)
        work += costs.judge(run.per_class, updates)
    updates = dict(study.methods[0].settings)["updates"]
    work += len(study.references.matched) * costs.reference(updates)
    return costs.spent + costs.start + work / study.execution.processes + FINISH


@pytest.mark.parametrize("budget", [60.0, 120.0, 600.0, 3600.0])
def test_a_design_takes_about_its_budget(budget: float) -> None:
    assert seconds(made(budget), COSTS) == pytest.approx(budget, rel=0.15)


@settings(max_examples=30, deadline=None)
@given(st.floats(60, 3000), st.floats(0.3, 4.0))
def test_no_design_takes_more_than_its_budget(budget: float, slow: float) -> None:
    costs = Costs(3.0, *(slow * each for each in (0.05, 0.15, 0.02, 0.001, 0.1, 0.002, 2e-5)), classes=10, spent=5.0)
    try:
        study = made(budget, costs)
    except FitError:
        return
    assert seconds(study, costs) <= budget


def test_a_richer_budget_buys_a_richer_design() -> None:
    studies = [made(budget) for budget in (60.0, 180.0, 600.0, 3600.0)]
    runs = [len(list(study.distillations())) for study in studies]
    updates = [dict(study.methods[0].settings)["updates"] for study in studies]
    assert runs == sorted(runs)
    assert updates == sorted(updates)
    assert (runs[0], updates[0]) < (runs[-1], updates[-1])
    for study in studies:
        assert len(study.per_class) >= 4
        assert len(study.seeds[0][1]) >= 2
        assert study.per_class[0] == 1
        assert study.per_class[-1] <= 24  # a fifth of the digits' smallest class
        assert all(run.iterations is None or run.iterations >= LEAST for run in study.distillations())


def test_only_a_rich_budget_pays_for_twice_as_long() -> None:
    assert DOUBLED not in {choice.called for choice in made(60.0).methods}
    rich = made(3600.0)
    twice = [choice for choice in rich.methods if choice.called == DOUBLED]
    once = {choice.per_class: choice for choice in rich.methods if choice.called == "dm"}
    assert [choice.per_class[0] for choice in twice] == list(rich.per_class[-2:])
    assert all(choice.iterations[0][1] == 2 * once[choice.per_class].iterations[0][1] for choice in twice)


def test_where_distilling_does_not_fit_real_examples_are_planned_with() -> None:
    found = design(DIGITS, 120.0, measure=lambda *_: replace(COSTS, iterate=20.0))
    assert {choice.name for choice in found.study.methods} == {"random"}
    assert "only real examples" in found.sentence
    assert found.seconds < 120


def test_a_large_size_that_is_too_dear_is_halved() -> None:
    dear = made(240.0, replace(COSTS, iterate_each=0.2))
    assert dear.per_class[-1] < made(240.0).per_class[-1]


def test_fewer_seeds_are_preferred_to_a_quarter_of_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    dear, budgets = replace(COSTS, exam=3.0), range(60, 160, 10)
    with_poor = [made(float(budget), dear) for budget in budgets]
    monkeypatch.setattr(pilot, "WIDE", 99)
    without = [made(float(budget), dear) for budget in budgets]
    assert all(a.per_class[-1] >= b.per_class[-1] for a, b in zip(with_poor, without, strict=True))
    assert any(a.per_class[-1] > b.per_class[-1] for a, b in zip(with_poor, without, strict=True))


def test_of_many_examples_few_are_kept_for_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pilot, "VALIDATION", 40)
    study = made(60.0)
    assert len(opened(study.source).validation) == pytest.approx(40, abs=6)
    same_pilot(study, DIGITS, 60.0, network=None, device="auto")  # what the pilot chose is nothing that was asked for
    told = Source("digits", (("validation_share", 0.3),))
    assert design(told, 60.0, measure=lambda *_: COSTS).study.source == told
    with pytest.raises(DirectoryError, match="source's options"):
        same_pilot(study, told, 60.0, network=None, device="auto")


@given(st.integers(4, 200), st.integers(4, 9))
def test_sizes_are_evenly_spaced_in_their_logarithm(most: int, count: int) -> None:
    sizes = lasting(most, count)
    assert sizes[0] == 1
    assert sizes[-1] == most
    assert list(sizes) == sorted(set(sizes))
    assert min(count, most) <= len(sizes) <= count + 1
    if most >= 30:  # beyond the first whole numbers no step is much wider than the others
        steps = np.diff(np.log(sizes))
        assert steps.max() <= max(math.log(2), 1.6 * math.log(most) / (len(sizes) - 1))


def test_what_is_impossible_is_said_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Costs:
        raise AssertionError("measured")

    with pytest.raises(OptionError, match="too short"):
        design(DIGITS, 5.0, measure=never)
    with pytest.raises(OptionError, match="convnet"):
        design(DIGITS, 60.0, network="convnett", measure=never)
    with pytest.raises(OptionError, match="unknown source"):
        design(Source("digit"), 60.0, measure=never)
    with pytest.raises(FitError, match="took 40 of the 60 s"):
        design(DIGITS, 60.0, spent=40.0, measure=never)
    monkeypatch.setattr(pilot, "FIFTH", 50)
    with pytest.raises(FitError, match="training examples and a pilot needs"):
        design(DIGITS, 60.0, measure=never)


def test_a_budget_that_is_too_short_says_which_would_do() -> None:
    with pytest.raises(FitError, match=r"give --budget .*m or more"):
        made(60.0, replace(COSTS, start=200.0))


def test_only_the_same_pilot_goes_on() -> None:
    stored = made(60.0)
    same_pilot(stored, DIGITS, 60.0, network=None, device="auto")
    for source, budget, network, what in (
        (source_of("digits", seed=1), 60.0, None, "options"),
        (Source("npz:x.npz"), 60.0, None, "source"),
        (DIGITS, 90.0, None, "budget"),
        (DIGITS, 60.0, "mlp", "network"),
    ):
        with pytest.raises(DirectoryError, match=what):
            same_pilot(stored, source, budget, network=network, device="auto")
    with pytest.raises(DirectoryError, match="no pilot"):
        same_pilot(replace(stored, name="demo"), DIGITS, 60.0, network=None, device="auto")


def test_options_that_are_not_given_are_left_out() -> None:
    assert source_of("digits", size=None, channels=3, seed=0) == Source("digits", (("channels", 3), ("seed", 0)))
