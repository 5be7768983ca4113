"""The one outer loop: parametrisation × labels × state × surrogate × optimizer, resumable at any iteration.

Invariant at the top of iteration i: ``standing`` is a function of (distiller, task, per_class, seed, i) alone. So a run
that was killed and started again ends with the same bytes, and a run that is rolled back is repeatable too.
"""

import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple, final

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation
from limbeck.data.examples import Examples
from limbeck.data.nothing import Nothing
from limbeck.data.placement import on_device
from limbeck.data.task import Task
from limbeck.distillation.checkpoint import Standing, read_standing, write_standing
from limbeck.distillation.distiller import Distiller, Progress, Situation, stored_per_class
from limbeck.distillation.result import Made, finished
from limbeck.distillation.teacher import teacher
from limbeck.errors import FitError
from limbeck.files import writing
from limbeck.matching.batch import Batch
from limbeck.matching.discrepancy import Context
from limbeck.matching.real_side import RealSide
from limbeck.matching.state import State, Surroundings
from limbeck.matching.surrogate import Place, Surrogate
from limbeck.seeds import generator
from limbeck.synthetic.initial import Initial, RealRandom
from limbeck.synthetic.labels import HardLabels, LabelRule, LearnedLabels
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.synthetic.pixels import Pixels
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.training.optimizer import SGD, Optimizer
from limbeck.values import value

__all__ = ["MatchingDistiller"]

MOST_ROLLBACKS = 10
LABELS = "labels/"  # variables that belong to labels carry this prefix in a standing
CELLS = 100  # checkpoints a run; rollback and resume share these places, so that both are repeatable


class _Frame(NamedTuple):
    """What does not change while the loop runs."""

    task: Task
    situation: Situation
    device: torch.device
    real: RealSide
    labels: Tensor  # (k,) of the stored examples, ascending
    sizes: tuple[int, ...]  # decoded examples of each class


