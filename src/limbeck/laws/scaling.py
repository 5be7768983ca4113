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
from limbeck.laws.forms import FORMS, FreePower, Power
from limbeck.laws.heldout import HeldOut, held_out
from limbeck.laws.law import LEVEL, Array, Interval, Law
from limbeck.laws.plan import Plan, Target, plan
from limbeck.laws.rate import Rate, judge
from limbeck.laws.saturation import Saturation, saturation
from limbeck.laws.table import GapTable, gap_table

__all__ = ["FormFit", "ScalingLaw"]


@dataclass(frozen=True)
class FormFit:
    """One form beside the others.

    misfit: p-value of χ² against the noise of the runs, F(K − parameters, ν); None where no freedom is left.
    aicc:   Akaike's criterion with its correction for few sizes; beside, never before, the held-out score.
    """

    fit: Fit
    chi2: float
    misfit: float | None
    aicc: float | None
    held: HeldOut | None

    @property
    def name(self) -> str:
        """The form as a person writes it."""
        return self.fit.form.name

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        held = None if self.held is None else self.held.dictionary()
        return {"form": self.name, "chi2": self.chi2, "misfit_p": self.misfit, "aicc": self.aicc, "held_out": held}


@final
@dataclass(frozen=True)
class ScalingLaw(Law):
    """The law of one gap table. Numbers of the free fit; those of the paper's form under ``half``.

    ground: the table that is left after unconverged sizes and outlying runs, its noise, and what must be said of it.
    level:  of all intervals.
    """

    ground: Ground
    level: float = LEVEL

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
        return ScalingLaw.of(table, doubled=again, level=level)

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
        known = self._interval(self.free.coefficient(-1, self.level))
        return known if self.b.low > 0 else replace(known, low=-math.inf)

    @property
    def of_half(self) -> tuple[Interval, Interval]:
        """c and e where b = 1/2 is given."""
        c, e = (self._interval(self.half.coefficient(i, self.level)) for i in (0, -1))
        return c, e

    @cached_property
    def forms(self) -> tuple[FormFit, ...]:
        """All forms, the best prediction of the held-out sizes first."""
        fits = [self._form(known) for known in (fit(form, self.ground.noise) for form in FORMS)]
        return tuple(sorted(fits, key=lambda each: -np.inf if each.held is None else -each.held.score))

    @cached_property
    def rate(self) -> Rate:
        """Bound respected, tight, slower at this budget, or not distinguishable."""
        return judge(self.free, level=self.level)

    def saturation(self, gain: float = 0.01) -> Saturation:
        """From which size on twice as many examples close less than ``gain`` of the gap."""
        return saturation(self.free, gain, level=self.level)

    def gap_at(self, per_class: float, *, certainty: float = LEVEL) -> Interval:
        """The gap of a *new* distil-and-train run of one network: it stays below ``high``, and above ``low``, with
        ``certainty`` each."""
        if not (per_class > 0 and 0.5 < certainty < 1):
            raise OptionError("a gap is asked for at a positive size and a certainty between 0.5 and 1.")
        added = self.ground.new_run(per_class)
        low, high = self.free.new_run(per_class, certainty, added)
        return Interval(float(self.free.gap(per_class)), float(low), float(high), certainty)

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
        return plan(self.ground, Target.of(gap=gap, accuracy=accuracy, error=error), certainty=certainty)

    def sentences(self) -> tuple[str, ...]:
        """The law, its evidence, and what was left out."""
        first = self.forms[0]
        head = f"{self.ground.table}: gap(k) = c·k^(-b) + e with c = {self.c}, b = {self.b}, e = {self.e}."
        said = [head, self.rate.sentence(), self.saturation().sentence()]
        if first.held is not None:
            held = first.held
            sizes = ", ".join(f"{size:g}" for size in held.sizes)
            said.append(
                f"Fitted without {sizes} a class, {first.name} predicted them best: {held.inside} of "
                f"{len(held.sizes)} within its {self.level:.0%} intervals."
            )
        return (*said, *self.ground.remarks)

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
            "sizes": [{"per_class": k, "gap": g, "error": s, "residual": r} for k, g, s, r in rows],
            "free": free,
            "half": {"c": c.dictionary(), "e": e.dictionary()},
            "rate": self.rate.dictionary(),
            "saturation": self.saturation().dictionary(),
            "forms": [each.dictionary() for each in self.forms],
            "remarks": list(self.ground.remarks),
        }

    def residuals(self) -> Array:
        """(K,) whitened residuals of the free fit: about standard normal where the form is right."""
        profile = self.free.profile
        best = int(profile.chi2.argmin())
        return np.asarray(profile.whitener @ (self.free.noise.mean - profile.design[best] @ profile.coefficients[best]))

    def _form(self, known: Fit) -> FormFit:
        noise, parameters = known.noise, known.form.parameters
        chi2, left = float(known.profile.chi2.min()), len(noise.sizes) - parameters
        misfit = None
        if left > 0:
            from scipy.special import fdtrc

            freedom = float(noise.counts.sum() - len(noise.sizes))
            misfit = float(fdtrc(left, freedom, chi2 / left))
        room = len(noise.sizes) - parameters - 1
        aicc = chi2 + 2 * parameters + 2 * parameters * (parameters + 1) / room if room > 0 else None
        held = max(1, len(noise.sizes) // 4)
        enough = len(noise.sizes) - held >= max(known.form.parameters, 3)
        told = held_out(known.form, noise, held=held, level=self.level) if enough else None
        return FormFit(known, chi2, misfit, aicc, told)

    def _interval(self, ends: tuple[Array, Array, Array]) -> Interval:
        value, low, high = (float(each) for each in ends)
        return Interval(value, low, high, self.level)
