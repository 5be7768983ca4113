"""Splits are stratified, disjoint, seeded, and never cut a group."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.data.split import group_ids, split
from limbeck.errors import FitError, SourceError
from limbeck.seeds import generator

counts = st.lists(st.integers(2, 40), min_size=2, max_size=6)


def _labels(sizes: list[int], seed: int) -> torch.Tensor:
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return labels[torch.randperm(len(labels), generator=generator(seed, "shuffle"))]


@settings(max_examples=60, deadline=None)
@given(sizes=counts, share=st.floats(0.05, 0.6), seed=st.integers(0, 99))
def test_stratified_split_keeps_proportions(sizes: list[int], share: float, seed: int) -> None:
    labels = _labels(sizes, seed)
    rest, part = split(labels, share, generator(seed), names=[str(c) for c in range(len(sizes))])
    assert torch.equal(torch.cat([rest, part]).sort().values, torch.arange(len(labels)))
    for c, size in enumerate(sizes):
        held = int((labels[part] == c).sum())
        assert 1 <= held < size
        assert abs(held - share * size) <= 1


def test_split_is_seeded() -> None:
    labels = _labels([30, 30], 0)
    first, again, other = (split(labels, 0.3, generator(s), names="ab")[1] for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2)), min_size=24, max_size=60),
    st.floats(0.1, 0.4),
    st.integers(0, 99),
)
def test_groups_never_cross(blocks: list[tuple[int, int]], share: float, seed: int) -> None:
    # Three small groups of every class make a split possible whatever else is drawn.
    blocks = blocks + [(1, c) for c in range(3) for _ in range(3)]
    labels = torch.cat([torch.full((size,), c) for size, c in blocks])
    groups = torch.repeat_interleave(torch.arange(len(blocks)), torch.tensor([size for size, _ in blocks]))
    rest, part = split(labels, share, generator(seed), names="abc", groups=groups)
    assert not set(groups[rest].tolist()) & set(groups[part].tolist())
    assert len(rest) + len(part) == len(labels)
    for c in range(3):
        n, held = int((labels == c).sum()), int((labels[part] == c).sum())
        assert 1 <= held < n
        # A group of at most 6 is what the greedy choice can miss the target by.
        assert abs(held - share * n) <= 6


def test_mixed_groups_stay_whole_and_near_the_share() -> None:
    g = generator(3)
    labels, groups = torch.randint(0, 4, (600,), generator=g), torch.randint(0, 60, (600,), generator=g)
    rest, part = split(labels, 0.2, generator(0), names="abcd", groups=groups)
    assert not set(groups[rest].tolist()) & set(groups[part].tolist())
    for c in range(4):
        assert 0.14 <= float((labels[part] == c).sum() / (labels == c).sum()) <= 0.26


def test_a_large_group_is_moved_when_only_it_has_a_class() -> None:
    labels = torch.tensor([0] * 10 + [1] * 10 + [0] * 5 + [1] * 5)
    groups = torch.tensor([0] * 20 + [1] * 10)
    rest, part = split(labels, 0.1, generator(0), names="ab", groups=groups)
    assert {len(rest), len(part)} == {20, 10}


def test_a_class_that_cannot_be_on_both_sides_is_an_error() -> None:
    with pytest.raises(FitError, match=r"class 'b' has 1 example left"):
        split(torch.tensor([0, 0, 0, 1]), 0.5, generator(0), names="ab")
    with pytest.raises(FitError, match=r"class 'b' cannot be on both sides"):
        split(torch.tensor([0, 0, 1, 1]), 0.5, generator(0), names="ab", groups=torch.tensor([0, 1, 2, 2]))


def test_group_ids_for_train_only_and_for_all(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "groups.txt"
    file.write_text("anna\nben\nanna\n")
    first, second = group_ids(file, [3, 2])
    assert first is not None
    assert first.tolist() == [0, 1, 0]
    assert second is None
    parts = group_ids(["anna", "ben", "anna", "carl", "carl"], [3, 2])
    assert [p.tolist() for p in parts if p is not None] == [[0, 1, 0], [2, 2]]


def test_bad_groups_are_errors(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SourceError, match="2 groups are given"):
        group_ids(["a", "b"], [3, 2])
    with pytest.raises(FitError, match="group 'a' lies in two"):
        group_ids(["a", "b", "a", "b"], [2, 2])
    with pytest.raises(SourceError, match="cannot be read"):
        group_ids(tmp_path / "missing.txt", [2])
    (tmp_path / "gap.txt").write_text("a\n\nb\n")
    with pytest.raises(SourceError, match="empty line"):
        group_ids(tmp_path / "gap.txt", [3])
