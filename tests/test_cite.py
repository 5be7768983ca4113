"""Every method can be cited, and every key that the package names has an entry."""

import re
from pathlib import Path

import pytest

import limbeck
from limbeck.cite import cite, entries, entry
from limbeck.distillation.methods import METHODS
from limbeck.errors import OptionError


def test_entries_are_whole_sorted_and_named_once() -> None:
    text = Path(limbeck.__file__).with_name("references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)
    assert keys == sorted(set(keys))
    assert list(entries()) == keys
    for key, whole in entries().items():
        assert whole.count("{") == whole.count("}"), key
        for field in ("title", "author", "year"):
            assert re.search(rf"^\s*{field}\s*=\s*\{{", whole, re.MULTILINE), f"{key} has no {field}"


def test_keys_end_in_their_year_or_topic() -> None:
    for key, whole in entries().items():
        assert re.fullmatch(r"[a-z]+\d{4}[a-z0-9]*", key)
        if key != "li2024ddranking":  # named after its software of 2024; the paper is of 2025
            assert f"{{{re.findall(r'[0-9]{4}', key)[0]}}}" in whole, key


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_has_its_sources(method: str) -> None:
    assert all(key in entries() for key in METHODS[method].sources)
    assert cite(method).count("@") == len(METHODS[method].sources)


def test_sources_are_listed_once() -> None:
    assert cite("dc", "dsa").count("zhao2021dc,") == 1
    assert cite("dm").startswith("@inproceedings{zhao2023dm,")


def test_unknown_names_say_what_is_near() -> None:
    with pytest.raises(OptionError, match="did you mean dsa"):
        cite("dsaa")
    with pytest.raises(OptionError, match="zhao2023dm"):
        entry("zhao2023md")
    with pytest.raises(OptionError, match="nothing to cite"):
        cite()


def test_every_key_in_the_package_has_an_entry() -> None:
    root = Path(limbeck.__file__).parent
    pattern = re.compile(r"\[([a-z]+(?:19|20)\d{2}[a-z0-9]*(?:[,;] ?[a-z]+(?:19|20)\d{2}[a-z0-9]*)*)\]")
    named = {
        key.strip()
        for path in root.rglob("*.py")
        for group in pattern.findall(path.read_text(encoding="utf-8"))
        for key in re.split("[,;]", group)
    }
    assert named - set(entries()) == set()
