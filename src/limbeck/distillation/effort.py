"""How much eager work a distillation is, by its sizes alone."""

from limbeck.data.task import Task
from limbeck.matching.state import Audience
from limbeck.matching.surrogate import Needs
from limbeck.networks.network import Architecture
from limbeck.training.cost import forward_seconds

__all__ = ["step_seconds"]


def step_seconds(
    task: Task, architecture: Architecture, *, needs: Needs, audience: Audience | None, real: int, synthetic: int
) -> float:
    """Computed seconds of a matching step on ``real`` examples a class and ``synthetic`` ones in all.

    A gradient costs three forward passes, and its pull six more. Each of an audience's networks is a graph of its own,
    so that the work of one counts: compiling pays for each or for none.
    """
    seen = real * len(task.classes) * (3 if needs.gradients else 1) if needs.real else 0
    made = synthetic * (9 if needs.gradients else 3)
    kinds = 1 if audience is None else len({c.architecture for c in audience.space.configurations})
    return forward_seconds(architecture.build(task.shape, len(task.classes)), seen + made) / kinds
