"""Spaces, their distances, and covering numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limbeck.compute import Compute
from limbeck.data.dsa import DSA
from limbeck.data.nothing import Nothing
from limbeck.errors import OptionError
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from limbeck.training.configuration import Constant, Epochs, Step, Updates
from limbeck.training.distance import covering_number, distance_matrix, net
from limbeck.training.optimizer import SGD, Adam
from limbeck.training.space import SPACES, Space, space
from limbeck.values import decode, encode

from .tiny_training import tiny

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 4, 4), (2, 12, 9), (14,)]


def small() -> Space:
    return Space.product(
        "small",
        architectures={"mlp": MLP(width=4), "conv": ConvNet(depth=2, width=4)},
        optimizers={"sgd": (SGD(lr=0.1), Constant()), "slow": (SGD(lr=0.01), Constant()), "adam": (Adam(), Constant())},
        augmentations={"none": Nothing()},
        length=Updates(5),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_standard_has_24_that_fit_and_equal_updates(shape: tuple[int, ...]) -> None:
    made = space("standard", shape)
    assert len(made) >= 24
    assert len({c.length for c in made}) == 1 and isinstance(made.configurations[0].length, Updates)
    assert len({c.architecture for c in made}) == 4 and len({c.optimizer for c in made}) == 3
    for configuration in made:
        configuration.architecture.build(shape, 10)
        configuration.augmentation.draw(2, shape, generator(0))


@pytest.mark.parametrize("name", sorted(SPACES))
@pytest.mark.parametrize("shape", SHAPES)
def test_every_space_fits_and_is_a_value(name: str, shape: tuple[int, ...]) -> None:
    made = space(name, shape)
    assert decode(encode(made)) == made and made.name == name
    for configuration in made:
        configuration.architecture.build(shape, 3)


def test_dc_bench_is_the_fields_recipe() -> None:
    (plain,) = space("dc-bench", (3, 32, 32))
    assert plain.architecture == ConvNet(depth=None, width=128)
    assert plain.optimizer == SGD(lr=0.01, momentum=0.9, weight_decay=5e-4)
    assert (plain.batch, plain.schedule, plain.length) == (256, Step((0.5,), 0.1), Epochs(300))
    (augmented,) = space("dc-bench", (3, 32, 32), augment=DSA(), architecture=ConvNet(width=8))
    assert augmented.length == Epochs(1000) and augmented.augmentation == DSA()
    assert augmented.architecture == ConvNet(width=8)


def test_one_network_or_one_augmentation_restricts_the_standard_space() -> None:
    only = space("standard", (1, 8, 8), architecture=ConvNet(depth=2, width=4), augment=Nothing())
    assert len(only) == 3 and {c.architecture for c in only} == {ConvNet(depth=2, width=4)}


def test_mixed_has_every_network_and_every_pair_and_begins_with_the_usual_one() -> None:
    made = space("mixed", (1, 28, 28))
    assert made.configurations[0].architecture == ConvNet(3, width=32) and len({c.architecture for c in made}) == 7
    assert made.configurations[0].augmentation == DSA("color_crop_cutout_scale_rotate")
    assert len({(c.optimizer, c.augmentation) for c in made}) == 6 and len(made) == 7
    only = space("mixed", (3, 32, 32), architecture=ConvNet(width=8))
    assert len(only) == 6 and {c.architecture for c in only} == {ConvNet(width=8)}
    assert len(space("mixed", (3, 32, 32), architecture=MLP(), augment=Nothing())) == 3


def test_unknown_names_and_bad_sizes_are_sentences() -> None:
    with pytest.raises(OptionError, match="did you mean standard"):
        space("standart", (1, 8, 8))
    with pytest.raises(OptionError, match="7 configurations were asked"):
        small().sample(7, generator(0))
    with pytest.raises(OptionError, match="name of its own"):
        Space("twice", small().configurations[:1] * 2)


def test_product_and_sample() -> None:
    made = small()
    assert [c.name for c in made][:2] == ["mlp/sgd/none", "mlp/slow/none"] and len(made) == 6
    drawn = made.sample(3, generator(1))
    assert len(drawn) == 3 and set(drawn) < set(made)
    assert drawn == made.sample(3, generator(1))


def test_distances_are_a_metric_and_know_answers(compute: Compute) -> None:
    d = distance_matrix(small(), tiny(), classes=3, seeds=(0, 1), compute=compute)
    assert d.shape == (6, 6) and float(d.diagonal().abs().max()) == 0.0
    torch.testing.assert_close(d, d.T)
    assert float(d.min()) >= 0 and float(d.max()) <= 1 + 1e-12
    for i in range(6):
        assert bool((d <= d[:, i : i + 1] + d[i : i + 1, :] + 1e-9).all())
    # a rate ten times smaller moves the logits of an almost linear step by a tenth: (1 − 0.1) / (1 + 0.1)
    assert float(d[0, 1]) == pytest.approx(0.9 / 1.1, abs=0.05)
    assert float(d[0, 3]) > 0.5  # another architecture


def test_covering_numbers_of_points_on_a_line() -> None:
    points = torch.arange(9.0)
    d = (points[:, None] - points[None, :]).abs()
    assert [covering_number(d, r) for r in (0.0, 1.0, 7.0)] == [9, 5, 2]
    assert covering_number(d, 8.0) == 1
    with pytest.raises(OptionError, match="radius is -1"):
        covering_number(d, -1.0)


def test_nets_of_points_on_a_line() -> None:
    points = torch.arange(9.0)
    d = (points[:, None] - points[None, :]).abs()
    assert net(d, 1) == ((0,), 8.0)
    assert net(d, 2) == ((0, 8), 4.0)
    assert net(d, 3) == ((0, 8, 4), 2.0)
    assert net(d, 99)[1] == 0.0 and len(net(d, 99)[0]) == 9
    assert net(torch.zeros(3, 3), 2) == ((0,), 0.0)  # one point, three times
    with pytest.raises(OptionError, match="0 centres"):
        net(d, 0)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_covering_number_falls_with_the_radius_and_is_at_most_the_size(xs: list[float], r: float, s: float) -> None:
    points = torch.tensor(xs, dtype=torch.float64)
    d = (points[:, None] - points[None, :]).abs()
    low, high = sorted((r, s))
    assert 1 <= covering_number(d, high) <= covering_number(d, low) <= len(xs)
