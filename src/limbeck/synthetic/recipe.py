"""A training recipe in words, for people whose framework is another one."""

import dataclasses
import inspect
import textwrap
from typing import Any

import torch

from limbeck.training.configuration import Configuration

__all__ = ["layers", "words"]


def words(recipe: Configuration, step_size: float | None = None) -> str:
    """Markdown lines that say how ``recipe`` trains; ``step_size`` is the set's own learned learning rate."""
    learned = f"with the learned learning rate {step_size!r} in place of its lr, "
    loss = "cross-entropy of the logits with the target" if recipe.loss == "cross_entropy" else "½‖logits − target‖²"
    lines = [
        ("network, fresh weights", _named(recipe.architecture)),
        ("loss", f"{loss}, averaged over the batch"),
        ("optimizer", ("" if step_size is None else learned) + _named(recipe.optimizer)),
        ("learning-rate schedule (factor on the rate at each update)", _named(recipe.schedule)),
        ("length", _named(recipe.length)),
        ("batch", f"{recipe.batch} examples, in a new random order each time all were seen (a smaller set: all of it)"),
        ("augmentation, drawn anew at every update", _named(recipe.augmentation)),
    ]
    return "\n".join(f"* {what}: {how}" for what, how in lines)


def layers(recipe: Configuration, shape: tuple[int, ...], classes: int) -> str:
    """The recipe's network for inputs of ``shape``, layer by layer, as PyTorch prints it."""
    with torch.device("meta"):
        return str(recipe.architecture.module(shape, classes))


def _named(thing: Any) -> str:
    """Class, fields and its documentation: the first sentence beside it, what the fields mean in a block below."""
    fields = ", ".join(f"{f.name}={getattr(thing, f.name)!r}" for f in dataclasses.fields(thing))
    first, _, rest = (inspect.getdoc(type(thing)) or "").replace("``", "`").partition("\n\n")
    about = " ".join(first.split()).rstrip(".")
    block = "\n\n" + textwrap.indent(rest.strip(), " " * 6) + "\n" if rest else ""
    return f"`{type(thing).__name__}({fields})`" + (f": {about}" if about else "") + block
