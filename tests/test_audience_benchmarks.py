"""Studies of audiences and of published recipes are what they should be, and their readers say what records hold."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from limbeck.data.task import Task
from limbeck.distillation.distill import compose
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import EvidenceError
from limbeck.evaluation import Record, Records
from limbeck.study import StudyResults
from limbeck.study.runs import DistilRun
from limbeck.study.store import Entry
from limbeck.study.study import Study
from limbeck.values import canonical
from tests.conftest import BENCHMARKS
from tests.evaluation.evaluation_rows import row

FULL = {"method": "full", "set": "full-matched", "per_class": 600.0}


def served(whom: str, gaps: dict[str, list[float]], **more: Any) -> list[Record]:
    """Sets with these gaps to a full accuracy of 0.9, a list over seeds for each configuration."""
    return [
        row(0.9 - gap, method=f"dm for {whom}", set=f"{whom}{seed}", distillation_seed=seed, configuration=name, **more)
        for name, values in gaps.items()
        for seed, gap in enumerate(values)
    ]


@pytest.fixture
def rows() -> list[Record]:
    full = [row(0.9 + 0.01 * sign, seed=n, configuration=c, **FULL) for c in "ab" for n, sign in enumerate((-1, 1))]
    one = served("one", {"a": [0.10, 0.11, 0.12], "b": [0.30, 0.31, 0.32]})
    return full + one + served("net", {"a": [0.12, 0.13, 0.14], "b": [0.20, 0.21, 0.221]})


def test_mean_and_worst_gap_are_paired_with_one(script, rows: list[Record]) -> None:
    reader = script("audience_results")
    found = reader.finding(Records.of(rows))
    assert [(s.method, s.whom, s.weakest) for s in found.served] == [("dm", "one", "b"), ("dm", "net", "b")]
    assert found.served[0].means[0] == pytest.approx(0.2) and found.served[1].worsts[2] == pytest.approx(0.221)
    mean, worst = reader.differences(found)[2:]
    assert mean.startswith("| dm | net | mean | -4.0 [") and mean.endswith("| smaller |")
    assert worst.startswith("| dm | net | worst | -10.0 [")
    assert reader.scores(found, {"dm for net": [2.0, 4.0]})[3].startswith("| dm | net | 3 | 17.0 [")
    assert reader.scores(found, {"dm for net": [2.0, 4.0]})[3].endswith("| b | 3 |")
    assert reader.by_configuration(found)[2] == "| a | 90.0 | 11.0 | 13.0 |"


def test_sets_that_not_all_have_judged_and_networks_that_failed_are_left_out(script, rows: list[Record]) -> None:
    reader = script("audience_results")
    half = [r for r in rows if (r.method, r.distillation_seed, r.configuration) != ("dm for net", 2, "b")]
    assert [len(s.gaps) for s in reader.finding(Records.of(half)).served] == [3, 2]
    lost = [*half, row(0, method="dm for net", distillation_seed=2, configuration="b", failure="not finite")]
    found = reader.finding(Records.of(lost))
    assert found.failed == ("b",) and set(found.full) == {"a"} and [len(s.gaps) for s in found.served] == [3, 3]
    with pytest.raises(EvidenceError, match="full data"):
        reader.finding(Records.of(r for r in rows if r.method != "full"))
    with pytest.raises(EvidenceError, match="no set"):
        reader.finding(Records.of(r for r in rows if r.method == "full"))


def test_the_section_says_that_it_is_interim(script, rows: list[Record]) -> None:
    told = script("audience_results").text(StudyResults(Study.load(BENCHMARKS / "audience.yaml"), Records.of(rows), ()))
    assert told.startswith("**Interim: 6 of 27 sets are judged.** 2 configurations, 2 networks")
    assert "| configuration | full data, % | dm for one | dm for net |" in told


def test_audiences_differ_in_nothing_but_whom_they_serve(script) -> None:
    task = shaped(script, 28, 1)
    by_method: dict[str, set[str]] = {}
    for run in Study.load(BENCHMARKS / "audience.yaml").distillations():
        settings = {key: item for key, item in run.settings if key != "for"}
        by_method.setdefault(run.method, set()).add(repr((settings, run.iterations, run.per_class)))
        made = compose(task, run.method, run.per_class, **dict(run.settings))
        audience = getattr(getattr(made, "state", None), "audience", None)
        assert ("for one" in run.label or run.method == "random") == (audience is None)
    assert {name: len(kinds) for name, kinds in by_method.items()} == {"random": 1, "dm": 1, "dsa": 1}


def shaped(script, side: int, channels: int) -> Task:
    work = script("work")
    made: Task = work.task_of(work.Sizes(side=side, channels=channels, real=250, classes=2))
    return made


def test_every_published_stage_is_composed_at_the_published_length_and_rate(script) -> None:
    published = script("published")
    tasks = {"cifar10": shaped(script, 32, 3), "fashionmnist": shaped(script, 28, 1)}
    assert len(published.stages()) == 30 and [s.method for s in published.stages()][::6] == list(published.RECIPES)
    for stage in (*published.stages(), *published.stages(0.1)):
        (run, *_) = stage.study(published.Compute("cpu")).distillations()
        usual = compose(tasks[stage.data], stage.method, stage.per_class, network="convnet-3-128")
        made = compose(
            tasks[stage.data], run.method, run.per_class, **{**dict(run.settings), "iterations": run.iterations}
        )
        assert isinstance(made, MatchingDistiller) and isinstance(usual, MatchingDistiller)
        assert made.rate.move(made.iterations) is None
        assert made.optimizer == usual.optimizer
        assert made.iterations == round(stage.share * usual.iterations)


def test_parts_of_names_choose_stages(script) -> None:
    published = script("published")

    def chosen(*patterns: str) -> list[str]:
        return [stage.name for stage in published.stages() if stage.wanted(patterns)]

    assert chosen("dm-10") == ["cifar10-dm-10", "fashionmnist-dm-10"]
    assert chosen("cifar10-dsa-50", "idc-1") == ["cifar10-dsa-50", "cifar10-idc-1", "fashionmnist-idc-1"]
    assert len(chosen()) == 30 and chosen("dc") == []
    assert published.stages(0.02)[0].name == "cifar10-dm-1-share0.02"


def test_the_published_number_stands_beside_ours(script) -> None:
    reader = script("published_results")
    stage = reader.Stage("cifar10", "dm", 10)
    study = stage.study(script("published").Compute("cpu"))
    runs = [run for run in study.runs((None,)) if isinstance(run, DistilRun)]
    entries = tuple(Entry(r.name, "DistilRun", r.title, canonical(r), "done", 0, 60.0, {}, "") for r in runs)
    near = [row(0.489 + 0.001 * seed, distillation_seed=seed) for seed in range(3)]
    told = reader.row(stage, StudyResults(study, Records.of(near), entries))
    assert "| 20,000 of 20,000 | 49.0 ± 0.2 | 3 × 1 | 48.9 | +0.1 | " in told and told.endswith("| 60 |")
    far = reader.row(stage, StudyResults(study, Records.of([row(0.46)]), entries))
    assert "| 46.0 | 1 of 3 × 1 | 48.9 | -2.9 * |" in far
    assert reader.row(stage, StudyResults(study, Records(()), entries)) is None
    assert reader.published(reader.Stage("fashionmnist", "dm", 1)) is None
    assert all(len(known) == 3 for known in reader.PUBLISHED.values())


def test_gpu_measures_memory_on_any_device(script, tmp_path: Path) -> None:
    gpu = script("gpu")
    sizes = gpu.work.Sizes(side=8, channels=1, width=4, depth=2)
    assert gpu.least_bytes(sizes, "float32") == 4 * (64 + 2 * 256 + 64 + 64 + 2 * 64 + 16)
    gpu.main(["--device", "cpu", "--tiny", "--parts", "memory", "--out", str(tmp_path / "gpu.json")])
    told = json.loads((tmp_path / "gpu.json").read_text())
    assert all(math.isfinite(value) and value >= 0 for value in told["memory"].values()) and len(told["memory"]) == 6
