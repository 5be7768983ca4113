"""One form beside the others: how well it fits, and how well it predicted the sizes that it had not seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.laws.fit import Fit, fit
from limbeck.laws.forms import FORMS
from limbeck.laws.heldout import HeldOut, held_out
from limbeck.laws.noise import Noise

__all__ = ["REFUTED", "FormFit", "form_fits"]

REFUTED = 0.01  # how rarely the misfit, or the held-out sizes together, may speak against a form that is true


@dataclass(frozen=True)
class FormFit:
    """One form beside the others.

    misfit: p-value of χ² against the noise of the runs, F(K − parameters, ν); None where no freedom is left.
    aicc:   Akaike's criterion with its correction for few sizes; beside, never before, the held-out score.
    held:   what it said of the largest sizes, fitted without them; None where there are too few.
    missed: how many of them lie outside intervals that hold all of them together with 99 %.
    """

    fit: Fit
    chi2: float
    misfit: float | None
    aicc: float | None
    held: HeldOut | None
    missed: int = 0

    @property
    def name(self) -> str:
        """The form as a person writes it."""
        return self.fit.form.name

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        held = None if self.held is None else self.held.dictionary()
        return {
            "form": self.name,
            "chi2": self.chi2,
            "misfit_p": self.misfit,
            "aicc": self.aicc,
            "held_out": held,
            "missed": self.missed,
        }


def form_fits(noise: Noise, *, level: float) -> tuple[FormFit, ...]:
    """All forms, the best prediction of the held-out sizes first."""
    fits = [_form(fit(form, noise), level) for form in FORMS]
    return tuple(sorted(fits, key=lambda each: -np.inf if each.held is None else -each.held.score))


def _form(known: Fit, level: float) -> FormFit:
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
    enough = len(noise.sizes) - held >= max(parameters, 3)
    if not enough:
        return FormFit(known, chi2, misfit, aicc, None)
    told, wide = (held_out(known.form, noise, held=held, level=each) for each in (level, 1 - REFUTED / held))
    return FormFit(known, chi2, misfit, aicc, told, held - wide.inside)
