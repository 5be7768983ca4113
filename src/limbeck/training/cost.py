"""How much work lies ahead: an estimate that depends on sizes alone, so that decisions based on it repeat."""

import functools
import itertools
from typing import Any, NamedTuple

import torch
from torch.overrides import TorchFunctionMode

from limbeck.compute import Compute
from limbeck.networks.network import Architecture, Network
from limbeck.seeds import generator

__all__ = ["chunk_for", "even", "forward_flops", "forward_seconds", "training_seconds"]

_RATE = 3e10  # operations a second that one CPU thread reaches in eager float32 passes of small ConvNets
_CACHE = 2**23  # bytes of the largest map that a CPU keeps near: measured best for maps of 8 kB to 512 kB an example


class _Size(NamedTuple):
    flops: int  # of one example's forward pass
    map: int  # numbers in its largest map


def forward_flops(network: Network) -> int:
    """Floating-point operations of one example's forward pass (matrix products and convolutions)."""
    return _size(network.architecture, tuple(network.shape), network.classes).flops


def forward_seconds(network: Network, examples: int) -> float:
    """Seconds that eager forward passes take on this CPU's threads."""
    return forward_flops(network) * examples / (_RATE * torch.get_num_threads())


def training_seconds(network: Network, batch: int, updates: int) -> float:
    """Seconds that eager training passes take on this CPU's threads: a backward pass costs two forward ones."""
    return 3 * forward_seconds(network, batch * updates)


def even(n: int, most: int) -> list[slice]:
    """Consecutive slices of ``n`` examples, at most ``most`` each: all of one size where at most twice the least number
    of slices allows it, else of two sizes that differ by one. Few sizes, because each is a graph where passes are
    compiled."""
    least = max(1, -(-n // most))
    count = next((c for c in range(least, 2 * least + 1) if n % c == 0), least)
    marks = [n * i // count for i in range(count + 1)]
    return [slice(low, high) for low, high in itertools.pairwise(marks) if high > low]


def chunk_for(network: Network, compute: Compute) -> int:
    """Examples a pass at most: ``compute.chunk``, else on a CPU what stays in cache, else 4096."""
    if compute.chunk is not None:
        return compute.chunk
    if compute.torch_device.type != "cpu":
        return 4096
    # In bfloat16 the passes are compiled, and fused kernels like twice the bytes that eager ones do.
    low = compute.dtype == torch.bfloat16
    each = _size(network.architecture, tuple(network.shape), network.classes).map * (2 if low else 4)
    return max(8, _CACHE * (2 if low else 1) // each)


@functools.lru_cache(maxsize=64)
def _size(architecture: Architecture, shape: tuple[int, ...], classes: int) -> _Size:
    network = architecture.build(shape, classes)
    params = network.init(generator(0, "flops"))
    with _Products() as counter, torch.no_grad():
        maps = network(params, torch.zeros(2, *shape)).maps
    return _Size(counter.flops // 2, max((m.numel() // 2 for m in maps), default=1))


class _Products(TorchFunctionMode):
    """Counts operations of convolutions and matrix products, as PyTorch's counter does in a second of imports."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        outcome = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "")
        if name in ("conv1d", "conv2d", "conv3d", "linear"):
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            self.flops += 2 * outcome.numel() * weight[0].numel()
        elif name in ("matmul", "__matmul__", "mm", "bmm"):
            self.flops += 2 * outcome.numel() * args[0].shape[-1]
        return outcome
