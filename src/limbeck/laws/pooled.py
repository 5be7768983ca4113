"""Several curves together: gap_a(k) = c_a·k^(-b_a) + e_a with b_a ~ N(b, τ²), and one b for all as the special case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from limbeck.errors import EvidenceError, OptionError
from limbeck.evaluation.cells import FULL
from limbeck.evaluation.records import Records
from limbeck.laws.fit import quantile
from limbeck.laws.heterogeneity import Heterogeneity, normal_price
from limbeck.laws.joint import Joint, covariance, joint, kinship
from limbeck.laws.law import LEVEL, Array, Interval, Law
from limbeck.laws.scaling import ScalingLaw
from limbeck.laws.table import common_test_error
from limbeck.laws.twice import doubled_for, doubled_names

__all__ = ["PooledLaw", "pooled"]

_FEW = 5  # curves; with fewer the spread between them is hardly known


@final
@dataclass(frozen=True)
class PooledLaw(Law):
    """The law of M curves: methods, configurations, studies. Each has c, e and b_a; the b_a scatter about b by τ.

    laws:  one a curve.  names: of the curves.  level: of all intervals.
    kin:   (M, M) correlation by distillation seeds, above zero between configurations of the same sets.
    total: (N, N) covariance of all mean gaps.
    left:  sentences on curves that could not be used.
    """

    laws: tuple[ScalingLaw, ...]
    names: tuple[str, ...]
    kin: Array
    total: Array
    left: tuple[str, ...] = ()

    @staticmethod
    def fit(
        records: Records | Sequence[Records],
        *,
        method: str | None = None,
        labels: str | None = None,
        doubled: str | None = None,
        sources: Sequence[str] = (),
        level: float | None = None,
    ) -> "PooledLaw":
        """Pool all curves of one or several studies, one a method, kind of labels and configuration.

        doubled: the name of a method whose rows are another's by twice the budget (that whose name it begins with);
                 those that are called as studies call them are found without it.
        sources: names of the studies.  Raises EvidenceError where fewer than two curves can be fitted.
        """
        known = [records] if isinstance(records, Records) else list(records)
        places = [*sources, *(f"study {i + 1}" for i in range(len(sources), len(known)))]
        twice = next((place for place in places if places.count(place) > 1), None)
        if twice is not None:
            raise OptionError(f"two of the studies are called '{twice}': give each once, under a name of its own.")
        found, left = [], []
        for place, rows in zip(places, known, strict=True):
            for curve in _curves(rows, place, method, labels, doubled):
                try:
                    law = curve.fitted(level)
                except EvidenceError as error:
                    left.append(f"Without {curve}: {error}")
                else:
                    found.append((curve, law))
        if len(found) < 2:
            why = " ".join(left)
            raise EvidenceError(f"a pooled law needs two or more curves: use ScalingLaw.fit for one. {why}".strip())
        curves, laws = [curve for curve, _ in found], [law for _, law in found]
        families = [
            _number((c.source, c.method, c.labels), [(d.source, d.method, d.labels) for d in curves]) for c in curves
        ]
        pool = pooled(
            laws, names=_names([curve.parts for curve in curves]), families=families, test=_test(curves, laws)
        )
        return replace(pool, left=tuple(left))

    @property
    def level(self) -> float:
        """Of all intervals."""
        return self.laws[0].level

    @property
    def b(self) -> Interval:
        """The mean of the rates."""
        return self.rates.mean

    @property
    def tau(self) -> Interval:
        """The standard deviation of the rates about their mean."""
        return self.rates.deviation

    @property
    def same(self) -> float:
        """p-value of one rate for all curves."""
        return self.rates.same

    def rate(self, curve: str) -> Interval:
        """b_a of one curve, drawn towards the others."""
        return self.rates.shrunken(self._place(curve))

    def c(self, curve: str) -> Interval:
        """c_a, with what the other curves say of b_a; open where b_a may be zero."""
        known = self._coefficient(self._place(curve), 0)
        return known if self.rate(curve).low > 0 else replace(known, high=math.inf)

    def e(self, curve: str) -> Interval:
        """The floor of one curve, with what the others say of its rate; open where that may be zero."""
        known = self._coefficient(self._place(curve), -1)
        return known if self.rate(curve).low > 0 else replace(known, low=-math.inf)

    @cached_property
    def one(self) -> Joint:
        """Complete pooling: the same b for all curves, fitted under their joint covariance."""
        return joint([law.ground.gaps for law in self.laws], self.total, level=self.level)

    @cached_property
    def rates(self) -> Heterogeneity:
        """What all curves say of b and τ."""
        parts = [_rate(law) for law in self.laws]
        ends = np.cumsum([0, *(len(law.ground.gaps.sizes) for law in self.laws)])
        turn = np.zeros((len(self.laws), len(self.total)))
        for place, (weights, _) in enumerate(parts):
            turn[place, ends[place] : ends[place + 1]] = weights
        errors = turn @ self.total @ turn.T
        scale = np.sqrt(np.maximum(np.diagonal(errors), 1e-300))
        prices = np.stack([price for _, price in parts])
        return Heterogeneity(self.laws[0].free.profile.shapes, prices, errors / np.outer(scale, scale), self.level)

    def sentences(self) -> tuple[str, ...]:
        """The mean rate, the spread about it, each curve, and the case of one rate for all."""
        may = "nothing speaks against one b for all" if self.same >= 1 - self.level else "one b for all does not fit"
        but = f", {len(self._doubted)} of which are not to be trusted to follow it," if self._doubted else ""
        head = (
            f"{len(self.laws)} curves{but} together: mean rate b = {self.b}, and rates of single curves scatter about "
            f"it by τ = {self.tau}; {may} (p = {self.same:.2g}). A further curve like these would have b = "
            f"{self.rates.another()}."
        )
        each = [self._sentence(name, law) for name, law in zip(self.names, self.laws, strict=True)]
        each += [f"{name}: {law.trust.doubt}." for name, law in self._doubted]
        one = f"If all have one b, it is {self.one.b}."
        few = f"{len(self.laws)} curves say little of how far rates scatter." if len(self.laws) < _FEW else ""
        thin = _gathered(self.names, [law.ground.remarks for law in self.laws])
        return (head, *each, one, *([few] if few else []), *self.left, *thin)

    def dictionary(self) -> dict[str, Any]:
        """All numbers as plain JSON data."""
        curves = {
            name: {
                "b": self.rate(name).dictionary(),
                "alone": law.b.dictionary(),
                "c": self.c(name).dictionary(),
                "e": self.e(name).dictionary(),
                "one_rate": {
                    "c": self.one.coefficient(i, 0).dictionary(),
                    "e": self.one.coefficient(i, 1).dictionary(),
                },
                "trust": law.trust.dictionary(),
                "remarks": list(law.ground.remarks),
            }
            for i, (name, law) in enumerate(zip(self.names, self.laws, strict=True))
        }
        return {
            "b": self.b.dictionary(),
            "tau": self.tau.dictionary(),
            "same_rate_p": self.same,
            "another": self.rates.another().dictionary(),
            "one_rate": self.one.b.dictionary(),
            "curves": curves,
            "left_out": list(self.left),
        }

    def _sentence(self, name: str, law: ScalingLaw) -> str:
        """One curve; its floor only where sizes and fit bear one."""
        said = f"{name}: b = {self.rate(name)} (alone {law.b})"
        if not law.trust.claims:
            return f"{said}."
        return f"{said}, c = {self.c(name).points}, floor e = {self.e(name).points}."

    @property
    def _doubted(self) -> list[tuple[str, ScalingLaw]]:
        """Curves that are not to be trusted to follow the form, whose rate therefore means little."""
        return [(name, law) for name, law in zip(self.names, self.laws, strict=True) if not law.trust.holds]

    def _place(self, curve: str) -> int:
        if curve not in self.names:
            raise OptionError(f"'{curve}' is not among the pooled: {', '.join(self.names)}.")
        return self.names.index(curve)

    def _coefficient(self, curve: int, index: int) -> Interval:
        """The single fit's profile with the price that the others put on each rate added, in units of its own t."""
        single = self.laws[curve].free
        row = np.zeros((len(single.profile.shapes), single.profile.design.shape[-1]))
        row[:, index] = 1.0
        weights, _ = single.profile.weights(row)
        reach = quantile(single.noise.freedom(weights), (1 + self.level) / 2)
        unit = float(reach / quantile(np.asarray(1e6), (1 + self.level) / 2)) ** 2
        priced = replace(single.profile, chi2=single.profile.chi2 + unit * self.rates.prior(curve))
        value, _ = priced.linear(row)
        low, high = priced.band(row, reach)
        return Interval(float(priced.at_best(value)), float(low), float(high), self.level)


