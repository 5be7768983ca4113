"""Differentiable siamese augmentation, with its published operations and strengths [zhao2021dsa].

The operations a draw uses are the keys that it holds, so that applying it needs no branch on random numbers.
"""

import math
from collections.abc import Callable, Mapping
from typing import final

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.geometry import check_image, rotate, scale, translate
from limbeck.errors import OptionError, unknown
from limbeck.values import value

__all__ = ["DSA"]

OPERATIONS = ("color", "crop", "cutout", "flip", "scale", "rotate")


def _idc(operations: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    before = tuple(name for name in ("flip", "color") if name in operations)
    choice = tuple(name for name in operations if name not in ("flip", "color", "cutout"))
    return before, choice, tuple(name for name in ("cutout",) if name in operations)


# mode → operations that are always used, those of which one is drawn, those that are always used after it
_MODES: Mapping[str, Callable[[tuple[str, ...]], tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {
    "single": lambda operations: ((), operations, ()),
    "all": lambda operations: (operations, (), ()),
    "idc": _idc,
}


@final
@value
class DSA(Augmentation):
    """Random operations of random strength.

    strategy:   operations, joined by "_"; "color" is brightness, saturation and contrast in this order.
    mode:       "single": one operation a call, as published; "all": all in the strategy's order; "idc": flip and color,
                then one of the others, then cutout, as IDC uses the strategy [kim2022idc].
    brightness: x + b, b ~ U(±brightness/2).
    saturation: s (x − m) + m, s ~ U(0, saturation), m the mean over channels; grey images stay as they are.
    contrast:   c (x − m) + m, c ~ U(contrast, contrast + 1), m the mean of the image.
    crop:       zero-padded and moved by whole pixels, up to this share of each side.
    cutout:     a rectangle of this share of each side becomes 0; its centre is uniform, it may stick out.
    flip:       left–right, with this probability.
    scale:      coordinates × (s_x, s_y), each ~ U(1/scale, scale).
    rotate:     angle ~ U(±rotate) degrees, in coordinates that run over [−1, 1] along each side.

    Scale and rotation are bilinear with zeros outside. With ``n`` > 1 every example has its own strengths, but the
    operations are those of the call. FitError for tables.
    """

    strategy: str = "color_crop_cutout_flip_scale_rotate"
    mode: str = "single"
    brightness: float = 1.0
    saturation: float = 2.0
    contrast: float = 0.5
    crop: float = 0.125
    cutout: float = 0.5
    flip: float = 0.5
    scale: float = 1.2
    rotate: float = 15.0

    def __post_init__(self) -> None:
        for name in self.operations:
            if name not in OPERATIONS:
                raise unknown("operation of DSA", name, OPERATIONS)
        if self.mode not in tuple(_MODES):
            raise unknown("mode of DSA", self.mode, tuple(_MODES))
        for name, most in (("crop", 1.0), ("cutout", 1.0), ("flip", 1.0), ("rotate", 180.0)):
            if not 0 <= getattr(self, name) <= most:
                raise OptionError(f"DSA has {name} {getattr(self, name)}: it must be in [0, {most:g}].")
        for name, least in (("brightness", 0.0), ("saturation", 0.0), ("contrast", 0.0), ("scale", 1.0)):
            if not least <= getattr(self, name) < math.inf:
                raise OptionError(f"DSA has {name} {getattr(self, name)}: it must be at least {least:g}.")

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations of the strategy, in its order."""
        return tuple(self.strategy.split("_"))

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        height, width = check_image(shape, "DSA")
        before, choice, after = _MODES[self.mode](self.operations)
        if choice:
            choice = (choice[int(torch.randint(len(choice), (1,), generator=generator, device=generator.device))],)
        drawn: dict[str, Tensor] = {}
        for operation in (*before, *choice, *after):
            drawn |= self._strengths(operation, n, (height, width), generator)
        return drawn

    def _strengths(
        self, operation: str, n: int, size: tuple[int, int], generator: torch.Generator
    ) -> dict[str, Tensor]:
        def uniform(columns: int) -> Tensor:
            return torch.rand((n, columns), generator=generator, device=generator.device).squeeze(1)

        def integers(low: int, high: int) -> Tensor:
            return torch.randint(low, high, (n,), generator=generator, device=generator.device)

        if operation == "color":
            return {
                "brightness": (uniform(1) - 0.5) * self.brightness,
                "saturation": uniform(1) * self.saturation,
                "contrast": uniform(1) + self.contrast,
            }
        if operation == "crop":
            return {"crop": torch.stack([integers(-s, s + 1) for s in _shares(size, self.crop)], 1)}
        if operation == "cutout":
            holes = _shares(size, self.cutout)
            centres = [integers(0, side + 1 - hole % 2) for side, hole in zip(size, holes, strict=True)]
            return {"cutout": torch.stack(centres, 1)}
        if operation == "flip":
            return {"flip": uniform(1) < self.flip}
        if operation == "scale":
            return {"scale": uniform(2) * (self.scale - 1 / self.scale) + 1 / self.scale}
        return {"rotate": (uniform(1) - 0.5) * 2 * math.radians(self.rotate)}

    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        outputs = inputs
        for name, drawn in draw.items():
            outputs = self._operate(name, outputs, drawn.to(inputs.device))
        return outputs

    def _operate(self, name: str, x: Tensor, drawn: Tensor) -> Tensor:
        """One operation; ``drawn`` has length n or 1."""
        if name == "crop":
            return translate(x, drawn, _shares((x.shape[2], x.shape[3]), self.crop))
        if name == "cutout":
            return x * _outside(drawn, (x.shape[2], x.shape[3]), self.cutout).to(x.dtype)
        if name == "scale":
            return scale(x, drawn)
        if name == "rotate":
            return rotate(x, drawn)
        strength = drawn[:, None, None, None]
        if name == "flip":
            return torch.where(strength, x.flip(3), x)
        strength = strength.to(x.dtype)
        if name == "brightness":
            return x + strength
        mean = x.mean(1, keepdim=True) if name == "saturation" else x.mean((1, 2, 3), keepdim=True)
        return (x - mean) * strength + mean


def _shares(size: tuple[int, int], share: float) -> tuple[int, int]:
    """Whole pixels of each side, rounded to the nearest."""
    return int(size[0] * share + 0.5), int(size[1] * share + 0.5)


def _outside(centre: Tensor, size: tuple[int, int], share: float) -> Tensor:
    """(n, 1, h, w) bool: False in the rectangle around ``centre`` (n, 2)."""
    inside = []
    for axis, (side, hole) in enumerate(zip(size, _shares(size, share), strict=True)):
        first = centre[:, axis, None] - hole // 2
        pixel = torch.arange(side, device=centre.device)
        inside.append((pixel >= first) & (pixel < first + hole))
    return ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
