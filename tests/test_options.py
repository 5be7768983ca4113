"""Text that picks a value and changes its fields."""

from typing import Literal

import pytest

from limbeck.errors import OptionError
from limbeck.options import changed, pick
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
        ("thing:most=x", "takes int or NoneType"),
        ("thing:kind=twoo", "did you mean two"),
        ("thing:count", "sets nothing"),
        ("thing:pair=2", "is no value"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(text: str, match: str) -> None:
    with pytest.raises(OptionError, match=match):
        pick(TABLE, text, "thing")
