"""The artefact: a synthetic set that carries everything needed to use it."""

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from limbeck.data.examples import Examples
from limbeck.data.preprocessing import Preprocessing
from limbeck.errors import FitError
from limbeck.shapes import Params
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.training.configuration import Configuration

__all__ = ["Card", "SyntheticSet"]


@dataclass(frozen=True)
class Card:
    """Where a set comes from and how it is meant to be used; plain JSON data, no tensor.

    fingerprint, split_seed: of the task that it was made from.
    method:     its name; ``distiller`` is its encoded value with every hyper-parameter.
    recipe:     the set's own evaluation recipe.
    losses:     (iteration, loss) pairs, at most a few hundred.
    features:   names of a table's columns, where its source knows them.
    budget:     iterations, device, precision … spent; no wall-clock time: a repeated run has the same bytes.
    """

    task: str
    fingerprint: str
    split_seed: int
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    method: str
    distiller: dict[str, Any]
    per_class: tuple[int, ...]
    seed: int
    recipe: Configuration
    losses: tuple[tuple[int, float], ...] = ()
    budget: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SyntheticSet:
    """k stored synthetic examples.

    variables:       what the parametrisation stores (float32, on the CPU).
    labels:          (k,) int64, the class of each stored example.
    targets:         (k · multiplicity, classes) probabilities of the decoded examples, or None for hard labels.
    step_size:       a learned learning rate that belongs to the set's own recipe, or None.
    """

    variables: Params
    parametrisation: Parametrisation
    labels: Tensor
    targets: Tensor | None
    step_size: float | None
    preprocessing: Preprocessing
    card: Card

    def __post_init__(self) -> None:
        k, decoded = len(self.labels), len(self.labels) * self.parametrisation.multiplicity
        if self.labels.dtype != torch.int64 or self.labels.ndim != 1 or not k:
            raise FitError(
                f"labels are {tuple(self.labels.shape)} {self.labels.dtype}: give one int64 class an example."
            )
        for name, variable in self.variables.items():
            if len(variable) != k:
                raise FitError(f"variable '{name}' has {len(variable)} rows for {k} labels: give one row a label.")
        if self.targets is not None and (self.targets.ndim != 2 or len(self.targets) != decoded):
            raise FitError(
                f"targets are {tuple(self.targets.shape)} for {decoded} decoded examples: give one row each."
            )

    def __repr__(self) -> str:
        card = self.card
        each = ", ".join(str(n) for n in dict.fromkeys(card.per_class))
        return f"SyntheticSet({len(self)} examples of {card.task} by {card.method}, {each} a class, seed {card.seed})"

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""
        return self.card.classes

    @property
    def hard(self) -> Tensor:
        """(k · multiplicity,) class of each decoded example."""
        return self.labels.repeat_interleave(self.parametrisation.multiplicity)

    def examples(self, labels: str = "own") -> Examples:
        """Decoded, preprocessed training examples with the set's "own" labels, or "hard" ones."""
        soft = self.targets if labels == "own" else None
        return Examples(self.parametrisation.decode(self.variables), self.hard if soft is None else soft)

    def raw(self) -> Tensor:
        """Decoded examples in raw values: images clamped to [0, 1], table rows in the user's units."""
        inputs = self.preprocessing.inverse(self.parametrisation.decode(self.variables))
        return inputs.clamp(0, 1) if inputs.ndim == 4 else inputs

    @property
    def stored_values(self) -> int:
        """Numbers stored: variables and soft targets."""
        return sum(v.numel() for v in self.variables.values()) + (0 if self.targets is None else self.targets.numel())

    def dataset(self, labels: str = "own") -> TensorDataset:
        """A torch Dataset of (preprocessed input, target): a class index, or probabilities where labels are soft."""
        examples = self.examples(labels)
        return TensorDataset(examples.inputs, examples.targets)

    def save(self, directory: str | PathLike[str], *, made_by: str = "") -> Path:
        """Write the set as a directory (:mod:`limbeck.synthetic.storage`), atomically; the directory is returned.

        made_by: the method in words for README.md, where its name alone does not say it ("dm with view gradients").
        Raises DirectoryError where the directory belongs to something else or cannot be written.
        """
        from limbeck.synthetic.storage import save

        save(self, Path(directory), made_by)
        return Path(directory)

    @staticmethod
    def load(directory: str | PathLike[str]) -> "SyntheticSet":
        """The set in ``directory``. Raises ArtifactError where it is missing, damaged, changed or too new."""
        from limbeck.synthetic.storage import load

        return load(Path(directory))
