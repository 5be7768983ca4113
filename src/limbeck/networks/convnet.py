"""ConvNet, the field's yardstick: blocks of 3×3 convolution, norm, activation, 2×2 pooling; then one linear layer."""

from typing import final

from torch import Tensor, nn

from limbeck.errors import FitError, OptionError, unknown
from limbeck.networks import fit
from limbeck.networks.layers import ACTIVATIONS, NORMS, Classifier, Convolution, normalisation
from limbeck.networks.network import Architecture, Outputs
from limbeck.networks.pooling import POOLS
from limbeck.values import value

__all__ = ["ConvNet"]


@final
@value
class ConvNet(Architecture):
    """ConvNet-``depth``-``width`` [zhao2021dc]; 28×28 images are padded to 32×32.

    depth:  blocks; None takes up to 3, as many as the image can be halved. width: channels of each block, ≥ 1.
    kernel: side of the convolutions, odd.
    """

    depth: int | None = 3
    width: int = 128
    activation: str = "relu"
    pooling: str = "avg"
    norm: str = "instance"
    kernel: int = 3

    def __post_init__(self) -> None:
        fit.at_least("ConvNet", 1, width=self.width, depth=1 if self.depth is None else self.depth, kernel=self.kernel)
        if self.kernel % 2 == 0:
            raise OptionError(f"ConvNet has kernel {self.kernel}: it must be odd, so that maps keep their size.")
        for what, name, known in (
            ("activation", self.activation, ACTIVATIONS),
            ("pooling", self.pooling, (*POOLS, "none")),
            ("normalisation", self.norm, NORMS),
        ):
            if name not in known:
                raise unknown(what, name, known)

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        channels, height, width = fit.image(shape, "ConvNet")
        depth = self._depth(height + 2 * fit.padding(height, width), width + 2 * fit.padding(height, width))
        return _ConvNet(self, (channels, height, width), depth, classes)

    def _depth(self, height: int, width: int) -> int:
        """Blocks that the image bears; FitError if it bears fewer than asked for."""
        side = min(height, width)
        most = side.bit_length() - 1 if self.pooling != "none" else 10**6  # halvings that leave at least one pixel
        if most < 1 or (self.norm == "instance" and height * width < 2):
            raise FitError(f"an image of {height}×{width} is too small for a ConvNet: use mlp.")
        if self.depth is not None and self.depth > most:
            raise FitError(
                f"an image of {height}×{width} allows at most depth {most} (each block of a ConvNet halves it), "
                f"and depth {self.depth} was asked for: use depth={most} or less, or pooling=none."
            )
        return min(3, most) if self.depth is None else self.depth


class _ConvNet(nn.Module):
    def __init__(self, values: ConvNet, shape: tuple[int, int, int], depth: int, classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        self.activation, self.pool = ACTIVATIONS[values.activation], POOLS.get(values.pooling)
        extra = fit.padding(height, width)
        for _ in range(depth):
            height, width = height + 2 * extra, width + 2 * extra
            same = values.kernel // 2
            self.convolutions.append(Convolution(channels, values.width, values.kernel, padding=same + extra))
            extra = 0
            self.norms.append(normalisation(values.norm, values.width, height, width))
            channels = values.width
            if self.pool is not None:
                height, width = height // 2, width // 2
        self.classifier = Classifier(channels * height * width, classes)

    def forward(self, inputs: Tensor) -> Outputs:
        maps: list[Tensor] = []
        hidden = inputs
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            hidden = self.activation(norm(convolution(hidden)))
            maps.append(hidden)
            hidden = hidden if self.pool is None else self.pool(hidden)
        embedding = hidden.flatten(1)
        return Outputs(self.classifier(embedding), embedding, tuple(maps))
