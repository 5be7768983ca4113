"""The contract of a law: what follows from a table of trained networks, never without intervals and diagnostics."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["IMPOSSIBLE", "LEVEL", "Array", "Interval", "Law", "points"]

LEVEL = 0.95
IMPOSSIBLE = -1.0  # no gap in accuracy can be smaller: a fit whose floor is has not seen one

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A number and the interval that holds it with probability ``level``; an open side is infinite."""

    value: float
    low: float
    high: float
    level: float = LEVEL

    @property
    def half(self) -> float:
        """Half the width."""
        return (self.high - self.low) / 2

    def holds(self, number: float) -> bool:
        """True where ``number`` lies within."""
        return self.low <= number <= self.high

    def __str__(self) -> str:
        low, high = ("∞" if end == math.inf else "−∞" if end == -math.inf else f"{end:.3g}" for end in self.ends)
        return f"{self.value:.3g} [{low}, {high}]"

    @property
    def points(self) -> str:
        """A fraction in percentage points: ``5.1 points [4.2, 6.0]``."""
        low, high = (points(end) for end in self.ends)
        return f"{points(self.value)} points [{low}, {high}]"

    @property
    def ends(self) -> tuple[float, float]:
        """low, high."""
        return self.low, self.high

    def dictionary(self) -> dict[str, float | None]:
        """Plain JSON data; what is infinite is None."""
        value, low, high = (each if math.isfinite(each) else None for each in (self.value, *self.ends))
        return {"value": value, "low": low, "high": high, "level": self.level}


def points(fraction: float) -> str:
    """A fraction in percentage points with one decimal: ``0.051`` → ``5.1``."""
    if math.isinf(fraction):
        return "∞" if fraction > 0 else "−∞"
    return f"{100 * fraction:.1f}".replace("-", "−")


class Law(ABC):
    """What a table implies, with how surely it does."""

    @abstractmethod
    def sentences(self) -> tuple[str, ...]:
        """The law for a person: the statement first, then what was left out and what it rests on."""

    @abstractmethod
    def dictionary(self) -> dict[str, Any]:
        """All numbers as plain JSON data."""
