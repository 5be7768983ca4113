"""The contract of a law: what follows from a table of trained networks, never without intervals and diagnostics."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["IMPOSSIBLE", "LEVEL", "Array", "Interval", "Law"]

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
    def ends(self) -> tuple[float, float]:
        """low, high."""
        return self.low, self.high

    def dictionary(self) -> dict[str, float | None]:
        """Plain JSON data; an open side is None."""
        low, high = (end if math.isfinite(end) else None for end in self.ends)
        return {"value": self.value, "low": low, "high": high, "level": self.level}


class Law(ABC):
    """What a table implies, with how surely it does."""

    @abstractmethod
    def sentences(self) -> tuple[str, ...]:
        """The law for a person: the statement first, then what was left out and what it rests on."""

    @abstractmethod
    def dictionary(self) -> dict[str, Any]:
        """All numbers as plain JSON data."""
