"""Judging: ``limbeck evaluate`` and ``limbeck compare``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limbeck.cli.asking import Device, Groups, Json, Precision, compute_of, load_sets, open_all
from limbeck.cli.naming import again, named, names_of, together

if TYPE_CHECKING:
    from limbeck.evaluation.records import Records
    from limbeck.evaluation.table import Table

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

    _check(configurations, seeds, split)
    compute = compute_of(device, precision)
    sets = load_sets(directories, write=True)
    judged = []
    for directory, made, task in zip(directories, sets, open_all(sets, source, groups), strict=True):
        with steps(f"{directory.name}: training on the synthetic set") as watch:
            rows = judge(
                made, task, configurations=configurations, seeds=seeds, split=split, compute=compute, watch=watch
            )
        if full:
            rows += _full(made, task, configurations, seeds, split, compute)
        path = directory / f"evaluation-{configurations}-{split}.parquet"
        rows.to_parquet(path)
        judged.append(rows)
        say(f"Wrote {path}.")
    shown = together(sets, names_of(directories, sets), judged)
    _emit(shown, as_json)
    next_ones = [again("limbeck", what, *directories, source=source, groups=groups) for what in ("compare", "report")]
    say(f"Next: {'   or   '.join(next_ones)}")


def _check(configurations: str, seeds: int, split: str) -> None:
    """Sentences before any work for what would be found out later."""
    from limbeck.errors import OptionError, unknown
    from limbeck.evaluation.records import SPLITS
    from limbeck.training.space import SPACES

    if configurations != "own" and configurations not in SPACES:
        raise unknown("space", configurations, ("own", *SPACES))
    if seeds < 1:
        raise OptionError(f"--seeds is {seeds}: give at least 1 network a configuration.")
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)


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


def _emit(records: "Records", as_json: bool) -> "Table":
    """The table of the records on standard output, its notes and all failures on standard error."""
    from limbeck.cli.console import emit, say, table
    from limbeck.cli.console import width as available
    from limbeck.evaluation import table as tabulate

    made = tabulate(records)
    columns, rows, hidden = made.fitting(available())
    emit(made.dictionaries(), as_json=as_json, otherwise=table(list(columns), [list(row) for row in rows]))
    for note in made.notes():
        say(note)
    if hidden and not as_json:
        say(f"Not shown for lack of width: {', '.join(hidden)} (--json gives them).")
    for row in records:
        if row.failure:
            say(f"{row.set}, {row.configuration}, seed {row.seed}: {row.failure}", "failed")
    return made


def compare(
    directories: Sets,
    source: Source = None,
    configurations: Configurations = "own",
    seeds: Seeds = 5,
    split: Split = "test",
    device: Device = "auto",
    precision: Precision = "auto",
    groups: Groups = None,
    as_json: Json = False,
) -> None:
    """Compare synthetic sets with each other, with the baselines of their size, and say which is better."""
    from limbeck.cli.comparing import with_baselines
    from limbeck.cli.console import say
    from limbeck.evaluation.verdict import verdict

    _check(configurations, seeds, split)
    compute = compute_of(device, precision)
    sets = load_sets(directories, write=True)
    tasks = open_all(sets, source, groups)
    judged = with_baselines(sets, tasks, configurations, seeds, split, compute)
    for directory, rows in zip(directories, judged, strict=True):
        path = directory / f"comparison-{configurations}-{split}.parquet"
        rows.to_parquet(path)
        say(f"Wrote {path}.")
    names = names_of(directories, sets)
    records = together(sets, names, judged)
    ours = {made.card.method for made in named(sets, names)}
    for line in _emit(records, as_json).lines:
        if line.kind.method in ours:
            say(verdict(records, line.kind).sentence())
    say(f"Next: {again('limbeck', 'report', *directories, source=source, groups=groups)}")
