"""Frozen values that can be written as JSON, read back, compared and hashed: configurations, methods, runs.

``@value`` makes a frozen dataclass and enters it under its class name in the one table that :func:`decode` reads.
A value's :func:`digest` is its name wherever one is needed (runs of a study, caches).
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar, dataclass_transform

from limbeck.errors import ArtifactError, OptionError, unknown

__all__ = ["canonical", "decode", "digest", "encode", "replace", "value"]

T = TypeVar("T")
_TABLE: dict[str, type[Any]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=False)
def value(cls: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass that :func:`encode` and :func:`decode` know by its name.

    Raises OptionError where another class has that name; the same class may be defined again, as notebooks do.
    """
    there = _TABLE.get(cls.__name__)
    if there is not None and (there.__module__, there.__qualname__) != (cls.__module__, cls.__qualname__):
        raise OptionError(
            f"there is a value called {cls.__name__} already ({there.__module__}), and what was stored with it would "
            "be read as yours: give your class another name."
        )
    frozen = dataclasses.dataclass(frozen=True)(cls)
    _TABLE[cls.__name__] = frozen
    return frozen


def encode(thing: Any) -> Any:
    """Plain JSON data of a value: a dataclass becomes ``{"kind": class name, field: …}``, a tuple a list."""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = {f.name: encode(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
        return {"kind": type(thing).__name__, **fields}
    if isinstance(thing, tuple | list):
        return [encode(item) for item in thing]
    if isinstance(thing, Mapping):
        return {str(key): encode(item) for key, item in thing.items()}
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    raise TypeError(f"{type(thing).__name__} is no value: only dataclasses, tuples, mappings and plain data are")


def decode(data: Any) -> Any:
    """The value behind JSON data; inverse of :func:`encode`. Lists become tuples. Raises ArtifactError."""
    if isinstance(data, Mapping):
        if "kind" not in data:
            return {key: decode(item) for key, item in data.items()}
        kind = str(data["kind"])
        if kind not in _TABLE:
            raise ArtifactError(str(unknown("kind of value", kind, _TABLE)))
        known = {f.name for f in dataclasses.fields(_TABLE[kind])}
        given = {key: decode(item) for key, item in data.items() if key != "kind"}
        if not set(given) <= known:
            raise ArtifactError(str(unknown(f"field of {kind}", sorted(set(given) - known)[0], known)))
        return _TABLE[kind](**given)
    if isinstance(data, list | tuple):
        return tuple(decode(item) for item in data)
    return data


def canonical(thing: Any) -> str:
    """The one JSON text of a value (sorted keys, no spaces); equal values have equal texts."""
    return json.dumps(encode(thing), sort_keys=True, separators=(",", ":"))


def digest(thing: Any) -> str:
    """Sixteen hexadecimal digits that name a value."""
    return hashlib.sha256(canonical(thing).encode()).hexdigest()[:16]


def replace(thing: T, **changes: Any) -> T:
    """A copy of a value with some fields changed; an unknown field is an OptionError with the nearest names."""
    known = [f.name for f in dataclasses.fields(thing)]  # type: ignore[arg-type]
    for key in changes:
        if key not in known:
            raise unknown(f"field of {type(thing).__name__}", key, known)
    return dataclasses.replace(thing, **changes)  # type: ignore[type-var]
