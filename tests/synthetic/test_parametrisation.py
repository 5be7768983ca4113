"""Pixels and Factored: known answers, a naive decode, round trips on any shape, misfits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limbeck.errors import FitError, OptionError
from limbeck.seeds import generator
from limbeck.synthetic import Factored, Pixels
from limbeck.values import decode, encode


def _triangle(small: int, large: int) -> np.ndarray:
    """Bilinear interpolation with half-pixel centres as a (large, small) matrix."""
    place = ((np.arange(large) + 0.5) * small / large - 0.5).clip(0, small - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(small)))


def _naive(stored: Tensor, factor: int) -> np.ndarray:
    h, w = stored.shape[2:]
    decoded = []
    for image in stored.numpy():
        for rows in np.array_split(np.arange(h), factor):
            for columns in np.array_split(np.arange(w), factor):
                tile = image[:, rows][:, :, columns]
                decoded.append(_triangle(len(rows), h) @ tile @ _triangle(len(columns), w).T)
    return np.stack(decoded)


def test_pixels_are_the_inputs_themselves() -> None:
    inputs = torch.randn(4, 5, generator=generator(0))
    variables = Pixels().encode(inputs)
    assert Pixels().multiplicity == 1
    assert torch.equal(Pixels().decode(variables), inputs)
    assert torch.equal(Pixels().decode(variables, torch.tensor([2, 0])), inputs[[2, 0]])
    inputs.zero_()
    assert variables["pixels"].abs().min() > 0  # a copy


@given(n=st.integers(1, 3), c=st.integers(1, 3), h=st.integers(3, 9), w=st.integers(3, 9), factor=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_decoding_is_the_naive_one(n: int, c: int, h: int, w: int, factor: int) -> None:
    stored = torch.randn(n, c, h, w, generator=generator(n + 10 * h + 100 * w), dtype=torch.float64)
    rule = Factored(factor)
    decoded = rule.decode({"pixels": stored})
    np.testing.assert_allclose(decoded.numpy(), _naive(stored, factor), atol=1e-12)
    some = rule.decode({"pixels": stored}, torch.tensor([n - 1]))
    torch.testing.assert_close(some, decoded[-(factor**2) :])


@given(h=st.integers(4, 11), w=st.integers(4, 11), factor=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_constant_images_come_back_exactly(h: int, w: int, factor: int) -> None:
    rule = Factored(factor)
    levels = torch.arange(2.0 * rule.multiplicity)
    images = levels[:, None, None, None].expand(-1, 2, h, w)
    variables = rule.encode(images)
    assert variables["pixels"].shape == (2, 2, h, w)
    torch.testing.assert_close(rule.decode(variables), images.contiguous())


@given(h=st.integers(4, 11), w=st.integers(4, 11), factor=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_encoding_recovers_what_was_stored(h: int, w: int, factor: int) -> None:
    stored = torch.randn(2, 1, h, w, generator=generator(h, w))
    rule = Factored(factor)
    torch.testing.assert_close(rule.encode(rule.decode({"pixels": stored}))["pixels"], stored, atol=1e-4, rtol=1e-4)


def test_encoding_is_nearest_and_in_order() -> None:
    """No other stored image decodes closer: the error is orthogonal to all that can be decoded."""
    images = torch.randn(8, 1, 9, 7, generator=generator(2), dtype=torch.float64)
    rule = Factored(2)
    stored = rule.encode(images)["pixels"].requires_grad_()
    error = (rule.decode({"pixels": stored}) - images).square().sum()
    (slope,) = torch.autograd.grad(error, stored)
    assert slope.abs().max() < 1e-9


def test_smooth_images_come_back_nearly() -> None:
    y, x = torch.meshgrid(torch.linspace(0, 3, 16), torch.linspace(0, 3, 16), indexing="ij")
    images = torch.stack([torch.sin(x / (1 + i / 4) + y) for i in range(8)])[:, None]
    decoded = Factored(2).decode(Factored(2).encode(images))
    assert (decoded - images).abs().mean() < 0.02
    assert (decoded.roll(1, 0) - images).abs().mean() > 0.1  # the order matters


def test_factor_one_is_pixels() -> None:
    images = torch.randn(3, 2, 5, 7, generator=generator(1))
    torch.testing.assert_close(Factored(1).decode(Factored(1).encode(images)), images)


def test_gradient_reaches_every_stored_pixel() -> None:
    stored = torch.zeros(1, 1, 7, 5, requires_grad=True)
    Factored(2).decode({"pixels": stored}).sum().backward()
    assert stored.grad is not None
    assert stored.grad.min() > 0
    assert torch.isclose(stored.grad.sum(), torch.tensor(4 * 7 * 5.0))  # bilinear weights sum to one


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (torch.zeros(4, 3), "table rows"),
        (torch.zeros(4, 1, 1, 8), "1×8 cannot be cut"),
        (torch.zeros(3, 1, 8, 8), "do not fill"),
    ],
)
def test_what_does_not_fit_is_a_sentence(inputs: Tensor, says: str) -> None:
    with pytest.raises(FitError, match=says):
        Factored(2).encode(inputs)


def test_a_factor_below_one_is_a_sentence() -> None:
    with pytest.raises(OptionError, match="at least 1"):
        Factored(0)


def test_both_can_be_written() -> None:
    for rule in (Pixels(), Factored(3)):
        assert decode(encode(rule)) == rule
