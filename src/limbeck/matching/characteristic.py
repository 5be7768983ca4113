"""The gap of characteristic functions, Φ(t) = E e^{i⟨t, x⟩}, with frequencies fixed, sampled, or learned against us."""

import math
from typing import Literal, NamedTuple, final

import torch
from torch import Tensor
from torch.nn import functional as F

from limbeck.errors import OptionError
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context, Discrepancy, Facts
from limbeck.shapes import Points, Scalar
from limbeck.values import value

__all__ = ["CharacteristicGap"]

TINY = 1e-12  # the published floor under the root
WIDEST = math.log(100.0)  # a learned scale stays within a factor of 100 of the spread


@final
@value
class CharacteristicGap(Discrepancy):
    """Σ_g mean_t √(α(|Φ_P| − |Φ_Q|)² + β·2(|Φ_P||Φ_Q| − Re Φ_P Φ̄_Q)) [wang2025ncfm].

    With α = β = 1 the root is |Φ_P(t) − Φ_Q(t)|; the first summand sees amplitudes (spread), the second phases (place).

    alpha, beta: weights of amplitude and phase, ≥ 0, not both 0; published: both 0.5.
    frequencies: how many t, ≥ 1 (the paper: 1,024; its code: 4,096).
    spread:      standard deviation of t before learning, > 0, in one over the unit of the points.
    sampling:    "sampled": t ~ N(0, spread²) anew in each step; "fixed": drawn once a run; "learned": t = s_j ⊙ ε, ε
                 standard normal, from a mixture of ``components`` diagonal scales s_j that ascend the discrepancy.
    rate:        step of the logarithm of the scales, normalised to this root mean square, > 0.
    normalise:   compare x/‖x‖, as the published code does; then lengths are not seen.
    """

    alpha: float = 0.5
    beta: float = 0.5
    frequencies: int = 1024
    spread: float = 1.0
    sampling: Literal["sampled", "fixed", "learned"] = "sampled"
    components: int = 8
    rate: float = 0.01
    normalise: bool = False

    def __post_init__(self) -> None:
        if min(self.alpha, self.beta) < 0 or self.alpha + self.beta == 0:
            raise OptionError(
                f"the amplitude and phase weights are {self.alpha} and {self.beta}: none may be negative, not both 0."
            )
        if min(self.frequencies, self.components) < 1:
            raise OptionError(
                f"{self.frequencies} frequencies of {self.components} components were asked for: at least 1 is needed."
            )
        if not min(self.spread, self.rate) > 0:
            raise OptionError(f"spread {self.spread} and rate {self.rate} of frequencies must both be above 0.")

    @property
    def facts(self) -> Facts:
        whole = self.alpha > 0 and self.beta > 0 and not self.normalise  # each summand alone is blind to something
        return Facts(symmetric=True, zero_iff_equal=whole, unbiased=False)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        return self._gap(real, synthetic, self._draw(real.points, context, context.state))

    def init(self, dimension: int, generator: torch.Generator) -> dict[str, Tensor]:
        if self.sampling == "sampled":
            return {}
        rows = self.frequencies if self.sampling == "fixed" else self.components
        noise = torch.randn(rows, dimension, generator=generator, device=generator.device)
        if self.sampling == "fixed":
            return {"frequencies": noise * self.spread}
        return {"log_scales": 0.5 * noise}  # different from each other, or they would stay alike

    def ascend(self, real: Cloud, synthetic: Cloud, context: Context) -> None:
        if self.sampling != "learned":
            return
        with torch.enable_grad():
            scales = context.state["log_scales"].detach().requires_grad_()
            here = (real.with_points(real.points.detach()), synthetic.with_points(synthetic.points.detach()))
            gap = self._gap(*here, self._draw(real.points, context, {"log_scales": scales}))
            (grad,) = torch.autograd.grad(gap, scales)
        step = self.rate * grad / grad.square().mean().sqrt().clamp(min=1e-20)
        context.state["log_scales"] = (scales.detach() + step).clamp(-WIDEST, WIDEST)

    def _draw(self, points: Points, context: Context, state: dict[str, Tensor]) -> Points:
        """(frequencies, d) t in the points' type."""
        if self.sampling == "fixed":
            return state["frequencies"].to(points)
        source = context.generator
        noise = torch.randn(self.frequencies, points.shape[1], generator=source, device=source.device) * self.spread
        if self.sampling == "sampled":
            return noise.to(points)
        which = torch.arange(self.frequencies, device=noise.device) % self.components
        return noise.to(points) * state["log_scales"].to(points).exp()[which.to(points.device)]

    def _gap(self, real: Cloud, synthetic: Cloud, frequencies: Points) -> Scalar:
        p, q = (self._function(cloud, frequencies) for cloud in (real, synthetic))
        inner = p.cosine * q.cosine + p.sine * q.sine
        amplitude = (p.amplitude - q.amplitude).square()
        phase = (2 * (p.amplitude * q.amplitude - inner)).clamp(min=TINY)
        return (self.alpha * amplitude + self.beta * phase + TINY).sqrt().mean(1).sum()

    def _function(self, cloud: Cloud, frequencies: Points) -> "_Function":
        if self.normalise:
            cloud = cloud.with_points(F.normalize(cloud.points, dim=1))
        angle = cloud.points @ frequencies.T
        cosine, sine = cloud.with_points(angle.cos()).means(), cloud.with_points(angle.sin()).means()
        return _Function(cosine, sine, (cosine.square() + sine.square() + TINY).sqrt())


class _Function(NamedTuple):
    """The empirical characteristic function of each group at each frequency, (count, frequencies)."""

    cosine: Tensor
    sine: Tensor
    amplitude: Tensor
