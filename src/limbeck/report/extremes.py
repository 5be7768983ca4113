"""The easiest and the hardest examples of a class in one picture, of a set beside the real ones."""

import torch
from torch import Tensor

from limbeck.data.task import Task
from limbeck.evaluation.difficulty import RealDifficulty, SetDifficulty
from limbeck.synthetic.preview import grid, heat_map, png
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["extremes"]

COLUMNS = 10  # examples a row


def extremes(
    task: Task,
    real: RealDifficulty,
    label: int,
    made: tuple[SyntheticSet, SetDifficulty] | None = None,
) -> bytes:
    """PNG of one class: its easiest and its hardest real training examples and, where given, those of a set.

    Each row goes from easier to harder. Images as a person sees them; rows of a table as a heat map of features.
    """
    shown = task.train.take if task.kind == "table" else task.train.raw
    first, last = _ends(real.scores[label])
    rows = [("easiest real", shown(real.places[label][first])), ("hardest real", shown(real.places[label][last]))]
    if made is not None:
        examples, found = made
        values = examples.examples("hard").inputs if task.kind == "table" else examples.raw()
        mine = torch.nonzero(found.labels == label).flatten()
        first, last = _ends(found.scores[mine])
        if len(mine) > COLUMNS:
            rows += [("easiest synthetic", values[mine[first]]), ("hardest synthetic", values[mine[last]])]
        elif len(mine):
            rows.append(("synthetic", values[mine[first]]))
    names = tuple(name for name, _ in rows)
    places = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor([len(part) for _, part in rows]))
    draw = heat_map if task.kind == "table" else grid
    return png(draw(torch.cat([part.cpu() for _, part in rows]), places, names))


def _ends(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the lowest and of the highest scores, ascending."""
    order = scores.argsort(stable=True)
    return order[:COLUMNS], order[-COLUMNS:]
