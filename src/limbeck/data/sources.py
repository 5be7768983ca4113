"""Sources by name: ``digits``, ``idx:PATH``, ``parquet:PATH``, ``folder:PATH``, ``npz:PATH``, ``table:PATH``, …"""

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from limbeck.data.digits import digits
from limbeck.data.folder import folder
from limbeck.data.hub import hub
from limbeck.data.idx import idx
from limbeck.data.npz import npz
from limbeck.data.options import Options
from limbeck.data.parquet import parquet
from limbeck.data.table import table
from limbeck.data.table_file import SUFFIXES
from limbeck.data.task import Task
from limbeck.errors import OptionError, unknown

__all__ = ["SOURCES", "open_source"]

_OPEN: dict[str, Callable[..., Task]] = {
    "digits": digits,
    "folder": folder,
    "hub": hub,
    "idx": idx,
    "npz": npz,
    "parquet": parquet,
    "table": table,
}

_WITHIN = {"hub": ("config", "label"), "parquet": ("label",), "table": ("drop", "fill", "label")}

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "digits": "digits: 1,797 handwritten digits of 8 × 8 pixels, embedded",
        "folder": "folder:PATH: images in one directory a class, with or without train, val and test directories",
        "hub": "hub:NAME: images from the Hugging Face hub, through the datasets library (hub:NAME:config=…,label=…)",
        "idx": "idx:PATH: a directory of IDX files, gzipped or not (MNIST, FashionMNIST, KMNIST)",
        "npz": "npz:PATH: arrays x and y (or x_train, y_train, x_test, y_test): images or a feature table",
        "parquet": "parquet:PATH: Parquet files with an image and a label a row, as on the hub (parquet:PATH:label=…)",
        "table": "table:PATH: a CSV, TSV or Parquet file of numbers, categories and embeddings, a row an example "
        "(table:PATH:label=…,drop=…+…,fill=median)",
    }
)


def open_source(text: str, **options: Any) -> Task:
    """The task that ``text`` names; options that are None are left out.

    text:    ``kind:place``, and for those with columns ``kind:place:label=COLUMN`` (of the hub also ``config=NAME``, of
             a table ``drop=COLUMN+COLUMN``); a task of such a source is named so too, so that what was made from it
             finds it again.
    options: those of the source's function and of :class:`limbeck.data.options.Options`.
    Errors: OptionError (unknown source or option, with the nearest names), SourceError, FitError.
    """
    kind, _, place = text.partition(":")
    if kind not in _OPEN:
        raise _no_source(text, kind)
    function, (place, within) = _OPEN[kind], _options_within(kind, place)
    given = {**within, **{name: value for name, value in options.items() if value is not None}}
    _check(kind, function, given)
    if kind == "digits":
        if place:
            raise OptionError(f"'{text}' names a place, but digits are embedded: say digits.")
        return digits(**given)
    if not place:
        raise OptionError(f"'{text}' names no place: say {SOURCES[kind].partition(': ')[0]}.")
    return function(place if kind == "hub" else Path(place).expanduser(), **given)


def _options_within(kind: str, place: str) -> tuple[str, dict[str, str]]:
    """The place alone, and the options written behind it."""
    head, _, tail = place.rpartition(":")
    if kind not in _WITHIN or not head or not re.fullmatch(r"\w+=[^,=]+(,\w+=[^,=]+)*", tail):
        return place, {}
    found = dict(pair.split("=") for pair in tail.split(","))
    for name in found:
        if name not in _WITHIN[kind]:
            raise unknown("option behind the source", name, _WITHIN[kind])
    return head, found


def _check(kind: str, function: Callable[..., Task], given: Mapping[str, Any]) -> None:
    own = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    known = {*own, *Options.__dataclass_fields__}
    for name in given:
        if name in ("size", "channels", "label", "config", "drop", "fill") and name not in known:
            raise OptionError(f"the source {kind} takes no {name}: leave it out.")
        if name not in known:
            raise unknown(f"option of the source {kind}", name, known)


def _no_source(text: str, kind: str) -> OptionError:
    """The nearest names; or, for a bare path, the source that it needs in front."""
    place = Path(text).expanduser()
    if not text or not place.exists():
        return unknown("source", kind, _OPEN)
    tabular = place.name.endswith(SUFFIXES) and place.suffix != ".parquet"
    if place.is_file() and not tabular and place.suffix not in (".npz", ".parquet"):
        return OptionError(
            f"'{text}' is a file that no source reads: tables come as CSV, Parquet or npz (see docs/tables.md), images "
            "in directories or as Parquet."
        )
    guess = {".npz": "npz", ".parquet": "parquet"}.get(place.suffix, "folder")
    if tabular:
        guess = "table"
    if place.is_dir() and any(place.glob("*.parquet")):
        guess = "parquet"
    if place.is_dir() and any(place.glob("*ubyte*")):
        guess = "idx"
    return OptionError(
        f"'{text}' is a path without its kind of source: say {guess}:{text}, or one of {', '.join(SOURCES)}."
    )
