"""Does the fast path lose accuracy? Equivalence to the reference path, paired over seeds.

    python benchmarks/no_loss.py [--parts digits fashion] [--seeds 12 6] [--processes 2] [--out benchmarks/no_loss.json]

Three questions on each data set. *Distilled*: sets made by DM from the same first images with the same number of steps,
one by either path, then judged alike (limbeck's training and test pass). *Trained*: networks trained on one and the
same real images by either path's own training and test pass. *Tested in bfloat16*: the same trained networks, by
limbeck's test pass in low precision and in float32 (a processor without bfloat16 computes it slowly and rounds alike).
The first two once more *compiled in bfloat16*, as long work is done on a CPU with AMX: the same seeds on both sides.
The 90 % t-interval of the mean difference over seeds within ± 1 point, in low precision ± 0.1 point, is equivalence at
the 5 % level (two one-sided tests). Accuracy is that on validation.
FashionMNIST is read from $LIMBECK_DATA/fashionmnist.
"""

import argparse
import functools
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import reference
import torch
from paired import interval
from torch import Tensor

import limbeck.data as data
from limbeck.compute import Compute
from limbeck.data.augment import DSA
from limbeck.data.examples import Examples
from limbeck.data.task import Task
from limbeck.distillation.distill import compose
from limbeck.distillation.distiller import Situation
from limbeck.networks.convnet import ConvNet
from limbeck.networks.network import Network
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.synthetic.initial import RealRandom, Wanted
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.predict import predict
from limbeck.training.train import train

HERE = Path(__file__).parent
COMPUTE = Compute(device="cpu", precision="float32", compilation="off")
FAST = Compute(device="cpu", precision="bfloat16", compilation="on")
LEVEL, PER_CLASS = 0.90, 10


@dataclass(frozen=True)
class Plan:
    """How much is done on one data set.

    networks judge a distilled set; so many as ``trained`` are trained on one set by either side. Their means count: the
    more there are, the less it matters that each side draws its own weights.
    """

    source: str
    operations: tuple[str, ...]
    width: int
    iterations: int
    real_batch: int
    updates: int
    networks: int
    trained: int
    rate: float = 1.0
    depth: int = 3

    @functools.cached_property
    def task(self) -> Task:
        """Opened in the process that asks."""
        return SOURCES[self.source]()

    @property
    def recipe(self) -> Configuration:
        network = ConvNet(depth=self.depth, width=self.width)
        augmentation = DSA(strategy="_".join(self.operations))
        return Configuration("own", network, augmentation=augmentation, length=Updates(self.updates))


def digits() -> Task:
    """A large validation split, because it is what accuracy is taken on."""
    return data.digits(validation_share=0.4)


def fashion() -> Task:
    """FashionMNIST."""
    return data.idx(Path(os.environ["LIMBECK_DATA"]) / "fashionmnist", validation_share=0.05)


SOURCES = {"digits": digits, "fashion": fashion}
STILL = tuple(name for name in reference.OPERATIONS if name != "flip")  # digits have a side
PLANS = {
    "digits": Plan("digits", STILL, 32, iterations=120, real_batch=256, updates=200, networks=4, trained=16),
    "fashion": Plan(
        "fashion", reference.OPERATIONS, 32, iterations=60, real_batch=64, updates=120, networks=2, trained=8, rate=10.0
    ),
}


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="*", choices=("digits", "fashion"), default=("digits", "fashion"))
    parser.add_argument("--what", nargs="*", choices=tuple(KINDS), default=tuple(KINDS))
    parser.add_argument("--seeds", nargs=2, type=int, default=(12, 6), help="on the digits and on FashionMNIST")
    parser.add_argument("--processes", type=int, default=2, help="each with one thread")
    parser.add_argument("--out", type=Path, default=HERE / "no_loss.json")
    chosen = parser.parse_args()
    told: list[dict[str, Any]] = []
    for name, seeds in zip(("digits", "fashion"), chosen.seeds, strict=True):
        if name not in chosen.parts:
            continue
        if name == "fashion" and "LIMBECK_DATA" not in os.environ:
            print("FashionMNIST is left out: set LIMBECK_DATA to the folder that holds fashionmnist.")
            continue
        began = time.perf_counter()
        with ProcessPoolExecutor(chosen.processes, get_context("spawn"), initializer=alone) as pool:
            for what in chosen.what:
                differences = list(pool.map(KINDS[what], [PLANS[name]] * seeds, range(seeds)))
                told.append({"task": name, "what": what, **equivalence(differences, MARGINS[what])})
                print(json.dumps(told[-1]), flush=True)
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    known = json.loads(chosen.out.read_text())["rows"] if chosen.out.exists() else []
    new = {(row["task"], row["what"]) for row in told}
    told = [row for row in known if (row["task"], row["what"]) not in new] + told  # parts may be measured one by one
    chosen.out.write_text(json.dumps({"level": LEVEL, "rows": told}, indent=1) + "\n")


def alone() -> None:
    """One thread a process."""
    torch.set_num_threads(1)


def equivalence(differences: Sequence[float], margin: float) -> dict[str, Any]:
    """The 90 % interval of the mean, and whether it lies within the margin."""
    low, high = interval(differences, LEVEL)
    return {
        "mean": statistics.fmean(differences),
        "low": low,
        "high": high,
        "seeds": len(differences),
        "margin": margin,
        "equivalent": low > -margin and high < margin,
        "differences": list(differences),
    }


