"""Judging: ``limbeck evaluate`` and ``limbeck compare``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limbeck.cli.asking import Device, Groups, Json, Precision, compute_of, load_set, reopen

if TYPE_CHECKING:
    from limbeck.evaluation.records import Records

__all__ = ["compare", "evaluate"]

Sets = Annotated[list[Path], typer.Argument(help="Directories of synthetic sets.", show_default=False)]
Source = Annotated[str | None, typer.Option(help="Where the real data is, if not where it was.")]
Configurations = Annotated[str, typer.Option(help="own, or a space: see limbeck list spaces.")]
Seeds = Annotated[int, typer.Option(help="Networks a configuration.")]
Split = Annotated[str, typer.Option(help="test, or validation while you are still choosing.")]


def evaluate(
    directories: Sets,
    source: Source = None,
    configurations: Configurations = "own",
    seeds: Seeds = 5,
    split: Split = "test",
    full: Annotated[bool, typer.Option("--full", help="Also train on the full data, equally long.")] = False,
    device: Device = "auto",
    precision: Precision = "auto",
    groups: Groups = None,
    as_json: Json = False,
) -> None:
    """Train networks on synthetic sets and say how good they are."""
    from limbeck.cli.console import say, steps
    from limbeck.evaluation import evaluate as judge
    from limbeck.evaluation import table
    from limbeck.evaluation.records import Records

    compute = compute_of(device, precision)
    sets = [load_set(directory) for directory in directories]
    everything = Records(())
    for directory, made in zip(directories, sets, strict=True):
        task = reopen(made, source, groups)
        with steps(f"{directory.name}: training on the synthetic set") as watch:
            rows = judge(
                made, task, configurations=configurations, seeds=seeds, split=split, compute=compute, watch=watch
            )
        if full:
            rows += _full(made, task, configurations, seeds, split, compute)
        path = directory / f"evaluation-{configurations}-{split}.parquet"
        rows.to_parquet(path)
        everything += rows
        say(f"Wrote {path}.")
    made_table = table(_distinct(everything))
    _emit(made_table, everything, as_json)
    named = " ".join(map(str, directories))
    say(f"Next: limbeck compare {named}   or   limbeck report {named}")


def _full(made: Any, task: Any, name: str, seeds: int, split: str, compute: Any) -> "Records":
    """Rows of the full-data reference, with as many updates as the set gets in each configuration."""
    from limbeck.cli.console import steps
    from limbeck.evaluation import own_recipe, train_full
    from limbeck.evaluation.records import Records
    from limbeck.training.space import space

    chosen = (own_recipe(made),) if name == "own" else tuple(space(name, task.shape).configurations)
    rows = Records(())
    with steps("training on the full data, equally long") as watch:
        for place, one in enumerate(chosen):
            watch(place, len(chosen))
            count = one.length.updates(len(made.hard), one.batch)
            rows += train_full(task, one, updates=count, seeds=seeds, split=split, compute=compute)
        watch(len(chosen), len(chosen))
    return rows


def _distinct(records: "Records") -> "Records":
    """Rows without repetition (two sets of one task bring the same full-data references)."""
    from limbeck.evaluation.records import Records

    seen: dict[tuple[Any, ...], Any] = {}
    for row in records:
        seen.setdefault((row.set, row.configuration, row.seed, row.split, row.labels, row.updates), row)
    return Records(tuple(seen.values()))


def _emit(made: Any, records: "Records", as_json: bool) -> None:
    from limbeck.cli.console import emit, say, table

    rows = [list(line.texts()) for line in made.lines]
    emit(_finite(made.dictionaries()), as_json=as_json, otherwise=table(list(made.columns), rows))
    for note in made.notes():
        say(note)
    for row in records:
        if row.failure:
            say(f"[yellow]failed:[/] {row.set}, {row.configuration}, seed {row.seed}: {row.failure}")


def _finite(data: Any) -> Any:
    """NaN becomes null: JSON knows no NaN."""
    if isinstance(data, dict):
        return {k: _finite(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(v) for v in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def compare(
    directories: Sets,
    source: Source = None,
    configurations: Configurations = "own",
    seeds: Seeds = 5,
    split: Split = "test",
    device: Device = "auto",
    precision: Precision = "auto",
    groups: Groups = None,
    out: Annotated[
        Path | None, typer.Option(help="Records to write. Default: compare.parquet beside the first.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare synthetic sets with each other, with the baselines of their size, and say which is better."""
    from limbeck.cli.comparing import with_baselines
    from limbeck.cli.console import say
    from limbeck.evaluation import table
    from limbeck.evaluation.verdict import verdict

    sets = [load_set(directory) for directory in directories]
    task = reopen(sets[0], source, groups)
    records = with_baselines(sets, task, configurations, seeds, split, compute_of(device, precision))
    path = out or directories[0].with_name("compare.parquet")
    records.to_parquet(path)
    shown = records.where(split=split)
    made = table(shown)
    _emit(made, shown, as_json)
    for line in made.lines:
        if any(line.kind.method == s.card.method for s in sets):
            say(verdict(records, line.kind).sentence())
    say(f"Wrote {path}; next: limbeck report {' '.join(map(str, directories))}")
