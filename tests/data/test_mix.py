"""Mixup and CutMix: partners, proportions, exact areas, the law of λ."""

import math

import pytest
import torch
from torch import Tensor

from limbeck.data.mix import CutMix, Mixup
from limbeck.errors import FitError, OptionError
from limbeck.seeds import generator


def _numbered(n: int, side: int = 9) -> Tensor:
    """Image i holds the number i everywhere."""
    return torch.arange(n, dtype=torch.float64)[:, None, None, None].expand(n, 2, side, side + 3).clone()


@pytest.mark.parametrize("n", [1, 6])
def test_cutmix_pastes_a_rectangle_and_mixes_targets_by_its_exact_area(n: int) -> None:
    cutmix, x, targets = CutMix(p=1.0), _numbered(6), torch.eye(6, dtype=torch.float64)
    areas = set()
    for seed in range(20):
        draw = cutmix.draw(n, (2, 9, 12), generator(seed))
        out, mixed = cutmix.apply(x, draw), cutmix.mix(targets, draw)
        shares = torch.stack([(out[:, 0] == number).double().mean((1, 2)) for number in range(6)], 1)
        torch.testing.assert_close(mixed, shares)  # the share of each image's pixels is its label's weight
        top, bottom, left, right = draw["box"][0].tolist()
        pasted = out != x
        pasted[:, :, top:bottom, left:right] = False
        assert not pasted.any()
        areas.add((bottom - top) * (right - left))
    assert len(areas) > 10


def test_cutmix_mixes_in_the_given_share_of_calls() -> None:
    boxes = [CutMix(p=0.5).draw(4, (1, 32, 32), generator(seed))["kept"].item() < 1 for seed in range(400)]
    assert sum(boxes) / 400 == pytest.approx(0.5, abs=0.08)
    never = CutMix(p=0.0).draw(4, (2, 9, 12), generator(0))
    assert torch.equal(CutMix().apply(_numbered(4), never), _numbered(4))
    assert torch.equal(CutMix().mix(torch.eye(4), never), torch.eye(4))


@pytest.mark.parametrize("n", [1, 5])
def test_mixup_mixes_inputs_and_targets_alike(n: int) -> None:
    mixup, targets = Mixup(0.4), torch.eye(5, dtype=torch.float64)
    draw = mixup.draw(n, (5,), generator(3))
    inputs = 10 * targets + 1  # a table whose rows tell their labels
    torch.testing.assert_close(mixup.apply(inputs, draw), 10 * mixup.mix(targets, draw) + 1)
    kept = draw["kept"].item()
    for row in mixup.mix(targets, draw):
        assert {round(v, 9) for v in row.tolist()} <= {0.0, 1.0, round(kept, 9), round(1 - kept, 9)}
        assert row.sum().item() == pytest.approx(1)


def test_a_shared_draw_pairs_every_example_with_another() -> None:
    for seed in range(20):
        draw = {**Mixup().draw(1, (3,), generator(seed)), "kept": torch.zeros(1)}
        for size in (2, 3, 7):
            partners = Mixup().mix(torch.eye(size), draw).argmax(1)
            assert sorted(partners.tolist()) == list(range(size))
            assert (partners != torch.arange(size)).all()
        assert torch.equal(Mixup().mix(torch.eye(1), draw), torch.eye(1))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_lambda_follows_the_beta_law(alpha: float) -> None:
    draws = generator(0)
    kept = torch.cat([Mixup(alpha).draw(1, (3,), draws)["kept"] for _ in range(2000)])
    assert kept.mean().item() == pytest.approx(0.5, abs=0.03)
    assert kept.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.08)


@pytest.mark.parametrize("made", [Mixup(), CutMix(p=1.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_types_are_kept_and_gradients_flow(made: Mixup | CutMix, dtype: torch.dtype) -> None:
    x = torch.randn((4, 1, 6, 6), generator=generator(0)).to(dtype).requires_grad_()
    draw = made.draw(4, (1, 6, 6), generator(1))
    out = made.apply(x, draw)
    assert out.dtype == dtype
    assert made.mixes_labels
    if dtype == torch.float64:
        assert torch.autograd.gradcheck(lambda inputs: made.apply(inputs, draw), x)


def test_bad_values_are_sentences() -> None:
    with pytest.raises(FitError, match="CutMix augments images"):
        CutMix().draw(2, (7,), generator(0))
    for make in (lambda: Mixup(0.0), lambda: CutMix(beta=math.inf), lambda: CutMix(p=1.1)):
        with pytest.raises(OptionError, match="must be"):
            make()
