"""Pictures of examples as a person sees them."""

import io
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.shapes import Images, Labels, Points
from limbeck.synthetic.synthetic_set import SyntheticSet

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["grid", "heat_map", "png", "preview"]

Pixels8 = NDArray[np.uint8]

SIDE = 64  # small images are enlarged to about this many pixels a side, without smoothing
LARGEST = 160  # larger ones are averaged down to this
GAP = 4
TEXT = 14  # height of letters
LETTERS = 24  # a longer class name is cut
CLASSES, COLUMNS = 100, 10  # what a preview shows at most


def preview(synthetic: SyntheticSet) -> bytes:
    """PNG of a set: images in rows of their class, or the standardised features of a table as a heat map.

    At most 100 classes and 10 decoded examples of each are shown.
    """
    labels = synthetic.hard
    shown = torch.cat([torch.nonzero(labels == c).flatten()[:COLUMNS] for c in range(len(synthetic.classes))][:CLASSES])
    if len(synthetic.card.shape) == 1:
        inputs = synthetic.examples("hard").inputs
        return png(heat_map(inputs[shown], labels[shown], synthetic.classes))
    return png(grid(synthetic.raw()[shown], labels[shown], synthetic.classes, COLUMNS))


def grid(images: Images, labels: Labels, classes: tuple[str, ...], columns: int = COLUMNS) -> "Image":
    """Images in rows of their class, whose name stands on the left; classes without an image are left out.

    images:  (n, c, h, w) in [0, 1]; one channel is grey, three or more are RGB (further ones are not shown), two are
             averaged. Small images are enlarged by whole pixels.
    columns: images a row; a class with more of them takes several rows.
    """
    tiles = _tiles(images)
    rows: list[tuple[str, Sequence[Pixels8]]] = []
    for c in torch.unique(labels).tolist():
        mine = [tiles[i] for i in torch.nonzero(labels == c).flatten().tolist()]
        for start in range(0, len(mine), columns):
            rows.append((classes[c] if start == 0 else "", mine[start : start + columns]))
    return _sheet(rows, tiles.shape[1], tiles.shape[2])


def heat_map(features: Points, labels: Labels, classes: tuple[str, ...]) -> "Image":
    """One line an example, one column a feature: blue below the mean, white at it, red above, full colour at ±3.

    features: (n, d), standardised. Lines are ordered by class, whose name stands on the left.
    """
    side = max(2, min(24, 1200 // features.shape[1]))
    colours = _colours(features)[:, : 1200 // side]  # what does not fit on a page is left out
    rows: list[tuple[str, Sequence[Pixels8]]] = []
    for c in torch.unique(labels).tolist():
        for place, i in enumerate(torch.nonzero(labels == c).flatten().tolist()):
            line = np.repeat(np.repeat(colours[i][None], max(side, TEXT), 0), side, 1)
            rows.append((classes[c] if place == 0 else "", [line]))
    return _sheet(rows, max(side, TEXT), side * colours.shape[1])


def png(image: "Image") -> bytes:
    """The bytes of a PNG file; no metadata."""
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _tiles(images: Tensor) -> Pixels8:
    """(n, h', w', 3) bytes at a size that can be seen."""
    if images.shape[1] < 3:
        images = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    seen = images[:, :3].detach().cpu().to(torch.float32).clamp(0, 1)
    longest = max(seen.shape[2:])
    if longest > LARGEST:
        size = tuple(max(1, round(side * LARGEST / longest)) for side in seen.shape[2:])
        seen = torch.nn.functional.interpolate(seen, size, mode="area")
    times = max(1, SIDE // longest)
    large = seen.repeat_interleave(times, 2).repeat_interleave(times, 3)
    return (large * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def _colours(features: Tensor) -> Pixels8:
    share = (features.detach().cpu().to(torch.float32) / 3).clamp(-1, 1)[..., None]
    red, blue = torch.tensor([0.70, 0.09, 0.17]), torch.tensor([0.13, 0.40, 0.67])
    colours = torch.where(share > 0, 1 - share * (1 - red), 1 + share * (1 - blue))
    return (colours * 255).round().to(torch.uint8).numpy()


def _sheet(rows: list[tuple[str, Sequence[Pixels8]]], height: int, width: int) -> "Image":
    """White paper: names in a left column, pictures of ``height`` × ``width`` in rows beside them."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(TEXT)
    names = [_plain(_drawable(name) or (f"({line})" if name else "")) for line, (name, _) in enumerate(rows)]
    margin = GAP + max((int(np.ceil(font.getlength(name))) for name in names), default=0) + 2 * GAP
    columns = max(len(pictures) for _, pictures in rows)
    gap = GAP if columns > 1 or height >= SIDE // 2 else 1
    size = (margin + columns * (width + gap) + GAP, GAP + len(rows) * (height + gap) + GAP)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for line, (name, (_, pictures)) in enumerate(zip(names, rows, strict=True)):
        top = GAP + line * (height + gap)
        pen.text((GAP, top + height // 2), name, fill="black", font=font, anchor="lm")
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(np.ascontiguousarray(picture)), (margin + column * (width + gap), top))
    return sheet


def _drawable(name: str) -> str:
    """The name in the letters that Pillow's own font has: accents are left out, other scripts too."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip()


def _plain(name: str) -> str:
    """A class name on one line, without control characters, cut where it is long."""
    line = "".join(letter if letter.isprintable() else " " for letter in name)
    return line if len(line) <= LETTERS else line[: LETTERS - 1] + "…"
