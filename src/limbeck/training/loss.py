"""The two losses of a configuration, for hard and soft targets."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

__all__ = ["LossKind", "example_losses", "weighted_mean"]

LossKind: TypeAlias = Literal["cross_entropy", "squared"]


def example_losses(logits: Tensor, targets: Tensor, kind: LossKind) -> Tensor:
    """Loss of each example: −Σ_c t_c log softmax(z)_c, or ½‖z − t‖².

    logits: (n, k). targets: (n,) class indices or (n, k) probabilities. Result (n,), at least float32.
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    hard = targets.ndim == 1
    if kind == "cross_entropy":
        log = torch.log_softmax(logits, 1)
        if hard:
            return -log.gather(1, targets[:, None])[:, 0]
        return -(targets * log).sum(1)
    goal = torch.nn.functional.one_hot(targets, logits.shape[1]).to(logits.dtype) if hard else targets
    return 0.5 * (logits - goal).square().sum(1)


def weighted_mean(losses: Tensor, weights: Tensor | None, count: int) -> Tensor:
    """Σ w_i ℓ_i / count; pieces of a batch of ``count`` examples add up to its loss."""
    return (losses if weights is None else losses * weights).sum() / count
