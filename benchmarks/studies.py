"""Runs studies of this folder, each from its committed export if there is one, and writes the export as it grows.

    LIMBECK_DATA=… python benchmarks/studies.py scaling_fashion scaling_mnist scaling_mlp [--hours 2] [--every 10]
    LIMBECK_DATA=… python benchmarks/studies.py methods --again      # its first sets once more, on this machine

A study that is interrupted goes on where it was; in a fresh checkout it goes on from benchmarks/results/NAME.parquet.
Told to end (SIGTERM), it writes the export first.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

from limbeck.study.execute import StudyProgress, run
from limbeck.study.exported import export, import_export
from limbeck.study.study import Study
from limbeck.values import replace

HERE = Path(__file__).parent


def main() -> None:
    """All studies named, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="+", choices=sorted(path.stem for path in HERE.glob("*.yaml")))
    parser.add_argument("--hours", type=float, default=float("inf"), help="stop after about so long")
    parser.add_argument("--every", type=float, default=10.0, help="minutes between exports")
    parser.add_argument("--again", action="store_true", help="make the first set of each method and size anew")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    until = time.monotonic() + 3600 * chosen.hours
    for name in chosen.names:
        go_on(name, until, 60 * chosen.every, again=chosen.again)


def go_on(name: str, until: float, every: float, *, again: bool = False) -> None:
    """Do what is open of one study of this folder; ``again`` keeps its first sets, made anew, as NAME_again."""
    study = Study.load(HERE / f"{name}.yaml")
    if again:
        name = f"{name}_again"
        study = replace(study, name=name, seeds=((0, (0,)),))
    drive(study, Path("runs") / name, HERE / "results" / f"{name}.parquet", until, every)


def drive(study: Study, home: Path, kept: Path, until: float, every: float) -> bool:
    """Do what is open of ``study`` in ``home`` until the monotonic clock shows ``until``; True where all is done.

    kept: the export, which is begun from where ``home`` is new, and written every so many seconds.
    """
    name = study.name
    if kept.exists() and not home.exists():
        import_export(kept, home, study)
    said = _Said(home, kept, every)
    complete = False
    while not complete and time.monotonic() < until:
        seconds = None if until == float("inf") else until - time.monotonic()
        try:
            summary = run(study, home, watch=said, seconds=seconds)
        finally:
            said.export()
        size = kept.stat().st_size / 1e6
        print(f"{name}: {summary.done} of {summary.total} runs done, {kept} has {size:.2f} MB", flush=True)
        for what, sentence in summary.failures:
            print(f"failed: {what}: {sentence}", flush=True)
        complete = summary.complete or not summary.open  # failed runs are tried again by the next command
    return complete


class _Said:
    """Prints a line for each run that has begun, and exports what is done every so many seconds."""

    def __init__(self, home: Path, kept: Path, every: float) -> None:
        self._home, self._kept, self._every = home, kept, every
        self._known: tuple[str, ...] = ()
        self._exported = time.monotonic()

    def __call__(self, progress: StudyProgress) -> None:
        if progress.current != self._known:
            self._known = progress.current
            left = "" if progress.seconds_left is None else f", about {progress.seconds_left / 60:.0f} minutes left"
            print(f"{progress.done}/{progress.total}{left}: {'; '.join(progress.current)}", flush=True)
        if time.monotonic() - self._exported > self._every:
            self.export()

    def export(self) -> None:
        """Write the export."""
        export(self._home, self._kept)
        self._exported = time.monotonic()


if __name__ == "__main__":
    main()
