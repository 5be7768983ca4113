"""Distillers that choose real examples by how hard they are for networks trained on the real training split."""

from typing import final

import torch
from torch import Tensor

from limbeck.data.task import Task
from limbeck.distillation.difficulty import EL2N, Difficulty, Forgetting, GraNd
from limbeck.distillation.distiller import Distiller, Situation, stored_per_class
from limbeck.distillation.gauge import Gauge
from limbeck.distillation.real_pool import Everything, RealPool
from limbeck.distillation.result import Made, finished
from limbeck.distillation.teacher import checked_temperature, teacher
from limbeck.errors import OptionError
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.values import value

__all__ = ["EL2N", "Difficulty", "DifficultySelection", "Forgetting", "GraNd"]


@final
@value
class DifficultySelection(Distiller):
    """Real training examples by difficulty, class by class.

    measure:  what hard means.  networks: trained ones whose scores are averaged, ≥ 1.
    pool:     "hard", as published for large sets; "easy", which serves small ones better [sorscher2022pruning];
              "middle": around the median.
    teacher:  how the networks are trained, and the one that gives labels where ``soft``.
    soft, temperature, within: as in Selection.
    """

    name: str
    measure: Difficulty
    recipe: Configuration
    teacher: Configuration
    pool: str = "hard"
    networks: int = 3
    soft: bool = False
    temperature: float = 1.0
    within: RealPool = Everything()

    def __post_init__(self) -> None:
        checked_temperature(self.temperature)
        if self.networks < 1:
            raise OptionError(f"difficulty was to be measured by {self.networks} networks: at least 1 is needed.")
        if self.pool not in ("hard", "middle", "easy"):
            raise OptionError(f"the pool is '{self.pool}': it is hard, middle or easy.")

    def distill(self, task: Task, situation: Situation) -> SyntheticSet:
        counts = stored_per_class(task, situation.per_class)
        self.within.check(task, counts)
        scores = Gauge(self.measure, self.teacher, self.networks).real(task, situation)
        places = self.within.places(task, self.teacher, situation)
        picked = []
        for label, count in enumerate(counts):
            mine = task.train.of_class(label)[places[label]]
            picked.append(mine[self._rank(scores[label][places[label]])[:count]])
        inputs = task.train.take(torch.cat(picked))
        targets = None
        if self.soft:
            guide = teacher(task, self.teacher, situation)
            targets = torch.softmax(guide.logits(inputs.to(guide.compute.device)) / self.temperature, dim=1)
        labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        return finished(self, task, situation, Made({"pixels": inputs}, labels, targets))

    def _rank(self, scores: Tensor) -> Tensor:
        """Indices, the ones to take first in front; of equal scores the earlier example."""
        if self.pool == "hard":
            return scores.argsort(descending=True, stable=True)
        if self.pool == "easy":
            return scores.argsort(stable=True)
        place = scores.argsort(stable=True).argsort()
        return (place - len(scores) // 2).abs().argsort(stable=True)
