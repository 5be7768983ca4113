"""Sets made for a space of configurations: they say so, and a killed run ends with the same bytes."""

from pathlib import Path
from typing import Any

import pytest
import torch

from limbeck.data.task import Task
from limbeck.distillation.checkpoint import CHECKPOINT, Standing, read_standing
from limbeck.distillation.distill import compose, distill, distill_into
from limbeck.distillation.distiller import Situation
from limbeck.distillation.image_rate import MeasuredRate
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import FitError
from limbeck.matching.audience import Everyone, Net, WorstGap
from limbeck.values import decode, encode
from tests.distillation.killing import assert_same_bytes_when_killed

WORST = "standard:worst:centres=2,refreshes=3,updates=2,examples=20"
FEW: dict[str, Any] = {"iterations": 6, "real_batch": 8, "network": "convnet-2-32:width=4"}


@pytest.mark.parametrize("method", ["dm", "dc", "dsa"])
@pytest.mark.parametrize("text", ["standard", "standard:net:centres=2", WORST])
def test_methods_are_made_for_a_space(task: Task, method: str, text: str) -> None:
    made = distill(task, method, per_class=1, **{**FEW, "iterations": 3, "for": text})
    kept = decode(made.card.distiller)
    assert isinstance(kept, MatchingDistiller)
    assert isinstance(kept.state.audience, {"n": Net, "w": WorstGap}.get(text[9:10], Everyone))
    assert len(kept.state.audience.space) == 24
    assert any("of 'standard'" in note for note in made.card.notes)
    last = made.card.notes[-1]
    assert ("the radius of the net" in last) == (text != "standard")
    assert ("the last gaps on validation" in last) == (text == WORST)


def test_stopping_at_every_checkpoint_changes_nothing(task: Task, tmp_path: Path) -> None:
    settings = {**FEW, "for": WORST, "state": "along-synthetic:steps=2"}
    whole = distill(task, "dsa", per_class=2, **settings)
    made, stops = None, 0
    while made is None:
        made = distill_into(tmp_path / "run", compose(task, "dsa", 2, **settings), task, Situation(2, until=0.0))
        stops += made is None
    assert stops >= 4
    assert torch.equal(made.variables["pixels"], whole.variables["pixels"])
    assert (made.card.budget, made.card.notes) == (whole.card.budget, whole.card.notes)


def test_killed_at_random_moments_the_worst_gap_ends_with_the_same_bytes(tmp_path: Path) -> None:
    asked = {"method": "dm", "per_class": 1, "iterations": 40, "for": WORST}
    assert_same_bytes_when_killed(tmp_path, moments=5, share=0.8, **asked)


@pytest.mark.parametrize("text", ["quick", "quick:net", "quick:worst"])
def test_a_space_of_one_is_served_and_said(task: Task, text: str) -> None:
    made = distill(task, "dm", per_class=1, **{**FEW, "for": text})
    assert any("holds one configuration" in note for note in made.card.notes)


def test_no_configuration_is_drowned_by_the_size_of_anothers_gradient(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps are as long as the measured rate aims at, although networks with and without norm differ a thousandfold."""
    sizes: dict[int, list[float]] = {}
    step = MatchingDistiller._step

    def spied(self: MatchingDistiller, now: Standing, grads: dict[str, Any]) -> Any:
        if now.lr != 1.0:  # not while the rate is measured
            size = float(grads["pixels"].square().mean().sqrt())
            sizes.setdefault(now.location.counters["configuration"], []).append(size)
        return step(self, now, grads)

    monkeypatch.setattr(MatchingDistiller, "_step", spied)
    made = distill(task, "dm", per_class=2, **{**FEW, "iterations": 24, "for": "mixed"})
    assert len(sizes) >= 4
    assert all(
        found[0] == pytest.approx(1.0, abs=1e-4) and 0.1 < min(found) <= max(found) < 10 for found in sizes.values()
    )
    assert made.card.budget["lr"] == pytest.approx(0.1)  # a unit step at rate 1, and min(0.1, 1/√24) is wanted
    mixed = compose(task, "dm", 1, **{"for": "mixed"})
    assert isinstance(mixed, MatchingDistiller)
    assert mixed.rate == MeasuredRate()


def test_the_shared_augmentation_is_the_drawn_one(task: Task) -> None:
    """With a space that augments nothing, dsa's own augmentation has no say."""
    for_space = {**FEW, "for": "quick"}
    assert torch.equal(
        distill(task, "dsa", per_class=1, **for_space).variables["pixels"],
        distill(task, "dsa", per_class=1, **{**for_space, "augmentation": "none"}).variables["pixels"],
    )


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("ncfm-learned", {"for": "mixed:net", "state.updates": 2, "state.batch": 8}),
        ("match", {"for": "mixed", "discrepancy": "characteristic:sampling=fixed,frequencies=16"}),
        ("match", {"for": "mixed:worst:updates=2,examples=20", "discrepancy": "characteristic:sampling=learned"}),
    ],
)
def test_frequencies_are_kept_for_networks_of_every_width(
    task: Task, tmp_path: Path, method: str, settings: dict[str, Any]
) -> None:
    asked = {**FEW, **settings}
    whole = distill(task, method, per_class=1, **asked)
    made, widths = None, 0
    while made is None:
        made = distill_into(tmp_path / "run", compose(task, method, 1, **asked), task, Situation(1, until=0.0))
        if made is None:
            standing = read_standing(tmp_path / "run" / CHECKPOINT, "cpu")
            widths = len({kept.shape[1] for kept in standing.learned.values()})
    assert widths > 1
    assert torch.equal(made.variables["pixels"], whole.variables["pixels"])
    assert made.card == whole.card


