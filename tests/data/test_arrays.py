"""Arrays in every layout, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from limbeck.data import arrays
from limbeck.errors import FitError, OptionError

LABELS = np.arange(60) % 3


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((60, 6, 5), (1, 6, 5)),
        ((60, 3, 6, 5), (3, 6, 5)),
        ((60, 6, 5, 3), (3, 6, 5)),
        ((60, 1, 6, 6), (1, 6, 6)),
        ((60, 7, 12, 12), (7, 12, 12)),
        ((60, 12, 12, 7), (7, 12, 12)),
        ((60, 9), (9,)),
    ],
)
def test_layouts(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    task = arrays(_images(*shape), LABELS)
    assert task.shape == wanted
    assert task.train.take(torch.arange(2)).shape == (2, *wanted)


def test_types_of_images_agree() -> None:
    images = _images(60, 4, 4)
    same = [images, images.astype(np.int64), torch.from_numpy(images)]
    assert len({arrays(x, LABELS).fingerprint for x in same}) == 1
    floats = arrays(images / 255, LABELS)
    deep = arrays(images.astype(np.uint16) * 257, LABELS)
    index = torch.arange(10)
    assert torch.allclose(floats.train.raw(index), arrays(images, LABELS).train.raw(index), atol=1e-6)
    assert torch.allclose(deep.train.raw(index), floats.train.raw(index), atol=1e-6)


def test_table_raw_values_are_in_the_users_units() -> None:
    table = np.random.default_rng(0).normal(50, 10, (60, 4))
    task = arrays(table, LABELS)
    assert task.kind == "table"
    raw = task.train.raw(torch.arange(len(task.train)))
    assert {tuple(r) for r in raw.tolist()} <= {tuple(r) for r in table.astype(np.float32).tolist()}


def test_own_test_split_and_class_names() -> None:
    names = np.array(["<b>x</b>", "../..", "c"])[LABELS]
    task = arrays(_images(60, 4, 4), names, test=(_images(9, 4, 4), names[:9]))
    assert task.classes == ("../..", "<b>x</b>", "c")
    assert task.test.size == 9
    assert len(task.train) + len(task.validation) == 60
    assert len(task.validation) == 6


def test_labels_and_classes_count_in_the_fingerprint() -> None:
    x = _images(60, 4, 4)
    prints = {
        arrays(x, LABELS).fingerprint,
        arrays(x, (LABELS + 1) % 3).fingerprint,
        arrays(x, LABELS, classes=list("abc")).fingerprint,
        arrays(x, LABELS, groups=np.arange(60) // 2).fingerprint,
        arrays(x, LABELS, validation_share=0.3).fingerprint,
    }
    assert len(prints) == 5


def test_groups_hold_through_the_task() -> None:
    groups = np.arange(120) // 4
    x = np.c_[groups, np.arange(120)].astype(float)
    task = arrays(x, np.arange(120) % 2, groups=groups)
    pools = (task.train, task.validation, task.test.open("test"))
    seen = [set(p.raw(torch.arange(len(p)))[:, 0].tolist()) for p in pools]
    assert sum(len(s) for s in seen) == len(set.union(*seen))
    assert set.union(*seen) == set(groups.tolist())


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (np.full((60, 4), np.nan), LABELS, "NaN or infinite"),
        (np.full((60, 4, 4), np.inf), LABELS, "example 0 holds"),
        (np.full((60, 4, 4), 7.0), LABELS, "scale them to 0 to 1"),
        (np.full((60, 4, 4), 300), LABELS, "values from 300 to 300"),
        (np.full((60, 4), 1e300), LABELS, "does not fit float32"),
        (np.array([[object()] * 4] * 60), LABELS, "give real numbers"),
        (np.zeros((60,)), LABELS, "shape"),
        (np.zeros((60, 0)), LABELS, "shape"),
        (np.zeros((60, 4)), LABELS[:50], "60 inputs but 50 labels"),
        (np.zeros((60, 4)), np.zeros(60, int), "one class only"),
        (np.zeros((60, 4)), LABELS - 1, "label -1"),
        (np.zeros((60, 4)), LABELS + 0.5, "no whole number"),
        (np.zeros((60, 4)), LABELS * 10**12, "without gaps"),
        (np.zeros((60, 4)), LABELS * 1000, "number the classes from 0"),
        (np.zeros((60, 4)), LABELS * 2, "no example of 2 of 5 classes"),
        (np.zeros((60, 4)), LABELS[:, None], "one class an example"),
    ],
)
def test_bad_input(inputs: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(FitError, match=message):
        arrays(inputs, labels)


def test_label_out_of_range_of_the_given_classes() -> None:
    with pytest.raises(FitError, match="label 2: labels of 2 classes are 0 to 1"):
        arrays(np.zeros((60, 4)), LABELS, classes=["a", "b"])
    with pytest.raises(FitError, match="'c' is not among"):
        arrays(np.zeros((60, 4)), np.array(list("abc"))[LABELS], classes=["a", "b"])


def test_differing_test_shape_and_missing_test_class() -> None:
    with pytest.raises(FitError, match="test has"):
        arrays(np.zeros((60, 4)), LABELS, test=(np.zeros((9, 5)), LABELS[:9]))
    with pytest.raises(FitError, match="test has no example of 1 of 3"):
        arrays(np.zeros((60, 4)), LABELS, test=(np.zeros((2, 4)), LABELS[:2]))


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match="did you mean validation_share"):
        arrays(np.zeros((60, 4)), LABELS, validaton_share=0.2)
    with pytest.raises(OptionError, match="above 0 and below 1"):
        arrays(np.zeros((60, 4)), LABELS, test_share=1.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": [[1.0], [1.0, 2.0]] * 20}, "no array"),
        ({"classes": ["a", "a"]}, "each once"),
        ({"classes": "ab"}, "each once"),
        ({"labels": []}, "no labels"),
        ({"seed": "abc"}, "does not fit"),
        ({"memory": None}, "does not fit"),
        ({"test_share": "0.2"}, "does not fit"),
    ],
)
def test_arguments_of_another_kind_are_sentences(changes: dict[str, object], message: str) -> None:
    given: dict[str, Any] = {"inputs": np.ones((40, 3)), "labels": [0, 1] * 20, **changes}
    inputs, labels = given.pop("inputs"), given.pop("labels")
    with pytest.raises((FitError, OptionError), match=message):
        arrays(inputs, labels, **given)


def test_sparse_tensors_are_made_dense() -> None:
    rows = np.random.default_rng(0).integers(0, 3, (40, 5)).astype(np.float32)
    task = arrays(torch.from_numpy(rows).to_sparse(), [0, 1] * 20)
    assert task.fingerprint == arrays(rows, [0, 1] * 20).fingerprint


def test_a_dataset_of_pairs_is_read() -> None:
    """A PyTorch Dataset without labels beside it, with a test set of its own."""
    inputs, labels = torch.rand(30, 1, 4, 4), torch.arange(30) % 3
    both = torch.utils.data.TensorDataset(inputs, labels)
    apart = torch.utils.data.TensorDataset(inputs[:6] / 2, labels[:6])
    ours, theirs = arrays(both, test=apart), arrays(inputs, labels, test=(inputs[:6] / 2, labels[:6]))
    assert ours.fingerprint == theirs.fingerprint
    assert ours.classes == ("0", "1", "2")
    with pytest.raises(FitError, match=r"give arrays\(inputs, labels\)"):
        arrays(inputs)
    with pytest.raises(FitError, match="make them equal"):
        arrays([(np.zeros((2, 2)), 0), (np.zeros((3, 3)), 1)])


def test_a_feature_that_float32_would_blur_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2)) + np.array([0.0, 1e7])
    with pytest.raises(FitError, match="feature 1 holds numbers from"):
        arrays(x, np.arange(40) % 2)
    test = (x[:6, 1:], np.arange(6) % 2)
    assert arrays(x[:, :1], np.arange(40) % 2, test=test).shape == (1,)  # training rows decide
    x[:, 1] = 1e7  # a constant one loses nothing
    assert arrays(x, np.arange(40) % 2).shape == (2,)


def test_mapped_tables_are_checked_as_those_in_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(40, 3))
    for shift, message in ((1.7e9, "cannot tell apart"), (1e39, "does not fit float32")):
        held = np.memmap(tmp_path / f"{shift}.bin", dtype=np.float64, mode="w+", shape=values.shape)
        held[:] = values + shift
        for memory in (10, 2**30):
            with pytest.raises(FitError, match=message):
                arrays(held, np.arange(40) % 2, memory=memory)


def test_either_order_of_bytes_is_read() -> None:
    images = np.random.default_rng(0).integers(0, 65536, (20, 4, 4)).astype(np.uint16)
    labels = np.arange(20) % 2
    assert arrays(images.astype(">u2"), labels).fingerprint == arrays(images, labels).fingerprint
