"""How near to a GPU's limits? Ceilings, steps, networks trained together and memory, in one command of nine minutes.

    python benchmarks/gpu.py [--minutes 9] [--device cuda] [--out benchmarks/results/gpu.json] [--parts …] [--tiny]

ConvNet-3-128, images of CIFAR-10's shape and number (random: what is timed does not depend on what they show), ten a
class. Each row pairs eager with compiled passes; seconds are the better form's median. Operations are those of the
reference path's products and convolutions. Memory traffic is the least there can be: each map written once, read once
for its norm and once for pooling. ``--tiny --device cpu`` runs the same code in a minute, to see that it does.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
import work
from ceilings import Probes, ceilings, finish, hottest, machine, operations
from child import forget, peak
from paired import Seconds, paired, timed
from torch.profiler import ProfilerActivity, profile

from limbeck.compilation import compiled
from limbeck.compute import Compute
from limbeck.data.augment import DSA
from limbeck.data.examples import Examples
from limbeck.data.placement import on_device
from limbeck.data.task import Task
from limbeck.files import write_atomically
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.feed import Feed, augmented
from limbeck.training.layout import Layout
from limbeck.training.passes import Passes
from limbeck.training.train import train

HERE = Path(__file__).parent
PARTS = ("ceilings", "steps", "together", "memory", "profile")
Precision: TypeAlias = Literal["bfloat16", "float32"]
Compilation: TypeAlias = Literal["on", "off"]
PRECISIONS: tuple[Precision, ...] = ("bfloat16", "float32")
PUBLISHED = 20_000  # iterations of DM


@dataclass(frozen=True)
class Plan:
    """How large everything is. lengths: updates of a short and a long training, whose difference is timed."""

    sizes: work.Sizes
    probes: Probes
    steps: int
    lengths: tuple[int, int]
    networks: int
    compiled: Compilation = "on"
    device: str = "cuda"
    ends: float = field(default=float("inf"))  # on the monotonic clock

    def compute(self, precision: Precision, compilation: Compilation = "off") -> Compute:
        return Compute(self.device, precision, compilation)

    @property
    def torch_device(self) -> torch.device:
        return torch.device(self.device)

    @property
    def late(self) -> bool:
        return time.monotonic() > self.ends


FULL = Plan(work.Sizes(real=5000), Probes(8192, 8192, 2560, 2**30), 30, (50, 350), 20)
TINY = Plan(
    work.Sizes(side=8, classes=2, per_class=2, real_batch=4, real=20, width=4, depth=2),
    Probes(64, 64, 2, 2**12),
    2,
    (1, 3),
    3,
    compiled="off",
)


def main(words: Sequence[str] | None = None) -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=9.0, help="nothing new begins after so long")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "gpu.json")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--tiny", action="store_true", help="a few small steps, to see it run")
    given = parser.parse_args(words)
    began = time.monotonic()
    torch.manual_seed(0)  # the reference path draws its weights from the global generator, as is usual
    plan = replace(TINY if given.tiny else FULL, device=given.device, ends=began + 60 * given.minutes)
    told: dict[str, Any] = {"machine": machine() | gpu(plan), "sizes": vars(plan.sizes), "ceilings": {}}
    parts: dict[str, Callable[[], Any]] = {
        "ceilings": lambda: ceilings(plan.probes, plan.torch_device),
        "steps": lambda: steps(plan, told["ceilings"]),
        "together": lambda: together(plan),
        "memory": lambda: memory(plan),
        "profile": lambda: profiled(plan),
    }
    for name in (name for name in PARTS if name in given.parts):
        here = time.monotonic()
        told[name] = {} if plan.late else parts[name]()
        told["seconds"] = time.monotonic() - began
        write_atomically(given.out, (json.dumps(told, indent=1) + "\n").encode())  # after each part: a limit may kill
        print(f"{name}: {time.monotonic() - here:.0f} s", flush=True)
    print(f"wrote {given.out}")


def gpu(plan: Plan) -> dict[str, Any]:
    """What the device is."""
    if plan.torch_device.type != "cuda":
        return {"device": plan.device}
    facts = torch.cuda.get_device_properties(plan.torch_device)
    return {
        "device": facts.name,
        "device_memory_gib": round(facts.total_memory / 2**30, 1),
        "multiprocessors": facts.multi_processor_count,
        "cuda": torch.version.cuda,
        "float32_products": torch.get_float32_matmul_precision(),
    }


# -- steps against ceilings --------------------------------------------------------------------------------------------


def steps(plan: Plan, most: dict[str, float]) -> list[dict[str, Any]]:
    """Eager and compiled DM step, DSA matching step, update of a training, and the real side of the DM step alone."""
    task, told = real(plan), list[dict[str, Any]]()
    sizes, many = plan.sizes, plan.sizes.classes * plan.sizes.real_batch
    kinds: dict[str, tuple[Callable[[Compute], Seconds], float, float]] = {
        "DM step": (partial(stepped, plan, task, "dm"), _count(work.dm, sizes), many + 3 * _made(sizes)),
        "training update": (partial(updated, plan), _count(work.training, sizes, epochs=1), 3 * _made(sizes)),
        "real side of the DM step": (partial(real_side, plan), 0.0, many),
        "DSA matching step": (partial(stepped, plan, task, "dsa"), _count(work.dsa, sizes), 3 * (many + _made(sizes))),
    }
    for precision in PRECISIONS:
        for name, (build, count, images) in kinds.items():
            if plan.late:
                print(f"  {name}, {precision}: left out, the time is over", flush=True)
                continue
            eager, compiled = (build(plan.compute(precision, how)) for how in ("off", plan.compiled))
            found = paired(eager, compiled, seconds=30.0 if plan.networks > 3 else 0.0)
            row = _row(name, precision, found, count, images * least_bytes(sizes, precision), most)
            told.append(row)
            said = f"{1000 * row['seconds']:.2f} ms, compiled {row['compiled_faster_by']:.2f} ×"
            print(f"  {name}, {precision}: {said}", flush=True)
    return told


def _row(
    name: str, precision: str, found: dict[str, Any], count: float, traffic: float, most: dict[str, float]
) -> dict[str, Any]:
    """One row, with its shares of the ceilings. ``found`` pairs eager (reference) with compiled."""
    seconds = min(found["reference"]["median"], found["limbeck"]["median"])
    row = {
        "work": name,
        "precision": precision,
        "seconds": seconds,
        "eager": found["reference"],
        "compiled": found["limbeck"],
        "compiled_faster_by": found["ratio"],
        "interval": [found["ratio_low"], found["ratio_high"]],
        "pairs": found["pairs"],
        "gflops": count / seconds / 1e9,
        "least_gbytes": traffic / seconds / 1e9,
    }
    if most:
        row["of_matrix"] = row["gflops"] / most[f"matrix_{precision}_gflops"]
        row["of_convolution"] = row["gflops"] / most[f"convolution_{precision}_gflops"]
        row["of_copy"] = row["least_gbytes"] / most["copy_gbytes"]
    return row


def real(plan: Plan) -> Task:
    """Random images on the device, preprocessed: they are data, and neither work nor memory of a step."""
    task = on_device(work.task_of(plan.sizes), plan.torch_device)
    task.train.take(torch.arange(1))
    return task


def stepped(plan: Plan, task: Task, method: str, compute: Compute) -> Seconds:
    """An iteration at a fresh network; the distillation is then thrown away."""
    changes: dict[str, Any] = {"state.steps": 1} if method == "dsa" else {}
    return work.limbeck_steps(method, task, plan.sizes, compute=compute, steps=plan.steps, **changes)


def updated(plan: Plan, compute: Compute) -> Seconds:
    """An update of one network as the training loop makes it: augmentation, gradient, step, a look at the loss."""
    examples, recipe = _lesson(plan, 1)
    network = recipe.architecture.build(plan.sizes.shape, plan.sizes.classes)
    feed = Feed(examples, recipe.augmentation, batch=recipe.batch, device=compute.torch_device)
    layout = Layout(network.init(generator(0, "weights"), feed.dtype))
    passes = Passes(network, layout, kind=recipe.loss, compute=compute)
    start = layout.join(network.init(generator(0, "weights"), feed.dtype)).to(feed.device)

    def run() -> None:
        flat, state, batches = start, recipe.optimizer.init([start]), feed.batches(0)
        for _ in range(plan.lengths[0]):
            batch = augmented(recipe.augmentation, *next(batches), classes=network.classes)
            loss, gradient = passes.gradient(flat, batch)
            (flat,), state = recipe.optimizer.step([flat], [gradient], state, recipe.optimizer.lr)
            float(loss)

    return timed(run, plan.lengths[0])


def trained(plan: Plan, networks: int, compute: Compute) -> Seconds:
    """One update of so many networks: what a long training takes more than a short one, so that no start counts."""
    few, many = plan.lengths

    def seconds(updates: int) -> float:
        examples, recipe = _lesson(plan, updates)
        network = recipe.architecture.build(plan.sizes.shape, plan.sizes.classes)

        def run() -> None:
            train(network, recipe, examples, seeds=range(networks), compute=compute)
            finish(compute.torch_device)

        return timed(run)()

    return lambda: max(1e-9, seconds(many) - seconds(few)) / (many - few)


def _lesson(plan: Plan, updates: int) -> tuple[Examples, Configuration]:
    n = _made(plan.sizes)
    images = torch.randn(n, *plan.sizes.shape, generator=generator(0, "images"))
    recipe = Configuration("bench", plan.sizes.network, augmentation=DSA(), length=Updates(updates))
    return Examples(images, torch.arange(n) % plan.sizes.classes), recipe


def real_side(plan: Plan, compute: Compute) -> Seconds:
    """Features of all real images of a step by one network, in one pass, without a graph."""
    sizes, device = plan.sizes, compute.torch_device
    network = sizes.network.build(sizes.shape, sizes.classes)
    params = {name: w.to(device, compute.dtype) for name, w in network.init(generator(0, "weights")).items()}
    images = torch.randn(sizes.classes * sizes.real_batch, *sizes.shape, device=device).to(compute.dtype)

    def look(images: torch.Tensor) -> torch.Tensor:
        return network(params, images).embedding

    seen = compiled(look, "real side", id(params)) if compute.compilation == "on" else look

    def run() -> None:
        with torch.no_grad():
            for _ in range(plan.steps):
                seen(images)
        finish(device)

    return timed(run, plan.steps)


def least_bytes(sizes: work.Sizes, precision: str) -> float:
    """Bytes that a forward pass of one image has to move: Σ over stages of input + 2 · map + pooled map."""
    network = sizes.network.build(sizes.shape, sizes.classes)
    with torch.no_grad():
        maps = network(network.init(generator(0, "weights")), torch.zeros(1, *sizes.shape)).maps
    entering, total = float(sizes.channels * sizes.side**2), 0.0
    for each in maps:
        pooled = each.numel() / 4
        total, entering = total + entering + 2 * each.numel() + pooled, pooled
    return total * (2 if precision == "bfloat16" else 4)


def _made(sizes: work.Sizes) -> int:
    return sizes.classes * sizes.per_class


def _count(build: Callable[..., tuple[Seconds, Seconds]], sizes: work.Sizes, **asked: Any) -> float:
    """Operations of the reference path's form of a piece of work, on the CPU."""
    return operations(build(replace(sizes, real=min(sizes.real, 400)), work.FLOAT32, **asked)[0])


