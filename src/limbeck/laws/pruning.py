"""The data-pruning laboratory: a perceptron that learns from the easy, the hard or random examples of a teacher.

Examples x ~ N(0, I_N), labels y = sign(T·x), P = α·N of them. A probe at angle θ to the teacher rates each by its
distance |J_probe·x| from the probe's plane or, where it is told the labels, by its margin y·(J_probe·x); the share f
with the largest ("easy"), the smallest ("hard") or any ("random") rating is kept, and the student is the max-margin
perceptron through the origin of these. Its generalisation error is arccos(R)/π, R = cos of its angle to the teacher
[sorscher2022pruning].

What is solved is derived here, for N → ∞, and contains the two saddle-point equations that are published. Split the
student of length 1 into a, in the plane of teacher and probe, and the rest of length r = √(1 − |a|²). By Gordon's
comparison a margin κ can be had if and only if

    min_a  α_kept · E[(κ − y·s·a − r·z)₊²] − r² ≤ 0,

s the kept examples' part in that plane (a Gaussian truncated by the probe's rating) and z ~ N(0, 1). The left side
rises with κ, so that the student's a maximises the κ(a) at which it vanishes. For all f, α and 0 ≤ θ < π/2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from limbeck.errors import OptionError, unknown
from limbeck.laws.law import Array
from limbeck.seeds import derive
from limbeck.values import value

__all__ = ["KEPT", "Pruning", "max_margin", "simulate", "solve"]

Kept: TypeAlias = Literal["easy", "hard", "random"]
KEPT: tuple[Kept, ...] = ("easy", "hard", "random")
_FAR = 7.0  # standard deviations beyond which a Gaussian is taken as zero


@value
class Pruning:
    """One experiment.

    alpha: examples before pruning over dimensions, > 0.  fraction: of them kept, in (0, 1].  kept: which.
    angle: of the probe to the teacher, radians in [0, π/2).  labelled: whether it rates by margin, not by distance;
           with a perfect probe they are one.  Raises OptionError outside these domains.
    """

    alpha: float
    fraction: float = 1.0
    kept: str = "random"
    angle: float = 0.0
    labelled: bool = False

    def __post_init__(self) -> None:
        if self.kept not in KEPT:
            raise unknown("choice of examples", self.kept, KEPT)
        if not (self.alpha > 0 and 0 < self.fraction <= 1 and 0 <= self.angle < math.pi / 2):
            raise OptionError("pruning needs alpha > 0, a fraction in (0, 1] and an angle in [0, π/2).")


def max_margin(signed: Array) -> Array:
    """(N,) unit vector w that maximises min_μ w·z_μ for rows z = y·x (P, N), by the dual non-negative least squares.

    The shortest w with z·w ≥ 1 for all rows is Lawson and Hanson's least-distance problem. Raises OptionError where no
    w separates the rows.
    """
    from scipy.optimize import nnls

    system = np.concatenate([signed.T, np.ones((1, len(signed)))])
    aim = np.zeros(len(system))
    aim[-1] = 1.0
    multipliers, _ = nnls(system, aim, maxiter=20 * len(signed) + 100)
    residual = system @ multipliers - aim
    if abs(residual[-1]) < 1e-12:
        raise OptionError("no plane through the origin separates these examples: there is no margin to maximise.")
    direction = -residual[:-1] / residual[-1]
    return np.asarray(direction / np.linalg.norm(direction))


@dataclass(frozen=True)
class Simulated:
    """Generalisation errors of ``trials`` students."""

    errors: Array

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(self.errors.mean())

    @property
    def standard_error(self) -> float:
        """Of the mean."""
        return float(self.errors.std(ddof=1) / math.sqrt(len(self.errors)))


def simulate(experiment: Pruning, *, dimensions: int = 100, trials: int = 20, seed: int = 0) -> Simulated:
    """Draw teachers, prune, train to the maximal margin."""
    generator = np.random.default_rng(derive(seed, "pruning"))
    return Simulated(np.array([_trial(experiment, dimensions, generator) for _ in range(trials)]))


def _trial(experiment: Pruning, dimensions: int, generator: np.random.Generator) -> float:
    """The teacher is the first axis, the probe lies in the plane of the first two."""
    points = generator.normal(size=(round(experiment.alpha * dimensions), dimensions))
    signed = points * np.where(points[:, :1] >= 0, 1.0, -1.0)
    margins = math.cos(experiment.angle) * signed[:, 0] + math.sin(experiment.angle) * signed[:, 1]
    margins = margins if experiment.labelled else np.abs(margins)
    number = max(1, round(experiment.fraction * len(signed)))
    order = {"easy": np.argsort(-margins), "hard": np.argsort(margins), "random": np.arange(len(signed))}
    student = max_margin(signed[order[experiment.kept][:number]])
    return math.acos(float(np.clip(student[0], -1, 1))) / math.pi


def solve(experiment: Pruning) -> float:
    """The generalisation error for N → ∞."""
    points, weights = _plane(experiment)
    kept = experiment.alpha * experiment.fraction
    if points.shape[1] == 1:
        return _solve_line(points[:, 0], weights, kept)
    return _solve_plane(points, weights, kept)


def _solve_line(points: Array, weights: Array, kept: float) -> float:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda turn: -_margin(np.array([math.cos(turn)]), points[:, None], weights, kept),
        bounds=(1e-4, math.pi / 2 - 1e-6),
        method="bounded",
        options={"xatol": 1e-7},
    )
    return float(found.x) / math.pi


def _solve_plane(points: Array, weights: Array, kept: float) -> float:
    from scipy.optimize import minimize

    def place(free: Sequence[float] | Array) -> Array:
        """Free polar coordinates → a in the open unit disc."""
        length = 1 / (1 + math.exp(-float(free[0])))
        return length * np.array([math.cos(float(free[1])), math.sin(float(free[1]))])

    found = minimize(
        lambda free: -_margin(place(free), points, weights, kept),
        np.array([0.5, 0.1]),
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-10, "maxiter": 400},
    )
    return math.acos(float(place(found.x)[0])) / math.pi


def _margin(a: Array, points: Array, weights: Array, kept: float) -> float:
    """κ(a): the root of α_kept E[(κ − s·a − r z)₊²] = r², z integrated in closed form.

    With d = κ − s·a: E_z = (d² + r²) Φ(d/r) + d r φ(d/r).
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    r = math.sqrt(max(1 - float(a @ a), 1e-14))
    along = points @ a

    def excess(kappa: float) -> float:
        d = kappa - along
        density = np.exp(-((d / r) ** 2) / 2) / math.sqrt(2 * math.pi)
        return kept * float(weights @ ((d**2 + r**2) * ndtr(d / r) + d * r * density)) - r**2

    return float(brentq(excess, -20.0, 20.0 + 1 / math.sqrt(kept), xtol=1e-11))


