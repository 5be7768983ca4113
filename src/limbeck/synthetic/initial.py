"""Where a synthetic set starts: noise, or chosen real examples."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from limbeck.data.task import Pool
from limbeck.synthetic.choose import Chooser, Random, choose_real, require
from limbeck.values import value

__all__ = ["Chosen", "Initial", "Noise", "RealRandom", "Wanted"]


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a start is asked for.

    counts:       stored examples of each class.
    classes:      their names, for sentences.
    multiplicity: of the parametrisation that will encode them.
    """

    counts: tuple[int, ...]
    classes: tuple[str, ...]
    multiplicity: int = 1


class Initial(ABC):
    """A frozen value (``@value``)."""

    @property
    @abstractmethod
    def shows_real(self) -> bool:
        """True where the set starts from real examples, so that it may show them."""

    @abstractmethod
    def inputs(self, pool: Pool, wanted: Wanted, generator: torch.Generator) -> Tensor:
        """Preprocessed inputs (Σ counts · multiplicity, *shape), ordered by class, grouped by stored example.

        Raises FitError where a class has fewer real examples than stored ones are asked for.
        """


@final
@value
class Noise(Initial):
    """Independent standard normal values in the preprocessed space."""

    @property
    def shows_real(self) -> bool:
        return False

    def inputs(self, pool: Pool, wanted: Wanted, generator: torch.Generator) -> Tensor:
        return torch.randn(sum(wanted.counts) * wanted.multiplicity, *pool.shape, generator=generator)


@final
@value
class Chosen(Initial):
    """Real examples that ``chooser`` picks in each class.

    Where a class has fewer examples than decoded ones are needed (multiplicity > 1), its choice is repeated in turn.
    """

    chooser: Chooser = Random()

    @property
    def shows_real(self) -> bool:
        return True

    def inputs(self, pool: Pool, wanted: Wanted, generator: torch.Generator) -> Tensor:
        require(pool, wanted.counts, wanted.classes)
        decoded = [count * wanted.multiplicity for count in wanted.counts]
        distinct = tuple(min(count, len(pool.of_class(c))) for c, count in enumerate(decoded))
        picked = choose_real(pool, distinct, chooser=self.chooser, generator=generator, classes=wanted.classes)
        index = [mine[torch.arange(count) % len(mine)] for mine, count in zip(picked, decoded, strict=True)]
        return pool.take(torch.cat(index))


@final
@value
class RealRandom(Initial):
    """Real examples drawn uniformly in each class, without replacement: the field's "real" start."""

    @property
    def shows_real(self) -> bool:
        return True

    def inputs(self, pool: Pool, wanted: Wanted, generator: torch.Generator) -> Tensor:
        return Chosen(Random()).inputs(pool, wanted, generator)