# -- many networks, memory, kernels ------------------------------------------------------------------------------------


def together(plan: Plan) -> dict[str, Any]:
    """An update of many networks at once against an update of one."""
    told: dict[str, Any] = {"networks": plan.networks, "target": 3.0}
    for precision in PRECISIONS:
        if plan.late:
            break
        one, many = (trained(plan, count, plan.compute(precision)) for count in (1, plan.networks))
        found = paired(many, one, seconds=25.0 if plan.networks > 3 else 0.0)
        told[precision] = {
            "times_one": found["ratio"],
            "interval": [found["ratio_low"], found["ratio_high"]],
            "one": found["limbeck"],
            "many": found["reference"],
            "pairs": found["pairs"],
        }
        print(f"  {plan.networks} networks, {precision}: {found['ratio']:.2f} × the time of one", flush=True)
    return told


def memory(plan: Plan) -> dict[str, float]:
    """Peak bytes above what lies on the device already (on a CPU: above what was resident), bfloat16 on CUDA."""
    compute = plan.compute("bfloat16" if plan.torch_device.type == "cuda" else "float32")
    task = real(plan)
    large = replace(plan, sizes=replace(plan.sizes, per_class=5 * plan.sizes.per_class))
    short = replace(plan, lengths=(1, 2))
    works = {
        "DM step": stepped(plan, task, "dm", compute),
        "DM step, five times as many a class": stepped(large, task, "dm", compute),
        "DSA matching step": stepped(plan, task, "dsa", compute),
        "one network trained": trained(short, 1, compute),
        f"{plan.networks} networks trained together": trained(short, plan.networks, compute),
    }
    told: dict[str, float] = {"data": float(2 * 4 * len(task.train) * plan.sizes.channels * plan.sizes.side**2)}
    for name, run in works.items():
        if not plan.late:
            told[name] = _above(run, plan.torch_device)
            print(f"  {name}: {told[name] / 2**20:.0f} MiB", flush=True)
    return told


