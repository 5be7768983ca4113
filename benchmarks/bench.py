"""How fast is limbeck, on this machine, against the field's usual form? One command, at most twenty minutes.

    python benchmarks/bench.py [--minutes 6] [--width 128] [--out benchmarks/results.json] [--parts rows growth …]

With --parts the other parts of the JSON file stay as they are; do so on the same machine only.
Writes a JSON file and the tables and figures of docs/performance.md. Both sides are timed in turns in one process.
"""

import argparse
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import work
from ceilings import ceilings, hottest, machine, operations
from growth import graph_bytes, growth, unrolling
from page import write_page
from paired import Seconds, paired, timed

from limbeck.compute import Compute, has_compiler

HERE = Path(__file__).parent
PARTS = ("rows", "unroll", "small", "start", "growth", "profile", "extrapolation")
SHARE = {"rows": 0.6, "small": 0.15}  # of the minutes; the other parts take what they take


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=6.0, help="for the paired measurements (all: some 14 more)")
    parser.add_argument("--width", type=int, default=128, help="channels of the ConvNet")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    parser.add_argument("--page", type=Path, default=HERE.parent / "docs" / "performance.md")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    chosen = parser.parse_args()
    cache = os.environ["TORCHINDUCTOR_CACHE_DIR"] = tempfile.mkdtemp(prefix="limbeck-bench-")
    atexit.register(shutil.rmtree, cache, ignore_errors=True)
    torch.manual_seed(0)  # the reference path draws its weights from the global generator, as is usual
    began = time.perf_counter()
    told: dict[str, Any] = {"machine": machine(), "ceilings": ceilings(), "width": chosen.width, "apart": {}}
    if len(chosen.parts) < len(PARTS) and chosen.out.exists():  # what is not measured anew stays, with its machine
        known = json.loads(chosen.out.read_text())
        told = known | {"apart": known.get("apart", {}) | {name: machine()["date"] for name in chosen.parts}}
    parts: dict[str, Callable[[], Any]] = {
        "rows": lambda: rows(work.Sizes(width=chosen.width), SHARE["rows"] * 60 * chosen.minutes),
        "unroll": lambda: unrolling(chosen.width),
        "small": lambda: small(SHARE["small"] * 60 * chosen.minutes),
        "start": start,
        "growth": growth,
        "profile": lambda: profiles(work.Sizes(width=chosen.width, classes=2)),
        "extrapolation": lambda: rates(chosen.width),
    }
    for name in (name for name in PARTS if name in chosen.parts):
        here = time.perf_counter()
        told[name] = parts[name]()
        print(f"{name}: {time.perf_counter() - here:.0f} s", flush=True)
    told.setdefault("seconds", time.perf_counter() - began)
    chosen.out.write_text(json.dumps(told, indent=1) + "\n")
    write_page(told, chosen.page)
    print(f"wrote {chosen.out} and {chosen.page}")


def rows(sizes: work.Sizes, seconds: float) -> list[dict[str, Any]]:
    """The paired rows, float32 on both sides; where the machine has fast bfloat16, also compiled in it.

    What the first call takes beyond its steps stands apart: compiling (with an empty cache of its own), and what
    a distillation does before its first step.
    """
    computes = {"float32": work.FLOAT32}
    if has_fast_bfloat16():
        computes["bfloat16"] = work.FAST
    kinds: tuple[tuple[str, Callable[..., tuple[Seconds, Seconds]], float], ...] = (
        ("DM step", work.dm, 0.35),
        ("DSA matching step", work.dsa, 0.4),
        ("training, epoch of 100 images", work.training, 0.1),
        ("test pass, 10,000 images", work.test_pass, 0.15),
    )
    told = []
    for precision, compute in computes.items():
        for name, build, share in kinds:
            theirs, ours = build(sizes, compute)
            began = time.perf_counter()
            ours()
            first = time.perf_counter() - began
            found = paired(theirs, ours, seconds=seconds * share / len(computes))
            whole = found["limbeck"]["median"] * WHOLE[name]
            told.append({"work": name, "precision": precision, **found})
            if compute.compilation == "on":
                told[-1]["first"] = max(0.0, first - whole)
            print(f"  {name}, {precision}: {found['ratio']:.2f} × ({found['pairs']} pairs)", flush=True)
    for name, build, _ in kinds:
        count = operations(build(sizes, work.FLOAT32)[0]) * UNITS.get(name, 1.0)
        for row in told:
            if row["work"] == name:
                row["gflops"] = count / row["limbeck"]["median"] / 1e9
    return told


# units of a row that one call does
WHOLE = {"DM step": 3, "DSA matching step": 2, "training, epoch of 100 images": 4, "test pass, 10,000 images": 0.256}
UNITS = {"training, epoch of 100 images": 1 / 4, "test pass, 10,000 images": 10_000 / 2560}


def small(seconds: float) -> dict[str, Any]:
    """Small work from the start of a process to its end, both sides in turns."""
    script = str(HERE / "small.py")

    def whole(side: str) -> Seconds:
        return timed(lambda: subprocess.run([sys.executable, script, side], check=True, capture_output=True))

    return paired(whole("reference"), whole("limbeck"), seconds=seconds, most=5)


def start() -> dict[str, float]:
    """Seconds until ``limbeck --help`` has answered and ``import limbeck`` is done: the median of seven."""
    commands = {
        "limbeck --help": [sys.executable, "-m", "limbeck.cli", "--help"],
        "import limbeck": [sys.executable, "-c", "import limbeck"],
        "import limbeck, first use": [sys.executable, "-c", "import limbeck; limbeck.distill"],
        "python alone": [sys.executable, "-c", "pass"],
    }
    command = Path(sys.executable).with_name("limbeck")
    if command.exists():
        commands["limbeck --help"] = [str(command), "--help"]
    found = {}
    for name, words in commands.items():
        run = timed(partial(subprocess.run, words, check=True, capture_output=True))
        found[name] = sorted(run() for _ in range(7))[3]
    return found


def profiles(sizes: work.Sizes) -> dict[str, list[dict[str, Any]]]:
    """Where the time of one DM step, one DSA step and one training epoch goes."""
    kinds = {"DM step": work.dm, "DSA matching step": work.dsa, "training epochs": work.training}
    return {name: hottest(build(sizes, best_compute())[1]) for name, build in kinds.items()}


def rates(width: int) -> list[dict[str, Any]]:
    """Seconds an image of passes at the field's sizes, and bytes of a synthetic image while it is matched."""
    told = []
    for side, depth in ((32, 3), (64, 4)):
        sizes = work.Sizes(side=side, depth=depth, classes=2, per_class=20, width=width)
        epoch = work.training(sizes, best_compute())[1]
        look = work.test_pass(sizes, best_compute(), images=256)[1]
        told.append(
            {
                "side": side,
                "network": f"ConvNet-{depth}-{width}",
                "forward": min(look() for _ in range(3)) / 10_000,
                "training": min(epoch() for _ in range(3)) / 40,
                "bytes": graph_bytes({"side": side, "depth": depth, "width": width}),
            }
        )
    return told


def has_fast_bfloat16() -> bool:
    return work.FAST.resolve().precision == "bfloat16" and has_compiler()


def best_compute() -> Compute:
    """What long work is done with on this machine."""
    return work.FAST if has_fast_bfloat16() else work.FLOAT32


if __name__ == "__main__":
    main()
