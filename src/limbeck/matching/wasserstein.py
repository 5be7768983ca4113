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
from limbeck.values import replace, value

__all__ = ["Sinkhorn", "SlicedWasserstein"]

Measure: TypeAlias = tuple[Tensor, Tensor]  # points (n, d) and shares (n,) that sum to 1
SHRINK = 0.7  # factor from one temperature to the next on the way down to the last one
MEMORY = 8  # steps that an extrapolation looks back on


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
    tolerance:  ≥ 0: steps at the last temperature end where the marginals of the plan are off by no more mass than this
                (or than the points' type can resolve); the gradient is then off by about as much, relatively.
    iterations: such steps at most, ≥ 1; the best place found is taken where they do not suffice.
    """

    blur: float = 0.1
    epsilon: float | None = None
    iterations: int = 1000
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise OptionError(f"the tolerance of the transport's marginals is {self.tolerance}: it must be at least 0.")
        if not min(self.blur, 1.0 if self.epsilon is None else self.epsilon) > 0 or self.iterations < 1:
            raise OptionError(
                f"blur {self.blur}, epsilon {self.epsilon} and {self.iterations} iterations are no regularised "
                "transport: blur and epsilon must be above 0, and at least 1 iteration is needed."
            )

    @property
    def facts(self) -> Facts:
        return Facts(symmetric=True, zero_iff_equal=True, unbiased=False, held=self.epsilon is None)

    def fixed(self, real: Cloud, synthetic: Cloud) -> "Sinkhorn":
        if self.epsilon is not None:
            return self
        return replace(self, epsilon=self._temperature(real.measures()[0], synthetic.measures()[0]))

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
            f, g = self._potentials(costs.detach(), logs, epsilon)
            # Either side once more, given the other: both plans have the mass of that side exactly.
            last_f, last_g = _soft(costs, g, logs[1], epsilon), _soft(costs.T, f, logs[0], epsilon)
            inside = torch.stack([last_f[:, None] + g, f[:, None] + last_g]) - costs
            plan = x[1][:, None] * (inside / epsilon).exp().mean(0) * y[1]
            dual = (x[1] @ (f + last_f) + y[1] @ (g + last_g)) / 2
        moved = (plan * costs).sum()
        value: Tensor = dual + (moved - moved.detach())
        return value

    def _potentials(self, costs: Tensor, logs: tuple[Tensor, Tensor], epsilon: float) -> tuple[Tensor, Tensor]:
        """Potentials of the dual: averaged Sinkhorn steps at falling temperatures, then extrapolated ones at the last.

        Invariant: the two are swapped where the sides are, whatever the number of steps, so D(P, Q) = D(Q, P).
        """
        n, shares = len(costs), torch.cat(logs).exp()
        highest = max(float(costs.max()), epsilon)

        def change(both: Tensor, temperature: float) -> Tensor:
            """Half a Sinkhorn step of either side, given the other."""
            f, g = both[:n], both[n:]
            to = torch.cat([_soft(costs, g, logs[1], temperature), _soft(costs.T, f, logs[0], temperature)])
            return (to - both) / 2

        both = torch.zeros_like(shares)
        if not math.isfinite(highest):
            return both[:n], both[n:]  # of points that are not finite the value is not either: whoever asks will see it
        for left in range(math.ceil(math.log(highest / epsilon) / -math.log(SHRINK)), 0, -1):
            both = both + change(both, epsilon * SHRINK**-left)
        enough = max(self.tolerance, 10 * torch.finfo(costs.dtype).eps * highest / epsilon)  # no more can be resolved
        best, least = both, math.inf
        known: list[tuple[Tensor, Tensor]] = []
        for _ in range(self.iterations):
            here = change(both, epsilon)
            # A marginal of the plan is its share times exp of it. Points of no weight may be far off and do not count.
            off = float(shares @ torch.expm1((-2 / epsilon * here).clamp(max=50)).abs())
            if off > 4 * least:
                known.clear()  # the extrapolation went astray
            if off < least:
                best, least = both, off
            if not off > enough:
                break
            known = [*known, (both, here)][-MEMORY:]
            both = _extrapolated(known, shares)
        return best[:n], best[n:]


def _extrapolated(known: list[tuple[Tensor, Tensor]], shares: Tensor) -> Tensor:
    """Anderson's next place of a fixed-point iteration from the last places and their changes, each (n,): the step from
    that combination of the places whose change, as far as it is linear, is smallest [walker2011anderson].

    Where groups have few dimensions and ε is small, tens of steps do for thousands.
    """
    places, changes = (torch.stack(each) for each in zip(*known, strict=True))
    moves, turns = places.diff(dim=0), changes.diff(dim=0)
    inner = (turns * shares) @ turns.T
    inner.diagonal().add_(10 * torch.finfo(inner.dtype).eps * inner.trace())
    weights = torch.linalg.solve_ex(inner, (turns * shares) @ changes[-1]).result
    weights = weights.nan_to_num(0.0, 0.0, 0.0)  # where nothing turns any more it is the plain step
    return places[-1] + changes[-1] - weights @ (moves + turns)


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
