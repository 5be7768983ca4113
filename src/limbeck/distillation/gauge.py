"""Networks trained on the real training split, and how hard examples are for them; scores of real ones are kept."""

import dataclasses
import os
import shutil
from pathlib import Path
from typing import final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from limbeck.compilation import settled
from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.task import Task
from limbeck.distillation.difficulty import Difficulty, Fits, Paths
from limbeck.distillation.distiller import Situation
from limbeck.errors import FitError, OptionError
from limbeck.files import write_atomically
from limbeck.networks.network import Network
from limbeck.seeds import derive
from limbeck.training.configuration import Configuration, Schedule, Updates
from limbeck.training.cost import forward_seconds
from limbeck.training.predict import fitted_along
from limbeck.training.stages import Stages
from limbeck.training.train import train
from limbeck.values import canonical, digest, value

__all__ = ["Gauge", "Panel"]

_SCORES: dict[str, tuple[Tensor, ...]] = {}  # of the gauges that were asked last, class by class
MOST = 8  # gauges whose scores are kept in memory: a study asks for the same ones at every size


@final
class Panel:
    """Networks along whose training ``measure`` looks, and batch norm's ``statistics`` there, () without."""

    def __init__(
        self, measure: Difficulty, network: Network, paths: Paths, compute: Compute, statistics: Fits = ()
    ) -> None:
        self.measure, self.network, self.paths, self.compute = measure, network, paths, compute
        self.statistics = statistics

    def scores(self, inputs: Tensor, label: int) -> Tensor:
        """(n,) float32 on the CPU: how hard preprocessed ``inputs`` of one class are."""
        examples = Examples(inputs, torch.full((len(inputs),), label)).to(self.compute.torch_device)
        scores = self.measure.scores(self.network, self.paths, examples, self.compute, self.statistics)
        return scores.float().cpu()


@final
@value
class Gauge:
    """How difficulty is measured: ``measure``, by so many ``networks``, trained as ``training`` says.

    Only the training split is seen. Networks are trained as far as the measure looks. Batch norm takes, as where a
    trained network is judged, its statistics over training inputs at the point looked at, over 4096 of them at most.
    """

    measure: Difficulty
    training: Configuration
    networks: int = 3

    def __post_init__(self) -> None:
        if self.networks < 1:
            raise OptionError(f"difficulty was to be measured by {self.networks} networks: at least 1 is needed.")

    def panel(self, task: Task, situation: Situation, stages: Stages | None = None) -> Panel:
        """Trained networks, decided by the situation's seed. Raises FitError where one of them diverges."""
        network = self.training.architecture.build(task.shape, len(task.classes))
        shown = forward_seconds(network, len(task.train)) * len(self.measure.keep) * self.networks
        compute = settled(situation.compute, work_seconds=shown)
        whole = self.training.length.updates(len(task.train), self.training.batch)
        marks = [round(share * whole) for share in self.measure.keep]
        last = max(1, *marks)
        begun = dataclasses.replace(
            self.training, schedule=Opening(self.training.schedule, whole), length=Updates(last)
        )
        trained = train(
            network,
            begun,
            task.train,
            seeds=[derive(situation.seed, "difficulty", i) for i in range(self.networks)],
            compute=situation.compute.resolve(),
            keep=[mark / last for mark in marks],
            stages=stages,
        )
        for failure in trained.failures:
            if failure:
                raise FitError(
                    f"a network that was to measure difficulty {failure} Use another --set teacher.optimizer.lr."
                )
        statistics = tuple(fitted_along(network, path, task.train, compute) for path in trained.snapshots)
        return Panel(self.measure, network, trained.snapshots, compute, statistics)

    def real(self, task: Task, situation: Situation) -> tuple[Tensor, ...]:
        """Scores (n_c,) of all real training examples, class by class in the order of ``task.train.of_class``.

        Kept in memory and, where the situation has one, in its cache. Raises Paused where the session ended before.
        """
        name = self._name(task, situation)
        if name not in _SCORES:
            while len(_SCORES) >= MOST:
                del _SCORES[next(iter(_SCORES))]
            _SCORES[name] = self._stored(task, situation, name)
        return _SCORES[name]

    def _name(self, task: Task, situation: Situation) -> str:
        seen = [task.fingerprint, task.split_seed, task.preprocessing.digest()]
        compute = situation.compute.resolve()
        how = [compute.precision, compute.torch_device.type, compute.compilation, compute.chunk]
        return digest([canonical(self), seen, situation.seed, how])

    def _stored(self, task: Task, situation: Situation, name: str) -> tuple[Tensor, ...]:
        path = None if situation.cache is None else situation.cache / f"difficulty-{name}.safetensors"
        found = _load(path, task.counts)
        if found is None:
            stages = situation.stages(f"difficulty-{name}")
            panel = self.panel(task, situation, stages)
            found = tuple(panel.scores(task.train.take(task.train.of_class(c)), c) for c in range(len(task.classes)))
            if path is not None:
                write_atomically(path, save({str(c): scores.contiguous() for c, scores in enumerate(found)}))
            if stages is not None:
                shutil.rmtree(stages.directory, ignore_errors=True)
        return found


@final
@value
class Opening(Schedule):
    """The beginning of a training that was planned for ``whole`` updates and ends early."""

    schedule: Schedule
    whole: int
    warmup: float = 0.0

    def factor(self, update: int, total: int) -> float:
        del total
        return self.schedule.factor(update, self.whole)


def _load(path: Path | None, counts: tuple[int, ...]) -> tuple[Tensor, ...] | None:
    if path is None or not path.exists():
        return None
    try:
        stored = load_file(path)
        found = tuple(stored[str(c)] for c in range(len(counts)))
    except (SafetensorError, OSError, KeyError):
        found = ()
    if tuple(len(scores) for scores in found) != counts:
        os.unlink(path)  # damaged: it will be measured again
        return None
    return found
