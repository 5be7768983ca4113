"""What a set's method was changed to, in the words that would change it so again."""

from dataclasses import replace
from typing import Any

import pytest

from limbeck.distillation.methods import METHODS
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.setting import Setting
from limbeck.distillation.shaping import shaped
from limbeck.distillation.variant import in_words, own_changes, parts
from limbeck.networks.names import architecture
from limbeck.synthetic.synthetic_set import Card
from limbeck.values import encode

SHAPE = (1, 16, 16)


def card(name: str, per_class: int, **changes: str) -> Card:
    made: Any = METHODS[name].build(Setting(SHAPE, 3, per_class, architecture("convnet-2-32:width=4"), spread=0.3))
    if changes:
        made = shaped(made, changes, SHAPE)
    classes = ("a", "b", "c")
    return Card("data", "f" * 32, 0, classes, SHAPE, name, encode(made), (per_class,) * 3, 0, made.recipe)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_as_it_is_named_has_no_changes(name: str) -> None:
    for per_class in (1, 10, 50):
        made = card(name, per_class)
        assert own_changes(made) == ()
        assert in_words(made) == name
        matches = isinstance(METHODS[name].build(Setting(SHAPE, 3, 1, made.recipe.architecture)), MatchingDistiller)
        assert ("state" in parts(made)) == matches


@pytest.mark.parametrize(
    "changes",
    [
        {"view": "features:layer=1", "discrepancy": "mmd:kernel.bandwidth=2"},
        {"state": "along-synthetic:steps=7"},
        {"difficulty": "gradn=0.2:linear:end=0.5"},
        {"for": "standard:net:centres=2"},
        {"for": "standard"},
    ],
    ids=str,
)
def test_changes_are_said_as_they_are_asked_for(changes: dict[str, str]) -> None:
    made = card("dm", 2, **changes)
    assert own_changes(made) == tuple(f"{key} {text}" for key, text in changes.items())
    again = card("dm", 2, **{key: parts(made)[key] for key in changes})
    assert again.distiller == made.distiller


def test_what_this_limbeck_does_not_know_is_left_unsaid() -> None:
    strange = replace(card("dm", 1), distiller={"kind": "Another", "name": "dm"})
    assert (in_words(strange), parts(strange)) == ("dm", {})
