"""The decision to compile, and with it the precision; no test here waits for a real compiler."""

import logging

import pytest
import torch

from limbeck import compilation, compute
from limbeck.compilation import PAYS_AFTER, PAYS_AFTER_FLOAT32, compiled, settled
from limbeck.compute import Compute
from limbeck.errors import DeviceError, FitError
from limbeck.networks.convnet import ConvNet
from limbeck.training.cost import forward_seconds


def double(x: int) -> int:
    return 2 * x


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing compiled or said before."""
    monkeypatch.setattr(compilation, "_COMPILED", {})
    monkeypatch.setattr(compilation, "_SAID", set())


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


@pytest.mark.parametrize(
    ("amx", "limit", "low"), [(False, PAYS_AFTER_FLOAT32, "float32"), (True, PAYS_AFTER, "bfloat16")]
)
def test_auto_looks_at_the_work_ahead(
    amx: bool, limit: float, low: str, compiler: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "_cpu_has_fast_bfloat16", lambda: amx)
    both = 2 / torch.get_num_threads()  # work is counted as that of two threads
    little = settled(Compute(device="cpu"), work_seconds=limit * both)
    much = settled(Compute(device="cpu"), work_seconds=(limit + 1) * both)
    assert (little.compilation, little.precision) == ("off", "float32")
    assert (much.compilation, much.precision) == ("on", low)
    # decided once is decided
    assert settled(little, work_seconds=1e9) == little and settled(much, work_seconds=0.0) == much


def test_the_number_of_threads_decides_nothing(compiler: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same work: half the seconds on twice the threads."""
    monkeypatch.setattr(compute, "_cpu_has_fast_bfloat16", lambda: True)
    network = ConvNet(depth=3, width=32).build((1, 28, 28), 10)
    found = set()
    for threads in (1, 2, 4, 16):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        for examples in (2**14, 2**24):
            made = settled(Compute("cpu"), work_seconds=forward_seconds(network, examples))
            found.add((examples, made.compilation, made.precision))
    assert found == {(2**14, "off", "float32"), (2**24, "on", "bfloat16")}


def test_what_is_not_the_compilers_is_raised(compiler: list[str]) -> None:
    """A session that ends within a compiled pass is no compiler that failed."""
    calls = []

    def ends(number: int) -> int:
        calls.append(number)
        raise FitError("the time is up.")

    with pytest.raises(FitError, match="time is up"):
        compiled(ends, "a session that ends")(3)
    assert calls == [3]


def test_off_never_and_on_always(compiler: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "_cpu_has_fast_bfloat16", lambda: True)
    assert settled(Compute("cpu", compilation="off"), work_seconds=1e9).precision == "float32"
    assert settled(Compute("cpu", compilation="on"), work_seconds=0.0).precision == "bfloat16"
    assert settled(Compute("cpu", "float32", "on"), work_seconds=0.0).precision == "float32"
    assert settled(Compute("cpu", "bfloat16", "off"), work_seconds=0.0).precision == "bfloat16"


def test_the_precision_is_open_until_compilation_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "_cpu_has_fast_bfloat16", lambda: True)
    undecided = Compute("cpu").resolve()
    assert undecided.precision == "auto" and undecided.dtype == torch.float32
    assert undecided.eager().precision == "float32"
    assert Compute("cpu", compilation="on").eager().precision == "float32"


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(compilation, "has_compiler", lambda: False)
    with caplog.at_level(logging.WARNING, "limbeck.compilation"):
        for _ in range(2):
            found = settled(Compute("cpu"), work_seconds=1e9)
    assert (found.compilation, found.precision) == ("off", "float32")
    assert len(caplog.records) == 1 and "no C++ compiler" in caplog.text
    with pytest.raises(DeviceError, match="no C\\+\\+ compiler"):
        settled(Compute("cpu", compilation="on"), work_seconds=0.0)


def test_each_key_is_compiled_once_and_apart(compiler: list[str]) -> None:
    assert [compiled(double, "a", 1)(3), compiled(double, "a", 1)(4), compiled(double, "a", 2)(5)] == [6, 8, 10]
    assert len(compiler) == 2


def test_the_oldest_graph_goes_where_there_are_too_many(compiler: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "MOST", 2)
    for key in (1, 2, 3, 1):
        compiled(double, key)
    assert len(compiler) == 4


def test_a_failing_compiler_is_one_warning(
    compiler: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(function, **options):
        def call(*args):
            raise RuntimeError("no such instruction")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    with caplog.at_level(logging.WARNING, "limbeck.compilation"):
        assert [compiled(double, key)(key) for key in (1, 2, 1)] == [2, 4, 2]
    assert len(caplog.records) == 1 and "goes on without it" in caplog.text
