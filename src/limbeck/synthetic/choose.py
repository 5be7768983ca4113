"""How real examples are chosen within a class: random, herding, k-means, k-centre. Pure functions of features."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias, final

import torch
from torch import Tensor

from limbeck.data.task import Pool
from limbeck.errors import FitError, OptionError
from limbeck.shapes import Points
from limbeck.values import value

__all__ = ["Chooser", "Features", "Herding", "KCenter", "KMeans", "Random", "choose_real", "class_counts"]

Features: TypeAlias = Callable[[Tensor], Tensor]  # inputs (n, *shape) → feature vectors (n, d)


class Chooser(ABC):
    """A frozen value (``@value``): a rule that picks examples of one class."""

    uses_features: ClassVar[bool] = True  # False: only the number of rows of ``features`` matters

    @abstractmethod
    def choose(self, features: Points, k: int, generator: torch.Generator) -> Tensor:
        """``k`` distinct row indices (k,) int64 of ``features`` (n, d), 1 ≤ k ≤ n, as they were chosen, on the CPU."""


@final
@value
class Random(Chooser):
    """Uniform without replacement."""

    uses_features: ClassVar[bool] = False

    def choose(self, features: Points, k: int, generator: torch.Generator) -> Tensor:
        return torch.randperm(len(features), generator=generator)[:k]


@final
@value
class Herding(Chooser):
    """Greedy mean matching: x_t = argmin_x ‖μ − (x + Σ_{s<t} x_s)/t‖ over what is left.

    Source: [welling2009herding].
    """

    def choose(self, features: Points, k: int, generator: torch.Generator) -> Tensor:
        del generator
        # With μ moved to 0, t²·‖…‖² = ‖x‖² + 2⟨x, Σ⟩ + what does not depend on x: one matrix–vector product a step.
        points = _centred(features)
        squares, pull = points.square().sum(1), torch.zeros(len(points), device=points.device)
        free = torch.zeros_like(pull)
        picked = []
        for _ in range(k):
            best = int((squares + 2 * pull + free).argmin())
            free[best] = torch.inf
            pull += points @ points[best]
            picked.append(best)
        return torch.tensor(picked)


@final
@value
class KMeans(Chooser):
    """The real example nearest to each centroid of k-means (k-means++ start, Lloyd steps), all distinct.

    steps: Lloyd steps at most, ≥ 0; they end as soon as no example changes its cluster. Source: [arthur2007kmeans].
    """

    steps: int = 30

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise OptionError(f"steps is {self.steps}: it counts Lloyd steps and must be at least 0.")

    def choose(self, features: Points, k: int, generator: torch.Generator) -> Tensor:
        from scipy.optimize import linear_sum_assignment

        points = _centred(features)
        squares = points.square().sum(1)
        centroids = points[_spread(points, squares, k, generator)]
        nearest = torch.full((len(points),), -1, device=points.device)
        for _ in range(self.steps):
            distances, moved = _distances(points, squares, centroids).min(1)
            if torch.equal(moved, nearest):
                break
            nearest = moved
            centroids = _means(points, nearest, distances, k)
        # Where two centroids share their nearest example, the assignment of least total distance parts them.
        cost = _distances(points, squares, centroids).T.cpu().numpy()
        return torch.from_numpy(linear_sum_assignment(cost)[1].astype("int64"))


@final
@value
class KCenter(Chooser):
    """Greedy k-centre: the example nearest to the mean, then each time the one farthest from all chosen.

    Source: [sener2018coreset]; at most twice the optimal radius [gonzalez1985clustering].
    """

    def choose(self, features: Points, k: int, generator: torch.Generator) -> Tensor:
        del generator
        points = _centred(features)
        squares = points.square().sum(1)
        picked = [int(squares.argmin())]
        gap = torch.full_like(squares, torch.inf)
        for _ in range(k - 1):
            last = picked[-1]
            gap = torch.minimum(gap, (squares + squares[last] - 2 * (points @ points[last])).clamp(min=0))
            gap[picked] = -1.0  # duplicates of a chosen example have gap 0 and come last, but never twice
            picked.append(int(gap.argmax()))
        return torch.tensor(picked)


def class_counts(per_class: int | Sequence[int], classes: tuple[str, ...]) -> tuple[int, ...]:
    """Stored examples of each class, from one number for all or one for each.

    Raises OptionError for a number below 1, FitError where there are not as many numbers as classes.
    """
    counts = (per_class,) * len(classes) if isinstance(per_class, int) else tuple(per_class)
    if len(counts) != len(classes):
        raise FitError(f"{len(counts)} sizes were given for {len(classes)} classes: give one number, or one a class.")
    if min(counts) < 1:
        raise OptionError(f"{min(counts)} examples a class were asked for: it must be at least 1.")
    return counts


def choose_real(
    pool: Pool,
    counts: tuple[int, ...],
    *,
    chooser: Chooser,
    generator: torch.Generator,
    classes: tuple[str, ...],
    features: Features | None = None,
) -> tuple[Tensor, ...]:
    """Indices into ``pool`` chosen in each class, ``counts[c]`` of class ``c``.

    features: maps preprocessed inputs to the vectors that the chooser compares; None: the inputs, flattened.
        One class at a time is taken from the pool.
    Raises FitError where a class has too few examples, before anything is chosen.
    """
    require(pool, counts, classes)
    picked = []
    for c, count in enumerate(counts):
        mine = pool.of_class(c)
        if not chooser.uses_features:
            seen = torch.empty(len(mine), 0)
        else:
            inputs = pool.take(mine)
            seen = (inputs if features is None else features(inputs)).flatten(1)
        picked.append(mine[chooser.choose(seen, count, generator).to(mine.device)])
    return tuple(picked)


def require(pool: Pool, counts: tuple[int, ...], classes: tuple[str, ...]) -> None:
    """Raises FitError, with the class's name, where ``pool`` has fewer examples of a class than ``counts`` asks for."""
    for c, count in enumerate(counts):
        have = len(pool.of_class(c))
        if have < count:
            raise FitError(
                f"class '{classes[c]}' has {have} training examples, but {count} were asked for: ask for fewer."
            )


