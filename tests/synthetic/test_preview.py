"""Pictures: the pixels are where they belong, any shape can be drawn, sizes stay bounded."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from limbeck.seeds import generator
from limbeck.synthetic import Factored, SyntheticSet, grid, heat_map
from limbeck.synthetic.preview import png, preview


def _pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def _right_edge(image: Image.Image) -> int:
    """The first column of pictures begins after the names: find it by colour."""
    return int(np.nonzero((_pixels(image) == [255, 0, 0]).all(2).any(0))[0][0])


def test_images_stand_in_rows_of_their_class_enlarged_by_whole_pixels() -> None:
    red, blue = torch.tensor([1.0, 0, 0]), torch.tensor([0, 0, 1.0])
    images = torch.stack([red, blue, red])[:, :, None, None].expand(-1, 3, 8, 8)
    drawn = grid(images, torch.tensor([1, 1, 0]), ("one", "two"), columns=1)
    pixels, left = _pixels(drawn), _right_edge(drawn)
    column = pixels[:, left + 10]
    colours = [tuple(c) for c in column if tuple(c) != (255, 255, 255)]
    assert colours == [(255, 0, 0)] * 128 + [(0, 0, 255)] * 64  # class 0, then both of class 1, 8 × 8 pixels each
    assert (pixels[:, :left] < 128).all(2).any()  # the names are written


def test_a_name_stands_beside_its_first_row_only() -> None:
    images = torch.zeros(4, 1, 8, 8)
    tall = grid(images, torch.zeros(4, dtype=torch.int64), ("x",), columns=2)
    names = (_pixels(tall)[:, :16] < 200).all(2).any(1)
    assert names[:72].any()
    assert not names[72:].any()


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 5, 9), (3, 28, 28), (4, 16, 8), (3, 300, 200)])
def test_any_image_can_be_drawn(shape: tuple[int, ...]) -> None:
    images = torch.rand(6, *shape, generator=generator(0))
    drawn = grid(images, torch.tensor([0, 0, 1, 1, 2, 2]), ("a", "b" * 99, "ü\n\t漢"))
    assert drawn.width < 700
    assert drawn.height < 600
    assert png(drawn) == png(grid(images, torch.tensor([0, 0, 1, 1, 2, 2]), ("a", "b" * 99, "ü\n\t漢")))


def test_a_heat_map_is_blue_below_and_red_above() -> None:
    drawn = _pixels(heat_map(torch.tensor([[-3.0, 0.0, 3.0]]), torch.tensor([0]), ("row",)))
    line = drawn[drawn.shape[0] // 2]
    colours = list(dict.fromkeys(tuple(c) for c in line[-76:]))
    low, high = next(c for c in colours if c[2] > c[0] + 50), next(c for c in colours if c[0] > c[2] + 50)
    assert colours.index(low) < colours.index(high)


def test_a_preview_shows_what_there_is(make: Any) -> None:
    sizes = []
    for kind in ({}, {"parametrisation": Factored(2)}, {"shape": (5,)}, {"shape": (3000,)}):
        made: SyntheticSet = make(**kind)
        image = Image.open(io.BytesIO(preview(made)))
        image.load()
        assert max(image.size) < 1500
        sizes.append(image.width)
    assert sizes[1] > sizes[0]  # eight decoded images a class instead of two
