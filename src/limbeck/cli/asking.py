"""Options that several commands share, and how their texts become values."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from limbeck.compute import Compute
    from limbeck.data.task import Task
    from limbeck.synthetic.synthetic_set import Card, SyntheticSet

__all__ = [
    "Channels",
    "Device",
    "Groups",
    "Json",
    "Precision",
    "Size",
    "SourceArgument",
    "SplitSeed",
    "Zca",
    "compute_of",
    "load_set",
    "load_sets",
    "open_all",
    "open_task",
    "pairs",
    "reopen",
]

SourceArgument = Annotated[
    str,
    typer.Argument(
        help="digits, idx:PATH, parquet:PATH, folder:PATH, npz:PATH, table:PATH or hub:NAME", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable results on standard output.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 …, or auto.")]
Precision = Annotated[str, typer.Option(help="float32, bfloat16, or auto.")]
Size = Annotated[int | None, typer.Option(help="Images of a folder are cut and scaled to SIZE × SIZE pixels.")]
Channels = Annotated[int | None, typer.Option(help="1 (grey) or 3 (RGB), where images are mixed.")]
Groups = Annotated[
    Path | None, typer.Option(help="Text file, one group (patient, source) an example: no group crosses the splits.")
]
SplitSeed = Annotated[int, typer.Option(help="Seed of the split into train, validation and test.")]
Zca = Annotated[bool, typer.Option("--zca", help="Whiten the data (statistics from train only).")]


def compute_of(device: str, precision: str) -> "Compute":
    """The Compute of two options; a sentence where this machine lacks it."""
    from limbeck.compute import Compute
    from limbeck.errors import unknown

    if precision not in ("auto", "float32", "bfloat16"):
        raise unknown("precision", precision, ("auto", "float32", "bfloat16"))
    return Compute(device=device, precision=precision).resolve()  # type: ignore[arg-type]


def pairs(settings: list[str]) -> dict[str, str]:
    """``key=value`` texts as a dictionary."""
    from limbeck.errors import OptionError

    for text in settings:
        if "=" not in text or text.startswith("="):
            raise OptionError(f"'{text}' is no setting: write --set key=value.")
    return dict(text.split("=", 1) for text in settings)


def open_task(source: str, **options: Any) -> "Task":
    """The task of a source, with those options that were given."""
    from limbeck.cli.console import say
    from limbeck.data.sources import open_source

    if source.startswith("hub:"):  # its library tries again and again, silently, where there is no network
        say(f"Asking the hub for {source.removeprefix('hub:')} …")
    return open_source(source, **{k: v for k, v in options.items() if v is not None and v is not False})


def load_set(directory: Path) -> "SyntheticSet":
    """The synthetic set of a directory; says what is there instead where it is unfinished."""
    from limbeck.errors import ArtifactError
    from limbeck.synthetic.synthetic_set import SyntheticSet

    if (directory / "run.json").exists() and not (directory / "card.json").exists():
        raise ArtifactError(f"'{directory}' holds an unfinished run: give its limbeck distill command again.")
    return SyntheticSet.load(directory)


def load_sets(directories: Sequence[Path], *, write: bool = False) -> "list[SyntheticSet]":
    """The sets of directories that stand in one table; MismatchError where they were made from different data.

    write: results are to be put beside them; DirectoryError where they cannot be.
    """
    from limbeck.errors import MismatchError
    from limbeck.files import check_place

    sets = [load_set(directory) for directory in directories]
    for directory in directories if write else ():
        check_place(directory)
    first = sets[0].card
    for directory, card in zip(directories, (made.card for made in sets), strict=True):
        if card.fingerprint == first.fingerprint and card.split_seed == first.split_seed:
            continue
        from_first, from_this = _apart(first, card)
        raise MismatchError(
            f"'{directories[0]}' was made from {from_first} and '{directory}' from {from_this}: give sets of one data "
            "set, because accuracies on different data cannot stand in one table."
        )
    return sets


def _apart(one: "Card", other: "Card") -> tuple[str, str]:
    """The data of two sets, in words that differ."""
    texts = one.task, other.task
    if texts[0] == texts[1]:  # one place, opened in two ways, or changed in between
        first, second = (
            [f"split seed {c.split_seed}", " × ".join(map(str, c.shape)), f"content {c.fingerprint[:8]}…"]
            for c in (one, other)
        )
        ways = next((pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]), (first[2], second[2]))
        texts = f"{one.task} ({ways[0]})", f"{other.task} ({ways[1]})"
    return texts


def reopen(made: "SyntheticSet", source: str | None, groups: Path | None) -> "Task":
    """The task that a set was made from: its own source unless another place is given, split and cut the same way."""
    card = made.card
    options: dict[str, Any] = {"seed": card.split_seed, "groups": groups}
    text = source or card.task
    if text.split(":")[0] in ("folder", "parquet", "hub") and len(card.shape) == 3:
        channels, height, width = card.shape
        options |= {"size": height if height == width else None, "channels": channels}
    return open_task(text, **options, zca=made.preprocessing.whiten is not None)


def open_all(sets: "Sequence[SyntheticSet]", source: str | None, groups: Path | None) -> "list[Task]":
    """The task of every set, each opened once; MismatchError before any work where one is not what a set is made of."""
    from limbeck.evaluation.origin import check_match

    opened: dict[Any, Task] = {}
    tasks = []
    for made in sets:
        card = made.card
        key = (card.task, card.split_seed, card.shape, made.preprocessing.whiten is not None)
        if key not in opened:
            opened[key] = reopen(made, source, groups)
        check_match(made, opened[key])
        tasks.append(opened[key])
    return tasks
