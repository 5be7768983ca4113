"""Synthetic examples beside real ones: strips of images a class, or rows of a table."""

import torch
from torch import Tensor

from limbeck.data.task import Task
from limbeck.report.figures import Gallery, Pictures, Table
from limbeck.report.numbers import quantity
from limbeck.shapes import Images
from limbeck.synthetic.preview import png
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["gallery", "rows", "strip"]

CLASSES, PLACES, FEATURES = 10, 10, 8  # what is shown at most: classes, examples a class, features of a table row
_SIDE, _GAP = 48, 4  # pixels of an enlarged small image, and between two


def gallery(made: SyntheticSet, task: Task | None, title: str, *, folded: bool = False) -> Gallery:
    """Decoded images of a set in rows of their class, beside as many real training images where the task is at hand.

    At most ten classes and ten images of each are shown, and the note says so.
    """
    raw, labels = made.raw(), made.hard
    lines = []
    for label in range(min(len(made.classes), CLASSES)):
        name = made.classes[label]
        mine = torch.nonzero(labels == label).flatten()[:PLACES]
        strips = [_pictures(raw[mine], f"synthetic images of class {name}")]
        if task is not None:
            real = task.train.of_class(label)[:PLACES]
            strips.append(_pictures(task.train.raw(real), f"real training images of class {name}"))
        lines.append((name, tuple(strips)))
    columns = ("synthetic",) if task is None else ("synthetic", "real (first training images)")
    return Gallery(title, columns, tuple(lines), _note(made), folded)


def rows(made: SyntheticSet, title: str) -> Table:
    """The first decoded rows of a tabular set in the user's units, one of each class."""
    raw, labels = made.raw(), made.hard
    shown = min(raw.shape[1], FEATURES)
    lines = []
    for label in range(min(len(made.classes), CLASSES)):
        for place in torch.nonzero(labels == label).flatten()[:1].tolist():
            lines.append((made.classes[label], *(quantity(v) for v in raw[place, :shown].tolist())))
    more = f"; {shown} of {raw.shape[1]} features" if shown < raw.shape[1] else ""
    header = ("class", *(made.card.features or tuple(f"feature {i}" for i in range(shown)))[:shown])
    return Table(f"{title}: the first synthetic row of each class, in raw units{more}", header, tuple(lines))


def strip(images: Images) -> bytes:
    """PNG of at most ten images side by side, enlarged by whole pixels; empty places are transparent.

    images: (n, c, h, w) in [0, 1]; three or more channels are shown as RGB, fewer as their grey mean.
    """
    from PIL import Image

    tiles = _tiles(images[:PLACES])
    height, width = tiles.shape[1:3]
    sheet = torch.zeros(height, PLACES * (width + _GAP) - _GAP, 4, dtype=torch.uint8)
    for place, tile in enumerate(tiles):
        left = place * (width + _GAP)
        sheet[:, left : left + width, :3] = tile
        sheet[:, left : left + width, 3] = 255
    return png(Image.fromarray(sheet.numpy()))


def _pictures(images: Tensor, alt: str) -> Pictures:
    return Pictures(strip(images), len(images), f"{len(images)} {alt}")


def _tiles(images: Tensor) -> Tensor:
    seen = images[:, :3] if images.shape[1] >= 3 else images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    seen = seen.detach().to("cpu", torch.float32).clamp(0, 1)
    longest = max(seen.shape[2:])
    if longest > 2 * _SIDE:
        size = [max(1, round(side * 2 * _SIDE / longest)) for side in seen.shape[2:]]
        seen = torch.nn.functional.interpolate(seen, size, mode="area")
    times = max(1, _SIDE // longest)
    seen = seen.repeat_interleave(times, 2).repeat_interleave(times, 3)
    return (seen * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


def _note(made: SyntheticSet) -> str:
    said = []
    if len(made.classes) > CLASSES:
        said.append(f"{CLASSES} of {len(made.classes)} classes")
    most = int(torch.bincount(made.hard, minlength=1).max())
    if most > PLACES:
        said.append(f"{PLACES} of up to {most} images a class")
    return f"Shown: {' and '.join(said)}." if said else ""
