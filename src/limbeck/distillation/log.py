"""``log.jsonl`` of a run: one line an iteration."""

import json
from contextlib import suppress
from pathlib import Path
from typing import IO, final

from limbeck.files import writing

__all__ = ["Log"]


@final
class Log:
    """Written while the run goes on; on resuming, lines past the checkpoint are cut off."""

    def __init__(self, directory: Path | None, iteration: int) -> None:
        self._path = None if directory is None else directory / "log.jsonl"
        self._file: IO[str] | None = None
        self._from = iteration

    def __enter__(self) -> "Log":
        if self._path is not None:
            with writing(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                kept = _whole_lines(self._path, self._from) if self._path.exists() else []
                self._path.write_text("".join(kept))
                self._file = self._path.open("a", buffering=1)
        return self

    def write(self, line: dict[str, int | float]) -> None:
        """One line; what a full disk says is a sentence."""
        if self._file is not None and self._path is not None:
            with writing(self._path):
                self._file.write(json.dumps(line) + "\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk: the write that met it has said so
                self._file.close()


def _whole_lines(path: Path, upto: int) -> list[str]:
    kept = []
    for line in path.read_text().splitlines(keepends=True):
        try:
            if line.endswith("\n") and json.loads(line)["iteration"] <= upto:
                kept.append(line)
        except (ValueError, KeyError):
            break
    return kept
