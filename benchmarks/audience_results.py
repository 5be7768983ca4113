"""For whom: sets made for a space against sets made for one configuration; the tables of docs/results.md.

    python benchmarks/audience_results.py [benchmarks/results/audience.parquet | runs/audience] [--page docs/results.md]

A gap is the accuracy that real data reach by as many updates less that of the set, in one configuration. Each set has a
mean and a worst gap over the configurations; differences are paired by distillation seed. A study that is not done is
read as far as it is: only sets that every configuration has judged count.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from compared import ALPHA, PAGE, points, put, seconds

from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, estimate, holm, kinds, of_kind
from limbeck.evaluation.cells import FULL, Kind
from limbeck.evaluation.intervals import Estimate
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
ONE = "one"

Gaps = Mapping[int, Mapping[str, float]]  # distillation seed → configuration → gap


@dataclass(frozen=True)
class Served:
    """Sets of one kind: their gap in each configuration, seed by seed."""

    method: str
    whom: str
    gaps: Gaps

    @property
    def means(self) -> dict[int, float]:
        """Mean gap of each set over the configurations."""
        return {seed: fmean(gaps.values()) for seed, gaps in self.gaps.items()}

    @property
    def worsts(self) -> dict[int, float]:
        """Largest gap of each set."""
        return {seed: max(gaps.values()) for seed, gaps in self.gaps.items()}

    @property
    def weakest(self) -> str:
        """The configuration of the largest gap, averaged over the sets."""
        return max(self.average, key=lambda name: self.average[name])

    @property
    def average(self) -> dict[str, float]:
        """Gap of each configuration, averaged over the sets."""
        seeds = list(self.gaps.values())
        return {name: fmean(gaps[name] for gaps in seeds) for name in seeds[0]}


@dataclass(frozen=True)
class Finding:
    """All kinds, the accuracy of full data in each configuration, and configurations that a network failed in."""

    served: tuple[Served, ...]
    full: Mapping[str, float]
    failed: tuple[str, ...]


def finding(records: Records) -> Finding:
    """What can be said so far. Raises EvidenceError where there is no reference, or no set that all have judged."""
    reference = [kind for kind in kinds(records) if kind.method.startswith(FULL)]
    if not reference:
        raise EvidenceError("full data has not been trained yet, so that there are no gaps: let the study go on.")
    real = of_kind(records, reference[0])
    known = dict.fromkeys(row.configuration for row in real)
    judged = {kind: _judged(of_kind(records, kind), set(known)) for kind in kinds(records) if kind not in reference}
    rows = [row for mine in judged.values() for row in mine] + list(real)
    failed = [name for name in known if any(row.configuration == name and not row.finished for row in rows)]
    shared = [name for name in known if name not in failed]
    full = {name: fmean(row.accuracy for row in real if row.configuration == name) for name in shared}
    served = [_served(kind, mine, full) for kind, mine in judged.items() if len(mine) and full]
    if not served:
        raise EvidenceError("no set has been judged by every configuration yet: let the study go on.")
    return Finding(tuple(sorted(served, key=_order)), full, tuple(failed))


def _judged(records: Records, wanted: set[str]) -> Records:
    """The rows of sets that every configuration has judged."""
    seen: dict[int, set[str]] = {}
    for row in records:
        seen.setdefault(row.distillation_seed, set()).add(row.configuration)
    return Records.of(row for row in records if seen[row.distillation_seed] >= wanted)


def _served(kind: Kind, records: Records, full: Mapping[str, float]) -> Served:
    accuracies: dict[int, dict[str, list[float]]] = {}
    for row in records:
        accuracies.setdefault(row.distillation_seed, {}).setdefault(row.configuration, []).append(row.accuracy)
    method, _, whom = kind.method.partition(" for ")
    gaps = {seed: {name: full[name] - fmean(by[name]) for name in full} for seed, by in sorted(accuracies.items())}
    return Served(method, whom or "—", gaps)


def _order(one: Served) -> tuple[bool, str, int]:
    return one.whom != "—", one.method, ("—", ONE, "all", "net", "worst").index(one.whom)


def scores(found: Finding, spent: Mapping[str, Sequence[float]]) -> list[str]:
    """One row a kind: mean and worst gap, and what a set cost."""
    rows = ["| method | made for | sets | mean gap, points | worst gap, points | worst in | seconds a set |"]
    rows.append("|---|---|---|---|---|---|---|")
    for one in found.served:
        cost = spent.get(f"{one.method} for {one.whom}", spent.get(one.method, []))
        cells = [one.method, one.whom, str(len(one.gaps)), _plain(list(one.means.values()))]
        cells += [_plain(list(one.worsts.values())), one.weakest, f"{fmean(cost):.0f}" if cost else "—"]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def differences(found: Finding) -> list[str]:
    """Each space against one configuration by the same method, in both gaps; one family for Holm."""
    compared: list[tuple[str, str, str, Estimate]] = []
    for mine in found.served:
        theirs = next((one for one in found.served if (one.method, one.whom) == (mine.method, ONE)), None)
        if theirs is None or mine.whom in (ONE, "—"):
            continue
        for what, ours, others in (("mean", mine.means, theirs.means), ("worst", mine.worsts, theirs.worsts)):
            paired = [ours[seed] - others[seed] for seed in ours if seed in others]
            if paired:
                compared.append((mine.method, mine.whom, what, estimate(paired)))
    adjusted = iter(holm([known.p for *_, known in compared if known.p is not None]))
    rows = ["| method | made for | gap | difference to made for one, points | sets | p (Holm) | says |"]
    rows.append("|---|---|---|---|---|---|---|")
    for method, whom, what, known in compared:
        p = None if known.p is None else next(adjusted)
        word = "cannot tell" if p is None or p >= ALPHA else "smaller" if known.value < 0 else "larger"
        told = "—" if p is None else f"{p:.3g}"
        rows.append(f"| {method} | {whom} | {what} | {points(known)} | {known.n} | {told} | {word} |")
    return rows


def by_configuration(found: Finding) -> list[str]:
    """Accuracy of full data, and the gap of every kind, in every configuration."""
    names = [one.method if one.whom == "—" else f"{one.method} for {one.whom}" for one in found.served]
    rows = ["| configuration | full data, % | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for configuration, accuracy in found.full.items():
        gaps = [f"{100 * one.average[configuration]:.1f}" for one in found.served]
        rows.append(f"| {configuration} | {100 * accuracy:.1f} | " + " | ".join(gaps) + " |")
    return rows


def _plain(values: Sequence[float]) -> str:
    """21.3 [19.0, 23.6]: a gap in points has no sign to show."""
    return points(estimate(values)).replace("+", "")


def text(results: StudyResults) -> str:
    """The section."""
    found = finding(results.records.where(split="test"))
    spent = {name: times for (name, _), times in seconds(results).items()}
    total = sum(entry.seconds for entry in results.entries)
    left = f" Left out, because a network failed in it: {', '.join(found.failed)}." if found.failed else ""
    networks, asked = len(results.study.evaluation.seeds), len(list(results.study.distillations()))
    judged = sum(len(one.gaps) for one in found.served)
    interim = "" if judged == asked else f"**Interim: {judged} of {asked} sets are judged.** "
    head = (
        f"{interim}{len(found.full)} configurations, {networks} networks a set and configuration, "
        f"{total / 60:.0f} minutes of one thread in all. Smaller gaps are better; intervals are over distillation "
        f"seeds.{left}"
    )
    parts = ([head], differences(found), scores(found, spent), ["Gaps in points:", "", *by_configuration(found)])
    return "\n\n".join("\n".join(part) for part in parts)


def main(words: Sequence[str] | None = None) -> None:
    """Put the tables between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path, nargs="?", default=HERE / "results" / "audience.parquet")
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(words)
    told = text(StudyResults.load(given.results))
    put(given.page, "audience", told)
    print(told)


if __name__ == "__main__":
    main()
