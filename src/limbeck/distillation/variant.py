"""How a set was compared with real data, and where that is not its named method's own, in the words of the tables."""

from typing import Any

from limbeck.distillation.methods import METHODS
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.parts import DIFFICULTY_TERMS, terms_of, text_in, text_of
from limbeck.distillation.setting import Setting
from limbeck.errors import LimbeckError
from limbeck.matching.names import AUDIENCES, DISCREPANCIES, PACES, STATES, VIEWS
from limbeck.matching.state import Audience, State
from limbeck.matching.surrogate import Match, Term
from limbeck.synthetic.synthetic_set import Card
from limbeck.values import decode

__all__ = ["in_words", "own_changes", "parts"]


def parts(card: Card) -> dict[str, str]:
    """View, discrepancy and state by name, and difficulty and for where there are any; {} where nothing is matched."""
    made = _distiller(card)
    return {} if made is None else _parts(made)


def own_changes(card: Card) -> tuple[str, ...]:
    """The parts that are not those of the named method at this size: ("view gradients", …)."""
    made = _distiller(card)
    if made is None or made.name not in METHODS:
        return ()
    setting = Setting(card.shape, len(card.classes), max(card.per_class), made.recipe.architecture)
    named = METHODS[made.name].build(setting)
    own = _parts(named) if isinstance(named, MatchingDistiller) else {}
    return tuple(f"{name} {text}" for name, text in _parts(made).items() if own.get(name) != text)


def in_words(card: Card) -> str:
    """The method's name, and what it was changed to: ``dm with view gradients, discrepancy row-cosine``."""
    changes = own_changes(card)
    return card.method + (f" with {', '.join(changes)}" if changes else "")


def _distiller(card: Card) -> MatchingDistiller | None:
    """None for choices of real examples, and where there are parts that this limbeck does not know."""
    try:
        made = decode(card.distiller)
    except (LimbeckError, TypeError, ValueError):
        return None
    return made if isinstance(made, MatchingDistiller) else None


def _parts(made: MatchingDistiller) -> dict[str, str]:
    terms = terms_of(made.surrogate)
    compared = [term for term in terms if type(term) not in DIFFICULTY_TERMS]
    found = {
        "view": _joined([text_in(VIEWS, term.view) for term in compared]),
        "discrepancy": _joined([_gap(term) for term in compared]),
        "state": _state(made.state),
        "difficulty": _joined([_difficulty(term) for term in terms if type(term) in DIFFICULTY_TERMS]),
        "for": "" if made.state.audience is None else _audience(made.state.audience),
    }
    return {name: text for name, text in found.items() if text}


def _gap(term: Term) -> str:
    return text_in(DISCREPANCIES, term.discrepancy) if isinstance(term, Match) else type(term).__name__.lower()


def _state(state: State) -> str:
    name = next((name for name, (build, _) in STATES.items() if type(state) is build), None)
    if name is None:
        return type(state).__name__
    return text_of(name, STATES[name][0](getattr(state, "architectures")), state)  # noqa: B009 (named states have it)


def _difficulty(term: Any) -> str:
    pace = text_in(PACES, term.pace)
    absolute = "" if term.relative else " (absolute)"
    return f"{DIFFICULTY_TERMS[type(term)]}={term.weight:g}" + (f":{pace}" if pace != "steady" else "") + absolute


def _audience(whom: Audience) -> str:
    name = next((name for name, (build, _) in AUDIENCES.items() if type(whom) is build), None)
    if name is None:
        return whom.space.name
    how = text_of(name, AUDIENCES[name][0](whom.space), whom)
    return whom.space.name + ("" if how == "all" else f":{how}")


def _joined(texts: list[str]) -> str:
    return " + ".join(dict.fromkeys(texts))
