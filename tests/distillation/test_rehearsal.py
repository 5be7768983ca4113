"""What cannot be compared is said before anything is trained, and trying it changes nothing."""

from typing import Any

import pytest
import torch

from limbeck.data.task import Task
from limbeck.distillation import outer_loop, rehearsal
from limbeck.distillation.distill import compose, distill
from limbeck.distillation.distiller import Situation
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import FitError

FEW: dict[str, Any] = {"iterations": 2, "real_batch": 4, "network": "convnet-2-32:width=4"}
UNBIASED = {"discrepancy": "mmd:unbiased=true"}


@pytest.mark.parametrize(
    ("method", "per_class", "settings", "hint"),
    [
        ("match", 1, UNBIASED, "two points in every group"),
        ("match", 2, {**UNBIASED, "real_batch": 1}, "two points in every group"),
        ("match", (2, 2, 1, 2), UNBIASED, "two points in every group"),
        ("match", 2, {"view": "attention", "network": "mlp"}, "two stages of image maps"),
        ("match", 2, {"view": "features:layer=7"}, "use an earlier one"),
        ("match", 2, {"view": "attention", "for": "mixed"}, "'mlp/sgd/none' of the space 'mixed': attention needs"),
        ("dsa", 2, {"view": "gradients:layers=conv", "for": "mixed"}, "'mlp/sgd/none'.*no weights of the kind 'conv'"),
        ("match", 2, {"view": "features:layer=2", "for": "mixed"}, "plain.*features of stage 2"),
        ("dcc", 2, {"view": "gradients:layers=conv", "network": "mlp"}, "no weights of the kind 'conv'"),
        ("ncfm", 2, {"view": "features:layer=4"}, "features of stage 4"),
        ("match", 2, {"view": "attention", "network": "mlp", "pool": "easy:0.5"}, "two stages of image maps"),
    ],
)
def test_misfits_are_sentences_before_anything_is_trained(
    task: Task,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    per_class: int | tuple[int, ...],
    settings: dict[str, Any],
    hint: str,
) -> None:
    def worked(*_: Any, **__: Any) -> None:
        raise AssertionError("the run began")

    made = compose(task, method, per_class, **{**FEW, **settings})
    assert isinstance(made, MatchingDistiller)
    monkeypatch.setattr(type(made.state), "start", worked)
    monkeypatch.setattr(type(made.within), "part", worked)
    with pytest.raises(FitError, match=hint):
        made.distill(task, Situation(per_class))


def test_enough_examples_are_enough(task: Task) -> None:
    assert len(distill(task, "match", per_class=2, **{**FEW, **UNBIASED})) == 8


@pytest.mark.parametrize("method", ["dm", "dcc", "ncfm-learned"])
@pytest.mark.parametrize("labels", ["hard", "learned:teacher=false"])
def test_a_rehearsal_changes_no_bytes(task: Task, monkeypatch: pytest.MonkeyPatch, method: str, labels: str) -> None:
    small = {"state.updates": 2, "state.count": 2} if method == "ncfm-learned" else {}
    asked = {**FEW, **small, "labels": labels}
    before = torch.get_rng_state()
    with_it = distill(task, method, per_class=1, **asked)
    assert torch.equal(before, torch.get_rng_state())
    monkeypatch.setattr(outer_loop, "rehearse", lambda *_, **__: None)
    without = distill(task, method, per_class=1, **asked)
    assert torch.equal(with_it.variables["pixels"], without.variables["pixels"])
    assert with_it.card == without.card


def test_every_architecture_of_a_space_is_tried_once_with_few_examples(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    made = compose(task, "dsa", 3, **{**FEW, "for": "standard"})
    assert isinstance(made, MatchingDistiller)
    assert made.state.audience is not None

    def read(_: Any, real: Any, synthetic: Any, place: Any, context: Any) -> None:
        seen.append(place.network.architecture)
        assert (len(real), len(synthetic), context.state) == (2, 2, {})

    monkeypatch.setattr(type(made.surrogate), "read", read)
    cpu = torch.device("cpu")
    rehearsal.rehearse(made.surrogate, made.state, task=task, device=cpu, sizes=(4, 3), soft=False)
    assert sorted(map(repr, seen)) == sorted(map(repr, {c.architecture for c in made.state.audience.space}))
