"""Arrow tables of encoded images: which columns they are, and reading single rows of mapped files."""

import json
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from limbeck.data.encoded import Encoded
from limbeck.data.memory import let_go
from limbeck.data.rows import SCATTERED
from limbeck.errors import OptionError, SourceError, unknown

__all__ = ["Columns", "Table", "class_names", "columns", "mapped"]


class Columns(NamedTuple):
    """Names of the image and label columns, and the class names where the schema knows them."""

    image: str
    label: str
    classes: tuple[str, ...] | None


def columns(schema: Any, label: str | None, where: str) -> Columns:
    """The columns of an Arrow schema, with Hugging Face's features where it holds them; SourceError where unclear."""
    import pyarrow as pa

    features = _features(schema)
    images = [f.name for f in schema if features.get(f.name, {}).get("_type") == "Image"]
    images = images or [f.name for f in schema if pa.types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0]
    images = images or [f.name for f in schema if pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type)]
    if len(images) != 1:
        raise SourceError(
            f"'{where}' has {len(images)} image columns among {', '.join(schema.names)}: keep exactly one, "
            "a struct with bytes; a table of numbers and categories is read by table:PATH."
        )
    named = [f.name for f in schema if features.get(f.name, {}).get("_type") == "ClassLabel"]
    known = [name for name in ("label", "labels", "class", "target") if name in schema.names]
    candidates = named if len(named) == 1 else known[:1]
    if label is not None and label not in schema.names:
        raise unknown("label column", label, schema.names)
    if label is None and not candidates:
        raise OptionError(
            f"'{where}' has the columns {', '.join(schema.names)}: name the class with label=COLUMN (as in "
            "parquet:PATH:label=COLUMN)."
        )
    chosen = label if label is not None else candidates[0]
    return Columns(images[0], chosen, class_names(schema, chosen))


def class_names(schema: Any, label: str) -> tuple[str, ...] | None:
    """Names of the classes of a label column, where the schema has Hugging Face's features and they know them."""
    names = _features(schema).get(label, {}).get("names")
    return tuple(str(n) for n in names) if isinstance(names, list) else None


def _features(schema: Any) -> dict[str, Any]:
    try:
        found = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


@final
class Table(Encoded):
    """Images in a column of an Arrow table, and their labels. ``maps``: the files behind it, where it is mapped.

    Pages that were read stay mapped and would count as resident, so they are let go every few images.
    """

    def __init__(self, table: Any, chosen: Columns, where: str, maps: Sequence[mmap.mmap] = ()) -> None:
        import pyarrow as pa

        column = table.column(chosen.image)
        if pa.types.is_struct(column.type):
            column = pa.chunked_array([chunk.field("bytes") for chunk in column.chunks], pa.binary())
        if table.column(chosen.label).null_count:
            raise SourceError(f"'{where}' has rows without a label in '{chosen.label}': remove them.")
        self._column, self._where, self._maps, self._read = column, where, maps, 0
        self.labels: NDArray[Any] = np.array(table.column(chosen.label).to_pylist())

    def __len__(self) -> int:
        return len(self._column)

    def encoded(self, i: int) -> bytes:
        data = self._column[i].as_py()
        if data is None:
            raise SourceError(f"{self.where(i)} has no image bytes: only images stored within the table can be read.")
        self._read += 1
        if self._read % SCATTERED == 0:
            for each in self._maps:
                let_go(each)
        return bytes(data)

    def where(self, i: int) -> str:
        return f"{self._where}, row {i}"


def mapped(paths: Sequence[Path], chosen: Columns) -> Table:
    """Arrow files (of either kind) as one table, mapped and not read; SourceError where one is damaged."""
    import pyarrow as pa

    maps, tables = [], []
    for path in paths:
        try:
            with path.open("rb") as file:
                maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            buffer = pa.py_buffer(maps[-1])
            start = bytes(memoryview(maps[-1])[:6])
            kind = pa.ipc.open_file if start == b"ARROW1" else pa.ipc.open_stream
            tables.append(kind(pa.BufferReader(buffer)).read_all())
        except (OSError, ValueError, pa.ArrowException) as error:
            raise SourceError(f"'{path}' is no Arrow file that can be read: remove it and start again.") from error
    return Table(pa.concat_tables(tables), chosen, str(paths[0].parent), maps)
