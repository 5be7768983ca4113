"""Stores of rows: scaling, order, digests."""

import numpy as np
import pytest
import torch

from limbeck.data.rows import MappedRows, TensorRows, scaled


def _map(tmp_path, array, mode="r"):  # type: ignore[no-untyped-def]
    path = tmp_path / "array.bin"
    array.tofile(path)
    return np.memmap(path, dtype=array.dtype, mode=mode, shape=array.shape)


def test_scaled_knows_the_integer_types() -> None:
    assert scaled(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [0, 1]
    assert scaled(torch.tensor([0, 65535], dtype=torch.uint16)).tolist() == [0, 1]
    assert scaled(torch.tensor([0.25])).tolist() == [0.25]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_mapped_rows_equal_rows_in_memory(tmp_path, dtype) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    array = (rng.random((20, 5, 4, 3)) * (1 if dtype == np.float32 else 200)).astype(dtype)
    mapped = MappedRows(_map(tmp_path, array), image=True, channels_last=True)
    index = torch.tensor([7, 3, 3, 19, 0])
    wanted = scaled(torch.from_numpy(array).movedim(-1, 1))[index]
    assert mapped.shape == (3, 5, 4)
    assert torch.equal(mapped.raw(index), wanted)


def test_digest_depends_on_content_only(tmp_path) -> None:  # type: ignore[no-untyped-def]
    array = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
    memory = TensorRows(torch.from_numpy(array)[:, None].contiguous())
    assert MappedRows(_map(tmp_path, array), image=True).digest() == memory.digest()
    changed = array.copy()
    changed[5, 3, 3] += 1
    assert TensorRows(torch.from_numpy(changed)[:, None].contiguous()).digest() != memory.digest()


def test_letting_go_of_pages_keeps_values(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("limbeck.data.rows.CHUNK", 64)
    array = np.arange(400, dtype=np.float32).reshape(50, 8)
    rows = MappedRows(_map(tmp_path, array), image=False)
    for _ in range(3):
        assert torch.equal(rows.raw(torch.arange(50)), torch.from_numpy(array))
