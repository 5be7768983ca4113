"""The studies of methods are defined as they must be, and their readers say what made-up records hold."""

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

import limbeck
from limbeck.distillation.advice import Advice
from limbeck.errors import EvidenceError
from limbeck.evaluation import Record, Records
from limbeck.evaluation.cells import Kind
from limbeck.study import Evaluation, MethodChoice, Source, Study, StudyResults
from limbeck.study.runs import DistilRun, EvaluateRun
from limbeck.study.store import Entry
from limbeck.values import canonical, replace
from tests.conftest import BENCHMARKS
from tests.evaluation.evaluation_rows import row

SDC = (("difficulty", "sdc=0.1"),)
NAMES = ("random", "herding", "random in four", "dm", "idc", "dc")


def rows_of(method: str, size: int, values: Iterable[float], labels: str = "hard", **more: Any) -> list[Record]:
    """One network a seed; validation is ``valid``, or else as test."""
    valid = more.pop("valid", None)
    found = []
    for seed, value in enumerate(values):
        changes = {"method": method, "set": f"{method}{size}{seed}", "per_class": float(size), "labels": labels}
        known = {"distillation_seed": seed, "validation": value if valid is None else valid}
        found.append(row(value, **changes, **known, **more))
    return found


def study_of(*methods: MethodChoice, name: str = "s", seeds: int = 3, labels: tuple[str, ...] = ("own",)) -> Study:
    judged = Evaluation(("own",), seeds=(0,), together=1, splits=("test",), labels=labels)
    return Study(name, Source("digits"), methods, seeds=((0, tuple(range(seeds))),), evaluation=judged)


def entry(run: DistilRun | EvaluateRun, seconds: float = 2.0, iterations: int | None = None) -> Entry:
    facts = {} if iterations is None else {"iterations": iterations}
    return Entry(run.name, type(run).__name__, run.title, canonical(run), "done", 0, seconds, facts, "")


def results_of(study: Study, rows: list[Record], iterations: int = 7, left_out: tuple[str, ...] = ()) -> StudyResults:
    """All runs done, except those of the methods left out."""
    entries = []
    for run in study.runs((None,)):
        distil = run if isinstance(run, DistilRun) else run.distil if isinstance(run, EvaluateRun) else None
        if distil is not None and distil.label not in left_out:
            entries.append(entry(run, iterations=iterations if run is distil else None))
    return StudyResults(study, Records.of(rows), tuple(entries))


@pytest.fixture
def protocol() -> StudyResults:
    """dm works at both sizes; dc is better at 1 alone; herding is the better baseline on validation, random on test."""
    methods = [MethodChoice(n.replace("random in four", "match"), label=n, soft=n in NAMES[:2]) for n in NAMES]
    rows = []
    for size in (1, 10):
        rows += rows_of("random", size, [0.70, 0.70, 0.70], valid=0.5)
        rows += rows_of("herding", size, [0.60, 0.61, 0.62], valid=0.6)
        rows += rows_of("herding", size, [0.50, 0.51, 0.52], "soft", valid=0.4)
        rows += rows_of("random in four", size, [0.68, 0.68, 0.68], valid=0.7)
        rows += rows_of("dm", size, [0.70, 0.712, 0.718], valid=0.7)
        rows += rows_of("dm", size, [0.40, 0.41, 0.42], "soft", valid=0.3)
        rows += rows_of("idc", size, [0.68, 0.69, 0.70], valid=0.7)
    rows += rows_of("dc", 1, [0.70, 0.711, 0.719], valid=0.7)
    rows += rows_of("dc", 10, [0.55, 0.70, 0.60], valid=0.7)
    return results_of(study_of(*methods, labels=("own", "hard")), rows)


