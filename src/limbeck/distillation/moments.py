"""The optimizer's moments of named variables, between lists and one flat dictionary."""

from torch import Tensor

__all__ = ["packed", "unpacked"]


def packed(state: dict[str, list[Tensor]], names: list[str]) -> dict[str, Tensor]:
    """An optimizer's state over ``names`` as one flat dictionary, as checkpoints keep it."""
    return {
        f"{moment}:{names[i] if len(tensors) == len(names) and moment != 'step' else i}": tensor
        for moment, tensors in state.items()
        for i, tensor in enumerate(tensors)
    }


def unpacked(packed: dict[str, Tensor], names: list[str]) -> dict[str, list[Tensor]]:
    """Inverse of :func:`packed`."""
    state: dict[str, list[Tensor]] = {}
    for moment in dict.fromkeys(key.split(":", 1)[0] for key in packed):
        wanted = names if moment != "step" else ["0"]
        state[moment] = [packed[f"{moment}:{name}"] for name in wanted]
    return state
