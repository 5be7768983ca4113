"""Shows that resident memory stays flat while a set of 2 GB is drawn by class.

    python benchmarks/memory_large_set.py [--gigabytes 2] [--batches 600] [--kind memmap|arrow]

Writes random images to a temporary directory, opens them as a task that must stay on disk, draws batches of 256 by
class, prints one JSON object with the memory before, on the way and after, and deletes the directory. ``resident`` is
all, ``anonymous`` what the process has allocated (the rest are pages of files, which the system takes back at will).
``memmap`` is an array of 3 × 64 × 64 pixels, ``arrow`` a table of encoded (PNG) images as on the Hugging Face hub.
"""

import argparse
import io
import json
import multiprocessing
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import torch

import limbeck.data as data
from limbeck.data.task import Task
from limbeck.seeds import generator

CLASSES, PER_DRAW, PIXELS = 10, 256, 3 * 64 * 64


def resident() -> float:
    """Resident memory of this process, MiB."""
    return psutil.Process().memory_info().rss / 2**20


def memory() -> dict[str, int]:
    """MiB: all that is resident, and (on Linux) what of it is allocated and what is pages of files."""
    found = {"resident": round(resident())}
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(("RssAnon", "RssFile")):
                name = "anonymous" if line.startswith("RssAnon") else "files"
                found[name] = round(int(line.split()[1]) / 1024)
    return found


def write_memmap(place: Path, size: int) -> None:
    """``size`` bytes of uint8 pixels in one file."""
    rng = np.random.default_rng(0)
    with (place / "images.bin").open("wb") as file:
        for _ in range(size // (4096 * PIXELS)):
            file.write(rng.bytes(4096 * PIXELS))


def write_arrow(place: Path, size: int) -> None:
    """``size`` bytes of PNG images in Parquet files."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    rng, written, part = np.random.default_rng(0), 0, 0
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    while written < size:
        rows: list[dict[str, bytes | None]] = []
        for _ in range(2048):
            stream = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(stream, "PNG", compress_level=0)
            rows.append({"bytes": stream.getvalue(), "path": None})
        table = pa.table({"image": pa.array(rows, kind), "label": np.arange(2048) % CLASSES})
        pq.write_table(table, place / f"train-{part:05d}.parquet", compression="none")
        written, part = written + sum(len(r["bytes"] or b"") for r in rows), part + 1


def open_memmap(place: Path) -> Task:
    """The pixels as a task that stays on disk."""
    n = (place / "images.bin").stat().st_size // PIXELS
    images = np.memmap(place / "images.bin", dtype=np.uint8, mode="r", shape=(n, 3, 64, 64))
    return data.arrays(images, np.arange(n) % CLASSES, memory=2**28)


def open_arrow(place: Path) -> Task:
    """The Parquet files as a task, through a mapped Arrow file."""
    os.environ["XDG_CACHE_HOME"] = str(place)
    return data.parquet(place, memory=2**28)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--batches", type=int, default=600)
    parser.add_argument("--kind", choices=("memmap", "arrow"), default="memmap")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="limbeck-memory-") as folder:
        write, make = {"memmap": (write_memmap, open_memmap), "arrow": (write_arrow, open_arrow)}[chosen.kind]
        # In a process of its own, so that what writing takes is not counted.
        writer = multiprocessing.get_context("spawn").Process(
            target=write, args=(Path(folder), int(chosen.gigabytes * 1e9))
        )
        writer.start()
        writer.join()
        start, began = memory(), time.perf_counter()
        task = make(Path(folder))
        opened, seconds_open = memory(), time.perf_counter() - began
        draws, drawn, began = generator(0, "draws"), 0, time.perf_counter()
        course: dict[int, dict[str, int]] = {}
        for batch in range(chosen.batches):
            mine = task.train.of_class(batch % CLASSES)
            inputs = task.train.take(mine[torch.randperm(len(mine), generator=draws)[:PER_DRAW]])
            drawn += inputs.numel()
            if batch == 0 or (batch + 1) % max(1, chosen.batches // 12) == 0:
                course[batch + 1] = memory()
        size = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.suffix in (".bin", ".arrow"))
        report = {
            "kind": chosen.kind,
            "set_megabytes": round(size / 1e6),
            "examples": len(task.train),
            "batches": chosen.batches,
            "drawn_megabytes": round(drawn / 1e6),
            "mib": {"start": start, "opened": opened, **{f"after batch {n}": m for n, m in course.items()}},
            "seconds": {
                "opening": round(seconds_open, 1),
                "drawing": round(time.perf_counter() - began, 1),
            },
            "machine": f"{platform.machine()}, {psutil.cpu_count()} cores, torch {torch.__version__}",
        }
        del task
    print(json.dumps(report))


if __name__ == "__main__":
    main()
