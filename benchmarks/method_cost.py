"""What an iteration of each method costs: the table behind ``limbeck list methods``.

    python benchmarks/method_cost.py [METHOD …]

ConvNet-3 of width 32, images of 28 × 28 in grey, ten classes, 10 a class, the method's own defaults, one thread, CPU
seconds (other work on the machine then counts little). The mean of the iterations after the first; networks that a
state trains before the run are few and short here, because an iteration does not depend on them. Selections: seconds
of a whole choice among the examples, with a teacher of one epoch.
Named methods replace their lines in src/limbeck/distillation/method_cost.json, without names all are measured.
"""

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import torch
import work

from limbeck.data.task import Task
from limbeck.distillation.catalogue import COSTS
from limbeck.distillation.distill import compose
from limbeck.distillation.distiller import Situation
from limbeck.distillation.methods import METHODS
from limbeck.distillation.outer_loop import MatchingDistiller

SIZES = work.Sizes(side=28, channels=1, width=32)
SHORT: dict[str, Any] = {"state.count": 1, "state.updates": 1}  # of networks that are trained before the run


def iteration(name: str, task: Task, *, spend: float = 1.0) -> float:
    """Mean CPU seconds of iterations after the first."""
    pretrained = name.startswith("ncfm")
    made = compose(task, name, SIZES.per_class, network=SIZES.network, **(SHORT if pretrained else {}))
    return work.iteration(made, task, SIZES.per_class, spend=spend)[0]


def choice(name: str, task: Task) -> float:
    """Seconds of a whole choice."""
    few = {} if name == "random" else {"teacher_epochs": 1}
    made = compose(task, name, SIZES.per_class, network=SIZES.network, **few)
    began = time.process_time()
    made.distill(task, Situation(SIZES.per_class, 0, work.FLOAT32))
    return time.process_time() - began


def machine() -> str:
    """The processor's name."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), platform.machine())


def main() -> None:
    """Measure and write."""
    torch.set_num_threads(1)
    task = work.task_of(SIZES)
    task.train.take(torch.arange(1))
    names = sys.argv[1:] or list(METHODS)
    seconds: dict[str, float] = json.loads(COSTS.read_text())["seconds"] if COSTS.exists() and sys.argv[1:] else {}
    for name in names:
        found = compose(task, name, SIZES.per_class, network=SIZES.network)
        measured = iteration(name, task) if isinstance(found, MatchingDistiller) else choice(name, task)
        seconds[name] = float(f"{measured:.3g}")
        print(f"{name:14} {measured:8.3f} s", flush=True)
    facts = {
        "command": "python benchmarks/method_cost.py",
        "machine": f"{machine()}, one thread, float32, PyTorch {torch.__version__}",
        "setting": "ConvNet-3 of width 32, images of 28 × 28, 10 a class, ten classes, real batches of the method",
        "seconds": {name: seconds[name] for name in METHODS if name in seconds},
    }
    COSTS.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
