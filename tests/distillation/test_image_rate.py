"""A measured image learning rate has no scale of its own, and a given one is taken."""

from pathlib import Path
from typing import Any

import pytest
import torch

import limbeck
from limbeck.data.task import Task
from limbeck.distillation.distill import compose, distill
from limbeck.distillation.distiller import Situation
from limbeck.distillation.image_rate import HUGE, GivenRate, MeasuredRate, doubt
from limbeck.distillation.methods import METHODS
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import OptionError
from limbeck.matching.surrogate import Match, Sum
from limbeck.training.optimizer import SGD
from limbeck.values import replace

FEW: dict[str, Any] = {"iterations": 6, "real_batch": 8, "network": "convnet-2-32:width=4"}


def matching(task: Task, method: str, per_class: int = 2, **settings: Any) -> MatchingDistiller:
    made = compose(task, method, per_class, **{**FEW, **settings})
    assert isinstance(made, MatchingDistiller)
    return made


def test_a_loss_a_hundred_times_as_large_makes_the_same_set(task: Task) -> None:
    plain = matching(task, "dm", iterations=20)
    (term,) = plain.surrogate.terms  # type: ignore[attr-defined]
    assert isinstance(term, Match)
    large = replace(plain, surrogate=Sum((replace(term, weight=100.0),)))
    first, second = (d.distill(task, Situation(2, seed=1)) for d in (plain, large))
    assert first is not None
    assert second is not None
    assert torch.allclose(first.variables["pixels"], second.variables["pixels"], atol=1e-3)
    assert first.card.budget["lr"] == pytest.approx(100 * second.card.budget["lr"], rel=1e-3)


@pytest.mark.parametrize("method", ["dm", "dc", "m3d"])
@pytest.mark.parametrize("per_class", [1, 8])
def test_the_first_step_moves_images_as_far_as_was_asked(task: Task, method: str, per_class: int) -> None:
    one = matching(task, method, per_class, iterations=1, rate=MeasuredRate(travel=0.03, from_noise=2.0))
    start = replace(one, iterations=0).distill(task, Situation(per_class, seed=3))
    moved = one.distill(task, Situation(per_class, seed=3))
    assert start is not None
    assert moved is not None
    change = moved.variables["pixels"] - start.variables["pixels"]
    asked = 0.06 if method == "dc" else 0.03
    assert float(change.square().mean().sqrt()) == pytest.approx(asked, rel=0.01)


@pytest.mark.parametrize("method", [name for name, entry in METHODS.items() if entry.distils])
def test_every_method_has_its_published_rate_at_its_published_length(task: Task, method: str) -> None:
    own = compose(task, method, 1)
    assert isinstance(own, MatchingDistiller)
    if method != "match":
        assert own.rate.move(own.iterations) is None
    short = own.rate.move(50)
    assert short is not None
    assert 0 < short < 1


def test_rates_by_name_and_number(task: Task) -> None:
    assert matching(task, "dm", lr="published").rate == GivenRate()
    assert matching(task, "dm", lr="auto").rate.move(20_000) is not None
    for settings in ({"lr": "0.5"}, {"lr": 0.5}, {"optimizer.lr": "0.5"}, {"optimizer": SGD(lr=0.5)}):
        given = matching(task, "dm", **settings)
        assert (given.optimizer.lr, given.rate) == (0.5, GivenRate())
    made = distill(task, "dm", per_class=1, **FEW, lr="published")
    assert made.card.budget["lr"] == 1.0
    with pytest.raises(OptionError, match="above 0"):
        matching(task, "dm", **{"rate.travel": "-1"})
    with pytest.raises(OptionError, match="from noise"):
        matching(task, "dm", **{"rate.from_noise": "0"})
    with pytest.raises(OptionError, match="no number"):
        matching(task, "dm", lr="fast")


def test_the_measured_rate_is_kept_where_a_run_stops(task: Task, tmp_path: Path) -> None:
    made = matching(task, "dsa", iterations=40)
    whole = made.distill(task, Situation(2))
    rest, stops = None, 0
    while rest is None:
        rest = made.distill(task, Situation(2, directory=tmp_path, until=0.0))
        stops += 1
    assert stops > 10
    assert whole is not None
    assert whole.card.budget["lr"] == rest.card.budget["lr"] != made.optimizer.lr
    assert torch.equal(whole.variables["pixels"], rest.variables["pixels"])


def test_where_nothing_moves_the_own_rate_is_taken(task: Task) -> None:
    still = matching(task, "dm", iterations=2)
    (term,) = still.surrogate.terms  # type: ignore[attr-defined]
    made = replace(still, surrogate=Sum((replace(term, weight=0.0),))).distill(task, Situation(2))
    assert made is not None
    assert made.card.budget["lr"] == still.optimizer.lr


def test_examples_with_nothing_to_match_are_said() -> None:
    """A rate of millions is asked for by rounding noise alone, as equal images give it; the card says so."""
    assert "nothing to match" in doubt(5.7e6)
    assert doubt(None) == doubt(900.0) == ""
    equal = limbeck.data.arrays(torch.full((200, 1, 12, 12), 0.3).numpy(), torch.arange(200).numpy() % 4, seed=0)
    few = {"iterations": 3, "network": "convnet-2-32:width=8", "real_batch": 30}
    made = limbeck.distill(equal, "dm", per_class=3, **few)
    assert made.card.budget["lr"] < HUGE or any("nothing to match" in note for note in made.card.notes)
    usual = limbeck.distill(limbeck.data.digits(), "dm", per_class=1, **few)
    assert not any("nothing to match" in note for note in usual.card.notes)
