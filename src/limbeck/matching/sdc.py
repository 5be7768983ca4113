"""Sample difficulty correction: a term that prefers easier synthetic examples, and its schedules [wang2024sdc].

The paper's formula and schedules are not public; both readings of "gradient norm" are here under their own names.
"""

import math
from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.errors import FitError, OptionError
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.matching.difficulty import one_by_one, sample_gradient_norms
from limbeck.matching.discrepancy import Context
from limbeck.matching.gradients import Gradients
from limbeck.matching.surrogate import Term
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.networks.network import Network
from limbeck.shapes import Params, Scalar
from limbeck.values import value

__all__ = [
    "AdaptivePace",
    "BatchGradientNorm",
    "GradientNorms",
    "LinearPace",
    "LogarithmicPace",
    "Pace",
    "SampleGradientNorm",
    "SteadyPace",
]


SHARPEST = 700.0


class Pace(ABC):
    """A frozen value: the factor on λ in the course of a run."""

    compares: bool = False  # True where the real side's gradient norm is needed

    @abstractmethod
    def factor(self, progress: float, ratio: float) -> float:
        """Factor ≥ 0 at ``progress`` in [0, 1]; ``ratio`` is the synthetic gradient norm over the real one."""


@final
@value
class SteadyPace(Pace):
    """1 throughout."""

    def factor(self, progress: float, ratio: float) -> float:
        return 1.0


@final
@value
class LinearPace(Pace):
    """From ``start`` to ``end``, both ≥ 0, in a straight line."""

    start: float = 1.0
    end: float = 0.0

    def __post_init__(self) -> None:
        _factors("a linear pace", start=self.start, end=self.end)

    def factor(self, progress: float, ratio: float) -> float:
        return self.start + (self.end - self.start) * progress


@final
@value
class LogarithmicPace(Pace):
    """From ``start`` to ``end`` as log(1 + (e^sharpness − 1)·progress)/sharpness: fast at first, slow at the end.

    start, end: ≥ 0. sharpness: > 0, at most 700 (e^709 is the largest number there is).
    """

    start: float = 1.0
    end: float = 0.0
    sharpness: float = 3.0

    def __post_init__(self) -> None:
        _factors("a logarithmic pace", start=self.start, end=self.end)
        if not 0 < self.sharpness <= SHARPEST:
            raise OptionError(
                f"the sharpness of a logarithmic pace is {self.sharpness}: it must be above 0 and at most {SHARPEST:g}."
            )

    def factor(self, progress: float, ratio: float) -> float:
        bent = math.log1p(math.expm1(self.sharpness) * progress) / self.sharpness
        return self.start + (self.end - self.start) * bent


@final
@value
class AdaptivePace(Pace):
    """min(ceiling, ‖g_synthetic‖ / ‖g_real‖), ceiling ≥ 0: strong where synthetic examples are the harder ones."""

    ceiling: float = 2.0
    compares = True

    def __post_init__(self) -> None:
        _factors("an adaptive pace", ceiling=self.ceiling)

    def factor(self, progress: float, ratio: float) -> float:
        return min(self.ceiling, ratio)


@final
@value
class BatchGradientNorm(Term):
    """weight · pace · Σ_c ‖∇_θ ℓ(S_c)‖₂ on the method's own view of gradients, so that it costs a norm.

    weight:   λ ≥ 0.
    relative: the term's size is λ times the value of all terms of the sum that are not relative themselves, and its
              direction that of ∇ log Σ_c ‖∇_θ ℓ(S_c)‖, so that one λ serves all methods; otherwise λ is absolute.
    view:     over which weights the norm goes; give the view of the matching term to share its opening.
    """

    weight: float = 0.05
    pace: Pace = SteadyPace()
    relative: bool = True
    view: View = Gradients()

    def __post_init__(self) -> None:
        _not_negative(self.weight)
        if not self.view.of_gradients:
            raise FitError("the batch's gradient norm looks at gradients: give it a Gradients view.")

    @property
    def remark(self) -> str:
        return _drowning(self)

    @property
    def uses_real(self) -> bool:
        return self.pace.compares

    def value(self, real: tuple[Cloud, ...] | None, synthetic: tuple[Cloud, ...], context: Context) -> Scalar:
        here = _norms(synthetic).sum()
        return _scaled(self, here, None if real is None else _norms(real).sum(), context)


