"""AlexNet in the field's form for small images: five convolutions, three poolings, one linear layer, no norm."""

from typing import final

from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.errors import FitError
from limbeck.networks import fit
from limbeck.networks.layers import Classifier, Convolution
from limbeck.networks.network import Architecture, Outputs
from limbeck.values import value

__all__ = ["AlexNet"]

_POOLED = (0, 1, 4)  # convolutions after which the map is halved


@final
@value
class AlexNet(Architecture):
    """Channels ``width`` × (1, 1½, 2, 1½, 1½), sides 5, 5, 3, 3, 3 [krizhevsky2012alexnet]; width 128 is the field's.

    28×28 images are padded to 32×32; 8×8 is the smallest.
    """

    width: int = 128

    def __post_init__(self) -> None:
        fit.at_least("AlexNet", 2, width=self.width)

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        channels, height, width = fit.image(shape, "AlexNet")
        if min(height, width) < 8:
            raise FitError(f"an image of {height}×{width} is too small for AlexNet: it needs 8×8, use lenet or mlp.")
        extra = fit.padding(height, width)
        features = ((height + 2 * extra) // 8) * ((width + 2 * extra) // 8)
        return _AlexNet(channels, self.width, extra, features, classes)


class _AlexNet(nn.Module):
    def __init__(self, channels: int, width: int, extra: int, area: int, classes: int) -> None:
        super().__init__()
        half = width * 3 // 2
        widths = (channels, width, half, 2 * width, half, half)
        self.convolutions = nn.ModuleList()
        for i, side in enumerate((5, 5, 3, 3, 3)):
            pad = side // 2 + (extra if i == 0 else 0)
            self.convolutions.append(Convolution(widths[i], widths[i + 1], side, padding=pad))
        self.classifier = Classifier(half * area, classes)

    def forward(self, inputs: Tensor) -> Outputs:
        hidden, maps = inputs, list[Tensor]()
        for i, convolution in enumerate(self.convolutions):
            hidden = F.relu(convolution(hidden))
            maps.append(hidden)
            hidden = F.max_pool2d(hidden, 2) if i in _POOLED else hidden
        embedding = hidden.flatten(1)
        return Outputs(self.classifier(embedding), embedding, tuple(maps))
