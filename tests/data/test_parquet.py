"""Parquet and hub: image structs, class names in the schema, mapped copies, damaged files."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from limbeck.data import ArrowPool, hub, parquet
from limbeck.data.sources import open_source
from limbeck.errors import FitError, OptionError, SourceError

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
FEATURES = {"image": {"_type": "Image"}, "label": {"names": ["cat", "<dog>"], "_type": "ClassLabel"}}


def _table(n: int, seed: int = 0, hf: bool = True, labels: object = None, **columns: object) -> pa.Table:
    rng, rows = np.random.default_rng(seed), []
    for _ in range(n):
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).save(stream, "PNG")
        rows.append({"bytes": stream.getvalue(), "path": "x.png"})
    label = pa.array([i % 2 for i in range(n)] if labels is None else labels)
    table = pa.table({"image": pa.array(rows, STRUCT), "label": label, **columns})
    meta = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    return table.replace_schema_metadata(meta) if hf else table


def _write(root: Path) -> Path:
    root.mkdir(exist_ok=True)
    for i in range(2):
        pq.write_table(_table(20, i), root / f"train-{i:05d}-of-00002.parquet")
    pq.write_table(_table(10, 9), root / "test-00000-of-00001.parquet")
    return root


def test_directory_with_splits_and_class_names(tmp_path: Path) -> None:
    task = parquet(_write(tmp_path / "d"))
    assert task.classes == ("cat", "<dog>")
    assert (len(task.train), len(task.validation), task.test.size) == (36, 4, 10)
    assert task.shape == (3, 6, 6)
    first = np.random.default_rng(9).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    raw = task.test.open("test").raw(torch.tensor([0]))[0]
    assert torch.equal(raw, torch.from_numpy(first).permute(2, 0, 1).float() / 255)


def test_larger_files_are_mapped_from_a_copy(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small = parquet(_write(tmp_path / "d"))
    for _ in range(2):
        big = parquet(tmp_path / "d", memory=100)
        assert isinstance(big.train, ArrowPool)
        assert big.fingerprint == small.fingerprint
        index = torch.tensor([30, 2, 2])
        assert torch.equal(big.train.take(index), small.train.take(index))
    assert len(list((tmp_path / "cache" / "limbeck").iterdir())) == 2  # train and test, and nothing unfinished


def test_hub_reads_a_local_directory(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    _write(tmp_path / "d")
    task = hub(str(tmp_path / "d"))
    assert task.classes == ("cat", "<dog>")
    assert task.fingerprint == parquet(tmp_path / "d").fingerprint
    chosen = open_source(f"hub:{tmp_path / 'd'}:label=label,config=default", size=5)
    assert chosen.shape == (3, 5, 5)
    assert chosen.name == f"hub:{tmp_path / 'd'}:config=default,label=label"
    with pytest.raises(SourceError, match="cannot be had from the hub"):
        hub(str(tmp_path / "none"))


def test_names_without_features_and_text_labels(tmp_path: Path) -> None:
    pq.write_table(_table(20, hf=False), tmp_path / "a.parquet")
    assert parquet(tmp_path / "a.parquet").classes == ("0", "1")
    words = ["x", "y"] * 10
    pq.write_table(_table(20, hf=False, labels=words), tmp_path / "b.parquet")
    assert parquet(tmp_path / "b.parquet").classes == ("x", "y")
    pq.write_table(_table(20, hf=False).rename_columns(["img", "fine"]), tmp_path / "c.parquet")
    with pytest.raises(OptionError, match="label=COLUMN"):
        parquet(tmp_path / "c.parquet")
    with pytest.raises(OptionError, match="did you mean fine"):
        parquet(tmp_path / "c.parquet", label="fin")
    named = parquet(tmp_path / "c.parquet", label="fine")
    assert named.classes == ("0", "1")
    again = open_source(named.name)  # the name says all that the data depends on
    assert (again.name, again.fingerprint) == (named.name, named.fingerprint)
    with pytest.raises(OptionError, match="unknown option behind the source 'lable': did you mean label"):
        open_source(f"parquet:{tmp_path / 'c.parquet'}:lable=fine")


def test_problems(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        parquet(tmp_path / "none")
    with pytest.raises(SourceError, match=r"no \.parquet file"):
        parquet(tmp_path)
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": ["a", "b"], "label": [0, 1]}), path)
    with pytest.raises(SourceError, match="0 image columns"):
        parquet(path)
    pq.write_table(_table(20, labels=[0, None] * 10), path)
    with pytest.raises(SourceError, match="without a label"):
        parquet(path)
    pq.write_table(_table(20, labels=[0, -1] * 10), path)
    with pytest.raises(FitError, match="label -1"):
        parquet(path)
    pq.write_table(_table(20, labels=[0, 2] * 10), path)
    with pytest.raises(FitError, match="label 2: labels of 2 classes"):
        parquet(path)
    empty = pa.array([{"bytes": None, "path": "a.png"}] * 20, STRUCT)
    pq.write_table(pa.table({"image": empty, "label": [0, 1] * 10}), path)
    with pytest.raises(SourceError, match="row 0 has no image bytes"):
        parquet(path)


def test_damaged_files(tmp_path: Path) -> None:
    pq.write_table(_table(40), tmp_path / "good.parquet", compression="snappy")
    data = (tmp_path / "good.parquet").read_bytes()
    cut = len(data) // 2
    for broken in (data[:cut], b"", b"PAR1", data[:200] + b"\xff" * 3000 + data[3200:]):
        (tmp_path / "x.parquet").write_bytes(broken)
        with pytest.raises(SourceError):
            parquet(tmp_path / "x.parquet")


def test_announced_size_is_refused_before_memory_is_taken(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    pq.write_table(_table(40), tmp_path / "x.parquet")
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": 100})())
    with pytest.raises(SourceError, match="of memory are free"):
        parquet(tmp_path / "x.parquet")
