"""The decision to compile; no test waits for a real compiler."""

import logging

import pytest
import torch

from limbeck import compilation
from limbeck.compilation import PAYS_AFTER, PAYS_AFTER_FLOAT32, maybe_compile
from limbeck.compute import Compute
from limbeck.errors import DeviceError
from limbeck.values import replace


def double(x: int) -> int:
    return 2 * x


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A compiler that is there and notes what it was given."""
    asked: list[str] = []

    def compile_(function, **options):
        asked.append(function.__name__)
        return lambda *args: function(*args)

    monkeypatch.setattr(compilation, "has_compiler", lambda: True)
    monkeypatch.setattr(torch, "compile", compile_)
    return asked


def test_off_never_and_on_always(compute: Compute, compiler: list[str]) -> None:
    assert maybe_compile(double, compute, work_seconds=1e9) is double
    assert maybe_compile(double, replace(compute, compilation="on"), work_seconds=0.0)(3) == 6
    assert compiler == ["double"]


@pytest.mark.parametrize(("precision", "limit"), [("float32", PAYS_AFTER_FLOAT32), ("bfloat16", PAYS_AFTER)])
def test_auto_looks_at_the_work_ahead(precision: str, limit: float, compiler: list[str]) -> None:
    auto = Compute(device="cpu", precision=precision)
    assert maybe_compile(double, auto, work_seconds=limit) is double
    assert maybe_compile(double, auto, work_seconds=limit + 1)(3) == 6
    assert compiler == ["double"]


def test_without_a_compiler(compute: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "has_compiler", lambda: False)
    assert maybe_compile(double, replace(compute, compilation="auto"), work_seconds=1e9) is double
    with pytest.raises(DeviceError, match="no C\\+\\+ compiler"):
        maybe_compile(double, replace(compute, compilation="on"), work_seconds=0.0)


def test_a_failing_compiler_is_one_warning(
    compute: Compute, compiler: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(function, **options):
        def call(*args):
            raise RuntimeError("no such instruction")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    made = maybe_compile(double, replace(compute, compilation="on"), work_seconds=0.0)
    with caplog.at_level(logging.WARNING, "limbeck.compilation"):
        assert [made(1), made(2), made(3)] == [2, 4, 6]
    assert len(caplog.records) == 1 and "goes on without it" in caplog.text
