"""Published data sets, where LIMBECK_DATA names a directory that holds them."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from limbeck.data import folder, idx, parquet


def _place(name: str) -> Path:
    root = os.environ.get("LIMBECK_DATA")
    if not root or not (Path(root) / name).exists():
        pytest.skip(f"LIMBECK_DATA names no directory with {name}")
    return Path(root) / name


def test_fashionmnist() -> None:
    task = idx(_place("fashionmnist"))
    assert task.shape == (1, 28, 28)
    assert task.counts == (5400,) * 10
    assert (len(task.validation), task.test.size) == (6000, 10000)
    assert float(task.preprocessing.mean) == pytest.approx(0.2860, abs=5e-4)
    assert float(task.preprocessing.std) == pytest.approx(0.3530, abs=5e-4)
    assert task.fingerprint == "8aa643d83744cdf131219a2f7bec153a"


def test_cifar10_rows(tmp_path: Path) -> None:
    place = _place("cifar10")
    for name in ("train-00000-of-00005", "test-00000-of-00001"):
        with pq.ParquetFile(place / f"{name}.parquet") as file:
            pq.write_table(file.read_row_group(0).slice(0, 300), tmp_path / f"{name}.parquet")
    task = parquet(tmp_path)
    assert task.shape == (3, 32, 32)
    assert task.classes[:3] == ("airplane", "automobile", "bird")
    assert len(task.train) + len(task.validation) == 300
    assert 0.4 < float(task.preprocessing.mean.mean()) < 0.55


def test_imagenette_folder_of_64_pixels(tmp_path: Path) -> None:
    place = _place("imagenette224")
    for split, n in (("train", 8), ("val", 2)):
        for directory in sorted((place / split).iterdir()):
            (tmp_path / split / directory.name).mkdir(parents=True)
            for file in sorted(directory.iterdir())[:n]:
                (tmp_path / split / directory.name / file.name).symlink_to(file)
    task = folder(tmp_path, size=64, channels=3)
    assert task.shape == (3, 64, 64)
    assert (len(task.train), len(task.validation), task.test.size) == (70, 10, 20)
    raw = task.train.raw(torch.arange(4))
    assert 0.1 < float(raw.mean()) < 0.9
