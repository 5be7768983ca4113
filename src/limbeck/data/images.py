"""Encoded images: what their headers say, and their decoding to one size and channel count."""

import io
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limbeck.errors import SourceError

__all__ = ["Decoding", "Header", "header"]

# No format that starts another program (EPS) and none that is rare and little tested.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
_CHANNELS = {"1": 1, "L": 1, "LA": 1, "I": 1, "F": 1, "RGBA": 4}  # of a Pillow mode; 3 for all others
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_ORIENTATION = 0x0112  # the EXIF tag by which cameras say which side is up
_TURNED = (5, 6, 7, 8)  # its values for images that lie on their side
_UPRIGHT = {  # what undoes each; Pillow's own function writes all metadata anew, and fails on odd ones
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACKGROUND = "white"  # behind transparent pixels where the alpha channel is not kept
_PIXELS = 89_478_485  # Pillow's own limit, a quarter of a GiB in 24 bits


class Header(NamedTuple):
    """What is known without decoding."""

    width: int
    height: int
    channels: int
    deep: bool  # more than 8 bits a value


def header(encoded: bytes, where: str) -> Header:
    """The header of one encoded image; SourceError where it is no image, or announces too many pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of many pixels, and of odd metadata that is not read here
        image = _open(encoded, where)
    width, height = image.size
    if width * height > _PIXELS:
        raise SourceError(
            f"'{where}' announces {width} × {height} pixels, more than {_PIXELS}: shrink it or remove it."
        )
    deep = _deep(image)
    if not deep and _orientation(image) in _TURNED:
        width, height = height, width
    return Header(width, height, 1 if deep else _CHANNELS.get(image.mode, 3), deep)


def _open(encoded: bytes, where: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(encoded), formats=_FORMATS)
    except Image.DecompressionBombError as error:  # from twice the pixels on, before they are decoded
        raise SourceError(f"'{where}' announces more than {_PIXELS} pixels: shrink it or remove it.") from error
    # Pillow's readers raise nearly anything on damaged or hostile files.
    except Exception as error:
        raise SourceError(
            f"'{where}' is no image that can be read ({type(error).__name__}): mend or remove it."
        ) from error


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none or it cannot be read."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode the whole image to look for one behind its pixels
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # odd metadata is no reason to refuse an image
        return 1


def _opaque(image: Image.Image) -> Image.Image:
    """The image on a plain background where it has transparent pixels: what they hide is not seen, and is not read."""
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return image
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, _BACKGROUND), seen)


def _deep(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


@dataclass(frozen=True)
class Decoding:
    """How every image of a set is decoded: to (channels, height, width), uint8, or float32 in [0, 1] where ``deep``.

    Images of 8 bits are turned upright as their EXIF orientation says, and transparent pixels lie on white unless
    there are 4 channels.
    ``resize``: the centred square is resized (bilinear with antialiasing); else all images have this size already.
    """

    channels: int
    height: int
    width: int
    deep: bool
    resize: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """(c, h, w)"""
        return self.channels, self.height, self.width

    @property
    def stored_bytes(self) -> int:
        """Bytes of one decoded image."""
        return self.channels * self.height * self.width * (4 if self.deep else 1)

    def __call__(self, encoded: bytes, where: str) -> NDArray[Any]:
        """One decoded image; SourceError names ``where`` when it is damaged."""
        image = _open(encoded, where)
        try:
            if self.resize and not self.deep:
                # JPEG can be decoded at 1/2, 1/4 or 1/8; twice the wanted size leaves the resizing its antialiasing.
                image.draft(None, (2 * self.width, 2 * self.height))
            pixels = self._deep(image) if self.deep else self._plain(image)
        except SourceError:
            raise
        except Exception as error:
            raise SourceError(f"'{where}' cannot be decoded ({error}): it is truncated or corrupt.") from error
        if pixels.shape != self.shape:
            raise SourceError(
                f"'{where}' decodes to the shape {pixels.shape} instead of {self.shape}: resize with size=…"
            )
        return pixels

    def _plain(self, image: Image.Image) -> NDArray[Any]:
        turn = _UPRIGHT.get(_orientation(image))
        image = image if turn is None else image.transpose(turn)
        image = image if self.channels == 4 else _opaque(image)
        pixels = np.asarray(self._resized(image.convert(_MODES[self.channels])))
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)

    def _deep(self, image: Image.Image) -> NDArray[Any]:
        if not _deep(image):
            return self._plain(image).astype(np.float32) / np.float32(255)
        values = np.asarray(image).astype(np.float32)
        if image.mode != "F":
            values = values / np.float32(65535)
        if not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(f"values from {values.min():g} to {values.max():g} instead of 0 to 1 or 16 bits")
        grey = np.asarray(self._resized(Image.fromarray(values)))
        pixels = np.repeat(grey[None], self.channels, axis=0)
        if self.channels == 4:
            pixels[3] = 1
        return pixels

    def _resized(self, image: Image.Image) -> Image.Image:
        if not self.resize:
            return image
        side, (width, height) = min(image.size), image.size
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        return image.resize((self.width, self.height), Image.Resampling.BILINEAR, box=box)
