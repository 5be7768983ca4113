import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limbeck.errors import ArtifactError, OptionError
from limbeck.evaluation.records import Records
from tests.evaluation.evaluation_rows import row


def some() -> Records:
    bits = np.array([True, False, True, True, False, False, False, True, True])
    good = row(5 / 9, correct=np.packbits(bits).tobytes(), examples=9)
    return Records((good, row(0.0, failure="stopped at update 3 of 5: the loss became infinite.", seed=1)))


def test_a_parquet_file_gives_the_same_rows_back(tmp_path: Path) -> None:
    path = tmp_path / "records.parquet"
    some().to_parquet(path)
    back = Records.from_parquet(path)
    assert repr(back.rows) == repr(some().rows)  # NaN differs from itself, its text does not
    assert back.rows[0].correctness().tolist() == [True, False, True, True, False, False, False, True, True]
    assert len(back.rows[1].correctness()) == 0
    assert list(tmp_path.iterdir()) == [path]


def test_no_rows_can_be_stored(tmp_path: Path) -> None:
    Records(()).to_parquet(tmp_path / "none.parquet")
    assert Records.from_parquet(tmp_path / "none.parquet") == Records(())


def test_json_has_no_nan() -> None:
    rows = json.loads(some().to_json())
    assert rows[1]["accuracy"] is None
    assert rows[1]["recalls"] == [None, None]
    assert rows[0]["correct"] == "sYA="
    assert rows[0]["accuracy"] == pytest.approx(5 / 9)


def test_a_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with pytest.raises(ArtifactError, match="no records at"):
        Records.from_parquet(path)
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(ArtifactError, match="damaged"):
        Records.from_parquet(path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(ArtifactError, match="no limbeck records"):
        Records.from_parquet(path)


def changed(path: Path, change: str) -> None:
    some().to_parquet(path)
    table = pq.ParquetFile(path).read()
    metadata = dict(table.schema.metadata)
    if change == "more":
        table = table.append_column("robust", pa.array([0.1, 0.2]))
    if change == "fewer":
        table = table.drop_columns(["seed"])
    if change == "newer":
        metadata[b"limbeck.records"] = b"99"
    if change == "typed":
        table = table.set_column(0, "set", pa.array([1, 2]))
    if change == "percent":
        table = table.set_column(table.schema.get_field_index("accuracy"), "accuracy", pa.array([55.0, math.nan]))
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("more", "the column 'robust' that this limbeck does not know"),
        ("fewer", "lacks the column 'seed'"),
        ("newer", "format 99"),
        ("typed", "int64 in the column 'set'"),
        ("percent", "not percent"),
    ],
)
def test_other_columns_are_an_error(tmp_path: Path, change: str, sentence: str) -> None:
    changed(tmp_path / "x.parquet", change)
    with pytest.raises(ArtifactError, match=sentence):
        Records.from_parquet(tmp_path / "x.parquet")


def test_rows_outside_their_domain_are_an_error() -> None:
    with pytest.raises(OptionError, match="fraction"):
        row(81.2)
    with pytest.raises(OptionError, match="did you mean soft"):
        row(0.5, labels="sofd")
    with pytest.raises(OptionError, match="split"):
        row(0.5, split="train")
    with pytest.raises(OptionError, match="no failure"):
        row(math.nan)
    with pytest.raises(OptionError, match="one bit"):
        row(0.5, examples=17)


def test_where_names_the_nearest_column() -> None:
    assert len(some().where(seed=1)) == 1
    with pytest.raises(OptionError, match="did you mean method"):
        some().where(methd="dm")
