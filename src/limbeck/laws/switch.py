"""Easy or hard real examples? The size at which hard ones overtake, measured and by the law of pruning.

The law is the one solved in :mod:`limbeck.laws.pruning` [sorscher2022pruning].

Measured: d(k) = accuracy from the hard pool − accuracy from the easy pool, paired by distillation seed. The law says
that d rises with size, so that d is made monotone in k (the nearest increasing function, weighted by how well each mean
is known) and the switch is its zero, linear in log k between sizes.

In theory: examples in which a student of N weights errs equally from either end of a share f. The law knows examples a
weight and not examples a class; the number of weights that would make both agree is what a comparison can say.
"""

import math
from dataclasses import dataclass

import numpy as np

from limbeck.errors import EvidenceError
from limbeck.evaluation.intervals import Estimate
from limbeck.evaluation.records import Records
from limbeck.evaluation.scores import difference
from limbeck.laws.law import Array
from limbeck.laws.pruning import Pruning, solve
from limbeck.seeds import derive

__all__ = ["Switch", "TheorySwitch", "measured_switch", "theory_switch"]

DRAWS = 4000
LEVEL = 0.95


@dataclass(frozen=True)
class Switch:
    """The size from which hard examples serve better than easy ones.

    at:        examples a class; 0 where hard ones are better at every size, infinity where easy ones are.
    low, high: interval at ``level``; 0 and infinity likewise.
    sizes, gaps: what was measured: hard minus easy at each size.
    """

    easy: str
    hard: str
    at: float
    low: float
    high: float
    level: float
    sizes: tuple[float, ...]
    gaps: tuple[Estimate, ...]

    def sentence(self) -> str:
        """For a person."""
        ends = f"{self.sizes[0]:g} to {self.sizes[-1]:g} a class"
        if self.at == 0:
            found = f"{self.hard} is better than {self.easy} at all sizes measured ({ends})"
        elif math.isinf(self.at):
            found = f"{self.easy} is better than {self.hard} at all sizes measured ({ends})"
        else:
            found = f"{self.hard} overtakes {self.easy} at about {self.at:.3g} a class"
        return f"{found}; {100 * self.level:g} % interval of the switch: {self._interval()}."

    def advice(self, per_class: float) -> str:
        """Which examples to take at a size, in words."""
        if per_class < self.low:
            until = f"at up to {self.sizes[-1]:g}" if math.isinf(self.low) else f"before {self._end(self.low)}"
            return f"At {per_class:g} a class take easy examples: hard ones do not overtake {until}."
        if per_class > self.high:
            return f"At {per_class:g} a class take hard examples: they have overtaken by {self._end(self.high)}."
        better = "easy" if per_class < self.at else "hard"
        return (
            f"At {per_class:g} a class it makes little difference or cannot be told (the switch lies in "
            f"{self._interval()}): {better} examples if any, or all of them."
        )

    def _interval(self) -> str:
        if math.isinf(self.low):
            return self._end(self.low)
        if self.high == 0:
            return "below the smallest size"
        low = "below the smallest size" if self.low == 0 else self._end(self.low)
        return f"{low} to {self._end(self.high)}"

    def _end(self, size: float) -> str:
        if size == 0:
            return f"the smallest size measured, {self.sizes[0]:g}"
        return f"beyond {self.sizes[-1]:g}" if math.isinf(size) else f"{size:.3g}"


@dataclass(frozen=True)
class TheorySwitch:
    """Where a max-margin student errs equally from the easiest and from the hardest share of its examples.

    alpha: examples before pruning over weights.  kept: those kept over weights, alpha times the share.
    """

    fraction: float
    angle: float
    alpha: float

    @property
    def kept(self) -> float:
        """Kept examples over weights."""
        return self.alpha * self.fraction

    def weights(self, per_class: float, classes: int) -> float:
        """How many weights a student would have to have for the theory to switch at ``per_class`` examples a class."""
        return per_class * classes / self.kept

    def beside(self, measured: Switch, classes: int) -> str:
        """The measured switch beside this one, for a person."""
        said = (
            f"The pruning law switches at {self.kept:.2g} kept examples a weight (easiest or hardest "
            f"{100 * self.fraction:.3g} %, probe at {math.degrees(self.angle):.0f}°)"
        )
        if math.isinf(measured.low):
            least = self.weights(measured.sizes[-1], classes)
            return (
                f"{said}; measured beyond {measured.sizes[-1]:g} a class, it agrees for a student of {_count(least)} "
                "weights or more."
            )
        if measured.at == 0 or math.isinf(measured.at):
            return f"{said}; no switch was measured to set beside it."
        ends = [
            "any number" if math.isinf(x) else _count(self.weights(x, classes)) for x in (measured.low, measured.high)
        ]
        return (
            f"{said}; measured at {measured.at:.3g} a class, it agrees for a student of about "
            f"{_count(self.weights(measured.at, classes))} weights ({ends[0]} to {ends[1]})."
        )


