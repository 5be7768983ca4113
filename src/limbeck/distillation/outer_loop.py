"""The one outer loop: parametrisation × labels × state × surrogate × optimizer, resumable at any iteration.

Invariant at the top of iteration i: ``standing`` is a function of (distiller, task, per_class, seed, i) alone. So a run
that was killed and started again ends with the same bytes, and a run that is rolled back is repeatable too.
"""

import time
from dataclasses import replace
from typing import NamedTuple, final

import torch
from torch import Tensor

from limbeck.compilation import settled
from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.examples import Examples
from limbeck.data.nothing import Nothing
from limbeck.data.placement import on_device
from limbeck.data.task import Task
from limbeck.distillation.checkpoint import BETWEEN, CHECKPOINT, Standing, store, stored
from limbeck.distillation.distiller import Distiller, Progress, Situation, stored_per_class
from limbeck.distillation.effort import step_seconds
from limbeck.distillation.image_rate import GivenRate, ImageRate, doubt
from limbeck.distillation.label_choice import check_triable, choose_labels
from limbeck.distillation.levelling import levelled, served
from limbeck.distillation.log import Log
from limbeck.distillation.moments import packed, unpacked
from limbeck.distillation.parts import weighs_difficulty
from limbeck.distillation.real_pool import Everything, RealPool
from limbeck.distillation.rehearsal import check_pure, rehearse
from limbeck.distillation.result import Made, finished
from limbeck.distillation.teacher import teacher
from limbeck.errors import FitError
from limbeck.matching.batch import Batch
from limbeck.matching.discrepancy import Context
from limbeck.matching.real_side import RealSide
from limbeck.matching.state import State, Surroundings
from limbeck.matching.surrogate import Place, Surrogate
from limbeck.seeds import generator
from limbeck.synthetic.initial import Initial, RealRandom, Wanted
from limbeck.synthetic.labels import HardLabels, LabelRule, LearnedLabels, TriedLabels
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
PROBES = 5  # places at most that a rate is measured at; a twentieth of the run where that is fewer
PATIENCE = 60.0  # seconds that a session which is over goes on towards the next checkpoint, before it stops between two


class _Frame(NamedTuple):
    """What does not change while the loop runs."""

    task: Task
    situation: Situation
    compute: Compute
    device: torch.device
    real: RealSide
    labels: Tensor  # (k,) of the stored examples, ascending
    sizes: tuple[int, ...]  # decoded examples of each class


class _Slope(NamedTuple):
    """The surrogate at a place, and its gradient in the variables; ``finite`` is False where something is not."""

    loss: float
    parts: dict[str, float]
    grads: dict[str, Tensor]
    learned: dict[str, Tensor]
    finite: bool


