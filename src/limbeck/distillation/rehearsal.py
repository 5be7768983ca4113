"""What a method compares, tried on a few random examples before anything is trained, so that a misfit is said early.

What a view shows depends on the network, and what a discrepancy needs on the number of examples: neither is known where
a method is put together. Nothing here draws from the run's randomness, so that its bytes are those without a rehearsal.
"""

import torch

from limbeck.compute import Compute
from limbeck.data.augmentation import Augmentation
from limbeck.data.task import Task
from limbeck.errors import FitError
from limbeck.matching.batch import Batch
from limbeck.matching.discrepancy import Context
from limbeck.matching.state import State
from limbeck.matching.surrogate import Place, Sum, Surrogate
from limbeck.networks.network import Architecture
from limbeck.seeds import generator

__all__ = ["check_pure", "rehearse"]

FEW = 2  # examples at most: nothing that is compared asks for more


def check_pure(augmentation: Augmentation) -> None:
    """FitError for one under which examples of several classes would be compared as if they were of one."""
    if augmentation.mixes_labels:
        raise FitError(
            f"{type(augmentation).__name__.lower()} mixes examples of several classes, and matching compares class by "
            "class: keep it for training on the set (--set recipe.augmentation=…)."
        )


def rehearse(
    surrogate: Surrogate, state: State, *, task: Task, device: torch.device, sizes: tuple[int, int], soft: bool
) -> None:
    """Reads ``surrogate`` at a random network of every architecture that may be looked at; one class stands for all.

    sizes: of the smallest class, real examples in an iteration and decoded synthetic ones, both ≥ 1.
    soft:  whether labels are learned.
    Raises FitError where a network has nothing of what is looked at, or a class has too few examples for it.
    """
    compute = Compute(device=str(device), precision="float32", compilation="off")
    real, made = (min(FEW, size) for size in sizes)
    shown = _batch(real, task, device, soft=False) if surrogate.needs.real else None
    sides = shown, _batch(made, task, device, soft=soft)
    ends = (0.0,) if isinstance(surrogate, Sum) else (0.0, 1.0)  # others may go on as something else
    for architecture, whose in _architectures(state).items():
        network = architecture.build(task.shape, len(task.classes))
        weights = {name: w.to(device) for name, w in network.init(generator(0, "rehearsal")).items()}
        for progress in ends:
            context = Context(progress, generator(0, "rehearsal", device=device))
            try:
                surrogate.read(*sides, Place(network, weights, compute), context)
            except FitError as error:
                raise FitError(f"{whose}{error}") from error


def _architectures(state: State) -> dict[Architecture, str]:
    """Each that a new network may be of, and whose it is, as the beginning of a sentence; "" without an audience."""
    if state.audience is None:
        return dict.fromkeys(getattr(state, "architectures", ()), "")
    space = state.audience.space
    first = {c.architecture: c.name for c in space.configurations[::-1]}
    return {
        network: f"no set can be made for '{name}' of the space '{space.name}': " for network, name in first.items()
    }


def _batch(size: int, task: Task, device: torch.device, *, soft: bool) -> Batch:
    """So many random inputs of the first class, with uniform targets where labels are ``soft``."""
    inputs = torch.randn(size, *task.shape, generator=generator(0, "rehearsal")).to(device)
    labels = torch.zeros(size, dtype=torch.long, device=device)
    many = len(task.classes)
    targets = torch.full((size, many), 1 / many, device=device) if soft else None
    return Batch(inputs, labels, (0,), (size,), targets)
