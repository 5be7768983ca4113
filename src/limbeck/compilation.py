"""Compilation that pays or is not used: decided by the work ahead and the kind of machine, one graph a shape."""

import itertools
import logging
import time
import types
from collections.abc import Callable, Hashable
from typing import ParamSpec, TypeVar, cast

import torch

from limbeck.compute import Compute, has_compiler
from limbeck.errors import DeviceError, LimbeckError
from limbeck.values import replace

__all__ = ["PAYS_AFTER", "PAYS_AFTER_CUDA", "PAYS_AFTER_FLOAT32", "compiled", "seconds_compiling", "settled"]

log = logging.getLogger("limbeck.compilation")

P = ParamSpec("P")
R = TypeVar("R")

# Computed seconds (limbeck.training.cost) of eager work from which compiling pays. They are two to six times what a
# CPU with AVX-512 takes; a graph is compiled in 5 to 15 s, and in 2 s where Inductor finds it on disk.
PAYS_AFTER = 300.0  # on a CPU with fast bfloat16, where compiled passes are two to five times faster
PAYS_AFTER_FLOAT32 = 1800.0  # on a CPU in float32: measured gain 5 % (ConvNet-3-32, AVX2), compiling takes 40 s
PAYS_AFTER_CUDA = 10_000.0  # what a GPU does in about three minutes: assumed, not measured

MOST = 256  # graphs that one process keeps


def settled(compute: Compute, *, work_seconds: float) -> Compute:
    """``compute`` resolved, with "auto" compilation and precision decided for ``work_seconds`` of eager work ahead.

    "auto" compiles where a compiler exists and the work is long enough to pay for it. ``work_seconds`` must be computed
    from sizes, never measured, so that the same seed gives the same bytes, and is taken as that of two threads, however
    many there are: a run that goes on with more threads stays in its precision. Raises DeviceError where compilation is
    "on" and there is no compiler.
    """
    compute, work_seconds = compute.resolve(), work_seconds * torch.get_num_threads() / 2
    if compute.compilation == "off":
        return compute
    cuda = compute.torch_device.type == "cuda"
    able = cuda or has_compiler()
    if compute.compilation == "on":
        if not able:
            raise DeviceError(
                "compilation was asked for, but there is no C++ compiler: install g++ or use compilation off."
            )
        return compute
    low = replace(compute, compilation="on").resolve().dtype == torch.bfloat16
    enough = work_seconds > (PAYS_AFTER_CUDA if cuda else PAYS_AFTER if low else PAYS_AFTER_FLOAT32)
    if able and enough:
        log.info("passes are compiled: about %.0f s of work lie ahead", work_seconds)
    elif enough:
        _say_once("no C++ compiler was found (g++), so the passes run slower than they could.")
    return replace(compute, compilation="on" if able and enough else "off").resolve()


_COMPILED: dict[Hashable, Callable[..., object]] = {}
_SAID: set[str] = set()
_NUMBERS = itertools.count()
_SPENT = [0.0]


def seconds_compiling() -> float:
    """Seconds that this process has spent in the first calls of compiled functions: compiling, but for a pass each."""
    return _SPENT[0]


def compiled(function: Callable[P, R], *key: Hashable) -> Callable[P, R]:
    """``function`` compiled, once a process for ``key``, which must name all that it closes over and every shape.

    A compiler that fails is logged once, and ``function`` itself is used from then on. Inductor keeps compiled graphs
    on disk across processes.
    """
    if key not in _COMPILED:
        while len(_COMPILED) >= MOST:
            del _COMPILED[next(iter(_COMPILED))]
        _COMPILED[key] = _guarded(function, torch.compile(_apart(function), dynamic=False, fullgraph=True))
    return cast(Callable[P, R], _COMPILED[key])  # the key names the function, and with it the signature


def _apart(function: Callable[P, R]) -> Callable[P, R]:
    """The same function with a code object of its own: the compiler keeps at most eight graphs for each of them."""
    if not isinstance(function, types.FunctionType):
        return function
    code = function.__code__.replace(co_name=f"{function.__name__}_{next(_NUMBERS)}")
    return types.FunctionType(code, function.__globals__, None, function.__defaults__, function.__closure__)


def _guarded(function: Callable[P, R], fast: Callable[P, R]) -> Callable[P, R]:
    chosen, fresh = fast, True

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal chosen, fresh
        if chosen is function:
            return function(*args, **kwargs)
        began = time.perf_counter()
        try:
            return chosen(*args, **kwargs)
        except (LimbeckError, torch.OutOfMemoryError):
            raise  # not the compiler's: a session that ends, or a batch that does not fit either way
        except Exception as error:  # a compiler may fail in any way; the eager function raises its own errors again
            _say_once(f"the compiler failed ({type(error).__name__}), so the work goes on without it.")
            log.debug("the compiler's words", exc_info=error)
            chosen = function
            return function(*args, **kwargs)
        finally:
            if fresh:
                fresh = False
                _SPENT[0] += time.perf_counter() - began

    return call


def _say_once(sentence: str) -> None:
    if sentence not in _SAID:
        _SAID.add(sentence)
        log.warning("%s", sentence)
