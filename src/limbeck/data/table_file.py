"""A file with a row an example as Arrow columns: CSV, TSV (plain or gzipped) or Parquet."""

import gzip
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

from limbeck.data.arrow import class_names
from limbeck.data.memory import check_room
from limbeck.errors import FitError, SourceError

__all__ = ["SUFFIXES", "ColumnKind", "TableFile", "column_kind"]

_INDEX = "__index_level_"  # columns that pandas keeps the index of its rows in
SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")

ColumnKind: TypeAlias = Literal["number", "list", "texts"]


@final
class TableFile:
    """The rows of one split."""

    def __init__(self, paths: Sequence[Path]) -> None:
        import pyarrow as pa

        tables = [_arrow(path) for path in paths]
        self.where = str(paths[0])
        try:
            self.table = pa.concat_tables(tables, promote_options="permissive")
        except pa.ArrowException as error:
            raise SourceError(f"'{paths[0]}' and files beside it have columns of other types: make them equal.") from (
                error
            )
        self.names: list[str] = self.table.column_names
        self.rows: int = self.table.num_rows
        if not self.rows:
            raise SourceError(f"'{paths[0]}' has no rows below the names of its columns: give it examples.")

    def column(self, name: str) -> Any:
        """One column, in one piece. Raises SourceError where it is missing."""
        import pyarrow as pa

        if name not in self.names:
            raise SourceError(
                f"'{self.where}' has no column '{name}', which the training file has: add it, or take the file away."
            )
        found = self.table.column(name)
        if pa.types.is_dictionary(found.type):
            found = found.cast(found.type.value_type)
        return found.combine_chunks()

    def counts_rows(self, name: str) -> bool:
        """True for a column of whole numbers that are all different: an identifier, or chance in a few rows."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = self.column(name)
        return bool(pa.types.is_integer(found.type) and pc.count_distinct(found).as_py() == self.rows)

    def labels(self, name: str) -> list[Any]:
        """The label of each row: the class name where the file knows it, else the text, or the number."""
        found = self.column(name)
        if column_kind(found.type) not in ("number", "texts"):
            raise FitError(
                f"the label '{name}' of '{self.where}' is of the type {found.type}: give texts or whole numbers."
            )
        if found.null_count:
            raise SourceError(f"'{self.where}' has {found.null_count} rows without a label in '{name}': remove them.")
        known = self.known(name)
        return [_label_value(v, known) for v in found.to_pylist()]

    def known(self, label: str) -> tuple[str, ...] | None:
        """Names of the classes in their order, where the file says them."""
        return class_names(self.table.schema, label)


def _arrow(path: Path) -> Any:
    """The file as an Arrow table; SourceError where it cannot be read."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    check_room(path, path.stat().st_size)
    try:
        if path.suffix == ".parquet":
            found = pq.read_table(path)
            return found.drop_columns([name for name in found.column_names if name.startswith(_INDEX)])
        found = pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(delimiter=_delimiter(path)),
            convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True),
        )
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise SourceError(f"'{path}' cannot be read as a table ({reason}): mend it or fetch it again.") from error
    names = [name.strip() for name in found.column_names]
    if all(_is_number(name) for name in names):
        raise SourceError(f"'{path}' begins with numbers: its first line must name the columns.")
    if "" in names:
        raise SourceError(
            f"'{path}' has no name for column {1 + names.index('')}: name it, or save the file without an index."
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(f"'{path}' has two columns called '{twice}': rename one.")
    return found.rename_columns(names)


def _delimiter(path: Path) -> str:
    """Of comma, semicolon and tab the one that the first line holds most of."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        first = file.readline(2**20).decode("utf-8")
    return max((",", ";", "\t"), key=first.count)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label_value(found: Any, known: Sequence[str] | None) -> Any:
    """A class as its name, or as a number, which is whole unless it is no class."""
    if isinstance(found, str):
        return found.strip()
    whole = int(found) if math.isfinite(found) and found == int(found) else found
    return known[whole] if known is not None and isinstance(whole, int) and 0 <= whole < len(known) else whole


def column_kind(kind: Any) -> ColumnKind | None:
    """What an Arrow type is to us."""
    import pyarrow as pa

    t = pa.types
    if t.is_integer(kind) or t.is_floating(kind) or t.is_boolean(kind) or t.is_decimal(kind):
        return "number"
    if t.is_string(kind) or t.is_large_string(kind):
        return "texts"
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        return "list" if column_kind(kind.value_type) == "number" else None
    return None
