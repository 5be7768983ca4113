"""``limbeck law scaling`` and ``limbeck plan`` on results whose law is known."""

import json
from pathlib import Path

import pytest

from limbeck.evaluation.records import Records
from tests.cli.test_bad_input import Run, run
from tests.laws.planted import study

__all__ = ["run"]  # the fixture

SIZES = (1, 2, 5, 10, 20, 50, 100, 200)


@pytest.fixture
def results(run: Run, tmp_path: Path) -> str:
    """Gap 0.5 / √k + 0.05, in a file beside."""
    study(lambda k: 0.5 * k**-0.5 + 0.05).to_parquet(tmp_path / "results.parquet")
    return "results.parquet"


def test_the_law_in_words_and_as_data(run: Run, results: str) -> None:
    code, out, err = run("law", "scaling", results)
    assert code == 0
    assert "gap(k) = c·k^(-b) + e" in out
    assert "limbeck plan results.parquet --gap 0.05" in err
    code, out, _ = run("law", "scaling", results, "--json")
    law = json.loads(out)
    assert code == 0
    assert law["free"]["b"]["low"] < 0.5 < law["free"]["b"]["high"]
    assert [row["per_class"] for row in law["sizes"]] == list(SIZES)


def test_a_law_without_a_fall_is_data_too(run: Run, tmp_path: Path) -> None:
    study(lambda k: 0.1, noise=0.02).to_parquet(tmp_path / "flat.parquet")
    code, out, _ = run("law", "scaling", "flat.parquet", "--json")
    assert code == 0
    assert json.loads(out)["rate"]["word"] == "no fall"


def test_plans_and_their_inverse(run: Run, results: str) -> None:
    code, out, _ = run("plan", results, "--gap", "0.15", "--certainty", "0.9", "--json")
    plan = json.loads(out)
    assert code == 0
    assert 25 < plan["per_class"] < 75
    assert plan["total"] == 10 * plan["per_class"]
    code, out, _ = run("plan", results, "-k", str(plan["per_class"]), "--certainty", "0.9", "--json")
    assert code == 0
    assert json.loads(out)["gap_below"] <= 0.15
    code, out, _ = run("plan", results, "--accuracy", "0.8", "--certainty", "0.9")
    assert code == 0
    assert "an accuracy of 80 %" in out
    code, out, _ = run("plan", results, "--per-class", "500")
    assert "extrapolation" in out


def test_what_cannot_be_reached_is_an_answer(run: Run, results: str) -> None:
    code, out, _ = run("plan", results, "--gap", "0.01")
    assert code == 0
    assert "cannot be reached: the floor is" in out
    code, out, _ = run("plan", results, "--gap", "0.01", "--json")
    assert code == 0
    assert json.loads(out)["per_class"] is None


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((), "exactly one"),
        (("--gap", "0.1", "--accuracy", "0.9"), "exactly one"),
        (("--gap", "0.1", "-k", "5"), "exactly one"),
        (("--gap", "5"), "not percent"),
        (("--gap", "nan"), "not percent"),
        (("--gap", "0.1", "--certainty", "0.4"), "between 0.5 and 1"),
        (("-k", "0"), "positive size"),
        (("--gap", "0.1", "--method", "dsa"), "known are dm"),
        (("--gap", "0.1", "--configuration", "b"), "known are a"),
    ],
)
def test_bad_questions(run: Run, results: str, words: tuple[str, ...], hint: str) -> None:
    code, out, err = run("plan", results, *words)
    assert code == 2
    assert out == ""
    assert hint in err
    assert "Traceback" not in err


def test_too_little_evidence_is_a_sentence(run: Run, tmp_path: Path) -> None:
    study(lambda k: 0.1 / k, sizes=(1, 10)).to_parquet(tmp_path / "thin.parquet")
    for words in (("law", "scaling"), ("plan", "--gap", "0.1")):
        code, _, err = run(*words, "thin.parquet")
        assert code == 2
        assert "2 sizes" in err
    Records(()).to_parquet(tmp_path / "empty.parquet")
    assert run("law", "scaling", "empty.parquet")[0] == 2
    assert run("law", "scaling", "nowhere.parquet")[0] == 2
