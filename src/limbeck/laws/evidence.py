"""What a law may rest on: enough sizes and seeds, runs that belong together, and sizes whose distillation converged."""

import math
from dataclasses import dataclass, replace

import numpy as np

from limbeck.errors import EvidenceError
from limbeck.laws.fit import quantile
from limbeck.laws.law import Array
from limbeck.laws.noise import Noise, new_variance, noise, outlying
from limbeck.laws.table import GapTable

__all__ = ["Ground", "ground"]

SIZES, SEEDS = 4, 2  # fewer are no evidence at all
CLAIM, DECADES = 8, 2.0  # fewer sizes, or over a smaller range, are a demonstration


@dataclass(frozen=True)
class Ground:
    """A table that can bear a law.

    gaps:    noise of the gaps.  risks: of the risks themselves, which do not know the reference.
    remarks: sentences on what was left out and what is thin.
    """

    table: GapTable
    gaps: Noise
    risks: Noise
    remarks: tuple[str, ...]

    @property
    def noise(self) -> Noise:
        """That of the gaps."""
        return self.gaps

    def new_run(self, per_class: float) -> Array:
        """() variance of one new set with one network about the mean of its size."""
        return np.asarray(new_variance(self.gaps, self.table.within, self.table.networks, per_class))


def ground(table: GapTable, doubled: GapTable | None = None, *, level: float) -> Ground:
    """Check a table, leave out what cannot be used, and estimate its noise. Raises EvidenceError."""
    table = _seeded(table)
    _enough(table)
    if doubled is not None:
        table = _converged(table, doubled, level=level)
        _enough(table)
    out = outlying(table.sizes, table.risks)
    said = [
        f"One run of {table.method} at {table.sizes[k]:g} a class (seed {table.seeds[s]}) lies far from the others of "
        "its size and is left out."
        for k, s in zip(*np.nonzero(out), strict=True)
    ]
    runs = np.where(out, np.nan, table.risks)
    last = len(table.sizes)
    turn = np.concatenate([np.eye(last), -np.ones((last, 1))], 1)
    shared = np.asarray(table.reference.var(ddof=1) / len(table.reference))
    freedom = np.asarray(float(len(table.reference) - 1))
    gaps = noise(table.sizes, runs - table.reference.mean(), shared, freedom, turn @ table.test @ turn.T)
    risks = noise(table.sizes, runs, np.zeros(()), freedom, table.test[:last, :last])
    told = [f"{text[:1].upper()}{text[1:]}." for text in table.remarks]
    remarks = [*told, *said, *_thin(table)]
    if doubled is None:
        remarks.append("Whether twice the distillation budget would move the largest sizes was not checked.")
    return Ground(table, gaps, risks, tuple(remarks))


def _seeded(table: GapTable) -> GapTable:
    """Without sizes that too few distillation seeds stand behind."""
    few = [float(k) for k, row in zip(table.sizes, table.risks, strict=True) if np.isfinite(row).sum() < SEEDS]
    if not few or len(few) == len(table.sizes):
        return table
    names = ", ".join(f"{k:g}" for k in few)
    return table.without(few, f"without {names} a class, where fewer than {SEEDS} distillation seeds finished")


def _enough(table: GapTable) -> None:
    if len(table.sizes) < SIZES or np.isfinite(table.risks).sum(1).min() < SEEDS:
        raise EvidenceError(
            f"{table} has {len(table.sizes)} sizes, and {SIZES} with {SEEDS} distillation seeds each are the least "
            f"that a law can be fitted to ({CLAIM} over {DECADES:g} decades to claim one): run more sizes or seeds."
        )
    if len(table.reference) < 2:
        raise EvidenceError(
            f"{len(table.reference)} full-data network finished, and its error is common to all gaps: train 2 or more."
        )


def _thin(table: GapTable) -> list[str]:
    """What makes the table a demonstration rather than evidence."""
    decades = math.log10(float(table.sizes[-1] / table.sizes[0]))
    said = []
    if len(table.sizes) < CLAIM or decades < DECADES - 1e-9:
        said.append(
            f"A demonstration, not evidence: {len(table.sizes)} sizes over {decades:.1f} decades, where {CLAIM} over "
            f"{DECADES:g} are needed to claim a law."
        )
    least = int(np.isfinite(table.risks).sum(1).min())
    if least < 3:
        said.append(
            f"Only {least} distillation seeds at some sizes: an outlying run could not be told from the others."
        )
    return said


def _converged(table: GapTable, doubled: GapTable, *, level: float) -> GapTable:
    """Without those of the two largest sizes whose gap moves by more than its interval when the budget is doubled."""
    common = [float(size) for size in table.sizes[-2:] if size in doubled.sizes]
    if not common:
        raise EvidenceError(
            f"the doubled budget was run at none of the two largest sizes of {table.method}: run it there, or leave it "
            "out."
        )
    moved = []
    for size in common:
        before, after = (t.risks[np.flatnonzero(t.sizes == size)[0]] for t in (table, doubled))
        before, after = before[np.isfinite(before)], after[np.isfinite(after)]
        reach = float(quantile(np.asarray(float(len(before) - 1)), (1 + level) / 2))
        half = reach * float(before.std(ddof=1)) / math.sqrt(len(before))
        if len(after) and abs(float(after.mean() - before.mean())) > half:
            moved.append(size)
    names = ", ".join(f"{size:g}" for size in moved)
    if moved:
        return table.without(moved, f"without {names} a class: twice the distillation budget moves the gap there")
    return replace(
        table, remarks=(*table.remarks, "Twice the distillation budget leaves the largest sizes as they are")
    )
