"""One measurement in a process of its own: seconds and peak memory of a piece of work, as JSON.

    python benchmarks/child.py '{"kind": "dm", "sizes": {"width": 16}}'

Memory is the peak of the resident set during the work, above what was resident before it; the same work in its smallest
form has run before, so that code that is loaded at its first use does not count.
"""

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
import work
from paired import Seconds, timed

from limbeck.data.augment import DSA
from limbeck.data.examples import Examples
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.train import train


def peak() -> float:
    """Bytes of the largest resident set so far (on Linux: since the last :func:`forget`)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)


def forget() -> None:
    """Sets the peak back to what is resident now, where the system can."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def dm(sizes: work.Sizes) -> Seconds:
    """A step of distribution matching."""
    task = work.task_of(sizes)
    task.train.take(torch.arange(1))  # the preprocessed set is data, not memory of a step
    return work.limbeck_steps("dm", task, sizes, compute=work.FLOAT32)


def networks(sizes: work.Sizes, *, count: int) -> Seconds:
    """Training ``count`` networks for ten updates each."""
    n = sizes.classes * sizes.per_class
    examples = Examples(torch.randn(n, *sizes.shape, generator=generator(0, "images")), torch.arange(n) % sizes.classes)
    recipe = Configuration("bench", sizes.network, augmentation=DSA(), length=Updates(10))
    network = sizes.network.build(sizes.shape, sizes.classes)
    return timed(lambda: train(network, recipe, examples, seeds=range(count), compute=work.FLOAT32))


def unroll(sizes: work.Sizes, *, steps: int, stride: int | None, side: str) -> Seconds:
    """Seconds of the whole unrolled gradient."""
    theirs, ours = work.unroll(sizes, steps=steps, stride=stride)
    chosen = theirs if side == "reference" else ours
    return lambda: chosen() * steps


TINY = work.Sizes(side=8, classes=2, per_class=1, real_batch=2, real=10, width=4)
KINDS: dict[str, Callable[..., Seconds]] = {"dm": dm, "networks": networks, "unroll": unroll}


def main() -> None:
    asked: dict[str, Any] = json.loads(sys.argv[1])
    kind, sizes, repeats = asked.pop("kind"), work.Sizes(**asked.pop("sizes", {})), asked.pop("repeats", 3)
    small = {name: min(number, 2) if isinstance(number, int) else number for name, number in asked.items()}
    KINDS[kind](TINY, **small)()
    run = KINDS[kind](sizes, **asked)
    forget()
    before = psutil.Process().memory_info().rss
    times = [run()]
    above = max(0.0, peak() - before)
    times += [run() for _ in range(repeats - 1)]
    print(json.dumps({"seconds": min(times), "bytes": above}))


if __name__ == "__main__":
    main()