@final
@value
class GradientNorms(View):
    """‖∇_θ ℓ(x, y)‖₂ of each example by itself over all weights, (n, 1). Costs a vectorised double backward pass.

    Batch norm sees each example alone. No more gradients are in memory than those of a few examples, so that where
    there are more the way back looks at them once more.
    """

    def open(self, network: Network, params: Params, batch: Batch, *, compute: Compute, pull: bool) -> Glimpse:
        soft = batch.targets
        hard = torch.nn.functional.one_hot(batch.labels, network.classes).to(batch.inputs.dtype)
        goals = hard if soft is None else soft
        parts = one_by_one(len(batch), compute)

        def seen(rows: slice, graph: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
            """Norms of some examples, (n, 1), and the inputs and soft targets that they can be differentiated in."""
            inputs = batch.inputs[rows].detach().requires_grad_(graph)
            goal = goals[rows].detach().requires_grad_(graph and soft is not None)
            with torch.set_grad_enabled(graph):
                points = sample_gradient_norms(network, params, inputs, goal)[:, None]
            return points, (inputs,) if soft is None else (inputs, goal)

        kept = pull and len(parts) == 1
        looks = [seen(rows, kept) for rows in parts]
        points = torch.cat([norms.detach() for norms, _ in looks])
        cloud = Cloud(points, batch.groups, len(batch.sizes), batch.weights)

        def back(cotangents: tuple[Tensor, ...]) -> Cotangents:
            found = []
            for rows, look in zip(parts, looks, strict=True):
                norms, leaves = look if kept else seen(rows, True)
                found.append(torch.autograd.grad(norms, leaves, cotangents[0][rows], materialize_grads=True))
            inputs, *targets = (torch.cat(grads) for grads in zip(*found, strict=True))
            return Cotangents(inputs, targets[0] if targets else None)

        return Glimpse((cloud,), back if pull else None)


@final
@value
class SampleGradientNorm(Term):
    """weight · pace · Σ_c mean_{x ∈ S_c} ‖∇_θ ℓ(x)‖₂: the GraDN reading, example by example.

    weight, relative: as in :class:`BatchGradientNorm`.
    """

    weight: float = 0.05
    pace: Pace = SteadyPace()
    relative: bool = True
    view: View = GradientNorms()

    def __post_init__(self) -> None:
        _not_negative(self.weight)

    @property
    def remark(self) -> str:
        return _drowning(self)

    @property
    def uses_real(self) -> bool:
        return self.pace.compares

    def value(self, real: tuple[Cloud, ...] | None, synthetic: tuple[Cloud, ...], context: Context) -> Scalar:
        here = synthetic[0].means().sum()
        return _scaled(self, here, None if real is None else real[0].means().sum(), context)


def _norms(clouds: tuple[Cloud, ...]) -> Tensor:
    """(count,) Euclidean norm of each group's gradient over all layers."""
    squares = [
        torch.zeros(c.count, dtype=c.points.dtype, device=c.points.device).index_add(
            0, c.groups, c.points.square().sum(1)
        )
        for c in clouds
    ]
    return (torch.stack(squares).sum(0) + 1e-24).sqrt()  # finite derivative where a gradient is exactly 0


def _scaled(
    term: BatchGradientNorm | SampleGradientNorm, here: Tensor, there: Tensor | None, context: Context
) -> Scalar:
    norm = float(here.detach())
    ratio = 1.0 if there is None else norm / max(float(there), 1e-12)
    size = term.weight * term.pace.factor(context.progress, ratio)
    if term.relative:
        size *= abs(context.matched) / max(norm, 1e-12)
    return here * size


def _drowning(term: BatchGradientNorm | SampleGradientNorm) -> str:
    if not term.relative or term.weight <= 1:
        return ""
    return (
        f"The difficulty term is {term.weight:g} times as large as the matching loss and drowns it: the set will be "
        "easy and hardly matched; weights below 1, e.g. 0.05, are meant."
    )


def _not_negative(weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise OptionError(f"the weight of the difficulty term is {weight}: it must be finite and not negative.")


def _factors(what: str, **given: float) -> None:
    """OptionError where a factor that a pace is made of is not in [0, ∞)."""
    for name, factor in given.items():
        if not 0 <= factor < math.inf:
            raise OptionError(f"{name} of {what} is {factor}: it must be a finite number and not negative.")
