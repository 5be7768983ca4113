"""What stands between the marks of the pages is what their scripts make of the committed results."""

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
