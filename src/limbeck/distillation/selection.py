"""Distillers that only choose: the baselines that every distilled set has to beat."""

from typing import final

import torch
from torch import Tensor

from limbeck.data.task import Task
from limbeck.distillation.distiller import Distiller, Situation, stored_per_class
from limbeck.distillation.real_pool import Everything, RealPool
from limbeck.distillation.result import Made, finished
from limbeck.distillation.teacher import Teacher, checked_temperature, teacher
from limbeck.seeds import generator
from limbeck.synthetic.choose import Chooser, Random
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.values import value

__all__ = ["Selection"]


@final
@value
class Selection(Distiller):
    """Real training examples, chosen class by class.

    chooser:     how; it sees features of the class's examples.
    features:    "pixels", or "embedding": of the teacher.
    soft:        True stores the teacher's probabilities (at ``temperature``) as labels, False the hard labels.
    teacher:     how the network on the real training split is trained, where one is needed.
    within:      the real examples to choose among.
    """

    name: str
    chooser: Chooser
    recipe: Configuration
    teacher: Configuration
    features: str = "pixels"
    soft: bool = False
    temperature: float = 1.0
    within: RealPool = Everything()

    def __post_init__(self) -> None:
        checked_temperature(self.temperature)

    def distill(self, task: Task, situation: Situation) -> SyntheticSet:
        counts = stored_per_class(task, situation.per_class)
        self.within.check(task, counts)
        wise = self.soft or self.features == "embedding"
        guide = teacher(task, self.teacher, situation) if wise and not self._blind else None
        places = self.within.places(task, self.teacher, situation)
        picked = []
        for label, k in enumerate(counts):
            mine = task.train.of_class(label)[places[label]]
            features = self._features(task, label, guide)[places[label]]
            # the same generator for every size: smaller random subsets are the beginnings of larger ones
            picked.append(mine[self.chooser.choose(features, k, generator(situation.seed, "choose", label))])
        chosen = torch.cat(picked)
        inputs = task.train.take(chosen)
        targets = None
        if self.soft:
            guide = guide or teacher(task, self.teacher, situation)
            targets = torch.softmax(guide.logits(inputs.to(guide.compute.device)) / self.temperature, dim=1)
        labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        return finished(self, task, situation, Made({"pixels": inputs}, labels, targets))

    @property
    def _blind(self) -> bool:
        return isinstance(self.chooser, Random)

    def _features(self, task: Task, label: int, guide: Teacher | None) -> Tensor:
        """(n, d) of all training examples of a class."""
        mine = task.train.of_class(label)
        if self._blind:
            return torch.zeros(len(mine), 1)
        if self.features == "embedding" and guide is not None:
            return guide.features(task, label)
        return task.train.take(mine).flatten(1).cpu()