def measured_switch(
    records: Records, *, easy: str, hard: str, labels: str = "hard", level: float = LEVEL, seed: int = 0
) -> Switch:
    """The switch between two methods of one study, named ``easy`` and ``hard`` in its records.

    The interval holds for the noise of the means (a t-distribution at each size, ``DRAWS`` seeded draws), not for the
    form. Raises EvidenceError for fewer than two common sizes, or where one has fewer than two distillation seeds.
    """
    gaps = _gaps(records, easy, hard, labels, level)
    sizes = np.array(sorted(gaps), dtype=np.float64)
    known = [gaps[float(size)] for size in sizes]
    means = np.array([gap.value for gap in known])
    errors = np.array([_error(gap) for gap in known])
    weights = 1 / np.maximum(errors, 1e-6) ** 2
    generator = np.random.default_rng(derive(seed, "switch"))
    freedom = np.array([gap.n - 1.0 for gap in known])
    drawn = means + errors * generator.standard_t(freedom, size=(DRAWS, len(sizes)))
    crossings = np.sort(_crossings(sizes, drawn, weights))
    low, high = (crossings[round(share * (DRAWS - 1))] for share in ((1 - level) / 2, (1 + level) / 2))
    at = float(_crossings(sizes, means[None], weights)[0])
    return Switch(easy, hard, at, float(low), float(high), level, tuple(sizes.tolist()), tuple(known))


def theory_switch(fraction: float = 1 / 3, *, angle: float = 0.0) -> TheorySwitch:
    """The switch that the solved law has for the easiest and hardest ``fraction`` and a probe at ``angle`` radians.

    Raises EvidenceError where neither end overtakes the other between 0.5 and 200 examples a weight.
    """
    from scipy.optimize import brentq

    def gain(log: float) -> float:
        alpha = math.exp(log)
        easy, hard = (solve(Pruning(alpha, fraction, kept, angle)) for kept in ("easy", "hard"))
        return math.log(easy / hard)

    low, high = math.log(0.5), math.log(200.0)
    if gain(low) >= 0 or gain(high) <= 0:
        raise EvidenceError(
            f"the pruning law has no switch for a share of {fraction:g} and a probe at {math.degrees(angle):.0f}°: "
            "take another share or a better probe."
        )
    return TheorySwitch(fraction, angle, math.exp(float(brentq(gain, low, high, xtol=1e-3))))


def _gaps(records: Records, easy: str, hard: str, labels: str, level: float) -> dict[float, Estimate]:
    """Hard minus easy at each size that both have, paired by distillation seed."""
    mine = records.where(labels=labels)
    sizes = {row.per_class for row in mine.where(method=easy)} & {row.per_class for row in mine.where(method=hard)}
    if len(sizes) < 2:
        raise EvidenceError(
            f"'{easy}' and '{hard}' share {len(sizes)} sizes with {labels} labels: a switch needs at least 2."
        )
    found = {}
    for size in sizes:
        pair = (mine.where(method=name, per_class=size) for name in (hard, easy))
        found[float(size)] = difference(*pair, level=level).estimate
        if found[float(size)].n < 2:
            raise EvidenceError(f"{easy} and {hard} share one seed at {size:g} a class: an interval needs at least 2.")
    return found


def _count(weights: float) -> str:
    """1,200: two digits that mean something."""
    return f"{float(f'{weights:.2g}'):,.{0 if weights >= 10 else 1}f}"


def _error(gap: Estimate) -> float:
    return 0.0 if gap.spread is None else gap.spread / math.sqrt(gap.n)


def _crossings(sizes: Array, gaps: Array, weights: Array) -> Array:
    """(d,) where the increasing fit of each row of gaps (d, m) over log size becomes zero: 0 before, infinity after all
    sizes."""
    fit = _increasing(gaps, weights)
    after = np.clip(np.argmax(fit >= 0, 1), 1, None)
    rows, logs = np.arange(len(fit)), np.log(sizes)
    left, right = fit[rows, after - 1], fit[rows, after]
    share = np.clip(-left / np.where(right > left, right - left, 1.0), 0.0, 1.0)  # outside where nothing crosses
    inside = np.exp(logs[after - 1] + share * (logs[after] - logs[after - 1]))
    return np.asarray(np.where(fit[:, 0] >= 0, 0.0, np.where(fit[:, -1] < 0, math.inf, inside)))


def _increasing(values: Array, weights: Array) -> Array:
    """(d, m) the increasing sequence nearest to each row of ``values`` in squares weighted by ``weights`` (m,).

    fit_i = max over j ≤ i of min over l ≥ i of the weighted mean of values j … l.
    """
    start = np.zeros((len(values), 1))
    sums, mass = np.concatenate([start, np.cumsum(values * weights, 1)], 1), np.cumsum([0.0, *weights])
    fit = np.full(values.shape, -math.inf)
    for j in range(values.shape[1]):
        means = (sums[:, j + 1 :] - sums[:, j : j + 1]) / (mass[j + 1 :] - mass[j])
        least = np.minimum.accumulate(means[:, ::-1], 1)[:, ::-1]
        fit[:, j:] = np.maximum(fit[:, j:], least)
    return fit
