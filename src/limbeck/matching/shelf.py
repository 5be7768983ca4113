"""Several networks in one flat dictionary of tensors, as a Location's memory keeps them."""

from collections.abc import Mapping

from torch import Tensor

from limbeck.shapes import Params

__all__ = ["put", "taken", "without"]


def put(memory: Mapping[str, Tensor], slot: str, params: Params) -> dict[str, Tensor]:
    """``memory`` with ``params`` in ``slot`` instead of what was there."""
    return without(memory, slot) | {f"{slot}/{name}": tensor for name, tensor in params.items()}


def taken(memory: Mapping[str, Tensor], slot: str) -> Params:
    """The tensors in ``slot``, in their order; {} where it is empty."""
    start = f"{slot}/"
    return {name.removeprefix(start): tensor for name, tensor in memory.items() if name.startswith(start)}


def without(memory: Mapping[str, Tensor], slot: str) -> dict[str, Tensor]:
    """``memory`` with ``slot`` empty."""
    return {name: tensor for name, tensor in memory.items() if not name.startswith(f"{slot}/")}
