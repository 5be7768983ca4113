"""Every optimizer against PyTorch's own."""

import pytest
import torch

from limbeck.seeds import generator
from limbeck.training.optimizer import SGD, Adam, AdamW, Optimizer, RMSprop
from limbeck.values import decode, encode

CASES = [
    (SGD(lr=0.1, momentum=0.0, weight_decay=0.0), torch.optim.SGD, {}),
    (SGD(lr=0.1, momentum=0.9, weight_decay=0.01), torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}),
    (
        SGD(lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
        torch.optim.SGD,
        {"momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
    ),
    (Adam(lr=0.01), torch.optim.Adam, {}),
    (Adam(lr=0.01, weight_decay=0.1), torch.optim.Adam, {"weight_decay": 0.1}),
    (AdamW(lr=0.01, beta2=0.95), torch.optim.AdamW, {"betas": (0.9, 0.95)}),
    (RMSprop(lr=0.01), torch.optim.RMSprop, {}),
    (RMSprop(lr=0.01, alpha=0.9, weight_decay=0.1), torch.optim.RMSprop, {"alpha": 0.9, "weight_decay": 0.1}),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("mine", "theirs", "options"), CASES)
def test_equals_torch(mine: Optimizer, theirs: type[torch.optim.Optimizer], options: dict, dtype: torch.dtype) -> None:
    g = generator(0, "optimizer")
    weights = [torch.randn(3, 4, generator=g).to(dtype), torch.randn(5, generator=g).to(dtype)]
    leaves = [w.clone().requires_grad_() for w in weights]
    reference = theirs(leaves, lr=mine.lr, foreach=False, **options)
    state = mine.init(weights)
    for update in range(30):
        lr = mine.lr * (0.1 if update >= 20 else 1.0)
        grads = [torch.randn(w.shape, generator=g).to(dtype) for w in weights]
        weights, state = mine.step(weights, grads, state, lr)
        for leaf, grad in zip(leaves, grads, strict=True):
            leaf.grad = grad.clone()
        reference.param_groups[0]["lr"] = lr
        reference.step()
    last = 1e-6 if dtype == torch.float32 else 1e-14
    for weight, leaf in zip(weights, leaves, strict=True):
        torch.testing.assert_close(weight, leaf.detach(), rtol=last, atol=last)
        assert weight.dtype == dtype


@pytest.mark.parametrize("optimizer", [case[0] for case in CASES])
def test_one_flat_vector_steps_like_its_parts(optimizer: Optimizer) -> None:
    g = generator(1, "flat")
    parts, flat = [torch.randn(7, generator=g), torch.randn(9, generator=g)], None
    flat = [torch.cat(parts)]
    states = optimizer.init(parts), optimizer.init(flat)
    for _ in range(3):
        grads = [torch.randn(7, generator=g), torch.randn(9, generator=g)]
        parts, first = optimizer.step(parts, grads, states[0], 0.1)
        flat, second = optimizer.step(flat, [torch.cat(grads)], states[1], 0.1)
        states = first, second
    assert torch.equal(torch.cat(parts), flat[0])


def test_a_step_is_differentiable_in_its_rate() -> None:
    rate = torch.tensor(0.5, requires_grad=True)
    (moved,), _ = SGD(momentum=0.0, weight_decay=0.0).step([torch.ones(2)], [torch.tensor([1.0, 3.0])], {}, rate)
    (slope,) = torch.autograd.grad(moved.sum(), rate)
    assert float(slope) == -4.0


@pytest.mark.parametrize("optimizer", [case[0] for case in CASES])
def test_round_trip(optimizer: Optimizer) -> None:
    assert decode(encode(optimizer)) == optimizer
