"""Data sets of the Hugging Face hub, through the ``datasets`` library and its cache."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limbeck.data.arrow import Table, columns, mapped
from limbeck.data.options import Options
from limbeck.data.parquet import from_tables, named
from limbeck.data.task import Task
from limbeck.errors import SourceError

__all__ = ["hub"]

_SPLITS = {"train": ("train",), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}


def hub(
    name: str,
    *,
    config: str | None = None,
    size: int | None = None,
    channels: int | None = None,
    label: str | None = None,
    **options: Any,
) -> Task:
    """A task from ``datasets.load_dataset(name, config)``; images are drawn from its mapped Arrow files.

    size, channels, label: as for :func:`limbeck.data.parquet`. options: see :class:`limbeck.data.options.Options`.
    Errors: SourceError where the library is missing, or the set cannot be had; FitError, OptionError.
    """
    chosen = Options.of(options)
    loaded = _load(name, config)
    found = {
        split: next((loaded[other] for other in names if other in loaded), None) for split, names in _SPLITS.items()
    }
    if found["train"] is None:
        raise SourceError(f"'{name}' has the splits {', '.join(loaded)} and none is called train: choose another set.")
    tables = {split: _table(data, label, name) for split, data in found.items() if data is not None}
    classes = columns(found["train"].features.arrow_schema, label, name).classes
    return from_tables(named(f"hub:{name}", config=config, label=label), tables, classes, (size, channels), chosen)


def _load(name: str, config: str | None) -> Any:
    try:
        import datasets
    except ImportError as error:
        raise SourceError(
            "hub needs the library datasets, which is not installed: pip install 'limbeck[hub]'."
        ) from error
    # Up to version 3 a data set could bring a script; it must never run.
    safe = {"trust_remote_code": False} if int(datasets.__version__.split(".")[0]) < 4 else {}
    try:
        with _quiet("huggingface_hub"):
            return datasets.load_dataset(name, config, **safe)
    # Network, authentication, file system, parsing: the library has an exception of its own for each.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"'{name}' cannot be had from the hub ({reason}): check name, config and network.") from error


@contextmanager
def _quiet(library: str) -> Iterator[None]:
    """A library without its warnings: a line for every retry of a request that fails, before the error that counts."""
    log = logging.getLogger(library)
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _table(data: Any, label: str | None, name: str) -> Table:
    chosen = columns(data.features.arrow_schema, label, name)
    files = [Path(file["filename"]) for file in data.cache_files]
    return mapped(files, chosen) if files else Table(data.with_format("arrow")[:], chosen, name)
