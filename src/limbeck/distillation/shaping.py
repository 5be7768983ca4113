"""Changes to a matching method as a whole: view, discrepancy, state, a difficulty term, a space to distil for."""

import dataclasses
from collections.abc import Mapping

from limbeck.distillation.image_rate import ImageRate, MeasuredRate
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import FitError, OptionError, unknown
from limbeck.matching.audience import Net
from limbeck.matching.gradients import Gradients
from limbeck.matching.names import audience, discrepancy, pace, state, view
from limbeck.matching.sdc import BatchGradientNorm, SampleGradientNorm
from limbeck.matching.state import State
from limbeck.matching.surrogate import Match, Sum, Term
from limbeck.networks.network import Architecture
from limbeck.training.space import space
from limbeck.values import replace

__all__ = ["SHAPES", "shaped"]

SHAPES = ("difficulty", "discrepancy", "for", "state", "view")


def shaped(method: MatchingDistiller, changes: Mapping[str, str], shape: tuple[int, ...]) -> MatchingDistiller:
    """``method`` with the changes named by texts.

    view, discrepancy: of its first Match, e.g. ``features:layer=1``, ``mmd``. Both change together, because not every
                       view has every discrepancy. state: e.g. ``along-synthetic:steps=10``.
    difficulty:        ``sdc=λ`` adds the norm of each class's gradient, ``gradn=λ`` the mean norm over examples
                       [wang2024sdc]; λ is relative to the matching loss. ``sdc=λ:linear:end=0.5`` gives it a pace.
    for:               a space whose configurations are drawn, e.g. ``standard``; ``standard:net`` draws from a few that
                       cover it, ``standard:worst`` mostly the worst served of these. Their gradients are brought to one
                       size, so that an image learning rate is in units of a step's move, and is measured.
    Raises OptionError, FitError where a combination makes no sense.
    """
    terms = _sum(method).terms
    if "view" in changes or "discrepancy" in changes:
        first = terms[0]
        if not isinstance(first, Match):
            raise FitError(
                f"the first term of {method.name} compares nothing: set view and discrepancy of another method."
            )
        seen = view(changes["view"]) if "view" in changes else first.view
        gap = discrepancy(changes["discrepancy"]) if "discrepancy" in changes else first.discrepancy
        terms = (Match(seen, gap, first.weight), *terms[1:])
    if "difficulty" in changes:
        terms = (*terms, _difficulty(changes["difficulty"], terms))
    method = replace(method, surrogate=Sum(terms))
    if "state" in changes:
        method = replace(method, state=state(changes["state"], _architectures(method.state)))
    if "for" in changes:
        method = replace(method, state=_serving(method.state, changes["for"], shape), rate=_measured(method.rate))
    return method


def _sum(method: MatchingDistiller) -> Sum:
    if not isinstance(method.surrogate, Sum):
        raise FitError(f"{method.name} is no sum of terms: view, discrepancy and difficulty do not apply to it.")
    return method.surrogate


def _difficulty(text: str, terms: tuple[Term, ...]) -> Term:
    name, equals, rest = text.partition("=")
    number, _, course = rest.partition(":")
    if name not in ("sdc", "gradn"):
        raise unknown("difficulty term", name, ("sdc", "gradn"))
    try:
        weight = float(number if equals else "nan")
    except ValueError:
        weight = float("nan")
    if not 0 <= weight < float("inf"):
        raise OptionError(
            f"'{text}' names no weight that is finite and at least 0: write {name}=0.05, relative to the matching loss."
        )
    along = pace(course or "steady")
    if name == "gradn":
        return SampleGradientNorm(weight=weight, pace=along)
    shared = next((term.view for term in terms if isinstance(term.view, Gradients)), Gradients())
    return BatchGradientNorm(weight=weight, pace=along, view=shared)


def _architectures(of: State) -> tuple[Architecture, ...]:
    own = getattr(of, "architectures")  # noqa: B009 (every state that has a name declares them)
    return tuple(own)


def _measured(rate: ImageRate) -> ImageRate:
    """A rate that was published for one network says nothing about the networks of a space."""
    return replace(rate, published=0) if isinstance(rate, MeasuredRate) else rate


def _serving(of: State, text: str, shape: tuple[int, ...]) -> State:
    """The state with an audience; a pool has a member for each centre of a net."""
    name, _, how = text.partition(":")
    whom = audience(how or "all", space(name, shape))
    fields = {f.name for f in dataclasses.fields(of)}  # type: ignore[arg-type]
    if "audience" not in fields:
        raise FitError(f"{type(of).__name__} draws no networks for a space: choose another state.")
    if "count" in fields and isinstance(whom, Net):
        most = max(getattr(of, "count"), min(whom.centres, len(whom.space)))  # noqa: B009
        of = replace(of, count=most)
    return replace(of, audience=whom)
