"""Exports: read back by other tools, exact or within 1/255; hostile names stay inside; nothing is overwritten."""

import csv
import errno
import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from limbeck.errors import DirectoryError, FitError, OptionError
from limbeck.synthetic import FORMATS, Factored, SyntheticSet, export

HOSTILE = ("<b>x</b>", "../../etc", "CON", "a/b\\c", "..", "", "a,b", "漢字", "cat", "cat.")


@pytest.mark.parametrize("kind", [{"soft": True, "whiten": True}, {"parametrisation": Factored(2)}, {"shape": (5,)}])
def test_npz_is_exact(kind: dict[str, Any], make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make(**kind)
    path = export(made, tmp_path / "out", "npz")
    examples = made.examples()
    with np.load(path, allow_pickle=False) as held:
        np.testing.assert_array_equal(held["inputs"], examples.inputs.numpy())
        np.testing.assert_array_equal(held["raw"], made.raw().numpy())
        np.testing.assert_array_equal(held["labels"], made.hard.numpy())
        np.testing.assert_array_equal(held["targets"], examples.probabilities(3).numpy())
        assert tuple(held["classes"]) == made.classes
        if made.preprocessing.whiten is None:
            across = (1, -1) + (1,) * (held["raw"].ndim - 2)
            raw = held["inputs"] * held["std"].reshape(across) + held["mean"].reshape(across)
            np.testing.assert_allclose(raw.clip(0, 1) if raw.ndim == 4 else raw, held["raw"], atol=1e-6)
        else:
            np.testing.assert_array_equal(held["whiten"], made.preprocessing.whiten.numpy())


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 8, 6)])
@pytest.mark.parametrize("soft", [False, True])
def test_datasets_reads_the_parquet(
    shape: tuple[int, ...], soft: bool, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = _offline(tmp_path, monkeypatch)
    made: SyntheticSet = make(shape, soft=soft)
    path = export(made, tmp_path / "out", "parquet")
    rows = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.features["label"].names == list(made.classes)
    assert rows["label"][:] == made.hard.tolist()
    inputs = np.array(rows["inputs"][:], np.float32).reshape(-1, *shape)
    np.testing.assert_array_equal(inputs, made.examples().inputs.numpy())
    np.testing.assert_array_equal(np.array(rows["targets"][:], np.float32), made.examples().probabilities(3).numpy())
    for row, raw in zip(rows, made.raw(), strict=True):
        _near(row["image"], raw)


def test_datasets_reads_a_table(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = _offline(tmp_path, monkeypatch)
    made: SyntheticSet = make((4,))
    path = export(made, tmp_path / "small.parquet", "parquet")
    assert path == tmp_path / "small.parquet"
    assert {p.name for p in tmp_path.iterdir()} >= {"small.parquet", "small.card.json", "small.HOWTO.md"}
    rows = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    values = np.stack([rows[f"feature_{i}"][:] for i in range(4)], 1).astype(np.float32)
    np.testing.assert_array_equal(values, made.raw().numpy())


def test_columns_keep_their_names(make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make((4,))
    named = replace(made, card=replace(made.card, features=("age", "label", "age", "x y")))
    back = SyntheticSet.load(named.save(tmp_path / "set"))
    assert back.card.features == ("age", "label", "age", "x y")
    found = pq.read_table(export(back, tmp_path / "small.parquet", "parquet"))
    assert found.column_names == ["age", "label_", "age_", "x y", "label", "targets", "inputs"]
    np.testing.assert_array_equal(found["age_"].to_numpy(), made.raw()[:, 2].numpy())
    arrays = np.load(export(back, tmp_path / "other.npz", "npz"), allow_pickle=False)
    assert arrays["features"].tolist() == list(back.card.features)


def test_a_folder_holds_the_images_in_the_order_of_the_labels(make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make(parametrisation=Factored(2), soft=True)
    assert export(made, tmp_path / "out", "folder") == tmp_path / "out"
    directories = sorted(path.name for path in (tmp_path / "out" / "images").iterdir())
    assert directories == ["0_cat", "1_dog", "2_owl"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    with open(tmp_path / "out" / "manifest.csv") as file:
        lines = list(csv.DictReader(file))
    assert len(manifest) == len(lines) == 24
    for row, line, raw, label in zip(manifest, lines, made.raw(), made.hard.tolist(), strict=True):
        assert row["label"] == int(line["label"]) == label
        assert row["file"].split("/")[1] == line["file"].split("/")[1] == directories[label]
        with Image.open(tmp_path / "out" / row["file"]) as image:
            _near(image, raw)
    targets = torch.tensor([row["targets"] for row in manifest])
    torch.testing.assert_close(targets, made.targets)
    torch.testing.assert_close(torch.tensor([float(line["p_2"]) for line in lines]), targets[:, 2])


def test_hostile_names_stay_inside_the_folder(make: Any, tmp_path: Path) -> None:
    export(make(classes=HOSTILE), tmp_path / "deep" / "out", "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    directories = sorted(path.name for path in (tmp_path / "deep" / "out" / "images").iterdir())
    assert len(directories) == len(HOSTILE)
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") for name in directories
    )
    listed = json.loads((tmp_path / "deep" / "out" / "classes.json").read_text())
    assert [entry["name"] for entry in listed] == list(HOSTILE)
    assert [entry["directory"] for entry in listed] == directories
    assert "<b>" not in (tmp_path / "deep" / "out" / "HOWTO.md").read_text()


@pytest.mark.parametrize("form", FORMATS)
def test_card_and_howto_say_how_to_train(form: str, make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make(soft=True)
    export(made, tmp_path / "out", form)
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["card"]["recipe"]["optimizer"] == {
        "kind": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4, "nesterov": False
    }  # fmt: skip
    howto = (tmp_path / "out" / "HOWTO.md").read_text()
    mean = made.preprocessing.mean.tolist()
    for said in (
        "(raw − mean) / std",
        str(mean),
        "SGD(lr=0.01",
        "learned learning rate 0.1",
        "1000",
        "cross-entropy",
        "out_features=3",
    ):
        assert said in howto


def test_exports_have_the_same_bytes(make: Any, tmp_path: Path) -> None:
    for form in FORMATS:
        files = [
            {p.relative_to(out): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
            for out in (tmp_path / f"{form}-{i}" for i in range(2))
            if export(make(), out, form)
        ]
        assert files[0] == files[1]


def test_nothing_is_overwritten(make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "small.card.json").write_text("mine")
    for target in (tmp_path, tmp_path / "mine", tmp_path / "small.npz"):
        with pytest.raises(DirectoryError, match="exists"):
            export(made, target, "npz")
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "small.card.json"}


def test_a_full_disk_leaves_no_trace(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    for form in FORMATS:
        with pytest.raises(DirectoryError, match="no space is left"):
            export(make(), tmp_path / "out", form)
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_a_sentence(make: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="did you mean parquet"):
        export(make(), tmp_path / "out", "parket")
    with pytest.raises(FitError, match="table rows"):
        export(make((5,)), tmp_path / "out", "folder")
    for form in ("folder", "parquet"):
        with pytest.raises(FitError, match="have 2: export them as npz"):
            export(make((2, 8, 8)), tmp_path / "out", form)
    assert not list(tmp_path.iterdir())


def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return datasets


def _near(image: Image.Image, raw: torch.Tensor) -> None:
    stream = io.BytesIO()
    image.save(stream, "PNG")  # a lossless copy, whatever the lazy loader holds
    pixels = np.asarray(Image.open(io.BytesIO(stream.getvalue()))).astype(float) / 255
    pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    np.testing.assert_allclose(pixels, raw.numpy(), atol=0.5 / 255 + 1e-6)


def test_a_folder_may_be_called_anything(make: Any, tmp_path: Path) -> None:
    assert export(make(), tmp_path / "out.folder", "folder") == tmp_path / "out.folder"
    assert (tmp_path / "out.folder" / "images").is_dir()
