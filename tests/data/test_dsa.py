"""DSA: each operation against a slow formula for one image, derivatives, sharing, reproducibility."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limbeck.data.augmentation import Draw
from limbeck.data.dsa import DSA, OPERATIONS
from limbeck.data.geometry import gathered, rotate
from limbeck.errors import FitError, OptionError
from limbeck.seeds import generator
from limbeck.values import decode, encode

SHAPES = [(3, 8, 8), (1, 7, 10), (3, 9, 6)]


def _images(n: int, shape: tuple[int, ...]) -> Tensor:
    return torch.randn((n, *shape), generator=generator(0, "images"), dtype=torch.float64)


def _pixel(image: Tensor, row: float, column: float) -> Tensor:
    """Bilinear value at a place between pixels, zero outside."""
    total = torch.zeros(len(image), dtype=image.dtype)
    for i in (math.floor(row), math.floor(row) + 1):
        for j in (math.floor(column), math.floor(column) + 1):
            if 0 <= i < image.shape[1] and 0 <= j < image.shape[2]:
                total += image[:, i, j] * (1 - abs(row - i)) * (1 - abs(column - j))
    return total


def _sampled(image: Tensor, matrix: list[list[float]]) -> Tensor:
    """The image at matrix · (x, y), where x and y run over [-1, 1] from edge to edge."""
    _, height, width = image.shape
    out = torch.zeros_like(image)
    for i in range(height):
        for j in range(width):
            x, y = (2 * j + 1) / width - 1, (2 * i + 1) / height - 1
            u, v = matrix[0][0] * x + matrix[0][1] * y, matrix[1][0] * x + matrix[1][1] * y
            out[:, i, j] = _pixel(image, ((v + 1) * height - 1) / 2, ((u + 1) * width - 1) / 2)
    return out


def _slow(operation: str, image: Tensor, drawn: dict[str, Tensor], dsa: DSA) -> Tensor:
    """One operation on one image, as the paper's code has it."""
    channels, height, width = image.shape
    if operation == "color":
        image = image + drawn["brightness"]
        grey = torch.stack([image.mean(0)] * channels)
        image = grey + drawn["saturation"] * (image - grey)
        return image.mean() + drawn["contrast"] * (image - image.mean())
    if operation == "flip":
        return torch.stack([image[:, :, width - 1 - j] for j in range(width)], 2) if drawn["flip"] else image
    if operation == "scale":
        return _sampled(image, [[drawn["scale"][0].item(), 0], [0, drawn["scale"][1].item()]])
    if operation == "rotate":
        angle = drawn["rotate"].item()
        return _sampled(image, [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    out = image.clone()
    hole = [int(side * dsa.cutout + 0.5) for side in (height, width)]
    for i in range(height):
        for j in range(width):
            if operation == "crop":
                out[:, i, j] = _pixel(image, i + drawn["crop"][0].item(), j + drawn["crop"][1].item())
            else:
                first = [drawn["cutout"][a].item() - hole[a] // 2 for a in (0, 1)]
                if first[0] <= i < first[0] + hole[0] and first[1] <= j < first[1] + hole[1]:
                    out[:, i, j] = 0
    return out


def _of_image(draw: Draw, i: int) -> dict[str, Tensor]:
    return {name: tensor[i % len(tensor)] for name, tensor in draw.items()}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operations_equal_the_slow_formula(operation: str, n: int, shape: tuple[int, ...]) -> None:
    dsa, x = DSA(operation), _images(5, shape)
    for seed in range(2):
        draw = dsa.draw(n, shape, generator(seed))
        expected = torch.stack([_slow(operation, image, _of_image(draw, i), dsa) for i, image in enumerate(x)])
        torch.testing.assert_close(dsa.apply(x, draw), expected, rtol=1e-6, atol=1e-6)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 4),
    st.sampled_from([1, 3]),
    st.integers(2, 9),
    st.integers(2, 9),
    st.integers(0, 10**6),
    st.booleans(),
)
def test_all_operations_in_turn_on_any_shape(n: int, c: int, h: int, w: int, seed: int, own: bool) -> None:
    dsa, x = DSA(mode="all"), _images(n, (c, h, w))
    draw = dsa.draw(n if own else 1, (c, h, w), generator(seed))
    expected = []
    for i, image in enumerate(x):
        for operation in OPERATIONS:
            image = _slow(operation, image, _of_image(draw, i), dsa)
        expected.append(image)
    torch.testing.assert_close(dsa.apply(x, draw), torch.stack(expected), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_derivatives_are_right(operation: str) -> None:
    dsa, x = DSA(operation), _images(2, (2, 5, 6)).requires_grad_()
    draw = dsa.draw(2, (2, 5, 6), generator(1))
    assert torch.autograd.gradcheck(lambda inputs: dsa.apply(inputs, draw), x)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_shared_draw_does_the_same_to_each_image(operation: str) -> None:
    dsa, x = DSA(operation), _images(4, (3, 8, 8))
    draw = dsa.draw(1, (3, 8, 8), generator(2))
    alone = torch.cat([dsa.apply(x[i : i + 1], draw) for i in range(4)])
    torch.testing.assert_close(dsa.apply(x, draw), alone)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_types_are_kept_and_one_vmap_augments_several_batches(operation: str, dtype: torch.dtype) -> None:
    dsa, x = DSA(operation), _images(6, (3, 8, 8)).to(dtype)
    for n in (1, 3):
        draw = dsa.draw(n, (3, 8, 8), generator(3))
        out = dsa.apply(x[:3], draw)
        assert out.dtype == dtype
        assert out.shape == (3, 3, 8, 8)
        both = torch.func.vmap(lambda inputs, draw=draw: dsa.apply(inputs, draw))(x.unflatten(0, (2, 3)))
        torch.testing.assert_close(both[0], out)


@pytest.mark.parametrize("n", [1, 3])
def test_both_ways_to_rotate_agree_and_so_do_their_gradients(n: int) -> None:
    angle = torch.tensor([0.2, -0.1, 3.0], dtype=torch.float64)[:n]
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], 1), torch.stack([angle.sin(), angle.cos()], 1)], 1)
    x, back = _images(3, (2, 6, 9)).requires_grad_(), _images(3, (2, 6, 9))
    one, other = rotate(x, angle), gathered(x, turn)
    torch.testing.assert_close(one, other)
    first, second = (torch.autograd.grad((out * back).sum(), x)[0] for out in (one, other))
    torch.testing.assert_close(first, second)


