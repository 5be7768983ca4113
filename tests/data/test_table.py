"""Tables: numbers, categories, embeddings; CSV and Parquet; what is refused."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.data import open_source, table
from limbeck.errors import FitError, OptionError, SourceError

CITIES = ("Oslo", "Paris", "Rome")


def _csv(path: Path, n: int = 40, between: str = ",", shift: int = 0, city: str | None = None) -> Path:
    lines = [between.join(("age", "city", "label"))]
    for i in range(n):
        lines.append(between.join((f"{i + shift}.5", city or CITIES[i % 3], "yes" if i % 2 else "no")))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _raw(path: Path, **options: Any) -> torch.Tensor:
    """All rows of a task with its own test file, in the order of the training file."""
    task = table(path, **options)
    raw = torch.cat([task.train.raw(torch.arange(len(task.train))), task.validation.raw(torch.arange(4))])
    return raw[raw[:, 0].argsort()]


def _splits(root: Path, **columns: pa.Array) -> Path:
    """train.parquet and test.parquet of 40 rows with these columns and a label."""
    root.mkdir(parents=True, exist_ok=True)
    held = pa.table({"place": pa.array(range(40)), **columns, "label": pa.array([0, 1] * 20)})
    for split in ("train", "test"):
        pq.write_table(held, root / f"{split}.parquet")
    return root


def test_numbers_stay_and_texts_become_levels(tmp_path: Path) -> None:
    _csv(tmp_path / "train.csv")
    _csv(tmp_path / "test.csv", 10, shift=100, city="Bergen")  # a level that the training file lacks
    task = table(tmp_path)
    assert task.features == ("age", "city=Oslo", "city=Paris", "city=Rome")
    assert task.classes == ("no", "yes")
    assert (len(task.train), len(task.validation), task.test.size) == (36, 4, 10)
    expected = np.array([[i + 0.5, *(float(i % 3 == c) for c in range(3))] for i in range(40)], np.float32)
    np.testing.assert_array_equal(_raw(tmp_path).numpy(), expected)
    test = task.test.open("test")
    np.testing.assert_array_equal(test.raw(torch.tensor([3])).numpy(), [[103.5, 0, 0, 0]])
    assert "city (3)" in task.notes[-1]


@pytest.mark.parametrize("form", ["semicolon", "tab", "gzip", "parquet"])
def test_every_form_holds_the_same(form: str, tmp_path: Path) -> None:
    plain = table(_csv(tmp_path / "a.csv"))
    if form == "semicolon":
        path = _csv(tmp_path / "b.csv", between=";")
    elif form == "tab":
        path = _csv(tmp_path / "b.tsv", between="\t")
    elif form == "gzip":
        path = tmp_path / "b.csv.gz"
        path.write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    else:
        path = tmp_path / "b.parquet"
        cities = pa.array([CITIES[i % 3] for i in range(40)]).dictionary_encode()
        labels = pa.array(["yes" if i % 2 else "no" for i in range(40)])
        pq.write_table(pa.table({"age": [i + 0.5 for i in range(40)], "city": cities, "label": labels}), path)
    assert table(path).fingerprint == plain.fingerprint


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.sampled_from(["list", "large", "fixed"]), st.integers(0, 99))
def test_lists_of_numbers_are_features(tmp_path_factory: pytest.TempPathFactory, width: int, kind: str, s: int) -> None:
    known = np.random.default_rng(s).normal(size=(40, width)).astype(np.float32)
    types = {
        "list": pa.list_(pa.float32()),
        "large": pa.large_list(pa.float32()),
        "fixed": pa.list_(pa.float32(), width),
    }
    root = _splits(tmp_path_factory.mktemp("lists"), vector=pa.array(known.tolist(), types[kind]))
    assert table(root).features == ("place", *(f"vector[{i}]" for i in range(width)))
    np.testing.assert_array_equal(_raw(root)[:, 1:].numpy(), known)


def test_truth_values_and_missing_texts(tmp_path: Path) -> None:
    flags, words = pa.array([True, False] * 20), pa.array([" a", None, "b", "a "] * 10)
    root = _splits(tmp_path, flag=flags, word=words)
    assert table(root).features == ("place", "flag", "word=(missing)", "word=a", "word=b")
    expected = [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0]]
    np.testing.assert_array_equal(_raw(root)[:4, 1:].numpy(), expected)


def test_missing_numbers_are_filled_where_that_is_asked_for(tmp_path: Path) -> None:
    root = _splits(tmp_path, size=pa.array([1.0, None, 3.0, float("nan"), 8.0] * 8))
    with pytest.raises(FitError, match=r"16 rows without a finite number in 'size'.*fill=median"):
        table(root)
    task = open_source(f"table:{root}:fill=median")
    assert task.features == ("place", "size", "size=(missing)")
    np.testing.assert_array_equal(_raw(root, fill="median")[:5, 1:].numpy(), [[1, 0], [3, 1], [3, 0], [3, 1], [8, 0]])
    assert "missing numbers of size" in task.notes[-1]
    assert "split off" not in task.notes[-1]
    with pytest.raises(OptionError, match="did you mean median"):
        table(root, fill="mediann")


def test_a_source_is_found_again_by_its_name(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv")
    task = table(path, label="city", drop=("label",))
    assert task.name == f"table:{path}:label=city,drop=label"
    assert task.classes == CITIES
    again = open_source(task.name)
    assert (again.name, again.fingerprint) == (task.name, task.fingerprint)


def test_classes_have_the_names_that_the_file_knows(tmp_path: Path) -> None:
    numbers = pa.table({"x": range(40), "label": [float(i % 2) for i in range(40)]})
    pq.write_table(numbers, tmp_path / "a.parquet")
    assert table(tmp_path / "a.parquet").classes == ("0", "1")
    features = {"label": {"names": ["dog", "cat"], "_type": "ClassLabel"}}
    meta = {"huggingface": json.dumps({"info": {"features": features}})}
    named = pa.table({"x": range(40), "label": [i % 2 for i in range(40)]}).replace_schema_metadata(meta)
    pq.write_table(named, tmp_path / "b.parquet")
    assert table(tmp_path / "b.parquet").classes == ("dog", "cat")
    graded = pa.table({"x": range(40), "y": [(10, 9)[i % 2] for i in range(40)]})
    pq.write_table(graded, tmp_path / "c.parquet")
    assert table(tmp_path / "c.parquet").classes == ("9", "10")  # as numbers, not as texts


def test_what_names_the_rows_is_no_feature(tmp_path: Path) -> None:
    held = {"x": pa.array([0.5] * 40), "label": pa.array([0, 1] * 20), "__index_level_0__": pa.array(range(40))}
    pq.write_table(pa.table(held), tmp_path / "a.parquet")
    assert table(tmp_path / "a.parquet").features == ("x",)
    task = table(_splits(tmp_path / "numbered", x=pa.array([1, 2] * 20)))
    (said,) = [note for note in task.notes if "another whole number in every row" in note]
    assert said.startswith("'place'") and "drop=place" in said


def test_a_lone_validation_file_is_the_test_split(tmp_path: Path) -> None:
    _csv(tmp_path / "train.csv")
    _csv(tmp_path / "valid.csv", 10)
    assert table(tmp_path).test.size == 10


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("1.5,2\n2,3\n", SourceError, "begins with numbers"),
        (",a,label\n1,2,x\n", SourceError, "no name for column 1.*without an index"),
        ("a,a,label\n1,2,x\n", SourceError, "two columns called 'a'"),
        ("a,b,label\n1,2,x\n1,2\n", SourceError, "cannot be read as a table"),
        ("", SourceError, "cannot be read as a table"),
        ("a,label\n", SourceError, "no rows"),
        ("a,b\n1,2\n3,4\n", OptionError, "name the class with label=COLUMN"),
        ("a,label\n1,x\n2,\n", SourceError, "1 rows without a label"),
        ("label\nx\ny\n", FitError, "no column beside the label"),
        ("a,label\n1,0.5\n2,0.7\n", FitError, "no classes"),
        ("a,label\n" + "".join(f"{i},name {i}\n" for i in range(20)), FitError, "20 different values in 20 rows"),
        ("a,label\n" + "".join(f"name {i},{i % 2}\n" for i in range(120)), FitError, "120 different texts"),
        ("a,label\n2024-01-01,x\n2024-01-02,y\n", FitError, "of the type date32.*drop=a"),
        ("a,b,label\n,1,x\n,2,y\n", FitError, "'a' of .* is empty"),
    ],
)
def test_what_is_no_table_is_a_sentence(text: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message) as caught:
        table(path)
    assert str(caught.value).endswith(".")


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    _csv(tmp_path / "train.csv")
    (tmp_path / "test.csv").write_text("age,label\n1,yes\n2,no\n", encoding="utf-8")
    with pytest.raises(SourceError, match="no column 'city'"):
        table(tmp_path)
    (tmp_path / "test.csv").write_text("age,city,label\nold,Rome,yes\nyoung,Rome,no\n", encoding="utf-8")
    with pytest.raises(FitError, match="has string in 'age', where the training file has numbers"):
        table(tmp_path)
    (tmp_path / "test.csv").write_text("age,city,label\n1,Rome,perhaps\n2,Rome,no\n", encoding="utf-8")
    with pytest.raises(FitError, match="'perhaps' is not among"):
        table(tmp_path)


def test_damaged_and_foreign_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(b"no gzip")
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(b"a,label\n1,x\n" * 99)[:-20])
    for name in ("a.csv.gz", "b.parquet", "c.csv.gz"):
        with pytest.raises(SourceError, match="cannot be read as a table"):
            table(tmp_path / name)
    (tmp_path / "d.csv").write_bytes("city,label\nMünchen,x\nKöln,y\n".encode("latin-1"))
    with pytest.raises(FitError, match="not UTF-8"):
        table(tmp_path / "d.csv")
    with pytest.raises(SourceError, match="does not exist"):
        table(tmp_path / "none.csv")


def test_lists_of_several_lengths_and_columns_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="20 rows without a finite number in 'vector'"):
        table(_splits(tmp_path / "gaps", vector=pa.array([[1.0], None, [float("inf")], [2.0]] * 10)))
    with pytest.raises(FitError, match="lists of 1, 2 numbers in 'vector'"):
        table(_splits(tmp_path / "ragged", vector=pa.array([[1.0], [1.0, 2.0]] * 20)))
    path = _csv(tmp_path / "a.csv")
    with pytest.raises(OptionError, match="did you mean city"):
        table(path, drop="citty")
    with pytest.raises(OptionError, match="did you mean label"):
        table(path, label="labell")
    with pytest.raises(OptionError, match="is the label and cannot be dropped"):
        table(path, drop="label")
    with pytest.raises(OptionError, match="say table:"):
        open_source(str(path))
    with pytest.raises(OptionError, match="takes no size"):
        open_source(f"table:{path}", size=8)


def test_numbers_that_float32_would_blur_are_refused(tmp_path: Path) -> None:
    """Times in seconds: 40 apart, and stored in steps of 128."""
    path = tmp_path / "t.csv"
    rows = [f"{1_600_000_000 + 7 * i},{i},{'ab'[i % 2]}" for i in range(60)]
    path.write_text("ts,x,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(FitError, match=r"the column 'ts' holds numbers from 1600000000.*subtract.*drop="):
        table(path)
    assert table(path, drop="ts").shape == (1,)
    year = [f"{1_600_000_000 + 500_000 * i},{'ab'[i % 2]}" for i in range(60)]
    path.write_text("ts,label\n" + "\n".join(year) + "\n", encoding="utf-8")
    assert table(path).shape == (1,)


def test_whole_numbers_beyond_float64_are_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{2**62 + i},{i},{'ab'[i % 2]}" for i in range(60)]
    path.write_text("id,x,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(FitError, match="'id'") as caught:
        table(path)
    assert str(caught.value).endswith(".")
    assert table(path, drop="id").shape == (1,)


def test_a_second_column_that_may_be_the_class_is_pointed_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{i}.5,{'ab'[i % 2]},{i % 2}" for i in range(40)]
    path.write_text("x,label,target\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert any("'label' is the class, and 'target' stays" in note for note in table(path).notes)
    assert not any("stays a feature" in note for note in table(path, drop="target").notes)
    assert not any("stays a feature" in note for note in table(path, label="label").notes)  # it was a choice


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([f"{20 + i}" if i % 9 else "?" for i in range(40)], "for '?'"),
        ([f"{i},5" for i in range(40)], "a comma for the point"),
        ([f"{i},5" if i % 9 else "unknown" for i in range(40)], "a comma for the point and for 'unknown'"),
    ],
)
def test_numbers_that_are_read_as_texts_are_pointed_out(cells: list[str], why: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{cell};{'ab'[i % 2]}" for i, cell in enumerate(cells)]
    path.write_text("age;label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert any("'age' looks like numbers" in note and why in note for note in table(path).notes)
    many = [f"{i},5;{'ab'[i % 2]}" for i in range(150)]
    path.write_text("age;label\n" + "\n".join(many) + "\n", encoding="utf-8")
    with pytest.raises(FitError, match="looks like numbers, but a comma for the point"):
        table(path)


def test_splits_are_files_in_whatever_letters_and_never_twice(tmp_path: Path) -> None:
    _csv(tmp_path / "Train.csv", n=60)
    _csv(tmp_path / "TEST.csv", n=40)
    task = table(tmp_path)
    assert (len(task.train) + len(task.validation), task.test.size) == (60, 40)
    pq.write_table(pa.table({"age": [1.0], "city": ["Rome"], "label": ["no"]}), tmp_path / "Train.parquet")
    with pytest.raises(SourceError, match=r"both Train.csv and Train.parquet, which look like the same rows twice"):
        table(tmp_path)


def test_a_label_without_a_class_name_is_a_sentence(tmp_path: Path) -> None:
    """Hugging Face writes −1 for what is not labelled."""
    held = pa.table({"x": [float(i) for i in range(40)], "label": pa.array([-1] + [0, 1] * 19 + [0])})
    feature = {"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}
    held = held.replace_schema_metadata({"huggingface": json.dumps(feature)})
    pq.write_table(held, tmp_path / "a.parquet")
    with pytest.raises(FitError, match="the label -1, for which there is no class name"):
        table(tmp_path / "a.parquet")


def test_a_column_that_is_empty_in_test_is_filled(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("x,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(40)))
    (tmp_path / "test.csv").write_text("x,label\n" + "".join(f",{'ab'[i % 2]}\n" for i in range(10)))
    assert table(tmp_path, fill="median").test.size == 10
