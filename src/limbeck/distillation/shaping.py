"""Changes to a matching method as a whole: view, discrepancy, state, a difficulty term, a space to distil for."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import FitError, OptionError, unknown
from limbeck.matching.gradients import Gradients
from limbeck.matching.names import discrepancy, state, view
from limbeck.matching.sdc import BatchGradientNorm, SampleGradientNorm
from limbeck.matching.surrogate import Match, Sum, Term
from limbeck.training.space import space
from limbeck.values import replace

__all__ = ["SHAPES", "shaped"]

SHAPES = ("difficulty", "discrepancy", "for", "state", "view")


def shaped(method: MatchingDistiller, changes: Mapping[str, str], shape: tuple[int, ...]) -> MatchingDistiller:
    """``method`` with the changes named by texts.

    view, discrepancy: of its first Match, e.g. ``features:layer=1``, ``mmd``. Both change together, because not every
                       view has every discrepancy. state: e.g. ``along-synthetic:steps=10``.
    difficulty:        ``sdc=λ`` adds the norm of each class's gradient, ``gradn=λ`` the mean norm over examples
                       [wang2024sdc]; λ is relative to the matching loss. for: a space whose architectures are drawn.
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
    architectures = _architectures(method, changes, shape)
    if "state" in changes:
        return replace(method, state=state(changes["state"], architectures))
    return replace(method, state=replace(method.state, architectures=architectures))


def _sum(method: MatchingDistiller) -> Sum:
    if not isinstance(method.surrogate, Sum):
        raise FitError(f"{method.name} is no sum of terms: view, discrepancy and difficulty do not apply to it.")
    return method.surrogate


def _difficulty(text: str, terms: tuple[Term, ...]) -> Term:
    name, equals, number = text.partition("=")
    if name not in ("sdc", "gradn"):
        raise unknown("difficulty term", name, ("sdc", "gradn"))
    try:
        weight = float(number if equals else "nan")
    except ValueError:
        weight = float("nan")
    if not 0 <= weight < float("inf"):
        raise OptionError(f"'{text}' names no weight: write {name}=0.05, relative to the matching loss.")
    if name == "gradn":
        return SampleGradientNorm(weight=weight)
    shared = next((term.view for term in terms if isinstance(term.view, Gradients)), Gradients())
    return BatchGradientNorm(weight=weight, view=shared)


def _architectures(method: MatchingDistiller, changes: Mapping[str, str], shape: tuple[int, ...]) -> tuple[Any, ...]:
    own = {f.name: getattr(method.state, f.name) for f in dataclasses.fields(method.state)}  # type: ignore[arg-type]
    if "for" not in changes:
        return tuple(own["architectures"])
    found = tuple(dict.fromkeys(c.architecture for c in space(changes["for"], shape)))
    if len(found) < 2:
        raise OptionError(f"the space '{changes['for']}' holds one network: a set for one network needs no space.")
    return found
