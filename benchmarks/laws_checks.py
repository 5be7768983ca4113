"""What a sceptic asks of the scaling studies: registered predictions, sensitivity, and whether curves differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from compared import points as said

from limbeck.errors import EvidenceError
from limbeck.evaluation import difference, holm
from limbeck.evaluation.records import Records
from limbeck.laws import ScalingLaw
from limbeck.laws.forms import FreePower
from limbeck.laws.law import Interval
from limbeck.laws.table import GapTable

# The nine primary curves of LOG.md (2026-11-21), one hypothesis b = 1/2 each; DM is registered against random.
REGISTERED = (
    ("scaling_fashion", "random"),
    ("scaling_fashion", "herding"),
    ("scaling_fashion", "dm"),
    ("scaling_fashion", "dsa"),
    ("scaling_mnist", "random"),
    ("scaling_mnist", "herding"),
    ("scaling_mnist", "dm"),
    ("scaling_mlp", "random"),
    ("scaling_mlp", "dm"),
)
NEEDED = 7  # of the nine, whose two largest sizes the free exponent was to predict


@dataclass(frozen=True)
class Found:
    """The law of one method in one study, and the p-value of b = 1/2."""

    study: str
    method: str
    law: ScalingLaw
    p: float


def half_p(law: ScalingLaw) -> float:
    """p of b = 1/2: one minus the level at which the interval of b just reaches it."""
    low, high = 0.0, 1.0
    for _ in range(30):
        level = (low + high) / 2
        _, left, right = (float(each) for each in law.free.shape(level))
        low, high = (low, level) if left <= 0.5 <= right else (level, high)
    return 1 - low


def adjusted(found: Sequence[Found]) -> dict[tuple[str, str], float]:
    """Holm over all registered curves; those without a law count with p = 1."""
    known = {(each.study, each.method): each.p for each in found}
    return dict(zip(REGISTERED, holm([known.get(curve, 1.0) for curve in REGISTERED]), strict=True))


def points(interval: Interval) -> str:
    """A fraction with its interval, as points."""
    ends = ["−∞" if e == -np.inf else "∞" if e == np.inf else f"{100 * e:.1f}" for e in interval.ends]
    return f"{100 * interval.value:.1f} [{ends[0]}, {ends[1]}]"


def sensitivity(found: Sequence[Found]) -> list[str]:
    """b again without the smallest size, without the largest, and its range when each size is left out in turn."""
    rows = [
        "| study | method | b | without 1 a class | without the largest | each size left out in turn |",
        "|---|---|---|---|---|---|",
    ]
    for each in found:
        table = each.law.ground.table
        turns = {float(k): _without(table, float(k)) for k in table.sizes}
        known = {k: b for k, b in turns.items() if b is not None}
        ends = "—"
        if known:
            low, high = min(known, key=lambda k: known[k].value), max(known, key=lambda k: known[k].value)
            ends = f"{known[low].value:.2f} (without {low:g}) to {known[high].value:.2f} (without {high:g})"
        first, last = turns[float(table.sizes[0])], turns[float(table.sizes[-1])]
        cells = (each.study, each.method, str(each.law.b), str(first or "—"), str(last or "—"), ends)
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _without(table: GapTable, size: float) -> Interval | None:
    try:
        return ScalingLaw.of(table.without([size], "")).b
    except EvidenceError:
        return None


def paired(loaded: Mapping[str, Records], one: str = "dm", other: str = "random") -> list[str]:
    """Gap of one method minus the other's, paired by seed, at each size of each study; t-intervals over seeds."""
    rows = []
    for name, records in loaded.items():
        cells = []
        for size in sorted({row.per_class for row in records if row.method == one}):
            try:  # the reference is the same: gaps differ as accuracies do, the other way round
                known = difference(*(records.where(method=m, per_class=size) for m in (other, one))).estimate
            except EvidenceError:
                continue
            if known.low is not None:
                cells.append(f"{size:g}: {said(known)}")
        if cells:
            rows.append(f"| {name} | {'; '.join(cells)} |")
    head = [f"| study | a class: gap of {one} minus that of {other}, points |", "|---|---|"]
    return [*head, *rows] if rows else []


def predictions_kept(found: Sequence[Found]) -> list[str]:
    """How the registered predictions fared, one sentence each."""
    free = [each for each in found if (each.study, each.method) in REGISTERED]
    held = [form.held for each in free for form in each.law.forms if form.fit.form == FreePower() and form.held]
    inside = sum(each.inside == len(each.sizes) for each in held)
    verdict = "kept" if inside >= NEEDED else "not kept" if inside + len(REGISTERED) - len(held) < NEEDED else "open"
    chosen = [each for each in free if each.method in ("random", "herding")]
    above = sum(each.law.b.high >= 0.5 for each in chosen)
    return [
        f"* *The free exponent predicts the largest sizes within its intervals in at least {NEEDED} of "
        f"{len(REGISTERED)} curves:* {inside} of {len(held)} curves: {verdict}.",
        f"* *b is near or above 1/2 for random and herding:* its interval reaches 1/2 in {above} of {len(chosen)} "
        f"curves (values {', '.join(f'{each.law.b.value:.2f}' for each in chosen)}).",
    ]
