"""The scaling law: gap(k) = c·k^(-b) + e, fitted, held against other forms and against sizes it has not seen."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from limbeck.errors import OptionError
from limbeck.evaluation.records import Records
from limbeck.laws.evidence import Ground, ground
from limbeck.laws.fit import Fit, fit
from limbeck.laws.formfit import FormFit, form_fits
from limbeck.laws.forms import FreePower, Power
from limbeck.laws.law import IMPOSSIBLE, LEVEL, Array, Interval, Law, points
from limbeck.laws.newrun import NewRuns
from limbeck.laws.plan import Plan, Target, floor_of, plan, seen
from limbeck.laws.rate import Rate, judge
from limbeck.laws.saturation import GAIN, Saturation, measured_saturation, saturation
from limbeck.laws.table import GapTable, gap_table
from limbeck.laws.trust import MARGIN, Trust

__all__ = ["ScalingLaw"]

_BANDS = 25  # sizes at which the bands stand in the data


@final
@dataclass(frozen=True)
class ScalingLaw(Law):
    """The law of one gap table. Numbers of the free fit; those of the paper's form under ``half``.

    ground: the table that is left after unconverged sizes and outlying runs, its noise, and what must be said of it.
    level:  of all intervals.  gain: below which a doubling counts as saturated.
    failed: networks of the method that failed, and all of them.
    """

    ground: Ground
    level: float = LEVEL
    gain: float = GAIN
    failed: tuple[int, int] = (0, 0)

    @staticmethod
    def fit(
        records: Records,
        *,
        method: str | None = None,
        labels: str | None = None,
        configuration: str | None = None,
        doubled: str | None = None,
        level: float = LEVEL,
    ) -> "ScalingLaw":
        """The law of one method's rows and the full-data references among ``records``.

        doubled: the name of the method whose rows are the same by twice the distillation budget, at the two largest
                 sizes; a size whose gap moves by more than its interval is kept out of the fit.
        Raises EvidenceError where there are fewer than 4 sizes with 2 distillation seeds, or fewer than 2 references;
        OptionError where rows of several methods or kinds of labels are mixed and none is named.
        """
        names = sorted({row.method for row in records if row.method != doubled})
        kept = Records.of(row for row in records if row.method in names)
        table = gap_table(kept, method=method, labels=labels, configuration=configuration)
        again = None
        if doubled is not None:
            again = gap_table(records, method=doubled, labels=table.labels, configuration=configuration)
        mine = kept.where(method=table.method, labels=table.labels)
        mine = mine if configuration is None else mine.where(configuration=configuration)
        failed = sum(not row.finished for row in mine), len(mine)
        return replace(ScalingLaw.of(table, doubled=again, level=level), failed=failed)

    @staticmethod
    def of(table: GapTable, *, doubled: GapTable | None = None, level: float = LEVEL) -> "ScalingLaw":
        """The law of a table."""
        if not 0 < level < 1:
            raise OptionError(f"the level is {level}: it must lie strictly between 0 and 1, e.g. 0.95.")
        return ScalingLaw(ground(table, doubled, level=level), level)

    @cached_property
    def free(self) -> Fit:
        """c·k^(-b) + e with b free."""
        return fit(FreePower(), self.ground.noise)

    @cached_property
    def half(self) -> Fit:
        """c·k^(-1/2) + e."""
        return fit(Power(), self.ground.noise)

    @property
    def b(self) -> Interval:
        """The exponent; 0 and ∞ mean that the data do not bound it."""
        return self._interval(self.free.shape(self.level))

    @property
    def c(self) -> Interval:
        """The gap that one example a class has above the floor, whatever b is; open where b may be zero."""
        known = self._interval(self.free.coefficient(0, self.level))
        return known if self.b.low > 0 else replace(known, high=math.inf)

    @property
    def e(self) -> Interval:
        """The floor, whatever b is: negative where sets end up better than full data, open where b may be zero."""
        return floor_of(self.free, self.level)

    @property
    def of_half(self) -> tuple[Interval, Interval]:
        """c and e where b = 1/2 is given."""
        c, e = (self._interval(self.half.coefficient(i, self.level)) for i in (0, -1))
        return c, e

    @cached_property
    def forms(self) -> tuple[FormFit, ...]:
        """All forms, the best prediction of the held-out sizes first."""
        return form_fits(self.ground.gaps, level=self.level)

    @cached_property
    def runs(self) -> NewRuns:
        """The gaps of new runs."""
        return NewRuns.of(self.ground, self.ground.gaps, self.forms, self.failed)

    @cached_property
    def risks(self) -> NewRuns:
        """The risks of new runs."""
        forms = form_fits(self.ground.risks, level=self.level)
        return NewRuns.of(self.ground, self.ground.risks, forms, self.failed)

    @property
    def trust(self) -> Trust:
        """Whether the free fit may be believed."""
        return self.runs.trust

    @cached_property
    def rate(self) -> Rate:
        """Tight, faster, slower at this budget, not distinguishable, or why there is no rate."""
        return judge(self.free, self.trust, level=self.level)

    def saturation(self, gain: float | None = None) -> Saturation:
        """From which size on twice as many examples close less than ``gain`` of the gap.

        By the law where it holds over enough sizes; else what doubling gained between the two largest sizes.
        """
        asked = self.gain if gain is None else gain
        if self.trust.claims:
            return saturation(self.free, asked, level=self.level)
        return measured_saturation(self.ground.noise, asked, level=self.level)

    def gap_at(self, per_class: float, *, certainty: float = LEVEL) -> Interval:
        """The gap of a *new* distil-and-train run of one network: it stays below ``high``, and above ``low``, with
        ``certainty`` each. Raises OptionError, or EvidenceError outside the measured sizes of a law that is refuted."""
        if not (0 < per_class < math.inf and 0.5 < certainty < 1):
            raise OptionError("a gap is asked for at a positive size and a certainty between 0.5 and 1.")
        return self.runs.at(per_class, certainty)

    def samples_for(
        self,
        *,
        gap: float | None = None,
        accuracy: float | None = None,
        error: float | None = None,
        certainty: float = LEVEL,
    ) -> Plan:
        """How many examples a class a new run needs so that it reaches the target with ``certainty``.

        One of: gap to full data, accuracy, or error = 1 − accuracy (fractions). ``Plan.with_costs`` adds stored values
        and seconds. Raises OptionError where not exactly one target is given.
        """
        target = Target.of(gap=gap, accuracy=accuracy, error=error)
        return plan(self.runs if target.measure == "gap" else self.risks, target, certainty=certainty)

    def sentences(self) -> tuple[str, ...]:
        """Whether the law holds, its numbers, its evidence, and what was left out."""
        return (self._head(), *self._evidence(), *self.ground.remarks)

    def dictionary(self) -> dict[str, Any]:
        """All numbers as plain JSON data."""
        noise = self.ground.noise
        free = {"c": self.c.dictionary(), "b": self.b.dictionary(), "e": self.e.dictionary()}
        c, e = self.of_half
        rows = zip(noise.sizes, noise.mean, np.sqrt(np.diag(noise.covariance())), self.residuals(), strict=True)
        return {
            "method": self.ground.table.method,
            "labels": self.ground.table.labels,
            "configurations": list(self.ground.table.configurations),
            "split": self.ground.table.split,
            "trust": self.trust.dictionary(),
            "dropped": self.runs.dropped.dictionary(),
            "sizes": [{"per_class": k, "gap": g, "error": s, "residual": r} for k, g, s, r in rows],
            "free": free,
            "half": {"c": c.dictionary(), "e": e.dictionary()},
            "bands": self._bands(),
            "rate": self.rate.dictionary(),
            "saturation": self.saturation().dictionary(),
            "forms": [each.dictionary() for each in self.forms],
            "remarks": list(self.ground.remarks),
            "sentences": list(self.sentences()),
        }

    def residuals(self) -> Array:
        """(K,) whitened residuals of the free fit: about standard normal where the form is right."""
        profile = self.free.profile
        best = int(profile.chi2.argmin())
        return np.asarray(profile.whitener @ (self.free.noise.mean - profile.design[best] @ profile.coefficients[best]))

    def grid(self, number: int) -> tuple[float, ...]:
        """Sizes for a curve: twice as far as measured where the law is claimed, else as far as measured."""
        last = self.runs.largest * (2 if self.trust.claims else 1)
        return tuple(float(k) for k in np.geomspace(self.runs.smallest, last, number))

    def _head(self) -> str:
        table, noise = self.ground.table, self.ground.noise
        first, last = (f"{points(noise.mean[i])} points at {noise.sizes[i]:g} a class" for i in (0, -1))
        start = f"{'A demonstration: ' if self.trust.thin else ''}{table}: "
        if not self.trust.holds:
            return (
                f"{start}{self.trust.doubt}; the gap goes from {first} to {last}, and no rate, floor or size beyond is "
                "read off."
            )
        if self.trust.thin:
            return f"{start}the gap goes from {first} to {last}; no rate or floor is read off ({self.trust.thin})."
        floor = f"e = {self.e.points}"
        if not seen(self.e):
            most = f" (e is at most {points(self.e.high)} points)" if self.e.high > IMPOSSIBLE else ""
            floor = f"no floor is seen{most}"
        return f"{start}gap(k) = c·k^(-b) + e with c = {self.c.points}, b = {self.b}; {floor}."

    def _evidence(self) -> tuple[str, ...]:
        said = [self.rate.sentence(), self.saturation().sentence()]
        first, *others = self.forms
        if first.held is not None:
            held, sizes = first.held, ", ".join(f"{size:g}" for size in first.held.sizes)
            near = [o.name for o in others if o.held is not None and held.score - o.held.score < MARGIN]
            told = f", not told apart from {', '.join(near)} (less than {MARGIN:g} in score)" if near else ""
            said.append(
                f"fitted without {sizes} a class, {first.name} predicted them best{told}: {held.inside} of "
                f"{len(held.sizes)} within its {100 * self.level:g}% intervals."
            )
        return tuple(text[:1].upper() + text[1:] for text in said)

    def _bands(self) -> list[dict[str, float]]:
        """The fit, the band of its mean, and what new runs stay below with the law's level, wherever it may be said."""
        rows = []
        for size in self.grid(_BANDS) if self.runs.fits else tuple(float(k) for k in self.ground.noise.sizes):
            low, high = (float(end) for end in self.free.mean_band(size, self.level))
            gap, below = float(self.free.gap(size)), self.below(size)
            rows.append({"per_class": size, "gap": gap, "low": low, "high": high, "new_run_below": below})
        return rows

    @property
    def certainty(self) -> float:
        """That of the bounds of new runs beside the law: its level, or 0.6 where that is lower."""
        return max(self.level, 0.6)

    def below(self, size: float) -> float:
        """What the gap of a new run stays below with ``certainty``."""
        return self.runs.at(size, self.certainty).high

    def _interval(self, ends: tuple[Array, Array, Array]) -> Interval:
        value, low, high = (float(each) for each in ends)
        return Interval(value, low, high, self.level)
