"""What the difficulty term costs: an iteration with it beside one without, in turns in one process.

    python benchmarks/term_cost.py [METHOD …] [--terms sdc gradn] [--pairs 5]

ConvNet-3 of width 32, images of 28 × 28 in grey, ten classes, 10 a class, 64 real images a class, one thread, CPU time.
Gradient matching trains for 5 epochs between steps instead of the published 50, which would hide what the term costs.
Writes benchmarks/results/term_cost.json and its table in docs/results.md.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
import work
from compared import PAGE, put
from method_cost import SHORT, SIZES, machine
from paired import Seconds, paired

from limbeck.data.task import Task
from limbeck.distillation.distill import compose

HERE = Path(__file__).parent
METHODS = ("dc", "dsa", "dcc", "dsac", "dm", "ncfm")
TERMS = ("sdc", "gradn")


def one(task: Task, method: str, term: str | None) -> Seconds:
    """CPU seconds of an iteration of ``method``, with a difficulty term or without."""
    few: dict[str, Any] = dict(SHORT) if method == "ncfm" else {}
    if method in ("dc", "dsa", "dcc", "dsac"):
        few["state.inner"] = 5
    if term is not None:
        few["difficulty"] = f"{term}=0.1"
    made = compose(task, method, SIZES.per_class, network=SIZES.network, real_batch=64, **few)
    return lambda: work.iteration(made, task, SIZES.per_class, spend=2.0)[0]


def main() -> None:
    """Measure, write, and put the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("methods", nargs="*", default=METHODS)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--terms", nargs="+", choices=TERMS, default=TERMS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    task = work.task_of(SIZES)
    kept = HERE / "results" / "term_cost.json"
    known: dict[str, Any] = json.loads(kept.read_text())["rows"] if kept.exists() else {}
    for method in chosen.methods:
        for term in chosen.terms:
            sides = one(task, method, term), one(task, method, None)
            found = paired(*sides, seconds=0.0, least=chosen.pairs)
            kinds = ("pairs", "ratio", "ratio_low", "ratio_high")
            known[f"{method} {term}"] = {"machine": machine(), **{key: found[key] for key in kinds}}
            print(method, term, json.dumps(known[f"{method} {term}"]), flush=True)
    how = f"One thread, float32, PyTorch {torch.__version__}"
    kept.write_text(json.dumps({"how": how, "rows": known}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    put(PAGE, "term_cost", table(known, how))


def table(known: dict[str, Any], how: str) -> str:
    """Markdown."""
    rows = ["| method | term | an iteration with it / without, 95 % interval | pairs | on |", "|---|---|---|---|---|"]
    for name, one in known.items():
        method, term = name.split()
        ends = f"{one['ratio']:.3f} [{one['ratio_low']:.3f}, {one['ratio_high']:.3f}]"
        rows.append(f"| {method} | {term} | {ends} | {one['pairs']} | {one['machine']} |")
    return "\n".join([*rows, "", f"{how}."])


if __name__ == "__main__":
    main()
