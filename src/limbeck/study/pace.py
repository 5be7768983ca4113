"""How long runs take: learned from those that are done."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import final

__all__ = ["Paces"]


@final
class Paces:
    """Seconds of finished runs by group; a group not seen yet is taken to be like its kind (the group's first word)."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, group: str, seconds: float) -> None:
        """One finished run."""
        for key in (group, group.split()[0]):
            self._seconds[key].append(seconds)

    def knows(self, group: str) -> bool:
        """True where a run of this very group is known."""
        return group in self._seconds

    def seconds(self, groups: Mapping[str, int]) -> float | None:
        """Expected seconds of so many runs of each group, one after another; None where a kind is unknown."""
        total = 0.0
        for group, count in groups.items():
            if count == 0:
                continue
            known = self._seconds.get(group) or self._seconds.get(group.split()[0])
            if not known:
                return None
            total += count * median(known)
        return total
