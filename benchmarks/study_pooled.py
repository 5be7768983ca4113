"""Rates of several curves together, on planted truth: do the intervals of the mean rate and of each floor hold it?

Studies of M curves with rates b_a ~ N(b, τ²) are simulated and go through ``limbeck.laws.pooled`` as real ones do: with
estimated variances, outlying runs, curves of different sizes, and configurations of the same sets whose errors go
together. Seed, design and limits are fixed beforehand. A cell with a frequency within two standard errors of its limit,
on either side, is simulated again, more often and with other numbers, and only those count. Writes
benchmarks/results/pooled.json (about twenty minutes of one core).

    python benchmarks/study_pooled.py [--simulations 400] [--out FILE]
"""

import argparse
import itertools
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from study_statistics import CLOSE, too_close

from limbeck.laws import PooledLaw, ScalingLaw
from limbeck.laws.law import Array, Interval
from limbeck.laws.pooled import pooled
from limbeck.laws.table import GapTable

SEED = 771203  # the method was looked at on other seeds
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
FEWER = (2.0, 4.0, 8.0, 20.0, 40.0, 100.0)  # of every third curve, where curves come from different studies
RATE, LEAST_RATE = 0.5, 0.1  # the mean, and the least that a curve's may be
SPREAD = 0.15  # τ where rates differ
SEEDS, REFERENCES, REFERENCE_SD = 4, 5, 0.004
ALIKE = 0.8  # correlation of the errors of two configurations of the same sets
OUTLIER = 8.0  # sd by which one run of a study is off
LEAST, FALSE_ALARM = 0.93, 0.08  # what passes: coverage of a 95 % interval, and how often one rate is refused at 5 %
CLOSER = 2000  # how often a cell that is too close to call is simulated again


@dataclass(frozen=True)
class Cell:
    """One planted truth."""

    curves: int
    tau: float
    shared: bool


CELLS = [Cell(*c) for c in itertools.product((3, 6), (0.0, SPREAD), (False, True))]


@dataclass(frozen=True)
class Planted:
    """One study: its law, and what was planted."""

    law: PooledLaw
    rates: Array
    floors: Array


def planted(cell: Cell, generator: np.random.Generator) -> Planted:
    """One study; configurations of the same sets have one size list and correlated errors."""
    count = cell.curves
    rates = np.maximum(generator.normal(RATE, cell.tau, count), LEAST_RATE)
    floors, falls = generator.uniform(0, 0.1, count), generator.uniform(0.3, 0.6, count)
    noise = np.exp(generator.uniform(np.log(0.006), np.log(0.02), count))
    common = generator.normal(size=(len(SIZES), SEEDS))
    laws, struck = [], int(generator.integers(count))
    for a in range(count):
        sizes = SIZES if cell.shared or a % 3 else FEWER
        error = generator.normal(size=(len(sizes), SEEDS))
        if cell.shared:
            error = np.sqrt(ALIKE) * common + np.sqrt(1 - ALIKE) * error
        if a == struck:
            error[generator.integers(len(sizes)), 0] += OUTLIER
        trend = np.geomspace(1.5, 0.7, len(sizes))[:, None]
        risks = falls[a] * np.array(sizes)[:, None] ** -rates[a] + floors[a] + noise[a] * trend * error
        laws.append(ScalingLaw.of(table(sizes, risks, REFERENCE_SD * generator.normal(size=REFERENCES), f"{a}")))
    return Planted(pooled(laws, families=[0] * count if cell.shared else range(count)), rates, floors)


def table(sizes: tuple[float, ...], risks: Array, reference: Array, name: str) -> GapTable:
    """One curve of a study that stores no correctness, one network a set."""
    count = len(sizes)
    return GapTable(
        method="planted",
        labels="hard",
        configurations=(name,),
        split="test",
        sizes=np.array(sizes),
        total=10 * np.array(sizes),
        risks=risks,
        seeds=tuple(range(risks.shape[1])),
        networks=np.ones(count),
        within=np.zeros(count),
        reference=reference,
        available=5000.0,
        test=np.zeros((count + 1, count + 1)),
    )


