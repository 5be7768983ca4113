"""npz files in every convention, and hostile ones."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from limbeck.data import ArrowPool, npz
from limbeck.errors import FitError, SourceError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(80, 5)), np.arange(80) % 2
IMAGES = RNG.integers(0, 256, (80, 6, 6, 3), dtype=np.uint8)


def test_one_pair_is_split(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=Y, classes=np.array(["no", "<b>"]))
    task = npz(tmp_path / "d.npz")
    assert task.shape == (5,)
    assert task.classes == ("no", "<b>")
    assert (len(task.train), len(task.validation), task.test.size) == (58, 6, 16)
    assert "near-duplicates" in task.notes[0]


def test_own_splits_in_both_conventions(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X[:10], y_test=Y[:10])
    assert npz(tmp_path / "a.npz").test.size == 10
    col = Y[:, None]
    parts = {f"{s}_images": IMAGES for s in ("train", "val", "test")} | {
        f"{s}_labels": col for s in ("train", "val", "test")
    }
    np.savez_compressed(tmp_path / "b.npz", **parts)
    task = npz(tmp_path / "b.npz")
    assert (len(task.train), len(task.validation), task.test.size) == (80, 80, 80)
    assert task.shape == (3, 6, 6)


def test_stored_arrays_beyond_memory_are_mapped(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=IMAGES, y=Y)
    big, small = npz(tmp_path / "d.npz", memory=2000), npz(tmp_path / "d.npz")
    assert isinstance(big.train, ArrowPool)
    assert big.fingerprint == small.fingerprint
    assert torch.equal(big.train.take(torch.arange(7)), small.train.take(torch.arange(7)))


def _member(header: str, data: bytes = b"") -> bytes:
    head = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data


def _zip(path: Path, x: bytes) -> Path:
    labels = io.BytesIO()
    np.save(labels, Y)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", labels.getvalue())
    return path


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000)}", b"", "is not what it holds"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (80,)}", b"x" * 640, "Python objects"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (80, 5)}", b"x" * 64, "is not what it holds"),
        ("__import__('os').system('false')", b"", "truncated or corrupt"),
    ],
)
def test_hostile_headers(tmp_path: Path, header: str, data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        npz(_zip(tmp_path / "d.npz", _member(header, data)))


def test_a_zip_bomb_is_refused_before_memory_is_taken(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    np.savez_compressed(tmp_path / "d.npz", x=np.zeros((400_000, 4)), y=np.zeros(400_000, dtype=int))
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": 2**20})())
    monkeypatch.setattr(np.lib.format, "read_array", lambda *a, **k: pytest.fail("memory was taken"))
    with pytest.raises(SourceError, match="of memory are free"):
        npz(tmp_path / "d.npz")


def test_broken_files(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        npz(tmp_path / "none.npz")
    np.savez_compressed(tmp_path / "d.npz", x=X, y=Y)
    data = (tmp_path / "d.npz").read_bytes()
    for broken in (data[:-100], b"", b"PK\x03\x04", data[:60] + bytes(b ^ 255 for b in data[60:120]) + data[120:]):
        (tmp_path / "e.npz").write_bytes(broken)
        with pytest.raises(SourceError):
            npz(tmp_path / "e.npz")
    np.savez(tmp_path / "f.npz", a=X, b=Y)
    with pytest.raises(SourceError, match="holds a, b: name the arrays"):
        npz(tmp_path / "f.npz")
    np.savez(tmp_path / "g.npz", x=np.array([{}] * 80, dtype=object), y=Y)
    with pytest.raises(SourceError, match="Python objects"):
        npz(tmp_path / "g.npz")
    np.savez(tmp_path / "h.npz", x=X, y=Y[:70])
    with pytest.raises(FitError, match="80 inputs but 70 labels"):
        npz(tmp_path / "h.npz")
