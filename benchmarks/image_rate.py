"""Does the measured image learning rate serve? Digits, short runs, paired by distillation seed; a few CPU minutes.

    python benchmarks/image_rate.py [--seeds 5] [--travel 1] [--most 0.1]

Each method and size is distilled with its published rate, with the measured one, and with one that may move images 2.5
times as far a step; a network is trained on each set and read on *validation*. Writes
benchmarks/results/image_rate.json.
"""

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import torch

import limbeck
from limbeck.compute import Compute
from limbeck.distillation.image_rate import GivenRate, ImageRate, MeasuredRate
from limbeck.evaluation import estimate

OUT = Path(__file__).parent / "results" / "image_rate.json"
ITERATIONS = {"dm": 50, "dc": 20, "dsa": 20}
COMMON: dict[str, Any] = {
    "network": "convnet-2-32:width=8",
    "real_batch": 16,
    "updates": 50,
    "recipe.optimizer.lr": 0.05,
}
SIZES = (1, 5, 10)
CPU = Compute(device="cpu", precision="float32", compilation="off")


def accuracy(method: str, size: int, seed: int, rate: ImageRate) -> tuple[float, float]:
    """Validation accuracy of one set (mean of its networks), and the image learning rate that was used."""
    inner = {} if method == "dm" else {"inner": 2}
    iterations = ITERATIONS[method]
    made = limbeck.distill(
        TASK, method, per_class=size, seed=seed, iterations=iterations, rate=rate, compute=CPU, **COMMON, **inner
    )
    rows = limbeck.evaluate(made, TASK, seeds=1, split="validation", compute=CPU)
    return sum(row.accuracy for row in rows) / len(rows), float(made.card.budget["lr"])


def compared(method: str, size: int, seeds: int, rates: dict[str, ImageRate]) -> dict[str, Any]:
    """Accuracies under each rate, seed by seed, and the paired differences of the others from the published rate."""
    found = {name: [accuracy(method, size, seed, rate) for seed in range(seeds)] for name, rate in rates.items()}
    line: dict[str, Any] = {"method": method, "per_class": size, "iterations": ITERATIONS[method]}
    line["accuracy"] = {name: [round(a, 4) for a, _ in pairs] for name, pairs in found.items()}
    line["lr"] = {name: [float(f"{lr:.4g}") for _, lr in pairs] for name, pairs in found.items()}
    for name in rates:
        if name != "published":
            gains = [ours - theirs for (ours, _), (theirs, _) in zip(found[name], found["published"], strict=True)]
            known = estimate(gains)
            line[f"{name} minus published"] = {
                key: None if number is None else round(number, 4)
                for key, number in (("mean", known.value), ("low", known.low), ("high", known.high), ("p", known.p))
            }
    return line


def main() -> None:
    """The whole table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--travel", type=float, default=MeasuredRate().travel)
    parser.add_argument("--most", type=float, default=MeasuredRate().most)
    parser.add_argument("--methods", nargs="+", default=list(ITERATIONS))
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    rates: dict[str, ImageRate] = {
        "published": GivenRate(),
        "measured": MeasuredRate(asked.travel, asked.most),
        "measured, larger": MeasuredRate(asked.travel, 2.5 * asked.most),
    }
    began, lines = time.process_time(), []
    for method in asked.methods:
        for size in SIZES:
            lines.append(compared(method, size, asked.seeds, rates))
            print(json.dumps(lines[-1]), flush=True)
    facts = {
        "data": TASK.name,
        "split": "validation",
        "settings": COMMON,
        "travel": asked.travel,
        "most": asked.most,
        "machine": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "cpu_seconds": round(time.process_time() - began),
        "command": f"python benchmarks/image_rate.py --seeds {asked.seeds}",
        "lines": lines,
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(facts, indent=1) + "\n")


TASK = limbeck.data.digits()

if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
