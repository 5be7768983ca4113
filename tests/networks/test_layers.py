"""Norms, initial weights, batch norm's statistics."""

import math

import pytest
import torch
from torch import nn
from torch.func import jvp, vmap

from limbeck.errors import OptionError
from limbeck.networks import layers
from limbeck.networks.convnet import ConvNet
from limbeck.networks.layers import (
    BatchNorm,
    Convolution,
    Embedding,
    InstanceNorm,
    LayerNorm,
    collect,
    fresh,
    normalisation,
)
from limbeck.seeds import generator


def _images(n: int, channels: int = 3, side: int = 6, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, channels, side, side, generator=generator(0, "images"), dtype=dtype)


def test_instance_norm_is_group_norm_with_one_channel_a_group() -> None:
    x, layer = _images(4), InstanceNorm(3).double()
    layer.weight.data, layer.bias.data = torch.tensor([1.0, 2, 3]).double(), torch.tensor([0.5, 0, -1]).double()
    torch.testing.assert_close(layer(x), nn.functional.instance_norm(x, None, None, layer.weight, layer.bias))


def test_layer_norm_is_pytorchs() -> None:
    for shape in ((3, 6, 6), (6,)):
        x, layer, theirs = _images(4), LayerNorm(*shape).double(), nn.LayerNorm(shape).double()
        layer.weight.data = theirs.weight.data = torch.rand(shape, generator=generator(1), dtype=torch.float64)
        torch.testing.assert_close(layer(x), theirs(x))


def test_batch_norm_uses_the_batch_in_training_and_the_buffers_in_evaluation() -> None:
    x, layer = _images(4), BatchNorm(3).double()
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
    expected = (x - mean[:, None, None]) / (var[:, None, None] + 1e-5).sqrt()
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.running_mean, torch.zeros(3).double())  # nothing was updated
    layer.eval()
    torch.testing.assert_close(layer(x), x / math.sqrt(1 + 1e-5))


def test_batch_norm_of_a_single_value_is_its_bias() -> None:
    layer = BatchNorm(2)
    layer.bias.data = torch.tensor([3.0, -1.0])
    assert layer(torch.tensor([[[[7.0]], [[8.0]]]])).flatten().tolist() == pytest.approx([3.0, -1.0], abs=1e-3)


@pytest.mark.parametrize("name", sorted(layers.NORMS))
def test_norms_have_correct_first_and_second_derivatives(name: str) -> None:
    layer = normalisation(name, 4, 3, 3).double()
    x, direction = _images(2, 4, 3).requires_grad_(), _images(2, 4, 3).cos()
    assert torch.autograd.gradcheck(layer, x, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(layer, x)
    assert torch.autograd.gradcheck(lambda inputs: jvp(layer, (inputs,), (direction,))[1], x)


def test_unknown_norm_and_indivisible_groups_are_sentences() -> None:
    with pytest.raises(OptionError, match="did you mean instance"):
        normalisation("instnce", 4, 3, 3)
    with pytest.raises(OptionError, match="use 8"):
        normalisation("group", 10, 3, 3)


@pytest.mark.parametrize("reference", [nn.Conv2d(8, 64, 5), nn.Linear(200, 64)])
def test_fresh_weights_have_the_law_of_pytorch(reference: nn.Module) -> None:
    reference.reset_parameters()
    ours = fresh(reference, generator(1))
    bound = 1 / math.sqrt(200)
    for name, theirs in reference.named_parameters():
        assert ours[name].shape == theirs.shape
        assert ours[name].abs().max() <= bound
    assert theirs.abs().max() <= bound
    weight = ours["weight"]
    assert weight.abs().max() > 0.99 * bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert weight.std().item() == pytest.approx(reference.weight.std().item(), rel=0.04)


def test_fresh_norms_are_one_and_zero_and_embeddings_small_normal() -> None:
    module = nn.ModuleDict({"b": BatchNorm(3), "i": InstanceNorm(3), "l": LayerNorm(3), "e": Embedding(100, 50)})
    params = fresh(module, generator(0))
    for name in ("b", "i", "l"):
        assert params[f"{name}.weight"].tolist() == [1, 1, 1]
        assert params[f"{name}.bias"].tolist() == [0, 0, 0]
    assert params["e.weight"].abs().max() <= 0.04
    assert params["e.weight"].std().item() == pytest.approx(0.02 * 0.8796, rel=0.05)  # normal law cut at 2 deviations


def test_fresh_has_the_same_bytes_for_the_same_seed_and_ignores_the_global_generator() -> None:
    network = ConvNet(depth=2, width=4).build((1, 8, 8), 3)
    state = torch.random.get_rng_state()
    first, again = network.init(generator(5)), network.init(generator(5))
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["convolutions.0.weight"], network.init(generator(6))["convolutions.0.weight"])
    wide = network.init(generator(5), torch.float64)
    assert all(torch.equal(first[name].double(), wide[name]) for name in first)


