"""What every named method is made of, what it needs, and what an iteration of it was measured to cost."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck.distillation.distiller import Distiller
from limbeck.distillation.methods import METHODS
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.parts import terms_of
from limbeck.distillation.selection import Selection
from limbeck.distillation.setting import Setting
from limbeck.matching.along_synthetic import AlongSynthetic
from limbeck.matching.calibration import Calibration
from limbeck.matching.fresh import Fresh
from limbeck.matching.names import DISCREPANCIES, STATES, VIEWS, name_in
from limbeck.matching.surrogate import Match, Term
from limbeck.networks.names import architecture
from limbeck.synthetic.choose import Random

__all__ = ["COSTS", "Description", "costs", "described"]

COSTS = Path(__file__).parent / "method_cost.json"  # written by benchmarks/method_cost.py
SEEN = Setting((1, 28, 28), 10, 10, architecture("convnet-3-32"))  # what methods are described and measured at


@dataclass(frozen=True)
class Description:
    """A method in a table: names of its parts, "–" where it has none.

    needs:   what it looks at or trains besides real examples.
    seconds: of an iteration (of a whole choice, where a method only chooses), as measured; None where it was not.
    """

    method: str
    line: str
    view: str
    discrepancy: str
    state: str
    needs: str
    sources: tuple[str, ...]
    seconds: float | None


def described() -> tuple[Description, ...]:
    """Every named method, at images of 28 × 28 and 10 a class."""
    seconds = costs()["seconds"]
    found = []
    for name, entry in METHODS.items():
        parts = _parts(entry.build(SEEN))
        found.append(Description(name, entry.line, *parts, sources=entry.sources, seconds=seconds.get(name)))
    return tuple(found)


def costs() -> dict[str, Any]:
    """The committed measurement: seconds by method, and the machine, setting and command that they come from."""
    read: dict[str, Any] = json.loads(COSTS.read_text(encoding="utf-8"))
    return read


def _parts(made: Distiller) -> tuple[str, str, str, str]:
    """View, discrepancy, state, needs."""
    if not isinstance(made, MatchingDistiller):
        if isinstance(made, Selection):
            return "–", "–", "–", "nothing" if isinstance(made.chooser, Random) else "a network trained on real data"
        return "–", "–", "–", "networks trained on real data"
    terms = terms_of(made.surrogate)
    state = next((name for name, (build, _) in STATES.items() if type(made.state) is build), type(made.state).__name__)
    views, gaps = ([pick(term) for term in terms] for pick in (_view, _discrepancy))
    needs = ["weight gradients"] if made.surrogate.needs.gradients else []
    if isinstance(made.state, AlongSynthetic):
        needs.append("training on the set")
    elif not isinstance(made.state, Fresh):
        needs.append("training on real data")
    return _joined(views), _joined(gaps), state, ", ".join(needs) or "nothing"


def _view(term: Term) -> str:
    return name_in(VIEWS, term.view)


def _discrepancy(term: Term) -> str:
    if isinstance(term, Match):
        return name_in(DISCREPANCIES, term.discrepancy)
    return "cross-entropy" if isinstance(term, Calibration) else type(term).__name__


def _joined(names: list[str]) -> str:
    return " + ".join(dict.fromkeys(names))