def cells(text: str, *start: str) -> list[str]:
    """The cells of the first line of a table that begins so."""
    head = "| " + " | ".join(start) + " |"
    line = next(line for line in text.splitlines() if line.startswith(head))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_method_works_where_it_is_clearly_better_at_both_sizes(script, protocol: StudyResults) -> None:
    text, tables = script("methods_results").section(protocol), script("methods_results").tables(protocol)
    assert cells(text, "dm")[1] == "**works**"
    assert cells(text, "dc")[1] == "better at 1"
    assert "+10.0 [" in cells(text, "dm")[2] and "herding, hard labels" in cells(text, "dm")[2]
    assert "Interim" not in text
    assert cells(text, "idc", "10")[2].startswith("+1.0") and "(random in four)" in cells(text, "idc", "10")[2]
    assert cells(text, "idc", "10")[3] == "—"  # no soft labels on either side
    text = tables
    assert cells(text, "1", "herding")[2:6] == ["61.0 ± 2.5", "—", "51.0 ± 2.5", "—"]
    alike = [cells(text, "1", "dm")[i].split(" ")[0] for i in (3, 5)]
    assert alike == ["+10.0", "-10.0"]  # against herding with hard, and with soft labels
    assert cells(text, "dm", "10", "7")[3] == "2 (3)"
    assert not any(line.startswith("| random in four | 1 |") for line in text.splitlines())


def test_a_partial_study_is_called_so_and_gives_no_verdict(script, protocol: StudyResults) -> None:
    rows = [r for r in protocol.records if r.method != "dc"]
    partial = results_of(protocol.study, rows, left_out=("dc",))
    text = script("methods_results").section(partial)
    assert "**Interim: 60 of 72 judgements are done**" in text
    assert "dc at 1 (6), dc at 10 (6)" in text
    assert cells(text, "dc") == ["dc", "open", "—", "—"]
    assert cells(text, "dm")[1] == "**works**"
    without = results_of(protocol.study, list(protocol.records), left_out=("herding",))
    assert cells(script("methods_results").section(without), "dm")[1] == "open"  # a baseline may still be the best
    empty = StudyResults(protocol.study, Records(()), ())
    assert "0 of 72" in script("methods_results").section(empty)


def test_holm_is_over_the_methods_of_one_size(script, protocol: StudyResults) -> None:
    reader = script("methods_results")
    found = reader.compared_at(protocol.records, ("dm", "idc", "dc"), 1)
    raw = sorted((each.found.estimate.p, name) for name, each in found.items())
    smallest, name = raw[0]
    assert found[name].p == pytest.approx(3 * smallest)


def test_networks_that_all_failed_leave_a_dash(script, protocol: StudyResults) -> None:
    rows = [r for r in protocol.records if (r.method, r.per_class) != ("dc", 10)]
    broken = rows_of("dc", 10, [0.1, 0.1, 0.1], valid=math.nan, failure="the loss is not finite")
    text = script("methods_results").section(results_of(protocol.study, rows + broken))
    assert cells(text, "dc")[1:] == ["open", cells(text, "dc")[2], "—"]


def test_pairs_differ_in_the_difficulty_term_alone(script) -> None:
    reader = script("sdc_results")
    plain = study_of(MethodChoice("dm", (("lr", 1.0),), "a"), MethodChoice("dm", (), "b"), name="plain")
    corrected = study_of(MethodChoice("dm", SDC, "b sdc"), MethodChoice("dm", (("difficulty", "gradn=1"),), "b gradn"))
    found = reader.pairs(corrected, plain)
    assert [(p.corrected, p.plain, p.reading, p.weight, p.per_class) for p in found] == [
        ("b sdc", "b", "sdc", 0.1, 1),
        ("b sdc", "b", "sdc", 0.1, 10),
        ("b gradn", "b", "gradn", 1.0, 1),
        ("b gradn", "b", "gradn", 1.0, 10),
    ]
    with pytest.raises(EvidenceError, match="no dsa set like 'x'"):
        reader.pairs(study_of(MethodChoice("dsa", SDC, "x")), plain)


