"""``limbeck law scaling`` and ``limbeck plan`` on results whose law is known."""

import json
import math
from dataclasses import replace
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


def test_the_law_as_data_has_plans_and_bands(run: Run, results: str) -> None:
    _, out, _ = run("law", "scaling", results, "--json")
    law = json.loads(out)
    assert [plan["target"]["value"] for plan in law["plans"]] == [0.2, 0.1, 0.05, 0.02]
    assert law["plans"][0]["per_class"] < law["plans"][1]["per_class"]
    assert law["bands"][0]["per_class"] == 1
    assert law["trust"]["holds"] is True


def test_gain_and_level_are_options(run: Run, results: str) -> None:
    laws = [json.loads(run("law", "scaling", results, "--json", *words)[1]) for words in ((), ("--level", "0.8"))]
    widths = [law["free"]["b"]["high"] - law["free"]["b"]["low"] for law in laws]
    assert widths[1] < widths[0]
    _, out, _ = run("law", "scaling", results, "--gain", "0.04")
    assert "twice as many samples gain less than 4 points" in out
    for words, hint in ((("--gain", "2"), "positive fraction"), (("--level", "95"), "between 0 and 1")):
        code, out, err = run("law", "scaling", results, *words)
        assert (code, out) == (2, "")
        assert hint in err


def test_twice_the_budget_is_known_by_its_name_or_named(run: Run, tmp_path: Path) -> None:
    once = study(lambda k: 0.5 * k**-0.5 + 0.05)
    again = study(lambda k: 0.5 * k**-0.5 + (0.0 if k == 200 else 0.05), sizes=(100, 200))
    for name in ("dm-twice", "longer"):
        more = Records.of(replace(row, method=name) for row in again if row.method == "dm")
        (once + more).to_parquet(tmp_path / f"{name}.parquet")
    for words in (("dm-twice.parquet",), ("longer.parquet", "--doubled", "longer")):
        code, out, _ = run("plan", *words, "--gap", "0.15", "--json")
        assert code == 0
        assert json.loads(out)["largest_measured"] == 100
        code, out, _ = run("law", "scaling", *words, "--json")
        assert code == 0
        assert [row["per_class"] for row in json.loads(out)["sizes"]] == list(SIZES[:-1])
    code, _, err = run("plan", "longer.parquet", "--gap", "0.15")
    assert code == 2
    assert "dm, longer" in err


def test_a_law_that_does_not_hold_is_said_first(run: Run, tmp_path: Path) -> None:
    study(lambda k: 0.4 * math.exp(-k / 10) + 0.05).to_parquet(tmp_path / "bent.parquet")
    for words in (("plan", "bent.parquet", "--gap", "0.02"), ("plan", "bent.parquet", "-k", "100")):
        code, out, _ = run(*words)
        assert code == 0
        assert out.startswith("c·k^(-b) + e is not to be trusted for these gaps (misfit p = ")
    code, _, err = run("plan", "bent.parquet", "-k", "400")
    assert code == 2
    assert "outside the measured sizes" in err


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
        (("-k", "0"), "whole number from 1 to 5000"),
        (("-k", "inf"), "whole number"),
        (("-k", "nan"), "whole number"),
        (("-k", "0.1"), "whole number"),
        (("-k", "1e9"), "whole number"),
        (("--accuracy", "-0.3"), "from 0 to 1, not percent"),
        (("--gap", "0.1", "--doubled", "dsa"), "known are dm"),
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
