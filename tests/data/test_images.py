"""Encoded images of every mode, and hostile ones."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

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


def _photo(path: Path, array: np.ndarray, orientation: int | None = None) -> None:
    image = Image.fromarray(array)
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    """A camera stores what its sensor sees, and a tag that says which side is up."""
    upright = np.zeros((6, 4, 3), np.uint8)
    upright[:3] = 200  # light above
    upright[:, 0] = 90  # and a stripe on the left
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    for name in "ab":
        for i in range(3):
            stored = np.ascontiguousarray(undo[orientation](upright))
            _photo(tmp_path / name / f"{i}.png", stored, orientation)
    task = folder(tmp_path)
    assert task.shape == (3, 6, 4)
    seen = (task.train.raw(torch.tensor([0]))[0] * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(seen, upright)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_transparent_pixels_hide_is_not_read(tmp_path: Path, mode: str) -> None:
    """Two classes that look alike, and differ in the colour of what cannot be seen."""
    for name, hidden in (("a", 0), ("b", 255)):
        for i in range(4):
            pixels = np.full((4, 4, 4), hidden, np.uint8)
            pixels[..., 3] = 0
            pixels[1:3, 1:3] = (60, 60, 60, 255)
            (tmp_path / name).mkdir(exist_ok=True)
            image = Image.fromarray(pixels)
            image = image.convert(mode) if mode != "P" else image.quantize(8)
            image.save(tmp_path / name / f"{i}.png")
    task = folder(tmp_path, channels=3)
    seen = task.train.raw(torch.arange(len(task.train)))
    assert torch.equal(seen, seen[:1].expand_as(seen))
    assert seen[0, 0, 0, 0] == 1.0  # on white
    assert seen[0, 0, 1, 1] == pytest.approx(60 / 255)


@pytest.mark.parametrize("names", [("Train", "Test"), ("TRAINING", "TESTING"), ("train_set", "test-set")])
def test_splits_are_known_by_other_names(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, n in zip(names, (6, 3), strict=True):
        _folder(tmp_path / name, n=n)
    _folder(tmp_path / "extra", n=2)
    task = folder(tmp_path, size=8)
    assert task.classes == ("a", "b")
    assert task.test.size == 6
    assert any("'extra'" in note for note in task.notes)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    task = folder(_folder(tmp_path, ("car", "train")), size=8)
    assert task.classes == ("car", "train")


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    _folder(tmp_path, n=8)
    for name in ("1.heic", "2.HEIC", "Thumbs.db", "labels.txt"):
        (tmp_path / "a" / name).write_bytes(b"?")
    (tmp_path / "a" / "0.png").rename(tmp_path / "a" / "0.jfif")
    (tmp_path / "b" / "0.png").rename(tmp_path / "loose.png")
    notes = folder(tmp_path, size=8).notes
    assert any("2 .heic" in note and ".db" not in note and ".txt" not in note for note in notes)
    assert any("1 images" in note and "no class directory" in note for note in notes)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "1.heic").write_bytes(b"?")
    with pytest.raises(SourceError, match=r"no image that limbeck reads.*\.jpg"):
        folder(tmp_path, size=8)


def test_odd_metadata_are_no_reason_to_refuse_a_photo(tmp_path: Path) -> None:
    """An orientation, and a resolution that is stored as a text."""
    pixels = np.zeros((4, 6, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack("<HHI4s", 0x011A, 2, 4, b"abc\0")
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0)
    plain = stream.getvalue()
    photo = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(3):
            (tmp_path / name / f"{i}.jpg").write_bytes(photo)
    assert folder(tmp_path).shape == (3, 6, 4)


def test_hidden_copies_are_not_read(tmp_path: Path) -> None:
    _folder(tmp_path, n=8)
    (tmp_path / "a" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "a" / ".ipynb_checkpoints" / "0-checkpoint.png").write_bytes((tmp_path / "a" / "0.png").read_bytes())
    (tmp_path / "b" / "._0.jpg").write_bytes(b"not an image")
    task = folder(tmp_path, size=8)
    assert len(task.train) + len(task.validation) + task.test.size == 16


def test_a_header_is_read_without_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow looks for a PNG's metadata behind its pixels, too, and decodes them on the way."""
    decoded: list[str] = []
    load = PngImagePlugin.PngImageFile.load
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda self: decoded.append("png") or load(self))
    assert header(_encoded(GREY, "RGB"), "x").channels == 3
    assert not decoded
