"""Multi-formation: one stored image holds factor² smaller ones, which are up-sampled to train."""

from typing import final

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from limbeck.errors import FitError, OptionError
from limbeck.shapes import Params
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.values import value

__all__ = ["Factored"]


@final
@value
class Factored(Parametrisation):
    """x_{ij} = bilinear up-sampling to (h, w) of tile (i, j) of the stored image, i, j < factor, row by row.

    Variables are ``{"pixels": (k, c, h, w)}``. Where factor does not divide a side, the first tiles are one pixel
    larger (as numpy.array_split does), so that every stored pixel is used. Source: [kim2022idc].

    factor: tiles along each side, ≥ 1; at most the smaller side of the images.
    """

    factor: int = 2

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise OptionError(f"factor is {self.factor}: it counts tiles along a side and must be at least 1.")

    @property
    def multiplicity(self) -> int:
        """factor² decoded images a stored one."""
        return self.factor**2

    def encode(self, inputs: Tensor) -> Params:
        """Each run of factor² images of ``inputs`` (k · factor², c, h, w) as the tiles of one stored image.

        A tile is the one that decodes to its image with the least squared error, so decode(encode(·)) is a projection.
        Raises FitError for tables, images smaller than ``factor``, and a number of images that factor² does not divide.
        """
        self._check(inputs)
        if len(inputs) % self.multiplicity:
            raise FitError(f"{len(inputs)} images do not fill stored ones of {self.multiplicity}: give a multiple.")
        groups = inputs.detach().reshape(-1, self.factor, self.factor, *inputs.shape[1:])
        heights, widths = _sides(inputs.shape[2], self.factor), _sides(inputs.shape[3], self.factor)
        rows = [
            torch.cat([_reduce(groups[:, i, j], (h, w)) for j, w in enumerate(widths)], dim=3)
            for i, h in enumerate(heights)
        ]
        return {"pixels": torch.cat(rows, dim=2).contiguous()}

    def decode(self, variables: Params, index: Tensor | None = None) -> Tensor:
        """Images (n · factor², c, h, w): all tiles of the first stored image, row by row, then of the next."""
        stored = variables["pixels"] if index is None else variables["pixels"][index]
        self._check(stored)
        n, c, h, w = stored.shape
        if h % self.factor == 0 and w % self.factor == 0:  # equal tiles: one call
            cut = stored.view(n, c, self.factor, h // self.factor, self.factor, w // self.factor)
            return _enlarge(cut.permute(0, 2, 4, 1, 3, 5).flatten(0, 2), (h, w))
        tiles = [tile for row in stored.tensor_split(self.factor, 2) for tile in row.tensor_split(self.factor, 3)]
        return torch.stack([_enlarge(tile, (h, w)) for tile in tiles], dim=1).flatten(0, 1)

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4:
            raise FitError(f"factor {self.factor} cuts images into tiles, and this data are table rows: use pixels.")
        if min(images.shape[2:]) < self.factor:
            size = "×".join(str(side) for side in images.shape[2:])
            raise FitError(f"images of {size} cannot be cut into {self.factor} tiles a side: use a smaller factor.")


def _enlarge(tiles: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(tiles, size, mode="bilinear", align_corners=False)


def _reduce(images: Tensor, size: tuple[int, int]) -> Tensor:
    """argmin_y ‖_enlarge(y) − images‖²: up-sampling is U_h y U_wᵀ, so its pseudo-inverse is that of each side."""
    down, across = _inverse(size[0], images.shape[2]).to(images), _inverse(size[1], images.shape[3]).to(images)
    return down.matmul(images).matmul(across.T)


def _inverse(small: int, large: int) -> Tensor:
    unit = torch.eye(small, dtype=torch.float64)[None]
    inverse: Tensor = torch.linalg.pinv(interpolate(unit, large, mode="linear", align_corners=False)[0].T)
    return inverse


def _sides(length: int, parts: int) -> list[int]:
    return [length // parts + (part < length % parts) for part in range(parts)]
