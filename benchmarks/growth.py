"""Does time or memory grow faster than the work? One factor at a time, each point in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from paired import exponent

HERE = Path(__file__).parent
BASE = {"side": 16, "classes": 4, "per_class": 10, "real_batch": 64, "real": 200, "width": 32}
# factor → kind of work, what it counts, and the points: value on the axis, changed sizes, further arguments
FACTORS: dict[str, tuple[str, str, list[tuple[float, dict[str, Any], dict[str, Any]]]]] = {
    "examples a class": ("dm", "DM step", [(n, {"per_class": n}, {}) for n in (10, 20, 40, 80)]),
    "classes": ("dm", "DM step", [(n, {"classes": n}, {}) for n in (2, 4, 8, 16)]),
    "pixels": ("dm", "DM step", [(side**2, {"side": side}, {}) for side in (8, 16, 32, 64)]),
    "networks": ("networks", "training for 10 updates", [(n, {}, {"count": n}) for n in (1, 2, 4, 8)]),
    "unrolled steps": (
        "unroll",
        "unrolled gradient",
        [(n, {}, {"steps": n, "stride": None, "side": "limbeck"}) for n in (8, 16, 32, 64)],
    ),
    "size of the real set": ("dm", "DM step", [(4 * n, {"real": n}, {}) for n in (150, 600, 2400, 9600)]),
}


def measure(
    kind: str, sizes: dict[str, Any], *, threads: int = 1, repeats: int = 3, frugal: bool = False, **asked: Any
) -> dict[str, float]:
    """Seconds and bytes of one piece of work, by ``child.py``; ``frugal``: freed memory goes back at once."""
    request = json.dumps({"kind": kind, "sizes": sizes, "repeats": repeats, **asked})
    paths = [str(HERE.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    here = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(paths)}
    here |= {"MALLOC_MMAP_THRESHOLD_": str(2**20)} if frugal else {}
    command = [sys.executable, str(HERE / "child.py"), request]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=here)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def growth() -> list[dict[str, Any]]:
    """Time and memory against each factor with their exponents; one thread, so that small work is not mere waiting."""
    told = []
    for factor, (kind, what, points) in FACTORS.items():
        found = [measure(kind, {**BASE, **sizes}, **asked) for _, sizes, asked in points]
        axis = [float(value) for value, _, _ in points]
        told.append(
            {
                "factor": factor,
                "work": what,
                "axis": axis,
                "seconds": [f["seconds"] for f in found],
                "bytes": [f["bytes"] for f in found],
                "time": exponent(axis, [f["seconds"] for f in found]),
                "memory": exponent(axis, [f["bytes"] for f in found]),
            }
        )
    return told


def unrolling(width: int) -> dict[str, Any]:
    """Peak memory and time a step of the unrolled gradient for 10 and 60 steps, and of autograd for 10.

    Each line runs twice: once for its time, as usual, and once for its memory, by an allocator that gives freed
    memory back at once, so that the resident set is what is alive (glibc; elsewhere the variable means nothing).
    """
    sizes = {"classes": 5, "per_class": 10, "width": width}
    threads = os.cpu_count() or 1
    told: dict[str, Any] = {"examples": 50, "width": width}
    for name, steps, stride, side in (
        ("autograd, 10 steps", 10, 1, "reference"),
        ("10 steps", 10, None, "limbeck"),
        ("60 steps", 60, None, "limbeck"),
        ("10 steps, every 3rd kept", 10, 3, "limbeck"),
        ("60 steps, every 8th kept", 60, 8, "limbeck"),
    ):
        asked = {"steps": steps, "stride": stride, "side": side}
        usual, frugal = (
            measure("unroll", sizes, threads=threads, repeats=1, frugal=careful, **asked) for careful in (False, True)
        )
        told[name] = {"seconds_a_step": usual["seconds"] / steps, "bytes": frugal["bytes"]}
    return told


def graph_bytes(sizes: dict[str, Any]) -> float:
    """Bytes that one more synthetic image costs a DM step, at ``sizes``."""
    few, many = (
        measure("dm", {**sizes, "classes": 2, "real_batch": 8, "real": 40, "per_class": n}, repeats=1) for n in (4, 16)
    )
    return max(0.0, (many["bytes"] - few["bytes"]) / 24)
