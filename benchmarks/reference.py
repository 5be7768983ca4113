"""The field's usual form, written by us: eager, float32, a Python loop over classes and networks, double backward.

What limbeck is measured against. Nothing here uses limbeck: modules with their own weights, GroupNorm with a channel a
group, AvgPool2d, one augmentation draw a class, gradient matching and unrolling by differentiating gradients. It is
kept fair: no graph on DM's real side, no gradients in test passes, no DataLoader, everything in memory.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

OPERATIONS = ("color", "crop", "cutout", "flip", "scale", "rotate")


class ConvNet(nn.Module):
    """``depth`` blocks of 3×3 convolution, GroupNorm(width, width), ReLU, 2×2 average; one linear layer."""

    def __init__(self, shape: tuple[int, int, int], classes: int, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, side = shape[0], shape[1]
        for block in range(depth):
            padding = 3 if block == 0 and side == 28 else 1
            layers += [nn.Conv2d(channels, width, 3, padding=padding), nn.GroupNorm(width, width)]
            layers += [nn.ReLU(inplace=True), nn.AvgPool2d(2)]
            channels, side = width, (side + 2 * padding - 2) // 2
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(width * side * side, classes)

    def embed(self, inputs: Tensor) -> Tensor:
        return self.features(inputs).flatten(1)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.classifier(self.embed(inputs))


def augment(x: Tensor, source: torch.Generator, *, shared: bool, operations: Sequence[str] = OPERATIONS) -> Tensor:
    """One operation of DSA, of its own strength for each image, or of one strength for all of them (siamese)."""
    operation = operations[int(torch.randint(len(operations), (1,), generator=source))]
    n, side = len(x), x.shape[2]

    def uniform() -> Tensor:
        return torch.rand(1, generator=source).expand(n) if shared else torch.rand(n, generator=source)

    if operation == "color":
        x = x + (uniform() - 0.5).view(-1, 1, 1, 1)
        mean = x.mean(1, keepdim=True)
        x = (x - mean) * (uniform() * 2).view(-1, 1, 1, 1) + mean
        mean = x.mean((1, 2, 3), keepdim=True)
        return (x - mean) * (uniform() + 0.5).view(-1, 1, 1, 1) + mean
    if operation in ("crop", "cutout"):
        down, right = uniform(), uniform()
        image, row, column = torch.meshgrid(torch.arange(n), torch.arange(side), torch.arange(side), indexing="ij")
        return (_crop if operation == "crop" else _cutout)(x, (down, right), (image, row, column))
    if operation == "flip":
        return torch.where((uniform() < 0.5).view(-1, 1, 1, 1), x.flip(3), x)
    return _turn(x, operation, uniform)


def _crop(x: Tensor, place: tuple[Tensor, Tensor], grid: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    most = int(x.shape[2] * 0.125 + 0.5)
    down, right = ((u * (2 * most + 1)).long().view(-1, 1, 1) for u in place)
    padded = F.pad(x, (most,) * 4).permute(0, 2, 3, 1)
    return padded[grid[0], grid[1] + down, grid[2] + right].permute(0, 3, 1, 2).contiguous()


def _cutout(x: Tensor, place: tuple[Tensor, Tensor], grid: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    side = x.shape[2]
    hole = int(side * 0.5 + 0.5)
    top, left = ((u * (side + 1 - hole % 2)).long().view(-1, 1, 1) - hole // 2 for u in place)
    inside = (grid[1] >= top) & (grid[1] < top + hole) & (grid[2] >= left) & (grid[2] < left + hole)
    return x * (~inside)[:, None].to(x.dtype)


def _turn(x: Tensor, operation: str, uniform: Callable[[], Tensor]) -> Tensor:
    zero = torch.zeros(len(x))
    if operation == "scale":
        across, along = (uniform() * (1.2 - 1 / 1.2) + 1 / 1.2 for _ in range(2))
        rows = [[across, zero, zero], [zero, along, zero]]
    else:
        angle = (uniform() - 0.5) * 2 * math.radians(15)
        rows = [[angle.cos(), -angle.sin(), zero], [angle.sin(), angle.cos(), zero]]
    theta = torch.stack([torch.stack(row, 1) for row in rows], 1)
    return F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)


@dataclass
class Data:
    """All images in memory, and the indices of each class."""

    images: Tensor
    labels: Tensor
    classes: int

    def __post_init__(self) -> None:
        self.rows = [torch.nonzero(self.labels == c).flatten() for c in range(self.classes)]

    def some(self, label: int, count: int, source: torch.Generator) -> Tensor:
        mine = self.rows[label]
        return self.images[mine[torch.randperm(len(mine), generator=source)[:count]]]


@dataclass
class Matching:
    """Synthetic images under optimisation, the data they are matched with, and what a step draws from."""

    images: Tensor
    data: Data
    per_class: int
    real_batch: int
    width: int
    rate: float = 1.0
    depth: int = 3
    operations: Sequence[str] = OPERATIONS

    def __post_init__(self) -> None:
        self.images = self.images.clone().requires_grad_()
        self.optimizer = torch.optim.SGD([self.images], lr=self.rate, momentum=0.5)
        self.source = torch.Generator().manual_seed(0)

    def network(self) -> ConvNet:
        shape = tuple(self.images.shape[1:])
        return ConvNet((shape[0], shape[1], shape[2]), self.data.classes, self.width, self.depth)

    def sides(self, label: int) -> tuple[Tensor, Tensor]:
        """Real and synthetic images of a class under one draw of their own."""
        real = self.data.some(label, self.real_batch, self.source)
        made = self.images[label * self.per_class : (label + 1) * self.per_class]
        state = self.source.get_state()
        real = augment(real, self.source, shared=True, operations=self.operations)
        again = torch.Generator()
        again.set_state(state)
        return real, augment(made, again, shared=True, operations=self.operations)


def dm_step(job: Matching) -> float:
    """One step of distribution matching: a fresh network, class means of features, class by class [zhao2023dm]."""
    network = job.network().requires_grad_(False)
    loss = torch.zeros(())
    for label in range(job.data.classes):
        real, made = job.sides(label)
        gap = network.embed(real).detach().mean(0) - network.embed(made).mean(0)
        loss = loss + gap.square().sum()
    return _descend(job, loss)


def dsa_step(job: Matching) -> float:
    """One step of gradient matching: class by class, differentiating the synthetic gradient again [zhao2021dsa]."""
    network = job.network()
    weights = list(network.parameters())
    loss = torch.zeros(())
    for label in range(job.data.classes):
        real, made = job.sides(label)
        goal = F.cross_entropy(network(real), torch.full((len(real),), label))
        target = [g.detach() for g in torch.autograd.grad(goal, weights)]
        mine = F.cross_entropy(network(made), torch.full((len(made),), label))
        found = torch.autograd.grad(mine, weights, create_graph=True)
        loss = loss + sum(_cosine_gap(g, t) for g, t in zip(found, target, strict=True) if g.ndim > 1)
    return _descend(job, loss)


def _cosine_gap(found: Tensor, target: Tensor) -> Tensor:
    a, b = found.flatten(1), target.flatten(1)
    return (1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-6)).sum()


def _descend(job: Matching, loss: Tensor) -> float:
    job.optimizer.zero_grad()
    loss.backward()
    job.optimizer.step()
    return loss.item()


@dataclass
class Lesson:
    """How a network is trained: SGD with momentum 0.9 and decay 5e-4, the rate a tenth after half of the epochs."""

    epochs: int
    rate: float = 0.01
    batch: int = 256
    operations: Sequence[str] = OPERATIONS


def train(network: ConvNet, images: Tensor, labels: Tensor, lesson: Lesson, seed: int) -> float:
    """Trains ``network`` in place; the accuracy of the last epoch on the training batches."""
    optimizer = torch.optim.SGD(network.parameters(), lr=lesson.rate, momentum=0.9, weight_decay=5e-4)
    source, right = torch.Generator().manual_seed(seed), 0
    for epoch in range(lesson.epochs):
        right = 0
        for group in optimizer.param_groups:
            group["lr"] = lesson.rate * (0.1 if epoch >= lesson.epochs / 2 else 1.0)
        for rows in torch.randperm(len(images), generator=source).split(lesson.batch):
            batch = augment(images[rows], source, shared=False, operations=lesson.operations)
            logits = network(batch)
            loss = F.cross_entropy(logits, labels[rows])
            right += int((logits.argmax(1) == labels[rows]).sum())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return right / len(images)


@torch.no_grad()
def accuracy(network: ConvNet, images: Tensor, labels: Tensor, batch: int = 256) -> float:
    """Share of right answers, in batches."""
    pairs = zip(images.split(batch), labels.split(batch), strict=True)
    return sum(int((network(x).argmax(1) == y).sum()) for x, y in pairs) / len(images)


def unrolled(network: ConvNet, images: Tensor, labels: Tensor, *, steps: int, rate: float) -> Tensor:
    """∂/∂images of the loss of the last weights on the images, through ``steps`` steps of SGD, by autograd."""
    images = images.clone().requires_grad_()
    weights = {name: w.detach().clone().requires_grad_() for name, w in network.named_parameters()}
    for _ in range(steps):
        loss = F.cross_entropy(functional_call(network, weights, (images,)), labels)
        grads = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        weights = {name: w - rate * g for (name, w), g in zip(weights.items(), grads, strict=True)}
    outer = F.cross_entropy(functional_call(network, weights, (images.detach(),)), labels)
    return torch.autograd.grad(outer, images)[0]
