"""The tree of commands."""

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from limbeck.cli.console import Stopped
from limbeck.cli.inferring import law, plan
from limbeck.cli.judging import compare, evaluate
from limbeck.cli.making import distill
from limbeck.cli.measuring import difficulty
from limbeck.cli.piloting import demo, pilot
from limbeck.cli.showing import cite, export, info, names, report, show
from limbeck.cli.studies import study

__all__ = ["app"]

_CONTEXT = {"help_option_names": ["-h", "--help"]}
_SETTING = re.compile(r"[\w.]+=")


class _Stoppable(TyperGroup):
    """Ctrl-C within a command is Stopped: typer would leave without a word."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise Stopped("stopped.") from stop


class _ManySettings(TyperCommand):
    """One --set serves every KEY=VALUE that follows it directly."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        full: list[str] = []
        for arg in args:
            more = len(full) > 1 and full[-2] == "--set" and _SETTING.match(arg) and _SETTING.match(full[-1])
            full += ["--set", arg] if more else [arg]
        return super().parse_args(ctx, full)


app = typer.Typer(
    name="limbeck",
    cls=_Stoppable,
    help="Distil a data set: make a tiny synthetic training set on which models train nearly as well, judge it "
    "honestly, and say for whom it works.",
    epilog="First steps:  limbeck distill digits --out runs/digits   then   limbeck evaluate runs/digits",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=_CONTEXT,
)

for order, command in (
    ("list", names),
    ("info", info),
    ("distill", distill),
    ("evaluate", evaluate),
    ("compare", compare),
    ("difficulty", difficulty),
    ("show", show),
    ("export", export),
    ("report", report),
    ("cite", cite),
    ("demo", demo),
):
    app.command(order, cls=_ManySettings if command is distill else None, context_settings=_CONTEXT)(command)
app.command("plan", context_settings=_CONTEXT)(plan)
app.command("pilot", context_settings=_CONTEXT)(pilot)
app.add_typer(study, name="study", context_settings=_CONTEXT)
app.add_typer(law, name="law", context_settings=_CONTEXT)