def pooled(
    laws: Sequence[ScalingLaw],
    *,
    names: Sequence[str] = (),
    families: Sequence[int] | None = None,
    test: Array | None = None,
) -> PooledLaw:
    """The law of several curves that have been fitted each by itself, whatever their sizes, methods and studies.

    families: equal numbers for curves of the same sets (configurations of one study), whose errors go together; by
              default those of one method, kind of labels, seeds and data size with different configurations.
    test:     (N, N) covariance of all mean gaps by the choice of common test examples.
    Raises EvidenceError for fewer than two curves, OptionError for different levels.
    """
    if len(laws) < 2:
        raise EvidenceError("a pooled law needs two or more curves: use ScalingLaw.fit for one.")
    if len({law.level for law in laws}) > 1:
        raise OptionError("the curves have intervals of different levels: fit all with the same.")
    tables = [law.ground.table for law in laws]
    if families is None:
        kinds = [(t.method, t.labels, t.split, t.seeds, t.available) for t in tables]
        families = [_number(kind, kinds) for kind in kinds]
    called = tuple(names) or _names([("", t.method, t.labels, "+".join(t.configurations)) for t in tables])
    noises = [law.ground.gaps for law in laws]
    kin = kinship(tables, noises, families)
    return PooledLaw(tuple(laws), called, kin, covariance(noises, kin, test))


