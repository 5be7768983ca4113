"""The size at which hard real examples overtake easy ones, measured in a study of pools, beside the pruning law's.

python benchmarks/pool_switch.py [benchmarks/results/pools.parquet] [--share 0.3333] [--angle 0]
"""

import argparse
import math
from pathlib import Path

from compared import left, points, put

from limbeck.errors import EvidenceError
from limbeck.evaluation import Records
from limbeck.laws.switch import Switch, TheorySwitch, measured_switch, theory_switch
from limbeck.study.results import StudyResults

HERE = Path(__file__).parent


def bases(records: Records) -> list[str]:
    """Methods that were run from an easy and from a hard pool."""
    names = {row.method for row in records}
    return sorted(
        name.removesuffix(" easy") for name in names if name.endswith(" easy") and name[:-5] + " hard" in names
    )


def told(switch: Switch, theory: TheorySwitch, classes: int) -> list[str]:
    """A table of hard minus easy by size, the switch in words, and advice."""
    rows = ["| a class | hard minus easy, points | advice |", "|---|---|---|"]
    for size, gap in zip(switch.sizes, switch.gaps, strict=True):
        rows.append(f"| {size:g} | {points(gap)} | {switch.advice(size)} |")
    return [*rows, "", switch.sentence(), theory.beside(switch, classes), ""]


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
    put(HERE.parent / "docs" / "results.md", "pools", text)
    print(text)


if __name__ == "__main__":
    main()
