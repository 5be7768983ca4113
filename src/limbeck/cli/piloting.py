"""The pilot: ``limbeck pilot``, and the pilot on embedded digits that ``limbeck demo`` is."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limbeck.cli.asking import Channels, Device, Groups, Json, Size, SourceArgument, SplitSeed

if TYPE_CHECKING:
    from limbeck.laws.findings import Found
    from limbeck.study.runs import Source
    from limbeck.study.study import Study

__all__ = ["demo", "pilot"]

_INTERPRETER = 1.0  # seconds until a command begins


def pilot(
    source: SourceArgument,
    budget: Annotated[str, typer.Option(help="Time for the whole pilot: seconds, or 90s, 10m, 2h.")] = "10m",
    certainty: Annotated[float, typer.Option(help="Of a new distil-and-train run, in (0.5, 1).")] = 0.95,
    out: Annotated[
        Path | None, typer.Option(help="Directory of the pilot's study. Default: runs/pilot-SOURCE.")
    ] = None,
    network: Annotated[str | None, typer.Option(help="See: limbeck list networks.")] = None,
    device: Device = "auto",
    size: Size = None,
    channels: Channels = None,
    groups: Groups = None,
    split_seed: SplitSeed = 0,
    as_json: Json = False,
) -> None:
    """Find out how many samples SOURCE needs: a small study, its law, and a plan."""
    began = time.perf_counter()
    from limbeck.cli.naming import again
    from limbeck.distillation.budget import parse_seconds
    from limbeck.laws.pilot import source_of
    from limbeck.laws.plan import check_certainty

    check_certainty(certainty)
    seconds = parse_seconds(budget)
    options = {"size": size, "channels": channels, "groups": None if groups is None else str(groups)}
    named = source_of(source, **options, seed=split_seed)
    plain = re.sub(r"[^A-Za-z0-9]+", "-", source).strip("-")
    directory = out or Path("runs") / f"pilot-{plain}"
    asked = {"network": network, "device": device}
    study = _stored(directory, named, seconds, asked)
    if study is None:
        study = _designed(named, seconds, asked, began)
    _finish(study, directory)
    given = {**options, "split_seed": split_seed or None, "network": network, "out": directory}
    command = again("limbeck", "pilot", source, budget=budget, **given)
    found, page = _told(directory, certainty, command)
    _emit(found, directory, page, as_json)


def demo(
    out: Annotated[Path, typer.Option(help="Directory of the study.")] = Path("runs/demo"), as_json: Json = False
) -> None:
    """Run a pilot on handwritten digits and write its page: about two minutes."""
    from limbeck.cli.console import say
    from limbeck.cli.demonstration import REMARK, demonstration

    say("A pilot on 1,797 handwritten digits: DM, DSA and the baselines at several sizes. About two minutes.")
    _finish(demonstration(), out)
    found, page = _told(out, 0.95, "make demo", REMARK)
    _emit(found, out, page, as_json)


def _stored(directory: Path, source: "Source", budget: float, asked: dict[str, Any]) -> "Study | None":
    """The pilot of the directory, None where it is new. Raises DirectoryError where it belongs to something else."""
    from limbeck.cli.console import say
    from limbeck.laws.pilot import same_pilot
    from limbeck.study.directory import StudyDirectory

    home = StudyDirectory(directory)
    home.check()
    if not home.spec.exists():
        return None
    found = home.study()
    same_pilot(found, source, budget, **asked)
    say(f"Going on with {directory}.")
    return found


def _designed(source: "Source", budget: float, asked: dict[str, Any], began: float) -> "Study":
    """The design that fits what is left of the budget."""
    from limbeck.cli.console import say, seconds_in_words, working
    from limbeck.laws.pilot import design

    with working("measuring how fast this machine is"):
        made = design(source, budget, spent=time.perf_counter() - began + _INTERPRETER, **asked)
    say(f"The pilot: {made.sentence} About {seconds_in_words(made.seconds)} from here.")
    return made.study


def _finish(study: "Study", directory: Path) -> None:
    """Do what is not done yet."""
    from limbeck.cli.console import say
    from limbeck.cli.studies import driven
    from limbeck.study.directory import StudyDirectory

    StudyDirectory(directory).check()
    summary = driven(study, directory)
    for what, sentence in summary.failures:
        say(f"{what}: {sentence}", "failed")
    say(f"{'All ' if summary.complete else f'{summary.done} of '}{summary.total} runs are done.")


def _told(directory: Path, certainty: float, command: str, *remarks: str) -> "tuple[tuple[Found, ...], Path]":
    """What was found, and the page with the plan on top."""
    from limbeck.cli.console import working
    from limbeck.cli.studies import write_study_page
    from limbeck.laws.findings import findings
    from limbeck.study.perform import opened
    from limbeck.study.results import StudyResults

    with working("fitting laws, writing the page"):
        results = StudyResults.load(directory)
        found = findings(results, certainty=certainty, shape=opened(results.study.source).shape)
        others = [each.sentence() for each in found[1:] if each.law is not None]
        details = (found[0].sureness(), *others, *remarks)
        page = write_study_page(directory, directory / "report.html", command, found=found, details=details)
    return found, page


def _emit(found: "tuple[Found, ...]", directory: Path, page: Path, as_json: bool) -> None:
    from limbeck.cli.console import emit, say
    from limbeck.cli.naming import again

    best = found[0]
    lawful = [each for each in found if each.law is not None] or list(found)
    said = [best.sentence(), best.sureness(), *(each.sentence() for each in lawful[1:])]
    data: dict[str, Any] = {"out": str(directory), "page": str(page), "sentence": best.sentence()}
    emit(
        {**data, "found": [each.dictionary() for each in found]},
        as_json=as_json,
        otherwise="\n".join(said),
    )
    say(f"The page is {page.resolve()}: open it in a browser.")
    if best.law is not None:
        labels = None if best.labels == "hard" else best.labels
        say(f"Next: {again('limbeck', 'plan', directory, gap=0.1, method=best.method, labels=labels)}")