def test_same_seed_same_bytes_and_the_global_generator_is_left_alone() -> None:
    dsa, state = DSA(mode="all"), torch.random.get_rng_state()
    first, again = dsa.draw(4, (3, 8, 8), generator(7)), dsa.draw(4, (3, 8, 8), generator(7))
    assert torch.equal(state, torch.random.get_rng_state())
    assert list(first) == list(again)
    assert all(torch.equal(first[name], again[name]) for name in first)
    other = dsa.draw(4, (3, 8, 8), generator(8))
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_single_mode_draws_one_operation_a_call_each_equally_often() -> None:
    draws = generator(0)
    seen = [tuple(DSA().draw(1, (3, 8, 8), draws)) for _ in range(300)]
    counts = {names: seen.count(names) for names in set(seen)}
    assert set(counts) == {("brightness", "saturation", "contrast"), *((name,) for name in OPERATIONS[1:])}
    assert all(25 < count < 75 for count in counts.values())  # 50 expected, standard deviation 6.5


def test_idc_mode_always_flips_and_colours_and_cuts_out_last() -> None:
    draws = generator(0)
    seen = {tuple(DSA(mode="idc").draw(1, (3, 8, 8), draws)) for _ in range(60)}
    before = ("flip", "brightness", "saturation", "contrast")
    assert seen == {(*before, name, "cutout") for name in ("crop", "scale", "rotate")}
    assert "flip" not in DSA("color_crop_cutout", "idc").draw(1, (3, 8, 8), draws)


def test_strengths_have_the_published_ranges() -> None:
    draw = DSA(mode="all").draw(4000, (3, 32, 20), generator(0))
    for name, low, high in [
        ("brightness", -0.5, 0.5),
        ("saturation", 0.0, 2.0),
        ("contrast", 0.5, 1.5),
        ("scale", 1 / 1.2, 1.2),
        ("rotate", -math.pi / 12, math.pi / 12),
    ]:
        values = draw[name]
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high >= values.max() > high - 0.01 * (high - low)
        assert values.mean().item() == pytest.approx((low + high) / 2, abs=0.02 * (high - low))
    assert draw["flip"].double().mean().item() == pytest.approx(0.5, abs=0.03)
    assert set(draw["crop"][:, 0].tolist()) == set(range(-4, 5))  # 32 / 8
    assert set(draw["crop"][:, 1].tolist()) == set(range(-3, 4))  # 20 / 8, rounded
    assert set(draw["cutout"][:, 0].tolist()) == set(range(33))  # hole of 16: the centre may be the far edge
    assert set(draw["cutout"][:, 1].tolist()) == set(range(21))


def test_saturation_leaves_grey_images() -> None:
    dsa, x = DSA(), _images(3, (1, 5, 5))
    torch.testing.assert_close(dsa.apply(x, {"saturation": torch.tensor([0.2, 1.0, 1.9])}), x)


def test_tables_and_bad_values_are_sentences() -> None:
    with pytest.raises(FitError, match=r"rows of 7 features: use none or noise\.$"):
        DSA().draw(2, (7,), generator(0))
    for make, match in [
        (lambda: DSA("color_crp"), "did you mean crop"),
        (lambda: DSA(mode="sngle"), "did you mean single"),
        (lambda: DSA(crop=1.5), r"must be in \[0, 1\]"),
        (lambda: DSA(scale=0.5), "at least 1"),
        (lambda: DSA(brightness=math.nan), "at least 0"),
    ]:
        with pytest.raises(OptionError, match=match):
            make()


def test_it_is_a_value() -> None:
    dsa = DSA("crop_flip", "all", rotate=10.0)
    assert decode(encode(dsa)) == dsa
