"""The backward walk against autograd through the unrolled loop, in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limbeck.data.augment import DSA, CropFlip, Mixup
from limbeck.data.examples import Examples
from limbeck.data.nothing import Nothing
from limbeck.errors import FitError, OptionError
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.training.feed import augmented
from limbeck.training.loss import example_losses, weighted_mean
from limbeck.training.optimizer import SGD
from limbeck.training.unroll import UnrollSteps, _stride, unrolled_gradient

DOUBLE = torch.float64
AUGMENTATIONS = {"nothing": Nothing(), "dsa": DSA(), "crop": CropFlip(), "mixup": Mixup()}


def naive(network, start, examples, step_size, steps, outer):
    """PyTorch's update rule written out, differentiated as one graph."""
    x = examples.inputs.clone().requires_grad_()
    soft = examples.targets.is_floating_point()
    t = examples.targets.clone().requires_grad_() if soft else examples.targets
    rate = torch.tensor(step_size, dtype=DOUBLE, requires_grad=True)
    weights = {name: w.clone().requires_grad_() for name, w in start.items()}
    moments = {name: torch.zeros_like(w) for name, w in start.items()}
    o = steps.optimizer
    for i, index in enumerate(steps.batches):
        batch = Examples(x[index], t[index])
        draw = steps.draws[i] if steps.draws else {}
        batch = augmented(steps.augmentation, batch, draw, classes=network.classes)
        loss = example_losses(network(weights, batch.inputs).logits, batch.targets, steps.loss).mean()
        grads = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        for (name, w), g in zip(list(weights.items()), grads, strict=True):
            g = g + o.weight_decay * w
            moments[name] = o.momentum * moments[name] + g
            move = g + o.momentum * moments[name] if o.nesterov else moments[name]
            weights[name] = w - rate * steps.factor(i) * move
    value = outer(weights)
    return value, torch.autograd.grad(value, [x, rate, *([t] if soft else [])])


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm() / b.norm().clamp_min(1e-12))


def problem(architecture, shape, *, soft=True, n=6, classes=3):
    network = architecture.build(shape, classes)
    g = generator(1, "unroll")
    start = network.init(g, DOUBLE)
    inputs = torch.randn(n, *shape, generator=g).to(DOUBLE)
    labels = torch.arange(n) % classes
    targets = torch.softmax(torch.randn(n, classes, generator=g), 1).to(DOUBLE) if soft else labels
    probe = torch.randn(5, *shape, generator=g).to(DOUBLE)

    def outer(params: Params) -> Tensor:
        logits = network(params, probe).logits
        return weighted_mean(example_losses(logits, torch.arange(5) % classes, "cross_entropy"), None, 5)

    return network, start, Examples(inputs, targets), outer


@settings(max_examples=25, deadline=None)
@given(
    momentum=st.sampled_from([0.0, 0.5, 0.9]),
    decay=st.sampled_from([0.0, 0.05]),
    nesterov=st.booleans(),
    name=st.sampled_from(sorted(AUGMENTATIONS)),
    loss=st.sampled_from(["cross_entropy", "squared"]),
    soft=st.booleans(),
    scheduled=st.booleans(),
    count=st.integers(1, 5),
    stride=st.sampled_from([1, 2, 3, None]),
    chunk=st.sampled_from([1, 3, None]),
    norm=st.sampled_from(["instance", "batch", "layer", "group", "none"]),
    shape=st.sampled_from([(1, 8, 8), (2, 8, 8), (3, 9, 8)]),
)
def test_equals_autograd_through_the_loop(
    momentum, decay, nesterov, name, loss, soft, scheduled, count, stride, chunk, norm, shape
) -> None:
    network, start, examples, outer = problem(ConvNet(depth=2, width=4, norm=norm), shape, soft=soft)
    g = generator(count, name)
    augmentation = AUGMENTATIONS[name]
    steps = UnrollSteps(
        batches=tuple(torch.randperm(len(examples), generator=g)[:4] for _ in range(count)),
        draws=tuple(augmentation.draw(4, shape, g) for _ in range(count)),
        augmentation=augmentation,
        optimizer=SGD(momentum=momentum, weight_decay=decay, nesterov=nesterov),
        factors=tuple(1 / (1 + i) for i in range(count)) if scheduled else (),
        loss=loss,
        stride=stride,
        chunk=chunk,
    )
    found = unrolled_gradient(network, start, examples=examples, step_size=0.3, steps=steps, outer=outer)
    value, truth = naive(network, start, examples, 0.3, steps, outer)
    assert relative(found.loss, value.detach()) <= 1e-12
    assert relative(found.inputs, truth[0]) <= 1e-9
    assert relative(found.step_size, truth[1]) <= 1e-9
    assert (found.targets is not None) == soft
    if found.targets is not None:
        assert relative(found.targets, truth[2]) <= 1e-9


def test_repeated_rows_and_a_distance_to_given_weights() -> None:
    network, start, examples, _ = problem(MLP(width=5), (7,))
    goal = {name: w + 0.1 for name, w in start.items()}
    steps = UnrollSteps(batches=(torch.tensor([0, 0, 3]), torch.tensor([3, 1, 0])), optimizer=SGD(momentum=0.9))

    def outer(params: Params) -> Tensor:
        return torch.stack([(params[name] - goal[name]).square().sum() for name in goal]).sum()

    found = unrolled_gradient(network, start, examples=examples, step_size=0.2, steps=steps, outer=outer)
    _, truth = naive(network, start, examples, 0.2, steps, outer)
    assert relative(found.inputs, truth[0]) <= 1e-9
    assert relative(found.step_size, truth[1]) <= 1e-9
    assert float(found.inputs[2].abs().sum()) == 0.0  # never in a batch


def test_step_size_gradient_is_a_difference_quotient() -> None:
    network, start, examples, outer = problem(MLP(width=5), (7,))
    steps = UnrollSteps(batches=(torch.arange(6),) * 4, optimizer=SGD(momentum=0.8, weight_decay=0.01))

    def run(rate: float) -> tuple[float, float]:
        found = unrolled_gradient(network, start, examples=examples, step_size=rate, steps=steps, outer=outer)
        return float(found.loss), float(found.step_size)

    quotient = (run(0.1 + 1e-5)[0] - run(0.1 - 1e-5)[0]) / 2e-5
    assert run(0.1)[1] == pytest.approx(quotient, rel=1e-6)


def test_bad_steps_are_sentences() -> None:
    with pytest.raises(FitError, match="1 factors were given for 2 steps"):
        UnrollSteps(batches=(torch.arange(2),) * 2, factors=(1.0,))
    with pytest.raises(OptionError, match="at least one step"):
        UnrollSteps(batches=())


@pytest.mark.parametrize(
    ("steps", "size", "stride"),
    [
        (60, 2**20, 1),  # 60 MiB: all are kept
        (200, 2**20, 4),  # 2 · 50 + 4 of 128
        (200, 2**26, 14),  # two fit: every √200-th
        (1, 2**40, 1),
        (5, 0, 1),
    ],
)
def test_as_many_weights_are_kept_as_fit(steps: int, size: int, stride: int) -> None:
    assert _stride(steps, size) == stride
