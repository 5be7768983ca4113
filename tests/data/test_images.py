"""Encoded images of every mode, and hostile ones."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limbeck.data import ArrowPool, folder
from limbeck.data.images import Decoding, header
from limbeck.errors import OptionError, SourceError


def _encoded(array: np.ndarray, mode: str | None = None, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(stream, kind)
    return stream.getvalue()


GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
DEEP = GREY.astype(np.uint16) * 257


@pytest.mark.parametrize(
    ("data", "channels", "deep"),
    [
        (_encoded(GREY), 1, False),
        (_encoded(GREY, "LA"), 1, False),
        (_encoded(GREY, "RGB"), 3, False),
        (_encoded(GREY, "P"), 3, False),
        (_encoded(GREY, "RGBA"), 4, False),
        (_encoded(DEEP), 1, True),
        (_encoded(DEEP, kind="TIFF"), 1, True),
        (_encoded(GREY.astype(np.float32) / 255, kind="TIFF"), 1, True),
    ],
)
def test_modes(data: bytes, channels: int, deep: bool) -> None:
    found = header(data, "x")
    assert (found.channels, found.deep) == (channels, deep)
    for wanted in (1, 3, 4):
        pixels = Decoding(wanted, 8, 8, deep, resize=False)(data, "x")
        assert pixels.shape == (wanted, 8, 8)
        values = pixels if deep else pixels / 255
        assert np.allclose(values[0], GREY / 255, atol=1e-6)
        if wanted == 4:
            assert (values[3] == 1).all()


def test_sixteen_bits_keep_their_depth() -> None:
    fine = DEEP.copy()
    fine[0, 0] = 1
    pixels = Decoding(1, 8, 8, True, resize=False)(_encoded(fine), "x")
    assert pixels[0, 0, 0] == np.float32(1) / np.float32(65535)


def test_resizing_takes_the_centred_square() -> None:
    wide = np.zeros((4, 12), dtype=np.uint8)
    wide[:, 4:8] = 200
    pixels = Decoding(1, 4, 4, False, resize=True)(_encoded(wide), "x")
    assert (pixels == 200).all()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_png(60_000, 60_000), "no image that can be read|announces"),
        (_png(12_000, 12_000), "announces 12000"),
        (b"", "no image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no image"),
        (b"<svg/>", "no image"),
    ],
)
def test_bombs_and_rubbish_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        header(data, "here.png")


def test_truncated_image_names_its_file() -> None:
    data = _encoded(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    with pytest.raises(SourceError, match=r"'here\.png' cannot be decoded"):
        Decoding(3, 32, 32, False, resize=False)(data[:-900], "here.png")


def _folder(root: Path, classes: tuple[str, ...] = ("a", "b"), n: int = 8, **kwargs: object) -> Path:
    rng = np.random.default_rng(len(str(kwargs)))
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(n):
            shape = kwargs.get("shape", (9, 7, 3))
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(root / name / f"{i}.png")
    return root


def test_folder_without_splits(tmp_path: Path) -> None:
    task = folder(_folder(tmp_path / "f", ("x..y", "<i>")))
    assert task.classes == ("<i>", "x..y")
    assert task.shape == (3, 9, 7)
    assert (len(task.train), len(task.validation), task.test.size) == (10, 2, 4)
    assert "near-duplicates" in task.notes[0]
    assert folder(tmp_path / "f", groups=list(range(16))).notes == ()


def test_folder_with_splits_and_lone_val(tmp_path: Path) -> None:
    for split, n in (("train", 6), ("val", 3)):
        _folder(tmp_path / split, n=n)
    task = folder(tmp_path, size=8)
    assert task.shape == (3, 8, 8)
    assert (len(task.train), len(task.validation), task.test.size) == (10, 2, 6)
    assert any("serves as the sealed test" in note for note in task.notes)
    _folder(tmp_path / "test", n=2)
    task = folder(tmp_path, size=8)
    assert (len(task.train), len(task.validation), task.test.size) == (12, 6, 4)


def test_folder_on_disk_equals_folder_in_memory(tmp_path: Path) -> None:
    _folder(tmp_path / "f")
    small, big = folder(tmp_path / "f", size=8), folder(tmp_path / "f", size=8, memory=10)
    assert isinstance(big.train, ArrowPool)
    assert big.fingerprint == small.fingerprint
    index = torch.tensor([4, 1])
    assert torch.equal(small.train.take(index), big.train.take(index))


def test_fingerprint_is_not_of_the_place(tmp_path: Path) -> None:
    a, b = folder(_folder(tmp_path / "f")), folder(_folder(tmp_path / "g" / "h"))
    assert a.fingerprint == b.fingerprint
    assert a.fingerprint != folder(tmp_path / "f", size=8).fingerprint


def test_different_sizes_become_squares_and_say_so(tmp_path: Path) -> None:
    _folder(tmp_path, ("a",))
    _folder(tmp_path, ("b",), shape=(20, 11, 3))
    task = folder(tmp_path)
    assert task.shape == (3, 64, 64)
    assert any("differ in size" in note for note in task.notes)


def test_grey_among_colour_is_read_as_colour_and_said(tmp_path: Path) -> None:
    _folder(tmp_path, ("a",))
    _folder(tmp_path, ("b",), shape=(9, 7))
    task = folder(tmp_path)
    assert task.shape == (3, 9, 7)
    assert any("8 of 16 images are grey and were read as colour" in note for note in task.notes)
    chosen = folder(tmp_path, channels=3)
    assert chosen.fingerprint == task.fingerprint  # so that a set finds its data again
    assert not any("grey" in note for note in chosen.notes)
    assert folder(tmp_path, channels=1).shape == (1, 9, 7)
    _folder(tmp_path / "grey", shape=(9, 7))
    assert folder(tmp_path / "grey").shape == (1, 9, 7)


def test_mixed_transparency_says_which_option_helps(tmp_path: Path) -> None:
    _folder(tmp_path, ("a",))
    _folder(tmp_path, ("b",), shape=(9, 7, 4))
    with pytest.raises(SourceError, match=r"3 in '.*a.*' and 4 in '.*b.*channels=3"):
        folder(tmp_path)
    assert folder(tmp_path, channels=3).shape == (3, 9, 7)
    with pytest.raises(OptionError, match="channels is 2"):
        folder(tmp_path, channels=2)
    with pytest.raises(OptionError, match="size is 0"):
        folder(tmp_path, size=0)


def test_folder_problems(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no directory"):
        folder(tmp_path / "none")
    with pytest.raises(SourceError, match="no class folders"):
        folder(tmp_path)
    _folder(tmp_path / "f")
    (tmp_path / "f" / "c").mkdir()
    (tmp_path / "f" / "c" / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match="holds no image"):
        folder(tmp_path / "f")
    (tmp_path / "f" / "c" / "bad.png").write_bytes(b"rubbish")
    with pytest.raises(SourceError, match=r"bad\.png' is no image"):
        folder(tmp_path / "f")
    _folder(tmp_path / "g" / "train")
    _folder(tmp_path / "g" / "test", ("a", "c"))
    with pytest.raises(SourceError, match="differ in the class 'b'"):
        folder(tmp_path / "g")


def test_links_do_no_harm(tmp_path: Path) -> None:
    _folder(tmp_path / "f")
    (tmp_path / "f" / "a" / "loop").symlink_to(tmp_path / "f", target_is_directory=True)
    (tmp_path / "f" / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert len(folder(tmp_path / "f").train) == 10
