"""The commands as a user gives them, one after another, on the digits and on a table."""

import json
from pathlib import Path

import numpy as np
import pytest

from limbeck.distillation.budget import Timing
from tests.cli.test_bad_input import FEW, Run, run

__all__ = ["run"]  # the fixture

LISTS = (
    "methods",
    "networks",
    "sources",
    "spaces",
    "augmentations",
    "formats",
    "views",
    "discrepancies",
    "states",
    "audiences",
    "difficulties",
    "paces",
)


@pytest.mark.parametrize("what", LISTS)
def test_lists(run: Run, what: str) -> None:
    code, out, _ = run("list", what, "--json")
    assert code == 0
    assert len(json.loads(out)) >= 3


def test_the_whole_line(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("info", "digits", "--json")
    assert code == 0
    assert json.loads(out)["shape"] == [1, 8, 8]
    code, out, err = run("distill", "digits", *FEW, "--set", "updates=5", "--out", "set", "--json")
    assert code == 0
    assert json.loads(out)["examples"] == 10
    assert "limbeck evaluate set" in err
    code, out, err = run("evaluate", "set", "--seeds", "2", "--json")
    assert code == 0
    (line,) = json.loads(out)
    assert line["networks"] == 2
    assert 0 <= line["accuracy"]["mean"] <= 1
    assert (tmp_path / "set" / "evaluation-own-test.parquet").exists()
    code, out, _ = run("show", "set", "--json")
    assert json.loads(out)["method"] == "dm"
    for form in ("folder", "npz", "parquet"):
        assert run("export", "set", "--format", form)[0] == 0
        assert (tmp_path / f"set-{form}").exists()
    assert run("report", "set", "--out", "page.html")[0] == 0
    assert "<html" in (tmp_path / "page.html").read_text()
    assert "@inproceedings{zhao2023dm" in run("cite", "dm")[1]


def test_compare_brings_the_baselines(run: Run, tmp_path: Path) -> None:
    settings = (*FEW, "--set", "updates=2", "--set", "teacher_epochs=1")
    assert run("distill", "digits", *settings, "--out", "set")[0] == 0
    code, out, _ = run("compare", "set", "--seeds", "1", "--json")
    assert code == 0
    found = {(line["method"], line["labels"]) for line in json.loads(out)}
    assert found == {("dm", "hard")} | {
        (m, k) for m in ("random", "herding", "kmeans", "kcenter") for k in ("hard", "soft")
    }
    assert run("report", "set", "--out", "page.html")[0] == 0
    page = (tmp_path / "page.html").read_text()
    assert "herding, soft labels" in page  # what compare found is told
    assert "limbeck distill digits --set iterations=2" in page  # as the command that makes it again


def test_one_method_with_two_settings_is_told_apart(run: Run) -> None:
    for rate in ("1", "2"):
        assert (
            run("distill", "digits", *FEW, "--set", "updates=2", "--set", f"lr={rate}", "--out", f"rate{rate}")[0] == 0
        )
    code, out, _ = run("evaluate", "rate1", "rate2", "--seeds", "1", "--json")
    assert code == 0
    assert {line["method"] for line in json.loads(out)} == {"dm (rate1)", "dm (rate2)"}


def test_one_set_serves_the_settings_that_follow_it(run: Run) -> None:
    settings = ("--set", "view=pixels", "discrepancy=mmd", "iterations=2")
    code, out, _ = run("distill", *settings, "digits", "--method", "match", "--per-class", "1", "--out", "s", "--json")
    assert code == 0
    assert json.loads(out)["examples"] == 10
    made = json.loads(Path("s/card.json").read_text())["card"]["distiller"]
    (term,) = made["surrogate"]["terms"]
    assert (term["view"]["kind"], term["discrepancy"]["kind"], made["iterations"]) == ("PixelValues", "MMD", 2)
    assert run("distill", "digits", "lr=3")[0] == 2  # a setting without --set is refused


def test_tables_go_through(run: Run, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(200, 5)) + np.repeat([[0], [2]], 100, axis=0)
    np.savez(tmp_path / "rows.npz", x=rows, y=np.repeat(["no", "yes"], 100))
    settings = ("--set", "iterations=3", "--set", "updates=5", "--per-class", "2")
    assert run("distill", "npz:rows.npz", *settings, "--out", "set")[0] == 0
    code, out, _ = run("evaluate", "set", "--seeds", "2", "--json")
    assert code == 0
    assert json.loads(out)[0]["accuracy"]["mean"] >= 0.3
    assert run("report", "set", "--out", "page.html")[0] == 0


def test_the_package_runs_as_the_command() -> None:
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-m", "limbeck", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "distill" in done.stdout
    wrong = subprocess.run([sys.executable, "-m", "limbeck", "distil"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_help_is_quick_because_it_loads_nothing() -> None:
    import subprocess
    import sys

    code = (
        "import sys; sys.argv = ['limbeck', '--help']\n"
        "from limbeck.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'plotly', 'pyarrow')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0
    assert b"distill" in done.stdout


def test_methods_are_listed_with_their_parts_and_costs(run: Run) -> None:
    code, out, err = run("list", "methods", "--json")
    assert code == 0
    found = {line["method"]: line for line in json.loads(out)}
    assert set(found["dsa"]) == {"method", "what it does", "view", "discrepancy", "state", "needs", "seconds", "source"}
    assert found["dsa"]["state"] == "along-synthetic"
    assert float(found["dm"]["seconds"]) > 0
    assert "Seconds of an iteration" in err
    assert "row-cosine" in run("list", "methods")[1]


def test_many_columns_are_stacked_for_a_narrow_terminal() -> None:
    from limbeck.cli.listing import stacked

    columns, rows = stacked(
        ["method", "what", "view", "state"], [["a", "line", "features", "–"], ["b", "other", "", "x"]]
    )
    assert columns == ["method", "what"]
    assert rows == [["a", "line\nview features"], ["b", "other\nstate x"]]


def test_auto_says_what_it_chose_and_why(run: Run, tmp_path: Path) -> None:
    settings = ("--method", "auto", "-k", "10", "--network", "convnet-2-32:width=4", "--budget", "4s", "--out", "set")
    code, out, err = run("distill", "digits", *settings, "--json")
    assert code == 0
    assert "auto chose" in err
    assert "measured nearest to this" in err
    assert json.loads(out)["method"] in err
    assert run("distill", "digits", *settings)[0] == 0  # the finished set is found


def test_sets_for_a_space_and_drowned_losses_are_said(run: Run) -> None:
    code, _, err = run("distill", "digits", *FEW, "--for", "quick:worst", "--out", "alone")
    assert code == 0
    assert "holds one configuration" in err
    assert run("show", "alone", "--json")[0] == 0
    assert run("distill", "digits", *FEW, "--for", "standard:net:centres=2", "--out", "net")[0] == 0
    code, _, err = run("distill", "digits", *FEW, "--difficulty", "sdc=9", "--out", "drowned")
    assert code == 0
    assert "9 times as large as the matching loss" in err


def test_a_selection_with_a_budget_is_found_again(run: Run) -> None:
    words = ("distill", "digits", "-k", "1", "--method", "random", "--budget", "1m", "--out", "chosen")
    code, _, err = run(*words)
    assert code == 0
    assert "the budget is not used" in err
    code, _, err = run(*words)
    assert code == 0, err
    assert "is finished already" in err


def test_what_comes_before_the_first_iteration_is_part_of_the_estimate(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    timing = Timing(before=100.0, iteration=1.0)
    monkeypatch.setattr("limbeck.distillation.budget.measured_timing", lambda *_, **__: timing)
    code, _, err = run("distill", "digits", *FEW, "--set", "updates=2", "--out", "slow")
    assert code == 0
    assert "2 min of it before the first" in err
    code, _, err = run("distill", "digits", "-k", "1", "--budget", "30s", "--out", "short")
    assert code == 2
    assert "leaves nothing" in err


def test_a_file_that_no_source_reads(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_text("a,b\n1,2\n")
    code, _, err = run("distill", "t.xlsx")
    assert code == 2
    assert "tables come as CSV, Parquet or npz" in err


@pytest.mark.parametrize(
    ("words", "where", "sentence"),
    [
        (("distill", "digits", *FEW, "--out", "set"), "distill.SyntheticSet.save", "goes on from there"),
        (("distill", "digits", *FEW, "--out", "set"), "budget.measured_timing", "limbeck: stopped."),
        (("distill", "digits", "-m", "random", "-k", "1", "--out", "s"), "selection.Selection.distill", "is kept"),
    ],
    ids=["while distilling", "while measuring", "while choosing"],
)
def test_stopping_says_what_is_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], where: str, sentence: str
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"limbeck.distillation.{where}", stop)
    code, out, err = run(*words)
    assert (code, out) == (130, "")
    assert sentence in err.splitlines()[-1]


def test_stopping_a_study_and_starting_up(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    methods = "methods: [{name: random}]\nper_class: [1]\nnetwork: mlp-32\nprocesses: 1\n"
    (tmp_path / "s.yaml").write_text(f"name: s\nsource: digits\n{methods}")
    monkeypatch.setattr("limbeck.study.execute._Driver.drive", stop)
    code, _, err = run("study", "run", "s.yaml")
    assert code == 130, err
    assert err.splitlines()[-1] == "limbeck: stopped; what was done is kept, and the same command goes on from there."
    monkeypatch.setattr("limbeck.cli._command", stop)
    assert run("list") == (130, "", "limbeck: stopped.\n")


def test_sets_of_different_data_stand_in_no_table(run: Run, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "rows.npz", x=chance.normal(size=(60, 5)), y=np.repeat(["no", "yes"], 30))
    for source, out in (("digits", "a"), ("npz:rows.npz", "b")):
        assert run("distill", source, "-m", "random", "-k", "1", "--out", out)[0] == 0
    assert run("distill", "digits", "-m", "random", "-k", "1", "--split-seed", "3", "--out", "c")[0] == 0
    for command in ("evaluate", "compare", "report"):
        code, out, err = run(command, "a", "b")
        assert (code, out) == (2, "")
        assert "'a' was made from digits and 'b' from npz:rows.npz: give sets of one data set" in err
        code, _, err = run(command, "a", "c")
        assert code == 2
        assert "'a' was made from digits (split seed 0) and 'c' from digits (split seed 3)" in err
    assert not any(tmp_path.rglob("*.parquet"))
    assert not (tmp_path / "report.html").exists()


def test_a_changed_method_is_said_wherever_it_is_named(run: Run, tmp_path: Path) -> None:
    changes = ("--set", "view=gradients", "discrepancy=row-cosine", "updates=2", "--difficulty", "sdc=0.1:linear")
    assert run("distill", "digits", *FEW, *changes, "--for", "quick", "--out", "set")[0] == 0
    shown = run("show", "set")[1]
    for line in ("view gradients · discrepancy row-cosine · state fresh", "sdc=0.1:linear", "quick"):
        assert line in shown
    words = "dm with view gradients, discrepancy row-cosine, difficulty sdc=0.1:linear, for quick"
    assert f"made by: {words}, seed 0" in (tmp_path / "set" / "README.md").read_text().replace("\\", "")
    assert run("export", "set", "--out", "out")[0] == 0
    howto = (tmp_path / "out" / "HOWTO.md").read_text()
    assert f"made by: {words}, seed 0" in howto.replace("\\", "")
    assert "classes: 0, 1, 2, 3" in howto
    assert run("report", "set", "--out", "page.html")[0] == 0
    assert f"made by {words} stand for digits" in (tmp_path / "page.html").read_text()
    code, _, err = run("evaluate", "set", "--seeds", "1")
    assert code == 0
    assert "of one distillation seed: no interval" in err
    assert run("report", "set", "--out", "page.html")[0] == 0
    page = (tmp_path / "page.html").read_text()
    assert "dm stands here for the method with view gradients" in page
    assert "made by dm, changed as said below, reach" in page


def test_a_method_of_its_own_name_is_said_plainly(run: Run, tmp_path: Path) -> None:
    settings = ("--set", "iterations=1", "real_batch=4", "--network", "mlp-32", "-k", "1")
    assert run("distill", "digits", *settings, "-m", "dc", "--out", "set")[0] == 0
    assert "view gradients · discrepancy row-cosine · state along-synthetic" in run("show", "set")[1]
    assert "made by: dc, seed 0" in (tmp_path / "set" / "README.md").read_text()


def test_a_damaged_run_is_a_sentence(run: Run, tmp_path: Path) -> None:
    for name, text in (("list", "[]"), ("half", '{"a"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)
        code, _, err = run("distill", "digits", *FEW, "--out", name)
        assert code == 2
        assert "is damaged" in err


def test_names_with_brackets_are_said_as_they_are(run: Run, tmp_path: Path) -> None:
    """Rich takes [m/s] and [/min] for markup: words were lost, and a closing one was a traceback."""
    rows = ["heart rate [/min],speed [m/s],label"]
    rows += [f"{'' if i == 3 else i},{i % 7},{'ab'[i % 2]}" for i in range(40)]
    (tmp_path / "people.csv").write_text("\n".join(rows) + "\n")
    source = "table:people.csv:label=label,fill=median"
    code, out, err = run("distill", source, "-m", "random", "-k", "1", "--out", "a [draft]")
    assert code == 0, err
    assert out.strip().endswith("in a [draft]")
    assert "heart rate [/min]" in err
    long = "b" * 150
    assert run("distill", source, "-m", "random", "-k", "1", "--out", long)[0] == 0
    assert f"in {long}" in run("distill", source, "-m", "random", "-k", "1", "--out", long)[1]  # in one line
    assert run("show", "a [draft]")[0] == 0
    code, out, err = run("export", "a [draft]", "--format", "parquet")
    assert code == 0, err
    assert "a [draft]" in out


def test_a_slip_of_the_keyboard_replaces_no_file(run: Run, tmp_path: Path) -> None:
    assert run("distill", "digits", *FEW, "--set", "updates=5", "--out", "set")[0] == 0
    card = (tmp_path / "set" / "card.json").read_bytes()
    code, _, err = run("report", "set", "--out", "set/card.json")
    assert (code, (tmp_path / "set" / "card.json").read_bytes()) == (2, card)
    assert "ends in .html" in err
    study = "source: digits\nmethods: [{name: random, set: {updates: 3}}]\nper_class: 1\ndistillation_seeds: 1\n"
    study += "network: mlp-32\nevaluation: {seeds: 1}\nreferences: {matched: 0}\n"
    (tmp_path / "s.yaml").write_text(study)
    code, out, err = run("study", "status", "s.yaml", "--json")
    assert (code, json.loads(out)["open"]) == (0, 2)
    assert "not begun" in err and not (tmp_path / "runs").exists()
    assert run("study", "run", "s.yaml")[0] == 0
    assert json.loads(run("study", "status", "s.yaml", "--json")[1])["done"] == 2
    assert run("study", "export", "s.yaml", "s.yaml")[0] == 2
    assert (tmp_path / "s.yaml").read_text() == study
    (tmp_path / "s.yaml").write_text(study.replace("per_class: 1", "per_class: [1, 2]"))
    code, _, err = run("study", "status", "s.yaml")
    assert code == 2 and "per_class" in err
    (tmp_path / "s.yaml").write_text(study.replace("distillation_seeds: 1", "distillation_seeds: 0"))
    code, _, err = run("study", "run", "s.yaml", "--out", "other")
    assert code == 2 and "nothing would be made" in err
