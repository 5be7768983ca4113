"""Splitting: stratified by class, by seed, and with no group on two sides."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.errors import FitError, SourceError

__all__ = ["group_ids", "split"]


def split(
    labels: Tensor, share: float, generator: torch.Generator, *, names: Sequence[str], groups: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Indices (rest, part), both ascending: ``part`` holds about ``share`` of every class, and at least one.

    labels: (n,) int64. groups: (n,) int64, or None for every example on its own; no group is in both.
    FitError where a class cannot be on both sides.
    """
    if groups is None:
        inside = _by_class(labels, share, generator, names)
    else:
        inside = _by_group(labels, share, generator, names, groups)
    return torch.nonzero(~inside).flatten(), torch.nonzero(inside).flatten()


def _by_class(labels: Tensor, share: float, generator: torch.Generator, names: Sequence[str]) -> Tensor:
    inside = torch.zeros(len(labels), dtype=torch.bool)
    for c, name in enumerate(names):
        mine = torch.nonzero(labels == c).flatten()
        if len(mine) < 2:
            raise FitError(
                f"class '{name}' has {len(mine) or 'no'} example{'s' * (not len(mine))} left to split in two: "
                "give every class at least 3 examples, or at least 2 where the source has its own test split."
            )
        size = min(max(1, int(share * len(mine) + 0.5)), len(mine) - 1)
        inside[mine[torch.randperm(len(mine), generator=generator)[:size]]] = True
    return inside


def _by_group(labels: Tensor, share: float, generator: torch.Generator, names: Sequence[str], groups: Tensor) -> Tensor:
    """Large groups first (ties by seed), each goes in where that brings the class counts nearer to their targets."""
    ids, member = torch.unique(groups, return_inverse=True)
    table = torch.zeros(len(ids), len(names), dtype=torch.float64)
    table.index_put_((member, labels), torch.ones(len(labels), dtype=torch.float64), accumulate=True)
    shuffled = torch.randperm(len(ids), generator=generator)
    order = shuffled[torch.argsort(table.sum(1)[shuffled], descending=True, stable=True)].numpy()
    counts = table.numpy()
    relative = counts / np.maximum(counts.sum(0), 1)
    filled, chosen = np.zeros(len(names)), np.zeros(len(ids), dtype=bool)
    for g in order:
        if ((filled + relative[g] - share) ** 2).sum() < ((filled - share) ** 2).sum():
            filled, chosen[g] = filled + relative[g], True
    _cover(counts, chosen, names)
    return torch.from_numpy(chosen)[member]


def _cover(counts: NDArray[Any], chosen: NDArray[Any], names: Sequence[str]) -> None:
    """Moves the smallest groups that give both sides every class; ``chosen`` is changed in place."""
    for side in (True, False):
        for c, name in enumerate(names):
            if counts[chosen == side, c].sum() > 0:
                continue
            there = np.flatnonzero((chosen != side) & (counts[:, c] > 0)).tolist()
            movable = [g for g in there if _spare(counts, chosen, g)]
            if not movable:
                raise FitError(
                    f"class '{name}' cannot be on both sides of a split without cutting a group: "
                    "give finer groups, or data of this class from more groups."
                )
            chosen[min(movable, key=lambda g: float(counts[g].sum()))] = side


def _spare(counts: NDArray[Any], chosen: NDArray[Any], g: int) -> bool:
    """True where the side of group ``g`` keeps every class that ``g`` has when it leaves."""
    others = chosen == chosen[g]
    others[g] = False
    return bool((counts[others].sum(0) > 0)[counts[g] > 0].all())


def group_ids(groups: str | Path | Sequence[Any] | NDArray[Any] | Tensor, sizes: Sequence[int]) -> list[Tensor | None]:
    """Group numbers of each part of the source, whose sizes are given; None for parts that no group was given for.

    SourceError where there are neither as many groups as in the first part nor as in all, FitError where one crosses.
    """
    names = _lines(Path(groups)) if isinstance(groups, str | Path) else [str(g) for g in _plain(groups)]
    if len(names) not in (sizes[0], sum(sizes)):
        wanted = f"{sizes[0]} (train)" + (f" or {sum(sizes)} (all splits)" if len(sizes) > 1 else "")
        raise SourceError(f"{len(names)} groups are given, but there are {wanted} examples: give one group an example.")
    numbers = torch.from_numpy(np.unique(np.array(names), return_inverse=True)[1].astype(np.int64))
    if len(names) == sizes[0]:
        return [numbers, *[None] * (len(sizes) - 1)]
    parts = list(torch.split(numbers, list(sizes)))
    for i, later in enumerate(parts):
        for earlier in parts[:i]:
            if bool(torch.isin(later, earlier).any()):
                shared = names[int(torch.nonzero(torch.isin(numbers, later) & torch.isin(numbers, earlier))[0])]
                raise FitError(f"group '{shared}' lies in two of the source's own splits: remove it from one of them.")
    return [*parts]


def _plain(groups: Sequence[Any] | NDArray[Any] | Tensor) -> Sequence[Any]:
    listed: Sequence[Any] = groups.tolist() if isinstance(groups, np.ndarray | Tensor) else groups
    return listed


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the groups file '{path}' cannot be read as text: give one group a line.") from error
    if any(not line.strip() for line in lines):
        raise SourceError(f"the groups file '{path}' has an empty line: give one group a line, one line an example.")
    return [line.strip() for line in lines]
