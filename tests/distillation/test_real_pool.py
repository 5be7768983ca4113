"""Pools by difficulty limit what any method sees of the real data, and nothing else."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.pools import PartPool
from limbeck.data.task import Task
from limbeck.distillation.difficulty import EL2N, GraDN
from limbeck.distillation.distill import compose, distill
from limbeck.distillation.distiller import Distiller, Situation
from limbeck.distillation.gauge import Gauge
from limbeck.distillation.real_pool import DifficultyPool, Everything, real_pool
from limbeck.errors import DirectoryError, FitError, OptionError
from limbeck.matching.real_side import RealSide
from limbeck.seeds import generator
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.values import decode, encode

CPU = Compute("cpu", "float32", "off")
FEW = {"network": "mlp:width=8", "teacher_epochs": 2, "teacher.augmentation": "none", "teacher.batch": 64}
SHORT = {"iterations": 2, "real_batch": 4}
SITUATION = Situation(1, seed=2, compute=CPU)


def allowed(task: Task, distiller: Distiller) -> Tensor:
    """Indices of the training examples that the distiller may see."""
    within, teacher = distiller.within, distiller.teacher  # type: ignore[attr-defined]
    places = within.places(task, teacher, SITUATION)
    return torch.cat([task.train.of_class(c)[p] for c, p in enumerate(places)])


def indices(task: Task, made: SyntheticSet) -> Tensor:
    """Which training examples a selection holds."""
    whole = task.train.take(torch.arange(sum(task.counts))).flatten(1)
    distances = torch.cdist(made.examples().inputs.flatten(1), whole)
    assert float(distances.min(1).values.max()) < 0.1
    return distances.argmin(1)


def test_thirds_split_a_class_by_score(task: Task) -> None:
    parts = {name: compose(task, "dm", 1, pool=name, **FEW) for name in ("easy", "middle", "hard")}
    teacher = parts["easy"].teacher  # type: ignore[attr-defined]
    scores = Gauge(EL2N(), teacher, 3).real(task, SITUATION)
    places = {n: d.within.places(task, teacher, SITUATION) for n, d in parts.items()}  # type: ignore[attr-defined]
    for label, count in enumerate(task.counts):
        easy, middle, hard = (scores[label][places[name][label]] for name in ("easy", "middle", "hard"))
        assert len(easy) == len(middle) == len(hard) == round(count / 3)
        assert easy.max() <= middle.min()
        assert middle.max() <= hard.min()


def test_parts_of_known_scores() -> None:
    scores = torch.tensor([5.0, 1.0, 3.0, 3.0, 0.0, 9.0])
    found = {n: DifficultyPool(n, 0.5)._within(scores, generator(0)).tolist() for n in ("easy", "middle", "hard")}
    assert found == {"easy": [1, 2, 4], "middle": [1, 2, 3], "hard": [0, 3, 5]}
    assert DifficultyPool("middle", 0.2)._within(scores[:1], generator(0)).tolist() == [0]


def test_a_blurred_pool_is_a_draw_by_weight() -> None:
    """With one example drawn, P(i) = exp(−d_i/blur) / Σ; many draws find these shares."""
    scores, blur = torch.tensor([0.0, 1.0, 2.0]), 0.5
    draws = [int(DifficultyPool("easy", 0.3, blur=blur)._within(scores, generator(i))) for i in range(2000)]
    shares = torch.bincount(torch.tensor(draws), minlength=3) / len(draws)
    weights = torch.exp(-torch.tensor([0.0, 0.5, 1.0]) / blur)
    assert torch.allclose(shares, weights / weights.sum(), atol=0.035)  # three standard errors
    half = DifficultyPool("hard", 2 / 3, blur=blur)._within(scores, generator(1))
    assert len(half.unique()) == 2


@pytest.mark.parametrize("name", ["random", "herding", "kcenter", "el2n"])
def test_selections_choose_from_the_pool(name: str, task: Task) -> None:
    distiller = compose(task, name, 3, within="hard:0.3", **FEW)
    made = distiller.distill(task, Situation(3, seed=2, compute=CPU))
    assert made is not None
    chosen = indices(task, made)
    assert set(chosen.tolist()) <= set(allowed(task, distiller).tolist())
    assert torch.equal(task.train.labels[chosen], made.labels)
    assert made.card.distiller["within"]["which"] == "hard"
    assert decode(made.card.distiller) == distiller


def test_a_smaller_random_subset_of_a_pool_begins_a_larger_one(task: Task) -> None:
    two, four = (distill(task, "random", per_class=k, pool="easy:0.4", compute=CPU, **FEW) for k in (2, 4))
    count = len(task.classes)
    a, b = two.examples().inputs.view(count, 2, -1), four.examples().inputs.view(count, 4, -1)
    assert torch.equal(a, b[:, :2])


def test_methods_match_and_start_from_the_pool(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    distiller = compose(task, "dm", 2, pool="easy:0.2", **FEW, **SHORT)
    seen: list[Tensor] = []
    take = PartPool.take

    def watched(self: PartPool, index: Tensor) -> Tensor:
        seen.append(self._index[index])
        return take(self, index)

    monkeypatch.setattr(PartPool, "take", watched)
    made = distiller.distill(task, Situation(2, seed=2, compute=CPU))
    assert made is not None
    assert len(seen) >= 3  # the start, and a batch an iteration
    assert set(torch.cat(seen).tolist()) <= set(allowed(task, distiller).tolist())
    whole = distill(task, "dm", per_class=2, seed=2, compute=CPU, **FEW, **SHORT)
    assert not torch.equal(made.variables["pixels"], whole.variables["pixels"])
    assert whole.card.distiller["within"] == {"kind": "Everything"}


def test_a_part_is_a_pool(task: Task) -> None:
    index = torch.tensor([7, 3, 20, 41])
    part = PartPool(task.train, index)
    some = torch.tensor([2, 0])
    assert len(part) == 4
    assert torch.equal(part.labels, task.train.labels[index])
    assert torch.equal(part.take(some), task.train.take(index[some]))
    assert torch.equal(part.raw(some), task.train.raw(index[some]))
    every = Everything().part(task, None, SITUATION)
    assert every is task.train
    batch = RealSide(part, len(task.classes), torch.device("cpu")).draw((int(part.labels[0]),), 9, generator(0))
    assert len(batch) == int((part.labels == part.labels[0]).sum())


def test_texts(task: Task) -> None:
    assert real_pool("easy:0.5") == DifficultyPool("easy", 0.5)
    assert real_pool("hard") == DifficultyPool("hard", 1 / 3)
    assert real_pool("middle:share=0.2,networks=1") == DifficultyPool("middle", 0.2, networks=1)
    assert real_pool("all") == Everything()
    made = compose(task, "dm", 1, **{"pool": "easy", "pool.measure": "gradn:points=2", "pool.networks": "1"}, **FEW)
    assert made.within == DifficultyPool("easy", 1 / 3, GraDN(2), 1)  # type: ignore[attr-defined]
    assert decode(encode(made)) == made
    chosen = compose(task, "el2n", 1, pool="easy", within="hard", **FEW)
    assert (chosen.pool, chosen.within) == ("easy", DifficultyPool("hard"))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("esay", "easy"),
        ("easy:0", r"\(0, 1\]"),
        ("easy:1.5", r"\(0, 1\]"),
        ("easy:nan", r"\(0, 1\]"),
        ("easy:half", "no share"),
        ("all:0.5", "easy, middle or hard"),
        ("easy:networks=0", "at least 1"),
        ("easy:blur=-1", "blur"),
        ("easy:size=3", "size"),
    ],
)
def test_wrong_texts_are_sentences(text: str, hint: str) -> None:
    with pytest.raises(OptionError, match=hint):
        real_pool(text)


def test_too_small_a_pool_is_a_sentence_before_any_work(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gauge, "panel", lambda *words: pytest.fail("networks were trained"))
    with pytest.raises(FitError, match="share of at least"):
        compose(task, "dm", 20, pool="easy:0.05", **FEW)
    with pytest.raises(FitError, match="share of at least"):
        compose(task, "random", 20, pool="easy:0.05", **FEW)
    few = DifficultyPool("easy", 0.05)
    with pytest.raises(FitError, match="fewer a class"):
        few.check(task, (20,) * len(task.classes))
    with pytest.raises(FitError, match="no teacher"):
        few.places(task, None, SITUATION)


def test_a_run_from_before_pools_goes_on(task: Task, tmp_path: Path) -> None:
    made = distill(task, "dm", per_class=1, compute=CPU, out=tmp_path / "set", **FEW, **SHORT)
    path = tmp_path / "set" / "run.json"
    data = json.loads(path.read_text())
    del data["distiller"]["within"]
    path.write_text(json.dumps(data))
    again = distill(task, "dm", per_class=1, compute=CPU, out=tmp_path / "set", **FEW, **SHORT)
    assert torch.equal(made.variables["pixels"], again.variables["pixels"])
    with pytest.raises(DirectoryError, match="within"):
        distill(task, "dm", per_class=1, compute=CPU, out=tmp_path / "set", pool="easy", **FEW, **SHORT)