def test_the_gain_of_the_difficulty_term_is_paired_by_seed(script) -> None:
    reader = script("sdc_results")
    plain = results_of(study_of(MethodChoice("dm", (), "dm")), rows_of("dm", 1, [0.5, 0.6, 0.7]))
    term = study_of(MethodChoice("dm", SDC, "dm sdc"), seeds=2)
    corrected = results_of(term, rows_of("dm sdc", 1, [0.52, 0.62]))
    (found,) = reader.measured(corrected, plain)  # at 10 a class nothing was judged
    assert (found.found.estimate.value, found.found.estimate.n) == (pytest.approx(0.02), 2)
    line = reader.table("fashion", [found])[0]
    assert line.startswith("| fashion | dm | 1 | the batch's gradient | 0.1 | 60.0 ± 24.8 | 57.0 ± 63.5 | +2.0 [")
    with pytest.raises(EvidenceError, match="other iterations"):
        reader.measured(results_of(term, rows_of("dm sdc", 1, [0.52, 0.62]), iterations=8), plain)
    text = reader.section({"methods": plain, "sdc_fashion": corrected})
    assert "Not run yet: sdc_mnist, sdc_cifar" in text and line in text


def test_the_weight_with_the_best_mean_over_sizes_is_chosen(script) -> None:
    reader = script("sdc_results")
    weights = (0.1, 1.0)
    methods = [MethodChoice("dm", (("difficulty", f"sdc={w}"),), f"dm {w:g}") for w in weights]
    rows = rows_of("dm", 1, [0.5, 0.5], split="validation") + rows_of("dm", 10, [0.7, 0.7], split="validation")
    for weight, small, large in ((0.1, 0.51, 0.71), (1.0, 0.53, 0.64)):
        rows += rows_of(f"dm {weight:g}", 1, [small] * 2, split="validation")
        rows += rows_of(f"dm {weight:g}", 10, [large] * 2, split="validation")
    grid = results_of(study_of(MethodChoice("dm", (), "dm"), *methods, seeds=2), rows)
    found = reader.measured(grid, grid, "validation")
    weight, gain = reader.chosen(found)["dm", "sdc"]
    assert (weight, gain) == (0.1, pytest.approx(0.01))
    assert "* dm, the batch's gradient: λ = 0.1 (+1.0 points on validation)." in reader.section({"sdc_grid": grid})


def test_a_choice_is_checked_against_the_best(script) -> None:
    checker = script("auto_check")
    rows = rows_of("dm", 1, [0.70, 0.72, 0.74]) + rows_of("kmeans", 1, [0.69, 0.73, 0.72], "soft")
    records = Records.of(rows + rows_of("dsa", 1, [0.60, 0.62, 0.64]))
    assert checker.checked(records, Kind("dm", 1.0, "hard")).short is None
    close = checker.checked(records, Kind("kmeans", 1.0, "soft"))
    assert close.within and close.short is not None and close.best.method == "dm" and "| yes |" in checker.told(close)
    assert not checker.checked(records, Kind("dsa", 1.0, "hard")).within
    with pytest.raises(EvidenceError, match="did not measure"):
        checker.checked(records, Kind("idc", 1.0, "soft"))
    assert checker.kind_of(Advice("dm", {"labels": "teacher"}, ""), 1.0).labels == "soft"
    assert checker.kind_of(Advice("kmeans", {"soft": True}, ""), 1.0).labels == "soft"
    assert checker.kind_of(Advice("dm", {}, ""), 1.0).labels == "hard"


def test_tried_labels_are_chosen_set_by_set_on_validation(script) -> None:
    """Seed 0 has better soft labels on validation, seed 1 better hard ones, whatever the test says."""
    checker = script("auto_check")
    hard, soft = rows_of("dm", 1, [0.70, 0.72]), rows_of("dm", 1, [0.69, 0.73], "soft")
    marks = {("hard", 0): 0.5, ("hard", 1): 0.6, ("soft", 0): 0.6, ("soft", 1): 0.5}
    rows = [dataclasses.replace(r, validation=marks[r.labels, r.distillation_seed]) for r in [*hard, *soft]]
    kind = checker.kind_of(Advice("dm", {"labels": "tried"}, ""), 1.0)
    found = checker.checked(Records.of(rows), kind)
    assert found.mine.value == pytest.approx((0.69 + 0.72) / 2)
    assert found.best == Kind("dm", 1.0, "hard") and found.short is not None
    assert "dm with labels tried" in checker.told(found)
    with pytest.raises(EvidenceError, match="did not measure"):
        checker.checked(Records.of(rows), checker.kind_of(Advice("idc", {"labels": "tried"}, ""), 1.0))


