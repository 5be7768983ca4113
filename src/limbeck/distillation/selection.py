"""Distillers that only choose: the baselines that every distilled set has to beat."""

from typing import final

import torch
from torch import Tensor

from limbeck.data.task import Task
from limbeck.distillation.distiller import Distiller, Situation, stored_per_class
from limbeck.distillation.result import Made, finished
from limbeck.distillation.teacher import Teacher, teacher
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
    """

    name: str
    chooser: Chooser
    recipe: Configuration
    teacher: Configuration
    features: str = "pixels"
    soft: bool = False
    temperature: float = 1.0

    def distill(self, task: Task, situation: Situation) -> SyntheticSet:
        counts = stored_per_class(task, situation.per_class)
        wise = self.soft or self.features == "embedding"
        guide = teacher(task, self.teacher, situation) if wise and not self._blind else None
        chosen = torch.cat([self._choose(task, label, k, guide, situation) for label, k in enumerate(counts)])
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

    def _choose(self, task: Task, label: int, k: int, guide: Teacher | None, situation: Situation) -> Tensor:
        mine = task.train.of_class(label)
        # the same generator for every size: smaller random subsets are the beginnings of larger ones
        randomness = generator(situation.seed, "choose", label)
        if self._blind:
            return mine[self.chooser.choose(torch.zeros(len(mine), 1), k, randomness)]
        if self.features == "embedding" and guide is not None:
            features = guide.features(task, label)
        else:
            features = task.train.take(mine).flatten(1).cpu()
        return mine[self.chooser.choose(features, k, randomness)]
