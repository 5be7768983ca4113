"""What the labels of a synthetic set are: hard classes, a teacher's probabilities, or learned ones."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

import torch
from torch import Tensor

from limbeck.errors import FitError, OptionError
from limbeck.shapes import Labels, Params, Targets
from limbeck.values import value

__all__ = ["HardLabels", "LabelRule", "LearnedLabels", "TeacherLabels", "TriedLabels"]


class LabelRule(ABC):
    """A frozen value (``@value``). Its variables belong to the decoded examples: one row each."""

    learned: ClassVar[bool] = False  # True: the variables are optimised with the images

    @property
    @abstractmethod
    def needs_teacher(self) -> bool:
        """True where :meth:`start` needs the logits of a trained network."""

    @abstractmethod
    def start(self, hard: Labels, classes: int, teacher: Targets | None = None) -> Params:
        """Variables for decoded examples of classes ``hard`` (n,); ``teacher`` (n, classes) logits on their inputs.

        Raises FitError where a teacher is needed and none is given.
        """

    @abstractmethod
    def targets(self, variables: Params) -> Targets | None:
        """Probabilities (n, classes), differentiable in the variables; None for hard labels."""


@final
@value
class HardLabels(LabelRule):
    """The class of each example; nothing is stored besides."""

    @property
    def needs_teacher(self) -> bool:
        return False

    def start(self, hard: Labels, classes: int, teacher: Targets | None = None) -> Params:
        del hard, classes, teacher
        return {}

    def targets(self, variables: Params) -> Targets | None:
        del variables
        return None


@final
@value
class TeacherLabels(LabelRule):
    """p = softmax(z / temperature), z the logits of a network trained on real data; temperature > 0."""

    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise OptionError(f"the temperature is {self.temperature}: it divides logits and must be above 0.")

    @property
    def needs_teacher(self) -> bool:
        return True

    def start(self, hard: Labels, classes: int, teacher: Targets | None = None) -> Params:
        logits = _given(teacher, len(hard), classes)
        return {"targets": torch.softmax(logits.detach().to(torch.float32) / self.temperature, 1)}

    def targets(self, variables: Params) -> Targets | None:
        return variables["targets"]


@final
@value
class TriedLabels(LabelRule):
    """Hard labels or a teacher's, whichever train better networks on validation: decided once the images are finished.

    teacher:  the labels that are tried beside the hard ones.
    networks: that are trained with either, by the recipe of the set; ≥ 1.
    updates:  of each network at most, where the recipe counts updates; ≥ 1.
    """

    teacher: TeacherLabels = TeacherLabels()
    networks: int = 3
    updates: int = 300

    def __post_init__(self) -> None:
        if self.networks < 1 or self.updates < 1:
            raise OptionError(
                f"labels are tried with {self.networks} networks of {self.updates} updates: at least 1 is needed."
            )

    @property
    def needs_teacher(self) -> bool:
        return True

    def start(self, hard: Labels, classes: int, teacher: Targets | None = None) -> Params:
        """Those of the teacher."""
        return self.teacher.start(hard, classes, teacher)

    def targets(self, variables: Params) -> Targets | None:
        """Those of the teacher; None, for hard labels, is for whoever has tried them to say."""
        return self.teacher.targets(variables)


@final
@value
class LearnedLabels(LabelRule):
    """p = softmax(y), y optimised by SGD with the images.

    lr, momentum: of that SGD; lr > 0, momentum in [0, 1).
    teacher:      start at a trained network's logits [guo2024datm]; else at the logits that give the hard class the
                  probability ``confidence`` in (0, 1) and share the rest.
    """

    learned: ClassVar[bool] = True

    lr: float = 5.0
    momentum: float = 0.9
    teacher: bool = True
    confidence: float = 0.9

    def __post_init__(self) -> None:
        if not self.lr > 0:
            raise OptionError(f"the learning rate of labels is {self.lr}: it must be above 0.")
        if not 0 <= self.momentum < 1:
            raise OptionError(f"the momentum of labels is {self.momentum}: it must lie in [0, 1).")
        if not 0 < self.confidence < 1:
            raise OptionError(f"the confidence of labels is {self.confidence}: it must lie strictly between 0 and 1.")

    @property
    def needs_teacher(self) -> bool:
        return self.teacher

    def start(self, hard: Labels, classes: int, teacher: Targets | None = None) -> Params:
        if self.teacher:
            return {"logits": _given(teacher, len(hard), classes).detach().to(torch.float32).clone()}
        rest = (1 - self.confidence) / (classes - 1)
        probabilities = torch.full((len(hard), classes), rest, device=hard.device)
        return {"logits": probabilities.scatter_(1, hard[:, None], self.confidence).log()}

    def targets(self, variables: Params) -> Targets | None:
        return torch.softmax(variables["logits"], 1)


def _given(teacher: Tensor | None, n: int, classes: int) -> Tensor:
    if teacher is None:
        raise FitError("these labels come from a teacher, and none was trained: give its logits, or use hard labels.")
    if teacher.shape != (n, classes):
        raise FitError(f"a teacher's logits are {tuple(teacher.shape)}, and ({n}, {classes}) are needed.")
    return teacher