def test_fresh_refuses_layers_that_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="PReLU"):
        fresh(nn.PReLU(), generator(0))


def test_statistics_repeat_the_training_pass_and_equal_direct_ones() -> None:
    network = ConvNet(depth=2, width=4, norm="batch").build((3, 8, 8), 3)
    params, x = network.init(generator(0), torch.float64), _images(10, side=8)
    found = network.statistics(params, x)
    first = nn.functional.conv2d(x, params["convolutions.0.weight"], params["convolutions.0.bias"], padding=1)
    torch.testing.assert_close(found["norms.0.running_mean"], first.mean((0, 2, 3)))
    torch.testing.assert_close(found["norms.0.running_var"], first.var((0, 2, 3), correction=0))
    torch.testing.assert_close(network(params, x, found).logits, network(params, x).logits)
    part = network(params, x[:2], found).logits  # an example's output no longer depends on its batch
    torch.testing.assert_close(part, network(params, x, found).logits[:2])


def test_statistics_in_chunks_are_exact_for_the_first_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ConvNet(depth=2, width=4, norm="batch").build((3, 8, 8), 3)
    params, x = network.init(generator(0), torch.float64), _images(10, side=8)
    whole = network.statistics(params, x)
    monkeypatch.setattr(layers, "CHUNK", 4)
    parts = network.statistics(params, x)
    for name in ("norms.0.running_mean", "norms.0.running_var"):
        torch.testing.assert_close(parts[name], whole[name])
    assert not torch.equal(parts["norms.1.running_var"], whole["norms.1.running_var"])
    torch.testing.assert_close(parts["norms.1.running_var"], whole["norms.1.running_var"], rtol=0.5, atol=0.05)


def test_statistics_of_many_networks_at_once_equal_those_of_each() -> None:
    network = ConvNet(depth=2, width=4, norm="batch").build((1, 8, 8), 3)
    params, x = [network.init(generator(s), torch.float64) for s in (0, 1)], _images(6, 1, 8)
    stacked = {name: torch.stack([p[name] for p in params]) for name in params[0]}
    together = vmap(lambda p: dict(collect(network._module, p, x)))(stacked)
    for i, p in enumerate(params):
        for name, tensor in network.statistics(p, x).items():
            torch.testing.assert_close(together[name][i], tensor)


def test_networks_without_batch_norm_have_no_statistics() -> None:
    network = ConvNet(depth=1, width=4).build((1, 8, 8), 3)
    assert not network.uses_batch_statistics
    assert network.statistics(network.init(generator(0)), _images(2, 1, 8, torch.float32)) == {}


def test_batch_norm_has_a_forward_derivative_over_a_stack_of_weights() -> None:
    layer, x = BatchNorm(3).double(), _images(4)
    weights = torch.rand(2, 3, dtype=torch.float64, generator=generator(0))

    def scaled(weight: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, (x,))

    _, tangent = jvp(vmap(scaled), (weights,), (torch.ones_like(weights),))
    torch.testing.assert_close(tangent[0], layer(x))


@pytest.mark.parametrize("compiling", [False, True])
@pytest.mark.parametrize(("channels", "kernel", "stride", "padding"), [(1, 3, 1, 3), (1, 5, 2, 2), (3, 3, 1, 4)])
def test_a_convolution_is_pytorchs(
    compiling: bool, channels: int, kernel: int, stride: int, padding: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where padding is added apart, and where a channel of zeros is added: values, gradients and derivatives."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiling)
    mine = Convolution(channels, 4, kernel, stride, padding).double()
    theirs = nn.Conv2d(channels, 4, kernel, stride, padding).double()
    theirs.load_state_dict(mine.state_dict())
    inputs = torch.randn(2, channels, 6, 6, dtype=torch.float64, requires_grad=True)
    found, expected = mine(inputs), theirs(inputs)
    torch.testing.assert_close(found, expected)
    back = torch.randn_like(expected)
    both = ((found, mine), (expected, theirs))
    grads = [torch.autograd.grad(out, (inputs, *layer.parameters()), back) for out, layer in both]
    for own, other in zip(*grads, strict=True):
        torch.testing.assert_close(own, other)
