"""Moving, scaling and rotating a batch of images: differentiable, one set of numbers an image or one for all."""

import torch
from torch import Tensor
from torch.nn import functional as F

from limbeck.errors import FitError

__all__ = ["check_image", "gathered", "rotate", "scale", "translate"]


def check_image(shape: tuple[int, ...], augmentation: str) -> tuple[int, int]:
    """Height and width of images of ``shape`` (c, h, w); FitError for tables."""
    if len(shape) != 3:
        raise FitError(
            f"{augmentation} augments images, and these inputs are rows of {shape[0]} features: use none or noise."
        )
    return shape[1], shape[2]


def translate(images: Tensor, shift: Tensor, most: tuple[int, int]) -> Tensor:
    """out[i, j] = images[i + shift₀, j + shift₁], 0 outside; ``shift`` (n or 1, 2) integers within ±``most``."""
    if most == (0, 0):
        return images
    outputs = F.pad(images, (most[1], most[1], most[0], most[0]))
    for axis in (0, 1):
        index = shift[:, axis, None] + most[axis] + torch.arange(images.shape[2 + axis], device=shift.device)
        if len(index) == 1:
            outputs = outputs.index_select(2 + axis, index[0])
        else:
            wide = index[:, None, :, None] if axis == 0 else index[:, None, None, :]
            outputs = torch.take_along_dim(outputs, wide, 2 + axis)
    return outputs


def scale(images: Tensor, factors: Tensor) -> Tensor:
    """Bilinear sample at coordinates × (factor_x, factor_y), ``factors`` (n or 1, 2); below 1 enlarges.

    A product with one interpolation matrix a side, which costs less than sampling and sums in a fixed order.
    """
    rows = _interpolation(images.shape[2], factors[:, 1])
    columns = _interpolation(images.shape[3], factors[:, 0])
    return (rows.to(images.dtype)[:, None] @ images) @ columns.to(images.dtype)[:, None].mT


def _interpolation(side: int, factor: Tensor) -> Tensor:
    """(n, side, side): row i holds the bilinear weights of the pixel at factor × (its distance to the middle)."""
    pixel = torch.arange(side, device=factor.device, dtype=torch.float64)
    place = factor[:, None].double() * (pixel - (side - 1) / 2) + (side - 1) / 2
    return (1 - (place[:, :, None] - pixel).abs()).clamp(min=0)


def rotate(images: Tensor, angle: Tensor) -> Tensor:
    """Bilinear sample at coordinates turned by ``angle`` (n or 1,) radians; coordinates run over [−1, 1] a side."""
    cos, sin = angle.double().cos(), angle.double().sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    if images.is_cuda and images.requires_grad:  # the gradient of grid_sample sums in no fixed order there
        return gathered(images, turn)
    dtype = images.dtype if images.dtype in (torch.float32, torch.float64) else torch.float32
    still = F.pad(turn.to(dtype), (0, 1)).expand(len(images), 2, 3)
    grid = F.affine_grid(still, list(images.shape), align_corners=False)
    return F.grid_sample(images.to(dtype), grid, align_corners=False).to(images.dtype)


def gathered(images: Tensor, turn: Tensor) -> Tensor:
    """Bilinear sample at ``turn`` (n or 1, 2, 2) times the coordinates (x, y), as four weighted gathers.

    Their gradient is an indexed sum that sorts its indices first, so that it has the same bytes every time.
    """
    size = (images.shape[3], images.shape[2])
    x, y = ((torch.arange(side, device=turn.device, dtype=turn.dtype) * 2 + 1) / side - 1 for side in size)
    grid = torch.stack([x.expand(len(y), -1).flatten(), y[:, None].expand(-1, len(x)).flatten()])
    place = [((axis + 1) * side - 1) / 2 for axis, side in zip((turn @ grid).unbind(1), size, strict=True)]
    flat, total = images.flatten(2), torch.zeros_like(images)
    for right in (0, 1):
        for down in (0, 1):
            weight, index = torch.ones_like(place[0]), []
            for axis, step, side in zip(place, (right, down), size, strict=True):
                near = axis.floor() + step
                weight = weight * (1 - (axis - near).abs()) * ((near >= 0) & (near < side))
                index.append(near.clamp(0, side - 1).long())
            pixel = index[1] * size[0] + index[0]
            if len(pixel) == 1:
                values = flat[:, :, pixel[0]]
            else:
                values = flat[torch.arange(len(images), device=pixel.device)[:, None], :, pixel].transpose(1, 2)
            total = total + (values * weight[:, None].to(images.dtype)).view(images.shape)
    return total
