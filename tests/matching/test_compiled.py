"""Compiled passes equal eager ones (the real compiler, in a process of its own); derivatives that follow each other."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from limbeck.compute import has_compiler
from limbeck.networks.convnet import ConvNet
from limbeck.seeds import generator

compiling = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler here")


def told_by(cache: Path, *words: str) -> dict[str, Any]:
    """What the script prints; nothing in it may have fallen back."""
    command = [sys.executable, str(Path(__file__).with_name("compiled_passes.py")), *words]
    environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(cache)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["said"] == []
    return found


@compiling
def test_two_processes_that_compile_make_the_same_bytes(tmp_path: Path) -> None:
    assert told_by(tmp_path, "bytes") == told_by(tmp_path, "bytes")


@compiling
def test_compiled_passes_equal_eager_ones(tmp_path: Path) -> None:
    told = told_by(tmp_path)
    assert list(tmp_path.rglob("*.so"))  # and something was compiled
    for name, gaps in told["gaps"].items():
        assert gaps and max(gaps) < 1e-4, (name, gaps)


def test_derivatives_of_any_depth_follow_each_other() -> None:
    """Constants made within one derivative (pooling's matrix) were once kept, and failed in the next."""
    network = ConvNet(depth=1, width=4).build((1, 22, 22), 2)
    params = network.init(generator(0, "w"), torch.float64)
    inputs, along = torch.randn(2, 4, 1, 22, 22, generator=generator(1, "batch"), dtype=torch.float64)

    def total(x: Tensor) -> Tensor:
        return network(params, x).logits.square().sum()

    second = torch.func.jvp(torch.func.grad(total), (inputs,), (along,))[1]
    first = torch.func.jvp(total, (inputs,), (along,))[1]
    assert torch.allclose(first, (torch.func.grad(total)(inputs) * along).sum())
    assert torch.isfinite(second).all() and torch.isfinite(total(inputs))