def judged(made: Planted) -> dict[str, list[float]]:
    """Does each interval hold the truth (1 or 0), and how wide is it, one number a curve or one a study."""
    law, told = made.law, {}
    told["b"] = [_holds(law.b, RATE)]
    told["b_width"] = [law.b.half]
    told["tau"] = [_holds(law.tau, float(SPREAD if made.rates.std() > 0 else 0.0))]
    told["tau_value"] = [law.tau.value]
    told["refused"] = [float(law.same < 1 - law.level)]
    told["further"] = [_holds(law.rates.another(), float(made.rates[0]))]
    told["curve_b"] = [_holds(law.rate(name), rate) for name, rate in zip(law.names, made.rates, strict=True)]
    floors, alone = [law.e(name) for name in law.names], [single.e for single in law.laws]
    told["e"] = [_holds(known, floor) for known, floor in zip(floors, made.floors, strict=True)]
    told["alone_e"] = [_holds(known, floor) for known, floor in zip(alone, made.floors, strict=True)]
    told["e_width"] = [min(e.half, 1.0) / min(a.half, 1.0) for e, a in zip(floors, alone, strict=True)]
    told["one_b"] = [_holds(law.one.b, RATE)]
    single = [law.one.coefficient(i, 1) for i in range(len(law.laws))]
    told["one_e"] = [_holds(known, floor) for known, floor in zip(single, made.floors, strict=True)]
    told["one_e_width"] = [e.half / min(a.half, 1.0) for e, a in zip(single, alone, strict=True)]
    return told


def _holds(interval: Interval, number: float) -> float:
    return float(interval.holds(float(number)))


def row(cell: Cell, place: int, simulations: int, first: int = 0) -> dict[str, Any]:
    """One cell: shares covered, medians of widths, and what fails."""
    told: dict[str, list[float]] = {}
    for number in range(first, first + simulations):
        for key, values in judged(planted(cell, np.random.default_rng([SEED, place, number]))).items():
            told.setdefault(key, []).extend(values)
    widths = {key: round(float(np.median(told.pop(key))), 4) for key in list(told) if key.endswith(("width", "value"))}
    shares = {key: round(float(np.mean(values)), 4) for key, values in told.items()}
    failed = [key for key in limits(cell) if key != "refused" and shares[key] < LEAST]
    failed += ["refused"] if cell.tau == 0 and shares["refused"] > FALSE_ALARM else []
    return {"cell": asdict(cell), **shares, **widths, "failed": failed}


def limits(cell: Cell) -> dict[str, float]:
    """What a cell is judged by, and the limit of each."""
    held = ["b", "e", "curve_b", *(["one_b", "one_e"] if cell.tau == 0 else [])]
    return dict.fromkeys(held, LEAST) | ({"refused": FALSE_ALARM} if cell.tau == 0 else {})


def settled(cell: Cell, place: int, simulations: int) -> dict[str, Any]:
    """One cell, simulated again where it is too close to call."""
    found = row(cell, place, simulations)
    undecided = {key: found[key] for key, limit in limits(cell).items() if too_close(found[key], limit, simulations)}
    if not undecided:
        return found
    return {**row(cell, place, CLOSER, first=simulations), "simulations": CLOSER, "first": undecided}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "pooled.json")
    asked = parser.parse_args()
    started, rows = time.perf_counter(), []
    for place, cell in enumerate(CELLS):
        rows.append(settled(cell, place, asked.simulations))
        print(cell, {key: value for key, value in rows[-1].items() if key != "cell"}, flush=True)
    design = {
        "seed": SEED, "simulations": asked.simulations, "sizes": SIZES, "other_sizes": FEWER, "b": RATE, "seeds": SEEDS,
        "tau": SPREAD, "correlation": ALIKE, "outlier_sd": OUTLIER, "pass": {"covered": LEAST, "refused": FALSE_ALARM},
        "close": {"standard_errors": CLOSE, "simulations": CLOSER},
    }  # fmt: skip
    result = {"design": design, "seconds": round(time.perf_counter() - started), "cells": rows}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(result, separators=(",", ":")).replace('{"cell"', '\n{"cell"') + "\n")
    print(f"{sum(not r['failed'] for r in rows)} of {len(rows)} cells pass in {result['seconds']} s")


if __name__ == "__main__":
    main()
