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
    trained: Params | None = None  # where ``params`` are a blend: the weights trained on real data


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
    relative: bool = False  # True where its size is a share of what the other terms say (``context.matched``)

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
            from limbeck.matching.names import DISCREPANCIES, VIEWS, name_in  # that table is made of what is here

            names = name_in(DISCREPANCIES, self.discrepancy), name_in(VIEWS, self.view)
            raise FitError(
                f"{names[0]} compares row with row, and the view {names[1]} shows no paired rows: use the view "
                "gradients or statistics, or a discrepancy of distributions, e.g. mmd."
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
    """Σ of terms; each distinct view is opened once a side.

    Relative terms are read when all others have been, wherever they stand. OptionError without a term, FitError where
    all are relative.
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise OptionError("a sum of no terms measures nothing: give at least one.")
        if all(term.relative for term in self.terms):
            raise FitError(
                "all terms of the sum are relative to the others, and there is none: add a matching term, or set "
                "relative=false."
            )

    @property
    def needs(self) -> Needs:
        seen = any(term.view.of_gradients for term in self.terms)
        return Needs(real=any(term.uses_real for term in self.terms), gradients=seen)

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(term.remark for term in self.terms if term.remark)

    def read(self, real: Batch | None, synthetic: Batch, place: Place, context: Context) -> Reading:
        total = _Total(synthetic)
        views = {view: [t for t in self.terms if t.view == view] for view in dict.fromkeys(t.view for t in self.terms)}
        # A look stays open only where a relative term goes through it too, and waits for what the others say.
        waiting: list[tuple[_Look, list[Term]]] = []
        for view, terms in views.items():
            own, later = [t for t in terms if not t.relative], [t for t in terms if t.relative]
            if own:
                look = _Look(view, terms, (real, synthetic), place)
                self._through(look, own, context)
                if later:
                    waiting.append((look, later))
                else:
                    total.add(look)
        if any(term.relative for term in self.terms):
            context.matched = float(total.loss) + sum(look.value for look, _ in waiting)
        for look, later in waiting:
            self._through(look, later, context)
            total.add(look)
        for view, terms in views.items():
            if all(term.relative for term in terms):
                look = _Look(view, terms, (real, synthetic), place)
                self._through(look, terms, context)
                total.add(look)
        return Reading(total.loss, Cotangents(total.inputs, total.targets), total.parts)

    def _through(self, look: "_Look", terms: list[Term], context: Context) -> None:
        """Reads terms through their view."""
        for term in terms:
            with context.within(f"term {self.terms.index(term)}") as mine:
                look.values.append((term, term.value(look.real, look.leaves, mine)))


@final
class _Look:
    """What one view shows of the real and the synthetic side, and the values of the terms read through it so far."""

    def __init__(self, view: View, terms: list[Term], sides: tuple[Batch | None, Batch], place: Place) -> None:
        real, synthetic = sides
        seen = real is not None and any(term.uses_real for term in terms)
        self.real = _open(view, place, real, pull=False).clouds if real is not None and seen else None
        self.glimpse = _open(view, place, synthetic, pull=True)
        self.leaves = tuple(c.with_points(c.points.detach().requires_grad_()) for c in self.glimpse.clouds)
        self.values: list[tuple[Term, Tensor]] = []

    @property
    def value(self) -> float:
        return sum(float(v.detach()) for _, v in self.values)

    def back(self) -> tuple[Tensor, Cotangents]:
        """The sum of the terms read, and its way back to the batch: one pull for all of them."""
        total = torch.stack([v for _, v in self.values]).sum()
        points = torch.autograd.grad(total, [c.points for c in self.leaves], allow_unused=True)
        pairs = zip(self.leaves, points, strict=True)
        filled = tuple(torch.zeros_like(c.points) if g is None else g for c, g in pairs)
        assert self.glimpse.pull is not None
        return total.detach(), self.glimpse.pull(filled)


@final
class _Total:
    """What the looks that are over add up to."""

    def __init__(self, synthetic: Batch) -> None:
        self.loss = torch.zeros((), dtype=synthetic.inputs.dtype, device=synthetic.inputs.device)
        self.inputs = torch.zeros_like(synthetic.inputs)
        self.targets = None if synthetic.targets is None else torch.zeros_like(synthetic.targets)
        self.parts: dict[str, float] = {}

    def add(self, look: _Look) -> None:
        loss, back = look.back()
        self.loss, self.inputs = self.loss + loss, self.inputs + back.inputs
        if self.targets is not None and back.targets is not None:
            self.targets = self.targets + back.targets
        for term, item in look.values:
            self.parts[_name(term, self.parts)] = float(item.detach())


def _contested(discrepancy: Discrepancy, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
    """The discrepancy after one step of its adversary, whose state begins with the first look at points of a dimension.

    The networks of a space differ in it: each dimension has a state of its own.
    """
    dimension = real.points.shape[1]
    with context.within(f"dimension {dimension}") as mine:
        if not mine.state:
            mine.state.update(discrepancy.init(dimension, mine.generator))
        discrepancy.ascend(real, synthetic.with_points(synthetic.points.detach()), mine)
        return discrepancy(real, synthetic, mine)


def _open(view: View, place: Place, batch: Batch, *, pull: bool) -> Glimpse:
    params = place.trained if view.of_trained and place.trained is not None else place.params
    return view.open(place.network, params, batch, compute=place.compute, pull=pull)


def _name(term: Term, taken: dict[str, float]) -> str:
    inner = getattr(term, "discrepancy", term)
    name = f"{type(term.view).__name__}.{type(inner).__name__}"
    return name if name not in taken else f"{name}.{len(taken)}"
