"""An exam: one split of a task, loaded once, that trained networks are examined on, each becoming one row."""

import json
import math
import weakref
from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from limbeck.compilation import settled
from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.task import Pool, Task
from limbeck.distillation.result import versions
from limbeck.errors import OptionError, unknown
from limbeck.evaluation.origin import Origin
from limbeck.evaluation.records import SPLITS, Record
from limbeck.networks.network import Network
from limbeck.seeds import derive
from limbeck.shapes import Params
from limbeck.training.configuration import Configuration
from limbeck.training.cost import forward_seconds, training_seconds
from limbeck.training.predict import fitted, predict
from limbeck.training.stages import Stages
from limbeck.training.train import Trained, train
from limbeck.values import digest

__all__ = ["SHARES", "Exam", "Taught", "checked_seeds"]

SHARES = (0.6, 0.8)  # of the updates at which snapshots are kept, besides the last weights
_FITS = 2**30  # bytes of inputs that are kept on the device instead of drawn chunk by chunk
_LOADED: weakref.WeakKeyDictionary[Pool, dict[str, Tensor]] = weakref.WeakKeyDictionary()


class Taught(NamedTuple):
    """Networks of one configuration, one a seed, what they were trained on, and how they are computed."""

    network: Network
    configuration: Configuration
    examples: Examples | Pool
    seeds: tuple[int, ...]
    trained: Trained
    compute: Compute


class _Paper(NamedTuple):
    """One split: inputs on the device (or the pool, where they do not fit) and labels beside them."""

    inputs: Tensor | Pool
    labels: Tensor


class _Grades(NamedTuple):
    """Right or wrong of each example on the split, and validation accuracy."""

    correct: Tensor
    selected: float
    validation: float


