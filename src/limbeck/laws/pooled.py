"""One rate for several configurations: gap_a(k) = c_a·k^(-b) + e_a with b shared, fitted to all of them together."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from limbeck.errors import EvidenceError, OptionError
from limbeck.evaluation.records import Records
from limbeck.laws.evidence import Ground, ground
from limbeck.laws.fit import fit, quantile
from limbeck.laws.forms import FreePower
from limbeck.laws.law import LEVEL, Array, Interval, Law
from limbeck.laws.profile import Profile, project_design
from limbeck.laws.table import common_test_error, configurations, gap_table

__all__ = ["PooledLaw"]


@final
@dataclass(frozen=True)
class PooledLaw(Law):
    """The law of several configurations with one b.

    The same sets stand behind all configurations, so that their errors are correlated; the correlation over
    distillation seeds is estimated from all sizes together, that by the test examples from the stored correctness.
    grounds:    one a configuration.  profile: of the joint fit; coefficients are c_1, e_1, c_2, e_2, …
    same:       p-value of "one b for all" against a b of its own for each, χ² with M − 1 degrees of freedom.
    """

    grounds: tuple[Ground, ...]
    profile: Profile
    freedom: float
    same: float
    level: float = LEVEL

    @staticmethod
    def fit(
        records: Records, *, method: str | None = None, labels: str | None = None, level: float = LEVEL
    ) -> "PooledLaw":
        """Fit all configurations of one method. Raises EvidenceError where there are fewer than two, or OptionError."""
        names = configurations(records, method=method, labels=labels)
        if len(names) < 2:
            raise EvidenceError("a pooled law needs two or more configurations: use ScalingLaw.fit for one.")
        tables = [gap_table(records, method=method, labels=labels, configuration=name) for name in names]
        grounds = tuple(ground(table, level=level) for table in tables)
        if any(len(g.table.sizes) != len(grounds[0].table.sizes) for g in grounds):
            raise EvidenceError("the configurations have different sizes with enough seeds: evaluate all by the same.")
        test = common_test_error(records, tables)
        return _fit(grounds, test, level)

    @property
    def b(self) -> Interval:
        """The shared exponent."""
        reach = quantile(np.asarray(self.freedom / 2), (1 + self.level) / 2)  # half, as for a single law
        low, high = self.profile.shape_ends(reach)
        return Interval(float(self.profile.at_best(self.profile.shapes)), float(low), float(high), self.level)

    def c(self, configuration: str) -> Interval:
        """That of one configuration."""
        return self._coefficient(configuration, 0)

    def e(self, configuration: str) -> Interval:
        """The floor of one configuration."""
        return self._coefficient(configuration, 1)

    @property
    def configurations(self) -> tuple[str, ...]:
        """Those that are pooled."""
        return tuple(g.table.configurations[0] for g in self.grounds)

    def sentences(self) -> tuple[str, ...]:
        """The shared rate, whether it may be shared, and each floor."""
        may = "nothing speaks against one b for all" if self.same >= 1 - self.level else "one b for all does not fit"
        head = f"{len(self.grounds)} configurations together: b = {self.b}; {may} (p = {self.same:.2g})."
        each = [f"{name}: c = {self.c(name)}, e = {self.e(name)}." for name in self.configurations]
        return (head, *each, *dict.fromkeys(text for g in self.grounds for text in g.remarks))

    def dictionary(self) -> dict[str, Any]:
        """All numbers as plain JSON data."""
        floors = {n: {"c": self.c(n).dictionary(), "e": self.e(n).dictionary()} for n in self.configurations}
        return {"b": self.b.dictionary(), "same_rate_p": self.same, "configurations": floors}

    def _coefficient(self, configuration: str, place: int) -> Interval:
        if configuration not in self.configurations:
            raise OptionError(f"'{configuration}' is not among the pooled: {', '.join(self.configurations)}.")
        row = np.zeros((len(self.profile.shapes), 2 * len(self.grounds)))
        row[:, 2 * self.configurations.index(configuration) + place] = 1.0
        value, _ = self.profile.linear(row)
        low, high = self.profile.band(row, quantile(np.asarray(self.freedom), (1 + self.level) / 2))
        return Interval(float(self.profile.at_best(value)), float(low), float(high), self.level)


def _fit(grounds: tuple[Ground, ...], test: Array, level: float) -> PooledLaw:
    sizes, number = grounds[0].table.sizes, len(grounds)
    form = FreePower()
    shapes = form.shapes(sizes)
    one = form.design(sizes, shapes)
    design = np.einsum("ab,gkp->gakbp", np.eye(number), one).reshape(len(shapes), number * len(sizes), 2 * number)
    gaps = np.concatenate([g.gaps.mean for g in grounds])
    covariance = _covariance(grounds, test)
    profile = project_design(design, shapes, gaps, covariance)
    from scipy.special import chdtrc

    # separate fits ignore the correlation: their χ² is taken from the joint covariance, each at its own best shape
    own = _separate(design, gaps, covariance, [int(fit(form, g.gaps).profile.chi2.argmin()) for g in grounds])
    rise = max(0.0, float(profile.chi2.min()) - own)
    freedom = float(min((g.gaps.counts - 1).sum() for g in grounds))
    return PooledLaw(grounds, profile, freedom, float(chdtrc(number - 1, rise)), level)


def _separate(design: Array, gaps: Array, covariance: Array, best: list[int]) -> float:
    """χ² under the joint covariance when each configuration has the shape that fits it best."""
    columns = design[best[0]].copy()
    size = len(gaps) // len(best)
    for place, index in enumerate(best):
        columns[place * size : (place + 1) * size] = design[index][place * size : (place + 1) * size]
    return float(project_design(columns[None], np.ones(1), gaps, covariance).chi2[0])


def _covariance(grounds: tuple[Ground, ...], test: Array) -> Array:
    """(M·K, M·K): seeds' variance with its correlation between configurations, references', and the test set's."""
    sizes, number = grounds[0].table.sizes, len(grounds)
    deviations = [g.table.risks - np.nanmean(g.table.risks, 1, keepdims=True) for g in grounds]
    scales = [np.sqrt(g.gaps.trend.at(sizes)) for g in grounds]
    standard = np.stack([(d / s[:, None]).ravel() for d, s in zip(deviations, scales, strict=True)])
    standard = np.clip(standard[:, np.isfinite(standard).all(0)], -4, 4)  # an outlying run must not make a correlation
    correlation = np.atleast_2d(np.corrcoef(standard))
    # towards independence by one part in ten, so that few seeds cannot make it singular
    correlation = 0.9 * correlation + 0.1 * np.eye(number)
    total = test.copy()
    count = len(sizes)
    for a, first in enumerate(grounds):
        for b, second in enumerate(grounds):
            block = np.s_[a * count : (a + 1) * count, b * count : (b + 1) * count]
            seeds = np.sqrt(first.gaps.counts * second.gaps.counts)
            total[block] += np.diag(correlation[a, b] * scales[a] * scales[b] / seeds)
            if a == b:
                total[block] += first.gaps.shared
    return total
