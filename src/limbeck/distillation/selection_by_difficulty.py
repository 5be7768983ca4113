"""Distillers that choose real examples by how hard they are for networks trained on the real training split."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.task import Task
from limbeck.distillation.distiller import Distiller, Situation, stored_per_class
from limbeck.distillation.result import Made, finished
from limbeck.distillation.teacher import teacher
from limbeck.errors import FitError, OptionError
from limbeck.matching.difficulty import el2n, forgetting, gradn
from limbeck.networks.network import Network
from limbeck.seeds import derive
from limbeck.shapes import Params
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.training.train import train
from limbeck.values import value

__all__ = ["EL2N", "Difficulty", "DifficultySelection", "Forgetting", "GraNd"]


class Difficulty(ABC):
    """A frozen value (``@value``): a score of each example, higher for harder ones."""

    @property
    @abstractmethod
    def keep(self) -> tuple[float, ...]:
        """Shares of the training at which it needs weights."""

    @abstractmethod
    def scores(
        self, network: Network, paths: tuple[tuple[Params, ...], ...], examples: Examples, compute: Compute
    ) -> Tensor:
        """(n,) from the weights kept along each network's training."""


@final
@value
class EL2N(Difficulty):
    """E_θ ‖softmax f_θ(x) − y‖₂ early in training [paul2021diet]. at: share of the training, in (0, 1]."""

    at: float = 0.1

    def __post_init__(self) -> None:
        _share(self.at)

    @property
    def keep(self) -> tuple[float, ...]:
        return (self.at,)

    def scores(
        self, network: Network, paths: tuple[tuple[Params, ...], ...], examples: Examples, compute: Compute
    ) -> Tensor:
        return el2n(network, [path[-1] for path in paths], examples, compute)


@final
@value
class GraNd(Difficulty):
    """E_θ ‖∇_θ ℓ(f_θ(x), y)‖₂ early in training [paul2021diet]. at: share of the training, in (0, 1]."""

    at: float = 0.1

    def __post_init__(self) -> None:
        _share(self.at)

    @property
    def keep(self) -> tuple[float, ...]:
        return (self.at,)

    def scores(
        self, network: Network, paths: tuple[tuple[Params, ...], ...], examples: Examples, compute: Compute
    ) -> Tensor:
        return gradn(network, [path[-1] for path in paths], examples, compute)


@final
@value
class Forgetting(Difficulty):
    """How often an example turns from right to wrong, at ``snapshots`` equal steps of training [toneva2019forgetting].

    The published count looks after every batch; few snapshots count less, in nearly the same order.
    """

    snapshots: int = 20

    def __post_init__(self) -> None:
        if self.snapshots < 2:
            raise OptionError(f"forgetting was to be seen in {self.snapshots} snapshots: it needs at least 2.")

    @property
    def keep(self) -> tuple[float, ...]:
        return tuple((i + 1) / self.snapshots for i in range(self.snapshots))

    def scores(
        self, network: Network, paths: tuple[tuple[Params, ...], ...], examples: Examples, compute: Compute
    ) -> Tensor:
        return torch.stack([forgetting(network, path, examples, compute) for path in paths]).mean(0)


@final
@value
class DifficultySelection(Distiller):
    """Real training examples by difficulty, class by class.

    measure:  what hard means.  networks: trained ones whose scores are averaged, ≥ 1.
    pool:     "hard", as published for large sets; "easy", which serves small ones better [sorscher2022pruning];
              "middle": around the median.
    teacher:  how the networks are trained, and the one that gives labels where ``soft``.
    soft, temperature: as in Selection.
    """

    name: str
    measure: Difficulty
    recipe: Configuration
    teacher: Configuration
    pool: str = "hard"
    networks: int = 3
    soft: bool = False
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.networks < 1:
            raise OptionError(f"difficulty was to be measured by {self.networks} networks: at least 1 is needed.")
        if self.pool not in ("hard", "middle", "easy"):
            raise OptionError(f"the pool is '{self.pool}': it is hard, middle or easy.")

    def distill(self, task: Task, situation: Situation) -> SyntheticSet:
        counts = stored_per_class(task, situation.per_class)
        compute = situation.compute.resolve()
        network = self.teacher.architecture.build(task.shape, len(task.classes))
        paths = self._paths(network, task, situation)
        picked = []
        for label, count in enumerate(counts):
            mine = task.train.of_class(label)
            examples = Examples(task.train.take(mine), task.train.labels[mine]).to(compute.torch_device)
            scores = self.measure.scores(network, paths, examples, compute)
            picked.append(mine[self._rank(scores.cpu())[:count]])
        inputs = task.train.take(torch.cat(picked))
        targets = None
        if self.soft:
            guide = teacher(task, self.teacher, situation)
            targets = torch.softmax(guide.logits(inputs.to(guide.compute.device)) / self.temperature, dim=1)
        labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        return finished(self, task, situation, Made({"pixels": inputs}, labels, targets))

    def _paths(self, network: Network, task: Task, situation: Situation) -> tuple[tuple[Params, ...], ...]:
        seeds = [derive(situation.seed, "difficulty", i) for i in range(self.networks)]
        trained = train(
            network, self.teacher, task.train, seeds=seeds, compute=situation.compute, keep=self.measure.keep
        )
        for failure in trained.failures:
            if failure:
                raise FitError(
                    f"a network that was to measure difficulty {failure} Use another --set teacher.optimizer.lr."
                )
        return trained.snapshots

    def _rank(self, scores: Tensor) -> Tensor:
        """Indices, the ones to take first in front; of equal scores the earlier example."""
        if self.pool == "hard":
            return scores.argsort(descending=True, stable=True)
        if self.pool == "easy":
            return scores.argsort(stable=True)
        place = scores.argsort(stable=True).argsort()
        return (place - len(scores) // 2).abs().argsort(stable=True)


def _share(at: float) -> None:
    if not 0 < at <= 1:
        raise OptionError(f"difficulty was to be measured at {at} of the training: the share must be in (0, 1].")
