"""Crop and flip, feature noise, composition, and the table of names."""

import pytest
import torch
from torch import Tensor

from limbeck.data.augment import AUGMENTATIONS, Compose, CropFlip, FeatureNoise, augmentation
from limbeck.data.dsa import DSA
from limbeck.data.mix import CutMix, Mixup
from limbeck.errors import FitError, OptionError
from limbeck.seeds import generator
from limbeck.values import decode, encode


def _images(n: int = 4, side: int = 8) -> Tensor:
    return torch.randn((n, 2, side, side), generator=generator(0, "images"), dtype=torch.float64)


@pytest.mark.parametrize("n", [1, 4])
def test_crop_flip_equals_padding_cropping_and_flipping_by_hand(n: int) -> None:
    made, x = CropFlip(pad=3), _images()
    draw = made.draw(n, (2, 8, 8), generator(1))
    padded = torch.nn.functional.pad(x, (3, 3, 3, 3))
    for i, out in enumerate(made.apply(x, draw)):
        top, left = (draw["shift"][i % n] + 3).tolist()
        expected = padded[i, :, top : top + 8, left : left + 8]
        assert torch.equal(out, expected.flip(2) if draw["flip"][i % n] else expected)


def test_crop_flip_ranges() -> None:
    draw = CropFlip(pad=2).draw(500, (1, 8, 8), generator(0))
    assert set(draw["shift"].flatten().tolist()) == {-2, -1, 0, 1, 2}
    assert draw["flip"].double().mean().item() == pytest.approx(0.5, abs=0.1)
    still = CropFlip(pad=0, flip=False)
    assert torch.equal(still.apply(_images(), still.draw(4, (2, 8, 8), generator(0))), _images())


def test_feature_noise_has_its_deviation_and_can_be_shared() -> None:
    made, rows = FeatureNoise(0.5), torch.zeros(2000, 3, dtype=torch.float64)
    noisy = made.apply(rows, made.draw(2000, (3,), generator(0)))
    assert noisy.std().item() == pytest.approx(0.5, rel=0.05)
    shared = made.apply(rows, made.draw(1, (3,), generator(0)))
    assert torch.equal(shared, shared[:1].expand_as(shared))


def test_compose_applies_and_mixes_one_after_the_other() -> None:
    first, second, third = DSA("crop"), Mixup(), CutMix(p=1.0)
    made, x, targets = Compose((first, second, third)), _images(), torch.eye(4, dtype=torch.float64)
    draw = made.draw(4, (2, 8, 8), generator(2))
    draws = generator(2)
    a, b, c = (part.draw(4, (2, 8, 8), draws) for part in (first, second, third))
    expected = third.apply(second.apply(first.apply(x, a), b), c)
    torch.testing.assert_close(made.apply(x, draw), expected)
    torch.testing.assert_close(made.mix(targets, draw), third.mix(second.mix(targets, b), c))
    assert made.mixes_labels
    assert not Compose((first, CropFlip())).mixes_labels


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_named_augmentations_are_values_that_repeat_themselves(name: str) -> None:
    made, line = augmentation(name), AUGMENTATIONS[name][1]
    assert decode(encode(made)) == made
    assert line
    x, targets = _images(), torch.eye(4, dtype=torch.float64)
    for n in (1, 4):
        draw, again = (made.draw(n, (2, 8, 8), generator(5)) for _ in range(2))
        assert all(len(tensor) in (1, n) for tensor in draw.values())
        assert torch.equal(made.apply(x, draw), made.apply(x, again))
        mixed = made.mix(targets, draw)
        torch.testing.assert_close(mixed.sum(1), torch.ones(4, dtype=torch.float64))
        assert made.mixes_labels or torch.equal(mixed, targets)


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_tables_get_an_augmentation_for_rows_or_a_sentence(name: str) -> None:
    made, rows = augmentation(name), torch.randn((4, 7), generator=generator(0))
    if name in ("none", "noise", "mixup"):
        assert made.apply(rows, made.draw(4, (7,), generator(0))).shape == rows.shape
    else:
        with pytest.raises(FitError, match="use none or noise"):
            made.draw(4, (7,), generator(0))


def test_text_names_augmentations() -> None:
    assert augmentation("dsa:mode=all,rotate=10") == DSA(mode="all", rotate=10.0)
    assert augmentation("crop-flip:flip=false") == CropFlip(flip=False)
    with pytest.raises(OptionError, match="did you mean dsa"):
        augmentation("dss")
    with pytest.raises(OptionError, match="did you mean rotate"):
        augmentation("dsa:rotat=3")
    with pytest.raises(OptionError, match="at least 0"):
        augmentation("crop-flip:pad=-1")
    with pytest.raises(OptionError, match="at least 0"):
        augmentation("noise:std=-1")
