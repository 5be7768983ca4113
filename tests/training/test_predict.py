"""Test passes and the statistics of batch norm."""

import pytest
import torch

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Constant, Updates
from limbeck.training.optimizer import SGD
from limbeck.training.predict import fitted, predict
from limbeck.training.train import train
from limbeck.values import replace

from .tiny_training import tiny


@pytest.mark.parametrize("chunk", [1, 7, 64, None])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_chunks_do_not_matter(chunk: int | None, norm: str, compute: Compute) -> None:
    net = ConvNet(depth=2, width=4, norm=norm).build((1, 8, 8), 3)
    params = net.init(generator(0))
    examples = tiny()
    statistics = fitted(net, params, examples, compute)
    found = predict(net, params, examples.inputs, statistics=statistics, compute=replace(compute, chunk=chunk))
    truth = net(params, examples.inputs, statistics or None).logits
    torch.testing.assert_close(found, truth, rtol=1e-4, atol=1e-5)
    assert found.dtype == torch.float32 and not found.requires_grad


def test_low_precision_and_nothing_to_predict(compute: Compute) -> None:
    net = MLP(width=8).build((1, 8, 8), 3)
    params, inputs = net.init(generator(0)), tiny().inputs
    low = predict(net, params, inputs, statistics=None, compute=replace(compute, precision="bfloat16"))
    full = predict(net, params, inputs, statistics=None, compute=compute)
    assert low.dtype == torch.float32 and not torch.equal(low, full)
    torch.testing.assert_close(low, full, rtol=0.05, atol=0.02)
    assert predict(net, params, inputs[:0], statistics=None, compute=compute).shape == (0, 3)


def test_batch_norm_evaluates_as_it_trained_where_running_averages_fail(compute: Compute) -> None:
    """Twenty updates on twenty images: PyTorch's running averages (momentum 0.1) lag behind the weights."""
    examples = tiny()
    net = ConvNet(depth=2, width=8, norm="batch").build((1, 8, 8), 3)
    configuration = Configuration("bn", net.architecture, SGD(lr=0.1), Constant(), length=Updates(20))
    trained = train(net, configuration, examples, seeds=(0,), compute=compute, keep=tuple(u / 20 for u in range(20)))
    params = trained.params[0]
    in_training = net(params, examples.inputs).logits
    ours = predict(net, params, examples.inputs, statistics=fitted(net, params, examples, compute), compute=compute)
    torch.testing.assert_close(ours, in_training, rtol=1e-3, atol=1e-3)
    assert _accuracy(ours, examples) == _accuracy(in_training, examples) >= 0.9

    running = {
        name: torch.zeros_like(s) if "mean" in name else torch.ones_like(s)
        for name, s in _seen(net, params, examples).items()
    }
    for snapshot in trained.snapshots[0]:
        seen = _seen(net, snapshot, examples)
        running = {name: 0.9 * old + 0.1 * seen[name] for name, old in running.items()}
    theirs = predict(net, params, examples.inputs, statistics=running, compute=compute)
    gap = (theirs - in_training).norm() / in_training.norm()
    assert gap > 0.1  # not the network that was trained


def _seen(net, params, examples):
    return net.statistics(params, examples.inputs)


def _accuracy(logits: torch.Tensor, examples: Examples) -> float:
    return float((logits.argmax(1) == examples.labels).float().mean())


def test_no_statistics_without_batch_norm(compute: Compute) -> None:
    net = MLP(width=4).build((1, 8, 8), 3)
    assert fitted(net, net.init(generator(0)), tiny(), compute) == {}
