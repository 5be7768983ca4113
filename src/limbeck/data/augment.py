"""All augmentations by name, and the plain ones: crop and flip, feature noise, several after each other."""

import math
from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.dsa import DSA
from limbeck.data.geometry import check_image, translate
from limbeck.data.mix import CutMix, Mixup
from limbeck.data.nothing import Nothing
from limbeck.errors import OptionError
from limbeck.options import pick
from limbeck.values import value

__all__ = ["AUGMENTATIONS", "DSA", "Compose", "CropFlip", "CutMix", "FeatureNoise", "Mixup", "augmentation"]


@final
@value
class CropFlip(Augmentation):
    """Zero-padded by ``pad`` pixels and cropped at random, then flipped left–right with probability ½ if ``flip``.

    FitError for tables.
    """

    pad: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        if self.pad < 0:
            raise OptionError(f"CropFlip has pad {self.pad}: it counts pixels and must be at least 0.")

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        check_image(shape, "CropFlip")
        device = generator.device
        shift = torch.randint(-self.pad, self.pad + 1, (n, 2), generator=generator, device=device)
        flip = torch.rand(n, generator=generator, device=device) < (0.5 if self.flip else 0.0)
        return {"shift": shift, "flip": flip}

    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        moved = translate(inputs, draw["shift"].to(inputs.device), (self.pad, self.pad))
        return torch.where(draw["flip"].to(inputs.device)[:, None, None, None], moved.flip(3), moved)


@final
@value
class FeatureNoise(Augmentation):
    """x + std · ε, ε ~ N(0, 1) for every value; ``std`` ≥ 0 in units of the preprocessed inputs. Images or tables."""

    std: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.std < math.inf:
            raise OptionError(f"FeatureNoise has std {self.std}: it must be at least 0 and finite.")

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        return {"noise": self.std * torch.randn((n, *shape), generator=generator, device=generator.device)}

    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        return inputs + draw["noise"].to(inputs.device, inputs.dtype)


@final
@value
class Compose(Augmentation):
    """One after the other; the draw of part i is stored under "i.name"."""

    parts: tuple[Augmentation, ...]

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        drawn: dict[str, Tensor] = {}
        for i, part in enumerate(self.parts):
            drawn |= {f"{i}.{name}": tensor for name, tensor in part.draw(n, shape, generator).items()}
        return drawn

    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        outputs = inputs
        for i, part in enumerate(self.parts):
            outputs = part.apply(outputs, _of(i, draw))
        return outputs

    def mix(self, targets: Tensor, draw: Draw) -> Tensor:
        mixed = targets
        for i, part in enumerate(self.parts):
            mixed = part.mix(mixed, _of(i, draw))
        return mixed

    @property
    def mixes_labels(self) -> bool:
        return any(part.mixes_labels for part in self.parts)


def _of(i: int, draw: Draw) -> Draw:
    """The draw of part ``i``."""
    return {name.removeprefix(f"{i}."): tensor for name, tensor in draw.items() if name.startswith(f"{i}.")}


_NO_FLIP = "color_crop_cutout_scale_rotate"
_NO_CUTOUT = "color_crop_flip_scale_rotate"

AUGMENTATIONS: Mapping[str, tuple[Augmentation, str]] = {
    "none": (Nothing(), "no augmentation"),
    "dsa": (DSA(), "differentiable siamese augmentation: one of colour, crop, cutout, flip, scale, rotation a call"),
    "dsa-noflip": (DSA(_NO_FLIP), "dsa without flips, as published for digits (MNIST, SVHN)"),
    "crop-flip": (CropFlip(), "zero-padded random crop (4 pixels) and left-right flip"),
    "mixup": (Mixup(), "convex mixtures of two examples and their labels; images or tables"),
    "cutmix": (CutMix(), "a rectangle of another image pasted in, labels mixed by area, half of the calls"),
    "dsa-cutmix": (
        Compose((DSA(_NO_CUTOUT, "idc"), CutMix())),
        "flip, colour, one of crop, scale, rotation; then cutmix: IDC's",
    ),
    "noise": (FeatureNoise(), "Gaussian noise of 0.1 standard deviations; for tables"),
}


def augmentation(text: str) -> Augmentation:
    """The augmentation of ``name`` or ``name:field=value,…``, e.g. ``dsa:mode=all,rotate=10``; OptionError."""
    return pick(AUGMENTATIONS, text, "augmentation")
