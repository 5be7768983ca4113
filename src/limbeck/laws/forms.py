"""Forms of the law: how the gap may depend on size, each linear in all but at most one parameter."""

from abc import ABC, abstractmethod
from typing import final

import numpy as np

from limbeck.laws.law import Array
from limbeck.values import value

__all__ = ["FORMS", "Exponential", "Flat", "Form", "FreePower", "Logarithmic", "Power"]


@value
class Form(ABC):
    """gap(k) = Σ_j β_j φ_j(k; shape); β are fitted linearly for every value of ``shape`` on a grid."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As a person writes it."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """How many numbers are fitted, the shape included."""

    @abstractmethod
    def shapes(self, sizes: Array) -> Array:
        """(G,) values of the non-linear parameter that are tried; one arbitrary value where there is none."""

    @abstractmethod
    def design(self, sizes: Array, shapes: Array) -> Array:
        """(G, K, p) columns φ_j; the intercept, where there is one, is the last."""


@value
@final
class FreePower(Form):
    """c·k^(-b) + e with b on a geometric grid over [1/32, 4]."""

    points: int = 241

    @property
    def name(self) -> str:
        return "c·k^(-b) + e"

    @property
    def parameters(self) -> int:
        return 3

    def shapes(self, sizes: Array) -> Array:
        return np.geomspace(1 / 32, 4.0, self.points)

    def design(self, sizes: Array, shapes: Array) -> Array:
        decay = sizes[None, :] ** -shapes[:, None]
        return np.stack([decay, np.ones_like(decay)], -1)


@value
@final
class Power(Form):
    """c·k^(-b) + e with a given b; 1/2 is the law [luo2025boundary]."""

    b: float = 0.5

    @property
    def name(self) -> str:
        return f"c·k^(-{self.b:g}) + e"

    @property
    def parameters(self) -> int:
        return 2

    def shapes(self, sizes: Array) -> Array:
        return np.array([self.b])

    def design(self, sizes: Array, shapes: Array) -> Array:
        return FreePower().design(sizes, shapes)


@value
@final
class Logarithmic(Form):
    """c − d·log k: no floor, and below zero in the end."""

    @property
    def name(self) -> str:
        return "c − d·log k"

    @property
    def parameters(self) -> int:
        return 2

    def shapes(self, sizes: Array) -> Array:
        return np.zeros(1)

    def design(self, sizes: Array, shapes: Array) -> Array:
        return np.stack([-np.log(sizes), np.ones_like(sizes)], -1)[None]


@value
@final
class Exponential(Form):
    """c·exp(−k/τ) + e with τ on a geometric grid from the smallest size to four times the largest."""

    points: int = 241

    @property
    def name(self) -> str:
        return "c·exp(−k/τ) + e"

    @property
    def parameters(self) -> int:
        return 3

    def shapes(self, sizes: Array) -> Array:
        return np.geomspace(sizes.min(), 4 * sizes.max(), self.points)

    def design(self, sizes: Array, shapes: Array) -> Array:
        decay = np.exp(-sizes[None, :] / shapes[:, None])
        return np.stack([decay, np.ones_like(decay)], -1)


@value
@final
class Flat(Form):
    """e alone: more examples change nothing."""

    @property
    def name(self) -> str:
        return "e"

    @property
    def parameters(self) -> int:
        return 1

    def shapes(self, sizes: Array) -> Array:
        return np.zeros(1)

    def design(self, sizes: Array, shapes: Array) -> Array:
        return np.ones((1, len(sizes), 1))


FORMS: tuple[Form, ...] = (Power(), FreePower(), Logarithmic(), Exponential(), Flat())
