"""Every named network: shapes, derivatives, many at once, what fits and what does not."""

import pytest
import torch
from torch.func import jvp, vmap
from torch.nn import functional as F

from limbeck.errors import FitError, LimbeckError, OptionError
from limbeck.networks import MLP, NETWORKS, VGG11, AlexNet, ConvNet, LeNet, Network, ResNet18, ViT, architecture
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.values import decode, encode

NARROW = {
    "convnet": ConvNet(depth=2, width=4),
    "convnet-bn": ConvNet(depth=2, width=4, norm="batch", pooling="max", activation="swish"),
    "convnet-ln": ConvNet(depth=2, width=4, norm="layer", pooling="none", activation="leaky"),
    "convnet-gn": ConvNet(depth=None, width=4, norm="group", activation="sigmoid", kernel=5),
    "mlp": MLP(width=5),
    "lenet": LeNet(),
    "alexnet": AlexNet(width=4),
    "vgg11": VGG11(width=2),
    "vgg11-bn": VGG11(width=2, norm="batch"),
    "resnet18": ResNet18(width=2),
    "resnet18-bn": ResNet18(width=2, norm="batch"),
    "vit": ViT(width=8, depth=1, heads=2),
}


def _inputs(shape: tuple[int, ...], n: int = 2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn((n, *shape), generator=generator(0, "inputs"), dtype=dtype)


def _size(network: Network) -> int:
    return sum(p.numel() for p in network._module.parameters())


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_named_networks_are_values_that_fit_every_size_or_say_why_not(name: str) -> None:
    made = architecture(name)
    assert decode(encode(made)) == made
    for shape in ((1, 8, 8), (3, 28, 28), (1, 28, 28), (3, 32, 32), (3, 64, 64), (7,)):
        if (len(shape) == 1 and "mlp" not in name) or (shape[-1] == 8 and name in ("convnet-4-128", "convnet-5-128")):
            with pytest.raises(FitError, match=r"\.$"):
                made.build(shape, 3)
        else:
            assert _size(made.build(shape, 3)) > 0


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (2, 32, 32), (3, 64, 64), (1, 12, 20)])
@pytest.mark.parametrize("name", sorted(NARROW))
def test_outputs_have_the_shapes_of_the_contract(name: str, shape: tuple[int, ...]) -> None:
    network = NARROW[name].build(shape, 3)
    params = network.init(generator(0))
    outputs = network(params, _inputs(shape))
    assert outputs.logits.shape == (2, 3)
    assert outputs.embedding.ndim == 2
    assert all(len(m) == 2 and m.ndim == (2 if name == "mlp" else 4) for m in outputs.maps)
    last = outputs.embedding @ params["classifier.weight"].T + params["classifier.bias"]
    torch.testing.assert_close(outputs.logits, last)
    assert outputs.logits[0].ne(outputs.logits[1]).all(), "what enters must reach the logits"


def test_convnet_maps_are_taken_before_pooling() -> None:
    network = ConvNet(depth=3, width=4).build((1, 28, 28), 3)
    outputs = network(network.init(generator(0)), _inputs((1, 28, 28)))
    assert [tuple(m.shape[2:]) for m in outputs.maps] == [(32, 32), (16, 16), (8, 8)]
    assert all(m.min() == 0 for m in outputs.maps)
    torch.testing.assert_close(outputs.embedding, F.avg_pool2d(outputs.maps[-1], 2).flatten(1))


@pytest.mark.parametrize(
    ("name", "shape", "count"),
    [
        ("convnet-3-128", (3, 32, 32), 320_010),
        ("convnet-3-128", (1, 28, 28), 317_706),
        ("lenet", (3, 32, 32), 62_006),
        ("lenet", (1, 28, 28), 61_706),
        ("alexnet", (3, 32, 32), 1_872_202),
        ("vgg11", (3, 32, 32), 9_231_114),
        ("vgg11-bn", (3, 32, 32), 9_231_114),
        ("resnet18", (3, 32, 32), 11_173_962),
        ("resnet18-bn", (3, 32, 32), 11_173_962),
        ("mlp", (1, 28, 28), 784 * 128 + 128 + 128 * 128 + 128 + 1290),
    ],
)
def test_parameter_counts_are_the_published_ones(name: str, shape: tuple[int, ...], count: int) -> None:
    assert _size(architecture(name).build(shape, 10)) == count


