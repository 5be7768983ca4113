"""Charts as plain SVG for the documents: lines with error bars, either axis logarithmic, and a row of dots a name."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from limbeck.report.draw import COLOURS

__all__ = ["Curve", "Dots", "Scale", "chart", "dots"]

Placing: TypeAlias = Callable[[float, float], tuple[float, float]]  # from values to points of the picture
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 30, 44
NAMES, ROW = 120, 20  # width of the names of rows of dots, and height of a row


@dataclass(frozen=True)
class Curve:
    """Points (x, y) with half-lengths of error bars; joined by a line or not; dashed for what was not measured."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] = ()
    joined: bool = True
    dashed: bool = False
    colour: int | None = None


@dataclass(frozen=True)
class Scale:
    """An axis: its text, marks, and whether it is logarithmic."""

    text: str
    marks: Sequence[float]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value lies between the first mark (0) and the last (1)."""
        low, high = self._turned(self.marks[0]), self._turned(self.marks[-1])
        return (self._turned(value) - low) / (high - low)

    def _turned(self, value: float) -> float:
        return math.log(max(value, self.marks[0])) if self.logarithmic else value


@dataclass(frozen=True)
class Dots:
    """One colour of dots: (value, half-length of the error bar) in some of the rows."""

    name: str
    at: Mapping[str, tuple[float, float]]


def dots(title: str, x: Scale, rows: Sequence[str], groups: Sequence[Dots], *, wide: int = 560) -> str:
    """The SVG text: a row for each name from the top down, the middle of the scale dashed."""
    foot = TOP + ROW * len(rows)
    drawn = _begin(title, wide, foot + BOTTOM, NAMES)

    def across(value: float) -> float:
        return round(NAMES + (wide - NAMES - RIGHT) * min(max(x.share(value), 0.0), 1.0), 1)

    down = {row: TOP + ROW * (number + 0.5) for number, row in enumerate(rows)}

    for mark in x.marks:
        drawn.append(f'<path d="M{across(mark)} {TOP}V{foot}" stroke="#eee"/>')
        drawn.append(f'<text x="{across(mark)}" y="{foot + 14}" text-anchor="middle">{mark:g}</text>')
    half = NAMES + (wide - NAMES - RIGHT) / 2
    drawn.append(f'<path d="M{half} {TOP}V{foot}" stroke="#888" stroke-dasharray="5 3"/>')
    drawn.append(f'<text x="{half}" y="{foot + BOTTOM - 8}" text-anchor="middle">{escape(x.text)}</text>')
    for row in rows:
        drawn.append(f'<path d="M{NAMES} {down[row]}H{wide - RIGHT}" stroke="#eee"/>')
        drawn.append(f'<text x="{NAMES - 8}" y="{down[row] + 4}" text-anchor="end">{escape(row)}</text>')
    for number, group in enumerate(groups):
        colour, at = COLOURS[number % len(COLOURS)], TOP + 8 + 16 * number
        drawn.append(f'<circle cx="{wide - RIGHT + 20}" cy="{at}" r="4" fill="{colour}"/>')
        drawn.append(f'<text x="{wide - RIGHT + 32}" y="{at + 4}">{escape(group.name)}</text>')
        for row, (value, error) in group.at.items():
            low, top = across(value - error), across(value + error)
            drawn.append(f'<path d="M{low} {down[row]}H{top}" stroke="{colour}" stroke-width="1.2"/>')
            drawn.append(f'<circle cx="{across(value)}" cy="{down[row]}" r="4" fill="{colour}" fill-opacity="0.85"/>')
    return "\n".join([*drawn, "</svg>"]) + "\n"


def chart(title: str, x: Scale, y: Scale, curves: Sequence[Curve], *, wide: int = 560, high: int = 320) -> str:
    """The SVG text. Points outside the marks are drawn at the edge."""

    def place(a: float, b: float) -> tuple[float, float]:
        across, up = (min(max(share, 0.0), 1.0) for share in (x.share(a), y.share(b)))
        return (
            round(LEFT + (wide - LEFT - RIGHT) * across, 1),
            round(high - BOTTOM - (high - TOP - BOTTOM) * up, 1),
        )

    drawn = [*_begin(title, wide, high, LEFT), *_axes(x, y, wide, high, place)]
    for number, curve in enumerate(curves):
        colour = COLOURS[(number if curve.colour is None else curve.colour) % len(COLOURS)]
        drawn += _curve(curve, colour, place)
        at = TOP + 8 + 16 * number
        dash = ' stroke-dasharray="5 3"' if curve.dashed else ""
        drawn.append(f'<path d="M{wide - RIGHT + 12} {at}h16" stroke="{colour}" stroke-width="2"{dash}/>')
        drawn.append(f'<text x="{wide - RIGHT + 32}" y="{at + 4}">{escape(curve.name)}</text>')
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _begin(title: str, wide: int, high: int, left: int) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="11" '
        f'role="img" aria-label="{escape(title, quote=True)}">',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
        f'<text x="{left}" y="18" font-size="13">{escape(title)}</text>',
    ]


def _axes(x: Scale, y: Scale, wide: int, high: int, place: Placing) -> list[str]:
    drawn = []
    for mark in x.marks:
        across, _ = place(mark, y.marks[0])
        drawn.append(f'<path d="M{across} {TOP}V{high - BOTTOM}" stroke="#eee"/>')
        drawn.append(f'<text x="{across}" y="{high - BOTTOM + 14}" text-anchor="middle">{mark:g}</text>')
    for mark in y.marks:
        _, up = place(x.marks[0], mark)
        drawn.append(f'<path d="M{LEFT} {up}H{wide - RIGHT}" stroke="#eee"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{up + 4}" text-anchor="end">{mark:g}</text>')
    drawn.append(f'<text x="{(LEFT + wide - RIGHT) / 2}" y="{high - 8}" text-anchor="middle">{escape(x.text)}</text>')
    middle = (TOP + high - BOTTOM) / 2
    turned = f'transform="rotate(-90 14 {middle})"'
    drawn.append(f'<text x="14" y="{middle}" text-anchor="middle" {turned}>{escape(y.text)}</text>')
    return drawn


def _curve(curve: Curve, colour: str, place: Placing) -> list[str]:
    points = [place(a, b) for a, b in zip(curve.x, curve.y, strict=True)]
    drawn = []
    if curve.joined:
        dash = ' stroke-dasharray="5 3"' if curve.dashed else ""
        text = " ".join(f"{a},{b}" for a, b in points)
        drawn.append(f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
    else:
        drawn += [f'<circle cx="{a}" cy="{b}" r="3" fill="{colour}"/>' for a, b in points]
    for a, b, e in zip(curve.x, curve.y, curve.error, strict=False):
        (at, low), (_, top) = place(a, b - e), place(a, b + e)
        drawn.append(f'<path d="M{at} {low}V{top}" stroke="{colour}" stroke-width="1.2"/>')
    return drawn
