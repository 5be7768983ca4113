"""Making sets: ``limbeck distill``."""

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
    SourceArgument,
    SplitSeed,
    Zca,
    compute_of,
    open_task,
    pairs,
)
from limbeck.cli.naming import again

if TYPE_CHECKING:
    from limbeck.data.task import Task
    from limbeck.distillation.distiller import Distiller, Situation

__all__ = ["distill"]

PATIENCE = 300.0  # seconds that a run takes when the person says nothing about it


def distill(
    source: SourceArgument,
    method: Annotated[str, typer.Option("--method", "-m", help="See: limbeck list methods; auto chooses one.")] = "dm",
    per_class: Annotated[int, typer.Option("--per-class", "-k", help="Synthetic examples a class.")] = 10,
    seed: Annotated[int, typer.Option(help="Decides everything random in the distillation.")] = 0,
    budget: Annotated[
        str | None, typer.Option(help="Seconds, or 90s, 5m, 2h; turned once into iterations. Default: 5m at most.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for the set; a stopped run goes on there.")] = None,
    network: Annotated[str | None, typer.Option(help="See: limbeck list networks.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change settings, e.g. lr=published real_batch=64."),
    ] = None,
    difficulty: Annotated[
        str | None,
        typer.Option(
            help="sdc=WEIGHT or gradn=WEIGHT (of the loss): prefer easier examples; sdc=WEIGHT:PACE, see list paces."
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(help="easy:0.5, middle:SHARE or hard:SHARE of each class: the real examples that it sees."),
    ] = None,
    goal: Annotated[
        str | None,
        typer.Option("--for", help="Distil for a space of configurations: standard, standard:net or standard:worst."),
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    size: Size = None,
    channels: Channels = None,
    groups: Groups = None,
    split_seed: SplitSeed = 0,
    zca: Zca = False,
    as_json: Json = False,
) -> None:
    """Distil SOURCE into a few synthetic examples a class."""
    from limbeck.cli.console import emit, say
    from limbeck.distillation.advice import AUTO, advised
    from limbeck.distillation.budget import parse_seconds
    from limbeck.distillation.distill import compose, stored_run
    from limbeck.distillation.distiller import Situation, stored_per_class

    compute = compute_of(device, precision)
    if out is not None:
        stored_run(out)  # raises where it cannot be written, before data are read that may take long
    task = open_task(source, size=size, channels=channels, groups=groups, seed=split_seed, zca=zca)
    for note in task.notes:
        say(note, "note")
    chosen: dict[str, Any] = pairs(settings or [])
    options = {"network": network, "difficulty": difficulty, "for": goal, "pool": pool}
    named = {key: item for key, item in options.items() if item is not None}
    _check_once(chosen, named, budget)
    if method == AUTO:
        advice = advised(task, per_class, PATIENCE if budget is None else parse_seconds(budget))
        method, chosen = advice.method, {**advice.settings, **chosen}
        say(advice.sentence)
    stored_per_class(task, per_class)
    distiller = compose(task, method, per_class, **chosen, **_pool_apart(named))
    for remark in getattr(distiller, "remarks", ()):
        say(remark, "note")
    directory = out or Path("runs") / f"{source.split(':')[0]}-{method}-{per_class}-seed{seed}"
    situation = Situation(per_class, seed, compute, directory=directory)
    timed = _seconds(budget, "iterations" in chosen, distiller, task, situation)
    made = _run(distiller, task, situation, timed)
    for note in made.card.notes:
        if note not in (*task.notes, *getattr(distiller, "remarks", ())):  # those were said before the run
            say(note, "note")
    emit(
        {"out": str(directory), "method": method, "examples": len(made), "fingerprint": made.card.fingerprint},
        as_json=as_json,
        otherwise=f"{len(made)} examples in {directory}",
    )
    say(f"Look at {directory / 'preview.png'}; next: {again('limbeck', 'evaluate', directory, groups=groups)}")


def _check_once(chosen: dict[str, Any], named: dict[str, str], budget: str | None) -> None:
    """OptionError where one thing is asked for in two ways."""
    from limbeck.errors import OptionError

    twice = next((key for key in chosen if key in named or (key == "within" and "pool" in named)), None)
    if twice is not None:
        raise OptionError(f"'{twice}' is given by --set and by an option of its own: give it once.")
    if budget is not None and "iterations" in chosen:
        raise OptionError(
            "a budget is turned into iterations, and --set iterations=… gives them: choose one of the two."
        )


def _pool_apart(named: dict[str, str]) -> dict[str, str]:
    """--pool is always the part of the real examples that is seen, also where a selection has a ``pool`` of its own."""
    return {"within" if key == "pool" else key: item for key, item in named.items()}


def _seconds(
    budget: str | None, fixed: bool, distiller: "Distiller", task: "Task", situation: "Situation"
) -> float | None:
    """The time budget to run under, after telling the person what to expect; None for a fixed number of iterations."""
    from limbeck.cli.console import about, say, seconds_in_words, working
    from limbeck.distillation.budget import PREPARES, labels_after, measured_timing, parse_seconds
    from limbeck.distillation.distill import same_run, stored_run
    from limbeck.distillation.outer_loop import MatchingDistiller
    from limbeck.report.numbers import counted

    given = None if budget is None else parse_seconds(budget)
    assert situation.directory is not None
    found = stored_run(situation.directory)
    if found is not None:
        given = given if given is not None or fixed else found.get("budget")
        same_run(found, distiller, task, situation, given)
        done = (situation.directory / "card.json").exists()
        say(f"{situation.directory} is finished already." if done else f"Going on with {situation.directory}.")
        return given
    if not isinstance(distiller, MatchingDistiller):
        if given is not None:
            say(f"{distiller.name} only chooses real examples: the budget is not used.", "note")
        return None
    if given is not None:
        after = labels_after(distiller, task, situation)
        besides = f" Labels take roughly {seconds_in_words(after)} besides." if after > PREPARES else ""
        say(f"{about(given)}: the budget is turned into iterations and stored.{besides}")
        return given
    with working("measuring how long it takes"):
        timing = measured_timing(distiller, task, situation, spend=4.0)
    whole = timing.seconds(distiller.iterations)
    if fixed or whole <= PATIENCE:
        parts = [(timing.before, "before the first"), (timing.after, "for labels after the last")]
        apart = "".join(f", {seconds_in_words(long)} of it {when}" for long, when in parts if long > PREPARES)
        say(f"{about(whole)} for {counted(distiller.iterations, 'iteration')}{apart}.")
        return None
    say(
        f"The published {counted(distiller.iterations, 'iteration')} would take about {seconds_in_words(whole)} here; "
        f"this run stops at {seconds_in_words(PATIENCE)} (--budget or --set iterations=… changes that)."
    )
    return PATIENCE


def _run(distiller: "Distiller", task: "Task", situation: "Situation", budget: float | None) -> Any:
    import shlex
    import sys
    from dataclasses import replace

    from limbeck.cli.console import distilling, keeping, working
    from limbeck.distillation.distill import distill_into
    from limbeck.distillation.outer_loop import MatchingDistiller

    assert situation.directory is not None
    command, record = shlex.join(["limbeck", *sys.argv[1:]]), situation.directory / "run.json"
    if not isinstance(distiller, MatchingDistiller) or (situation.directory / "card.json").exists():
        with keeping(record), working(f"{distiller.name}: choosing examples"):
            made = distill_into(situation.directory, distiller, task, situation, budget, command)
    else:
        with keeping(record), distilling(distiller.name) as watch:
            watched = replace(situation, watch=watch)
            made = distill_into(situation.directory, distiller, task, watched, budget, command)
    assert made is not None
    return made
