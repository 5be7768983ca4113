"""What stands between the marks of the pages is what their scripts make of the committed results."""

import os
import sys
from pathlib import Path

import pytest

SCRIPTS = (
    "audience_results",
    "fashion_results",
    "methods_results",
    "pool_switch",
    "published_results",
    "reasons",
    "replication",
    "sdc_results",
)


def between(page: Path, name: str) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    return page.read_text(encoding="utf-8").split(begin)[1].split(end)[0]


@pytest.mark.parametrize("name", SCRIPTS)
def test_pages_hold_what_their_scripts_make(script, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    made: dict[tuple[Path, str], str] = {}
    module = script(name)
    monkeypatch.setattr(module, "put", lambda page, mark, text: made.__setitem__((page, mark), text))
    monkeypatch.setattr(sys, "argv", [name])
    module.main()
    assert made
    for (page, mark), text in made.items():
        assert between(page, mark) == text, f"{page.name}: run python benchmarks/{name}.py"


def test_the_difficulty_of_sets_is_told_from_what_is_kept(script) -> None:
    measured = script("difficulty")
    how, known = measured.kept(
        measured.HERE / "results" / "difficulty.json", measured.Wishes(measured.difficulty("gradn"))
    )
    assert between(measured.PAGE, "difficulty") == measured.section(known, how, "images/difficulty.svg")
    assert between(measured.TABLES, "difficulty") == measured.table(measured.preferences(known))
    figure = measured.figure(measured.preferences(known), "gradn")
    assert (measured.PAGE.parent / "images" / "difficulty.svg").read_text(encoding="utf-8") == figure


def test_what_auto_chooses_is_told_from_todays_table(script, monkeypatch: pytest.MonkeyPatch) -> None:
    root = os.environ.get("LIMBECK_DATA")
    if not root or not (Path(root) / "mnist").exists():
        pytest.skip("LIMBECK_DATA names no directory with mnist, whose size and shape auto is asked about")
    made: dict[str, str] = {}
    module = script("auto_check")
    monkeypatch.setattr(module, "put", lambda page, mark, text: made.__setitem__(mark, text))
    monkeypatch.setattr(sys, "argv", ["auto_check"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0, "auto is not within its interval of the best on MNIST"
    assert between(module.PAGE, "auto") == made["auto"], "run python benchmarks/auto_check.py"
