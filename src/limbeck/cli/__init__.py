"""The command ``limbeck``: one command a step. Importing it loads typer and rich only, so that ``--help`` is quick."""

import sys
from typing import NoReturn

__all__ = ["main"]

_STOPPED = 130  # 128 and the number of the signal, as shells count


def main() -> None:
    """Entry point. Every LimbeckError is one sentence on standard error and exit code 2; Ctrl-C is one and 130."""
    try:
        _command()
    except KeyboardInterrupt:  # while starting up; later it is Stopped
        _stop("stopped.")
    except BrokenPipeError:
        sys.exit(0)


def _command() -> None:
    from limbeck.cli.app import app
    from limbeck.cli.console import Stopped, say
    from limbeck.errors import LimbeckError

    try:
        app()
    except LimbeckError as error:
        say(str(error), "limbeck", style="bold red")
        sys.exit(2)
    except Stopped as stop:
        _stop(str(stop))


def _stop(sentence: str) -> NoReturn:
    # Written plainly: rich may not be loaded yet, and loading it takes as long as an impatient second Ctrl-C.
    sys.stderr.write(f"limbeck: {sentence}\n")
    sys.exit(_STOPPED)