def _above(run: Seconds, device: torch.device) -> float:
    """Peak bytes during ``run`` above those before it."""
    if device.type != "cuda":
        forget()
        before = peak()
        run()
        return max(0.0, peak() - before)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    run()
    return float(torch.cuda.max_memory_allocated(device) - before)


def profiled(plan: Plan) -> dict[str, Any]:
    """Where the time of DM steps and of a training goes; on CUDA also the share of time in which kernels run."""
    precision: Precision = "bfloat16" if plan.torch_device.type == "cuda" else "float32"
    compute = plan.compute(precision)
    works = {"DM steps": stepped(plan, real(plan), "dm", compute), "training updates": updated(plan, compute)}
    return {name: _kernels(run, plan.torch_device) for name, run in works.items() if not plan.late}


def _kernels(run: Seconds, device: torch.device, rows: int = 10) -> dict[str, Any]:
    if device.type != "cuda":
        return {"operators": hottest(run, rows)}
    run()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        began = time.perf_counter()
        run()
        finish(device)
        wall = time.perf_counter() - began
    events = sorted(seen.key_averages(), key=lambda e: -e.self_device_time_total)
    total = sum(e.self_device_time_total for e in events)
    kernels = [
        {"kernel": e.key[:80], "share": e.self_device_time_total / total, "calls": e.count} for e in events[:rows]
    ]
    return {"busy": total / 1e6 / wall, "kernels": kernels, "operators": hottest(run, rows)}


if __name__ == "__main__":
    main()
