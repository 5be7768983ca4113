"""The contract of a parametrisation: variables → inputs."""

from abc import ABC, abstractmethod

from torch import Tensor

from limbeck.shapes import Params

__all__ = ["Parametrisation"]


class Parametrisation(ABC):
    """A frozen value (``@value``). Its variables are optimised and stored; what they decode to trains."""

    @property
    @abstractmethod
    def multiplicity(self) -> int:
        """Decoded examples a stored one (1 for pixels, f² for factor f)."""

    @abstractmethod
    def encode(self, inputs: Tensor) -> Params:
        """Variables that start from ``inputs`` (n · multiplicity, *shape), preprocessed, grouped by stored example."""

    @abstractmethod
    def decode(self, variables: Params, index: Tensor | None = None) -> Tensor:
        """Inputs (n · multiplicity, *shape) of the stored examples at ``index`` (None: all), in stored order:
        the ``multiplicity`` decoded ones of a stored example stand next to each other. Differentiable."""
