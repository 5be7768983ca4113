"""Measuring: ``limbeck difficulty``."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limbeck.cli.asking import (
    Channels,
    Device,
    Groups,
    Json,
    Precision,
    Size,
    SplitSeed,
    Zca,
    compute_of,
    load_set,
    open_all,
    open_task,
)
from limbeck.cli.naming import again, made_by

if TYPE_CHECKING:
    from limbeck.data.task import Task
    from limbeck.distillation.gauge import Gauge
    from limbeck.evaluation.difficulty import DifficultyMeter, SetDifficulty
    from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["difficulty"]


def difficulty(
    source: Annotated[
        str, typer.Argument(help="Real data as for limbeck distill, or the directory of a set.", show_default=False)
    ],
    measure: Annotated[str, typer.Option(help="See: limbeck list difficulties.")] = "gradn",
    network: Annotated[str | None, typer.Option(help="Network to measure with: see limbeck list networks.")] = None,
    networks: Annotated[int, typer.Option(help="Networks trained on the real data, whose scores are averaged.")] = 3,
    seeds: Annotated[int, typer.Option(help="Independent groups of networks; two say how sure the order is.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Passes over the real data. Default: 10.")] = None,
    most: Annotated[int, typer.Option(help="Real examples a class that are scored; 0 for all.")] = 1000,
    out: Annotated[
        Path | None, typer.Option(help="Directory for table and pictures. Default: beside the set, or in runs.")
    ] = None,
    real: Annotated[str | None, typer.Option("--source", help="Where a set's real data is now.")] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    size: Size = None,
    channels: Channels = None,
    groups: Groups = None,
    split_seed: SplitSeed = 0,
    zca: Zca = False,
    as_json: Json = False,
) -> None:
    """Say how hard real examples are, or where those of a synthetic set stand among them."""
    from limbeck.cli.console import emit, say, table, working
    from limbeck.evaluation.difficulty import DifficultyMeter

    _check(measure, networks, seeds, epochs, most)
    compute = compute_of(device, precision)
    directory = Path(source)
    is_set = (directory / "card.json").exists() or (directory / "run.json").exists()
    made = load_set(directory) if is_set else None
    if made is not None:
        (task,) = open_all([made], real, groups)
    else:
        task = open_task(source, size=size, channels=channels, groups=groups, seed=split_seed, zca=zca)
    place = out or (directory if made is not None else Path("runs")) / _folder(source, made is not None)
    _writable(place)
    gauge = _gauge(task, made, (measure, network, networks, epochs))
    with working(f"training {networks * seeds} networks and measuring {measure}"):
        meter = DifficultyMeter(task, gauge, seeds=range(seeds), most=most or None, compute=compute)
        found = None if made is None else meter.of(made)
    columns, rows = _real_lines(meter) if found is None else _set_lines(found)
    files = _write(place, measure, meter, None if made is None or found is None else (made, found))
    data = {
        "measure": measure,
        "agreement": meter.real.agreement,
        "classes": [dict(zip(columns, row, strict=True)) for row in rows],
        "files": files,
    }
    data |= {} if found is None else {"percentile": found.percentile}
    emit(data, as_json=as_json, otherwise=table(columns, [[_shown(cell) for cell in row] for row in rows]))
    for line in _words(meter, found):
        say(line)
    say(f"Wrote {files['table']} and {len(files['pictures'])} pictures, e.g. {files['pictures'][0]}.")
    say(f"Next: {_next(source, made, found)}")


def _check(measure: str, networks: int, seeds: int, epochs: int | None, most: int) -> None:
    """Sentences before any work for what would be found out later."""
    from limbeck.distillation.difficulty import difficulty as named
    from limbeck.errors import OptionError

    named(measure)
    for name, number in (("networks", networks), ("seeds", seeds), ("epochs", 1 if epochs is None else epochs)):
        if number < 1:
            raise OptionError(f"--{name} is {number}: give at least 1.")
    if most < 0 or most == 1:
        raise OptionError(f"--most is {most}: give at least 2 examples a class, or 0 for all.")


def _folder(source: str, is_set: bool) -> str:
    return "difficulty" if is_set else f"difficulty-{source.split(':')[0]}"


def _writable(place: Path) -> None:
    """DirectoryError, before networks are trained, where the results could not be written."""
    from limbeck.errors import DirectoryError

    for path in (place, *place.parents):
        if path.exists():
            if not path.is_dir():
                raise DirectoryError(f"'{path}' is a file: choose another --out.")
            return


def _gauge(task: "Task", made: "SyntheticSet | None", wishes: tuple[str, str | None, int, int | None]) -> "Gauge":
    """How to measure: the set's own network unless another is asked for; batches as large as the set's classes."""
    from limbeck.distillation.difficulty import difficulty as named
    from limbeck.distillation.gauge import Gauge
    from limbeck.distillation.setting import Setting
    from limbeck.networks.names import architecture
    from limbeck.training.configuration import Epochs
    from limbeck.values import replace

    measure, network, networks, epochs = wishes
    own = None if made is None else made.card.recipe.architecture
    training = Setting.of(task, 1, own if network is None else architecture(network)).teacher
    if epochs is not None:
        training = replace(training, length=Epochs(epochs))
    chosen = named(measure)
    if made is not None:
        chosen = chosen.fitted(min(made.card.per_class) * made.parametrisation.multiplicity)
    return Gauge(chosen, training, networks)


def _without(words: list[str], option: str) -> list[str]:
    """A command without an option and its value."""
    kept, skip = [], False
    for word in words:
        if not skip and word != option and not word.startswith(f"{option}="):
            kept.append(word)
        skip = word == option
    return kept


def _real_lines(meter: "DifficultyMeter") -> tuple[list[str], list[list[Any]]]:
    columns = ["class", "examples", "mean", "5 %", "25 %", "median", "75 %", "95 %"]
    return columns, [[line.name, line.examples, line.mean, *line.quantiles] for line in meter.real.lines()]


def _set_lines(found: "SetDifficulty") -> tuple[list[str], list[list[Any]]]:
    columns = ["class", "examples", "mean", "median of real", "percentile", "harder than median"]
    rows = [[a.name, a.examples, a.score, a.typical, a.percentile, a.harder] for a in found.lines()]
    return columns, rows


def _shown(cell: Any) -> str:
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def _words(meter: "DifficultyMeter", found: "SetDifficulty | None") -> list[str]:
    """What the table means."""
    from limbeck.distillation.difficulty import BatchGradient

    said = [] if found is None else [found.sentence()]
    if isinstance(meter.gauge.measure, BatchGradient):
        size = meter.gauge.measure.size
        said.append(f"Scores are of batches of {size}: gradients cancel in a batch, so that they are no mean of gradn.")
    agreement = meter.real.agreement
    if agreement is not None and math.isfinite(agreement):
        said.append(f"The order agrees between groups of networks with a rank correlation of {agreement:.2f}.")
    return said


def _write(
    place: Path, name: str, meter: "DifficultyMeter", made: "tuple[SyntheticSet, SetDifficulty] | None"
) -> dict[str, Any]:
    """The table and one picture a class; their names."""
    from limbeck.evaluation.difficulty import difficulty_table
    from limbeck.files import write_atomically
    from limbeck.report.extremes import extremes
    from limbeck.synthetic.export import folder_name

    stem, task = name.split(":")[0], meter.task
    path = place / f"{stem}.parquet"
    difficulty_table(path, stem, meter.real, None if made is None else made[1])
    pictures = []
    for label, title in enumerate(task.classes):
        pictures.append(place / f"{stem}-{folder_name(label, title, len(task.classes))}.png")
        write_atomically(pictures[-1], extremes(task, meter.real, label, made))
    return {"table": str(path), "pictures": [str(picture) for picture in pictures]}


def _next(source: str, made: "SyntheticSet | None", found: "SetDifficulty | None") -> str:
    """A command that uses what was found."""
    from limbeck.distillation.methods import METHODS

    if made is None or found is None:
        return again("limbeck", "distill", source, pool="easy:0.5")
    card = made.card
    if found.percentile > 0.5 and card.method in METHODS and METHODS[card.method].distils:
        words = made_by(Path(source))
        if words and not any(word.startswith("--difficulty") for word in words):
            easier = os.path.relpath(f"{Path(source).resolve()}-easier")
            return again(*_without(words, "--out"), difficulty="sdc=0.05", out=easier)
    return again("limbeck", "compare", source)
