"""Several sets side by side: names that tell them apart, and their rows together."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limbeck.evaluation.records import Records
    from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["again", "made_by", "named", "names_of", "together"]


def names_of(directories: Sequence[Path], sets: "Sequence[SyntheticSet]") -> list[str]:
    """A method's name for each set; with its directory where one method and size was run with different settings."""
    ways: dict[Any, list[Any]] = {}
    for made in sets:
        mine = ways.setdefault(_kind(made), [])
        if made.card.distiller not in mine:
            mine.append(made.card.distiller)
    return [
        made.card.method if len(ways[_kind(made)]) == 1 else f"{made.card.method} ({directory.name})"
        for directory, made in zip(directories, sets, strict=True)
    ]


def _kind(made: "SyntheticSet") -> tuple[str, tuple[int, ...], bool]:
    return made.card.method, made.card.per_class, made.targets is None


def named(sets: "Sequence[SyntheticSet]", names: Sequence[str]) -> "list[SyntheticSet]":
    """The sets under these names."""
    from dataclasses import replace

    return [replace(s, card=replace(s.card, method=name)) for s, name in zip(sets, names, strict=True)]


def together(sets: "Sequence[SyntheticSet]", names: Sequence[str], rows: "Sequence[Records]") -> "Records":
    """The rows of all sets under the names of :func:`names_of`, each once (sets share references and baselines)."""
    from dataclasses import replace

    from limbeck.evaluation.records import Records

    seen: dict[tuple[Any, ...], Any] = {}
    for made, name, mine in zip(sets, names, rows, strict=True):
        for row in mine:
            if name != made.card.method and row.method == made.card.method:
                row = replace(row, method=name, set=f"{row.set} {name}")
            key = (row.set, row.configuration, row.seed, row.split, row.labels, row.updates, row.recipe)
            seen.setdefault(key, row)
    return Records(tuple(seen.values()))


def made_by(directory: Path) -> list[str]:
    """The words of the command that began the run of ``directory``; [] where none is kept (Python, a study)."""
    import json
    import shlex

    try:
        return shlex.split(str(json.loads((directory / "run.json").read_text())["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return []


def again(*words: object, **options: object) -> str:
    """The text of a command with those options that were given, ready to be pasted into a shell."""
    import shlex

    given = [(name, item) for name, item in options.items() if item is not None and item is not False]
    tail = [w for name, item in given for w in (f"--{name.replace('_', '-')}", *([] if item is True else [item]))]
    return shlex.join(str(word) for word in (*words, *tail))