@final
@value
class MatchingDistiller(Distiller):
    """Minimises a surrogate over the variables of a synthetic set by gradient descent.

    surrogate, state: what is compared, and where in weight space.
    augmentation:  one draw an iteration, shared by the real and the synthetic batch (siamese).
    optimizer:     of the variables; its ``lr`` is the image learning rate.
    iterations:    matching steps.
    real_batch:    real examples a class and iteration.
    labels:        learned ones are optimised along; a teacher's are given to the finished images (matching: hard).
    teacher:       how the network that gives labels is trained on the real training split, where one is needed.
    recipe:        how the finished set is meant to be trained on.
    """

    name: str
    surrogate: Surrogate
    state: State
    recipe: Configuration
    augmentation: Augmentation = Nothing()
    parametrisation: Parametrisation = Pixels()
    initial: Initial = RealRandom()
    labels: LabelRule = HardLabels()
    optimizer: Optimizer = SGD(lr=1.0, momentum=0.5, weight_decay=0.0)
    iterations: int = 1000
    real_batch: int = 256
    teacher: Configuration | None = None

    def distill(self, task: Task, situation: Situation) -> SyntheticSet | None:
        per_class = stored_per_class(task, situation.per_class, self.parametrisation.multiplicity)
        compute = situation.compute.resolve()
        situation = replace(situation, compute=compute)
        device = compute.torch_device
        task = on_device(task, device) if device.type != "cpu" else task
        labels = torch.repeat_interleave(torch.arange(len(task.classes)), torch.tensor(per_class))
        sizes = tuple(n * self.parametrisation.multiplicity for n in per_class)
        real = RealSide(task.train, len(task.classes), device)
        frame = _Frame(task, situation, device, real, labels.to(device), sizes)
        standing = self._resume(frame) or self._start(frame)
        with _Log(situation.directory, standing.iteration) as log:
            outcome = self._run(standing, frame, log)
        if outcome is None:
            return None
        targets = self._final_targets(outcome, frame)
        made = Made(
            _images(outcome.variables),
            labels,
            targets,
            outcome.losses,
            {"iterations": self.iterations, "rollbacks": outcome.attempt},
        )
        return finished(self, task, situation, made)

    # -- the loop ------------------------------------------------------------------------------------------------

    def _run(self, standing: Standing, frame: _Frame, log: "_Log") -> Standing | None:
        cell = max(1, self.iterations // CELLS)
        good, began = standing, time.perf_counter()
        while standing.iteration < self.iterations:
            moved, loss, parts = self._iterate(standing, frame)
            if moved is None:
                standing = self._roll_back(good, standing)
                log.write({"iteration": standing.iteration, "rolled_back": standing.attempt, "rate": standing.rate})
                continue
            if standing.iteration > good.iteration and standing.iteration % cell == 0:
                good = standing  # only now: the step from here was finite
                self._store(good, frame)
                if frame.situation.until is not None and time.perf_counter() - began > frame.situation.until:
                    return None
            standing = moved
            log.write({"iteration": standing.iteration, "loss": loss, **parts})
            seconds = time.perf_counter() - began
            frame.situation.watch(Progress(standing.iteration, self.iterations, loss, seconds))
        return standing

    def _iterate(self, now: Standing, frame: _Frame) -> tuple[Standing | None, float, dict[str, float]]:
        """One step of the variables, then one move in weight space; None where something became non-finite."""
        variables = {k: v.detach().requires_grad_() for k, v in now.variables.items()}
        inputs = self.parametrisation.decode(_images(variables))
        targets = self._targets(variables)
        synthetic, real = self._batches(inputs, targets, now, frame)
        place = Place(
            now.location.network(self._surroundings(now, frame)), now.location.params, frame.situation.compute
        )
        context = Context(now.iteration / self.iterations, self._generator(now, "context", frame), dict(now.learned))
        seen = replace(synthetic, inputs=synthetic.inputs.detach(), targets=_detached(synthetic.targets))
        reading = self.surrogate.read(real, seen, place, context)
        outputs, cotangents = [synthetic.inputs], [reading.cotangents.inputs]
        if synthetic.targets is not None and reading.cotangents.targets is not None and synthetic.targets.requires_grad:
            outputs, cotangents = [*outputs, synthetic.targets], [*cotangents, reading.cotangents.targets]
        names = list(variables)
        grads = torch.autograd.grad(outputs, [variables[k] for k in names], cotangents, allow_unused=True)
        loss = float(reading.loss)
        finite = [torch.isfinite(g).all() for g in grads if g is not None]
        if not (torch.isfinite(reading.loss) and all(bool(f) for f in finite)):
            return None, loss, reading.parts
        filled = {k: torch.zeros_like(now.variables[k]) if g is None else g for k, g in zip(names, grads, strict=True)}
        stepped, moments = self._step(now, filled)
        following = replace(
            now,
            iteration=now.iteration + 1,
            variables=stepped,
            moments=moments,
            learned=context.state,
            losses=_thin(now.losses, (now.iteration, loss), self.iterations),
        )
        if following.iteration == self.iterations:
            return following, loss, reading.parts
        return (
            replace(following, location=self.state.move(now.location, self._surroundings(following, frame))),
            loss,
            reading.parts,
        )

    def _step(self, now: Standing, grads: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Variables and moments after one step of each group: images, and labels where they are learned."""
        groups: list[tuple[str, Optimizer]] = [("", self.optimizer)]
        if isinstance(self.labels, LearnedLabels):
            groups.append((LABELS, SGD(lr=self.labels.lr, momentum=self.labels.momentum, weight_decay=0.0)))
        variables: dict[str, Tensor] = {}
        moments: dict[str, Tensor] = {}
        for prefix, optimizer in groups:
            names = [k for k in now.variables if k.startswith(LABELS) == bool(prefix)]
            weights = [now.variables[k] for k in names]
            mine = {k[len(prefix) :]: v for k, v in now.moments.items() if k.startswith(LABELS) == bool(prefix)}
            before = _unpack(mine, names) if mine else optimizer.init(weights)
            after, state = optimizer.step(weights, [grads[k] for k in names], before, optimizer.lr * now.rate)
            variables |= dict(zip(names, after, strict=True))
            moments |= {prefix + k: v for k, v in _pack(state, names).items()}
        return variables, moments

    def _batches(
        self, inputs: Tensor, targets: Tensor | None, now: Standing, frame: _Frame
    ) -> tuple[Batch, Batch | None]:
        """The synthetic and the real batch under one shared augmentation draw."""
        draw = self.augmentation.draw(1, frame.task.shape, self._generator(now, "augment", frame))
        classes = tuple(range(len(frame.sizes)))
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        augmented = self.augmentation.apply(inputs, draw)
        synthetic = Batch(augmented, hard, classes, frame.sizes, targets)
        if not self.surrogate.needs.real:
            return synthetic, None
        real = frame.real.draw(classes, self.real_batch, generator(*self._purpose(now, "real", frame)))
        with torch.no_grad():
            return synthetic, replace(real, inputs=self.augmentation.apply(real.inputs, draw))

    def _surroundings(self, now: Standing, frame: _Frame) -> Surroundings:
        with torch.no_grad():
            inputs = self.parametrisation.decode(_images(now.variables))
            soft = self._targets(now.variables)
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        return Surroundings(
            shape=frame.task.shape,
            classes=len(frame.task.classes),
            real=frame.real,
            synthetic=Examples(inputs, hard if soft is None else soft),
            augmentation=self.augmentation,
            generator=self._generator(now, "state", frame),
            compute=frame.situation.compute,
        )

    # -- labels ----------------------------------------------------------------------------------------------------

    def _targets(self, variables: dict[str, Tensor]) -> Tensor | None:
        """Targets that matching sees: the learned ones, else None (hard)."""
        if not self.labels.learned:
            return None
        return self.labels.targets({k[len(LABELS) :]: v for k, v in variables.items() if k.startswith(LABELS)})

    def _final_targets(self, standing: Standing, frame: _Frame) -> Tensor | None:
        if self.labels.learned or not self.labels.needs_teacher:
            return self._targets(standing.variables)
        with torch.no_grad():
            inputs = self.parametrisation.decode(_images(standing.variables))
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        started = self.labels.start(hard, len(frame.task.classes), self._teacher_logits(inputs, frame))
        return self.labels.targets(started)

    def _teacher_logits(self, inputs: Tensor, frame: _Frame) -> Tensor:
        if self.teacher is None:
            raise FitError(
                f"{self.name} was asked for a teacher's labels, but has no teacher: set one (teacher=Configuration)."
            )
        return teacher(frame.task, self.teacher, frame.situation).logits(inputs)

    # -- beginning, resuming, trouble ------------------------------------------------------------------------------

    def _start(self, frame: _Frame) -> Standing:
        seed = frame.situation.seed
        stored = torch.bincount(frame.labels.cpu(), minlength=len(frame.task.classes)).tolist()
        first = self.initial.inputs(
            frame.task.train,
            tuple(stored),
            multiplicity=self.parametrisation.multiplicity,
            generator=generator(seed, "initial"),
            classes=frame.task.classes,
        ).to(frame.device)
        variables = dict(self.parametrisation.encode(first))
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        if self.labels.learned:
            guess = self._teacher_logits(first, frame) if self.labels.needs_teacher else None
            started = self.labels.start(hard, len(frame.task.classes), guess)
            variables |= {LABELS + k: v for k, v in started.items()}
        empty = Examples(first[:0], hard[:0])
        nowhere = Surroundings(
            shape=frame.task.shape,
            classes=len(frame.task.classes),
            real=frame.real,
            synthetic=empty,
            augmentation=self.augmentation,
            generator=generator(seed, "state", "start", device=frame.device),
            compute=frame.situation.compute,
        )
        return Standing(0, 0, 1.0, variables, {}, self.state.start(nowhere), {}, ())

    def _resume(self, frame: _Frame) -> Standing | None:
        directory = frame.situation.directory
        path = None if directory is None else directory / "checkpoint.safetensors"
        return read_standing(path, str(frame.device)) if path is not None and path.exists() else None

    def _store(self, standing: Standing, frame: _Frame) -> None:
        if frame.situation.directory is not None:
            write_standing(frame.situation.directory / "checkpoint.safetensors", standing)

    def _roll_back(self, good: Standing, failed: Standing) -> Standing:
        attempt = failed.attempt + 1
        if attempt > MOST_ROLLBACKS:
            raise FitError(
                f"{self.name} became non-finite {attempt} times, last at iteration {failed.iteration} with the rate "
                f"at {failed.rate:.1e} of the one given: set a smaller one (--set lr=…)."
            )
        return replace(good, attempt=attempt, rate=failed.rate * 0.5)

    def _purpose(self, now: Standing, purpose: str, frame: _Frame) -> tuple[int, str, int, int]:
        return frame.situation.seed, purpose, now.iteration, now.attempt

    def _generator(self, now: Standing, purpose: str, frame: _Frame) -> torch.Generator:
        return generator(*self._purpose(now, purpose, frame), device=frame.device)


class _Log:
    """``log.jsonl``: one line an iteration; on resuming, lines past the checkpoint are cut off."""

    def __init__(self, directory: Path | None, iteration: int) -> None:
        self._path = None if directory is None else directory / "log.jsonl"
        self._file: IO[str] | None = None
        self._from = iteration

    def __enter__(self) -> "_Log":
        if self._path is not None:
            with writing(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                kept = _whole_lines(self._path, self._from) if self._path.exists() else []
                self._path.write_text("".join(kept))
                self._file = self._path.open("a", buffering=1)
        return self

    def write(self, line: dict[str, int | float]) -> None:
        if self._file is not None and self._path is not None:
            with writing(self._path):
                self._file.write(json.dumps(line) + "\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk: the write that met it has said so
                self._file.close()


def _whole_lines(path: Path, upto: int) -> list[str]:
    kept = []
    for line in path.read_text().splitlines(keepends=True):
        try:
            if line.endswith("\n") and json.loads(line)["iteration"] <= upto:
                kept.append(line)
        except (ValueError, KeyError):
            break
    return kept


def _thin(losses: tuple[tuple[int, float], ...], pair: tuple[int, float], total: int) -> tuple[tuple[int, float], ...]:
    """At most a few hundred points of the curve, always the same ones."""
    return (*losses, pair) if pair[0] % max(1, total // 200) == 0 else losses


def _pack(state: dict[str, list[Tensor]], names: list[str]) -> dict[str, Tensor]:
    return {
        f"{moment}:{names[i] if len(tensors) == len(names) and moment != 'step' else i}": tensor
        for moment, tensors in state.items()
        for i, tensor in enumerate(tensors)
    }


def _unpack(packed: dict[str, Tensor], names: list[str]) -> dict[str, list[Tensor]]:
    state: dict[str, list[Tensor]] = {}
    for moment in dict.fromkeys(key.split(":", 1)[0] for key in packed):
        wanted = names if moment != "step" else ["0"]
        state[moment] = [packed[f"{moment}:{name}"] for name in wanted]
    return state


def _images(variables: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v for k, v in variables.items() if not k.startswith(LABELS)}


def _detached(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.detach()
