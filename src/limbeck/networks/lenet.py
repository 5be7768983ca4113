"""LeNet-5 in the field's form: ReLU and max pooling."""

from typing import final

from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.errors import FitError
from limbeck.networks import fit
from limbeck.networks.layers import Classifier, Convolution
from limbeck.networks.network import Architecture, Outputs
from limbeck.values import value

__all__ = ["LeNet"]


@final
@value
class LeNet(Architecture):
    """Two 5×5 convolutions (6 and 16 channels) with 2×2 max pooling, then 120 and 84 units [lecun1998lenet].

    As published, images of 32×32 and larger are not padded; those below are padded by 2 (28×28 becomes 32×32), and
    below 12×12 the second convolution pads too, so that 4×4 is the smallest.
    """

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        channels, height, width = fit.image(shape, "LeNet")
        side = min(height, width)
        if side < 4:
            raise FitError(f"an image of {height}×{width} is too small for LeNet: it needs 4×4, use mlp.")
        pads = (2 if side < 32 else 0, 2 if side < 12 else 0)
        for pad in pads:
            height, width = (height + 2 * pad - 4) // 2, (width + 2 * pad - 4) // 2
        return _LeNet(channels, pads, 16 * height * width, classes)


class _LeNet(nn.Module):
    def __init__(self, channels: int, pads: tuple[int, int], features: int, classes: int) -> None:
        super().__init__()
        self.convolution1 = Convolution(channels, 6, 5, padding=pads[0])
        self.convolution2 = Convolution(6, 16, 5, padding=pads[1])
        self.linear1, self.linear2 = nn.Linear(features, 120), nn.Linear(120, 84)
        self.classifier = Classifier(84, classes)

    def forward(self, inputs: Tensor) -> Outputs:
        first = F.relu(self.convolution1(inputs))
        second = F.relu(self.convolution2(F.max_pool2d(first, 2)))
        hidden = F.relu(self.linear1(F.max_pool2d(second, 2).flatten(1)))
        embedding = F.relu(self.linear2(hidden))
        return Outputs(self.classifier(embedding), embedding, (first, second))
