"""Fixed features for the convex laboratory: raw pixels, and random convolutions."""

import numpy as np

from limbeck.errors import FitError
from limbeck.laws.law import Array
from limbeck.seeds import derive

__all__ = ["random_convolutions", "raw_pixels"]


def raw_pixels(images: Array) -> Array:
    """(n, c·h·w + 1): the pixels scaled to a mean square of 1 over the data, and a constant 1."""
    flat = images.reshape(len(images), -1)
    return _with_constant(flat / np.sqrt((flat**2).mean()))


def random_convolutions(images: Array, *, filters: int = 16, width: int = 3, seed: int = 0) -> Array:
    """(n, 4·filters + 1): Gaussian filters, ReLU, the mean over each quarter of the image, and a constant 1.

    images: (n, c, h, w) with h, w > width. Raises FitError for smaller ones.
    """
    if min(images.shape[2:]) <= width:
        raise FitError(f"images of {images.shape[2]}×{images.shape[3]} are too small for filters of width {width}.")
    generator = np.random.default_rng(derive(seed, "random convolutions"))
    kernel = generator.normal(size=(filters, images.shape[1], width, width)) / np.sqrt(images.shape[1] * width**2)
    patches = np.lib.stride_tricks.sliding_window_view(images, (width, width), axis=(2, 3))
    answers = np.maximum(np.einsum("nchwij,fcij->nfhw", patches, kernel, optimize=True), 0.0)
    halves = np.array_split(answers, 2, axis=2)
    quarters = [quarter.mean((2, 3)) for half in halves for quarter in np.array_split(half, 2, axis=3)]
    pooled = np.concatenate(quarters, 1)
    return _with_constant(pooled / np.sqrt((pooled**2).mean()))


def _with_constant(features: Array) -> Array:
    return np.concatenate([features, np.ones((len(features), 1))], 1)
