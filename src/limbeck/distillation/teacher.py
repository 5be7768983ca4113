"""Networks trained on the real training split: they give soft labels and features to choose by."""

import math
import os
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.distillation.distiller import Situation
from limbeck.errors import FitError, OptionError
from limbeck.files import write_atomically
from limbeck.networks.network import Network, Statistics
from limbeck.shapes import Params
from limbeck.training.configuration import Configuration
from limbeck.training.predict import fitted, predict
from limbeck.training.stages import Stages
from limbeck.training.train import train
from limbeck.values import canonical, digest

__all__ = ["Teacher", "teacher"]


_SEEN: dict[str, dict[int, Tensor]] = {}  # features of the teacher that was asked last, class by class
MOST = 2**30  # bytes of features that are kept


class Teacher:
    """A trained network and its batch statistics; ``name`` is the digest of what it came from."""

    def __init__(self, network: Network, stored: dict[str, Tensor], compute: Compute, name: str) -> None:
        self.network, self.compute, self.name = network, compute, name
        self.params: Params = {k[2:]: v for k, v in stored.items() if k.startswith("p/")}
        self.statistics: Statistics = {k[2:]: v for k, v in stored.items() if k.startswith("s/")}

    def logits(self, inputs: Tensor) -> Tensor:
        """(n, k) float32."""
        return predict(self.network, self.params, inputs, statistics=self.statistics or None, compute=self.compute)

    def features(self, task: Task, label: int) -> Tensor:
        """(n, d) float32 on the CPU: the embedding of every training example of a class.

        Kept in memory for the next selection by the same teacher: a study asks for the same ones again and again.
        """
        if self.name not in _SEEN:
            _SEEN.clear()
        seen = _SEEN.setdefault(self.name, {})
        if label in seen:
            return seen[label]
        found = self._embedding(task, label)
        if sum(f.nbytes for f in seen.values()) + found.nbytes <= MOST:
            seen[label] = found
        return found

    @torch.no_grad()
    def _embedding(self, task: Task, label: int) -> Tensor:
        parts = []
        for index in torch.split(task.train.of_class(label), 64):
            inputs = task.train.take(index).to(self.compute.device)
            parts.append(self.network(self.params, inputs, self.statistics or None).embedding.float().cpu())
        return torch.cat(parts)


def checked_temperature(temperature: float) -> None:
    """OptionError unless soft labels can be made at ``temperature``."""
    if not 0 < temperature < math.inf:
        raise OptionError(f"the temperature of soft labels is {temperature:g}: it must be a finite number above 0.")


def teacher(task: Task, configuration: Configuration, situation: Situation) -> Teacher:
    """The network that ``configuration`` makes of the training split at the situation's seed; kept in its cache.

    Raises Paused where the session ended before it was trained.
    """
    network = configuration.architecture.build(task.shape, len(task.classes))
    compute = situation.compute.resolve()
    seen = [task.fingerprint, task.split_seed, task.preprocessing.digest()]
    how = [compute.precision, compute.torch_device.type, compute.compilation, compute.chunk]
    name = digest([canonical(configuration), *seen, situation.seed, *how])
    path = None if situation.cache is None else situation.cache / f"teacher-{name}.safetensors"
    stored = _load(path, compute.device)
    if stored is None:
        stages = situation.stages(f"teacher-{name}")
        stored = _train(task, network, configuration, situation, stages)
        if path is not None:
            write_atomically(path, save({k: v.cpu().contiguous().clone() for k, v in stored.items()}))
        if stages is not None:
            shutil.rmtree(stages.directory, ignore_errors=True)
    return Teacher(network, stored, compute, name)


def _train(
    task: Task, network: Network, configuration: Configuration, situation: Situation, stages: Stages | None
) -> dict[str, Tensor]:
    seeds, compute = (situation.seed,), situation.compute
    outcome = train(network, configuration, task.train, seeds=seeds, compute=compute, stages=stages)
    if outcome.failures[0]:
        raise FitError(
            f"the teacher could not be trained: {outcome.failures[0]} Use another --set teacher=… configuration."
        )
    params = outcome.params[0]
    statistics = fitted(network, params, task.train, situation.compute)
    return {**{f"p/{k}": v for k, v in params.items()}, **{f"s/{k}": v for k, v in statistics.items()}}


def _load(path: Path | None, device: str) -> dict[str, Tensor] | None:
    if path is None or not path.exists():
        return None
    try:
        return load_file(path, device=device)
    except (SafetensorError, OSError):
        os.unlink(path)  # damaged: it will be trained again
        return None
