"""What this machine can do at best, measured in the same run, and where the time of a step goes."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import torch
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

import limbeck

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Probes:
    """What ceilings are measured with: sides of the matrices, images of the convolution, numbers that are copied."""

    side: int = 2048
    low_side: int = 1024
    images: int = 64
    copied: int = 2**26


PROBES = Probes()


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    low = [torch.cpu._is_amx_tile_supported(), torch.cpu._is_avx512_bf16_supported()]
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "amx": low[0],
        "avx512_bf16": low[1],
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {"limbeck": limbeck.__version__, "torch": torch.__version__, "python": platform.python_version()},
        "date": time.strftime("%Y-%m-%d %H:%M"),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor()


def finish(device: torch.device) -> None:
    """Waits until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def best(work: Callable[[], object], seconds: float = 1.5, device: torch.device = CPU) -> float:
    """The shortest of several runs within ``seconds`` (at least three), after one to warm up."""
    work()
    finish(device)
    began, times = time.perf_counter(), list[float]()
    while len(times) < 3 or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        work()
        finish(device)
        times.append(time.perf_counter() - start)
    return min(times)


def ceilings(probes: Probes = PROBES, device: torch.device = CPU) -> dict[str, float]:
    """Operations and bytes a second of a large matrix product, of one convolution, and of a copy.

    The convolution is the better of the two memory layouts on a GPU.
    """
    found: dict[str, float] = {}
    kinds = (("float32", torch.float32, probes.side), ("bfloat16", torch.bfloat16, probes.low_side))
    for name, dtype, side in kinds:
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        found[f"matrix_{name}_gflops"] = 2 * side**3 / best(partial(torch.matmul, a, b), device=device) / 1e9
    maps, kernel = torch.randn(probes.images, 128, 16, 16, device=device), torch.randn(128, 128, 3, 3, device=device)
    layouts = [torch.contiguous_format, *([torch.channels_last] if device.type == "cuda" else [])]
    for name, dtype, _ in kinds:
        taken = []
        for layout in layouts:
            x, w = (each.to(dtype, memory_format=layout) for each in (maps, kernel))
            taken.append(best(partial(F.conv2d, x, w, padding=1), device=device))
        found[f"convolution_{name}_gflops"] = 2 * probes.images * 128 * 128 * 9 * 256 / min(taken) / 1e9
    source = torch.ones(probes.copied, device=device)
    target = torch.empty_like(source)
    found["copy_gbytes"] = 2 * source.numel() * 4 / best(lambda: target.copy_(source), device=device) / 1e9
    return found


def operations(work: Callable[[], object]) -> float:
    """Floating-point operations of the matrix products and convolutions of ``work``."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def hottest(work: Callable[[], object], rows: int = 8) -> list[dict[str, Any]]:
    """The operators of ``work`` that take most time of the processor by themselves, with their share."""
    work()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        work()
    events = [e for e in seen.key_averages() if e.self_cpu_time_total > 0]
    total = sum(e.self_cpu_time_total for e in events)
    events.sort(key=lambda e: -e.self_cpu_time_total)
    return [
        {"operator": _named(e.key), "share": e.self_cpu_time_total / total, "calls": e.count} for e in events[:rows]
    ]


def _named(operator: str) -> str:
    return "kernels of a compiled graph" if "CompiledFxGraph" in operator else operator
