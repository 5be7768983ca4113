"""Every further method distils digits in a few steps, with the defaults of its source."""

import dataclasses
from pathlib import Path

import pytest
import torch

import limbeck
from limbeck.data.task import Task
from limbeck.distillation.distiller import Situation
from limbeck.distillation.further_methods import FURTHER, contrastive_loops, idc_rate
from limbeck.distillation.methods import METHODS, method
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.setting import Setting
from limbeck.distillation.settings import changed
from limbeck.matching import Attention, CharacteristicGap, Gradients, Match, RowL1, RowSquared
from limbeck.matching.warm_up import WarmUp
from limbeck.networks.names import architecture
from limbeck.synthetic.factored import Factored
from limbeck.synthetic.initial import RealRandom
from limbeck.synthetic.pixels import Pixels
from limbeck.values import replace

COLOUR = Setting((3, 32, 32), 10, 10, architecture("convnet-3-128"))
GREY = Setting((1, 28, 28), 10, 1, architecture("convnet-3-128"))
ROWS = Setting((14,), 2, 10, architecture("mlp"))
DIGITS = Setting((1, 8, 8), 4, 1, architecture("convnet-2-32:width=4"))


def made(name: str, setting: Setting) -> MatchingDistiller:
    distiller = method(name, setting)
    assert isinstance(distiller, MatchingDistiller)
    return distiller


def small(name: str, **settings: str) -> MatchingDistiller:
    """The method with a few steps and small batches."""
    few = {"iterations": "4", "real_batch": "6"}
    if "updates" in vars(made(name, DIGITS).state):
        few |= {"state.updates": "2", "state.batch": "8"}
    if "count" in vars(made(name, DIGITS).state):
        few |= {"state.count": "2"}
    distiller = changed(made(name, DIGITS), few | settings)
    assert isinstance(distiller, MatchingDistiller)
    return distiller


@pytest.mark.parametrize("name", FURTHER)
def test_every_further_method_distils(name: str, task: Task) -> None:
    assert name in METHODS
    result = small(name).distill(task, Situation(1, seed=0))
    assert result is not None
    assert torch.isfinite(result.examples().inputs).all()
    start = replace(small(name), iterations=0).distill(task, Situation(1, seed=0))
    assert start is not None
    assert not torch.equal(start.examples().inputs, result.examples().inputs)


def test_published_defaults() -> None:
    assert (made("dcc", COLOUR).optimizer.lr, made("dcc", COLOUR).iterations) == (0.1, 10_000)
    for name in ("dcc", "dsac"):  # from real images; class by class in the first 250 of 1,000 networks
        warm, distiller = made(name, COLOUR).surrogate, made(name, COLOUR)
        assert isinstance(warm, WarmUp) and isinstance(distiller.initial, RealRandom)
        views = [term.view for part in (warm.first, warm.then) for term in part.terms]  # type: ignore[attr-defined]
        assert views == [Gradients(), Gradients(sum_classes=True)]
        assert (warm.share, warm.steps) == (0.25, 10)
        assert changed(distiller, {"warmup": "0.5"}).surrogate.share == 0.5  # type: ignore[attr-defined]
    idc = made("idc", COLOUR)
    assert (idc.iterations, idc.real_batch, idc.parametrisation) == (200_000, 64, Factored(2))
    assert idc.optimizer.lr == pytest.approx(5e-3)
    assert idc_rate(GREY) == pytest.approx(1e-5)
    kinds = {setting.shape: surrogate_term("idc", setting) for setting in (COLOUR, GREY, ROWS)}
    assert [type(term.discrepancy) for term in kinds.values()] == [RowSquared, RowL1, RowL1]
    assert [term.view for term in kinds.values()] == [Gradients("conv"), Gradients("conv"), Gradients("weights")]
    assert made("idc", DIGITS).parametrisation == Pixels()
    paper, code = made("datadam", COLOUR), made("datadam-code", COLOUR)
    assert (paper.iterations, code.iterations, code.real_batch) == (8000, 20_000, 64)
    assert surrogate_term("datadam", COLOUR).view == Attention(4)
    assert surrogate_term("datadam-code", COLOUR) == Match(
        Attention(1), surrogate_term("datadam", COLOUR).discrepancy, 100.0
    )
    gap = surrogate_term("ncfm", COLOUR).discrepancy
    assert gap == CharacteristicGap(0.5, 0.5, 4096, normalise=True)
    ncfm = made("ncfm-learned", COLOUR)
    assert (ncfm.optimizer.lr, ncfm.iterations, ncfm.real_batch) == (1e-3, 20_000, 1024)


def test_rates_published_for_pixels_are_converted() -> None:
    """An image learning rate moves pixels of [0, 1] as far as published, whatever unit preprocessed images have."""
    wide = dataclasses.replace(COLOUR, spread=0.25)
    assert made("idc", wide).optimizer.lr == pytest.approx(16 * 5e-3)  # gradient × ¼ a pixel, move × ¼ a unit
    assert made("ncfm", wide).optimizer.lr == pytest.approx(4e-3)  # AdamW's move is its rate
    assert made("dsa", wide).optimizer.lr == made("dsa", COLOUR).optimizer.lr  # published for preprocessed images
    task = limbeck.data.digits()
    assert Setting.of(task, 1).spread == pytest.approx(float(task.preprocessing.std.mean()))


def surrogate_term(name: str, setting: Setting) -> Match:
    term = made(name, setting).surrogate.terms[0]  # type: ignore[attr-defined]
    assert isinstance(term, Match)
    return term


def test_contrastive_loops_follow_the_published_table() -> None:
    assert [contrastive_loops(k) for k in (1, 10, 50)] == [(10, 5), (10, 50), (50, 10)]


def test_learned_frequencies_survive_an_interruption(task: Task, tmp_path: Path) -> None:
    distiller = small("ncfm-learned", iterations="6")
    whole = distiller.distill(task, Situation(1, seed=3))
    first = distiller.distill(task, Situation(1, seed=3, directory=tmp_path, until=0.0))
    assert first is None
    rest = distiller.distill(task, Situation(1, seed=3, directory=tmp_path))
    assert whole is not None
    assert rest is not None
    assert torch.equal(whole.examples().inputs, rest.examples().inputs)
