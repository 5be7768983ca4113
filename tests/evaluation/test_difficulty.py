"""Real distributions by class, and where a set's examples stand in them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from limbeck.compute import Compute
from limbeck.data.arrays import arrays
from limbeck.data.nothing import Nothing
from limbeck.data.task import Task
from limbeck.distillation.difficulty import EL2N, BatchGradient, GraDN
from limbeck.distillation.distill import distill
from limbeck.distillation.gauge import Gauge
from limbeck.distillation.setting import Setting
from limbeck.errors import MismatchError, OptionError
from limbeck.evaluation.difficulty import DifficultyMeter, RealDifficulty, SetDifficulty, difficulty_table
from limbeck.networks.names import architecture
from limbeck.report.extremes import extremes
from limbeck.training.configuration import Epochs
from limbeck.values import replace

CPU = Compute("cpu", "float32", "off")
FEW = {"network": "mlp:width=8", "teacher_epochs": 8, "teacher.augmentation": "none", "teacher.batch": 64}
FEW |= {"teacher.optimizer.lr": 0.1}


@pytest.fixture(scope="module")
def task() -> Task:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    few = labels < 3
    return arrays(images[few].reshape(-1, 1, 8, 8).astype("float32") / 16, labels[few], seed=0)


def gauge(task: Task, measure: object = None) -> Gauge:
    usual = Setting.of(task, 1, architecture("mlp:width=8")).teacher
    rate = replace(usual.optimizer, lr=0.1)
    training = replace(usual, length=Epochs(8), batch=64, augmentation=Nothing(), optimizer=rate)
    return Gauge(measure or EL2N(1.0), training, 2)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def meter(task: Task) -> DifficultyMeter:
    return DifficultyMeter(task, gauge(task), seeds=(0, 1), compute=CPU)


def test_percentiles_count_ties_half() -> None:
    scores = torch.tensor([0.0, 1.0, 1.0, 3.0])
    real = RealDifficulty(("a",), (torch.arange(4),), (scores,), None)
    asked = torch.tensor([-1.0, 0.0, 1.0, 2.0, 9.0])
    assert real.percentiles(0, asked).tolist() == [0.0, 0.125, 0.5, 0.75, 1.0]
    (line,) = real.lines()
    assert (line.name, line.examples, line.mean) == ("a", 4, 1.25)
    assert line.quantiles[2] == 1.0


def test_lines_and_words_of_a_set() -> None:
    found = SetDifficulty(
        ("a", "b"), torch.tensor([0, 0, 1]), torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0.2, 0.8, 0.9]), (2.0, 4.0)
    )
    a, b = found.lines()
    assert (a.score, a.harder, b.harder) == (2.0, 0.5, 1.0)
    assert a.percentile == pytest.approx(0.5)
    assert found.percentile == pytest.approx(0.7)  # classes count alike
    assert "harder than typical" in found.sentence()
    assert "70 %" in found.sentence()


def test_easy_and_hard_selections_stand_where_they_were_taken_from(task: Task, meter: DifficultyMeter) -> None:
    stands = {}
    for pool in ("easy", "middle", "hard"):
        settings = {"pool": pool, "pool.measure": "el2n:at=1", **FEW}
        made = distill(task, "random", per_class=8, compute=CPU, **settings)  # type: ignore[arg-type]
        stands[pool] = meter.of(made).percentile
    assert stands["easy"] < stands["middle"] < stands["hard"]
    assert stands["easy"] < 0.45
    assert stands["hard"] > 0.55


def test_a_real_example_has_the_score_it_has_as_a_real_one(task: Task, meter: DifficultyMeter) -> None:
    made = distill(task, "random", per_class=4, compute=CPU, **FEW)  # type: ignore[arg-type]
    found = meter.of(made)
    for label in range(3):
        mine = found.scores[found.labels == label]
        gaps = (mine[:, None] - meter.real.scores[label][None]).abs().min(1).values
        assert float(gaps.max()) < 1e-5
    assert meter.real.agreement is not None
    assert 0.2 < meter.real.agreement <= 1.0


def test_a_draw_of_real_examples_is_seeded(task: Task) -> None:
    few, again = (DifficultyMeter(task, gauge(task), most=10, compute=CPU) for _ in range(2))
    assert [len(s) for s in few.real.scores] == [10] * 3
    assert all(torch.equal(a, b) for a, b in zip(few.real.scores, again.real.scores, strict=True))
    assert few.real.agreement is None
    for wrong in ({"most": 1}, {"seeds": ()}):
        with pytest.raises(OptionError, match="at least"):
            DifficultyMeter(task, gauge(task), compute=CPU, **wrong)  # type: ignore[arg-type]


def test_batches_are_compared_with_batches_of_their_size(task: Task) -> None:
    made = distill(task, "random", per_class=5, compute=CPU, **FEW)  # type: ignore[arg-type]
    measure = BatchGradient(points=1).fitted(5)
    batches = DifficultyMeter(task, gauge(task, measure), most=40, compute=CPU)
    found = batches.of(made)
    for label in range(3):
        assert len(found.scores[found.labels == label].unique()) == 1
        assert len(batches.real.scores[label].unique()) == 8
    assert 0 <= found.percentile <= 1


def test_another_task_is_refused(task: Task, meter: DifficultyMeter) -> None:
    made = distill(task, "random", per_class=1, compute=CPU, **FEW)  # type: ignore[arg-type]
    other = replace_fingerprint(made)
    with pytest.raises(MismatchError):
        meter.of(other)


def replace_fingerprint(made: object) -> object:
    from dataclasses import replace as with_fields

    return with_fields(made, card=with_fields(made.card, fingerprint="0" * 64))  # type: ignore[attr-defined,type-var]


def test_table_and_pictures(task: Task, meter: DifficultyMeter, tmp_path: Path) -> None:
    made = distill(task, "random", per_class=12, compute=CPU, **FEW)  # type: ignore[arg-type]
    found = meter.of(made)
    difficulty_table(tmp_path / "t.parquet", "el2n", meter.real, found)
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert len(rows) == len(task.train) + 36
    real = [row for row in rows if row["side"] == "real" and row["class"] == task.classes[2]]
    assert sum(row["percentile"] for row in real) / len(real) == pytest.approx(0.5)
    hardest = max(real, key=lambda row: row["score"])
    assert int(task.train.labels[hardest["place"]]) == 2
    alone, beside = extremes(task, meter.real, 2), extremes(task, meter.real, 2, (made, found))
    assert alone[:4] == beside[:4] == b"\x89PNG"
    assert height(beside) > height(alone) * 1.8  # two rows, and two more
    assert extremes(task, meter.real, 2) == alone


def height(picture: bytes) -> int:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        return opened.size[1]


def test_tables_are_drawn_as_heat_maps() -> None:
    chance = torch.Generator().manual_seed(0)
    rows = torch.randn(120, 5, generator=chance).numpy()
    task = arrays(rows, [i % 2 for i in range(120)], seed=0)
    meter = DifficultyMeter(task, gauge(task, GraDN(1)), compute=CPU)
    assert extremes(task, meter.real, 0)[:4] == b"\x89PNG"
