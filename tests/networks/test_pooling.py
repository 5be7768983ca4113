"""The matrix form of average pooling equals PyTorch's own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from limbeck.networks.pooling import average


@given(st.integers(1, 3), st.integers(1, 4), st.integers(2, 17), st.integers(2, 17), st.integers(0, 9))
def test_equals_avg_pool2d(n: int, c: int, h: int, w: int, seed: int) -> None:
    x = torch.randn(n, c, h, w, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert torch.allclose(average(x), F.avg_pool2d(x, 2), atol=1e-14)


@pytest.mark.parametrize("strided", [False, True])
def test_gradients_and_layouts(strided: bool) -> None:
    x = torch.randn(2, 3, 8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = (x.contiguous(memory_format=torch.channels_last) if strided else x).requires_grad_()
    g = torch.randn(2, 3, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours, theirs = (torch.autograd.grad((pool(x) * g).sum(), x)[0] for pool in (average, lambda z: F.avg_pool2d(z, 2)))
    assert torch.allclose(ours, theirs, atol=1e-14)


def test_low_precision_keeps_its_type() -> None:
    assert average(torch.randn(1, 1, 4, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