@dataclass(frozen=True)
class _Curve:
    """Rows of one curve, before it is fitted."""

    records: Records
    source: str
    method: str
    labels: str
    configuration: str
    doubled: str | None

    @property
    def parts(self) -> tuple[str, str, str, str]:
        return self.source, self.method, self.labels, self.configuration

    def fitted(self, level: float | None) -> ScalingLaw:
        kept = self.records if self.doubled else _without(self.records, self.method)
        return ScalingLaw.fit(
            kept,
            method=self.method,
            labels=self.labels,
            configuration=self.configuration,
            doubled=self.doubled,
            level=LEVEL if level is None else level,
        )

    def __str__(self) -> str:
        return f"{self.method} ({self.labels} labels, {self.configuration}, {self.source})"


def _without(records: Records, method: str) -> Records:
    return Records.of(row for row in records if row.method in (FULL, method))


def _curves(records: Records, source: str, method: str | None, labels: str | None, doubled: str | None) -> list[_Curve]:
    """All curves of one study."""
    names = {row.method for row in records} - {FULL}
    apart = {*doubled_names(names).values(), *([] if doubled is None else [doubled])}
    kinds = sorted({(row.method, row.labels) for row in records if row.method in names - apart})
    asked = [kind for kind in kinds if kind[0] == (method or kind[0]) and kind[1] == (labels or kind[1])]
    found = []
    for name, kind in asked:
        given = doubled if doubled is not None and doubled.startswith(name) else None
        again = given or doubled_for(records, name)
        there = dict.fromkeys(row.configuration for row in records if row.method == name and row.labels == kind)
        found += [_Curve(records, source, name, kind, configuration, again) for configuration in there]
    return found


def _rate(law: ScalingLaw) -> tuple[Array, Array]:
    """How a curve's rate weighs its mean gaps, (K,), and the price of each rate in units of a normal."""
    profile = law.free.profile
    _, weights = profile.weights(np.zeros((len(profile.shapes), profile.design.shape[-1])))
    freedom = float(law.free.noise.freedom(weights)) / 2  # half, as for the interval of a single law
    return weights, normal_price(profile.shapes, profile.chi2, freedom)


def _test(curves: Sequence[_Curve], laws: Sequence[ScalingLaw]) -> Array:
    """(N, N) covariance by the choice of test examples between curves of one study, at the sizes that all have."""
    ends = np.cumsum([0, *(len(law.ground.gaps.sizes) for law in laws)])
    made = np.zeros((ends[-1], ends[-1]))
    for source in dict.fromkeys(curve.source for curve in curves):
        places = [i for i, curve in enumerate(curves) if curve.source == source]
        tables = [laws[i].ground.table for i in places]
        shared = set.intersection(*(set(table.sizes.tolist()) for table in tables))
        cut = [table.without([k for k in table.sizes.tolist() if k not in shared], "") for table in tables]
        rows = [
            ends[i] + k
            for i, t in zip(places, tables, strict=True)
            for k in np.flatnonzero(np.isin(t.sizes, list(shared)))
        ]
        if shared:
            made[np.ix_(rows, rows)] = common_test_error(curves[places[0]].records, cut)
    return made


def _number(item: Any, items: Sequence[Any]) -> int:
    return list(items).index(item)


def _names(parts: Sequence[tuple[str, str, str, str]]) -> tuple[str, ...]:
    """What tells the curves apart: of source, method, labels and configuration those that differ."""
    differ = [i for i in range(4) if len({part[i] for part in parts}) > 1]
    names = [", ".join(part[i] for i in differ) for part in parts]
    return tuple(n if n and names.count(n) == 1 else f"{n or 'curve'} {i + 1}" for i, n in enumerate(names))


def _gathered(names: Sequence[str], remarks: Sequence[Sequence[str]]) -> list[str]:
    """Remarks that all curves share, once; the others under the curve's name."""
    shared = [text for text in dict.fromkeys(remarks[0]) if all(text in told for told in remarks)]
    single = [f"{n}: {text}" for n, told in zip(names, remarks, strict=True) for text in told if text not in shared]
    return [*(f"All curves: {text}" for text in shared), *single]
