"""Randomness: one torch.Generator per purpose, derived from an integer seed; the global generator is never touched."""

import hashlib

import torch

__all__ = ["derive", "generator"]


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose: independent for different ``(seed, *purpose)``, the same in every process."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: str | int, device: str | torch.device = "cpu") -> torch.Generator:
    """A fresh generator on ``device`` for one purpose, e.g. ``generator(3, "initial")``."""
    return torch.Generator(device).manual_seed(derive(seed, *purpose))
