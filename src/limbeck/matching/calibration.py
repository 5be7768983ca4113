"""The term that keeps synthetic examples recognisable: their cross-entropy under a network trained on real data."""

from typing import final

from limbeck.errors import OptionError
from limbeck.matching.cloud import Cloud
from limbeck.matching.discrepancy import Context
from limbeck.matching.features import Losses
from limbeck.matching.surrogate import Term
from limbeck.matching.view import View
from limbeck.shapes import Scalar
from limbeck.values import value

__all__ = ["Calibration"]


@final
@value
class Calibration(Term):
    """weight · mean cross-entropy of the synthetic examples with their own targets [wang2025ncfm] [zhao2023idm].

    weight: ≥ 0. It says something where the network is trained, so it belongs to the states that train on real data.
    """

    weight: float = 1.0
    view: View = Losses()

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise OptionError(f"the weight of the calibration is {self.weight}: it must not be negative.")

    @property
    def uses_real(self) -> bool:
        return False

    def value(self, real: tuple[Cloud, ...] | None, synthetic: tuple[Cloud, ...], context: Context) -> Scalar:
        del real, context
        return self.weight * synthetic[0].means().mean()