@pytest.mark.parametrize("study", ["sdc_fashion", "sdc_mnist", "sdc_cifar", "sdc_grid"])
def test_sets_with_and_without_the_term_are_made_alike(script, study: str) -> None:
    """The runs of a pair differ in the difficulty term alone: the data, the seed, the length, the network, the rest."""
    reader = script("sdc_results")
    ours = Study.load(BENCHMARKS / f"{study}.yaml")
    theirs = Study.load(BENCHMARKS / f"{reader.STUDIES.get(study, study)}.yaml")
    plain = {bare(run) for run in theirs.distillations() if "difficulty" not in dict(run.settings)}
    corrected = [run for run in ours.distillations() if "difficulty" in dict(run.settings)]
    assert corrected
    for run in corrected:
        assert run.iterations is not None
        assert bare(run) in plain, run.title
    assert len(reader.pairs(ours, theirs)) == len({(run.label, run.per_class) for run in corrected})


def test_auto_is_judged_on_a_twin_of_what_it_learned_from() -> None:
    ours, theirs = (Study.load(BENCHMARKS / f"{name}.yaml") for name in ("auto_fashion", "auto_mnist"))
    assert replace(ours, name=theirs.name, source=theirs.source) == theirs
    assert ours.source.text.endswith("fashionmnist")
    assert ours.source.options == theirs.source.options


def bare(run: DistilRun) -> tuple[object, ...]:
    settings = tuple(pair for pair in run.settings if pair[0] != "difficulty")
    return run.source, run.method, settings, run.per_class, run.seed, run.iterations, run.compute


def test_dc_and_dcc_match_without_augmentation_in_every_study() -> None:
    for path in sorted(Path(BENCHMARKS).glob("*.yaml")):
        for choice in Study.load(path).methods:
            if choice.name in ("dc", "dcc"):
                assert "augmentation" not in dict(choice.settings), f"{path.name}: {choice.called} would be augmented"


def test_fifty_a_class_is_made_as_protocol_s_is() -> None:
    """A set at 50 differs from those at 1 and 10 in its size and budget, and has no second labels."""
    known = {choice.called: dict(choice.settings) for choice in Study.load(BENCHMARKS / "methods.yaml").methods}
    fifty = Study.load(BENCHMARKS / "fifty.yaml")
    assert len(fifty.methods) > 10
    for choice in fifty.methods:
        expected = {key: item for key, item in known[choice.called].items() if key != "labels"}
        assert dict(choice.settings) == expected, choice.called


