"""What every source can be told: the seed and shares of the split, groups, whitening, memory."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from limbeck.errors import OptionError, unknown
from limbeck.options import fits

__all__ = ["Options"]


@dataclasses.dataclass(frozen=True)
class Options:
    """Options common to all sources.

    seed:             splits what the source has not split.
    validation_share: part of the training data that becomes validation, in (0, 1), where the source has none.
    test_share:       part of all data that becomes test, in (0, 1), where the source has none.
    groups:           one group (patient, writer, video …) an example, or a text file with one group a line; no group
                      crosses splits. For train alone, or for the source's train, validation and test in this order.
    zca:              whiten with statistics of train.
    memory:           bytes of raw inputs that may be held as a tensor; larger sets stay on disk.
    """

    seed: int = 0
    validation_share: float = 0.1
    test_share: float = 0.2
    groups: str | Path | Sequence[Any] | NDArray[Any] | Tensor | None = None
    zca: bool = False
    memory: int = 2**30

    def __post_init__(self) -> None:
        for name in ("validation_share", "test_share"):
            if not 0 < getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}: it is a part of the data, above 0 and below 1.")
        if self.memory < 0:
            raise OptionError(f"memory is {self.memory}: it counts bytes and cannot be negative.")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Options":
        """Options from keywords; OptionError for an unknown one (with the nearest names) or a value of another kind."""
        known = typing.get_type_hints(cls)
        for name, chosen in given.items():
            if name not in known:
                raise unknown("option", name, known)
            if not fits(chosen, known[name]):
                default = cls.__dataclass_fields__[name].default
                raise OptionError(
                    f"the option {name} is {chosen!r:.60}, which does not fit: it is {default!r} by default."
                )
        return cls(**given)
