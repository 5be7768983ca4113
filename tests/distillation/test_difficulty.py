"""Measures read networks along their training; a gauge trains them as far as needed and keeps real scores."""

from pathlib import Path

import pytest
import torch

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.task import Task
from limbeck.distillation import gauge as rooms
from limbeck.distillation.difficulty import (
    DIFFICULTIES,
    EL2N,
    BatchGradient,
    GraDN,
    GraNd,
    Misclassification,
    difficulty,
)
from limbeck.distillation.distiller import Situation
from limbeck.distillation.gauge import Gauge
from limbeck.distillation.setting import Setting
from limbeck.errors import FitError, OptionError
from limbeck.matching.difficulty import batch_gradient_norm, gradient_norms, misclassification
from limbeck.networks.names import architecture
from limbeck.seeds import derive
from limbeck.training.configuration import Configuration, Epochs
from limbeck.training.train import train
from limbeck.values import decode, encode, replace

CPU = Compute("cpu", "float32", "off")


def training(task: Task, epochs: int = 2) -> Configuration:
    usual = Setting.of(task, 1, architecture("mlp:width=8")).teacher
    return replace(usual, length=Epochs(epochs), batch=64)


def some(task: Task, n: int = 7) -> Examples:
    index = task.train.of_class(1)[:n]
    return Examples(task.train.take(index), task.train.labels[index])


@pytest.mark.parametrize("name", DIFFICULTIES)
def test_every_measure_scores_and_is_a_value(name: str, task: Task) -> None:
    measure = difficulty(name)
    assert decode(encode(measure)) == measure
    panel = Gauge(measure, training(task), 2).panel(task, Situation(1, compute=CPU))
    scores = panel.scores(some(task).inputs, 1)
    assert scores.shape == (7,)
    assert torch.isfinite(scores).all()
    assert (scores >= 0).all()


def test_averages_over_stated_points_of_the_path(task: Task) -> None:
    configuration = training(task)
    panel = Gauge(GraDN(points=2), configuration, 1).panel(task, Situation(1, seed=3, compute=CPU))
    network, examples = panel.network, some(task)
    whole = train(
        network, configuration, task.train, seeds=[derive(3, "difficulty", 0)], compute=CPU, keep=(0.5, 1.0)
    ).snapshots[0]
    direct = torch.stack([gradient_norms(network, params, examples, CPU) for params in whole]).mean(0)
    assert torch.allclose(panel.scores(examples.inputs, 1), direct)
    wrong = misclassification(network, [whole[1]], examples, CPU)
    assert torch.equal(Misclassification().scores(network, ((whole[1],),), examples, CPU), wrong)


@pytest.mark.parametrize(
    "name", ["misclassification:points=1", "el2n:at=1", "forgetting:snapshots=2", "gradn:points=1"]
)
def test_batch_norm_is_not_that_of_the_one_class_that_is_scored(name: str, task: Task) -> None:
    configuration = replace(training(task), architecture=architecture("convnet-2-32-bn:width=8"), batch=32)
    panel = Gauge(difficulty(name), configuration, 1).panel(task, Situation(1, compute=CPU))
    examples, network = some(task, 40), panel.network
    path = panel.paths[0]
    held = [network.statistics(params, task.train.take(torch.arange(len(task.train)))) for params in path]
    direct = panel.measure.scores(network, panel.paths, examples, CPU, (tuple(held),))
    whole = panel.scores(examples.inputs, 1)
    assert torch.allclose(whole, direct, rtol=1e-4, atol=1e-5)
    assert torch.allclose(panel.scores(examples.inputs[:3], 1), whole[:3], rtol=1e-4, atol=1e-5)


def test_networks_without_batch_norm_need_no_statistics(task: Task) -> None:
    panel = Gauge(EL2N(0.5), training(task), 1).panel(task, Situation(1, compute=CPU))
    assert panel.statistics == (({},),)
    examples = some(task)
    assert torch.equal(
        panel.scores(examples.inputs, 1), panel.measure.scores(panel.network, panel.paths, examples, CPU)
    )


def test_training_ends_where_the_measure_looks_last(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = training(task, epochs=10)
    network = configuration.architecture.build(task.shape, len(task.classes))
    whole = train(network, configuration, task.train, seeds=[derive(0, "difficulty", 0)], compute=CPU, keep=(0.6,))
    updates = []

    def watched(*words: object, **settings: object) -> object:
        updates.append(words[1].length.updates(len(task.train), 64))  # type: ignore[attr-defined]
        return train(*words, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(rooms, "train", watched)
    panel = Gauge(EL2N(at=0.6), configuration, 1).panel(task, Situation(1, compute=CPU))
    assert updates == [round(0.6 * whole.updates)]
    for name, param in whole.snapshots[0][0].items():  # after the step down of the rate at one half
        assert torch.equal(panel.paths[0][0][name], param)


def test_the_gradient_of_a_batch_is_no_mean_of_norms(task: Task) -> None:
    panel = Gauge(BatchGradient(points=1, size=4), training(task), 1).panel(task, Situation(1, compute=CPU))
    examples, params = some(task, 4), panel.paths[0][0]
    whole = batch_gradient_norm(panel.network, params, examples, CPU)
    assert torch.allclose(panel.scores(examples.inputs, 1), whole.expand(4))
    assert float(whole) < float(gradient_norms(panel.network, params, examples, CPU).mean())
    ten = panel.scores(some(task, 10).inputs, 1)
    assert len(ten.unique()) == 3  # batches of 4, 4 and the last 4
    assert panel.measure.fitted(6) == BatchGradient(points=1, size=6)
    assert GraDN().fitted(6) == GraDN()


def test_real_scores_are_kept_in_memory_and_on_disk(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gauge, situation = Gauge(EL2N(0.5), training(task), 2), Situation(1, seed=5, compute=CPU, cache=tmp_path)
    first = gauge.real(task, situation)
    assert tuple(len(scores) for scores in first) == task.counts
    assert gauge.real(task, Situation(9, seed=5, compute=CPU)) is first  # another size, the same scores
    rooms._SCORES.clear()
    trained = []
    monkeypatch.setattr(Gauge, "panel", lambda *words: trained.append(words))
    from_disk = gauge.real(task, situation)
    assert not trained
    assert all(torch.equal(a, b) for a, b in zip(first, from_disk, strict=True))
    monkeypatch.undo()
    rooms._SCORES.clear()
    (stored,) = tmp_path.glob("difficulty-*.safetensors")
    stored.write_bytes(b"damaged")
    again = gauge.real(task, situation)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    other = gauge.real(task, Situation(1, seed=6, compute=CPU))
    assert not torch.equal(first[0], other[0])


def test_wrong_settings_are_sentences(task: Task) -> None:
    for wrong in (lambda: GraDN(0), lambda: BatchGradient(size=0), lambda: GraNd(0.0), lambda: difficulty("el2n:at=2")):
        with pytest.raises(OptionError):
            wrong()
    with pytest.raises(OptionError, match="did you mean"):
        difficulty("gradm")
    with pytest.raises(OptionError, match="at least 1"):
        Gauge(EL2N(), training(task), 0)
    wild = replace(training(task), optimizer=replace(training(task).optimizer, lr=1e30))
    with pytest.raises(FitError, match=r"teacher\.optimizer\.lr"):
        Gauge(EL2N(1.0), wild, 1).panel(task, Situation(1, compute=CPU))