def test_again_makes_the_first_set_of_each_kind(script, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, beside what is committed: same runs, apart from it on disk."""
    module, asked = script("studies"), []
    monkeypatch.setattr(module, "drive", lambda study, home, kept, *_: asked.append((study, home.name, kept.name)))
    module.go_on("methods", 1.0, 1.0, again=True)
    ((study, home, kept),) = asked
    assert (study.name, home, kept) == ("methods_again", "methods_again", "methods_again.parquet")
    whole = {run.name for run in Study.load(BENCHMARKS / "methods.yaml").distillations()}
    mine = list(study.distillations())
    assert {run.seed for run in mine} == {0}
    assert {run.name for run in mine} <= whole
    assert {(run.label, run.per_class) for run in mine if run.label == "dm"} == {("dm", 1), ("dm", 10)}


def test_the_replication_is_protocol_s_with_new_seeds() -> None:
    """Its sets differ from protocol S's at 10 a class in their seeds alone."""
    theirs, mine = (Study.load(BENCHMARKS / f"{name}.yaml") for name in ("methods", "replication"))
    known = {choice.called: choice for choice in theirs.methods}
    assert mine.per_class == (10,)
    seen = {seed for _, seeds in theirs.seeds for seed in seeds}
    assert not seen & {seed for _, seeds in mine.seeds for seed in seeds}
    for choice in mine.methods:
        if choice.called == "kmeans in four":
            continue  # was added afterwards
        other = known[choice.called]
        assert (choice.name, choice.settings, choice.soft) == (other.name, other.settings, other.soft), choice.called
        assert set(choice.iterations) <= set(other.iterations), choice.called
    assert (mine.source, mine.network, mine.compute) == (theirs.source, theirs.network, theirs.compute)
    assert mine.evaluation == theirs.evaluation


def test_a_replication_tells_two_planted_differences(script) -> None:
    """m3d is 3 points above k-means' soft labels, which validation chooses; ncfm is level with them."""
    rows, seeds = [], range(5)
    for name, hard, soft in (
        ("random", 0.70, 0.72),
        ("kmeans", 0.76, 0.78),
        ("random in four", 0.75, 0.77),
        ("m3d", 0.81, 0.80),
        ("ncfm", 0.78, 0.77),
    ):
        wobble = [0.004 * ((-1) ** seed) * (name != "kmeans") for seed in seeds]
        rows += rows_of(name, 10, [hard + w for w in wobble])
        rows += rows_of(name, 10, [soft + w for w in wobble], "soft")
    study = replace(study_of(*(MethodChoice(n, label=n) for n in ("m3d", "ncfm"))), per_class=(10,))
    text = script("replication").section(results_of(study, rows))
    first, second = cells(text, "m3d, hard labels", "10"), cells(text, "ncfm, hard labels", "10")
    assert first[2] == second[2] == "kmeans, soft labels"
    assert first[3].startswith("+3.1 [") or first[3].startswith("+3.0 [")
    assert (first[6], second[6]) == ("better", "cannot tell")
    assert "| m3d, hard labels | 10 | random in four, hard labels | +6.0 [" in text
    assert "| m3d, soft labels | 10 | kmeans, soft labels | +2.1 [" in text
    assert "| ncfm, soft labels | 10 | kmeans in four, soft labels | not judged |" in text


def test_reasons_stand_beside_the_same_method_unchanged(script) -> None:
    """dsa from k-means: +2 on dsa, −1 on k-means; what is trained on for longer has a rival of its own."""
    names = ("random", "kmeans", "dsa", "dsa, from k-means", "kmeans, 2,000 updates", "dsa, 2,000 updates")
    values = {"random": 0.5, "kmeans": 0.8, "dsa": 0.77, "dsa, from k-means": 0.79}
    values |= {"kmeans, 2,000 updates": 0.84, "dsa, 2,000 updates": 0.81}
    rows = []
    for size in (1, 10):
        for name, value in values.items():
            recipe = "long" if name.endswith("updates") else "short"
            rows += rows_of(name, size, [value, value], split="validation", recipe=recipe)
    study = study_of(*(MethodChoice(n.split(",")[0], label=n) for n in names), seeds=2)
    text = script("reasons").section(results_of(study, rows))
    assert [c.split(" [")[0] for c in cells(text, "dsa, from k-means")[1:4]] == ["79.0 ± 0.0", "+2.0", "-1.0"]
    assert [c.split(" [")[0] for c in cells(text, "dsa, 2,000 updates")[1:4]] == ["81.0 ± 0.0", "—", "-3.0"]
    assert cells(text, "kmeans")[2:4] == ["—", "—"]


def test_reasons_change_one_thing_of_protocol_s() -> None:
    """What is changed stands in the label; everything else, iterations too, is protocol S's."""
    study = Study.load(BENCHMARKS / "reasons.yaml")
    known = {choice.called: choice for choice in Study.load(BENCHMARKS / "methods.yaml").methods}
    assert study.evaluation.splits == ("validation",)  # the test split stays shut
    judged = {"labels", "teacher_epochs", "teacher.augmentation"}  # a teacher, where one is needed, changes no image
    for choice in study.methods:
        theirs = known[choice.called.split(", ")[0]]
        changed = {
            key
            for key in {**dict(choice.settings), **dict(theirs.settings)}.keys() - judged
            if dict(choice.settings).get(key) != dict(theirs.settings).get(key)
        }
        usual = dict(theirs.iterations)
        longer = {mine / usual[size] for size, mine in choice.iterations}
        assert longer <= ({10.0} if "ten times" in choice.called else {1.0}), choice.called
        allowed = {"initial": "from", "updates": "updates", "rate.from_noise": "from"}
        allowed |= {"view": "alone", "discrepancy": "alone", "real_batch": "power 1"}
        for key in changed:
            assert any(word in choice.called for word in allowed[key].split("|")), f"{choice.called} changes {key}"


def test_two_makings_of_a_study_are_set_beside_each_other(script) -> None:
    """Only what both hold counts: seeds 0 and 1 of dm at 1 a class, +1 and +3 points."""
    then = Records.of(rows_of("dm", 1, [0.60, 0.61]) + rows_of("idc", 1, [0.5]))
    now = Records.of(rows_of("dm", 1, [0.61, 0.64, 0.9]) + rows_of("dc", 1, [0.5]))
    then += Records.of(rows_of("dm", 1, [0.50, 0.50], "soft") + rows_of("random", 1, [0.5, 0.5]))
    now += Records.of(rows_of("dm", 1, [0.51, 0.53], "soft") + rows_of("random", 1, [0.9, 0.9]))
    reader = script("methods_results")
    made = [study_of(*(MethodChoice(n) for n in ("dm", "idc", "dc", "random")), seeds=3) for _ in range(2)]
    both = reader.remade(results_of(made[0], list(now)), results_of(made[1], list(then)))
    text = reader.bfloat16(
        both, {"dm", "dc", "idc"}
    )  # a set's two kinds of labels are one set; selections are left out
    assert "over the 2 sets" in text and "+2.00 points [" in text and "standard deviation 1.4" in text
    assert cells(reader.beside_float32(both), "1", "dm", "hard")[3:] == ["60.5", "62.5", "+2.0", "2"]
    assert reader.bfloat16(both, {"dc"}) == "No set was distilled both ways yet."


def test_sets_of_an_earlier_definition_are_not_set_beside_todays(script) -> None:
    """dcc's definition has changed: sets that were made before it count no more."""
    study = study_of(MethodChoice("dcc"), MethodChoice("dm"), seeds=2)
    rows = rows_of("dcc", 1, [0.5, 0.6]) + rows_of("dm", 1, [0.5, 0.6])
    now = results_of(study, rows)
    earlier = [dataclasses.replace(e, value=e.value.replace('"revision":2', '"revision":1')) for e in now.entries]
    then = StudyResults(study, Records.of(rows), tuple(earlier))
    reader = script("methods_results")
    assert {one.kind.method for one in reader.remade(now, then)} == {"dm"}
    assert {one.kind.method for one in reader.remade(now, now)} == {"dm", "dcc"}


def test_pictures_show_what_is_stored(script, tmp_path) -> None:
    """The first image of each class, as stored: four in one stays one picture."""
    digits = limbeck.data.digits()
    made = limbeck.distill(
        digits, "match", per_class=4, seed=0, iterations=1, parametrisation="factored", real_batch=8, network="mlp"
    )
    assert len(made.examples("hard").inputs) == 160  # 40 stored images hold four each
    seen = script("pictures").stored(made)
    assert seen.shape == (10, 1, 8, 8) and seen.min() >= 0 and seen.max() <= 1
    first = made.preprocessing.inverse(made.variables["pixels"][::4]).clamp(0, 1)
    assert torch.equal(seen, first)


def test_the_ranking_is_of_mean_accuracies(script) -> None:
    results = StudyResults.load(BENCHMARKS / "results" / "fifty.parquet")
    lines = script("methods_results").ranking(results).splitlines()
    mine = [row.accuracy for row in results.records.where(split="test", method="dcc")]
    assert f"| dcc | {100 * sum(mine) / len(mine):.1f} |" in lines
    shown = [float(line.split("|")[2]) for line in lines[2:]]
    assert len(shown) == 13 and shown == sorted(shown, reverse=True)
