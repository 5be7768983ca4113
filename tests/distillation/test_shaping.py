"""Any view with any discrepancy and state, or a sentence; difficulty and spaces on top."""

from itertools import product
from typing import Any

import pytest

from limbeck.data.dsa import DSA
from limbeck.data.task import Task
from limbeck.distillation.distill import _check_asked, compose, distill
from limbeck.distillation.image_rate import GivenRate
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import FitError, OptionError
from limbeck.matching.names import DISCREPANCIES, STATES, VIEWS
from limbeck.matching.sdc import (
    AdaptivePace,
    BatchGradientNorm,
    LinearPace,
    LogarithmicPace,
    Pace,
    SampleGradientNorm,
    SteadyPace,
)
from limbeck.matching.surrogate import Sum
from limbeck.synthetic.pixels import Pixels
from limbeck.training.configuration import Step
from limbeck.values import decode, encode

FEW = {"iterations": 2, "real_batch": 4, "network": "convnet-2-32:width=4"}
UNPAIRED = [name for name in DISCREPANCIES if not name.startswith(("row-", "vector-"))]


@pytest.mark.parametrize(("view", "discrepancy"), list(product(VIEWS, DISCREPANCIES)))
def test_every_pair_composes_or_is_a_sentence(task: Task, view: str, discrepancy: str) -> None:
    try:
        made = compose(task, "match", 2, view=view, discrepancy=discrepancy, **FEW)
    except FitError as error:
        assert view != "gradients"
        assert discrepancy.startswith(("row-", "vector-"))
        assert str(error).endswith(".")
    else:
        assert decode(encode(made)) == made


@pytest.mark.parametrize("discrepancy", UNPAIRED)
def test_discrepancies_run_on_features(task: Task, discrepancy: str) -> None:
    made = distill(task, "match", per_class=2, discrepancy=discrepancy, **FEW)  # type: ignore[arg-type]
    assert made.card.losses[-1][1] == made.card.losses[-1][1]  # not NaN


@pytest.mark.parametrize("state", STATES)
def test_states_run(task: Task, state: str) -> None:
    small = {"along-synthetic": ":steps=1,inner=1"}.get(state, "")
    made = distill(task, "match", per_class=1, state=state + small, **FEW)  # type: ignore[arg-type]
    assert len(made) == 4


def test_difficulty_shares_the_view_of_gradients(task: Task) -> None:
    made = compose(task, "dc", 1, difficulty="sdc=0.1", **FEW)
    assert isinstance(made, MatchingDistiller)
    assert isinstance(made.surrogate, Sum)
    matched, term = made.surrogate.terms
    assert matched.view == term.view
    assert distill(task, "dm", per_class=1, difficulty="gradn=0.1", **FEW) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "published"),
    [
        ({}, True),
        ({"view": "features", "discrepancy": "mean-gap", "state": "fresh"}, True),  # what the method is anyway
        ({"difficulty": "sdc=0.1"}, True),
        ({"view": "logits", "discrepancy": "mmd"}, False),
        ({"view": "logits"}, False),
        ({"discrepancy": "mmd"}, False),
        ({"state": "trained"}, False),
        ({"discrepancy": "mmd", "difficulty": "sdc=0.1"}, False),
        ({"for": "mixed"}, False),
    ],
)
def test_a_published_rate_belongs_to_the_published_comparison(
    task: Task, settings: dict[str, str], published: bool
) -> None:
    made = compose(task, "dm", 1, **settings)
    assert isinstance(made, MatchingDistiller)
    assert (made.rate.move(made.iterations) is None) == published
    given = compose(task, "dm", 1, **settings, lr="published")
    assert isinstance(given, MatchingDistiller)
    assert given.rate == GivenRate()


