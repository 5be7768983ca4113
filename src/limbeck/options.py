"""Text that picks an entry of a table of names and changes its fields: ``convnet-3-128:width=64,depth=2``."""

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from limbeck.errors import OptionError, unknown
from limbeck.values import replace

__all__ = ["changed", "fits", "pick", "read"]

T = TypeVar("T")
_NEXT = re.compile(r",(?=[^,=]*=|$)")  # a comma before another field; those within a value, 1,2, are its own


def pick(table: Mapping[str, tuple[T, str]], text: str, what: str) -> T:
    """The value that ``name`` or ``name:field=value,…`` means; OptionError for unknown names, fields, bad values.

    Several numbers are written ``name:field=1,2``.
    """
    name, _, settings = text.partition(":")
    if name not in table:
        raise unknown(what, name, table)
    thing = table[name][0]
    return changed(thing, dict(_pair(part, text) for part in _NEXT.split(settings) if part))


def changed(thing: T, settings: Mapping[str, str]) -> T:
    """A copy of a frozen value with the fields in ``settings`` read from text by the fields' types.

    A dotted name means a field of a field: ``kernel.bandwidth``.
    """
    hints = typing.get_type_hints(type(thing))
    known = [f.name for f in dataclasses.fields(thing)]  # type: ignore[arg-type]
    for key in settings:
        if key.split(".")[0] not in known:
            if not known:
                raise OptionError(f"{type(thing).__name__} has no fields to set, '{key}' or other: leave it out.")
            raise unknown(f"field of {type(thing).__name__}", key, known)
    thing = _deep(thing, {key: text for key, text in settings.items() if "." in key})
    settings = {key: text for key, text in settings.items() if "." not in key}
    found = {key: read(f"{type(thing).__name__}.{key}", text, hints[key]) for key, text in settings.items()}
    return replace(thing, **found)


def _deep(thing: T, settings: Mapping[str, str]) -> T:
    """``field.inner=value``: a field of a field that is a value itself."""
    for key, text in settings.items():
        field, _, inner = key.partition(".")
        old = getattr(thing, field)
        if not dataclasses.is_dataclass(old):
            raise OptionError(f"'{key}' goes too deep: {type(thing).__name__}.{field} is the plain value {old!r}.")
        thing = replace(thing, **{field: changed(old, {inner: text})})
    return thing


def _pair(part: str, text: str) -> tuple[str, str]:
    key, equals, given = part.partition("=")
    if not equals:
        raise OptionError(f"'{part}' in '{text}' sets nothing: write name:field=value,field=value.")
    return key.strip(), given.strip()


def read(field: str, text: str, hint: Any) -> Any:
    """``text`` as one of the plain types that ``hint`` allows; a tuple is written ``1,2``. Raises OptionError.

    Numbers must be finite.
    """
    alternatives = _alternatives(hint)
    if type(None) in alternatives and text.lower() in ("none", "null"):
        return None
    for kind in alternatives:
        if typing.get_origin(kind) is typing.Literal:
            if text in typing.get_args(kind):
                return text
            raise unknown(f"value of {field}", text, [str(a) for a in typing.get_args(kind)])
        if typing.get_origin(kind) is tuple and _plain(kind):
            return tuple(read(field, part.strip(), typing.get_args(kind)[0]) for part in text.split(",") if part)
        if kind is str:
            return text
        found = _json(text)
        if kind is float and isinstance(found, int | float) and not isinstance(found, bool):
            if not math.isfinite(found):
                raise OptionError(f"'{text}' is no value of {field}: give a finite number.")
            return float(found)
        if kind in (int, bool) and type(found) is kind:
            return found
    raise OptionError(f"'{text}' is no value of {field}: it takes {' or '.join(map(_named, alternatives))}.")


def fits(thing: Any, hint: Any) -> bool:
    """True where ``thing`` is of one of the types that ``hint`` allows; an int serves as a float."""
    for kind in _alternatives(hint):
        origin = typing.get_origin(kind)
        if origin is typing.Literal:
            if thing in typing.get_args(kind):
                return True
        elif origin is tuple:
            inner = typing.get_args(kind)[0]
            if isinstance(thing, tuple | list) and all(fits(item, inner) for item in thing):
                return True
        elif kind is float:
            if isinstance(thing, int | float) and not isinstance(thing, bool) and math.isfinite(thing):
                return True
        elif kind is int:
            if isinstance(thing, int) and not isinstance(thing, bool):
                return True
        elif kind is Any or not isinstance(kind, type) or isinstance(thing, kind):
            return True
    return False


def _json(text: str) -> Any:
    """What JSON makes of the text; None where it makes nothing of it."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _alternatives(hint: Any) -> tuple[Any, ...]:
    unions = (types.UnionType, typing.Union)
    return typing.get_args(hint) if typing.get_origin(hint) in unions else (hint,)


def _plain(kind: Any) -> bool:
    """True for a tuple of numbers or texts, which a person can write."""
    return typing.get_args(kind)[0] in (int, float, str)


def _named(kind: Any) -> str:
    """A type, as an error calls it."""
    if kind is type(None):
        return "none"
    if typing.get_origin(kind) is tuple:
        inside = typing.get_args(kind)[0]
        return f"several {inside.__name__} like 1,2" if _plain(kind) else f"values {inside.__name__} from Python"
    if kind in (int, float, bool, str):
        return str(kind.__name__)
    return (
        f"a {getattr(kind, '__name__', kind)} from Python, whose fields have names with dots "
        "(limbeck list shows what has a name of its own)"
    )
