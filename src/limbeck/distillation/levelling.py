"""Gradients of one size: a set that is made for several configurations listens to each of them alike.

The size of a gradient depends on the network more than on what it has to say: in DM an AlexNet without norm moves an
image some thousand times less than a VGG with norm does, so that a common rate would be wrong for nearly all.
"""

from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["Squares", "levelled", "served"]

Squares: TypeAlias = tuple[tuple[int, int, float], ...]  # (configuration, visits, mean square of its gradients so far)


def levelled(squares: Squares, configuration: int, grads: dict[str, Tensor]) -> tuple[Squares, dict[str, Tensor]]:
    """``grads`` over the root mean square of all gradients of this configuration so far; what is known afterwards."""
    known = {kind: (visits, mean) for kind, visits, mean in squares}
    visits, mean = known.get(configuration, (0, 0.0))
    square = float(torch.cat([grad.detach().double().square().flatten() for grad in grads.values()]).mean())
    mean += (square - mean) / (visits + 1)
    known[configuration] = visits + 1, mean
    factor = mean**-0.5 if mean > 0 else 1.0
    after = tuple((kind, *known[kind]) for kind in sorted(known))
    return after, {name: grad * factor for name, grad in grads.items()}


def served(squares: Squares) -> tuple[int, ...]:
    """The configurations whose networks were looked at so far."""
    return tuple(kind for kind, _, _ in squares)
