"""VGG-11 in the field's form for small images: eight 3×3 convolutions with norm, five poolings, one linear layer."""

from typing import final

from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.errors import FitError, unknown
from limbeck.networks import fit
from limbeck.networks.layers import Classifier, Convolution, normalisation
from limbeck.networks.network import Architecture, Outputs
from limbeck.values import value

__all__ = ["VGG11"]

_STAGES = ((1,), (2,), (4, 4), (8, 8), (8, 8))  # channels of each convolution, in multiples of the width


@final
@value
class VGG11(Architecture):
    """Channels ``width`` × (1, 2, 4, 4, 8, 8, 8, 8) in five stages [simonyan2015vgg]; width 64 is the published one.

    28×28 images are padded to 32×32. Every stage ends with 2×2 max pooling; on images below 32×32 the poolings that
    would leave less than 2×2 before the last stage are skipped, because a norm of one pixel forgets it.
    """

    width: int = 64
    norm: str = "instance"

    def __post_init__(self) -> None:
        fit.at_least("VGG11", 1, width=self.width)
        if self.norm not in ("instance", "batch"):
            raise unknown("normalisation of VGG11", self.norm, ("instance", "batch"))

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        channels, height, width = fit.image(shape, "VGG11")
        if min(height, width) < 2:
            raise FitError(f"an image of {height}×{width} is too small for VGG11: it needs 2×2, use mlp.")
        return _VGG11(self, (channels, height, width), classes)


class _VGG11(nn.Module):
    def __init__(self, values: VGG11, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        extra = fit.padding(height, width)
        height, width = height + 2 * extra, width + 2 * extra
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        self.ends: dict[int, bool] = {}  # last convolution of each stage → does a pooling follow?
        for stage, factors in enumerate(_STAGES):
            for factor in factors:
                self.convolutions.append(Convolution(channels, factor * values.width, 3, padding=1 + extra))
                channels, extra = factor * values.width, 0
                self.norms.append(normalisation(values.norm, channels, height, width))
            pools = min(height, width) >= (2 if stage == len(_STAGES) - 1 else 4)
            self.ends[len(self.convolutions) - 1] = pools
            height, width = (height // 2, width // 2) if pools else (height, width)
        self.classifier = Classifier(channels * height * width, classes)

    def forward(self, inputs: Tensor) -> Outputs:
        hidden, maps = inputs, list[Tensor]()
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            hidden = F.relu(norm(convolution(hidden)))
            if i in self.ends:
                maps.append(hidden)
                hidden = F.max_pool2d(hidden, 2) if self.ends[i] else hidden
        embedding = hidden.flatten(1)
        return Outputs(self.classifier(embedding), embedding, tuple(maps))
