"""Text that picks an entry of a table of names and changes its fields: ``convnet-3-128:width=64,depth=2``."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from limbeck.errors import OptionError, unknown
from limbeck.values import replace

__all__ = ["changed", "pick"]

T = TypeVar("T")


def pick(table: Mapping[str, tuple[T, str]], text: str, what: str) -> T:
    """The value that ``name`` or ``name:field=value,…`` means; OptionError for unknown names, fields, bad values."""
    name, _, settings = text.partition(":")
    if name not in table:
        raise unknown(what, name, table)
    thing = table[name][0]
    return changed(thing, dict(_pair(part, text) for part in settings.split(",") if part))


def changed(thing: T, settings: Mapping[str, str]) -> T:
    """A copy of a frozen value with the fields in ``settings`` read from text by the fields' types.

    A dotted name means a field of a field: ``kernel.bandwidth``.
    """
    hints = typing.get_type_hints(type(thing))
    known = [f.name for f in dataclasses.fields(thing)]  # type: ignore[arg-type]
    for key in settings:
        if key.split(".")[0] not in known:
            raise unknown(f"field of {type(thing).__name__}", key, known)
    thing = _deep(thing, {key: text for key, text in settings.items() if "." in key})
    settings = {key: text for key, text in settings.items() if "." not in key}
    read = {key: _read(f"{type(thing).__name__}.{key}", text, hints[key]) for key, text in settings.items()}
    return replace(thing, **read)


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


def _read(field: str, text: str, hint: Any) -> Any:
    """``text`` as one of the plain types that ``hint`` allows."""
    alternatives = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for kind in alternatives:
        if kind is type(None) and text.lower() in ("none", "null"):
            return None
        if typing.get_origin(kind) is typing.Literal:
            if text in typing.get_args(kind):
                return text
            raise unknown(f"value of {field}", text, [str(a) for a in typing.get_args(kind)])
        if kind is str:
            return text
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if kind is float and isinstance(found, int | float) and not isinstance(found, bool):
            return float(found)
        if kind in (int, bool) and type(found) is kind:
            return found
    names = " or ".join(getattr(kind, "__name__", str(kind)) for kind in alternatives)
    raise OptionError(f"'{text}' is no value of {field}: it takes {names}.")
