"""How hard real examples are, class by class, and where the examples of a synthetic set stand among them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.distillation.distiller import Situation
from limbeck.distillation.gauge import Gauge
from limbeck.errors import OptionError
from limbeck.evaluation.origin import check_match
from limbeck.files import write_atomically
from limbeck.seeds import generator
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["ClassDifficulty", "ClassStanding", "DifficultyMeter", "RealDifficulty", "SetDifficulty", "difficulty_table"]

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles that describe a distribution
TYPICAL = 0.05  # a mean percentile so near to a half is that of an ordinary example


@dataclass(frozen=True)
class ClassDifficulty:
    """Scores of the real training examples of one class; ``quantiles`` at 5, 25, 50, 75 and 95 %."""

    name: str
    examples: int
    mean: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class ClassStanding:
    """Where a set's examples of one class stand among the real ones of that class.

    score:      their mean score; ``typical`` is the median of the real ones.
    percentile: mean share of real examples that are easier, in [0, 1]: 0.5 is typical, more is harder.
    harder:     share of the set's examples that are harder than the real median.
    """

    name: str
    examples: int
    score: float
    typical: float
    percentile: float
    harder: float


@final
@dataclass(frozen=True, eq=False)
class RealDifficulty:
    """Scores of real training examples, class by class.

    places: (n_c,) indices into the training split. scores: (n_c,), higher is harder.
    agreement: mean rank correlation between seeds, over classes; None for one seed.
    """

    classes: tuple[str, ...]
    places: tuple[Tensor, ...]
    scores: tuple[Tensor, ...]
    agreement: float | None

    def percentiles(self, label: int, scores: Tensor) -> Tensor:
        """Share of real examples of a class with a smaller score, those with an equal one counted half."""
        ladder = self.scores[label].sort().values
        below, upto = torch.searchsorted(ladder, scores), torch.searchsorted(ladder, scores, right=True)
        return (below + upto).to(torch.float32) / (2 * len(ladder))

    def lines(self) -> tuple[ClassDifficulty, ...]:
        """The distribution in each class."""
        found = []
        for name, scores in zip(self.classes, self.scores, strict=True):
            quantiles = torch.quantile(scores, torch.tensor(SHARES)).tolist()
            found.append(ClassDifficulty(name, len(scores), float(scores.mean()), tuple(quantiles)))
        return tuple(found)


@final
@dataclass(frozen=True, eq=False)
class SetDifficulty:
    """Scores and percentiles of a set's decoded examples, under the labels of their classes."""

    classes: tuple[str, ...]
    labels: Tensor
    scores: Tensor
    percentiles: Tensor
    typical: tuple[float, ...]

    @property
    def percentile(self) -> float:
        """Mean over classes of the mean percentile."""
        lines = self.lines()
        return math.fsum(line.percentile for line in lines) / len(lines)

    def lines(self) -> tuple[ClassStanding, ...]:
        """Each class that the set has examples of."""
        found = []
        for label in torch.unique(self.labels).tolist():
            mine = self.labels == label
            scores, middle = self.scores[mine], self.typical[label]
            harder = float((scores > middle).to(torch.float32).mean())
            where = float(self.percentiles[mine].mean())
            found.append(
                ClassStanding(self.classes[label], int(mine.sum()), float(scores.mean()), middle, where, harder)
            )
        return tuple(found)

    def sentence(self) -> str:
        """For a person."""
        mean = self.percentile
        word = "as hard as typical real ones" if abs(mean - 0.5) <= TYPICAL else "harder" if mean > 0.5 else "easier"
        tail = "" if word.startswith("as") else " than typical real ones"
        return (
            f"The set's examples are {word}{tail}: on average {100 * mean:.0f} % of the real training examples of "
            "their class are easier."
        )


@final
class DifficultyMeter:
    """Measures real examples and any number of sets with the same networks, trained on the real training split.

    seeds: of independent groups of ``gauge.networks`` networks, whose scores are averaged.
    most:  real examples a class that are scored (a seeded draw); None: all.
    Raises OptionError for no seed or no example, FitError where a network diverges.
    """

    def __init__(
        self,
        task: Task,
        gauge: Gauge,
        *,
        seeds: Sequence[int] = (0,),
        most: int | None = None,
        compute: Compute | None = None,
    ) -> None:
        if not seeds or (most is not None and most < 2):
            raise OptionError("difficulty needs at least 1 seed and 2 real examples a class: give more.")
        self.task, self.gauge = task, gauge
        self._panels = [gauge.panel(task, Situation(1, seed, compute or Compute())) for seed in seeds]
        self.real = self._measured(most)

    def of(self, made: SyntheticSet) -> SetDifficulty:
        """Where the decoded examples of a set stand. Raises MismatchError where it was made from another task."""
        check_match(made, self.task)
        inputs, labels = made.examples("hard").inputs, made.hard
        scores, percentiles = torch.zeros(len(labels)), torch.zeros(len(labels))
        for label in torch.unique(labels).tolist():
            mine = labels == label
            scores[mine] = self._scores(inputs[mine], label).mean(0)
            percentiles[mine] = self.real.percentiles(label, scores[mine])
        typical = tuple(line.quantiles[SHARES.index(0.5)] for line in self.real.lines())
        return SetDifficulty(made.classes, labels, scores, percentiles, typical)

    def _scores(self, inputs: Tensor, label: int) -> Tensor:
        """(seeds, n)."""
        return torch.stack([panel.scores(inputs, label) for panel in self._panels])

    def _measured(self, most: int | None) -> RealDifficulty:
        places, scores, agreements = [], [], []
        for label in range(len(self.task.classes)):
            mine = self.task.train.of_class(label)
            if most is not None and most < len(mine):
                order = torch.randperm(len(mine), generator=generator(0, "difficulty", label))
                mine = mine[order[:most].sort().values]
            found = self._scores(self.task.train.take(mine), label)
            agreements += [_rank_correlation(a, b) for a, b in combinations(found, 2)]
            places.append(mine)
            scores.append(found.mean(0))
        known = [a for a in agreements if math.isfinite(a)]
        agreement = math.fsum(known) / len(known) if known else None
        return RealDifficulty(self.task.classes, tuple(places), tuple(scores), agreement)


def difficulty_table(path: Path, measure: str, real: RealDifficulty, made: SetDifficulty | None = None) -> None:
    """Write one row an example to ``path`` (Parquet; whole or absent): measure, side, class, place, score, percentile.

    side: "real" (place: index into the training split) or "synthetic" (place: which decoded example). DirectoryError.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        _row(measure, "real", name, place, score, where)
        for label, name in enumerate(real.classes)
        for place, score, where in zip(
            real.places[label].tolist(),
            real.scores[label].tolist(),
            real.percentiles(label, real.scores[label]).tolist(),
            strict=True,
        )
    ]
    if made is not None:
        each = zip(made.labels.tolist(), made.scores.tolist(), made.percentiles.tolist(), strict=True)
        rows += [
            _row(measure, "synthetic", made.classes[label], place, score, where)
            for place, (label, score, where) in enumerate(each)
        ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())


def _row(measure: str, side: str, name: str, place: int, score: float, percentile: float) -> dict[str, Any]:
    return {
        "measure": measure,
        "side": side,
        "class": name,
        "place": place,
        "score": score,
        "percentile": percentile,
    }


def _rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's; NaN where one side does not vary."""
    from scipy.stats import rankdata

    first, second = (rankdata(x.numpy()) for x in (a, b))
    spread = first.std() * second.std()
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread) if spread > 0 else math.nan
