"""The examples run: quickly, with small numbers, and end with what they promise."""

import gzip
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

import limbeck

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name: str) -> ModuleType:
    """An example as a module; nothing runs before its main is called."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_quickstart(tmp_path: Path) -> None:
    accuracy = load("quickstart").main(tmp_path, iterations=2, networks=1)
    assert 0 <= accuracy <= 1
    assert len(limbeck.SyntheticSet.load(tmp_path / "dm")) == 50


def test_own_folder(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(8):
            pixels = chance.integers(0, 255, (11, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    pictures = load("own_folder").main(tmp_path / "photos", 8, tmp_path / "out", budget=0.5)
    assert sorted(p.parent.name for p in pictures.rglob("*.png")) == ["0_cat", "1_dog"]


def test_table() -> None:
    rows = load("table").main(iterations=3)
    assert rows.shape == (4, 2)
    assert (rows[:, 1] > 1000).all()  # grams, not standard deviations


def test_a_discrepancy_of_ones_own() -> None:
    small = load("add_a_discrepancy").main(iterations=20)
    losses = [loss for _, loss in small.card.losses]
    assert losses[-1] < losses[0]


def test_adult_becomes_a_table(tmp_path: Path) -> None:
    row = "{}, {}, 77516, Bachelors, 13, Never-married, Sales, Unmarried, White, Male, {}, 0, 40, Cuba, {}\n"
    train = "".join(
        row.format(30 + i, "Private" if i % 3 else "?", 10 * i, (">50K", "<=50K")[i % 2]) for i in range(40)
    )
    test = "|1x3 Cross validator\n" + "".join(
        row.format(50 + i, "Unknown-there", 0, (">50K.", "<=50K.")[i % 2]) for i in range(10)
    )
    for name, text in (("adult.data.gz", train), ("adult.test.gz", test)):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    assert load("adult_to_npz").main(tmp_path, tmp_path / "adult.npz") == (40, 6 + 2 + 6)
    task = limbeck.data.npz(tmp_path / "adult.npz")
    assert task.classes == ("<=50K", ">50K")
    assert task.test.size == 10
    with np.load(tmp_path / "adult.npz") as arrays:
        assert arrays["x_test"][:, 6:8].sum() == 0  # a level that train does not know
