"""The contract of a surrogate of the risk gap, and the one that covers all matching methods: a sum of terms.

A term looks through a view. Terms with the same view share one opening of it and one pullback: adding sample
difficulty to gradient matching costs a norm, not a second gradient.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.errors import FitError, OptionError
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context, Discrepancy
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.networks.network import Network
from limbeck.shapes import Params, Scalar
from limbeck.values import value

__all__ = ["Match", "Needs", "Place", "Reading", "Sum", "Surrogate", "Term"]


@dataclass(frozen=True)
class Needs:
    """What a surrogate asks of the loop, so that memory can be planned and a misfit is a sentence."""

    real: bool = True  # draws from the real side
    gradients: bool = False  # looks at weight gradients
    unrolled: int = 0  # steps of training that it differentiates through


class Place(NamedTuple):
    """Where in weight space we look, and with what means."""

    network: Network
    params: Params
    compute: Compute


class Reading(NamedTuple):
    """One evaluation of a surrogate on a synthetic batch."""

    loss: Scalar  # detached
    cotangents: Cotangents  # ∂loss/∂inputs, ∂loss/∂targets
    parts: dict[str, float]  # value of each term, for the log


class Surrogate(ABC):
    """A frozen value (``@value``) whose ``read`` gives its value and its gradient in the synthetic batch."""

    @property
    @abstractmethod
    def needs(self) -> Needs: ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences that a person should read before a run."""
        return ()

    @abstractmethod
    def read(self, real: Batch | None, synthetic: Batch, place: Place, context: Context) -> Reading:
        """Value and gradient at ``place``; the two batches hold the same classes."""


class Term(ABC):
    """One summand: a scalar function of what one view shows of both sides (or of the synthetic side alone)."""

    view: View

    @property
    def uses_real(self) -> bool:
        """False where the term looks at the synthetic side alone."""
        return True

    @property
    def remark(self) -> str:
        """A sentence that a person should read before a run, or ""."""
        return ""

    @abstractmethod
    def value(self, real: tuple[Cloud, ...] | None, synthetic: tuple[Cloud, ...], context: Context) -> Scalar:
        """The term's value, differentiable in the synthetic clouds' points."""


@final
@value
class Match(Term):
    """weight · Σ over layers of discrepancy(view of real, view of synthetic)."""

    view: View
    discrepancy: Discrepancy
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.discrepancy.facts.paired and not self.view.paired:
            names = type(self.discrepancy).__name__, type(self.view).__name__
            raise FitError(
                f"{names[0]} compares row with row, and {names[1]} shows no paired rows: use the view gradients or "
                "statistics, or a discrepancy of distributions, e.g. mmd."
            )

    def value(self, real: tuple[Cloud, ...] | None, synthetic: tuple[Cloud, ...], context: Context) -> Scalar:
        if real is None:
            raise FitError("a Match compares with real data, and none was drawn.")
        gaps = []
        for layer, (r, s) in enumerate(zip(real, synthetic, strict=True)):
            with context.within(f"layer {layer}") as mine:
                gaps.append(_contested(self.discrepancy, r, s, mine))
        return self.weight * torch.stack(gaps).sum()


@final
@value
class Sum(Surrogate):
    """Σ of terms; each distinct view is opened once a side."""

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise OptionError("a sum of no terms measures nothing: give at least one.")

    @property
    def needs(self) -> Needs:
        seen = any(term.view.of_gradients for term in self.terms)
        return Needs(real=any(term.uses_real for term in self.terms), gradients=seen)

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(term.remark for term in self.terms if term.remark)

    def read(self, real: Batch | None, synthetic: Batch, place: Place, context: Context) -> Reading:
        loss = torch.zeros((), dtype=synthetic.inputs.dtype, device=synthetic.inputs.device)
        inputs = torch.zeros_like(synthetic.inputs)
        targets = None if synthetic.targets is None else torch.zeros_like(synthetic.targets)
        parts: dict[str, float] = {}
        for view in dict.fromkeys(term.view for term in self.terms):
            terms = [term for term in self.terms if term.view == view]
            seen_real = None
            if real is not None and any(term.uses_real for term in terms):
                seen_real = _open(view, place, real, pull=False).clouds
            glimpse = _open(view, place, synthetic, pull=True)
            leaves = tuple(c.with_points(c.points.detach().requires_grad_()) for c in glimpse.clouds)
            values: list[Tensor] = []
            for term in terms:
                context.matched = float(loss) + sum(float(v.detach()) for v in values)
                with context.within(f"term {self.terms.index(term)}") as mine:
                    values.append(term.value(seen_real, leaves, mine))
            total = torch.stack(values).sum()
            points = torch.autograd.grad(total, [c.points for c in leaves], allow_unused=True)
            filled = tuple(torch.zeros_like(c.points) if g is None else g for c, g in zip(leaves, points, strict=True))
            assert glimpse.pull is not None
            back = glimpse.pull(filled)
            loss, inputs = loss + total.detach(), inputs + back.inputs
            targets = targets if targets is None or back.targets is None else targets + back.targets
            for term, item in zip(terms, values, strict=True):
                parts[_name(term, parts)] = float(item.detach())
        return Reading(loss, Cotangents(inputs, targets), parts)


def _contested(discrepancy: Discrepancy, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
    """The discrepancy after one step of its adversary, whose state begins with the first look at the points."""
    if not context.state:
        context.state.update(discrepancy.init(real.points.shape[1], context.generator))
    discrepancy.ascend(real, synthetic.with_points(synthetic.points.detach()), context)
    return discrepancy(real, synthetic, context)


def _open(view: View, place: Place, batch: Batch, *, pull: bool) -> Glimpse:
    return view.open(place.network, place.params, batch, compute=place.compute, pull=pull)


def _name(term: Term, taken: dict[str, float]) -> str:
    inner = getattr(term, "discrepancy", term)
    name = f"{type(term.view).__name__}.{type(inner).__name__}"
    return name if name not in taken else f"{name}.{len(taken)}"
