"""Pools give the same inputs whether they are kept in memory or read when asked."""

import numpy as np
import torch

from limbeck.data import ArrowPool, TensorPool, arrays, digits, on_device
from limbeck.data import pools as pools_module


def test_tensor_pool_preprocesses_and_inverts() -> None:
    task = digits()
    index = torch.tensor([5, 0, 17])
    taken, raw = task.train.take(index), task.train.raw(index)
    assert taken.dtype == torch.float32
    assert torch.equal(taken, task.preprocessing.forward(raw))
    assert torch.allclose(task.preprocessing.inverse(taken), raw, atol=1e-6)
    assert float(raw.min()) >= 0
    assert float(raw.max()) <= 1


def test_a_pool_too_big_for_the_cache_gives_the_same(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    cached = digits().train.take(torch.arange(9))
    monkeypatch.setattr(pools_module, "_CACHE", 0)
    assert torch.equal(digits().train.take(torch.arange(9)), cached)


def test_a_mapped_set_equals_the_set_in_memory(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    images, labels = rng.integers(0, 256, (90, 6, 6, 3), dtype=np.uint8), np.arange(90) % 3
    images.tofile(tmp_path / "images.bin")
    mapped = np.memmap(tmp_path / "images.bin", dtype=np.uint8, mode="r", shape=images.shape)
    big, small = arrays(mapped, labels, memory=0), arrays(images, labels)
    assert isinstance(big.train, ArrowPool)
    assert isinstance(small.train, TensorPool)
    assert big.fingerprint == small.fingerprint
    assert torch.equal(big.train.labels, small.train.labels)
    assert torch.equal(big.train.take(big.train.of_class(2)), small.train.take(small.train.of_class(2)))
    assert torch.equal(big.test.open("test").raw(torch.arange(4)), small.test.open("test").raw(torch.arange(4)))


def test_on_device_keeps_bytes() -> None:
    task = digits()
    moved = on_device(task, torch.device("cpu"))
    assert torch.equal(moved.train.examples().inputs, task.train.examples().inputs)
    assert moved.test is task.test
