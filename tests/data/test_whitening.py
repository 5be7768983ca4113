"""Normalisation and ZCA against direct computations."""

import numpy as np
import pytest
import torch

from limbeck.data import arrays, digits
from limbeck.data.rows import TensorRows
from limbeck.data.whitening import fit
from limbeck.errors import OptionError
from limbeck.seeds import generator


def test_mean_and_std_are_those_of_train_only() -> None:
    task = digits()
    raw = task.train.raw(torch.arange(len(task.train)))
    assert torch.allclose(task.preprocessing.mean, raw.mean((0, 2, 3)), atol=1e-6)
    assert torch.allclose(task.preprocessing.std, raw.std((0, 2, 3), correction=0), atol=1e-6)


def test_chunks_do_not_change_statistics(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    values = torch.rand(200, 5, generator=generator(0)) * 1000 + 1e4
    rows, index = TensorRows(values), torch.arange(200)
    whole = fit(rows, index, zca=False)
    monkeypatch.setattr("limbeck.data.rows.CHUNK", 300)
    parts = fit(rows, index, zca=False)
    assert torch.allclose(whole.mean, values.double().mean(0).float())
    assert torch.allclose(whole.std, values.double().std(0, correction=0).float())
    assert torch.allclose(parts.std, whole.std)
    assert torch.allclose(parts.mean, whole.mean)


def test_a_constant_feature_has_std_one() -> None:
    table = np.c_[np.linspace(0, 1, 60), np.full(60, 123456.7), np.zeros(60)]
    task = arrays(table, np.arange(60) % 2)
    assert task.preprocessing.std[1:].tolist() == [1, 1]
    taken = task.train.take(torch.arange(len(task.train)))
    assert taken.isfinite().all()
    assert float(taken[:, 1:].abs().max()) < 0.1


def test_zca_is_regularised_whitening_and_invertible() -> None:
    mixing = torch.randn(6, 6, generator=generator(1))
    values = torch.randn(4000, 6, generator=generator(2)) @ mixing
    found = fit(TensorRows(values), torch.arange(4000), zca=True)
    white = found.forward(values)
    normalised = (values - values.mean(0)) / values.std(0, correction=0)
    eigenvalues = torch.linalg.eigvalsh(normalised.T @ normalised / 4000)
    wanted = eigenvalues / (eigenvalues + 0.1)  # s / (s + λ), as the mean eigenvalue is 1
    assert torch.allclose(torch.linalg.eigvalsh(white.T @ white / 4000), wanted.sort().values, atol=1e-3)
    assert torch.allclose(found.inverse(white), values, atol=1e-4)
    assert found.whiten is not None
    assert torch.allclose(found.whiten, found.whiten.T, atol=1e-5)  # ZCA, not PCA


def test_zca_of_huge_inputs_is_refused() -> None:
    with pytest.raises(OptionError, match="zca needs a matrix"):
        fit(TensorRows(torch.zeros(2, 3, 64, 64)), torch.arange(2), zca=True)
