"""What follows: ``limbeck law scaling`` and ``limbeck plan``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limbeck.cli.asking import Json

if TYPE_CHECKING:
    from limbeck.laws.scaling import ScalingLaw

__all__ = ["law", "plan"]

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
    from limbeck.cli.naming import again

    found = _law(results, method, labels, configuration, doubled)
    emit(found.dictionary(), as_json=as_json, otherwise="\n".join(found.sentences()))
    given = {"method": method, "labels": labels, "configuration": configuration}
    say(f"Next: {again('limbeck', 'plan', results, gap=0.05, certainty=0.95, **given)}")


def plan(
    results: Results,
    gap: Annotated[float | None, typer.Option(help="Gap to full data to reach, a fraction, e.g. 0.05.")] = None,
    accuracy: Annotated[float | None, typer.Option(help="Accuracy to reach, a fraction.")] = None,
    per_class: Annotated[
        float | None, typer.Option("--per-class", "-k", help="The other way round: the gap that so many a class leave.")
    ] = None,
    certainty: Annotated[float, typer.Option(help="Of a new distil-and-train run, in (0.5, 1).")] = 0.95,
    method: Method = None,
    labels: Labels = None,
    configuration: Configuration = None,
    as_json: Json = False,
) -> None:
    """How many samples a class reach a gap or an accuracy, and how surely; or what gap so many samples leave."""
    from limbeck.cli.console import emit
    from limbeck.errors import OptionError
    from limbeck.laws.outlook import outlook
    from limbeck.laws.plan import Target, check_certainty

    check_certainty(certainty)
    if per_class is None:
        Target.of(gap=gap, accuracy=accuracy)  # what is asked is checked before anything is read
    elif gap is not None or accuracy is not None:
        raise OptionError("a plan needs exactly one question: give --gap, --accuracy or --per-class.")
    found = _law(results, method, labels, configuration, None)
    if per_class is not None:
        left = outlook(found, per_class, certainty=certainty)
        said, data = left.sentence(), left.dictionary()
    else:
        answer = found.samples_for(gap=gap, accuracy=accuracy, certainty=certainty)
        answer = answer.with_costs(**_costs(results, found.ground.table.method))
        said, data = answer.sentence(), answer.dictionary()
    remarks = found.ground.remarks
    emit(data | {"remarks": list(remarks)}, as_json=as_json, otherwise="\n".join([said, *remarks]))


def _costs(results: Path, method: str) -> dict[str, Any]:
    """What a study's directory knows of costs: the shape of a stored example and the seconds of a distillation."""
    from limbeck.laws.findings import seconds_of
    from limbeck.study.results import StudyResults
    from limbeck.synthetic.synthetic_set import SyntheticSet

    if not results.is_dir():
        return {}
    study = StudyResults.load(results)
    folder = next(iter(study.set_directories().values()), None)
    shape = None if folder is None else SyntheticSet.load(folder).card.shape
    return {"shape": shape, "seconds": seconds_of(study, method)}


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