@final
@value
class MatchingDistiller(Distiller):
    """Minimises a surrogate over the variables of a synthetic set by gradient descent.

    surrogate, state: what is compared, and where in weight space.
    augmentation:  one draw an iteration, shared by the real and the synthetic batch (siamese).
    optimizer:     of the variables; its ``lr`` is the image learning rate, unless ``rate`` measures another.
    iterations:    matching steps.
    real_batch:    real examples a class and iteration.
    labels:        learned ones are optimised along; a teacher's, or tried ones, are given to the finished images
                   (matching: hard).
    teacher:       how the network that gives labels is trained on the real training split, where one is needed.
    recipe:        how the finished set is meant to be trained on.
    within:        the real examples that are matched and started from.
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
    within: RealPool = Everything()
    rate: ImageRate = GivenRate()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences that a person should read before the run, and beside the set."""
        return (*filter(None, (self.state.whom,)), *self.surrogate.remarks)

    def distill(self, task: Task, situation: Situation) -> SyntheticSet | None:
        per_class = stored_per_class(task, situation.per_class, self.parametrisation.multiplicity)
        compute = self.settled(task, situation)
        device = compute.torch_device
        task = on_device(task, device) if device.type != "cpu" else task
        labels = torch.repeat_interleave(torch.arange(len(task.classes)), torch.tensor(per_class))
        sizes = tuple(n * self.parametrisation.multiplicity for n in per_class)
        self.within.check(task, sizes)
        check_triable(self.labels, task)
        check_pure(self.augmentation)
        few, soft = (min(self.real_batch, *task.counts), min(sizes)), self.labels.learned
        rehearse(self.surrogate, self.state, task=task, device=device, sizes=few, soft=soft)
        real = RealSide(self.within.part(task, self.teacher, situation), len(task.classes), device)
        frame = _Frame(task, situation, compute, device, real, labels.to(device), sizes)
        good = stored(situation.directory, CHECKPOINT, device) or self._start(frame)
        between = stored(situation.directory, BETWEEN, device)
        standing = between if between is not None and between.iteration > good.iteration else good
        with Log(situation.directory, standing.iteration) as log:
            outcome = self._run(good, standing, frame, log)
        if outcome is None:
            return None
        targets, why = self._final_targets(outcome, frame)
        made = Made(
            _images(outcome.variables),
            labels,
            targets,
            outcome.losses,
            {"iterations": self.iterations, "rollbacks": outcome.attempt, "lr": self._lr(outcome)},
            (*self.remarks, *filter(None, (doubt(outcome.lr), self._told(outcome), why))),
        )
        return finished(self, task, replace(situation, compute=compute), made)

    def _told(self, outcome: Standing) -> str:
        return self.state.told(outcome.location, served(outcome.squares))

    def settled(self, task: Task, situation: Situation) -> Compute:
        """How the loop is computed: decided by its sizes, once for the whole run."""
        per_class = stored_per_class(task, situation.per_class, self.parametrisation.multiplicity)
        step = step_seconds(
            task,
            self.recipe.architecture,
            needs=self.surrogate.needs,
            audience=self.state.audience,
            real=self.real_batch,
            synthetic=sum(per_class) * self.parametrisation.multiplicity,
        )
        return settled(situation.compute, work_seconds=step * self.iterations)

    # -- the loop ------------------------------------------------------------------------------------------------

    def _run(self, good: Standing, standing: Standing, frame: _Frame, log: Log) -> Standing | None:
        """From ``standing``, rolled back to ``good`` where something becomes non-finite."""
        cell, began = max(1, self.iterations // CELLS), time.perf_counter()
        while standing.iteration < self.iterations:
            moved, loss, parts = self._iterate(standing, frame)
            if moved is None:
                standing = self._roll_back(good, standing)
                log.write({"iteration": standing.iteration, "rolled_back": standing.attempt, "rate": standing.rate})
                continue
            if standing.iteration > good.iteration and standing.iteration % cell == 0:
                good = standing  # only now: the step from here was finite
                store(good, frame.situation.directory, CHECKPOINT)
                if frame.situation.late():
                    return None
            standing = moved
            log.write({"iteration": standing.iteration, "loss": loss, **parts})
            seconds = time.perf_counter() - began
            frame.situation.watch(Progress(standing.iteration, self.iterations, loss, seconds))
            if frame.situation.late(by=PATIENCE) and standing.iteration < self.iterations:
                store(standing, frame.situation.directory, BETWEEN)
                return None
        return standing

    def _iterate(self, now: Standing, frame: _Frame) -> tuple[Standing | None, float, dict[str, float]]:
        """One step of the variables, then one move in weight space; None where something became non-finite."""
        slope = self._slope(now, frame)
        if not slope.finite:
            return None, slope.loss, slope.parts
        now, grads = self._levelled(now, slope.grads)
        stepped, moments = self._step(now, grads)
        following = replace(
            now,
            iteration=now.iteration + 1,
            variables=stepped,
            moments=moments,
            learned=slope.learned,
            losses=_thin(now.losses, (now.iteration, slope.loss), self.iterations),
        )
        if following.iteration < self.iterations:
            following = self._moved(following, frame)
        return following, slope.loss, slope.parts

    def _slope(self, now: Standing, frame: _Frame) -> _Slope:
        variables = {k: v.detach().requires_grad_() for k, v in now.variables.items()}
        inputs = self.parametrisation.decode(_images(variables))
        synthetic, real = self._batches(inputs, self._targets(variables), now, frame)
        network = now.location.architecture.build(frame.task.shape, len(frame.task.classes))
        place = Place(network, now.location.params, frame.compute, self.state.trained(now.location))
        context = Context(now.iteration / self.iterations, self._generator(now, "context", frame), dict(now.learned))
        context.step = now.location.counters.get("step", 0)
        seen = replace(synthetic, inputs=synthetic.inputs.detach(), targets=_detached(synthetic.targets))
        reading = self.surrogate.read(real, seen, place, context)
        outputs, cotangents = [synthetic.inputs], [reading.cotangents.inputs]
        if synthetic.targets is not None and reading.cotangents.targets is not None and synthetic.targets.requires_grad:
            outputs, cotangents = [*outputs, synthetic.targets], [*cotangents, reading.cotangents.targets]
        grads = torch.autograd.grad(outputs, list(variables.values()), cotangents, allow_unused=True)
        filled = {
            k: torch.zeros_like(v) if g is None else g for (k, v), g in zip(variables.items(), grads, strict=True)
        }
        finite = all(bool(torch.isfinite(g).all()) for g in (reading.loss, *filled.values()))
        return _Slope(float(reading.loss), reading.parts, filled, context.state, finite)

    def _step(self, now: Standing, grads: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Variables and moments after one step of each group: images, and labels where they are learned."""
        groups: list[tuple[str, Optimizer, float]] = [("", self.optimizer, self._lr(now))]
        if isinstance(self.labels, LearnedLabels):
            own = SGD(lr=self.labels.lr, momentum=self.labels.momentum, weight_decay=0.0)
            groups.append((LABELS, own, own.lr))
        variables: dict[str, Tensor] = {}
        moments: dict[str, Tensor] = {}
        for prefix, optimizer, rate in groups:
            names = [k for k in now.variables if k.startswith(LABELS) == bool(prefix)]
            weights = [now.variables[k] for k in names]
            mine = {k[len(prefix) :]: v for k, v in now.moments.items() if k.startswith(LABELS) == bool(prefix)}
            before = unpacked(mine, names) if mine else optimizer.init(weights)
            after, state = optimizer.step(weights, [grads[k] for k in names], before, rate * now.rate)
            variables |= dict(zip(names, after, strict=True))
            moments |= {prefix + k: v for k, v in packed(state, names).items()}
        return variables, moments

    def _levelled(self, now: Standing, grads: dict[str, Tensor]) -> tuple[Standing, dict[str, Tensor]]:
        """Where several configurations are served, their gradients in the images at one size.

        Those in the labels stay as they are, so that the labels' own rate means for a space the same as for one.
        """
        if self.state.audience is None or len(self.state.audience.space) == 1:
            return now, grads
        squares, images = levelled(now.squares, now.location.counters["configuration"], _images(grads))
        return replace(now, squares=squares), grads | images

    def _batches(
        self, inputs: Tensor, targets: Tensor | None, now: Standing, frame: _Frame
    ) -> tuple[Batch, Batch | None]:
        """The synthetic and the real batch under one shared augmentation draw."""
        drawn = self.state.configuration(now.location)
        augmentation = self.augmentation if drawn is None else drawn.augmentation
        draw = augmentation.draw(1, frame.task.shape, self._generator(now, "augment", frame))
        classes = tuple(range(len(frame.sizes)))
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        augmented = augmentation.apply(inputs, draw)
        synthetic = Batch(augmented, hard, classes, frame.sizes, targets)
        if not self.surrogate.needs.real:
            return synthetic, None
        real = frame.real.draw(classes, self.real_batch, generator(*self._purpose(now, "real", frame)))
        with torch.no_grad():
            return synthetic, replace(real, inputs=augmentation.apply(real.inputs, draw))

    def _moved(self, now: Standing, frame: _Frame) -> Standing:
        """The next place in weight space, after the variables have taken their step."""
        around = self._surroundings(now.variables, now.iteration, self._generator(now, "state", frame), frame)
        return replace(now, location=self.state.move(now.location, around))

    def _surroundings(
        self, variables: dict[str, Tensor], iteration: int, randomness: torch.Generator, frame: _Frame
    ) -> Surroundings:
        with torch.no_grad():
            inputs = self.parametrisation.decode(_images(variables))
            soft = self._targets(variables)
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        return Surroundings(
            shape=frame.task.shape,
            classes=len(frame.task.classes),
            real=frame.real,
            synthetic=Examples(inputs, hard if soft is None else soft),
            augmentation=self.augmentation,
            generator=randomness,
            compute=frame.compute,
            validation=frame.task.validation,
            iteration=iteration,
            iterations=self.iterations,
        )

    # -- labels ----------------------------------------------------------------------------------------------------

    def _targets(self, variables: dict[str, Tensor]) -> Tensor | None:
        """Targets that matching sees: the learned ones, else None (hard)."""
        if not self.labels.learned:
            return None
        return self.labels.targets({k[len(LABELS) :]: v for k, v in variables.items() if k.startswith(LABELS)})

    def _final_targets(self, standing: Standing, frame: _Frame) -> tuple[Tensor | None, str]:
        """The targets to store, None for hard labels, and a sentence where there was something to choose."""
        if self.labels.learned or not self.labels.needs_teacher:
            return self._targets(standing.variables), ""
        with torch.no_grad():
            inputs = self.parametrisation.decode(_images(standing.variables))
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        started = self.labels.start(hard, len(frame.task.classes), self._teacher_logits(inputs, frame))
        targets = self.labels.targets(started)
        if not isinstance(self.labels, TriedLabels) or targets is None:
            return targets, ""
        return choose_labels(frame.task, self.labels, self.recipe, inputs, hard, targets, frame.situation)

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
        wanted = Wanted(tuple(stored), frame.task.classes, self.parametrisation.multiplicity)
        first = self.initial.inputs(frame.real.pool, wanted, generator(seed, "initial")).to(frame.device)
        variables = dict(self.parametrisation.encode(first))
        hard = frame.labels.repeat_interleave(self.parametrisation.multiplicity)
        if self.labels.learned:
            guess = self._teacher_logits(first, frame) if self.labels.needs_teacher else None
            started = self.labels.start(hard, len(frame.task.classes), guess)
            variables |= {LABELS + k: v for k, v in started.items()}
        randomness = generator(seed, "state", "start", device=frame.device)
        location = self.state.start(self._surroundings(variables, 0, randomness, frame))
        begun = Standing(0, 0, 1.0, variables, {}, location, {}, ())
        return replace(begun, lr=self._measured(begun, frame))

    def _measured(self, begun: Standing, frame: _Frame) -> float | None:
        """The image learning rate that ``rate`` asks for, from the first places; None for the optimizer's own.

        The move that it aims at over the root mean square of what the optimizer would do at rate 1.
        """
        wanted = self.rate.move(self.iterations, noise=not self.initial.shows_real)
        if wanted is None or not self.iterations:
            return None
        squares, now = [], begun
        for _ in range(min(PROBES, max(1, self.iterations // 20))):
            slope = self._slope(now, frame)
            now, grads = self._levelled(now, slope.grads)
            moved, _ = self._step(replace(begun, lr=1.0), grads)
            change = [(moved[k] - v).double().square().flatten() for k, v in _images(begun.variables).items()]
            squares.append(float(torch.cat(change).mean()))
            now = self._moved(replace(now, iteration=now.iteration + 1), frame)
        known = [square for square in squares if 0 < square < float("inf")]
        return wanted / (sum(known) / len(known)) ** 0.5 if known else None

    def _lr(self, now: Standing) -> float:
        return self.optimizer.lr if now.lr is None else now.lr

    def _roll_back(self, good: Standing, failed: Standing) -> Standing:
        attempt = failed.attempt + 1
        if attempt > MOST_ROLLBACKS:
            if failed.iteration == 0:  # no step was ever taken, so that no rate can be the cause
                raise FitError(
                    f"{self.name} is not finite at its first images: look at what is compared (weights of terms, "
                    "bandwidths, --difficulty), which no smaller rate can mend."
                )
            eased = ", or a smaller --difficulty" if weighs_difficulty(self.surrogate) else ""
            raise FitError(
                f"{self.name} became non-finite {attempt} times, last at iteration {failed.iteration} with the rate "
                f"at {failed.rate:.1e} of the one given: set a smaller one (--set lr=…){eased}."
            )
        return replace(good, attempt=attempt, rate=failed.rate * 0.5)

    def _purpose(self, now: Standing, purpose: str, frame: _Frame) -> tuple[int, str, int, int]:
        return frame.situation.seed, purpose, now.iteration, now.attempt

    def _generator(self, now: Standing, purpose: str, frame: _Frame) -> torch.Generator:
        return generator(*self._purpose(now, purpose, frame), device=frame.device)


def _thin(losses: tuple[tuple[int, float], ...], pair: tuple[int, float], total: int) -> tuple[tuple[int, float], ...]:
    """At most a few hundred points of the curve, always the same ones."""
    return (*losses, pair) if pair[0] % max(1, total // 200) == 0 else losses


def _images(variables: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v for k, v in variables.items() if not k.startswith(LABELS)}


def _detached(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.detach()
