"""The command ``limbeck``: one command a step. Importing it loads typer and rich only, so that ``--help`` is quick."""

import sys

__all__ = ["main"]


def main() -> None:
    """Entry point. Every LimbeckError is one sentence on standard error and exit code 2."""
    from limbeck.cli.app import app
    from limbeck.errors import LimbeckError

    try:
        app()
    except LimbeckError as error:
        from limbeck.cli.console import say

        say(f"[bold red]limbeck:[/] {_escaped(str(error))}")
        sys.exit(2)
    except KeyboardInterrupt:
        from limbeck.cli.console import say

        say("limbeck: stopped; what was done is kept, and the same command goes on from there.")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
