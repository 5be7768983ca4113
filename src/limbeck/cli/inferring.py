"""What follows: ``limbeck law scaling`` and ``limbeck plan``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limbeck.cli.asking import Channels, Device, Groups, Json, Size, SourceArgument, SplitSeed

if TYPE_CHECKING:
    from limbeck.laws.scaling import ScalingLaw

__all__ = ["law", "pilot", "plan"]

law = typer.Typer(help="Laws fitted to the results of a study.", no_args_is_help=True)

Results = Annotated[Path, typer.Argument(help="A study's directory, its export, or records.", show_default=False)]
Method = Annotated[str | None, typer.Option("--method", "-m", help="Which method, where there are several.")]
Labels = Annotated[str | None, typer.Option(help="hard, soft or learned, where there are several.")]
Configuration = Annotated[str | None, typer.Option(help="Which configuration; default: their mean.")]


@law.callback()
def laws() -> None:
    """Laws fitted to the results of a study."""


@law.command("scaling")
def scaling(
    results: Results,
    method: Method = None,
    labels: Labels = None,
    configuration: Configuration = None,
    doubled: Annotated[
        str | None, typer.Option(help="Method whose rows are the same by twice the distillation budget.")
    ] = None,
    as_json: Json = False,
) -> None:
    """How the gap to full data falls with the size: gap(k) = c·k^(-b) + e."""
    from limbeck.cli.console import emit, say

    found = _law(results, method, labels, configuration, doubled)
    emit(found.dictionary(), as_json=as_json, otherwise="\n".join(found.sentences()))
    say(f"Next: limbeck plan {results} --gap 0.05 --certainty 0.95")


def plan(
    results: Results,
    gap: Annotated[float | None, typer.Option(help="Gap to full data to reach, a fraction, e.g. 0.05.")] = None,
    accuracy: Annotated[float | None, typer.Option(help="Accuracy to reach, a fraction.")] = None,
    certainty: Annotated[float, typer.Option(help="Of a new distil-and-train run, in (0.5, 1).")] = 0.95,
    method: Method = None,
    labels: Labels = None,
    configuration: Configuration = None,
    as_json: Json = False,
) -> None:
    """How many samples a class reach a gap or an accuracy, and how surely."""
    from limbeck.cli.console import emit

    found = _law(results, method, labels, configuration, None)
    answer = found.samples_for(gap=gap, accuracy=accuracy, certainty=certainty)
    emit(answer.dictionary(), as_json=as_json, otherwise="\n".join([answer.sentence(), *found.ground.remarks]))


def pilot(
    source: SourceArgument,
    budget: Annotated[str, typer.Option(help="Time for the whole pilot, e.g. 10m.")] = "10m",
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
    from limbeck.cli.console import emit, say
    from limbeck.cli.studies import finish_pilot, start_pilot
    from limbeck.laws.pilot import source_of

    named = source_of(
        source, size=size, channels=channels, groups=None if groups is None else str(groups), seed=split_seed
    )
    directory = out or Path("runs") / f"pilot-{source.split(':')[0]}"
    start_pilot(named, directory, budget, network, device)
    found, page = finish_pilot(directory, certainty, f"limbeck pilot {source} --budget {budget}")
    data = [{"method": f.method, "reason": f.reason, "plans": [p.dictionary() for p in f.plans]} for f in found]
    said = "\n".join([found[0].sentence(), found[0].sureness(), *(f.sentence() for f in found[1:])])
    emit(data, as_json=as_json, otherwise=said)
    say(f"Wrote {page}; next: limbeck law scaling {directory} --method {found[0].method}")


def _law(
    results: Path, method: str | None, labels: str | None, configuration: str | None, doubled: str | None
) -> "ScalingLaw":
    from limbeck.evaluation.records import Records
    from limbeck.laws.scaling import ScalingLaw
    from limbeck.study.results import StudyResults

    records = StudyResults.load(results).records if results.is_dir() else Records.from_parquet(results)
    return ScalingLaw.fit(
        records.where(split="test"), method=method, labels=labels, configuration=configuration, doubled=doubled
    )
