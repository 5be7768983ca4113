"""Where the image learning rate comes from: given as a number, or measured so that it has no scale of its own.

A published rate belongs to a published length, size and loss: the gradient of a class mean is shared by its images, so
that at n images a class each moves by 1/n, and a loss that is ten times as large moves it ten times as far. A measured
rate is the move that one step should make, divided by the move that the optimizer would make at rate 1.
"""

from abc import ABC, abstractmethod
from typing import final

from limbeck.errors import OptionError
from limbeck.values import value

__all__ = ["GivenRate", "ImageRate", "MeasuredRate", "doubt"]

HUGE = 1e5  # a measured rate that only gradients of rounding noise ask for: usual ones lie between 0.01 and 1,000


class ImageRate(ABC):
    """A frozen value (``@value``)."""

    @abstractmethod
    def move(self, iterations: int, *, noise: bool = False) -> float | None:
        """Root mean square that the first steps of a run of so many should move the images by, in the units of
        preprocessed inputs (one is a standard deviation of the data); None: the optimizer's own rate is taken.

        noise: the images start from noise, which is further from where they should go than real examples are.
        """


@final
@value
class GivenRate(ImageRate):
    """The optimizer's own ``lr``."""

    def move(self, iterations: int, *, noise: bool = False) -> float | None:
        return None


@final
@value
class MeasuredRate(ImageRate):
    """min(most, travel / √iterations) a step: images that walk at random get ``travel`` far in a run of any length.

    At travel 1, one standard deviation of the data, this is within a factor of about two of what DC and DSA move in
    their published runs. In runs of 20 steps a larger ``most`` spoils real images (benchmarks/image_rate.py).
    from_noise: how much further, and faster, images move that start from noise. On digits, in runs of 20 steps, DC's
               sets were 7 to 10 points better at 2.5 than at 1 (benchmarks/image_rate.py); on FashionMNIST one set of
               80 steps changed by −1 and +1.
    published: the number of iterations that the optimizer's own rate was published for, at which it is taken as it is;
               0: it is always measured, as where something else is compared than what was published.
    """

    travel: float = 1.0
    most: float = 0.1
    from_noise: float = 3.0
    published: int = 0

    def __post_init__(self) -> None:
        if not (self.travel > 0 and self.most > 0 and self.from_noise > 0):
            raise OptionError(
                f"images were to move by {self.travel} in a run and by {self.most} a step, and {self.from_noise} times "
                "as far from noise: all three must be above 0."
            )

    def move(self, iterations: int, *, noise: bool = False) -> float | None:
        if iterations == self.published:
            return None
        return (self.from_noise if noise else 1.0) * min(self.most, self.travel / max(1, iterations) ** 0.5)


def doubt(measured: float | None) -> str:
    """A sentence for the card where a measured rate says that there was nothing to match; "" elsewhere."""
    if measured is None or measured < HUGE:
        return ""
    return (
        f"The image learning rate was measured as {measured:.1e}: at the first images there was next to nothing to "
        "match, as with constant or equal examples, so the images may show nothing but rounding noise."
    )
