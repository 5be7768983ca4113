"""``--set key=value``: changes to a distiller by dotted field names, with short names for the usual ones."""

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from typing import Any

from limbeck.data.augment import augmentation
from limbeck.data.augmentation import Augmentation
from limbeck.distillation.difficulty import Difficulty, difficulty
from limbeck.distillation.distiller import Distiller
from limbeck.distillation.image_rate import GivenRate, ImageRate, MeasuredRate
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.real_pool import RealPool, real_pool
from limbeck.distillation.shaping import SHAPES
from limbeck.errors import OptionError, unknown
from limbeck.matching.state import State
from limbeck.matching.surrogate import Surrogate
from limbeck.networks.names import architecture
from limbeck.networks.network import Architecture
from limbeck.options import fits, read
from limbeck.synthetic.choose import Chooser
from limbeck.synthetic.initial import Initial
from limbeck.synthetic.labels import LabelRule
from limbeck.synthetic.names import chooser, initial, label_rule, parametrisation
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.values import replace

__all__ = ["SHORT", "changed"]

_NAMED: tuple[tuple[type[Any], Callable[[str], Any]], ...] = (
    (Augmentation, augmentation),
    (Architecture, architecture),
    (Chooser, chooser),
    (Difficulty, difficulty),
    (Initial, initial),
    (LabelRule, label_rule),
    (Parametrisation, parametrisation),
    (RealPool, real_pool),
)

RATES: Mapping[str, ImageRate] = {"auto": MeasuredRate(), "published": GivenRate()}

OF_ALL = ("network", "pool")  # what every method takes besides its own fields

SHORT = {
    "lr": "optimizer.lr",
    "momentum": "optimizer.momentum",
    "updates": "recipe.length.count",
    "teacher_epochs": "teacher.length.count",
    "steps": "state.steps",
    "inner": "state.inner",
    "warmup": "surrogate.share",
}


def changed(distiller: Distiller, settings: Mapping[str, Any]) -> Distiller:
    """``distiller`` with fields replaced. Values may be texts (from a command line) or of the field's own type.

    Raises OptionError for an unknown key (with the nearest names) or a value outside its domain.
    """
    for key, new in settings.items():
        if key == "lr" and isinstance(new, str) and new in RATES and hasattr(distiller, "rate"):
            distiller = replace(distiller, rate=RATES[new])
            continue
        for path in _paths(distiller, key):
            distiller = _set(distiller, path, new, key)
        if key in ("lr", "optimizer", "optimizer.lr"):
            distiller = replace(distiller, rate=GivenRate())  # a rate that is given is taken
    return distiller


def _paths(distiller: Distiller, key: str) -> list[list[str]]:
    """The fields that a key means: "augmentation" is the one of matching, of the recipe and of the teacher; "pool" is
    the part of the real examples, except where a selection by difficulty calls its own choice so."""
    if key.partition(".")[0] == "pool" and not hasattr(distiller, "pool"):
        return [["within", *key.split(".")[1:]]]
    if key in SHORT and not _has(distiller, SHORT[key]):
        raise unknown("setting", key, _known(distiller, set(vars(distiller))))
    if key != "augmentation":
        return [SHORT.get(key, key).split(".")]
    owners = [name for name in ("recipe", "teacher") if getattr(distiller, name, None) is not None]
    own = [[key]] if hasattr(distiller, key) else []
    return own + [[owner, key] for owner in owners]


def _set(thing: Any, path: list[str], new: Any, key: str) -> Any:
    fields = {f.name for f in dataclasses.fields(thing)}
    if path[0] not in fields:
        raise unknown("setting", key, _known(thing, fields))
    old = getattr(thing, path[0])
    if len(path) > 1:
        if not dataclasses.is_dataclass(old):
            raise OptionError(f"'{key}' goes too deep: '{path[0]}' is the plain value {old!r}.")
        return replace(thing, **{path[0]: _set(old, path[1:], new, key)})
    hint = typing.get_type_hints(type(thing))[path[0]]
    return replace(thing, **{path[0]: _parsed(old, new, key, hint)})


def _has(thing: Any, path: str) -> bool:
    """True where the dotted path leads to something."""
    for name in path.split("."):
        if not hasattr(thing, name):
            return False
        thing = getattr(thing, name)
    return True


def _known(thing: Any, fields: set[str]) -> set[str]:
    """What can be set here, by the names that a person uses."""
    short = {s for s, long in SHORT.items() if _has(thing, long)}
    if not isinstance(thing, Distiller):
        return fields | short
    whole = {*OF_ALL, *(SHAPES if isinstance(thing, MatchingDistiller) else ())}
    return (fields | short | whole) - {"name", "surrogate", "within"}


def _parsed(old: Any, new: Any, key: str, hint: Any) -> Any:
    """``new`` as a value of a field that holds ``old`` and is declared as ``hint``."""
    if isinstance(new, str):
        for kind, named in _NAMED:
            if isinstance(old, kind) or (old is None and kind in typing.get_args(hint)):
                return named(new)
    if dataclasses.is_dataclass(old):
        if fits(new, hint):
            return new
        raise OptionError(
            f"'{key}' is of the kind {type(old).__name__} and takes no plain value: {_instead(key, old)}."
        )
    if isinstance(new, str) and not isinstance(old, bool | int | float):
        return read(key, new, hint)
    if fits(None, hint) and str(new).lower() in ("none", "null"):
        return None
    try:
        if isinstance(old, bool):
            return _truth(new)
        if isinstance(old, int):
            return _within(key, _whole(new), least=min(old, 1))
        if isinstance(old, float):
            return _within(key, float(new))
    except (TypeError, ValueError, OverflowError) as error:
        taken, instead = _asked(old)
        raise OptionError(f"'{key}={new}' is no {taken}: give {instead}.") from error
    if not fits(new, hint):
        raise OptionError(f"'{key}={new!r}' does not fit: it is {old!r} by default.")
    return tuple(new) if isinstance(new, list) else new


def _asked(old: bool | int | float) -> tuple[str, str]:
    """What a plain setting takes, and what to give: the value that it has, as an example."""
    if isinstance(old, bool):
        return "truth value", "true or false"
    return "whole number" if isinstance(old, int) else "number", f"one, e.g. {old}"


def _instead(key: str, old: Any) -> str:
    if isinstance(old, Surrogate):
        return "set view=… and discrepancy=…"
    if isinstance(old, State):
        return "write --set state=NAME:field=value"
    inner = ", ".join(f"{key}.{f.name}" for f in dataclasses.fields(old))
    return f"set one of {inner}" if inner else "give another from Python"


def _within(key: str, new: Any, least: int | None = None) -> Any:
    """``new``, where it is a number that can be meant. Raises OptionError."""
    if least is not None and new < least:
        raise OptionError(f"'{key}={new}' is too small: give a whole number of at least {least}.")
    if not math.isfinite(new):
        raise OptionError(f"'{key}={new}' is no finite number: give one.")
    if key.split(".")[-1] == "lr" and new <= 0:
        raise OptionError(f"'{key}={new}' is no learning rate: give a number above 0.")
    return new


def _truth(new: Any) -> bool:
    if str(new).lower() in ("true", "yes", "1", "false", "no", "0"):
        return str(new).lower() in ("true", "yes", "1")
    raise ValueError(new)


def _whole(new: Any) -> int:
    if float(new) != int(float(new)):
        raise ValueError(new)
    return int(float(new))