def _plane(experiment: Pruning) -> tuple[Array, Array]:
    """Quadrature points (Q, 1 or 2) of y·s for kept examples, and weights that sum to 1.

    u = |T·x| is half-normal; the probe's margin v given u is N(u cos θ, sin² θ) and is cut at its f-quantile.
    """
    every = experiment.kept == "random" or experiment.fraction == 1
    angle = 0.0 if every else experiment.angle
    if angle == 0:
        low, high = _cut_line(experiment)
        u, weight = _legendre(low, high, 400)
        weight = weight * np.exp(-(u**2) / 2)
        return u[:, None], weight / weight.sum()
    pieces = [_piece(angle, low, high) for low, high in _ranges(experiment, angle)]
    points = np.concatenate([points for points, _ in pieces])
    weight = np.concatenate([weight for _, weight in pieces])
    keep = weight > 1e-14 * weight.max()
    return points[keep], weight[keep] / weight.sum()


def _ranges(experiment: Pruning, angle: float) -> list[tuple[float, float]]:
    """Where the margins of kept examples lie."""
    easy = experiment.kept == "easy"
    if experiment.labelled:
        cut = _cut(experiment, angle)
        return [(cut, _FAR)] if easy else [(-_FAR, cut)]
    low, high = _cut_line(experiment)
    return [(-high, -low), (low, high)] if easy else [(-high, high)]


def _piece(angle: float, low: float, high: float) -> tuple[Array, Array]:
    """Points and weights for margins between ``low`` and ``high``."""
    # a narrow Gaussian for small angles: enough points for the width sin θ
    number = min(400, max(80, math.ceil(60 / math.sin(angle) ** 0.75)))
    u, by_u = _legendre(0.0, _FAR, number)
    v, by_v = _legendre(low, high, number)
    across = (v[None, :] - math.cos(angle) * u[:, None]) / math.sin(angle)
    weight = by_u[:, None] * by_v[None, :] * np.exp(-(u[:, None] ** 2 + across**2) / 2)
    points = np.stack([np.broadcast_to(u[:, None], across.shape).ravel(), across.ravel()], 1)
    return points, weight.ravel()


def _cut_line(experiment: Pruning) -> tuple[float, float]:
    """The range of |J_probe·x|, a half-normal variable, that is kept."""
    from scipy.special import ndtri

    if experiment.kept == "random" or experiment.fraction == 1:
        return 0.0, _FAR
    share = experiment.fraction if experiment.kept == "hard" else 1 - experiment.fraction
    cut = float(ndtri((1 + share) / 2))
    return (0.0, cut) if experiment.kept == "hard" else (cut, _FAR)


def _cut(experiment: Pruning, angle: float) -> float:
    """The probe's margin below which a share f (hard) or 1 − f (easy) of all examples lies.

    The margin has density 2 φ(v) Φ(v·cot θ), that of a skew-normal variable.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    share = experiment.fraction if experiment.kept == "hard" else 1 - experiment.fraction

    def below(cut: float) -> float:
        v, weight = _legendre(-_FAR, cut, 400)
        return float(weight @ (2 * np.exp(-(v**2) / 2) / math.sqrt(2 * math.pi) * ndtr(v / math.tan(angle)))) - share

    return float(brentq(below, -_FAR + 1e-6, _FAR))


def _legendre(low: float, high: float, number: int) -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(number)
    half = (high - low) / 2
    return low + half * (nodes + 1), half * weights
