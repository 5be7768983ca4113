"""Easy, middle, hard or all real examples, by size: where easy ones are overtaken, beside the pruning law's switch.

python benchmarks/pool_switch.py [benchmarks/results/pools.parquet] [--share 0.3333] [--angle 0]
"""

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compared import PAGE, left, points, put

from limbeck.errors import EvidenceError
from limbeck.evaluation import Records, holm
from limbeck.evaluation.intervals import Estimate
from limbeck.evaluation.scores import difference, score
from limbeck.evaluation.table import percent
from limbeck.laws.switch import Switch, TheorySwitch, measured_switch, theory_switch
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent
POOLS = ("easy", "middle", "hard")


def bases(records: Records) -> list[str]:
    """Methods that were run from an easy and from a hard pool."""
    names = {row.method for row in records}
    return sorted(
        name.removesuffix(" easy") for name in names if name.endswith(" easy") and name[:-5] + " hard" in names
    )


def told(switch: Switch, theory: TheorySwitch, classes: int) -> list[str]:
    """A table of hard minus easy by size, and the switch in words."""
    rows = ["| a class | hard minus easy, points |", "|---|---|"]
    rows += [f"| {size:g} | {points(gap)} |" for size, gap in zip(switch.sizes, switch.gaps, strict=True)]
    return [*rows, "", switch.sentence(), theory.beside(switch, classes), ""]


def pools(records: Records, base: str) -> list[str]:
    """A table by size: from all examples, each pool minus all, paired by seed, and advice; then the switch to all."""
    heads = [
        "a class",
        "from all, %",
        *(f"{pool} minus all, points, p (Holm)" for pool in POOLS),
        "take, by own intervals",
    ]
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    gaps = corrected(records, base)
    for size in sorted({row.per_class for row in records.where(method=base)}):
        whole = score(records.where(method=base, per_class=size)).estimate
        mine = {pool: gap for (pool, at), gap in gaps.items() if at == size}
        shown = [f"{points(mine[pool].gap)}, {mine[pool].p:.2g}" if pool in mine else "—" for pool in POOLS]
        rows.append(f"| {size:g} | {percent(whole)} | " + " | ".join(shown) + f" | {advice(mine)} |")
    return [*rows, "", measured_switch(records, easy=f"{base} easy", hard=base).sentence(), ""]


@dataclass(frozen=True)
class Beside:
    """A pool minus all examples at one size; p is Holm's over all pools and sizes of a method, 1 for one seed."""

    gap: Estimate
    p: float


def corrected(records: Records, base: str) -> dict[tuple[str, float], Beside]:
    """(pool, size) → the difference to all examples."""
    found: dict[tuple[str, float], Estimate] = {}
    for size in sorted({row.per_class for row in records.where(method=base)}):
        whole = records.where(method=base, per_class=size)
        for pool in POOLS:
            mine = records.where(method=f"{base} {pool}", per_class=size)
            if len(mine):
                found[pool, size] = difference(mine, whole).estimate
    adjusted = iter(holm([gap.p for gap in found.values() if gap.p is not None]))
    return {key: Beside(gap, 1.0 if gap.p is None else next(adjusted)) for key, gap in found.items()}


def advice(gaps: Mapping[str, Beside]) -> str:
    """The pool to draw from at one size: one that is clearly better than all examples, else all of them."""
    better = [pool for pool, each in gaps.items() if each.gap.clear and each.gap.value > 0]
    if better:
        return f"{max(better, key=lambda pool: gaps[pool].gap.value)} examples"
    equal = [pool for pool, each in gaps.items() if not each.gap.clear]
    return f"all, or {' or '.join(equal)} ones: cannot be told" if equal else "all"


def report(records: Records, *, share: float, angle: float) -> list[str]:
    """Lines of Markdown for every method with pools. Raises EvidenceError where there is none."""
    found = bases(records)
    if not found:
        raise EvidenceError("the study has no method from an easy and a hard pool: run benchmarks/pools.yaml.")
    theory = theory_switch(share, angle=angle)
    classes = len(records.rows[0].recalls)
    lines = []
    for base in found:
        lines += [f"**{base}**", ""]
        if base in {row.method for row in records}:
            lines += pools(records, base)
        lines += told(measured_switch(records, easy=f"{base} easy", hard=f"{base} hard"), theory, classes)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    usual = HERE / "results" / "pools.parquet"
    parser.add_argument("results", nargs="?", default=usual, help="directory or export of benchmarks/pools.yaml")
    parser.add_argument("--share", type=float, default=1 / 3, help="of each class in a pool")
    parser.add_argument("--angle", type=float, default=0.0, help="of the probe in the pruning law, degrees")
    given = parser.parse_args()
    results = StudyResults.load(given.results)
    lines = report(results.records.where(split="test"), share=given.share, angle=math.radians(given.angle))
    interim = left(results).sentence()
    text = "\n".join([interim, "", *lines] if interim else lines).strip()
    put(PAGE, "pools", text)
    print(text)


if __name__ == "__main__":
    main()
