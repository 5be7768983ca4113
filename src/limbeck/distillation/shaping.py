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
from limbeck.matching.surrogate import Match, Sum, Surrogate, Term
from limbeck.matching.trained import TrainedNetworks
from limbeck.matching.warm_up import WarmUp
from limbeck.networks.network import Architecture
from limbeck.training.space import space
from limbeck.values import replace

__all__ = ["SHAPES", "shaped"]

SHAPES = ("difficulty", "discrepancy", "for", "state", "view")
MOST_TRAINED = 10  # networks up to which a whole space is trained unasked: each takes seconds to a minute on a CPU


def shaped(method: MatchingDistiller, changes: Mapping[str, str], shape: tuple[int, ...]) -> MatchingDistiller:
    """``method`` with the changes named by texts.

    view, discrepancy: of its first Match, e.g. ``features:layer=1``, ``mmd``. Both change together, because not every
                       view has every discrepancy. state: e.g. ``along-synthetic:steps=10``.
    difficulty:        ``sdc=λ`` adds the norm of each class's gradient, ``gradn=λ`` the mean norm over examples
                       [wang2024sdc]; λ is relative to the matching loss. ``sdc=λ:linear:end=0.5`` gives it a pace.
    for:               a space whose configurations are drawn, e.g. ``standard``; ``standard:net`` draws from a few that
                       cover it, ``standard:worst`` mostly the worst served of these. Their gradients are brought to one
                       size, so that an image learning rate is in units of a step's move.
    A published image learning rate belongs to the published comparison: where view, discrepancy, state or audience is
    another, the rate is measured. (A difficulty term is relative to the loss, and changes nothing in that.)
    Raises OptionError, FitError where a combination makes no sense.
    """
    made = replace(method, surrogate=_compared(method.surrogate, changes, method.name))
    if "state" in changes:
        made = replace(made, state=state(changes["state"], _architectures(made.state)))
    if "for" in changes:
        made = replace(made, state=_serving(made.state, changes["for"], shape))
    compared = {key: text for key, text in changes.items() if key != "difficulty"}
    same = made.state == method.state and _compared(method.surrogate, compared, method.name) == method.surrogate
    return made if same else replace(made, rate=_measured(made.rate))


def _compared(surrogate: Surrogate, changes: Mapping[str, str], name: str) -> Surrogate:
    """The surrogate of the method called ``name`` with another view, discrepancy or difficulty; both of a warm-up."""
    if isinstance(surrogate, WarmUp):
        both = (_compared(each, changes, name) for each in (surrogate.first, surrogate.then))
        return replace(surrogate, **dict(zip(("first", "then"), both, strict=True)))
    if not isinstance(surrogate, Sum):
        raise FitError(f"{name} is no sum of terms: view, discrepancy and difficulty do not apply to it.")
    terms = surrogate.terms
    if "view" in changes or "discrepancy" in changes:
        first = terms[0]
        if not isinstance(first, Match):
            raise FitError(f"the first term of {name} compares nothing: set view and discrepancy of another method.")
        seen = view(changes["view"]) if "view" in changes else first.view
        gap = discrepancy(changes["discrepancy"]) if "discrepancy" in changes else first.discrepancy
        terms = (Match(seen, gap, first.weight), *terms[1:])
    if "difficulty" in changes:
        terms = (*terms, _difficulty(changes["difficulty"], terms))
    return Sum(terms)


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
    """A rate that was published for one comparison says nothing about another, whose gradients have another size."""
    return replace(rate, published=0) if isinstance(rate, MeasuredRate) else rate


def _serving(of: State, text: str, shape: tuple[int, ...]) -> State:
    """The state with an audience. A pool has a member for each centre of a net; where its members are never renewed,
    also for each configuration of a small space."""
    name, _, how = text.partition(":")
    whom = audience(how or "all", space(name, shape))
    fields = {f.name for f in dataclasses.fields(of)}  # type: ignore[arg-type]
    if "audience" not in fields:
        raise FitError(f"{type(of).__name__} draws no networks for a space: choose another state.")
    covered = isinstance(whom, Net) or (isinstance(of, TrainedNetworks) and whom.most <= MOST_TRAINED)
    if "count" in fields and covered:
        of = replace(of, count=max(getattr(of, "count"), whom.most))  # noqa: B009
    return replace(of, audience=whom)
