"""What a page shows, as data: frozen values that say everything and draw nothing.

A page is a :class:`Story`: a finding on top and then sections. Every section is a title, a text and *parts*; a part is
a chart, a heat map, a table, a gallery of pictures or a block of code. A later law adds its own :class:`Section`.
Accuracies are fractions here; :mod:`limbeck.report.draw` and :mod:`limbeck.report.page` write percent for people.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Axis",
    "Chart",
    "Code",
    "Fact",
    "Gallery",
    "HeatMap",
    "Level",
    "Line",
    "Part",
    "Pictures",
    "Section",
    "Story",
    "Table",
]


@dataclass(frozen=True)
class Axis:
    """What one direction of a chart measures.

    label:   the quantity with its unit, as a reader sees it.
    kind:    "fraction" is written as percent; "log" is logarithmic and needs values > 0.
    ticks:   the values that get a number, or () for automatic ones.
    """

    label: str
    kind: Literal["linear", "log", "fraction"] = "linear"
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """Points joined by a line, with an optional interval at each.

    name:      lines of one name stand in the legend once (e.g. repetitions).
    x, y:      the same length. low, high: the interval's ends (NaN where there is none), or () for none at all.
    role:      "main" for what is told about, "reference" for what it is compared with.
    interval:  intervals drawn as bars at the points or as a band between them.
    joined:    False for points alone (e.g. held-out ones).
    notes:     one text a point for whoever points at it, or ().
    group:     lines of one group share a colour; its default is the name.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    role: Literal["main", "reference"] = "main"
    interval: Literal["bar", "band"] = "bar"
    joined: bool = True
    notes: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class Level:
    """A horizontal line over the whole width, e.g. the full data, with an optional interval."""

    name: str
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Chart:
    """Lines over two axes. ``alt`` says in words what a person sees."""

    title: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...]
    levels: tuple[Level, ...] = ()
    alt: str = ""


@dataclass(frozen=True)
class HeatMap:
    """Fractions in a grid: ``values[row][column]``, None where nothing was measured."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    label: str
    x: str
    y: str
    alt: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; numbers are right-aligned. ``folded`` tables open on a click."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False


@dataclass(frozen=True)
class Pictures:
    """A strip of pictures side by side as one PNG file, ``count`` of them."""

    png: bytes
    count: int
    alt: str


@dataclass(frozen=True)
class Gallery:
    """Pictures a class and column: ``rows`` are (class name, one strip a column). ``folded`` opens on a click."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Pictures, ...]], ...]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Code:
    """Text to copy, e.g. a command."""

    caption: str
    text: str


Part: TypeAlias = Chart | HeatMap | Table | Gallery | Code


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs and parts."""

    title: str
    text: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A number that stands large on top of the page."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class Story:
    """A whole page.

    title:   of the page. finding: one sentence that says what was found, or what was made if nothing was judged.
    details: further sentences under it. facts: a handful of numbers. sections: the rest, in reading order.
    """

    title: str
    finding: str
    details: tuple[str, ...]
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