@pytest.mark.parametrize("name", sorted(NARROW))
def test_gradients_are_right_and_reverse_over_forward_equals_double_backward(name: str) -> None:
    network = NARROW[name].build((1, 8, 8), 3)
    params = network.init(generator(0), torch.float64)
    x = _inputs((1, 8, 8), 3, torch.float64).requires_grad_()
    labels = torch.tensor([0, 1, 2])
    draw = generator(1)
    v = {k: torch.randn(p.shape, generator=draw, dtype=torch.float64) for k, p in params.items()}

    def loss(weights: Params, inputs: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(network(weights, inputs).logits, labels)

    leaves = {k: p.clone().requires_grad_() for k, p in params.items()}
    grads = torch.autograd.grad(loss(leaves, x), list(leaves.values()), create_graph=True)
    slow = torch.stack([(g * v[k]).sum() for g, k in zip(grads, leaves, strict=True)]).sum()
    _, fast = jvp(lambda weights: loss(weights, x), (params,), (v,))
    torch.testing.assert_close(fast, slow)
    twice_slow, twice_fast = torch.autograd.grad(slow, x)[0], torch.autograd.grad(fast, x)[0]
    torch.testing.assert_close(twice_fast, twice_slow, rtol=1e-6, atol=1e-6 * twice_slow.abs().max().item())
    step = 1e-8  # and against a difference quotient of the loss itself
    there = {k: p + step * v[k] for k, p in params.items()}
    back = {k: p - step * v[k] for k, p in params.items()}
    quotient = (loss(there, x) - loss(back, x)) / (2 * step)
    assert quotient.item() == pytest.approx(fast.item(), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", ["convnet", "convnet-bn", "mlp", "vit"])
def test_gradcheck(name: str) -> None:
    network = NARROW[name].build((1, 4, 4), 3)
    params = network.init(generator(0), torch.float64)
    x = _inputs((1, 4, 4), 2, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda inputs: network(params, inputs).logits, x)


@pytest.mark.parametrize("name", sorted(NARROW))
def test_many_networks_at_once_equal_a_loop(name: str) -> None:
    network = NARROW[name].build((2, 8, 8), 3)
    params = [network.init(generator(seed), torch.float64) for seed in range(3)]
    stacked = {k: torch.stack([p[k] for p in params]) for k in params[0]}
    x = _inputs((2, 8, 8), 12, torch.float64).unflatten(0, (3, 4))
    together = vmap(lambda p, inputs: network(p, inputs).logits)(stacked, x)
    for i, p in enumerate(params):
        torch.testing.assert_close(together[i], network(p, x[i]).logits)


@pytest.mark.parametrize("name", sorted(NARROW))
def test_only_batch_norm_looks_at_the_rest_of_the_batch(name: str) -> None:
    network = NARROW[name].build((1, 8, 8), 3)
    params, x = network.init(generator(0), torch.float64), _inputs((1, 8, 8), 4, torch.float64)
    alone, together = network(params, x[:1]).logits, network(params, x).logits[:1]
    assert torch.allclose(alone, together) != network.uses_batch_statistics
    assert network.uses_batch_statistics == name.endswith("bn")


@pytest.mark.parametrize(
    ("made", "shape", "match"),
    [
        (ConvNet(depth=4), (1, 8, 8), "at most depth 3"),
        (ConvNet(depth=None), (1, 1, 8), "use mlp"),
        (LeNet(), (1, 3, 8), "needs 4×4"),
        (AlexNet(), (1, 7, 8), "needs 8×8"),
        (VGG11(), (1, 1, 8), "needs 2×2"),
        (ResNet18(), (1, 8, 1), "needs 2×2"),
        (ViT(), (3, 30, 20), "use patch 1, 2, 5, 10"),
    ],
)
def test_misfits_say_what_fits(made: ConvNet, shape: tuple[int, ...], match: str) -> None:
    with pytest.raises(FitError, match=match):
        made.build(shape, 3)


def test_depth_none_takes_what_the_image_bears() -> None:
    blocks = {side: len(ConvNet(depth=None, width=4).build((1, side, side), 3)._module.norms) for side in (2, 4, 8, 32)}
    assert blocks == {2: 1, 4: 2, 8: 3, 32: 3}


def test_text_names_architectures() -> None:
    assert architecture("convnet-3-128:width=64,depth=2") == ConvNet(depth=2, width=64)
    assert architecture("convnet-3-128:depth=none,norm=batch") == ConvNet(depth=None, norm="batch")
    for text, match in [
        ("convnet-3-12", "did you mean convnet-3-128"),
        ("mlp:wdth=3", "did you mean width"),
        ("mlp:width=x", "takes int"),
        ("mlp:width=1.5", "takes int"),
        ("mlp:width", "sets nothing"),
        ("convnet-3-32:norm=batsh", "did you mean batch"),
    ]:
        with pytest.raises(OptionError, match=match):
            architecture(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ConvNet(width=0),
        lambda: ConvNet(kernel=2),
        lambda: ConvNet(pooling="sum"),
        lambda: ConvNet(norm="weight"),
        lambda: ConvNet(activation="tanh"),
        lambda: MLP(depth=0),
        lambda: MLP(activation="tanh"),
        lambda: AlexNet(width=1),
        lambda: VGG11(norm="layer"),
        lambda: ResNet18(norm="layer"),
        lambda: ViT(width=10, heads=4),
        lambda: ViT(patch=0),
    ],
)
def test_values_outside_their_domain_are_refused(make: object) -> None:
    with pytest.raises(LimbeckError, match=r"[.?]$"):
        make()  # type: ignore[operator]
