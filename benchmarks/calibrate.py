"""Minutes of two cores turned into iterations: what an iteration of each method of a study costs on this machine.

    LIMBECK_DATA=… python benchmarks/calibrate.py methods --minutes 2 4 [--only dsa …]

Two runs go side by side, one thread each, as in the study, so that a run of m minutes of two cores may use 120·m CPU
seconds. Networks that a state trains before the run are counted apart ("once"). Prints two significant digits of the
iterations that fit; they are stored in the study's file by hand, so that every machine does the same work.
"""

import argparse
import json
import math
import multiprocessing
from pathlib import Path
from typing import Any

import torch
import work

from limbeck.distillation.distill import compose
from limbeck.study.perform import opened
from limbeck.study.study import Study

HERE = Path(__file__).parent


def cost(job: tuple[str, str, int, float]) -> tuple[float, float]:
    """CPU seconds of an iteration, and of what comes before the first one."""
    study, label, per_class, spend = job
    torch.set_num_threads(1)
    known = Study.load(HERE / f"{study}.yaml")
    (entry,) = [each for each in known.methods if each.label == label]
    task = opened(known.source)
    task.train.take(torch.arange(1))
    made = compose(task, entry.name, per_class, network=known.network, **dict(entry.settings))
    return work.iteration(made, task, per_class, spend=spend)


def two_digits(number: float) -> int:
    """Rounded down to two significant digits."""
    unit = 10 ** max(math.floor(math.log10(max(number, 1))) - 1, 0)
    return max(int(number // unit) * unit, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study")
    parser.add_argument("--minutes", type=float, nargs="+", default=[2.0, 4.0], help="one for each size of the study")
    parser.add_argument("--only", nargs="*", help="labels")
    parser.add_argument("--spend", type=float, default=20.0, help="CPU seconds of iterations to measure")
    asked = parser.parse_args()
    study = Study.load(HERE / f"{asked.study}.yaml")
    jobs = [
        (asked.study, entry.label, per_class, asked.spend)
        for entry in study.methods
        if entry.iterations and (not asked.only or entry.label in asked.only)
        for per_class in entry.per_class or study.per_class
    ]
    minutes = dict(zip(study.per_class, asked.minutes, strict=True))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for (_, label, per_class, _), (each, once) in zip(jobs, pool.imap(cost, jobs), strict=True):
            row: dict[str, Any] = {"method": label, "per_class": per_class, "seconds": round(each, 4)}
            row |= {"once": round(once, 1), "iterations": two_digits(120 * minutes[per_class] / each)}
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
