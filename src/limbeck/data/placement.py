"""Where a task lies: its in-memory pools can be moved to the device that uses them."""

import dataclasses
import math

import torch

from limbeck.data.pools import TensorPool
from limbeck.data.task import Pool, Task

__all__ = ["on_device"]


def on_device(task: Task, device: torch.device) -> Task:
    """The same task with train and validation on ``device`` where they fit in half of its free memory; same bytes."""
    room = torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else math.inf
    # Stored values (at most 4 bytes each) and the preprocessed copy.
    needed = sum(8 * len(pool) * math.prod(pool.shape) for pool in (task.train, task.validation))
    if needed > room:
        return task
    return dataclasses.replace(task, train=_moved(task.train, device), validation=_moved(task.validation, device))


def _moved(pool: Pool, device: torch.device) -> Pool:
    return pool.to(device) if isinstance(pool, TensorPool) else pool
