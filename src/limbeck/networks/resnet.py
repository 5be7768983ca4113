"""ResNet-18 for small images: a 3×3 stem without pooling, four stages of two blocks, global average pooling."""

from typing import final

from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.errors import FitError, unknown
from limbeck.networks import fit
from limbeck.networks.layers import Classifier, Convolution, normalisation
from limbeck.networks.network import Architecture, Outputs
from limbeck.values import value

__all__ = ["ResNet18"]


@final
@value
class ResNet18(Architecture):
    """Channels ``width`` × (1, 2, 4, 8) [he2016resnet]; width 64 is the published one.

    Stages 2 to 4 halve the map; on images below 9×9 a stage that would leave less than 2×2 keeps its size, because a
    norm of one pixel forgets it.
    """

    width: int = 64
    norm: str = "instance"

    def __post_init__(self) -> None:
        fit.at_least("ResNet18", 1, width=self.width)
        if self.norm not in ("instance", "batch"):
            raise unknown("normalisation of ResNet18", self.norm, ("instance", "batch"))

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        channels, height, width = fit.image(shape, "ResNet18")
        if min(height, width) < 2:
            raise FitError(f"an image of {height}×{width} is too small for ResNet18: it needs 2×2, use mlp.")
        return _ResNet18(self, channels, (height, width), classes)


class _ResNet18(nn.Module):
    def __init__(self, values: ResNet18, channels: int, size: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.convolution = Convolution(channels, values.width, 3, padding=1, bias=False)
        self.norm = normalisation(values.norm, values.width, *size)
        self.stages = nn.ModuleList()
        before = values.width
        for stage in range(4):
            after = values.width * 2**stage
            stride = 2 if stage and min(size) >= 3 else 1
            size = ((size[0] + stride - 1) // stride, (size[1] + stride - 1) // stride)
            blocks = (_Block(values.norm, (before, after), stride, size), _Block(values.norm, (after, after), 1, size))
            self.stages.append(nn.Sequential(*blocks))
            before = after
        self.classifier = Classifier(before, classes)

    def forward(self, inputs: Tensor) -> Outputs:
        hidden, maps = F.relu(self.norm(self.convolution(inputs))), list[Tensor]()
        for stage in self.stages:
            hidden = stage(hidden)
            maps.append(hidden)
        embedding = hidden.mean((2, 3))
        return Outputs(self.classifier(embedding), embedding, tuple(maps))


class _Block(nn.Module):
    """relu(norm(conv(relu(norm(conv(x))))) + shortcut(x)); the shortcut is 1×1 where shapes differ."""

    def __init__(self, norm: str, channels: tuple[int, int], stride: int, size: tuple[int, int]) -> None:
        super().__init__()
        before, after = channels
        self.convolution1 = Convolution(before, after, 3, stride, padding=1, bias=False)
        self.norm1 = normalisation(norm, after, *size)
        self.convolution2 = Convolution(after, after, 3, padding=1, bias=False)
        self.norm2 = normalisation(norm, after, *size)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            project = Convolution(before, after, 1, stride, bias=False)
            self.shortcut = nn.Sequential(project, normalisation(norm, after, *size))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = F.relu(self.norm1(self.convolution1(inputs)))
        return F.relu(self.norm2(self.convolution2(hidden)) + self.shortcut(inputs))
