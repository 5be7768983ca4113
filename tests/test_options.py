"""Text that picks a value and changes its fields."""

from typing import Literal

import pytest

from limbeck.errors import OptionError
from limbeck.options import changed, fits, pick, read
from limbeck.values import value


@value
class _Thing:
    count: int = 1
    share: float = 0.5
    name: str = "a"
    on: bool = False
    most: int | None = 3
    kind: Literal["one", "two"] = "one"
    pair: tuple[int, ...] = (1,)


@value
class _Outer:
    inner: _Thing = _Thing()
    size: int = 1


@value
class _Bare:
    pass


TABLE = {"thing": (_Thing(), "a thing"), "other": (_Thing(2), "another")}


def test_fields_are_read_by_their_types() -> None:
    found = pick(TABLE, "thing:count=3,share=2,name=7,on=true,most=none,kind=two", "thing")
    assert found == _Thing(3, 2.0, "7", True, None, "two")
    assert isinstance(found.share, float)
    assert pick(TABLE, "other", "thing") == _Thing(2)
    assert changed(_Thing(), {"most": "4"}) == _Thing(most=4)
    assert changed(_Outer(), {"inner.count": "4", "size": "2"}) == _Outer(_Thing(4), 2)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("thng", "did you mean thing"),
        ("thing:cont=1", "did you mean count"),
        ("thing:count=1.5", "takes int"),
        ("thing:count=true", "takes int"),
        ("thing:on=1", "takes bool"),
        ("thing:share=x", "takes float"),
        ("thing:most=x", "takes int or none"),
        ("thing:kind=twoo", "did you mean two"),
        ("thing:count", "sets nothing"),
        ("thing:pair=x", "takes int"),
        ("thing:count=1,2", "'1,2' is no value of _Thing.count: it takes int"),
        ("thing:share=Infinity", "finite"),
        ("thing:share=NaN", "finite"),
        ("thing:share=1e999", "finite"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(text: str, match: str) -> None:
    with pytest.raises(OptionError, match=match):
        pick(TABLE, text, "thing")


def test_tuples_of_numbers_are_read() -> None:
    assert pick(TABLE, "thing:pair=1,2,count=3,share=2", "thing") == _Thing(3, 2.0, pair=(1, 2))
    assert pick(TABLE, "thing:count=3,pair=4,5", "thing") == _Thing(3, pair=(4, 5))
    assert read("pair", "1, 2", tuple[int, ...]) == (1, 2)
    assert read("at", "0.5", tuple[float, ...]) == (0.5,)
    assert read("at", "none", tuple[float, ...] | None) is None
    with pytest.raises(OptionError, match="values _Thing from Python"):
        read("things", "x", tuple[_Thing, ...])
    with pytest.raises(OptionError, match="a _Thing from Python"):
        read("thing", "x", _Thing)


@pytest.mark.parametrize(
    ("thing", "hint", "expected"),
    [
        (1, float, True),
        (True, float, False),
        (True, int, False),
        (True, bool, True),
        (float("inf"), float, False),
        (None, int | None, True),
        (None, int, False),
        ("one", Literal["one", "two"], True),
        ("three", Literal["one", "two"], False),
        ((1, 2), tuple[int, ...], True),
        ((1, "a"), tuple[int, ...], False),
        (_Thing(), _Thing, True),
        (_Outer(), _Thing, False),
        (_Outer(), _Thing | None, False),
    ],
)
def test_what_fits_a_field(thing: object, hint: object, expected: bool) -> None:
    assert fits(thing, hint) is expected


def test_a_value_without_fields_says_so() -> None:
    with pytest.raises(OptionError, match="has no fields to set"):
        pick({"bare": (_Bare(), "nothing to set")}, "bare:x=1", "thing")
