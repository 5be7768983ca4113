"""``limbeck pilot`` and ``limbeck demo``: a tiny study through the real commands, and what they refuse."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from limbeck.cli.demonstration import demonstration
from limbeck.laws import pilot
from limbeck.laws.pilot import Rung
from limbeck.study.costs import Costs
from limbeck.study.study import Execution, Study
from tests.cli.test_bad_input import Run, run

__all__ = ["run"]  # the fixture

TINY = ("pilot", "npz:rows.npz", "--network", "mlp:width=8", "--budget", "60s")


@pytest.fixture
def small(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of two classes, and a machine on which few iterations fit the budget; returns the pilot's directory."""
    chance = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    np.savez(tmp_path / "rows.npz", x=chance.normal(size=(200, 4)) + 1.5 * labels[:, None], y=labels)
    costs = Costs(0.0, 0.1, 0.1, 0.5, 0.0, 0.1, 0.01, 0.0, classes=2)
    monkeypatch.setattr(pilot, "RUNGS", (Rung(4, 2, 10, 0.05),))
    monkeypatch.setattr(pilot, "LEAST", 1)
    monkeypatch.setattr(pilot, "_measured", lambda *_: costs)
    monkeypatch.setattr(pilot, "_execution", lambda: Execution(1, 1))
    return tmp_path / "runs" / "pilot-npz-rows-npz"


def test_a_pilot_from_end_to_end(run: Run, small: Path) -> None:
    code, out, err = run(*TINY)
    assert code == 0, err
    assert "The pilot: random and dm at 1, " in err
    assert "All " in err
    assert "How sure" in out
    page = (small / "report.html").read_text()
    headline = re.search(r'<p class="finding">(.*?)</p>', page)
    assert headline is not None
    assert headline[1].startswith(("A demonstration: with dm,", "A demonstration: with random,"))
    assert "How many samples? The law of dm" in page
    assert "A demonstration, not evidence" in page
    code, out, err = run(*TINY, "--json")  # all is there already
    assert code == 0
    found = json.loads(out)
    assert {each["method"] for each in found["found"]} == {"dm", "random"}
    assert found["sentence"] == found["found"][0]["sentence"]
    assert "Going on with" in err
    code, out, _ = run("plan", str(small), "--gap", "0.3", "--certainty", "0.6", "--method", "dm", "--json")
    assert code == 0
    plan = json.loads(out)
    assert plan["per_class"] is None or plan["values"] == 4 * plan["total"]
    assert run("law", "scaling", str(small), "--method", "random", "--json")[0] == 0
    assert run("report", str(small), "--out", "again.html")[0] == 0
    assert "The law of random" in (small.parent.parent / "again.html").read_text()
    assert run("study", "export", str(small), "export.parquet")[0] == 0
    code, out, _ = run("plan", "export.parquet", "--gap", "0.3", "--certainty", "0.6", "--method", "dm", "--json")
    assert code == 0
    assert {key: json.loads(out)[key] for key in ("per_class", "values", "seconds")} == {
        key: plan[key] for key in ("per_class", "values", "seconds")
    }
    code, out, _ = run("plan", "export.parquet", "-k", "1", "--method", "dm", "--json")
    assert code == 0
    assert json.loads(out)["values"] == 4 * 2
    assert json.loads(out)["seconds"] >= 0
    assert run("report", "export.parquet", "--out", "exported.html")[0] == 0
    assert "The law of random" in (small.parent.parent / "exported.html").read_text()
    for words, hint in (((*TINY, "--split-seed", "1"), "options"), ((*TINY[:-1], "90s"), "budget")):
        code, _, err = run(*words)
        assert code == 2
        assert f"another {hint}" in err or "source's options" in err


def test_a_law_that_cannot_be_fitted_is_said(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limbeck.laws.evidence.SIZES", 9)
    code, out, _ = run(*TINY)
    assert code == 0
    assert "No law can be fitted for random: " in out
    assert "No law can be fitted" in (small / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("pilot", "digit"), "unknown source"),
        (("pilot", "digits", "--budget", "5s"), "too short"),
        (("pilot", "digits", "--budget", "soon"), "90s, 5m or 2h"),
        (("pilot", "digits", "--certainty", "95"), "between 0.5 and 1"),
        (("pilot", "digits", "--network", "convnet3"), "convnet-3"),
        (("pilot", "digits", "--device", "cuda"), "CUDA"),
        (("pilot", "npz:few.npz"), "training examples and a pilot needs"),
        (("pilot", "digits", "--out", "there"), "holds no study"),
        (("demo", "--out", "there"), "holds no study"),
    ],
)
def test_what_a_pilot_refuses(run: Run, tmp_path: Path, words: tuple[str, ...], hint: str) -> None:
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "few.npz", x=chance.normal(size=(40, 3)), y=np.repeat([0, 1], 20))
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "photo.txt").write_text("mine")
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert hint in err
    assert "Traceback" not in err
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["few.npz", "photo.txt", "there"]


def test_the_demonstration_holds_what_a_demonstration_must() -> None:
    study = demonstration()
    assert isinstance(study, Study)
    kinds: dict[str, set[int]] = {}
    for choice in study.methods:
        name = f"{choice.called}{' soft' if choice.soft else ''}"
        kinds.setdefault(name, set()).update(choice.per_class or study.per_class)
    assert kinds["dm"] == kinds["random"] == set(study.per_class)
    assert len(study.per_class) >= 7
    assert max(study.per_class) <= 20
    assert set(kinds) == {"dm", "dsa", "random", "random soft", "herding", "kmeans", "kcenter"}
    assert len(study.evaluation.configurations) >= 2
    assert len(study.seeds[0][1]) >= 3