def _centred(features: Tensor) -> Tensor:
    points = features.detach().to(torch.float32)
    return points - points.mean(0)


def _distances(points: Tensor, squares: Tensor, centroids: Tensor) -> Tensor:
    """(n, k) squared distances; ``squares`` (n,) are the squared norms of the points."""
    heads = squares[:, None] + centroids.square().sum(1)
    return heads.addmm_(points, centroids.T, alpha=-2).clamp_(min=0)


def _spread(points: Tensor, squares: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """k-means++: each start is drawn in proportion to its squared distance to the nearest one so far."""
    draws = torch.rand(k, generator=generator, dtype=torch.float64)
    picked = [min(int(draws[0] * len(points)), len(points) - 1)]
    gap = torch.full_like(squares, torch.inf)
    for draw in draws[1:]:
        last = picked[-1]
        gap = torch.minimum(gap, (squares + squares[last] - 2 * (points @ points[last])).clamp(min=0))
        gap[picked] = 0.0
        total = gap.to(torch.float64).cumsum(0)
        if total[-1] == 0:  # fewer distinct points than k
            total = torch.ones_like(total).cumsum(0)
        place = int(torch.searchsorted(total, (draw.to(total.device) * total[-1])[None], right=True))
        picked.append(min(place, len(points) - 1))
    return torch.tensor(picked, device=points.device)


def _means(points: Tensor, nearest: Tensor, distances: Tensor, k: int) -> Tensor:
    members = torch.nn.functional.one_hot(nearest, k).to(points.dtype)
    sizes = members.sum(0)
    means = (members.T @ points) / sizes.clamp(min=1)[:, None]
    empty = torch.nonzero(sizes == 0).flatten()
    if len(empty):  # an empty cluster starts again at the example that its own centroid serves worst
        means[empty] = points[distances.topk(len(empty)).indices]
    return means
