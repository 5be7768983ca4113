"""Devices that are not there are sentences; on CUDA the arithmetic is asked to repeat itself."""

from collections.abc import Iterator

import pytest
import torch

from limbeck import compute
from limbeck.compute import Compute
from limbeck.errors import DeviceError


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that says that it has two CUDA devices."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    compute._repeatable.cache_clear()
    yield
    compute._repeatable.cache_clear()
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("device", "hint"),
    [
        ("gpu", "is no device"),
        ("meta", "does not run on"),
        ("mps", "does not run on"),
        ("cuda:2", "there are 2 CUDA devices"),
    ],
)
def test_devices_that_are_not_there(device: str, hint: str, two_gpus: None) -> None:
    with pytest.raises(DeviceError, match=hint):
        Compute(device).resolve()


def test_no_cuda_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="sees no CUDA device"):
        Compute("cuda").resolve()
    assert Compute("auto").resolve().device == "cpu"


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "auto"])
def test_cuda_is_asked_for_sums_in_a_fixed_order(device: str, two_gpus: None) -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    assert Compute("cpu").resolve().device == "cpu"
    assert not torch.are_deterministic_algorithms_enabled()
    assert Compute(device).resolve().precision == "bfloat16"
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
