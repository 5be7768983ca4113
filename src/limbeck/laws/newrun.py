"""What a new distil-and-train run will do: predictive bounds, and the sizes that they may be given for."""

from dataclasses import dataclass
from typing import final

import numpy as np

from limbeck.errors import EvidenceError
from limbeck.laws.evidence import Ground
from limbeck.laws.fit import Fit, quantile
from limbeck.laws.formfit import FormFit
from limbeck.laws.forms import FreePower
from limbeck.laws.law import Array, Interval
from limbeck.laws.noise import Noise
from limbeck.laws.trust import Trust, standing, trusted

__all__ = ["Dropped", "NewRuns"]


@final
@dataclass(frozen=True)
class Dropped:
    """What the variance of a new run knows nothing of: ``failed`` of so many networks, ``outlying`` of so many runs."""

    failed: int
    networks: int
    outlying: int
    runs: int

    def clause(self) -> str:
        """The condition of every promise, "" where nothing was dropped."""
        said = [f"{self.failed} of {self.networks} networks did"] if self.failed else []
        said += [f"{self.outlying} of {self.runs} runs lay far from the others"] if self.outlying else []
        return f", if the run does not fail ({' and '.join(said)})" if said else ""

    def dictionary(self) -> dict[str, int]:
        """Plain JSON data."""
        return {
            "failed": self.failed,
            "networks": self.networks,
            "outlying": self.outlying,
            "runs": self.runs,
        }


@final
@dataclass(frozen=True)
class NewRuns:
    """Bounds of a new run's gap, or of its risk.

    They are those of the free power law where it is trusted, within the measured sizes where these are too few for
    more. Where it is not trusted, they are the worst of all forms that are not refuted, within the measured sizes;
    where every form is refuted, the worse of the free fit's and of what the size's own mean and variance say, at the
    measured sizes alone.
    ground, noise: what was measured.  forms: fitted to ``noise``, the best prediction first.
    """

    ground: Ground
    noise: Noise
    forms: tuple[FormFit, ...]
    trust: Trust
    dropped: Dropped

    @staticmethod
    def of(ground: Ground, noise: Noise, forms: tuple[FormFit, ...], failed: tuple[int, int] = (0, 0)) -> "NewRuns":
        """failed: networks that failed, and all networks."""
        runs = int(np.isfinite(ground.table.risks).sum())
        dropped = Dropped(*failed, runs - int(noise.counts.sum()), runs)
        return NewRuns(ground, noise, forms, trusted(forms, noise.sizes), dropped)

    @property
    def free(self) -> Fit:
        """The free power law."""
        return next(each.fit for each in self.forms if isinstance(each.fit.form, FreePower))

    @property
    def fits(self) -> tuple[Fit, ...]:
        """What the bounds rest on; none where every form is refuted."""
        if self.trust.holds:
            return (self.free,)
        return tuple(each.fit for each in standing(self.forms))

    @property
    def smallest(self) -> float:
        """The smallest measured size."""
        return float(self.noise.sizes[0])

    @property
    def largest(self) -> float:
        """The largest measured size."""
        return float(self.noise.sizes[-1])

    @property
    def available(self) -> int:
        """Real examples a class, or the largest measured size."""
        return int(max(self.ground.table.available, self.largest))

    def sizes(self) -> list[int]:
        """Whole sizes, ascending, among which a plan is sought: about 120 as far as bounds may be given."""
        if not self.fits:
            return [int(size) for size in self.noise.sizes if float(size).is_integer()]
        first = max(1, int(np.ceil(self.smallest)))
        last = max(first, self.available if self.trust.claims else int(self.largest))
        return [int(size) for size in np.unique(np.geomspace(first, last, 120).round().astype(int))]

    def at(self, size: float, certainty: float, *, run: bool = True) -> Interval:
        """Expected at ``size``; a new run stays below ``high``, and above ``low``, with ``certainty`` each.

        run: False for the mean of all runs instead of one new run. Raises EvidenceError where nothing may be said.
        """
        self._check(size)
        added = self.ground.new_run(size) if run else np.zeros(())
        if self.fits:
            bounds = [fit.new_run(size, certainty, added) for fit in self.fits]
            value = float(self.fits[0].gap(size))
        else:
            bounds = [self.free.new_run(size, certainty, added), self._measured(size, certainty, added)]
            value = float(self.noise.mean[self.noise.sizes == size][0])
        low, high = min(float(each[0]) for each in bounds), max(float(each[1]) for each in bounds)
        return Interval(value, low, high, certainty)

    def _check(self, size: float) -> None:
        if self.trust.claims:
            return
        why = self.trust.doubt or f"{self.trust.thin}: a demonstration"
        if self.fits and not self.smallest <= size <= self.largest:
            raise EvidenceError(
                f"{why}, so nothing is said outside the measured sizes: ask for {self.smallest:g} to {self.largest:g} "
                "a class."
            )
        if not self.fits and size not in self.noise.sizes:
            known = ", ".join(f"{each:g}" for each in self.noise.sizes)
            raise EvidenceError(f"{why}, and no other form does: ask for one of {known} a class.")

    def _measured(self, size: float, certainty: float, added: Array) -> tuple[Array, Array]:
        """What the mean and the variance of this size alone say."""
        place = (self.noise.sizes == size).astype(np.float64)
        mean = self.noise.mean @ place
        variance = place @ self.noise.covariance() @ place + added
        half = quantile(self.noise.freedom(place, new=size, added=added), certainty) * np.sqrt(variance)
        return np.asarray(mean - half), np.asarray(mean + half)
