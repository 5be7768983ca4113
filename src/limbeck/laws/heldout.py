"""The deciding evidence: a law fitted to the smaller sizes says what the larger ones will be, and then we look."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbeck.laws.fit import Fit, fit, quantile
from limbeck.laws.forms import Form
from limbeck.laws.law import Interval
from limbeck.laws.noise import Noise

__all__ = ["HeldOut", "held_out"]


@dataclass(frozen=True)
class HeldOut:
    """What one form, fitted without the largest sizes, said about them.

    predicted: one interval a held-out size, for the *mean that was then measured* (its noise included).
    observed:  those means.  score: Σ −z²/2 − log s over the sizes, s the standard error of the prediction: larger is
               better, and a form that is vague pays for it.
    """

    form: Form
    sizes: tuple[float, ...]
    predicted: tuple[Interval, ...]
    observed: tuple[float, ...]
    score: float

    @property
    def inside(self) -> int:
        """How many observations their intervals hold."""
        return sum(p.holds(o) for p, o in zip(self.predicted, self.observed, strict=True))

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "form": self.form.name,
            "sizes": list(self.sizes),
            "predicted": [each.dictionary() for each in self.predicted],
            "observed": list(self.observed),
            "inside": self.inside,
            "score": self.score,
        }


def held_out(form: Form, noise: Noise, *, held: int, level: float) -> HeldOut:
    """Fit ``form`` without the ``held`` largest sizes and predict their mean gaps.

    The reference's error moves prediction and outcome alike and cancels; the test set's does as far as it is common.
    The variance of the held-out means is that of all sizes' trend, in which they take part.
    """
    rest = len(noise.sizes) - held
    known = fit(form, _first(noise, rest))
    predicted, score = [], 0.0
    for place in range(rest, len(noise.sizes)):
        interval = _predict(known, noise, place, level)
        predicted.append(interval)
        error = interval.half / float(quantile(np.array(1e6), (1 + level) / 2))
        z = (float(noise.mean[place]) - interval.value) / error
        score -= z**2 / 2 + math.log(error)
    observed = tuple(float(each) for each in noise.mean[rest:])
    return HeldOut(form, tuple(float(k) for k in noise.sizes[rest:]), tuple(predicted), observed, score)


def _first(noise: Noise, number: int) -> Noise:
    """The noise of the smallest sizes, without the reference's error."""
    return replace(
        noise,
        sizes=noise.sizes[:number],
        mean=noise.mean[:number],
        counts=noise.counts[:number],
        common=noise.common[:number, :number],
        shared=np.zeros_like(noise.shared),
        test=noise.test[:number, :number],
    )


def _predict(known: Fit, noise: Noise, place: int, level: float) -> Interval:
    size, rest = float(noise.sizes[place]), len(known.noise.sizes)
    row = known.form.design(np.array([size]), known.profile.shapes)[:, 0, :]
    weights, _ = known.profile.weights(row)
    error = noise.own() + noise.test
    own = noise.own()[place, place]
    common = float(weights @ error[:rest, place])
    added = np.asarray(max(float(error[place, place]) - 2 * common, 0.0))
    reach = quantile(known.noise.freedom(weights, new=size, added=np.asarray(own)), (1 + level) / 2)
    low, high = known.profile.band(row, reach, added=added)
    return Interval(float(known.gap(size)), float(low), float(high), level)