def test_learned_labels_have_the_gradients_of_their_own_rate(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[dict[str, Any]] = []
    slope, step = MatchingDistiller._slope, MatchingDistiller._step

    def noted(self: MatchingDistiller, now: Standing, frame: Any) -> Any:
        here = slope(self, now, frame)
        found.append(here.grads)
        return here

    def compared(self: MatchingDistiller, now: Standing, grads: dict[str, Any]) -> Any:
        (label,) = [name for name in grads if name.startswith("labels/")]
        assert torch.equal(grads[label], found[-1][label])
        assert not torch.equal(grads["pixels"], found[-1]["pixels"])
        assert now.location.counters["configuration"] in {kind for kind, _, _ in now.squares} or now.lr == 1.0
        return step(self, now, grads)

    monkeypatch.setattr(MatchingDistiller, "_slope", noted)
    monkeypatch.setattr(MatchingDistiller, "_step", compared)
    made = distill(task, "dsa", per_class=1, **{**FEW, "for": "standard", "labels": "learned:teacher=false"})
    assert made.targets is not None


def test_the_card_says_which_configurations_were_looked_at(task: Task) -> None:
    made = distill(task, "dm", per_class=1, **{**FEW, "iterations": 3, "for": "standard"})
    head, _, names = made.card.notes[-1].partition(": ")
    assert head == f"The run looked at {len(names.split(', '))} of these 24 configurations"
    one = distill(task, "dm", per_class=1, **{**FEW, "iterations": 1, "for": "standard:net:centres=3"})
    assert "the radius of the net" in one.card.notes[-1]
    assert "The run looked at 1 of these 3 configurations: " in one.card.notes[-1]
    every = distill(task, "dm", per_class=1, **{**FEW, "for": "standard:net:centres=3"})
    assert not any("looked at" in note for note in every.card.notes)


def test_a_small_space_is_trained_whole_and_of_a_large_one_a_part_is_said(task: Task) -> None:
    small = {**FEW, "state.updates": 1, "state.batch": 8}
    whole = compose(task, "ncfm", 1, **{**small, "for": "mixed", "iterations": 60})
    assert encode(whole.state)["count"] == 7  # type: ignore[attr-defined]
    assert whole.remarks == ("Made for the 7 configurations of 'mixed', uniformly.",)  # type: ignore[attr-defined]
    made = whole.distill(task, Situation(1))
    assert made is not None
    assert not any("looked at" in note for note in made.card.notes)  # so each of the seven was
    part = compose(task, "ncfm", 1, **{**small, "for": "standard", "iterations": 40})
    (sentence,) = part.remarks  # type: ignore[attr-defined]
    assert sentence.startswith("Made for 5 of the 24 configurations of 'standard', one for each network")
    assert "--set state.count=24" in sentence
    some = part.distill(task, Situation(1))
    assert some is not None
    assert some.card.notes[-2] == sentence
    assert "The run looked at 5 of these 24 configurations: " in some.card.notes[-1]
    every = compose(task, "ncfm", 1, **{**small, "for": "standard", "state.count": 24})
    assert every.remarks == ("Made for the 24 configurations of 'standard', uniformly.",)  # type: ignore[attr-defined]


def test_a_pool_has_a_member_for_each_centre(task: Task) -> None:
    made = compose(task, "ncfm", 1, **{"for": "standard:net:centres=9"})
    assert encode(made.state)["count"] == 9  # type: ignore[attr-defined]
    with pytest.raises(FitError, match="cannot follow gaps"):
        compose(task, "ncfm", 1, **{"for": "standard:worst"})
