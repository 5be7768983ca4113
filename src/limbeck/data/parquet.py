"""Parquet files of encoded images as on the Hugging Face hub: an image struct and a label a row."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limbeck.data.arrays import class_indices
from limbeck.data.arrow import Columns, Table, columns, mapped
from limbeck.data.assemble import LEAK, Part, Parts, assemble
from limbeck.data.encoded import decoded
from limbeck.data.memory import check_room
from limbeck.data.options import Options
from limbeck.data.split_files import split_files, with_test
from limbeck.data.task import Task
from limbeck.errors import DirectoryError, SourceError

__all__ = ["from_tables", "named", "parquet"]


def parquet(
    path: str | Path,
    *,
    size: int | None = None,
    channels: int | None = None,
    label: str | None = None,
    **options: Any,
) -> Task:
    """A task from a Parquet file, or a directory of them whose names begin with train, validation or test.

    Files larger than ``memory`` are copied once into a mapped Arrow file in the user's cache ($XDG_CACHE_HOME/limbeck).
    size, channels: as for :func:`limbeck.data.folder`. label: the label column, or None: the one there is.
    options: see :class:`limbeck.data.options.Options`. Errors: SourceError, FitError, OptionError, DirectoryError.
    """
    chosen = Options.of(options)
    found = split_files(Path(path), (".parquet",), "a Parquet file")
    tables = {}
    for split, paths in found.items():
        schema = _schema(paths)
        tables[split] = _table(paths, columns(schema, label, str(paths[0])), chosen.memory)
    names = columns(_schema(found["train"]), label, str(path)).classes
    return from_tables(named(f"parquet:{path}", label=label), tables, names, (size, channels), chosen)


def named(text: str, **options: str | None) -> str:
    """A source with those options that were given behind it, as ``open_source`` reads it."""
    given = [f"{name}={item}" for name, item in options.items() if item is not None]
    return ":".join([text, ",".join(given)] if given else [text])


def from_tables(
    name: str,
    tables: dict[str, Table],
    classes: Sequence[str] | None,
    form: tuple[int | None, int | None],
    options: Options,
) -> Task:
    """A task from a table for each split; ``form`` is (size, channels). A lone validation split is used as test."""
    tables, notes = with_test(tables)
    notes = notes if options.groups is not None else [LEAK, *notes]
    names, indices = class_indices([table.labels for table in tables.values()], classes)
    rows, more = decoded(list(tables.values()), size=form[0], channels=form[1], memory=options.memory)
    parts = {split: Part(r, i) for split, r, i in zip(tables, rows, indices, strict=True)}
    whole = Parts(parts["train"], parts.get("validation"), parts.get("test"))
    return assemble(name, whole, names, options, notes + more)


def _schema(paths: Sequence[Path]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas = []
    for path in paths:
        try:
            schemas.append(pq.read_schema(path))
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"'{path}' is no Parquet file that can be read: it is truncated or corrupt.") from error
        if schemas[-1].names != schemas[0].names or schemas[-1].types != schemas[0].types:
            raise SourceError(f"'{path}' has other columns than '{paths[0]}': make them equal.")
    return schemas[0]


def _table(paths: Sequence[Path], chosen: Columns, memory: int) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, size, wanted = paths[0], 0, [chosen.image, chosen.label]
    try:
        for path in paths:
            with pq.ParquetFile(path) as file:
                groups = [file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups)]
            check_room(path, max(groups, default=0))
            size += sum(groups)
        if size > memory:
            return mapped([_as_arrow(paths, wanted)], chosen)
        tables = []
        for path in paths:
            with pq.ParquetFile(path) as file:
                tables.append(file.read(columns=wanted).replace_schema_metadata())
        return Table(pa.concat_tables(tables), chosen, str(paths[0]))
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"'{path}' is truncated or corrupt: fetch it again.") from error


def _as_arrow(paths: Sequence[Path], wanted: list[str]) -> Path:
    """The two columns as one mapped Arrow file in the cache, written once, a batch at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    state = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "limbeck"
    target = cache / f"{hashlib.sha256(repr((state, wanted)).encode()).hexdigest()[:32]}.arrow"
    if target.is_file():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as place:
            unfinished = Path(place) / "table.arrow"
            schema = pa.schema([pq.read_schema(paths[0]).field(name) for name in wanted])
            with pa.OSFile(str(unfinished), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
                for path in paths:
                    with pq.ParquetFile(path) as file:
                        for batch in file.iter_batches(batch_size=256, columns=wanted):
                            writer.write_batch(pa.record_batch(batch.columns, schema=schema))
            os.replace(unfinished, target)
    except OSError as error:
        if isinstance(error, pa.ArrowException):
            raise
        raise DirectoryError(
            f"'{cache}' cannot take the mapped copy ({error}): free space or set XDG_CACHE_HOME."
        ) from error
    return target
