"""What a law may rest on: enough sizes and seeds, runs that belong together, and sizes whose distillation converged."""

import math
from dataclasses import dataclass

import numpy as np

from limbeck.distillation.methods import METHODS
from limbeck.errors import EvidenceError
from limbeck.laws.fit import quantile
from limbeck.laws.law import Array
from limbeck.laws.noise import Noise, new_variance, noise, outlying, together
from limbeck.laws.table import GapTable

__all__ = ["Ground", "ground", "thin"]

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
    checked = "whether twice the distillation budget would move the largest sizes was not checked"
    if table.method in METHODS and not METHODS[table.method].distils:
        checked = ""  # choosing real examples has no budget
    if doubled is not None:
        table, checked = _converged(table, doubled, level=level)
        _enough(table)
    runs = _regular(table)
    said = [
        f"One run of {table.method} at {table.sizes[k]:g} a class (seed {table.seeds[s]}) lies far from the others of "
        "its size and is left out."
        for k, s in zip(*np.nonzero(np.isnan(runs) & np.isfinite(table.risks)), strict=True)
    ]
    gaps, risks = _noises(table, runs)
    told = [f"{text[:1].upper()}{text[1:]}." for text in (*table.remarks, checked) if text]
    return Ground(table, gaps, risks, (*told, *said, *_thin(table)))


def _regular(table: GapTable) -> Array:
    """The risks without outlying runs."""
    return np.where(outlying(table.sizes, table.risks), np.nan, table.risks)


def _noises(table: GapTable, runs: Array) -> tuple[Noise, Noise]:
    """Of the gaps, and of the risks themselves."""
    last = len(table.sizes)
    turn = np.concatenate([np.eye(last), -np.ones((last, 1))], 1)
    count = len(table.reference)
    networks, freedom = (np.asarray(each) for each in table.crossed)
    reference = np.asarray(table.reference.var(ddof=1) / count), np.asarray(count - 1.0)
    shared = together(reference, (networks, freedom))
    gaps = noise(table.sizes, runs - table.reference.mean(), *shared, turn @ table.test @ turn.T)
    risks = noise(table.sizes, runs, networks, freedom, table.test[:last, :last])
    return gaps, risks


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


def thin(sizes: Array) -> str:
    """Why ``sizes`` are a demonstration (too few, too small a range, or a hole in it), "" where they are evidence."""
    steps = np.diff(np.log10(sizes))
    decades, widest = float(steps.sum()), int(steps.argmax())
    if len(sizes) < CLAIM or decades < DECADES - 1e-9:
        return f"{len(sizes)} sizes over {decades:.1f} decades, where {CLAIM} over {DECADES:g} are needed"
    if steps[widest] > decades / 2:
        return f"no size between {sizes[widest]:g} and {sizes[widest + 1]:g} a class, more than half of the range"
    return ""


def _thin(table: GapTable) -> list[str]:
    """What makes the table a demonstration rather than evidence."""
    why = thin(table.sizes)
    said = [f"A demonstration, not evidence: {why}."] if why else []
    least = int(np.isfinite(table.risks).sum(1).min())
    if least < 3:
        said.append(
            f"Only {least} distillation seeds at some sizes: an outlying run could not be told from the others."
        )
    return said


def _converged(table: GapTable, doubled: GapTable, *, level: float) -> tuple[GapTable, str]:
    """Without those of the two largest sizes whose gap moves by more than its interval when the budget is doubled.

    A size is out where the mean difference of the seeds that both budgets have is more than the half width of its gap's
    interval under the pooled variance of all sizes, or clearly not zero (a t-test of the paired differences).
    """
    moved: list[tuple[float, str]] = []
    still: list[tuple[float, str]] = []
    unknown = []
    gaps, _ = _noises(table, _regular(table))
    for size in (float(each) for each in table.sizes[-2:]):
        change = _change(table, doubled, size, gaps, level=level)
        if change is None:
            unknown.append(f"{size:g}")
            continue
        mean, half, allowed = change
        clear = mean - half > 0 or mean + half < 0
        limit = f"where its own interval is ± {100 * allowed:.1f}"
        said = f"{size:g} a class ({_signed(mean)} ± {100 * half:.1f} points, {limit})"
        (moved if clear or abs(mean) > allowed else still).append((size, said))
    first, second, third = (" and ".join(words) for words in ([s for _, s in moved], [s for _, s in still], unknown))
    told = [
        f"twice the distillation budget moves the gap at {first}: left out" if moved else "",
        f"twice the distillation budget leaves the gap at {second} as it is" if still else "",
        f"whether it moves the gap at {third} a class is not known" if unknown else "",
    ]
    out = [size for size, _ in moved]
    return (table.without(out, "") if out else table), "; ".join(text for text in told if text)


def _change(
    table: GapTable, doubled: GapTable, size: float, gaps: Noise, *, level: float
) -> tuple[float, float, float] | None:
    """Mean paired difference of the gap by twice the budget, half its interval, and half that of the gap itself."""
    if size not in doubled.sizes:
        return None
    before = table.risks[int(np.flatnonzero(table.sizes == size)[0])]
    after = doubled.risks[int(np.flatnonzero(doubled.sizes == size)[0])]
    known = {seed: risk for seed, risk in zip(table.seeds, before, strict=True) if np.isfinite(risk)}
    pairs = [
        (known[seed], risk)
        for seed, risk in zip(doubled.seeds, after, strict=True)
        if seed in known and np.isfinite(risk)
    ]
    if len(pairs) < SEEDS:
        return None
    differences = np.array([second - first for first, second in pairs])
    reach = float(quantile(np.asarray(len(pairs) - 1.0), (1 + level) / 2))
    half = reach * float(differences.std(ddof=1)) / math.sqrt(len(pairs))
    place = (table.sizes == size).astype(np.float64)
    own = float(place @ gaps.own() @ place)
    pooled = quantile(gaps.freedom(place), (1 + level) / 2)
    return float(differences.mean()), half, float(pooled) * math.sqrt(own)


def _signed(gap: float) -> str:
    return f"{100 * gap:+.1f}".replace("-", "−")
