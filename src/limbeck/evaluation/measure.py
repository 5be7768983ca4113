"""What can be measured of a given set without judging it: surrogate values and difficulties, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.nothing import Nothing
from limbeck.data.task import Task
from limbeck.errors import OptionError
from limbeck.evaluation.origin import Origin, check_match, origin_of
from limbeck.matching.batch import Batch
from limbeck.matching.difficulty import el2n, gradn, misclassification
from limbeck.matching.discrepancy import Context
from limbeck.matching.real_side import RealSide
from limbeck.matching.state import Location, State, Surroundings
from limbeck.matching.surrogate import Place, Surrogate
from limbeck.networks.network import Network, Statistics
from limbeck.seeds import generator
from limbeck.shapes import Params
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.values import value

__all__ = ["Draws", "Measurement", "difficulties", "measure"]


@value
class Draws:
    """How often a surrogate is read: ``count`` places of its state in turn, ``real_batch`` real examples a class."""

    count: int = 10
    real_batch: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.real_batch < 1:
            raise OptionError(
                f"{self.count} draws of {self.real_batch} real examples a class: both must be at least 1."
            )


@dataclass(frozen=True)
class Measurement:
    """One number of one set.

    set, method, per_class, distillation_seed, labels: as in Record.
    quantity: "loss" and the names of its terms for a surrogate; "gradn", "el2n", "misclassification" for difficulties.
    index:    which draw, or which decoded example.
    """

    set: str
    method: str
    per_class: float
    distillation_seed: int
    labels: str
    quantity: str
    index: int
    value: float
    fingerprint: str
    split_seed: int


def measure(
    set: SyntheticSet,
    task: Task,
    *,
    surrogate: Surrogate,
    state: State,
    draws: Draws | None = None,
    compute: Compute | None = None,
) -> tuple[Measurement, ...]:
    """Values of ``surrogate`` between the training split and the finished set, at places that ``state`` goes through.

    Nothing is augmented. Two sets measured with the same draws see the same places and the same real examples where
    the state does not depend on the set. Raises MismatchError where the task is not the set's.
    """
    check_match(set, task)
    plan, compute = draws or Draws(), (compute or Compute()).resolve()
    real = RealSide(task.train, len(task.classes), compute.torch_device)
    batch, examples = _by_class(set, compute.torch_device)
    rows: list[Measurement] = []
    location: Location | None = None
    learned: dict[str, Tensor] = {}  # of discrepancies that learn: it lives as long as the run, here as the draws
    for draw in range(plan.count):
        around = Surroundings(
            shape=task.shape,
            classes=len(task.classes),
            real=real,
            synthetic=examples,
            augmentation=Nothing(),
            generator=generator(plan.seed, "measure", "state", draw, device=compute.torch_device),
            compute=compute,
            validation=task.validation,
            iteration=draw,
            iterations=plan.count,
        )
        location = state.start(around) if location is None else state.move(location, around)
        drawn = None
        if surrogate.needs.real:
            drawn = real.draw(batch.classes, plan.real_batch, generator(plan.seed, "measure", "real", draw))
        randomness = generator(plan.seed, "measure", "context", draw, device=compute.torch_device)
        # the set is finished: whatever changes along a run is read as at its end
        context = Context(progress=1.0, generator=randomness, state=learned, step=location.counters.get("step", 0))
        place = Place(location.network(around), location.params, compute, state.trained(location))
        reading = surrogate.read(drawn, batch, place, context)
        values = {"loss": float(reading.loss), **reading.parts}
        rows += [_row(set, origin_of(set, "own"), name, draw, number) for name, number in values.items()]
    return tuple(rows)


def difficulties(
    set: SyntheticSet,
    network: Network,
    ensemble: Sequence[Params],
    *,
    labels: str = "own",
    statistics: Sequence[Statistics] = (),
    compute: Compute | None = None,
) -> tuple[Measurement, ...]:
    """GraDN, EL2N and misclassification of each decoded example, averaged over the ensemble's weights [wang2024sdc].

    statistics: of batch norm at each of these weights (``training.fitted``); without, it takes the set's own.
    Raises EvidenceError without weights.
    """
    compute = (compute or Compute()).resolve()
    examples = set.examples(labels).to(compute.torch_device)
    scores: dict[str, Tensor] = {
        name: score(network, ensemble, examples, compute, statistics)
        for name, score in (("gradn", gradn), ("el2n", el2n), ("misclassification", misclassification))
    }
    origin = origin_of(set, labels)
    pairs = [(name, index, v) for name, scored in scores.items() for index, v in enumerate(scored.tolist())]
    return tuple(_row(set, origin, name, index, number) for name, index, number in pairs)


def _by_class(set: SyntheticSet, device: torch.device) -> tuple[Batch, Examples]:
    """The decoded set, ordered by its stored classes (soft targets may name another class as most probable)."""
    order = torch.argsort(set.hard, stable=True)
    examples = set.examples().take(order).to(device)
    counts = torch.bincount(set.hard, minlength=len(set.classes)).tolist()
    sizes = {label: count for label, count in enumerate(counts) if count}
    targets = examples.targets if examples.targets.ndim == 2 else None
    batch = Batch(examples.inputs, set.hard[order].to(device), tuple(sizes), tuple(sizes.values()), targets)
    return batch, examples


def _row(set: SyntheticSet, origin: Origin, quantity: str, index: int, number: float) -> Measurement:
    return Measurement(
        set=origin.set,
        method=origin.method,
        per_class=origin.per_class,
        distillation_seed=origin.distillation_seed,
        labels=origin.labels,
        quantity=quantity,
        index=index,
        value=number,
        fingerprint=set.card.fingerprint,
        split_seed=set.card.split_seed,
    )
