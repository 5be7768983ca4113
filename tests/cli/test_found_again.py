"""A set is evaluated on the data that it was made from, found by its card alone, whatever the source was told."""

import io
import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from limbeck.synthetic import SyntheticSet
from tests.cli.test_bad_input import Run, run

__all__ = ["run"]  # the fixture

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def images(n: int, *, sides: tuple[int, ...]) -> pa.Table:
    """Colour images of the given sides in turn, with two columns that could be the class."""
    rng, rows = np.random.default_rng(0), []
    for i in range(n):
        side, stream = sides[i % len(sides)], io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (side, side + 2, 3), dtype=np.uint8)).save(stream, "PNG")
        rows.append({"bytes": stream.getvalue(), "path": None})
    fine, coarse = [i % 3 for i in range(n)], [i % 2 for i in range(n)]
    return pa.table({"image": pa.array(rows, STRUCT), "fine": fine, "coarse": coarse})


@pytest.mark.parametrize(("sides", "shape"), [((9, 12, 20), (3, 64, 64)), ((10,), (3, 10, 12))])
def test_parquet_of_any_sizes_with_a_chosen_label(
    run: Run, tmp_path: Path, sides: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    pq.write_table(images(36, sides=sides), tmp_path / "photos.parquet")
    code, _, err = run("distill", "parquet:photos.parquet", "--out", "set")
    assert code == 2
    assert "parquet:PATH:label=COLUMN" in err
    source = "parquet:photos.parquet:label=fine"
    words = ("--set", "updates=1", "-m", "random", "-k", "1", "--network", "mlp-32")
    assert run("distill", source, *words, "--out", "set")[0] == 0
    made = SyntheticSet.load(tmp_path / "set")
    assert (made.card.shape, made.card.task) == (shape, source)
    code, _, err = run("evaluate", "set", "--seeds", "1")
    assert code == 0, err


def test_the_hub_with_its_options(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    (tmp_path / "photos").mkdir()
    pq.write_table(images(36, sides=(9, 12)), tmp_path / "photos" / "train-00000-of-00001.parquet")
    source = f"hub:{tmp_path / 'photos'}:label=coarse"
    words = ("--set", "updates=1", "-m", "random", "-k", "1", "--network", "mlp-32", "--size", "8", "--channels", "1")
    code, _, err = run("distill", source, *words, "--out", "set")
    assert code == 0, err
    code, _, err = run("evaluate", "set", "--seeds", "1")
    assert code == 0, err
    assert SyntheticSet.load(tmp_path / "set").card.shape == (1, 8, 8)


def test_a_hub_that_is_not_there_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    datasets = pytest.importorskip("datasets")

    def retry(*_: object, **__: object) -> None:
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 1s [Retry 1/5].")
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", retry)
    monkeypatch.setattr(logging.getLogger("huggingface_hub"), "propagate", True)
    code, _, err = run("info", "hub:nobody/nothing")
    assert code == 2
    assert "cannot be had from the hub (no network)" in err
    assert "Asking the hub for nobody/nothing" in err
    assert "Retrying" not in err + caplog.text
