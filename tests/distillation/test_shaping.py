"""Any view with any discrepancy and state, or a sentence; difficulty and spaces on top."""

from itertools import product

import pytest

from limbeck.data.task import Task
from limbeck.distillation.distill import compose, distill
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import FitError, OptionError
from limbeck.matching.names import DISCREPANCIES, STATES, VIEWS
from limbeck.matching.surrogate import Sum
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
    ],
)
def test_wrong_shapes_are_sentences(task: Task, settings: dict[str, str], hint: str) -> None:
    with pytest.raises(OptionError, match=hint):
        compose(task, "dm", 1, **settings)


def test_selections_have_no_view(task: Task) -> None:
    with pytest.raises(OptionError, match="only chooses"):
        compose(task, "random", 1, view="pixels")
