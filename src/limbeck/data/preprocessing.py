"""From raw values to what networks see, and back: normalisation and optional ZCA whitening, fitted on train only."""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Preprocessing"]


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """Invertible: ``inverse(forward(raw)) = raw`` up to rounding.

    mean, std: one a channel (c,) for images, one a feature (d,) for tables; std > 0 (1 where a feature is constant).
    whiten, colour: ZCA matrix (D, D) and its inverse over the flattened normalised input, or None; ``centre`` (D,).
    Raw images lie in [0, 1]; raw table values are in the user's units.
    """

    mean: Tensor
    std: Tensor
    centre: Tensor | None = None
    whiten: Tensor | None = None
    colour: Tensor | None = None

    def forward(self, raw: Tensor) -> Tensor:
        """Network inputs (n, *shape), float32, from raw values (n, *shape)."""
        flat = (raw.to(torch.float32) - self._across(self.mean, raw)) / self._across(self.std, raw)
        if self.whiten is None or self.centre is None:
            return flat
        return ((flat.flatten(1) - self.centre.to(raw.device)) @ self.whiten.to(raw.device)).view(flat.shape)

    def inverse(self, inputs: Tensor) -> Tensor:
        """Raw values (n, *shape) from network inputs; images may fall outside [0, 1], clamp to show them."""
        flat = inputs.to(torch.float32)
        if self.colour is not None and self.centre is not None:
            flat = (flat.flatten(1) @ self.colour.to(flat.device) + self.centre.to(flat.device)).view(inputs.shape)
        return flat * self._across(self.std, inputs) + self._across(self.mean, inputs)

    def tensors(self) -> dict[str, Tensor]:
        """What has to be stored with anything made from the task."""
        pairs = [("mean", self.mean), ("std", self.std), ("centre", self.centre)]
        pairs += [("whiten", self.whiten), ("colour", self.colour)]
        return {name: tensor for name, tensor in pairs if tensor is not None}

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the values: equal preprocessing, equal digest."""
        summed = hashlib.sha256()
        for name, tensor in sorted(self.tensors().items()):
            plain = tensor.detach().cpu().contiguous()
            summed.update(f"{name} {plain.dtype} {tuple(plain.shape)} ".encode() + plain.numpy().tobytes())
        return summed.hexdigest()[:16]

    @staticmethod
    def _across(statistic: Tensor, like: Tensor) -> Tensor:
        return statistic.to(like.device).view(1, -1, *[1] * (like.ndim - 2))
