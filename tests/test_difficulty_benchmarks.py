"""The scripts that make tables of difficulty run on a tiny study, and their study definition is one."""

import re
from pathlib import Path
from typing import Any

import pytest

from limbeck.compute import Compute
from limbeck.errors import EvidenceError
from limbeck.evaluation import Records
from limbeck.evaluation.intervals import Estimate
from limbeck.study import Evaluation, MethodChoice, References, Source, Study, StudyResults, export, run
from limbeck.values import replace
from tests.evaluation.evaluation_rows import row

ROOT = Path(__file__).parent.parent / "benchmarks"
FEW = (("updates", 3),)
POOL = (("pool.networks", 1), ("teacher_epochs", 1))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pools = [("easy", (("pool", "easy"), *POOL)), ("hard", (("pool", "hard"), *POOL))]
    where = tmp_path_factory.mktemp("pools") / "s"
    tiny = Study(
        name="tiny",
        source=Source("digits"),
        methods=tuple(MethodChoice("random", tuple(sorted(FEW + more)), f"random {name}") for name, more in pools),
        per_class=(1, 3),
        network="mlp:width=8",
        seeds=((0, (0, 1)),),
        evaluation=Evaluation(("own",), seeds=(0,), together=1, splits=("test",)),
        references=References((), ()),
        compute=Compute("cpu", "float32", "off"),
    )
    summary = run(tiny, where)
    assert summary.complete, summary.failures
    return where


