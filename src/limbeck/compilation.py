"""Compilation that pays or is not used: torch.compile behind a decision that depends on the work ahead alone."""

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch

from limbeck.compute import Compute, has_compiler
from limbeck.errors import DeviceError

__all__ = ["PAYS_AFTER", "PAYS_AFTER_FLOAT32", "maybe_compile"]

log = logging.getLogger("limbeck.compilation")

P = ParamSpec("P")
R = TypeVar("R")

PAYS_AFTER = 90.0  # seconds of eager work in bfloat16 or on CUDA, where fused kernels are several times faster
PAYS_AFTER_FLOAT32 = 1800.0  # on a CPU in float32: measured gain 5 % (ConvNet-3-32, AVX2), compiling takes 40 s


def maybe_compile(function: Callable[P, R], compute: Compute, *, work_seconds: float) -> Callable[P, R]:
    """``function`` compiled where that pays, else itself; a compiler that fails is logged once and not tried again.

    compute.compilation: "off" never, "on" always (DeviceError where there is no compiler), "auto" where a compiler
    exists and enough eager work lies ahead: more than PAYS_AFTER seconds, or PAYS_AFTER_FLOAT32. ``work_seconds`` must
    be computed from sizes, never measured, so that the same seed gives the same bytes. Inductor keeps compiled graphs
    on disk across processes.
    """
    if compute.compilation == "off":
        return function
    able = compute.torch_device.type == "cuda" or has_compiler()
    if not able and compute.compilation == "on":
        raise DeviceError(
            "compilation was asked for, but there is no C++ compiler: install g++ or use compilation off."
        )
    fused = compute.torch_device.type == "cuda" or compute.dtype == torch.bfloat16
    enough = work_seconds > (PAYS_AFTER if fused else PAYS_AFTER_FLOAT32)
    if not able or (compute.compilation == "auto" and not enough):
        return function
    log.info("compiling %s: about %.0f s of work lie ahead", getattr(function, "__name__", "a pass"), work_seconds)
    return _guarded(function, torch.compile(function, dynamic=False))


def _guarded(function: Callable[P, R], compiled: Callable[P, R]) -> Callable[P, R]:
    chosen = compiled

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal chosen
        if chosen is function:
            return function(*args, **kwargs)
        try:
            return chosen(*args, **kwargs)
        except Exception as error:  # a compiler may fail in any way; the eager function raises its own errors again
            log.warning("the compiler failed (%s), so the work goes on without it.", type(error).__name__)
            chosen = function
            return function(*args, **kwargs)

    return call