@final
class Exam:
    """Validation and the asked split of ``task``, ready on the device.

    The only place where the test split is opened, and only for ``split="test"``. reader: who is named in its log.
    stages: where a training stops (Paused) when their time is over, to go on in the next session.
    """

    def __init__(self, task: Task, split: str, *, reader: str, compute: Compute, stages: Stages | None = None) -> None:
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        self.task, self.split, self.compute, self._stages = task, split, compute.resolve(), stages
        self._validation = self._paper(task.validation)
        self._asked = self._paper(task.test.open(reader)) if split == "test" else self._validation

    def teach(
        self, origin: Origin, configuration: Configuration, examples: Examples | Pool, seeds: tuple[int, ...]
    ) -> Taught:
        """Train one network a seed; networks of different distillation seeds share no randomness (seeds are nested)."""
        network = configuration.architecture.build(self.task.shape, len(self.task.classes))
        nested = [derive(origin.distillation_seed, "evaluation", seed) for seed in seeds]
        compute = settled(self.compute, work_seconds=self._work(network, configuration, len(examples), len(seeds)))
        outcome = train(
            network, configuration, examples, seeds=nested, compute=compute, keep=SHARES, stages=self._stages
        )
        return Taught(network, configuration, examples, seeds, outcome, compute)

    def _work(self, network: Network, configuration: Configuration, stored: int, networks: int) -> float:
        """Computed seconds of eager work: training, and what each network is shown afterwards."""
        updates = configuration.length.updates(stored, configuration.batch)
        trained = training_seconds(network, min(stored, configuration.batch), updates)
        shown = len(self._asked.labels) + (1 + len(SHARES)) * len(self._validation.labels)
        return networks * (trained + forward_seconds(network, shown))

    def rows(self, origin: Origin, taught: Taught) -> tuple[Record, ...]:
        """Examine each network."""
        return tuple(self.row(origin, taught, place) for place in range(len(taught.seeds)))

    def row(self, origin: Origin, taught: Taught, place: int) -> Record:
        """Examine one network; one whose loss or outputs were not finite becomes a row without accuracies."""
        failure = taught.trained.failures[place]
        grades = None if failure else self._grades(taught, place)
        failure = failure or ("" if grades is not None else "its outputs became infinite or not a number.")
        return self._row(origin, taught, taught.seeds[place], grades, failure)

    def validation(self, taught: Taught) -> float:
        """Mean validation accuracy of the last weights over the networks that finished; NaN for none."""
        scores = []
        for params, failure in zip(taught.trained.params, taught.trained.failures, strict=True):
            correct = None if failure else self._correct(taught, params, self._validation)
            scores += [] if correct is None else [_share(correct)]
        return sum(scores) / len(scores) if scores else math.nan

    def _grades(self, taught: Taught, place: int) -> _Grades | None:
        last = taught.trained.params[place]
        correct = self._correct(taught, last, self._asked)
        if correct is None:
            return None
        tried = [*taught.trained.snapshots[place], last]
        marks = [self._validated(taught, params) for params in tried]
        # of equally good snapshots the latest; without validation examples there is nothing to choose by
        best = max(range(len(tried)), key=lambda i: (-1.0 if math.isnan(marks[i]) else marks[i], i))
        chosen = correct if best == len(tried) - 1 else self._correct(taught, tried[best], self._asked)
        return _Grades(correct, _share(correct if chosen is None else chosen), marks[-1])

    def _validated(self, taught: Taught, params: Params) -> float:
        correct = self._correct(taught, params, self._validation)
        return math.nan if correct is None else _share(correct)

    def _correct(self, taught: Taught, params: Params, paper: _Paper) -> Tensor | None:
        """(n,) bool: is the most probable class the right one? None where a logit is not finite."""
        statistics = fitted(taught.network, params, taught.examples, taught.compute)
        logits = predict(taught.network, params, paper.inputs, statistics=statistics, compute=taught.compute)
        return logits.argmax(1) == paper.labels if bool(torch.isfinite(logits).all()) else None

    def _row(self, origin: Origin, taught: Taught, seed: int, grades: _Grades | None, failure: str) -> Record:
        recalls = self._recalls(grades)
        seen = [recall for recall in recalls if not math.isnan(recall)]
        bits = b"" if grades is None else np.packbits(grades.correct.cpu().numpy()).tobytes()
        return Record(
            set=origin.set,
            method=origin.method,
            per_class=origin.per_class,
            stored=origin.stored,
            distillation_seed=origin.distillation_seed,
            labels=origin.labels,
            configuration=taught.configuration.name,
            seed=seed,
            updates=taught.trained.updates,
            split=self.split,
            accuracy=math.nan if grades is None else _share(grades.correct),
            selected=math.nan if grades is None else grades.selected,
            validation=math.nan if grades is None else grades.validation,
            balanced=sum(seen) / len(seen) if seen else math.nan,
            recalls=recalls,
            correct=bits,
            examples=0 if grades is None else len(grades.correct),
            seconds=taught.trained.seconds / len(taught.seeds),
            fingerprint=self.task.fingerprint,
            split_seed=self.task.split_seed,
            versions=_versions(taught.compute),
            failure=failure,
            recipe=digest(taught.configuration),
        )

    def _recalls(self, grades: _Grades | None) -> tuple[float, ...]:
        classes = len(self.task.classes)
        if grades is None:
            return (math.nan,) * classes
        total = torch.bincount(self._asked.labels, minlength=classes)
        right = torch.bincount(self._asked.labels[grades.correct], minlength=classes)
        return tuple((right.double() / total.double()).tolist())  # 0/0 is NaN: the split lacks this class

    def _paper(self, pool: Pool) -> _Paper:
        device = self.compute.torch_device
        return _Paper(_inputs(pool, device), pool.labels.to(device))


def _inputs(pool: Pool, device: torch.device) -> Tensor | Pool:
    """All inputs of ``pool`` on ``device``, loaded once in its life; the pool itself where they do not fit."""
    if 4 * len(pool) * math.prod(pool.shape) > _FITS:
        return pool
    held = _LOADED.setdefault(pool, {})
    if str(device) not in held:
        held[str(device)] = pool.take(torch.arange(len(pool))).to(device)
    return held[str(device)]


def _versions(compute: Compute) -> str:
    """Versions and machinery that a row depends on, as JSON."""
    here = {"device": compute.device, "precision": compute.precision, "threads": str(torch.get_num_threads())}
    return json.dumps({**versions(), **here}, sort_keys=True)


def _share(correct: Tensor) -> float:
    return float(correct.double().mean()) if len(correct) else math.nan


def checked_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """0 … n − 1 for a number n, else the seeds themselves. Raises OptionError."""
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds) if isinstance(seeds, Sequence) else ()
    if not chosen or not all(isinstance(seed, int) for seed in chosen) or len(set(chosen)) < len(chosen):
        raise OptionError(f"the seeds are {seeds}: give a number of at least 1, or different seeds.")
    return chosen
