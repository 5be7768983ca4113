"""Which real examples a method may see: all of a class, or its easy, middle or hard ones."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from limbeck.data.pools import PartPool
from limbeck.data.task import Pool, Task
from limbeck.distillation.difficulty import EL2N, Difficulty
from limbeck.distillation.distiller import Situation
from limbeck.distillation.gauge import Gauge
from limbeck.errors import FitError, OptionError
from limbeck.options import pick
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration
from limbeck.values import replace, value

__all__ = ["DifficultyPool", "Everything", "RealPool", "real_pool"]

PARTS = ("easy", "middle", "hard")


class RealPool(ABC):
    """A frozen value (``@value``): a part of each class of the training split.

    It limits what is matched, chosen and started from. A teacher of labels or features still learns from all.
    """

    @abstractmethod
    def check(self, task: Task, wanted: tuple[int, ...]) -> None:
        """FitError where a class's part is smaller than the examples ``wanted`` of it; nothing is trained for it."""

    @abstractmethod
    def places(self, task: Task, training: Configuration | None, situation: Situation) -> tuple[Tensor, ...]:
        """For each class the positions (int64, ascending) of its part within ``task.train.of_class``.

        training: how networks that rate examples are trained, where they are needed.
        """

    def part(self, task: Task, training: Configuration | None, situation: Situation) -> Pool:
        """The part as a pool of its own."""
        found = self.places(task, training, situation)
        chosen = torch.cat([task.train.of_class(c)[places] for c, places in enumerate(found)])
        return PartPool(task.train, chosen.sort().values)


@final
@value
class Everything(RealPool):
    """All training examples."""

    def check(self, task: Task, wanted: tuple[int, ...]) -> None:
        del task, wanted

    def places(self, task: Task, training: Configuration | None, situation: Situation) -> tuple[Tensor, ...]:
        del training, situation
        return tuple(torch.arange(count) for count in task.counts)

    def part(self, task: Task, training: Configuration | None, situation: Situation) -> Pool:
        del training, situation
        return task.train


@final
@value
class DifficultyPool(RealPool):
    """The easiest, the middle or the hardest ``share`` of each class, by networks trained on the training split.

    which:    "easy", "middle" (around the median) or "hard". At a share of a third they split a class.
    share:    of the class, in (0, 1], at least one example.
    blur:     0 cuts sharply; above it examples are drawn by weight, without replacement, in proportion to
              exp(−d / blur), d ∈ [0, 1] how far their rank lies from the easy end, the middle or the hard end.
    measure, networks: what hard means, and how many networks say it. The seed is the distillation's.
    """

    which: str
    share: float = 1 / 3
    measure: Difficulty = EL2N()
    networks: int = 3
    blur: float = 0.0

    def __post_init__(self) -> None:
        if self.which not in PARTS:
            raise OptionError(f"the pool is '{self.which}': it is {', '.join(PARTS[:-1])} or {PARTS[-1]}.")
        if not 0 < self.share <= 1:
            raise OptionError(f"the pool is to hold {self.share:g} of each class: its share must be in (0, 1].")
        if self.networks < 1:
            raise OptionError(f"difficulty was to be measured by {self.networks} networks: at least 1 is needed.")
        if not 0 <= self.blur < math.inf:
            raise OptionError(f"the pool's blur is {self.blur:g}: it must be finite and at least 0.")

    def check(self, task: Task, wanted: tuple[int, ...]) -> None:
        for name, count, want in zip(task.classes, task.counts, wanted, strict=True):
            if self._size(count) < want:
                instead = f"take a share of at least {want / count:.2g}" if want <= count else "collect more of it"
                raise FitError(
                    f"the {self.which} pool holds {self._size(count)} of the {count} training examples of class "
                    f"'{name}', but {want} were asked for: {instead}, or ask for fewer a class."
                )

    def places(self, task: Task, training: Configuration | None, situation: Situation) -> tuple[Tensor, ...]:
        if training is None:
            raise FitError(
                "a pool by difficulty needs networks trained on real data, and the method has no teacher: set one."
            )
        scores = Gauge(self.measure, training, self.networks).real(task, situation)
        return tuple(self._within(each, generator(situation.seed, "pool", c)) for c, each in enumerate(scores))

    def _size(self, count: int) -> int:
        return min(count, max(1, round(self.share * count)))

    def _within(self, scores: Tensor, randomness: torch.Generator) -> Tensor:
        """Of equal scores the earlier example is the easier one."""
        rank = scores.argsort(stable=True).argsort().to(torch.float64) / max(1, len(scores) - 1)
        far = {"easy": rank, "middle": (rank - 0.5).abs().round(decimals=9), "hard": 1 - rank}[self.which]
        if self.blur:
            # the smallest of d/blur − Gumbel noise are a draw by weight without replacement
            noise = -(-torch.rand(len(scores), generator=randomness, dtype=torch.float64).log()).log()
            far = far / self.blur - noise
        by_rank = rank.argsort()  # so that at equal distance the easier one comes first
        order = by_rank[far[by_rank].argsort(stable=True)]
        return order[: self._size(len(scores))].sort().values


POOLS: Mapping[str, tuple[RealPool, str]] = {
    "all": (Everything(), "all training examples"),
    "easy": (DifficultyPool("easy"), "the easiest of each class"),
    "middle": (DifficultyPool("middle"), "those around the median of each class"),
    "hard": (DifficultyPool("hard"), "the hardest of each class"),
}


def real_pool(text: str) -> RealPool:
    """The pool of ``easy``, ``easy:0.5`` (a share) or ``easy:share=0.5,networks=5``; OptionError."""
    name, _, rest = text.partition(":")
    found = pick(POOLS, name if "=" not in rest else text, "pool of real examples")
    if not rest or "=" in rest:
        return found
    try:
        share = float(rest)
    except ValueError as error:
        raise OptionError(f"'{rest}' in '{text}' is no share: write {name}:0.5 for half of each class.") from error
    if not isinstance(found, DifficultyPool):
        raise OptionError(f"'{text}' asks for a share of all examples: name the easy, middle or hard ones.")
    return replace(found, share=share)
