"""Looking: ``limbeck list``, ``info``, ``show``, ``export``, ``report``, ``cite``."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limbeck.cli.asking import Channels, Groups, Json, Size, SourceArgument, SplitSeed, load_set, load_sets, open_task
from limbeck.cli.naming import again, made_by, named, names_of, together

if TYPE_CHECKING:
    from limbeck.data.task import Task
    from limbeck.evaluation.records import Records
    from limbeck.synthetic.synthetic_set import Card, SyntheticSet

__all__ = ["cite", "export", "info", "names", "report", "show"]

WIDE = 150  # columns of a terminal from which on a table of many columns reads well

Sets = Annotated[
    list[Path],
    typer.Argument(help="Directories of synthetic sets, or one study's directory or export.", show_default=False),
]


def names(
    what: Annotated[str, typer.Argument(help="methods, networks, sources, spaces, views, discrepancies …")] = "methods",
    as_json: Json = False,
) -> None:
    """List what limbeck knows."""
    from limbeck.cli.console import emit, say, table, width
    from limbeck.cli.listing import FOOTNOTES, LISTS, stacked
    from limbeck.errors import unknown

    if what not in LISTS:
        raise unknown("list", what, LISTS)
    columns, rows = LISTS[what]()
    shown = stacked(columns, rows) if len(columns) > 3 and width() < WIDE else (columns, rows)
    emit([dict(zip(columns, row, strict=True)) for row in rows], as_json=as_json, otherwise=table(*shown))
    if what in FOOTNOTES:
        say(FOOTNOTES[what]())


def info(
    source: SourceArgument,
    size: Size = None,
    channels: Channels = None,
    groups: Groups = None,
    split_seed: SplitSeed = 0,
    as_json: Json = False,
) -> None:
    """Say what SOURCE holds: splits, classes, shape, fingerprint."""
    from limbeck.cli.console import emit, say, table

    task = open_task(source, size=size, channels=channels, groups=groups, seed=split_seed)
    facts = {
        "source": task.name,
        "kind": task.kind,
        "shape": list(task.shape),
        "train": len(task.train),
        "validation": len(task.validation),
        "test": task.test.size,
        "classes": dict(zip(task.classes, task.counts, strict=True)),
        "fingerprint": task.fingerprint,
        "split_seed": task.split_seed,
        "notes": list(task.notes),
    }
    rows = [[key, _words(item)] for key, item in facts.items()]
    emit(facts, as_json=as_json, otherwise=table(["", source], rows))
    given = {"size": size, "channels": channels, "groups": groups, "split_seed": split_seed or None}
    say(f"Next: {again('limbeck', 'distill', source, **given)}")


def _words(item: Any) -> str:
    if isinstance(item, dict):
        shown = [f"{name} ({count})" for name, count in list(item.items())[:20]]
        more = f" … {len(item) - 20} more" if len(item) > 20 else ""
        return f"{len(item)}, with training examples: " + ", ".join(shown) + more
    return (
        " × ".join(map(str, item))
        if isinstance(item, list) and all(isinstance(i, int) for i in item)
        else _joined(item)
    )


def _joined(item: Any) -> str:
    return " ".join(item) if isinstance(item, list) else f"{item:,}" if isinstance(item, int) else str(item)


def show(
    directory: Annotated[Path, typer.Argument(help="Directory of a synthetic set.")], as_json: Json = False
) -> None:
    """Show what a synthetic set is and how it was made."""
    from limbeck.cli.console import emit, say, table
    from limbeck.values import encode

    made = load_set(directory)
    card = made.card
    facts = encode(card)
    rows = [
        ["made from", f"{card.task} (fingerprint {card.fingerprint[:16]}, split seed {card.split_seed})"],
        ["method", f"{card.method}, seed {card.seed}"],
        ["stored", f"{len(made)} examples of {' × '.join(map(str, card.shape))}: {made.stored_values:,} numbers"],
        ["a class", ", ".join(f"{n}: {k}" for n, k in zip(card.classes, card.per_class, strict=True))],
        ["labels", "hard" if made.targets is None else "soft"],
        ["spent", _budget(card.budget)],
        ["recipe", _short(card.recipe)],
        ["versions", _budget(card.versions)],
    ]
    if card.losses:
        rows.insert(6, ["loss", f"{card.losses[0][1]:.4g} at first, {card.losses[-1][1]:.4g} at last"])
    if pool := _pool(card.distiller.get("within")):
        rows.insert(3, ["seen of real", pool])
    rows[2:2] = _matching(card)
    rows += [["note", note] for note in card.notes]
    emit(facts, as_json=as_json, otherwise=table(["", str(directory)], rows))
    say(f"Pictures: {directory / 'preview.png'}; next: {again('limbeck', 'evaluate', directory)}")


def _matching(card: "Card") -> list[list[str]]:
    """What is compared where, the difficulty term, and whom the set is for; no lines where nothing is matched."""
    from limbeck.distillation.variant import parts

    found = parts(card)
    compared = " · ".join(f"{name} {found.pop(name)}" for name in ("view", "discrepancy", "state") if name in found)
    lines = [["matching", compared]] if compared else []
    return lines + [[name, text] for name, text in found.items()]


def _pool(within: Any) -> str:
    """The part of the real examples that the method saw; "" for all of them."""
    if not isinstance(within, dict) or "which" not in within:
        return ""
    measure = within.get("measure", {}).get("kind", "")
    return f"the {within['which']} {100 * within['share']:.3g} % of each class, by {measure}"


def _budget(facts: Mapping[str, Any]) -> str:
    texts = {key: f"{item:.4g}" if isinstance(item, float) else str(item) for key, item in facts.items()}
    return ", ".join(f"{key} {text}" for key, text in texts.items())


def _short(configuration: Any) -> str:
    from limbeck.values import encode

    parts = encode(configuration)
    shown = {k: v for k, v in parts.items() if k not in ("kind", "name")}
    return "; ".join(f"{k} {_kind(v)}" for k, v in shown.items())


def _kind(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    fields = ", ".join(f"{k}={_kind(v)}" for k, v in item.items() if k != "kind")
    return f"{item['kind']}({fields})"


def export(
    directory: Annotated[Path, typer.Argument(help="Directory of a synthetic set.")],
    form: Annotated[str, typer.Option("--format", "-f", help="folder, parquet or npz.")] = "folder",
    out: Annotated[Path | None, typer.Option(help="Where to write it. Default: DIRECTORY-FORMAT beside it.")] = None,
) -> None:
    """Write a synthetic set for other tools, with all that is needed to train on it."""
    from limbeck.cli.console import emit, say
    from limbeck.distillation.variant import in_words
    from limbeck.synthetic.export import export as write

    target = out or directory.resolve().with_name(f"{directory.resolve().name}-{form}")
    target = Path(os.path.relpath(target)) if out is None and not directory.is_absolute() else target
    made = load_set(directory)
    written = write(made, target, form, made_by=in_words(made.card))
    emit({"out": str(written)}, as_json=False, otherwise=str(written))
    beside = target if target.is_dir() else target.parent
    say(f"Read {beside}/{'HOWTO.md' if target.is_dir() else target.stem + '.HOWTO.md'} to train on it elsewhere.")


def report(
    directories: Sets,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    source: Annotated[str | None, typer.Option(help="Where the real data is, if not where it was.")] = None,
    groups: Groups = None,
) -> None:
    """Write one self-contained page about synthetic sets, or about a study (its directory or its export)."""
    from limbeck.cli.console import say
    from limbeck.files import check_suffix
    from limbeck.report.page import write_page
    from limbeck.report.report import report_sets

    check_suffix(out, (".html", ".htm"), "a page")  # before anything is read
    if len(directories) == 1 and ((directories[0] / "results.sqlite").exists() or directories[0].is_file()):
        from limbeck.cli.studies import write_study_page

        say(f"Wrote {write_study_page(directories[0], out, f'limbeck report {directories[0]} --out {out}')}.")
        return
    sets = load_sets(directories)
    names = names_of(directories, sets)
    records = together(sets, names, [_judged(directory) for directory in directories])
    tested = records.where(split="test")
    command = _commands(directories, again("limbeck", "report", *directories, out=out, source=source, groups=groups))
    shown = tested if len(tested) else records
    story = report_sets(named(sets, names), shown, task=_real(sets[0], source, groups), command=command)
    say(f"Wrote {write_page(out, story)}; open it in a browser.")
    if not len(records):
        say(f"It holds no accuracies yet; next: {again('limbeck', 'compare', *directories, groups=groups)}")


def _judged(directory: Path) -> "Records":
    """All rows of a set's directory, its own and those of the baselines beside it."""
    from limbeck.evaluation.records import Records

    files = [path for what in ("evaluation", "comparison") for path in sorted(directory.glob(f"{what}-*.parquet"))]
    return sum((Records.from_parquet(path) for path in files), Records(()))


