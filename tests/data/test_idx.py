"""IDX files: written here, read back, and broken in every way."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from limbeck.data import ArrowPool, idx
from limbeck.data.idx import read_idx
from limbeck.errors import FitError, LimbeckError, SourceError

LABELS = (np.arange(80) % 4).astype(np.uint8)
IMAGES = np.random.default_rng(0).integers(0, 256, (80, 6, 6), dtype=np.uint8)


def _bytes(array: np.ndarray, kind: int = 8) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


def _write(folder: Path, packed: bool, prefixes: tuple[str, ...] = ("train", "t10k")) -> Path:
    for prefix in prefixes:
        for kind, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
            data = _bytes(array if prefix == "train" else array[:20])
            name = f"{prefix}-{kind}-ubyte" + (".gz" if packed else "")
            (folder / name).write_bytes(gzip.compress(data) if packed else data)
    return folder


def test_gzipped_and_plain_are_the_same_task(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    packed, plain = idx(_write(tmp_path / "a", True)), idx(_write(tmp_path / "b", False))
    assert packed.fingerprint == plain.fingerprint
    assert packed.shape == (1, 6, 6)
    assert packed.test.size == 20
    assert packed.counts == (18, 18, 18, 18)
    assert torch.equal(packed.test.open("t").raw(torch.arange(20))[:, 0] * 255, torch.from_numpy(IMAGES[:20]).float())


def test_without_test_files_a_part_is_split_off(tmp_path: Path) -> None:
    assert idx(_write(tmp_path, True, ("train",))).test.size == 16


def test_class_names_and_naming_the_file(tmp_path: Path) -> None:
    _write(tmp_path, True)
    (tmp_path / "classes.txt").write_text("a\nb\nc\nd e\n")
    assert idx(tmp_path / "train-images-idx3-ubyte.gz").classes == ("a", "b", "c", "d e")


def test_a_plain_file_beyond_memory_is_mapped(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    small, big = idx(_write(tmp_path / "a", False)), idx(_write(tmp_path / "b", False), memory=100)
    assert isinstance(big.train, ArrowPool)
    assert big.fingerprint == small.fingerprint
    assert torch.equal(big.train.take(torch.arange(9)), small.train.take(torch.arange(9)))


def test_types(tmp_path: Path) -> None:
    for code, dtype in ((0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")):
        array = np.arange(12).reshape(3, 4).astype(dtype)
        (tmp_path / "x").write_bytes(_bytes(array, code))
        assert np.array_equal(read_idx(tmp_path / "x", 2**20), array)


def _broken() -> list[tuple[str, bytes, str]]:
    good = gzip.compress(_bytes(IMAGES))
    absurd = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**16, 2**16)
    return [
        ("truncated gz", good[:-200], "truncated"),
        ("no gz", _bytes(IMAGES), "truncated or corrupt"),
        ("flipped", good[:60] + bytes(b ^ 255 for b in good[60:200]) + good[200:], "corrupt|truncated"),
        ("short data", gzip.compress(_bytes(IMAGES)[:-7]), "more or less data"),
        ("long data", gzip.compress(_bytes(IMAGES) + b"x"), "more or less data"),
        ("absurd header", gzip.compress(absurd), "cannot hold"),
        ("no idx", gzip.compress(b"hello world"), "no IDX file"),
        ("empty", b"", "no IDX file"),
        ("header cut", gzip.compress(_bytes(IMAGES)[:9]), "within its header"),
        ("no items", gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, 0, 6, 6)), "is empty"),
    ]


@pytest.mark.parametrize(("name", "data", "message"), _broken(), ids=[b[0] for b in _broken()])
def test_broken_files(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    del name
    _write(tmp_path, True)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(data)
    with pytest.raises(SourceError, match=message):
        idx(tmp_path)


def test_absurd_plain_header(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**16, 2**16) + b"data")
    with pytest.raises(SourceError, match="cannot hold"):
        read_idx(tmp_path / "x", 2**60)


def test_a_gzip_bomb_is_refused_before_memory_is_taken(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(struct.pack(">BBBB1I", 0, 0, 8, 1, 2**22) + bytes(2**22)))
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": 2**20})())
    monkeypatch.setattr(np, "empty", lambda *a, **k: pytest.fail("memory was taken"))
    with pytest.raises(SourceError, match="of memory are free"):
        read_idx(path, 2**30)


def test_missing_things(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        idx(tmp_path / "nothing")
    with pytest.raises(SourceError, match="holds 0 train-images"):
        idx(tmp_path)
    _write(tmp_path, True, ("train",))
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(SourceError, match="no labels file"):
        idx(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(_bytes(LABELS[:70])))
    with pytest.raises(FitError, match="80 inputs but 70 labels"):
        idx(tmp_path)
    with pytest.raises(LimbeckError, match="name that one"):
        idx(tmp_path / "train-labels-idx1-ubyte.gz")
