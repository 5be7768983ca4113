"""Fitting the preprocessing: normalisation, and ZCA whitening regularised as in KIP, from training data only."""

import math

import torch
from torch import Tensor

from limbeck.data.preprocessing import Preprocessing
from limbeck.data.rows import Rows
from limbeck.errors import OptionError

__all__ = ["fit"]

_SAMPLES = 60_000  # training examples that statistics are computed from at most, evenly spaced
_WIDEST = 4096  # values an input beyond which an eigendecomposition takes minutes and hundreds of megabytes
_RIDGE = 0.1  # λ below, KIP's value


def fit(rows: Rows, index: Tensor, *, zca: bool) -> Preprocessing:
    """Preprocessing from the training rows at ``index``: all of them, or 60,000 evenly spaced ones.

    Images: mean and standard deviation a channel; tables: a feature (standard deviation 1 where it is constant).
    ZCA, over the flattened normalised input of D values with covariance C = U S Uᵀ: the regularised form of
    [nguyen2021kip], whiten = U (S + λ tr(C)/D)^(-1/2) Uᵀ with λ = 0.1. As tr(C)/D is about 1, this λ is also the ε of
    [cazenavette2022mtt].
    OptionError where an input has more than 4096 values.
    """
    width = math.prod(rows.shape)
    if zca and width > _WIDEST:
        raise OptionError(f"zca needs a matrix of {width} × {width} values: use it up to {_WIDEST}, or resize images.")
    if len(index) > _SAMPLES:
        index = index[torch.linspace(0, len(index) - 1, _SAMPLES, dtype=torch.float64).long()]
    mean, std = _normalisation(rows, index)
    plain = Preprocessing(mean, std)
    return _whitened(rows, index, plain, width) if zca else plain


def _normalisation(rows: Rows, index: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation in one pass, chunks merged by Chan's formula in float64."""
    count, mean, spread = 0, torch.zeros(rows.shape[0], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for part in torch.split(index, max(1, rows.step // 16)):
        raw = rows.raw(part)
        # Examples × channels × pixels; table values can be of any size, their squares need float64 from the start.
        values = raw.flatten(2) if raw.ndim == 4 else raw.to(torch.float64)[:, :, None]
        n, centre = len(values) * values.shape[2], values.mean(2).to(torch.float64).mean(0)
        spread = spread + (values - centre.to(values.dtype)[:, None]).square_().sum(2).to(torch.float64).sum(0)
        spread = spread + (centre - mean).square() * (count * n / (count + n))
        mean, count = mean + (centre - mean) * (n / (count + n)), count + n
    std = (spread / count).sqrt()
    # Rounding leaves a constant feature of size m a spread of about 1e-7 m.
    std = torch.where(std > 1e-6 * mean.abs().clamp(min=1e-6), std, torch.ones_like(std))
    return mean.float(), std.float()


def _whitened(rows: Rows, index: Tensor, plain: Preprocessing, width: int) -> Preprocessing:
    total, second = torch.zeros(width, dtype=torch.float64), torch.zeros(width, width, dtype=torch.float64)
    for part in torch.split(index, max(1, rows.step // 16)):
        flat = plain.forward(rows.raw(part)).flatten(1).to(torch.float64)
        total, second = total + flat.sum(0), second.addmm_(flat.T, flat)
    centre = total / len(index)
    covariance = second / len(index) - torch.outer(centre, centre)
    values, vectors = torch.linalg.eigh(covariance)
    root = (values.clamp(min=0) + _RIDGE * covariance.trace() / width).sqrt()
    return Preprocessing(
        plain.mean,
        plain.std,
        centre=centre.float(),
        whiten=((vectors / root) @ vectors.T).float(),
        colour=((vectors * root) @ vectors.T).float(),
    )
