"""Records judged for the page: every kind with its score, its verdict against baselines and its gap to full data."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from limbeck.errors import EvidenceError
from limbeck.evaluation.cells import FULL, Kind, cells, kinds
from limbeck.evaluation.records import Records
from limbeck.evaluation.scores import Difference, Score, difference, gap, score
from limbeck.evaluation.verdict import Verdict, best_baseline, of_kind, verdict

__all__ = ["Judged", "Results", "is_baseline", "judge", "mean_of", "name_of"]

T = TypeVar("T")
_FULL = {
    "full-matched": "full data, as many updates",
    "full-converged": "full data, to convergence",
    "full-unconverged": "full data, trained longer, not converged",
}
_LABELS = {"hard": "", "soft": ", soft labels", "learned": ", learned labels"}


@dataclass(frozen=True)
class Judged:
    """One kind of set (method, size, labels), or one full-data reference.

    score:      on the configurations that all kinds share, None where no network finished.
    whole:      the same on all of its own configurations, for the worst one.
    verdict:    against random, hard and soft; None for baselines and references.
    best:       minus the best baseline of its size (chosen on validation); None where there is none.
    gap:        full data minus this; None where there is no reference.
    validation: mean accuracy on validation (NaN where unknown): what choices are made by.
    """

    kind: Kind
    records: Records
    score: Score | None
    whole: Score | None
    verdict: Verdict | None
    best: Difference | None
    gap: Difference | None
    validation: float

    @property
    def name(self) -> str:
        """Method and labels, as a curve is called."""
        return name_of(self.kind)

    @property
    def real(self) -> bool:
        """True for the full-data reference."""
        return self.records.rows[0].method == FULL

    @property
    def distilled(self) -> bool:
        """True where the set was distilled, False where real examples were chosen."""
        return not self.real and not is_baseline(self.kind.method)


@dataclass(frozen=True)
class Results:
    """What a page tells of records: one split, sets by method and size, and the full data.

    configurations: those that every set finished networks in; the scores are means over them.
    """

    split: str
    sets: tuple[Judged, ...]
    full: tuple[Judged, ...]
    configurations: tuple[str, ...]
    records: Records

    @property
    def best(self) -> Judged | None:
        """The distilled kind to tell about: of the largest size, and of those the best on validation, not on test."""
        able = [j for j in self.sets if j.distilled and j.score is not None]
        largest = max((j.kind.per_class for j in able), default=0.0)
        able = [j for j in able if j.kind.per_class == largest]
        return max(able, key=lambda j: -1.0 if math.isnan(j.validation) else j.validation, default=None)


def judge(records: Records) -> Results:
    """Results of the rows on test, or on validation where there are no others. Raises EvidenceError without rows."""
    split = "test" if any(row.split == "test" for row in records) else "validation"
    rows = records.where(split=split)
    groups = {kind: of_kind(rows, kind) for kind in kinds(rows)}
    if not groups:
        raise EvidenceError("there are no records to tell of: evaluate a set first.")
    full = [kind for kind, group in groups.items() if group.rows[0].method == FULL]
    sets = [kind for kind in groups if kind not in full]
    names = _shared(groups[kind] for kind in sets)
    matched = next((groups[kind] for kind in sorted(full, key=lambda k: k.method != "full-matched")), None)
    told = [_judge(kind, groups[kind], names, rows, matched) for kind in sets]
    references = [_judge(kind, groups[kind], names, rows, None) for kind in full]
    order = sorted(told, key=lambda j: (not j.distilled, j.kind.method, j.kind.labels, j.kind.per_class))
    return Results(split, tuple(order), tuple(references), names, rows)


def is_baseline(method: str) -> bool:
    """True for a method of the table that only chooses real examples; a label such as ``dm lr=2`` keeps its method."""
    from limbeck.distillation.methods import METHODS

    entry = METHODS.get(method.split()[0]) if method.split() else None
    return entry is not None and not entry.distils


def name_of(kind: Kind) -> str:
    """Method, and labels where they are not hard; a full-data reference by how long it was trained."""
    return _FULL.get(kind.method, kind.method) + _LABELS.get(kind.labels, f", {kind.labels} labels")


def mean_of(values: Iterable[float]) -> float:
    """The mean of the finite ``values``; NaN without any."""
    known = [v for v in values if math.isfinite(v)]
    return math.fsum(known) / len(known) if known else math.nan


def _judge(kind: Kind, group: Records, names: tuple[str, ...], rows: Records, full: Records | None) -> Judged:
    shared = Records.of(row for row in group if row.configuration in names)
    shared = shared if len(shared) else group
    distilled = group.rows[0].method != FULL and not is_baseline(kind.method)
    baseline = _if_any(lambda: of_kind(rows, best_baseline(rows, kind))) if distilled else None
    return Judged(
        kind=kind,
        records=group,
        score=_if_any(lambda: score(shared)),
        whole=_if_any(lambda: score(group)),
        verdict=_if_any(lambda: verdict(rows, kind)) if distilled else None,
        best=None if baseline is None else _if_any(lambda: difference(group, baseline)),
        gap=None if full is None else _if_any(lambda: gap(full, group)),
        validation=mean_of(row.validation for row in shared),
    )


def _shared(groups: Iterable[Records]) -> tuple[str, ...]:
    """Configurations that every kind finished networks in, in the order of the first; () where there are none."""
    known = [_finished(group) for group in groups]
    known = [names for names in known if names]
    return tuple(name for name in known[0] if all(name in other for other in known)) if known else ()


def _finished(group: Records) -> tuple[str, ...]:
    found = _if_any(lambda: cells(group))
    return () if found is None else found.configurations


def _if_any(scored: Callable[[], T]) -> T | None:
    """The score, or None where too few networks finished for one: a page shows what there is."""
    try:
        return scored()
    except EvidenceError:
        return None
