"""Long trainings in stages: where a training stands, so that another session goes on with it bit for bit.

A stage is written only when a session ends within a training, or a long one is done while others of its run are not:
a short training leaves no file. Randomness is not stored: batches are drawn again up to the update that is next.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from limbeck.files import write_atomically
from limbeck.training.optimizer import OptimizerState
from limbeck.values import digest

__all__ = ["Paused", "Stage", "Stages"]

WORTH = 5.0  # seconds of training from which a finished network is kept until its run is done


class Paused(Exception):
    """The session is over; what was done is kept, and the same call goes on another time."""


@dataclass(eq=False)
class Stage:
    """A training before ``update``: all that what follows depends on, besides the job and the seed.

    losses: of each update so far. failed: the update at which it stopped for good. seconds: spent so far.
    """

    flat: Tensor
    moments: OptimizerState
    update: int = 0
    snapshots: list[Tensor] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    failed: int | None = None
    seconds: float = 0.0


@final
class Stages:
    """The unfinished trainings of one run, kept in its ``directory``, and the moment at which this session ends.

    ends: on the monotonic clock. A training is known by its configuration and seed, so that a directory serves one set
    of examples only.
    """

    def __init__(self, directory: Path, ends: float) -> None:
        self.directory, self.ends = directory, ends

    @property
    def late(self) -> bool:
        """True where the session is over."""
        return time.monotonic() > self.ends

    @contextmanager
    def training(self, what: tuple[Any, ...], fresh: Stage) -> Iterator[Stage]:
        """The stage at which ``what`` goes on (``fresh`` the first time); kept where the body pauses, or took long."""
        path = self.directory / f"training-{digest(what)}.safetensors"
        found = _read(path, fresh.flat.device)
        stage = found or fresh
        first, before, began = stage.update, stage.seconds, time.monotonic()
        try:
            yield stage
        except Paused:
            stage.seconds = before + time.monotonic() - began
            _write(path, stage)
            raise
        stage.seconds = before + time.monotonic() - began
        if stage.update > first and (found is not None or stage.seconds > WORTH):
            _write(path, stage)


def _read(path: Path, device: torch.device) -> Stage | None:
    """The stage at ``path``; None where there is none, or it is damaged: then that training begins again."""
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            header = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (a handle is no dictionary)
        moments: OptimizerState = {}
        for key in sorted(k for k in tensors if k.startswith("moment/")):
            # The step is counted on the CPU, whatever the device.
            name = key.split("/")[1]
            moments.setdefault(name, []).append(tensors[key].cpu() if name == "step" else tensors[key])
        count = sum(key.startswith("snapshot/") for key in tensors)
        failed = header["failed"]
        return Stage(
            flat=tensors["flat"],
            moments=moments,
            update=int(header["update"]),
            snapshots=[tensors[f"snapshot/{i}"] for i in range(count)],
            losses=tensors["losses"].tolist(),
            failed=int(failed) if failed else None,
            seconds=float(header["seconds"]),
        )
    except (SafetensorError, OSError, KeyError, ValueError, TypeError):
        return None


def _write(path: Path, stage: Stage) -> None:
    """Put ``stage`` at ``path``, whole or not at all."""
    tensors = {"flat": stage.flat, "losses": torch.tensor(stage.losses, dtype=torch.float64)}
    tensors |= {f"snapshot/{i}": snapshot for i, snapshot in enumerate(stage.snapshots)}
    tensors |= {f"moment/{name}/{i}": t for name, many in stage.moments.items() for i, t in enumerate(many)}
    header = {
        "update": str(stage.update),
        "failed": "" if stage.failed is None else str(stage.failed),
        "seconds": repr(stage.seconds),
    }
    write_atomically(path, save({k: t.detach().cpu().contiguous().clone() for k, t in tensors.items()}, header))
