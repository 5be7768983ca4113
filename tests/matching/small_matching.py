"""Small networks, batches and pools for the tests of this room."""

from typing import final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.nothing import Nothing
from limbeck.data.task import Pool
from limbeck.matching.batch import Batch
from limbeck.matching.real_side import RealSide
from limbeck.matching.state import Surroundings
from limbeck.networks.convnet import ConvNet
from limbeck.networks.network import Network
from limbeck.seeds import generator
from limbeck.shapes import Params

CPU = Compute(device="cpu", precision="float32", compilation="off")
SHAPE = (1, 8, 8)


def small(norm: str = "instance", seed: int = 0, width: int = 4, **fields: object) -> tuple[Network, Params]:
    """A ConvNet of two blocks for 8×8 images and three classes, in float64."""
    network = ConvNet(depth=2, width=width, norm=norm, **fields).build(SHAPE, 3)  # type: ignore[arg-type]
    return network, network.init(generator(seed, "weights"), torch.float64)


def some_batch(
    sizes: tuple[int, ...] = (2, 3, 1), seed: int = 0, *, soft: bool = False, weighted: bool = False
) -> Batch:
    """Random images in float64, ``sizes[c]`` of class c."""
    g, n = generator(seed, "batch"), sum(sizes)
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    inputs = torch.randn(n, *SHAPE, generator=g, dtype=torch.float64)
    targets = torch.randn(n, 3, generator=g, dtype=torch.float64).softmax(1) if soft else None
    weights = torch.rand(n, generator=g, dtype=torch.float64) + 0.1 if weighted else None
    return Batch(inputs, labels, tuple(range(len(sizes))), sizes, targets, weights)


def moved(batch: Batch, inputs: Tensor, targets: Tensor | None) -> Batch:
    """The batch with other inputs and targets."""
    return Batch(inputs, batch.labels, batch.classes, batch.sizes, targets, batch.weights)


@final
class TensorPool(Pool):
    """Images and labels in memory."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        self.inputs, self.labels, self.shape = inputs, labels, tuple(inputs.shape[1:])

    def take(self, index: Tensor) -> Tensor:
        return self.inputs[index]

    def raw(self, index: Tensor) -> Tensor:
        return self.inputs[index]


def surroundings(seed: int = 0, augmentation: Augmentation | None = None) -> Surroundings:
    """Thirty real and six synthetic images of three classes, with bright stripes that tell the classes apart."""
    g = generator(seed, "data")
    labels = torch.arange(30) % 3
    inputs = 0.3 * torch.randn(30, *SHAPE, generator=g)
    for c in range(3):
        inputs[labels == c, :, 2 * c : 2 * c + 2] += 2.0
    pool = TensorPool(inputs, labels)
    return Surroundings(
        shape=SHAPE,
        classes=3,
        real=RealSide(pool, 3, torch.device("cpu")),
        synthetic=pool.examples(torch.arange(6)),
        augmentation=augmentation or Nothing(),
        generator=generator(seed, "state"),
        compute=CPU,
    )
