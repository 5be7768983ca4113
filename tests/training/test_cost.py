"""What work lies ahead, and how it is cut."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from limbeck.networks import architecture
from limbeck.seeds import generator
from limbeck.training.cost import even, forward_flops


@pytest.mark.parametrize("name", ["convnet-3-32", "lenet", "alexnet", "vgg11", "resnet18", "vit", "mlp"])
def test_operations_are_those_that_pytorch_counts(name: str) -> None:
    network = architecture(name).build((3, 32, 32), 10)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(network.init(generator(0, "w")), torch.zeros(2, 3, 32, 32))
    assert 2 * forward_flops(network) == counter.get_total_flops()


@given(st.integers(0, 3000), st.integers(1, 200))
def test_slices_cover_everything_once_in_at_most_two_sizes(n: int, most: int) -> None:
    slices = even(n, most)
    assert [i for part in slices for i in range(part.start, part.stop)] == list(range(n))
    sizes = {part.stop - part.start for part in slices}
    assert len(sizes) <= 2 and max(sizes, default=0) <= most and max(sizes, default=0) - min(sizes, default=0) <= 1


@pytest.mark.parametrize(
    ("n", "sizes"), [(100, [50, 50]), (256, [64] * 4), (10_000, [50] * 200), (65, [32, 33]), (90, [45, 45])]
)
def test_slices_are_alike_where_they_can_be(n: int, sizes: list[int]) -> None:
    assert [part.stop - part.start for part in even(n, 64)] == sizes


def test_nothing_is_no_slice() -> None:
    assert even(0, 64) == []
