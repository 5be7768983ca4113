"""The embedded task."""

import torch

from limbeck.data import digits


def test_sizes_classes_and_seal() -> None:
    task = digits()
    assert task.shape == (1, 8, 8)
    assert task.kind == "image"
    assert len(task.train) + len(task.validation) + task.test.size == 1797
    assert min(task.counts) >= 105
    assert task.classes == tuple("0123456789")
    assert task.test.openings == []


def test_seed_changes_split_not_fingerprint() -> None:
    a, b, c = digits(seed=0), digits(seed=0), digits(seed=1)
    assert torch.equal(a.train.examples().inputs, b.train.examples().inputs)
    assert a.fingerprint == b.fingerprint == c.fingerprint
    assert (a.split_seed, c.split_seed) == (0, 1)
    assert not torch.equal(a.train.raw(torch.arange(50)), c.train.raw(torch.arange(50)))


def test_splits_share_no_example() -> None:
    task = digits()
    pools = (task.train, task.validation, task.test.open("test"))
    everything = torch.cat([p.raw(torch.arange(len(p))).flatten(1) for p in pools])
    from sklearn.datasets import load_digits

    original = torch.from_numpy(load_digits(return_X_y=True)[0]).float() / 16
    assert torch.equal(torch.unique(everything, dim=0), torch.unique(original, dim=0))
    assert len(everything) == len(original)


def test_the_fingerprint_stays_the_same_over_versions() -> None:
    assert digits().fingerprint == "8d8c8bb2ce5342ff29a53bccc24edffb"
