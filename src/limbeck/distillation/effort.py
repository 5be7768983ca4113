"""How much work a distillation is, by its sizes alone: eager passes on a CPU."""

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.distillation.label_choice import trial
from limbeck.matching.state import Audience
from limbeck.matching.surrogate import Needs
from limbeck.networks.network import Architecture
from limbeck.synthetic.labels import LabelRule, TriedLabels
from limbeck.training.configuration import Configuration
from limbeck.training.cost import forward_seconds, training_seconds

__all__ = ["labelling_seconds", "step_seconds"]

CUDA = 100.0  # times as fast: an assumption, kept low


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


def labelling_seconds(
    task: Task, rule: LabelRule, recipe: Configuration, teacher: Configuration | None, *, made: int, compute: Compute
) -> float:
    """Computed seconds after the last iteration: training the teacher, and the networks that labels are tried with.

    made: synthetic examples in all.
    """
    if rule.learned or not rule.needs_teacher or teacher is None:
        return 0.0
    jobs = [(teacher, len(task.train), 1)]
    if isinstance(rule, TriedLabels):
        jobs.append((trial(rule, recipe), made, 2 * rule.networks))
    total = 0.0
    for configuration, examples, networks in jobs:
        network = configuration.architecture.build(task.shape, len(task.classes))
        updates = configuration.length.updates(examples, configuration.batch)
        total += networks * training_seconds(network, min(configuration.batch, examples), updates)
        total += networks * forward_seconds(network, 0 if configuration is teacher else len(task.validation))
    return total / (CUDA if compute.torch_device.type == "cuda" else 1.0)
