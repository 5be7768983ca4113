"""What a person sees: words and progress on standard error, results on standard output."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from limbeck.distillation.distiller import Progress

__all__ = [
    "Stopped",
    "distilling",
    "emit",
    "keeping",
    "say",
    "seconds_in_words",
    "steps",
    "table",
    "width",
    "words",
    "working",
]

words = Console(stderr=True, highlight=False, soft_wrap=True)
_results = Console(highlight=False)


class Stopped(Exception):
    """Ctrl-C where work is kept; its text says so."""


@contextmanager
def keeping(record: Path) -> Iterator[None]:
    """Around work that goes on where it was stopped, from the moment that ``record`` is on disk."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not record.exists():
            raise
        raise Stopped("stopped; what was done is kept, and the same command goes on from there.") from stop


def width() -> int:
    """Columns that a table on standard output can have."""
    return _results.width


def say(text: str, head: str = "", *, style: str = "yellow") -> None:
    """One line for the person, on standard error, as it is: names of files and columns may hold brackets.

    head: a word such as "note" before it, in ``style``.
    """
    words.print(Text.assemble((f"{head}: " if head else "", style), text))


def emit(data: Any, *, as_json: bool, otherwise: "Table | str") -> None:
    """A result on standard output: JSON for scripts, else a table or text."""
    if as_json:
        sys.stdout.write(json.dumps(_finite(data), indent=1, default=str, allow_nan=False) + "\n")
    else:
        # a text is printed as it is, in one line however narrow the terminal is: a script may read a path from it
        _results.print(
            Text(otherwise) if isinstance(otherwise, str) else otherwise, soft_wrap=isinstance(otherwise, str)
        )


def _finite(data: Any) -> Any:
    """NaN and infinity become null: JSON knows neither."""
    if isinstance(data, dict):
        return {k: _finite(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(v) for v in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def table(columns: list[str], rows: list[list[str]], title: str = "") -> Table:
    """A plain table; the texts are shown as they are, not as markup."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(Text(column), overflow="fold", no_wrap="\n" in column)
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def seconds_in_words(seconds: float) -> str:
    """``45 s``, ``3 min``, ``2.5 h``."""
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def about(seconds: float) -> str:
    """``About 45 s``, at the beginning of a sentence."""
    return "Less than a second" if seconds < 1 else f"About {seconds_in_words(seconds)}"


@contextmanager
def distilling(name: str) -> "Iterator[Callable[[Progress], None]]":
    """A bar with loss, time left and memory for one distillation."""
    import psutil

    process = psutil.Process()
    with _bar(name, before="loss", after="memory") as advance:

        def watch(progress: Any) -> None:
            often = max(1, progress.total // 200)
            if progress.done % often == 0 or progress.done == progress.total:
                memory = f"{process.memory_info().rss / 2**30:.1f} GiB"
                advance(progress.done, progress.total, loss=f"loss {progress.loss:.4g}", memory=memory)

        yield watch


@contextmanager
def steps(name: str) -> "Iterator[Callable[[int, int], None]]":
    """A bar for counted steps with time left."""
    with _bar(name) as advance:
        yield advance


@contextmanager
def _bar(name: str, *, before: str = "", after: str = "") -> "Iterator[Callable[..., None]]":
    """A bar that is moved by (done, total, **texts); ``before`` and ``after`` name texts around the times."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    def field(key: str) -> list[TextColumn]:
        return [TextColumn(f"{{task.fields[{key}]}}", markup=False)] if key else []

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        *field(before),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        *field(after),
    )
    with Progress(*columns, console=words, refresh_per_second=4) as bar:
        empty: dict[str, Any] = {key: "" for key in (before, after) if key}
        job = bar.add_task(name, total=None, **empty)

        def advance(done: int, total: int, **texts: Any) -> None:
            bar.update(job, completed=done, total=total, **texts)

        yield advance


@contextmanager
def working(what: str) -> Iterator[None]:
    """A sign of life where the end cannot be foreseen."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=words, refresh_per_second=4, transient=True) as bar:
        bar.add_task(what, total=None)
        yield