def test_a_set_for_a_space_draws_its_networks(task: Task) -> None:
    made = compose(task, "dm", 1, **{**FEW, "for": "standard"})
    assert isinstance(made, MatchingDistiller)
    assert made.state.audience is not None
    assert len({c.architecture for c in made.state.audience.space}) >= 2


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"view": "feature"}, "features"),
        ({"discrepancy": "mmd2"}, "mmd"),
        ({"state": "new"}, "fresh"),
        ({"difficulty": "sdc"}, "weight"),
        ({"difficulty": "sdc=-1"}, "weight"),
        ({"difficulty": "hard=1"}, "sdc"),
        ({"for": "standard:wort"}, "worst"),
        ({"for": "standard:net:centres=0"}, "at least 1"),
        ({"discrepancy": "mmd:kernel.bandwidth=0"}, "bandwidth is 0"),
        ({"discrepancy": "mmd:kernel.width=1"}, "bandwidth"),
        ({"discrepancy": "mmd:unbiased.too=1"}, "too deep"),
        ({"for": "everything"}, "standard"),
        ({"for": "own"}, "no space to build"),
        ({"difficulty": "sdc=0.1:liner"}, "linear"),
        ({"difficulty": "sdc=0.1:linear:stop=1"}, "known are end, start"),
        ({"difficulty": "sdc=inf"}, "finite"),
        ({"discrepancy": "sinkhorn:epsilon=Infinity"}, "finite"),
        ({"discrepancy": "characteristic:rate=NaN"}, "finite"),
        ({"view": "pixels:x=1"}, "no fields"),
        ({"surrogate": "x"}, "view=… and discrepancy=…"),
        ({"surrogate.terms": "x"}, "from Python"),
        ({"state.architectures": "x"}, "from Python"),
        ({"state.audience": "net"}, "Audience from Python"),
        ({"recipe.schedule.at": "x"}, "takes float"),
        ({"recipe.schedule.at": "2"}, "shares"),
        ({"recipe.loss": "foo"}, "cross_entropy"),
        ({"momentum": "2"}, "below 1"),
        ({"momentum": "-1"}, "at least 0"),
        ({"iterations": None}, "no whole number"),
        ({"lr": None}, "no number"),
        ({"optimizer": "adam"}, "optimizer.lr"),
        ({"optimizer": Pixels()}, "SGD"),
        ({"discrepency": "mmd"}, "discrepancy"),
        ({"network": 3}, "Architecture"),
    ],
)
def test_wrong_settings_are_sentences(task: Task, settings: dict[str, Any], hint: str) -> None:
    with pytest.raises(OptionError, match=hint):
        compose(task, "dm", 1, **settings)


def test_fields_without_a_default_are_read_by_their_types(task: Task) -> None:
    made = compose(task, "idc", 1, **{**FEW, "state.augmentation": "dsa", "recipe.schedule.at": "0.4,0.8"})
    assert isinstance(made, MatchingDistiller)
    assert isinstance(getattr(made.state, "augmentation"), DSA)  # noqa: B009
    assert isinstance(made.recipe.schedule, Step)
    assert made.recipe.schedule.at == (0.4, 0.8)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sdc=0.1", SteadyPace()),
        ("sdc=0.1:linear", LinearPace()),
        ("gradn=0.1:linear:end=0.5", LinearPace(end=0.5)),
        ("sdc=0.1:logarithmic:sharpness=2", LogarithmicPace(sharpness=2.0)),
        ("sdc=0.1:adaptive:ceiling=3", AdaptivePace(ceiling=3.0)),
    ],
)
def test_a_difficulty_term_has_a_pace(task: Task, text: str, kind: Pace) -> None:
    made = compose(task, "dsa", 1, difficulty=text, **FEW)
    assert isinstance(made, MatchingDistiller)
    assert isinstance(made.surrogate, Sum)
    term = made.surrogate.terms[-1]
    assert isinstance(term, BatchGradientNorm | SampleGradientNorm)
    assert (term.weight, term.pace) == (0.1, kind)


ASKED: dict[str, Any] = {"method": "dm", "per_class": 1, "seed": 0, "budget": None, "compute": None}


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"task": "digits"}, "open the data first"),
        ({"budget": -1}, "seconds above 0"),
        ({"budget": 0}, "seconds above 0"),
        ({"budget": float("nan")}, "seconds above 0"),
        ({"budget": "5m"}, "seconds above 0"),
        ({"per_class": "3"}, "whole number"),
        ({"per_class": 2.5}, "whole number"),
        ({"per_class": None}, "whole number"),
        ({"per_class": True}, "whole number"),
        ({"per_class": (1, 2.0, 1, 1)}, "whole number"),
        ({"seed": "x"}, "whole number"),
        ({"seed": 1.5}, "whole number"),
        ({"compute": "cpu"}, "Compute"),
        ({"method": None}, "name"),
    ],
)
def test_arguments_of_another_kind_are_sentences(task: Task, changes: dict[str, Any], hint: str) -> None:
    _check_asked({"task": task, **ASKED})
    with pytest.raises(OptionError, match=hint):
        _check_asked({"task": task, **ASKED, **changes})


def test_a_budget_that_leaves_no_time_is_a_sentence(task: Task) -> None:
    for method in ("dm", "auto"):
        with pytest.raises(OptionError, match="seconds above 0"):
            distill(task, method, per_class=1, budget=0.0)


def test_selections_have_no_view(task: Task) -> None:
    with pytest.raises(OptionError, match="only chooses"):
        compose(task, "random", 1, view="pixels")
