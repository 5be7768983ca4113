"""The only way a method sees real data: seeded draws by class from the training split."""

from typing import final

import torch
from torch import Tensor

from limbeck.data.examples import Examples
from limbeck.data.task import Pool
from limbeck.errors import FitError
from limbeck.matching.batch import Batch

__all__ = ["RealSide"]


@final
class RealSide:
    """Draws from ``pool``. ``pools`` restricts each class to some indices (difficulty pools); None: the whole class."""

    def __init__(self, pool: Pool, classes: int, device: torch.device, pools: tuple[Tensor, ...] | None = None) -> None:
        self.pool, self.device = pool, device
        self.pools = pools or tuple(pool.of_class(c) for c in range(classes))

    def draw(self, classes: tuple[int, ...], per_class: int, generator: torch.Generator) -> Batch:
        """``per_class`` examples (fewer where a class has fewer) of each class, without replacement in a draw.

        Raises FitError for a class that has none.
        """
        picked = []
        for c in classes:
            mine = self.pools[c]
            if not len(mine):
                raise FitError(f"class {c} has no real examples to draw: leave the class out, or collect some of it.")
            order = torch.randperm(len(mine), generator=generator)[: min(per_class, len(mine))]
            picked.append(mine[order])
        sizes = tuple(len(p) for p in picked)
        labels = torch.repeat_interleave(torch.tensor(classes), torch.tensor(sizes))
        inputs = self.pool.take(torch.cat(picked))
        return Batch(inputs.to(self.device), labels.to(self.device), classes, sizes)

    def draw_any(self, n: int, generator: torch.Generator) -> Examples:
        """``n`` examples of any class, uniform over all pools together; without replacement while they last."""
        indices = torch.cat(self.pools)
        rounds = -(-n // len(indices))
        order = torch.cat([torch.randperm(len(indices), generator=generator) for _ in range(rounds)])[:n]
        picked = indices[order]
        return Examples(self.pool.take(picked), self.pool.labels[picked]).to(self.device)
