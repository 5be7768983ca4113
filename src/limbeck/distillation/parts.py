"""What a surrogate is made of, by the names of the tables: its terms, and texts that would give the same values."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from limbeck.matching.sdc import BatchGradientNorm, SampleGradientNorm
from limbeck.matching.surrogate import Sum, Surrogate, Term
from limbeck.matching.warm_up import WarmUp

__all__ = ["DIFFICULTY_TERMS", "terms_of", "text_in", "text_of", "weighs_difficulty"]

DIFFICULTY_TERMS: Mapping[type[Term], str] = {BatchGradientNorm: "sdc", SampleGradientNorm: "gradn"}
NOT_SAID = ("architectures", "audience", "space")  # the network is said elsewhere, as is whom a set is made for


def terms_of(surrogate: Surrogate) -> tuple[Term, ...]:
    """Its terms, those of both halves of a warm-up; () for a surrogate that is no sum."""
    if isinstance(surrogate, WarmUp):
        return terms_of(surrogate.first) + terms_of(surrogate.then)
    return surrogate.terms if isinstance(surrogate, Sum) else ()


def weighs_difficulty(surrogate: Surrogate) -> bool:
    """True where a difficulty term is among its terms."""
    return any(type(term) in DIFFICULTY_TERMS for term in terms_of(surrogate))


def text_in(table: Mapping[str, tuple[Any, str]], thing: Any) -> str:
    """The shortest text that gives ``thing`` by a table of names: of all names of its kind."""
    alike = [(name, known) for name, (known, _) in table.items() if type(known) is type(thing)]
    return min((text_of(*pair, thing) for pair in alike), key=_cost, default=type(thing).__name__.lower())


def text_of(name: str, known: Any, thing: Any) -> str:
    """``name``, or ``name:field=value,…`` with the fields in which ``thing`` differs from the ``known`` of the name."""
    changes = _changes(known, thing, "")
    return name + (f":{','.join(changes)}" if changes else "")


def _cost(text: str) -> tuple[int, int]:
    """First by parts that no text can give, which are written in brackets, then by changes."""
    return text.count("("), text.count("=")


def _changes(known: Any, thing: Any, before: str) -> list[str]:
    found = []
    for field in dataclasses.fields(thing):
        old, new = getattr(known, field.name), getattr(thing, field.name)
        if old == new or field.name in NOT_SAID:
            continue
        if dataclasses.is_dataclass(new) and type(old) is type(new):
            found += _changes(old, new, f"{before}{field.name}.")
        else:
            found.append(f"{before}{field.name}={_plain(new)}")
    return found


def _plain(item: Any) -> str:
    if isinstance(item, tuple):
        return ",".join(map(_plain, item))
    if dataclasses.is_dataclass(item):
        return f"({type(item).__name__})"
    return f"{item:.12g}" if isinstance(item, float) else str(item).lower() if isinstance(item, bool) else str(item)
