"""Files that appear whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from limbeck.errors import DirectoryError, OptionError

__all__ = ["check_place", "check_suffix", "write_atomically", "write_files", "writing"]


def check_place(path: Path) -> None:
    """DirectoryError, before any work, where nothing can be written at ``path``; nothing is made there yet."""
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
        raise _unwritable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    if not there.is_dir() and there != path.absolute():
        raise _unwritable(path, NotADirectoryError(errno.ENOTDIR, f"'{there}' is a file"))


def check_suffix(path: Path, suffixes: tuple[str, ...], what: str) -> None:
    """OptionError unless ``path`` is named like ``what``: a slip of the keyboard must not replace another file."""
    if path.suffix.lower() not in suffixes:
        raise OptionError(f"'{path}' is to be {what}: give it a name that ends in {' or '.join(suffixes)}.")


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Put ``files`` (relative path → content) into ``directory``, the last one last.

    A directory that does not exist appears whole, by one rename; in one that exists each file is replaced by a rename,
    in order. Everything is on disk before the first rename; a failure leaves no trace. Raises DirectoryError.
    """
    fresh = not directory.exists()
    parent = directory.parent if fresh else directory
    part = parent / f".{directory.name}.{os.getpid()}.part"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for name, content in files.items():
            _write(part / name, content)
        if fresh:
            os.rename(part, directory)
        else:
            for name in files:
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(part / name, directory / name)
    except OSError as error:
        raise _unwritable(directory, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` and rename. Raises DirectoryError when the disk is full or not writable."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(beside, data)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise _unwritable(path, error) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around writes that go on for long, such as a log: their OSError becomes a DirectoryError."""
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> DirectoryError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    reason = error.strerror or type(error).__name__
    why = "no space is left" if full else reason[:1].lower() + reason[1:]
    return DirectoryError(f"'{path}' cannot be written ({why}): {'free some space or ' * full}choose another place.")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
