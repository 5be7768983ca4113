"""Discrepancies of transport: how far the mass of one group has to be moved to become the other."""

import math
from typing import ClassVar, TypeAlias, final

import torch
from torch import Tensor
from torch.nn import functional as F

from limbeck.errors import OptionError
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context, Discrepancy, Facts
from limbeck.matching.kernels import squared_distances
from limbeck.shapes import Scalar
from limbeck.values import value

__all__ = ["Sinkhorn", "SlicedWasserstein"]

Measure: TypeAlias = tuple[Tensor, Tensor]  # points (n, d) and shares (n,) that sum to 1
SHRINK = 0.7  # factor from one temperature to the next on the way down to the last one


@final
@value
class SlicedWasserstein(Discrepancy):
    """Σ_g mean over directions u of W₂²(⟨u, P⟩, ⟨u, Q⟩), each on the line in closed form [bonneel2015sliced].

    On the line W₂² = ∫₀¹ (F_P⁻¹ − F_Q⁻¹)², so groups may differ in size and weights. In one dimension it is W₂² itself.

    projections: directions, drawn uniformly in each step, ≥ 1.
    """

    projections: int = 64
    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=True, unbiased=False)

    def __post_init__(self) -> None:
        if self.projections < 1:
            raise OptionError(f"{self.projections} projections were asked for: at least 1 is needed.")

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        source, d = context.generator, real.points.shape[1]
        count = 1 if d == 1 else self.projections
        directions = F.normalize(torch.randn(d, count, generator=source, device=source.device), dim=0).to(real.points)
        gaps = []
        for (x, a), (y, b) in zip(real.measures(), synthetic.measures(), strict=True):
            gaps.append(on_the_line((x @ directions).T, (y @ directions).T, (a, b)).mean())
        return torch.stack(gaps).sum()


@final
@value
class Sinkhorn(Discrepancy):
    """Σ_g OT_ε(P, Q) − ½ OT_ε(P, P) − ½ OT_ε(Q, Q), OT_ε(P, Q) = min_π ⟨π, ‖x − y‖²⟩ + ε KL(π ‖ P ⊗ Q).

    Debiased, so it is 0 only for equal groups; towards W₂² as ε falls and to the squared distance of the means as it
    grows [feydy2019sinkhorn]. The gradient takes the plan π as it is, which is exact at the minimum.

    blur:       ε in units of the mean of ‖x − y‖² between the two groups, > 0; that mean is held in the gradient.
    epsilon:    ε itself, > 0, in squared units of the points; None takes the blur.
    iterations: steps at the last temperature, ≥ 1, after those on the way down to it; more where ε is small.
    """

    blur: float = 0.1
    epsilon: float | None = None
    iterations: int = 50

    def __post_init__(self) -> None:
        if not min(self.blur, 1.0 if self.epsilon is None else self.epsilon) > 0 or self.iterations < 1:
            raise OptionError(
                f"blur {self.blur}, epsilon {self.epsilon} and {self.iterations} iterations are no regularised "
                "transport: blur and epsilon must be above 0, and at least 1 iteration is needed."
            )

    @property
    def facts(self) -> Facts:
        return Facts(symmetric=True, zero_iff_equal=True, unbiased=False, held=self.epsilon is None)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        del context
        pairs = zip(real.measures(), synthetic.measures(), strict=True)
        return torch.stack([self._group(x, y) for x, y in pairs]).sum()

    def _group(self, x: Measure, y: Measure) -> Scalar:
        epsilon = self._temperature(x, y) if self.epsilon is None else self.epsilon
        return self._cost(x, y, epsilon) - (self._cost(x, x, epsilon) + self._cost(y, y, epsilon)) / 2

    def _temperature(self, x: Measure, y: Measure) -> float:
        with torch.no_grad():
            cost = float(x[1] @ squared_distances(x[0], y[0]) @ y[1])
        return self.blur * cost if cost > 0 else 1.0  # where all points are one, any temperature gives 0

    def _cost(self, x: Measure, y: Measure, epsilon: float) -> Scalar:
        """OT_ε with the gradient of ⟨π, C⟩ at the π found."""
        costs = squared_distances(x[0], y[0])
        logs = (x[1].log(), y[1].log())
        with torch.no_grad():
            f, g = self._potentials(costs, logs, epsilon)
            # Either side once more, given the other: both plans have the mass of that side exactly.
            last_f, last_g = _soft(costs, g, logs[1], epsilon), _soft(costs.T, f, logs[0], epsilon)
            inside = torch.stack([last_f[:, None] + g, f[:, None] + last_g]) - costs
            plan = x[1][:, None] * (inside / epsilon).exp().mean(0) * y[1]
            dual = (x[1] @ (f + last_f) + y[1] @ (g + last_g)) / 2
        moved = (plan * costs).sum()
        value: Tensor = dual + (moved - moved.detach())
        return value

    def _potentials(self, costs: Tensor, logs: tuple[Tensor, Tensor], epsilon: float) -> tuple[Tensor, Tensor]:
        """Potentials of the dual by averaged Sinkhorn steps at falling temperatures.

        Invariant: the two are swapped where the sides are, whatever the number of steps, so D(P, Q) = D(Q, P).
        """
        f, g = torch.zeros_like(costs[:, 0]), torch.zeros_like(costs[0])
        steps = max(0, math.ceil(math.log(max(float(costs.max()), epsilon) / epsilon) / -math.log(SHRINK)))
        for left in range(steps + self.iterations, 0, -1):
            temperature = epsilon * SHRINK ** -max(0, left - self.iterations)
            to_f, to_g = _soft(costs, g, logs[1], temperature), _soft(costs.T, f, logs[0], temperature)
            f, g = (f + to_f) / 2, (g + to_g) / 2
        return f, g


def on_the_line(x: Tensor, y: Tensor, shares: tuple[Tensor, Tensor]) -> Tensor:
    """W₂² of each row's points, (r,), from x (r, n) with shares (n,) and y (r, m) with shares (m,).

    Between two neighbouring jumps of either quantile function both are constant: the integral is a finite sum.
    """
    (x, x_mass), (y, y_mass) = _sorted(x, shares[0]), _sorted(y, shares[1])
    jumps = torch.cat([x_mass, y_mass], 1).clamp(max=1).sort(1).values
    width = torch.diff(jumps, dim=1, prepend=torch.zeros_like(jumps[:, :1]))
    middle = jumps - width / 2
    at_x = torch.searchsorted(x_mass, middle).clamp(max=x.shape[1] - 1)
    at_y = torch.searchsorted(y_mass, middle).clamp(max=y.shape[1] - 1)
    return (width * (x.gather(1, at_x) - y.gather(1, at_y)).square()).sum(1)


def _sorted(x: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Each row in ascending order, and the mass up to and with each point."""
    ordered, order = x.sort(1)
    return ordered, shares[order].cumsum(1)


def _soft(costs: Tensor, potential: Tensor, logs: Tensor, temperature: float) -> Tensor:
    """min_y soft at a temperature: −ε log Σ_y q_y exp((g_y − C_xy)/ε)."""
    return -temperature * torch.logsumexp(logs + (potential - costs) / temperature, 1)
