"""Whether c·k^(-b) + e may be believed: what its misfit and the held-out sizes say, and whether there are enough."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from limbeck.laws.evidence import thin
from limbeck.laws.formfit import REFUTED, FormFit
from limbeck.laws.forms import Exponential, Flat, Form, FreePower, Logarithmic, Power
from limbeck.laws.law import Array

__all__ = ["MARGIN", "Trust", "standing", "trusted"]

MARGIN = 2.0  # of the held-out score; smaller differences tell no forms apart

# A form's special cases are no rivals: where they predict better, the form is right and only vaguer.
_SPECIAL: dict[type[Form], tuple[type[Form], ...]] = {
    FreePower: (Power, Flat),
    Power: (Flat,),
    Logarithmic: (Flat,),
    Exponential: (Flat,),
    Flat: (),
}


@final
@dataclass(frozen=True)
class Trust:
    """What speaks for and against the free power law.

    misfit:   p of its χ², None where no freedom is left.
    inside:   of the ``held`` held-out sizes, how many lie within intervals that hold all of them together with 99 %;
              0 of 0 where none can be held out.
    behind:   how far its held-out score lies below that of ``best``, the best form that is no special case of it.
    standing: names of all forms that the same rule does not refute, the best prediction first.
    thin:     why the sizes are a demonstration and no evidence, "" where they bear a verdict.
    """

    misfit: float | None
    inside: int
    held: int
    behind: float
    best: str
    standing: tuple[str, ...]
    thin: str

    @property
    def holds(self) -> bool:
        """True where nothing speaks against it: misfit p ≥ 0.01, all held-out sizes inside, score at most 2 behind.

        A law that does not pass is not trusted, which costs plans and claims, but it is not said to be false.
        """
        return not self._faults

    @property
    def claims(self) -> bool:
        """True where it holds and the sizes are enough: only then are a rate and a floor stated."""
        return self.holds and not self.thin

    @property
    def _faults(self) -> tuple[str, ...]:
        found = []
        if self.misfit is not None and self.misfit < REFUTED:
            found.append(f"misfit p = {self.misfit:.1g}")
        if self.inside < self.held:
            found.append(f"{self.inside} of {self.held} held-out sizes within their 99 % intervals")
        if self.behind > MARGIN:
            found.append(f"{self.best} predicted them better, by {self.behind:.1f} in score")
        return tuple(found)

    @property
    def doubt(self) -> str:
        """The clause that is said before anything else where the law does not hold, else ""."""
        return "" if self.holds else f"c·k^(-b) + e is not to be trusted for these gaps ({'; '.join(self._faults)})"

    @property
    def basis(self) -> str:
        """What predictions rest on instead, as a clause; "" where the law holds."""
        if self.holds:
            return ""
        if not self.standing:
            return "by the measured sizes alone"
        if len(self.standing) == 1:
            return f"by {self.standing[0]}"
        return f"by the most careful of {', '.join(self.standing[:-1])} and {self.standing[-1]}"

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "holds": self.holds,
            "misfit_p": self.misfit,
            "inside": self.inside,
            "held_out": self.held,
            "score_behind": self.behind if math.isfinite(self.behind) else None,
            "best": self.best,
            "standing": list(self.standing),
            "demonstration": self.thin,
            "doubt": self.doubt,
        }


class _Case(NamedTuple):
    misfit: float | None
    inside: int
    held: int
    behind: float
    best: str


def trusted(forms: tuple[FormFit, ...], sizes: Array) -> Trust:
    """Judge the free power law among all ``forms``, fitted to the same ``sizes``, the best prediction first."""
    free = next(each for each in forms if isinstance(each.fit.form, FreePower))
    names = tuple(each.name for each in standing(forms))
    return Trust(*_case(free, forms), names, thin(sizes))


def standing(forms: tuple[FormFit, ...]) -> tuple[FormFit, ...]:
    """The forms that neither their misfit nor the held-out sizes refute, in their order."""
    return tuple(each for each in forms if Trust(*_case(each, forms), (), "").holds)


def _case(each: FormFit, forms: tuple[FormFit, ...]) -> _Case:
    rivals = [other for other in forms if type(other.fit.form) not in _SPECIAL[type(each.fit.form)] and other.held]
    if each.held is None or not rivals:
        return _Case(each.misfit, 0, 0, 0.0, each.name)
    best = max(rivals, key=lambda other: other.held.score if other.held else -math.inf)
    assert best.held is not None
    number = len(each.held.sizes)
    return _Case(each.misfit, number - each.missed, number, best.held.score - each.held.score, best.name)
