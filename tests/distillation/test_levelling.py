"""Gradients of several configurations at one size."""

import pytest
import torch

from limbeck.distillation.levelling import levelled


def test_each_configuration_is_divided_by_its_own_root_mean_square() -> None:
    squares, large = levelled((), 3, {"a": torch.tensor([300.0, -400.0]), "b": torch.tensor([0.0, 0.0])})
    assert squares == ((3, 1, pytest.approx(62500.0)),)
    torch.testing.assert_close(large["a"], torch.tensor([1.2, -1.6]))
    squares, small = levelled(squares, 0, {"a": torch.tensor([2e-4])})
    assert [known[:2] for known in squares] == [(0, 1), (3, 1)]
    torch.testing.assert_close(small["a"], torch.tensor([1.0]))
    squares, again = levelled(squares, 0, {"a": torch.tensor([4e-4])})
    assert squares[0] == (0, 2, pytest.approx(1e-7))  # the mean of 4e-8 and 16e-8
    torch.testing.assert_close(again["a"], torch.tensor([4e-4 / 1e-7**0.5]))


def test_a_gradient_of_nothing_stays_nothing() -> None:
    squares, same = levelled((), 1, {"a": torch.zeros(3)})
    assert squares == ((1, 1, 0.0),) and torch.equal(same["a"], torch.zeros(3))
