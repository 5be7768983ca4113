"""Compiled passes against eager ones: prints the largest difference of each, relative to the largest number, as JSON.

A script, because the suite checks every call's types, which no compiler can look through.
"""

import hashlib
import json
import logging
import sys

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.digits import digits
from limbeck.data.examples import Examples
from limbeck.distillation.distill import distill
from limbeck.matching.batch import Batch
from limbeck.matching.features import Features, Losses
from limbeck.matching.gradients import Gradients
from limbeck.matching.view import View
from limbeck.networks.convnet import ConvNet
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Updates
from limbeck.training.predict import predict
from limbeck.training.train import train

EAGER, FAST = Compute("cpu", "float32", "off"), Compute("cpu", "float32", "on")
ARCHITECTURE = ConvNet(depth=1, width=4)
NETWORK = ARCHITECTURE.build((1, 4, 4), 2)
PARAMS = NETWORK.init(generator(0, "w"))
LABELS = torch.tensor([0, 0, 1, 1])
INPUTS = torch.randn(4, 1, 4, 4, generator=generator(1, "batch"))


def gap(slow: Tensor, fast: Tensor) -> float:
    return float((slow - fast).abs().max() / slow.abs().max())


def view_gaps(view: View, targets: Tensor | None = None) -> list[float]:
    batch = Batch(INPUTS, LABELS, (0, 1), (2, 2), targets)
    slow, fast = (view.open(NETWORK, PARAMS, batch, compute=c, pull=True) for c in (EAGER, FAST))
    found = [gap(a.points, b.points) for a, b in zip(slow.clouds, fast.clouds, strict=True)]
    back = [torch.randn(c.points.shape, generator=generator(3, "back", i)) for i, c in enumerate(slow.clouds)]
    assert slow.pull is not None and fast.pull is not None
    pulled = slow.pull(tuple(back)), fast.pull(tuple(back))
    found += [gap(a, b) for a, b in zip(*pulled, strict=True) if a is not None and b is not None]
    shown = (view.open(NETWORK, PARAMS, batch, compute=c, pull=False).clouds for c in (EAGER, FAST))
    return found + [gap(a.points, b.points) for a, b in zip(*shown, strict=True)]


def training_gaps() -> list[float]:
    recipe, examples = Configuration("tiny", ARCHITECTURE, length=Updates(3)), Examples(INPUTS, LABELS)
    slow, fast = (train(NETWORK, recipe, examples, seeds=(0,), compute=c).params[0] for c in (EAGER, FAST))
    return [gap(slow[name], fast[name]) for name in slow]


def test_pass_gaps() -> list[float]:
    padded = ARCHITECTURE.build((1, 28, 28), 2)
    params, images = padded.init(generator(0, "w")), torch.randn(4, 1, 28, 28, generator=generator(4, "padded"))
    cases = ((NETWORK, PARAMS, INPUTS), (padded, params, images))
    return [
        gap(*(predict(network, params, inputs, statistics=None, compute=c) for c in (EAGER, FAST)))
        for network, params, inputs in cases
    ]


def set_digest() -> str:
    """Of a tiny set distilled and a network trained on it, compiled in bfloat16."""
    compute, task = Compute("cpu", "bfloat16", "on"), digits()
    made = distill(
        task, "dm", per_class=1, network=ConvNet(depth=1, width=4), iterations=2, real_batch=4, compute=compute
    )
    network = ConvNet(depth=1, width=4).build(task.shape, 10)
    recipe = Configuration("tiny", ConvNet(depth=1, width=4), length=Updates(2))
    (params,) = train(network, recipe, made.examples(), seeds=(0,), compute=compute).params
    tensors = [made.examples().inputs, *params.values()]
    return hashlib.sha256(b"".join(t.contiguous().numpy().tobytes() for t in tensors)).hexdigest()


class Heard(logging.Handler):
    """All warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


if __name__ == "__main__":
    heard = Heard()
    logging.getLogger("limbeck").addHandler(heard)
    if sys.argv[1:] == ["bytes"]:
        print(json.dumps({"bytes": set_digest(), "said": heard.said}))
        sys.exit()
    soft = torch.rand(4, 2, generator=generator(2, "soft")).softmax(1)
    gaps = {
        "features": view_gaps(Features()),
        "gradients": view_gaps(Gradients()),
        "losses of soft targets": view_gaps(Losses(), soft),
        "training": training_gaps(),
        "test pass": test_pass_gaps(),
    }
    print(json.dumps({"gaps": gaps, "said": heard.said}))
