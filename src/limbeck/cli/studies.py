"""Studies: ``limbeck study run|status|resume|export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limbeck.cli.asking import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from limbeck.data.task import Task
    from limbeck.laws.findings import Found
    from limbeck.study.results import StudyResults
    from limbeck.study.study import Study

__all__ = ["driven", "study", "write_study_page"]

study = typer.Typer(help="Grids of distillations and evaluations that survive interruptions.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The study as a YAML file.", show_default=False)]
Place = Annotated[
    Path, typer.Argument(help="The study as a YAML file, or its directory.", show_default=False, metavar="FILE")
]
Directory = Annotated[Path | None, typer.Option("--out", help="The study's directory. Default: runs/NAME.")]


@study.command("run")
def run(
    file: File,
    out: Directory = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after about so many seconds, to go on another time.")
    ] = None,
) -> None:
    """Do all runs of a study that are not done yet."""
    from limbeck.study.study import Study

    chosen = Study.load(file)
    directory = out or Path("runs") / chosen.name
    _run(chosen, directory, seconds)


@study.command("status")
def status(file: Place, out: Directory = None, as_json: Json = False) -> None:
    """Say where a study stands, and what is left of it."""
    from limbeck.cli.console import emit, say
    from limbeck.study.directory import StudyDirectory
    from limbeck.study.estimate import estimate
    from limbeck.study.results import Status
    from limbeck.study.results import status as standing
    from limbeck.study.study import Study

    home, chosen = (_home(file) if out is None else out), Study.load(file) if file.is_file() else None
    if chosen is not None:
        StudyDirectory(home).check_same(chosen)
    if chosen is not None and not StudyDirectory(home).spec.exists():
        expected = estimate(chosen, home)
        found = Status(0, 0, sum(expected.runs.values()), 0, 0.0, ())
        say(f"It was not begun in '{home}'. {expected.sentence}")
    else:
        found = standing(home)
    data = {
        "done": found.done,
        "failed": found.failed,
        "open": found.open,
        "rows": found.rows,
        "seconds": found.seconds,
    }
    emit(data | {"failures": found.failures}, as_json=as_json, otherwise=found.sentence)
    for what, sentence in found.failures:
        say(f"{what}: {sentence}", "failed")


@study.command("resume")
def resume(
    export: Annotated[Path, typer.Argument(help="A file that limbeck study export wrote.", show_default=False)],
    file: Annotated[
        Path | None, typer.Option("--study", help="The study as it is now, where it has grown since.")
    ] = None,
    out: Directory = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after about so many seconds.")] = None,
) -> None:
    """Go on with a study from its export: what that holds is not done again."""
    from limbeck.errors import OptionError
    from limbeck.study.exported import import_export, read_export
    from limbeck.study.study import Study

    if export.is_dir() or export.suffix in (".yaml", ".yml"):
        raise OptionError(
            f"'{export}' is no export: resume reads what study export wrote, and study run goes on by itself."
        )
    grown = None if file is None else Study.load(file)
    directory = out or Path("runs") / (grown or read_export(export).study).name
    chosen = import_export(export, directory, grown)
    _run(chosen, directory, seconds)


@study.command("export")
def export(
    file: Place,
    out: Annotated[Path, typer.Argument(help="The Parquet file to write.", show_default=False)],
    sets: Annotated[bool, typer.Option("--sets", help="Take the synthetic sets along (5 MB at most).")] = False,
) -> None:
    """Write what is done to one Parquet file, which results are read from and a study resumes from."""
    from limbeck.cli.console import say
    from limbeck.study.exported import export as write

    size = write(_home(file), out, sets=sets)
    say(f"Wrote {out} ({size / 1e6:.2f} MB); next: limbeck study resume {out}")


def _home(place: Path) -> Path:
    """The directory of a study that is named by its file or by its directory."""
    from limbeck.study.study import Study

    return place if not place.is_file() else Path("runs") / Study.load(place).name


def _run(chosen: "Study", directory: Path, seconds: float | None) -> bool:
    from limbeck.cli.console import say
    from limbeck.study.directory import StudyDirectory
    from limbeck.study.estimate import estimate

    StudyDirectory(directory).check()
    expected = estimate(chosen, directory)
    say(expected.sentence)
    summary = driven(chosen, directory, seconds)
    for what, sentence in summary.failures:
        say(f"{what}: {sentence}", "failed")
    if summary.complete:
        say(f"All {summary.total} runs are done. Next: limbeck report {directory} --out {directory / 'report.html'}")
    else:
        say(f"{summary.done} of {summary.total} runs are done; the same command goes on.")
    return summary.complete


def driven(chosen: "Study", directory: Path, seconds: float | None = None) -> Any:
    """Run a study under a bar with time left; its Summary."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from limbeck.cli.console import keeping, words
    from limbeck.study.directory import StudyDirectory
    from limbeck.study.execute import StudyProgress
    from limbeck.study.execute import run as drive

    columns = (
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[rest]}"),
    )
    with keeping(StudyDirectory(directory).spec), Progress(*columns, console=words, refresh_per_second=4) as bar:
        job = bar.add_task("study", total=None, rest="")

        def watch(progress: StudyProgress) -> None:
            bar.update(job, completed=progress.done, total=progress.total, rest=_rest(progress))

        return drive(chosen, directory, watch=watch, seconds=seconds)


def _rest(progress: Any) -> str:
    from limbeck.cli.console import seconds_in_words

    left = "" if progress.seconds_left is None else f"about {seconds_in_words(progress.seconds_left)} left  "
    return left + (progress.current[0] if progress.current else "")


def write_study_page(
    directory: Path,
    out: Path,
    command: str,
    *,
    found: "Sequence[Found]" = (),
    details: "Sequence[str]" = (),
) -> Path:
    """The page of a study's directory or of its export, with a section for each law that its sizes can bear.

    An export has no sets to picture, and its data may be elsewhere: then the page shows numbers alone.
    found: what a pilot found: then its plan stands on top, with ``details`` under it.
    """
    from dataclasses import replace

    from limbeck.laws.findings import findings
    from limbeck.report.lawful import law_section
    from limbeck.report.page import write_page
    from limbeck.report.report import report_study
    from limbeck.study.results import StudyResults
    from limbeck.synthetic.synthetic_set import SyntheticSet

    results = StudyResults.load(directory)
    task = _task(results)
    sets = [SyntheticSet.load(folder) for folder in results.set_directories().values()]
    tested = results.records.where(split="test")
    told = found or (findings(results, shape=None if task is None else task.shape) if len(tested) else ())
    first = [law_section(each.law, each.plans) for each in told if each.law is not None]
    records = tested if len(tested) else results.records
    title = "" if task is not None else f"The study {results.study.name}"
    story = report_study(records, sets, task=task, command=command, title=title, first=first)
    if found:
        story = replace(story, finding=found[0].sentence(), details=(*details, story.finding, *story.details))
    return write_page(out, story)


def _task(results: "StudyResults") -> "Task | None":
    """The data of a study; of an export's study only where they are at hand."""
    from limbeck.errors import LimbeckError
    from limbeck.study.perform import opened

    try:
        return opened(results.study.source)
    except LimbeckError:
        if results.directory is not None:
            raise
        return None