def _real(made: "SyntheticSet", source: str | None, groups: Path | None) -> "Task | None":
    """The data that a set was made from, to show some; None, and a note, where they are not at hand."""
    from limbeck.cli.asking import open_all
    from limbeck.cli.console import say
    from limbeck.errors import LimbeckError

    try:
        return open_all([made], source, groups)[0]
    except LimbeckError as error:
        say(f"the page shows no real examples, because {error}", "note")
        return None


def _commands(directories: list[Path], last: str) -> str:
    """What makes the page again: the commands that are on file, judging, and the page itself."""
    lines = []
    for directory in directories:
        words = made_by(directory)  # [] for sets from Python, or elsewhere: their hyper-parameters stand on the page
        lines += [shlex.join(words)] if words else []
    compared = any(True for d in directories for _ in d.glob("comparison-*.parquet"))
    judging = again("limbeck", "compare" if compared else "evaluate", *directories)
    return "\n".join([*lines, judging, last])


def cite(methods: Annotated[list[str], typer.Argument(help="Names of methods: see limbeck list methods.")]) -> None:
    """Print the BibTeX of methods."""
    import sys

    from limbeck.cite import cite as bibtex
    from limbeck.cli.console import say

    found = bibtex(*methods)
    if found:
        sys.stdout.write(found + "\n")
    else:
        say(f"{', '.join(methods)}: there is no paper to cite.")
