"""The contract of a discrepancy: how far two clouds are apart, summed over their groups.

A discrepancy is a frozen value that declares facts about itself; ``limbeck.testing.check_discrepancy`` verifies the
facts on any discrepancy, ours or yours.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from limbeck.matching.cloud import Cloud
from limbeck.shapes import Scalar

__all__ = ["Context", "Discrepancy", "Facts"]


@dataclass(frozen=True)
class Facts:
    """What a discrepancy declares about itself.

    symmetric:     D(P, Q) = D(Q, P).
    zero_iff_equal: D(P, Q) = 0 exactly when the clouds are the same measure in each group.
    paired:        compares row j with row j, so both clouds must be paired and of equal shape.
    unbiased:      its expectation over samples is the population value (None: not a sample statistic).
    nonnegative:   D ≥ 0 on every pair (unbiased estimators may fall below).
    held:          something that depends on the points (a bandwidth) counts as constant in the gradient; ``fixed`` says
                   what it is.
    """

    symmetric: bool
    zero_iff_equal: bool
    paired: bool = False
    unbiased: bool | None = None
    nonnegative: bool = True
    held: bool = False


@dataclass(eq=False)
class Context:
    """What an evaluation may use besides the clouds: the run's progress, randomness, and state that it owns.

    progress:  fraction of the run that is done, in [0, 1].
    generator: randomness of this step (projections, frequencies), on the clouds' device.
    state:     tensors that live as long as the run (learned frequencies); made by ``Discrepancy.init``, kept in
               checkpoints.
    step:      matching steps that the network looked at has behind it.
    matched:   value of all terms of the sum that are not relative, for those that are (0 before it is known).
    """

    progress: float = 0.0
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))
    state: dict[str, torch.Tensor] = field(default_factory=dict)
    matched: float = 0.0
    step: int = 0

    @contextmanager
    def within(self, name: str) -> Iterator["Context"]:
        """The same context with the part of the state that belongs to ``name``; what is put there stays there."""
        start = f"{name}/"
        mine = {key.removeprefix(start): t for key, t in self.state.items() if key.startswith(start)}
        inner = Context(self.progress, self.generator, mine, self.matched, self.step)
        yield inner
        self.state.update({start + key: t for key, t in inner.state.items()})


class Discrepancy(ABC):
    """A frozen value (``@value``)."""

    @property
    @abstractmethod
    def facts(self) -> Facts:
        """What it declares about itself: a ``ClassVar`` where all values of the class share it."""

    @abstractmethod
    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        """Σ over groups of the discrepancy of the two groups' weighted points; differentiable in both points.

        The clouds have the same number of groups and the same dimension d. The result is scalar, in the points' type.
        """

    def fixed(self, real: Cloud, synthetic: Cloud) -> "Discrepancy":
        """The same with what is held constant in the gradient as it is for these two clouds of one group, whatever the
        points; itself where nothing is held. By it a gradient is verified."""
        del real, synthetic
        return self

    def init(self, dimension: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Tensors that live as long as the run, for points of ``dimension``; none unless a discrepancy learns."""
        del dimension, generator
        return {}

    def ascend(self, real: Cloud, synthetic: Cloud, context: Context) -> None:
        """One step of the adversary, where there is one: changes ``context.state`` to *increase* the discrepancy."""
        del real, synthetic, context
