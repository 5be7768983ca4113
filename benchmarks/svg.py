"""A chart as plain SVG for the documents: lines with error bars, either axis logarithmic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from limbeck.report.draw import COLOURS

__all__ = ["Curve", "Scale", "chart"]

Placing: TypeAlias = Callable[[float, float], tuple[float, float]]  # from values to points of the picture
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 30, 44


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


def chart(title: str, x: Scale, y: Scale, curves: Sequence[Curve], *, wide: int = 560, high: int = 320) -> str:
    """The SVG text. Points outside the marks are drawn at the edge."""

    def place(a: float, b: float) -> tuple[float, float]:
        across, up = (min(max(share, 0.0), 1.0) for share in (x.share(a), y.share(b)))
        return (
            round(LEFT + (wide - LEFT - RIGHT) * across, 1),
            round(high - BOTTOM - (high - TOP - BOTTOM) * up, 1),
        )

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="11" '
        f'role="img" aria-label="{escape(title, quote=True)}">',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="13">{escape(title)}</text>',
        *_axes(x, y, wide, high, place),
    ]
    for number, curve in enumerate(curves):
        colour = COLOURS[(number if curve.colour is None else curve.colour) % len(COLOURS)]
        drawn += _curve(curve, colour, place)
        at = TOP + 8 + 16 * number
        dash = ' stroke-dasharray="5 3"' if curve.dashed else ""
        drawn.append(f'<path d="M{wide - RIGHT + 12} {at}h16" stroke="{colour}" stroke-width="2"{dash}/>')
        drawn.append(f'<text x="{wide - RIGHT + 32}" y="{at + 4}">{escape(curve.name)}</text>')
    return "\n".join([*drawn, "</svg>"]) + "\n"


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
