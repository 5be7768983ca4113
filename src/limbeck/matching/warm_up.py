"""A surrogate that begins as one and goes on as another."""

from typing import final

from limbeck.errors import OptionError
from limbeck.matching.batch import Batch
from limbeck.matching.discrepancy import Context
from limbeck.matching.surrogate import Needs, Place, Reading, Surrogate
from limbeck.values import value

__all__ = ["WarmUp"]


@final
@value
class WarmUp(Surrogate):
    """``first`` for the first ``share`` of a run, ``then`` afterwards, and wherever a network has ``steps`` matching
    steps behind it: summed gradients say little before the images of each class look like it [lee2022dcc].

    share: in [0, 1]; 0 is ``then`` throughout. steps: ≥ 0; 0 likewise.
    """

    first: Surrogate
    then: Surrogate
    share: float = 0.25
    steps: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise OptionError(f"the warm-up's share of the run is {self.share}: give a number from 0 to 1.")
        if self.steps < 0:
            raise OptionError(f"the warm-up ends after {self.steps} steps of a network: give a number from 0 on.")

    @property
    def needs(self) -> Needs:
        mine, other = self.first.needs, self.then.needs
        return Needs(
            real=mine.real or other.real,
            gradients=mine.gradients or other.gradients,
            unrolled=max(mine.unrolled, other.unrolled),
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.first.remarks, *self.then.remarks)))

    def read(self, real: Batch | None, synthetic: Batch, place: Place, context: Context) -> Reading:
        warm = context.progress < self.share and context.step < self.steps
        chosen, name = (self.first, "first") if warm else (self.then, "then")
        with context.within(name) as mine:
            return chosen.read(real, synthetic, place, mine)
