"""One form fitted to noisy gaps: its numbers, their t-type intervals, and what a new run would do."""

from dataclasses import dataclass

import numpy as np

from limbeck.laws.forms import Form
from limbeck.laws.law import Array
from limbeck.laws.noise import Noise
from limbeck.laws.profile import Profile, project

__all__ = ["Fit", "fit", "quantile"]


@dataclass(frozen=True)
class Fit:
    """A form, the noise it was fitted under, and the profile over its shape; any number of leading axes.

    Intervals are profile intervals: all values that the data allow for *some* shape at the price t²_{ν} in χ², with ν
    Satterthwaite's degrees of freedom of the variance that the quantity has under the noise model.
    """

    form: Form
    noise: Noise
    profile: Profile

    def coefficient(self, index: int, level: float) -> tuple[Array, Array, Array]:
        """Value, low and high of β_index (0: c, −1: the intercept), (…,) each."""
        row = np.zeros((len(self.profile.shapes), self.profile.design.shape[-1]))
        row[:, index] = 1.0
        weights, _ = self.profile.weights(row)
        reach = quantile(self.noise.freedom(weights), (1 + level) / 2)
        value, _ = self.profile.linear(row)
        return self.profile.at_best(value), *self.profile.band(row, reach)

    def shape(self, level: float) -> tuple[Array, Array, Array]:
        """Value, low and high of the non-linear parameter; 0 or ∞ where the data do not bound it.

        It weighs sizes against each other, so that weights from estimated variances tell most here: half of
        Satterthwaite's freedom is what simulated studies need (benchmarks/study_statistics.py).
        """
        row = np.zeros((len(self.profile.shapes), self.profile.design.shape[-1]))
        _, weights = self.profile.weights(row)
        reach = quantile(np.asarray(self.noise.freedom(weights) / 2), (1 + level) / 2)
        low, high = self.profile.shape_ends(reach)
        return self.profile.at_best(self.profile.shapes), low, high

    def gap(self, size: float) -> Array:
        """(…,) fitted gap at ``size`` a class."""
        return self.profile.at_best(self.profile.linear(self._row(size))[0])

    def mean_band(self, size: float, level: float) -> tuple[Array, Array]:
        """Interval of the gap that sets of ``size`` have on average."""
        row = self._row(size)
        weights, _ = self.profile.weights(row)
        return self.profile.band(row, quantile(self.noise.freedom(weights), (1 + level) / 2))

    def new_run(self, size: float, certainty: float, added: Array) -> tuple[Array, Array]:
        """What a new distil-and-train run of ``size`` exceeds, and stays below, with ``certainty`` each (one-sided).

        added: (…,) variance of one new run about the mean of its size.
        """
        row = self._row(size)
        weights, _ = self.profile.weights(row)
        reach = quantile(self.noise.freedom(weights, new=size, added=added), certainty)
        return self.profile.band(row, reach, added=added)

    def _row(self, size: float) -> Array:
        return self.form.design(np.array([size]), self.profile.shapes)[:, 0, :]


def fit(form: Form, noise: Noise) -> Fit:
    """Fit ``form`` to the mean gaps of ``noise``."""
    return Fit(form, noise, project(form, noise.sizes, noise.mean, noise.covariance()))


def quantile(freedom: Array, probability: float) -> Array:
    """Quantiles of Student's t."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, probability), dtype=np.float64)
