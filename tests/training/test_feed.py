"""What a training run is fed."""

from itertools import islice

import torch
from hypothesis import given
from hypothesis import strategies as st

from limbeck.data.examples import Examples
from limbeck.data.nothing import Nothing
from limbeck.training.feed import Feed

CPU = torch.device("cpu")


def feed(number: int, batch: int) -> Feed:
    inputs = torch.arange(number, dtype=torch.float32)[:, None]
    return Feed(Examples(inputs, torch.zeros(number, dtype=torch.int64)), Nothing(), batch=batch, device=CPU)


@given(number=st.integers(1, 200), batch=st.integers(1, 70), seed=st.integers(0, 5))
def test_an_epoch_sees_every_example_once_in_batches_as_equal_as_can_be(number: int, batch: int, seed: int) -> None:
    count = -(-number // batch)  # batches of an epoch, as lengths in epochs count them
    one = [part.inputs[:, 0] for part, _ in islice(feed(number, batch).batches(seed), count)]
    assert sorted(torch.cat(one).tolist()) == list(range(number))
    sizes = [len(part) for part in one]
    assert max(sizes) <= batch and max(sizes) - min(sizes) <= 1


def test_no_batch_is_a_small_rest() -> None:
    sizes = [len(part) for part, _ in islice(feed(450, 64).batches(0), 16)]
    assert set(sizes) == {56, 57}  # and not seven times 64 and then 2


def test_epochs_have_orders_of_their_own_and_seeds_too() -> None:
    first, second = (torch.cat([p.inputs for p, _ in islice(feed(90, 32).batches(s), 6)]) for s in (0, 1))
    assert not torch.equal(first, second)
    assert not torch.equal(first[:90], first[90:])


def test_a_run_goes_on_where_it_was() -> None:
    whole = [p.inputs for p, _ in islice(feed(90, 32).batches(3), 7)]
    later = [p.inputs for p, _ in islice(feed(90, 32).batches(3, first=4), 3)]
    assert all(torch.equal(a, b) for a, b in zip(whole[4:], later, strict=True))
