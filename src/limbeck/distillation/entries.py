"""What a row of the table of methods holds, and the published loops of methods along a synthetic set."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from limbeck.distillation.distiller import Distiller
from limbeck.distillation.setting import Setting

__all__ = ["Entry", "loops"]

_INNER = ((1, 1), (10, 50), (20, 25), (30, 20), (40, 15), (50, 10), (100, 2))


@dataclass(frozen=True)
class Entry:
    """One row of the table of methods; ``sources`` are keys of references.bib.

    revision: goes up where the method's definition changes what it makes, so that a study makes such sets anew.
    """

    build: Callable[[Setting], Distiller]
    line: str
    sources: tuple[str, ...]
    distils: bool = True
    revision: int = 1


def loops(per_class: int) -> tuple[int, int]:
    """(matching steps a network, epochs between them) for any size: the published table, linear in between.

    Published: 1 → (1, 1), 10 → (10, 50), 20 → (20, 25), 30 → (30, 20), 40 → (40, 15), 50 → (50, 10)
    [zhao2021dc]; its first author advises (100, 2) for 100. Beyond that the last pair stays.
    """
    steps = min(per_class, _INNER[-1][0])
    for (low, few), (high, many) in itertools.pairwise(_INNER):
        if steps <= high:
            share = (steps - low) / (high - low)
            return steps, max(1, round(few + share * (many - few)))
    return _INNER[-1]