def test_difficulty_of_sets(script, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured = script("difficulty")
    page, tables = tmp_path / "page.md", tmp_path / "tables.md"
    for each in (page, tables):
        each.write_text("before <!-- difficulty: begin --><!-- difficulty: end --> after")

    def words(name: str) -> list[str]:
        kept = ["--kept", str(tmp_path / f"{name}.json"), "--out", str(tmp_path / f"{name}.svg")]
        kept += ["--page", str(page), "--tables", str(tables)]
        return ["--measure", "el2n:at=1", "--networks", "1", "--epochs", "2", "--device", "cpu", *kept]

    measured.main([str(study), *words("a")])
    first = capsys.readouterr().out
    assert first.count("| random easy |") == first.count("| random hard |") == 2
    assert all(0 <= float(line.split("|")[4].split("[")[0]) <= 100 for line in first.splitlines()[-4:])
    assert "random hard" in (tmp_path / "a.svg").read_text()
    assert first.strip() in tables.read_text()
    assert "](images/a.svg)" in page.read_text() and page.read_text().endswith("after")
    export(study, tmp_path / "study.parquet", sets=True)
    measured.main([str(tmp_path / "study.parquet"), *words("b")])
    assert capsys.readouterr().out == first
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    measured.main(words("a"))  # from what was kept, without a study
    assert capsys.readouterr().out == first
    old, times = re.subn(r"(digits random easy 1 0) \w+", r"\1 ffff", (tmp_path / "a.json").read_text())
    assert times == 1
    (tmp_path / "a.json").write_text(old)
    measured.main([str(study), *words("a")])  # a set that was made otherwise before is replaced
    assert capsys.readouterr().out == first
    assert "ffff" not in (tmp_path / "a.json").read_text()
    with pytest.raises(EvidenceError, match="another --kept"):
        measured.main([*words("a"), "--epochs", "3"])
    export(study, tmp_path / "bare.parquet")
    with pytest.raises(EvidenceError, match="no sets"):
        measured.main([str(tmp_path / "bare.parquet"), *words("c")])


def test_a_selection_with_soft_labels_alone_is_rated(script, study: Path, tmp_path: Path) -> None:
    wished = [("random", True), ("kmeans", True), ("kmeans", False)]
    few = (*FEW, ("teacher_epochs", 1))
    methods = tuple(MethodChoice(name, few, name, soft=soft) for name, soft in wished)
    tiny = StudyResults.load(study).study
    asked = replace(tiny, name="soft", methods=methods, per_class=(1,), seeds=((0, (0,)),))
    assert run(asked, tmp_path / "s").complete
    results = StudyResults.load(tmp_path / "s")
    assert len(results.set_directories()) == 3
    rated = [one for one, _ in script("difficulty").sets(results)]
    assert {(one.label, "soft" in dict(one.settings)) for one in rated} == {("kmeans", False), ("random", True)}
    assert len(rated) == 2


def test_the_switch_of_a_study(script, study: Path) -> None:
    records = StudyResults.load(study).records.where(split="test")
    lines = script("pool_switch").report(records, share=1 / 3, angle=0.0)
    assert lines[0] == "**random**"
    assert sum(line.startswith("| 1 |") or line.startswith("| 3 |") for line in lines) == 2
    assert any("pruning law switches" in line for line in lines)
    with pytest.raises(EvidenceError, match=r"pools\.yaml"):
        script("pool_switch").report(records.where(method="random easy"), share=1 / 3, angle=0.0)


def test_the_committed_study_is_one() -> None:
    study = Study.load(ROOT / "pools.yaml")
    assert study.per_class == (1, 5, 10, 50, 200)
    called = {method.called for method in study.methods}
    assert {f"{base} {pool}" for base in ("random", "dm") for pool in ("easy", "middle", "hard")} < called
    assert dict(study.methods[1].settings)["pool"] == "easy"


def test_what_the_difficulty_term_changes_is_paired_by_seed(script) -> None:
    """Seeds 0 and 1: 0.7 → 0.5 and 0.8 → 0.7; seed 2 has no twin."""
    measured = script("difficulty")
    sets = [("dc", 0, 0.7), ("dc", 1, 0.8), ("dc", 2, 0.1), ("dc sdc", 0, 0.5), ("dc sdc", 1, 0.7), ("dm sdc", 0, 0.5)]
    known = {str(i): measured.Standing(name, 10, seed, at, 0.5) for i, (name, seed, at) in enumerate(sets)}
    lines = measured.eased(known).splitlines()
    assert len(lines) == 5 and lines[-1].startswith("| dc | 10 | 2 | -15.0 [")
    assert measured.eased({"0": known["0"]}) == ""


def test_advice_on_pools_is_against_all_examples(script) -> None:
    """A pool only where it is clearly better than all; hard ones that beat easy ones do not count."""
    switch = script("pool_switch")

    def gap(low: float, high: float) -> Any:
        return switch.Beside(Estimate((low + high) / 2, 0.01, low, high, 0.5, n=5), 1.0)

    assert (
        switch.advice({"easy": gap(0.01, 0.05), "middle": gap(0.0, 0.03), "hard": gap(-0.2, -0.1)}) == "easy examples"
    )
    assert (
        switch.advice({"easy": gap(-0.03, -0.01), "middle": gap(-0.01, 0.01)}) == "all, or middle ones: cannot be told"
    )
    assert switch.advice({"easy": gap(-0.03, -0.01), "hard": gap(-0.02, -0.01)}) == "all"
    assert switch.advice({"easy": gap(0.01, 0.02), "hard": gap(0.03, 0.04)}) == "hard examples"


def test_differences_of_pools_are_corrected_together(script) -> None:
    """Two sizes with an easy pool are a family of two: the smaller p is doubled."""
    values = {"random": [0.50, 0.51, 0.52], "random easy": [0.60, 0.612, 0.618]}
    rows = [
        row(reached, method=name, set=f"{name}{size}{seed}", per_class=size, distillation_seed=seed)
        for size in (1.0, 5.0)
        for name, mine in values.items()
        for seed, reached in enumerate(mine)
    ]
    found = script("pool_switch").corrected(Records.of(rows), "random")
    assert set(found) == {("easy", 1.0), ("easy", 5.0)}
    assert found["easy", 1.0].p == pytest.approx(2 * found["easy", 1.0].gap.p)
