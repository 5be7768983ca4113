"""Where a run stands, written so that a kill at any moment loses at most the iterations since.

One safetensors file holds everything that changes: variables, moments, the place in weight space, what a surrogate
has learned, counters and the loss curve (in the header). It is written beside and renamed, so it is whole or absent.
Randomness is not stored: every iteration derives its generators from the seed and its own number.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from limbeck.distillation.levelling import Squares
from limbeck.errors import ArtifactError
from limbeck.files import write_atomically
from limbeck.matching.state import Location
from limbeck.networks.network import Architecture
from limbeck.values import decode, encode

__all__ = ["BETWEEN", "CHECKPOINT", "CHECKPOINTS", "Standing", "read_standing", "store", "stored", "write_standing"]

CHECKPOINT = "checkpoint.safetensors"  # the last of the places that a run is rolled back to
BETWEEN = "between.safetensors"  # where a session ended between two of them
CHECKPOINTS = (CHECKPOINT, BETWEEN)


@dataclass(frozen=True, eq=False)
class Standing:
    """Everything that an outer loop carries from one iteration to the next.

    iteration: iterations done. attempt: how often the run was rolled back. rate: factor on the image learning rate.
    losses: (iteration, loss) so far, thinned. lr: a measured image learning rate; None for the optimizer's own.
    squares: sizes of gradients by configuration, where several are served.
    """

    iteration: int
    attempt: int
    rate: float
    variables: dict[str, Tensor]
    moments: dict[str, Tensor]
    location: Location
    learned: dict[str, Tensor]
    losses: tuple[tuple[int, float], ...]
    lr: float | None = None
    squares: Squares = ()


def write_standing(path: Path, standing: Standing) -> None:
    """Store ``standing`` at ``path``, atomically."""
    groups = {
        "variables": standing.variables,
        "moments": standing.moments,
        "params": standing.location.params,
        "memory": standing.location.memory,
        "learned": standing.learned,
    }
    tensors = {
        f"{group}/{k}": v.detach().cpu().contiguous().clone() for group, d in groups.items() for k, v in d.items()
    }
    header = {
        "iteration": standing.iteration,
        "attempt": standing.attempt,
        "rate": standing.rate,
        "architecture": encode(standing.location.architecture),
        "counters": standing.location.counters,
        "losses": [list(pair) for pair in standing.losses],
        "lr": standing.lr,
        "squares": [list(known) for known in standing.squares],
    }
    write_atomically(path, save(tensors, {"standing": json.dumps(header)}))


def stored(directory: Path | None, name: str, device: torch.device) -> Standing | None:
    """The standing that a run's directory holds under ``name``; None without one, or without a directory."""
    path = None if directory is None else directory / name
    return read_standing(path, str(device)) if path is not None and path.exists() else None


def store(standing: Standing, directory: Path | None, name: str) -> None:
    """Store ``standing`` under ``name`` in a run's directory, where the run has one."""
    if directory is not None:
        write_standing(directory / name, standing)


def read_standing(path: Path, device: str) -> Standing:
    """The standing stored at ``path``. Raises ArtifactError when the file is damaged."""
    groups: dict[str, dict[str, Tensor]] = {g: {} for g in ("variables", "moments", "params", "memory", "learned")}
    try:
        with safe_open(path, "pt", device=device) as file:
            header: dict[str, Any] = json.loads(file.metadata()["standing"])
            for key in file.keys():  # noqa: SIM118 (a safetensors handle is no dictionary)
                group, name = key.split("/", 1)  # names may hold further slashes
                tensor = file.get_tensor(key)
                counts = tensor.ndim == 0 and tensor.dtype == torch.float64  # optimizers count on the CPU
                groups[group][name] = tensor.cpu() if counts else tensor
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ArtifactError(f"the checkpoint '{path}' is damaged: remove it to start this run again.") from error
    architecture = decode(header["architecture"])
    assert isinstance(architecture, Architecture)
    return Standing(
        iteration=header["iteration"],
        attempt=header["attempt"],
        rate=header["rate"],
        variables=groups["variables"],
        moments=groups["moments"],
        location=Location(architecture, groups["params"], groups["memory"], dict(header["counters"])),
        learned=groups["learned"],
        losses=tuple((int(i), float(v)) for i, v in header["losses"]),
        lr=header.get("lr"),
        squares=tuple((int(kind), int(visits), float(mean)) for kind, visits, mean in header.get("squares", ())),
    )
