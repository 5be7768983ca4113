"""Compute: where and how the arithmetic runs. Values only; every hot loop takes one."""

import functools
import os
import shutil
from typing import Literal

import torch

from limbeck.errors import DeviceError, OptionError
from limbeck.values import replace, value

__all__ = ["Compute"]


@functools.cache
def _cpu_has_fast_bfloat16() -> bool:
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


@value
class Compute:
    """Device, precision, compilation and chunk size of a hot loop.

    Resolving a CUDA device asks PyTorch for deterministic algorithms, in the whole process.

    device:      "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1" …
    precision:   "float32", "bfloat16", or "auto": bfloat16 on CUDA, and in compiled passes on CPUs with AMX or
                 AVX-512-BF16; without a compiler low precision loses there what it gains.
    compilation: "on", "off", or "auto": where a compiler exists and the work ahead is long enough to pay for it.
    chunk:       examples a pass at most; None chooses what stays in cache.
    """

    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compilation: Literal["auto", "on", "off"] = "auto"
    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.chunk is not None and self.chunk < 1:
            raise OptionError(f"chunk is {self.chunk}: it counts examples a pass and must be at least 1.")

    def resolve(self) -> "Compute":
        """The same with "auto" device and precision replaced by what this machine has; DeviceError if it lacks them.

        Where the precision hangs on whether passes are compiled, and that is not decided yet, it stays "auto"
        (:func:`limbeck.compilation.settled` decides both).
        """
        device = self.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            asked = torch.device(device)
        except RuntimeError as error:
            raise DeviceError(f"'{device}' is no device: use cpu, cuda or cuda:N.") from error
        kind = asked.type
        if kind not in ("cpu", "cuda"):
            raise DeviceError(f"'{device}' is a device that limbeck does not run on: use cpu, cuda or cuda:N.")
        if kind == "cuda":
            _check_cuda(asked)
            _repeatable()
        return replace(self, device=device, precision=self._precision(kind))

    def _precision(self, kind: str) -> Literal["auto", "float32", "bfloat16"]:
        if self.precision != "auto" or kind == "cuda":
            return "bfloat16" if self.precision == "auto" else self.precision
        if kind != "cpu" or not _cpu_has_fast_bfloat16() or self.compilation == "off":
            return "float32"
        return "bfloat16" if self.compilation == "on" else "auto"

    def eager(self) -> "Compute":
        """The same without compilation, and on a CPU in the precision that is then the better one."""
        cpu = self.torch_device.type == "cpu"
        return replace(self, compilation="off", precision="auto" if cpu else self.precision).resolve()

    @property
    def torch_device(self) -> torch.device:
        """The device as PyTorch names it."""
        return torch.device(self.resolve().device)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the large passes."""
        return torch.bfloat16 if self.resolve().precision == "bfloat16" else torch.float32


def _check_cuda(asked: torch.device) -> None:
    if not torch.cuda.is_available():
        raise DeviceError("CUDA was asked for, but this PyTorch sees no CUDA device: use --device cpu.")
    count = torch.cuda.device_count()
    if asked.index is not None and asked.index >= count:
        raise DeviceError(
            f"'{asked}' was asked for, and there are {count} CUDA devices, counted from 0: use one of them."
        )


@functools.cache
def _repeatable() -> None:
    """On CUDA sums are taken in no fixed order unless PyTorch is asked for it; here the same seed is the same bytes.

    Operations that have no such form warn once, as PyTorch words it, and run.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA is first used
    torch.use_deterministic_algorithms(True, warn_only=True)
    # no memory is read before it is written here; the property is set on the module at run time, unseen by mypy
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False


def has_compiler() -> bool:
    """True where torch.compile can build CPU kernels."""
    return shutil.which(os.environ.get("CXX", "g++")) is not None or shutil.which("clang++") is not None
