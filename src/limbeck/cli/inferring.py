"""What follows: ``limbeck law scaling`` and ``limbeck plan``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limbeck.cli.asking import Json

if TYPE_CHECKING:
    from limbeck.evaluation.records import Records
    from limbeck.laws.pooled import PooledLaw
    from limbeck.laws.scaling import ScalingLaw
    from limbeck.laws.spending import Spending
    from limbeck.study.results import StudyResults

__all__ = ["law", "plan"]

law = typer.Typer(help="Laws fitted to the results of a study.", no_args_is_help=True)

Results = Annotated[Path, typer.Argument(help="A study's directory, its export, or records.", show_default=False)]
Method = Annotated[str | None, typer.Option("--method", "-m", help="Which method, where there are several.")]
Labels = Annotated[str | None, typer.Option(help="hard, soft or learned, where there are several.")]
Configuration = Annotated[str | None, typer.Option(help="Which configuration; default: their mean.")]
Doubled = Annotated[
    str | None,
    typer.Option(
        help="Method whose rows are the same by twice the distillation budget. Default: METHOD-twice, or "
        "'METHOD, twice as long', where there are such rows.",
        show_default=False,
    ),
]


@law.callback()
def laws() -> None:
    """Laws fitted to the results of a study."""


@law.command("scaling")
def scaling(
    results: Annotated[
        list[Path],
        typer.Argument(help="A study's directory, its export, or records; several to pool.", show_default=False),
    ],
    method: Method = None,
    labels: Labels = None,
    configuration: Configuration = None,
    doubled: Doubled = None,
    gain: Annotated[float, typer.Option(help="Saturated is where twice as many samples gain less, a fraction.")] = 0.01,
    level: Annotated[float, typer.Option(help="Of all intervals, in (0, 1).")] = 0.95,
    pooled: Annotated[
        bool, typer.Option("--pooled", help="All methods, configurations and results together: their mean rate.")
    ] = False,
    as_json: Json = False,
) -> None:
    """How the gap to full data falls with the size: gap(k) = c·k^(-b) + e, with plans in its JSON."""
    from dataclasses import replace

    from limbeck.cli.console import emit, say
    from limbeck.cli.naming import again
    from limbeck.errors import OptionError
    from limbeck.laws.findings import TARGETS

    given = {"method": method, "labels": labels, "configuration": configuration}
    if pooled:
        together = _pooled(results, doubled, level, **given)
        return emit(together.dictionary(), as_json=as_json, otherwise="\n".join(together.sentences()))
    if len(results) > 1:
        raise OptionError("a law is that of one study: give one, or --pooled for what several have in common.")
    records, study = _read(results[0])
    found = replace(_law(records, doubled, level, **given), gain=gain)
    spent = _spent(study, found)
    plans = [found.samples_for(gap=gap).with_costs(spent).dictionary() for gap in TARGETS] if as_json else []
    emit(found.dictionary() | {"plans": plans}, as_json=as_json, otherwise="\n".join(found.sentences()))
    say(f"Next: {again('limbeck', 'plan', results[0], gap=0.05, certainty=0.95, **given, doubled=doubled)}")


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
    doubled: Doubled = None,
    as_json: Json = False,
) -> None:
    """How many samples a class reach a gap or an accuracy, and how surely; or what gap so many samples leave."""
    from limbeck.cli.console import emit
    from limbeck.errors import OptionError
    from limbeck.laws.outlook import Outlook, outlook
    from limbeck.laws.plan import Plan, Target, check_certainty

    _check_there(results)
    check_certainty(certainty)
    if sum(asked is not None for asked in (gap, accuracy, per_class)) != 1:
        raise OptionError("a plan needs exactly one question: give --gap, --accuracy or --per-class.")
    if per_class is None:
        Target.of(gap=gap, accuracy=accuracy)  # what is asked is checked before anything is read
    records, study = _read(results)
    found = _law(records, doubled, method=method, labels=labels, configuration=configuration)
    answer: Plan | Outlook
    if per_class is None:
        answer = found.samples_for(gap=gap, accuracy=accuracy, certainty=certainty)
    else:
        answer = outlook(found, per_class, certainty=certainty)
    answer = answer.with_costs(_spent(study, found))
    remarks = found.ground.remarks
    data = answer.dictionary() | {"remarks": list(remarks)}
    emit(data, as_json=as_json, otherwise="\n".join([answer.sentence(), *remarks]))


def _pooled(results: list[Path], doubled: str | None, level: float, **which: str | None) -> "PooledLaw":
    """The law of all curves of all results."""
    from limbeck.laws.pooled import PooledLaw

    studies = [_read(path)[0] for path in results]
    wanted = which.pop("configuration")
    if wanted is not None:
        studies = [records.where(configuration=wanted) for records in studies]
    sources = [path.name if path.is_dir() else path.stem for path in results]
    if len(set(sources)) < len(sources):
        sources = [str(path) for path in results]
    return PooledLaw.fit(studies, doubled=doubled, sources=sources, level=level, **which)


def _check_there(results: Path) -> None:
    from limbeck.errors import ArtifactError

    if not results.exists():
        raise ArtifactError(
            f"'{results}' does not exist: give a study's directory, its export, or records (evaluation-….parquet)."
        )


def _read(results: Path) -> "tuple[Records, StudyResults | None]":
    """Rows on the test split, and the study that they are of; None for bare records."""
    from limbeck.errors import ArtifactError
    from limbeck.evaluation.records import Records
    from limbeck.study.results import StudyResults

    if results.is_dir():
        study = StudyResults.load(results)
        return study.records.where(split="test"), study
    records = Records.from_parquet(results).where(split="test")
    try:
        return records, StudyResults.load(results)
    except ArtifactError:  # records without a study say nothing of costs
        return records, None


def _spent(study: "StudyResults | None", found: "ScalingLaw") -> "Spending":
    from limbeck.laws.spending import Spending, spending

    return Spending() if study is None else spending(study, found.ground.table)


def _law(records: "Records", doubled: str | None, level: float = 0.95, **which: str | None) -> "ScalingLaw":
    """The law of a method; where none is named, of the only one besides those that are another's doubled budget."""
    from limbeck.evaluation.cells import FULL
    from limbeck.evaluation.records import Records
    from limbeck.laws.scaling import ScalingLaw
    from limbeck.laws.twice import doubled_for, doubled_names

    names = {row.method for row in records} - {FULL}
    apart = {*doubled_names(names).values(), *([] if doubled is None else [doubled])}
    single = names - apart
    asked = which.pop("method") or (next(iter(single)) if len(single) == 1 else None)
    if asked is None:
        records = Records.of(row for row in records if row.method not in apart)  # an error names the others
    elif doubled is None:
        doubled = doubled_for(records, asked)
    return ScalingLaw.fit(records, method=asked, doubled=doubled if asked else None, level=level, **which)