def of_sets(plan: Plan, seed: int, compute: Compute = COMPUTE) -> float:
    """Limbeck minus reference: sets distilled by either, judged alike."""
    fast, slow = distilled_fast(plan, seed, compute), distilled_slow(plan, first_images(plan, seed), seed)
    return trained_fast(plan, fast, seed, plan.networks) - trained_fast(plan, slow, seed, plan.networks)


def of_networks(plan: Plan, seed: int, compute: Compute = COMPUTE) -> float:
    """Limbeck minus reference: networks trained by either on the same real images, from other weights of their own."""
    images = first_images(plan, seed)
    return trained_fast(plan, images, seed, plan.trained, compute) - trained_slow(plan, images, seed, plan.trained)


def of_precision(plan: Plan, seed: int) -> float:
    """bfloat16 minus float32: test passes of the same networks, trained in float32 on real images."""
    done = networks_of(plan, first_images(plan, seed), seed, plan.trained)
    return tested_by(plan, done, FAST) - tested_by(plan, done, COMPUTE)


LOW = "tested in bfloat16"
SETS, NETWORKS = "distilled, compiled in bfloat16", "trained, compiled in bfloat16"
KINDS: dict[str, Callable[[Plan, int], float]] = {
    "distilled": of_sets,
    "trained": of_networks,
    LOW: of_precision,
    SETS: functools.partial(of_sets, compute=FAST),
    NETWORKS: functools.partial(of_networks, compute=FAST),
}
MARGINS = {"distilled": 0.01, "trained": 0.01, LOW: 0.001, SETS: 0.01, NETWORKS: 0.01}


def first_images(plan: Plan, seed: int) -> Tensor:
    """The real images that limbeck's distillation of this seed begins with."""
    counts = (PER_CLASS,) * len(plan.task.classes)
    source = generator(seed, "initial")
    return RealRandom().inputs(plan.task.train, Wanted(counts, plan.task.classes), source)


def distilled_fast(plan: Plan, seed: int, compute: Compute) -> Tensor:
    """Images by limbeck."""
    distiller = compose(
        plan.task,
        "dm",
        PER_CLASS,
        network=plan.recipe.architecture,
        augmentation=plan.recipe.augmentation,
        iterations=plan.iterations,
        real_batch=plan.real_batch,
        lr=plan.rate,
    )
    made = distiller.distill(plan.task, Situation(PER_CLASS, seed, compute))
    assert made is not None
    return made.examples("own").inputs


def distilled_slow(plan: Plan, first: Tensor, seed: int) -> Tensor:
    """Images by the reference path."""
    everything, classes = plan.task.train.examples(), len(plan.task.classes)
    known = reference.Data(everything.inputs, everything.targets, classes)
    job = reference.Matching(
        first, known, PER_CLASS, plan.real_batch, plan.width, plan.rate, plan.depth, plan.operations
    )
    torch.manual_seed(seed)
    job.source.manual_seed(seed)
    for _ in range(plan.iterations):
        reference.dm_step(job)
    return job.images.detach()


def trained_fast(plan: Plan, images: Tensor, seed: int, count: int, compute: Compute = COMPUTE) -> float:
    """Mean accuracy of networks by limbeck's training and test pass."""
    return tested_by(plan, networks_of(plan, images, seed, count, compute), compute)


def networks_of(
    plan: Plan, images: Tensor, seed: int, count: int, compute: Compute = COMPUTE
) -> tuple[Network, Sequence[Params]]:
    """Trained by limbeck."""
    labels = torch.arange(len(plan.task.classes)).repeat_interleave(PER_CLASS)
    network = plan.recipe.architecture.build(plan.task.shape, len(plan.task.classes))
    seeds = range(100 * seed, 100 * seed + count)
    return network, train(network, plan.recipe, Examples(images, labels), seeds=seeds, compute=compute).params


def tested_by(plan: Plan, done: tuple[Network, Sequence[Params]], compute: Compute) -> float:
    """Their mean accuracy by limbeck's test pass."""
    network, trained = done
    tested = tested_on(plan)
    passes = (predict(network, params, tested.inputs, statistics=None, compute=compute) for params in trained)
    return statistics.fmean(float((logits.argmax(1) == tested.targets).double().mean()) for logits in passes)


def trained_slow(plan: Plan, images: Tensor, seed: int, count: int) -> float:
    """The same by the reference path's."""
    labels = torch.arange(len(plan.task.classes)).repeat_interleave(PER_CLASS)
    torch.manual_seed(seed)
    lesson = reference.Lesson(plan.updates, operations=plan.operations)
    found, tested = [], tested_on(plan)
    for number in range(count):
        shape = (plan.task.shape[0], plan.task.shape[1], plan.task.shape[2])
        network = reference.ConvNet(shape, len(plan.task.classes), plan.width, plan.depth)
        reference.train(network, images, labels, lesson, 100 * seed + number)
        found.append(reference.accuracy(network, tested.inputs, tested.targets))
    return statistics.fmean(found)


def tested_on(plan: Plan) -> Examples:
    """The validation split; the test split stays sealed."""
    return plan.task.validation.examples()


if __name__ == "__main__":
    main()
