"""The table of values: one class a name."""

import pytest

from limbeck.errors import OptionError
from limbeck.training import optimizer
from limbeck.values import decode, encode, value


def test_a_name_belongs_to_one_class() -> None:
    for default in (1, 2):  # as when a cell of a notebook runs again: the last one counts

        @value
        class Again:
            number: int = default

    assert decode(encode(Again())).number == 2

    with pytest.raises(OptionError, match=rf"a value called SGD already \({optimizer.__name__}\)"):

        @value
        class SGD:
            lr: float = 1.0
