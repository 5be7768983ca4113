"""Arrays and tensors in memory, or mapped from a file: images or feature tables."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.data.assemble import Part, Parts, assemble
from limbeck.data.options import Options
from limbeck.data.rows import MappedRows, Rows, TensorRows
from limbeck.data.task import Task
from limbeck.errors import FitError, OptionError

__all__ = ["arrays", "class_indices", "rows_of"]

_LOOKED_AT = 20_000  # rows of a table, evenly spaced, that are checked for what float32 blurs
_COARSE = 0.01  # a step of float32 that is more than so much of a feature's spread blurs it


def arrays(
    inputs: Any,
    labels: Any = None,
    *,
    test: Any = None,
    classes: Sequence[str] | None = None,
    name: str = "arrays",
    **options: Any,
) -> Task:
    """A task from numpy arrays or tensors; an np.memmap larger than ``memory`` stays on disk.

    inputs:  images (n, h, w), (n, c, h, w) or (n, h, w, c), integers (8 bits: 0 to 255, 16 bits: 0 to 65535) or floats
             in [0, 1]; or a table (n, d) of finite numbers.
    labels:  (n,) class indices from 0, or class names; None: ``inputs`` is a sequence of (input, label), as a PyTorch
             Dataset is, and is read whole, once.
    test:    (inputs, labels) of the source's own test split, or again such a sequence; None: a part is split off.
    classes: class names in the order of the indices, or None: the indices themselves, or the names found, sorted.
    options: see :class:`limbeck.data.options.Options`. Errors: FitError, OptionError, SourceError.
    """
    chosen = Options.of(options)
    if labels is None:
        inputs, labels = _pairs(inputs, "data set")
        test = None if test is None else _pairs(test, "test split")
    if test is not None and not (isinstance(test, tuple | list) and len(test) == 2):
        raise FitError("the test split is a pair: give test=(inputs, labels).")
    if classes is not None and (isinstance(classes, str) or len(set(classes)) < len(classes)):
        raise OptionError(f"the classes are {classes!r:.60}: give a list of names, each once.")
    names, indices = class_indices([labels] if test is None else [labels, test[1]], classes)
    parts = [Part(rows_of(inputs, chosen.memory), indices[0])]
    if test is not None:
        parts.append(Part(rows_of(test[0], chosen.memory, train=False), indices[1]))
    return assemble(name, Parts(parts[0], test=parts[1] if test is not None else None), names, chosen)


def _pairs(dataset: Any, what: str) -> tuple[NDArray[Any], list[Any]]:
    """Inputs and labels of a sequence of pairs; FitError where it is none, or its inputs differ in shape."""
    try:
        items = [dataset[place] for place in range(len(dataset))]
        both = [(np.asarray(one), label.item() if isinstance(label, Tensor) else label) for one, label in items]
    except (TypeError, ValueError, KeyError) as error:
        raise FitError(
            f"without labels the {what} must be a sequence of (input, label), such as a PyTorch Dataset that gives "
            f"tensors or images: give arrays(inputs, labels) instead ({error})."
        ) from error
    shapes = sorted({one.shape for one, _ in both})
    if len(shapes) > 1:
        raise FitError(f"the {what} has inputs of the shapes {shapes[0]} and {shapes[1]}: make them equal.")
    if not both:
        raise FitError(f"the {what} is empty: give it examples.")
    return np.stack([one for one, _ in both]), [label for _, label in both]


def rows_of(inputs: Any, memory: int, *, train: bool = True, names: Sequence[str] | None = None) -> Rows:
    """Rows of an array: canonical (n, c, h, w) or (n, d), checked to be finite and in range.

    train: the features of a table are checked to differ by more than float32 blurs, which training rows decide.
    names: of a table's columns, for errors.
    """
    if isinstance(inputs, Tensor):
        inputs = inputs.detach().to_dense() if inputs.layout != torch.strided else inputs.detach()
        inputs = inputs.cpu().numpy() if inputs.dtype != torch.bfloat16 else inputs.float().cpu().numpy()
    array = inputs if isinstance(inputs, np.ndarray) else _array(inputs, "inputs")
    if array.dtype.kind not in "buif":
        raise FitError(f"inputs have the type {array.dtype}: give real numbers.")
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise FitError(f"inputs have the shape {array.shape}: give (n, d), (n, h, w), (n, c, h, w) or (n, h, w, c).")
    image, last = array.ndim > 2, array.ndim == 4 and _channels_last(array.shape)
    if isinstance(array, np.memmap) and array.nbytes > memory:
        _check_mapped(array, image)
        if train and not image:
            _check_spread(array[:: max(1, len(array) // _LOOKED_AT)], names)
        return MappedRows(array, image=image, channels_last=last)
    values = _images(array) if image else _table(array)
    if train and not image:
        _check_spread(array, names)
    if array.ndim == 3:
        values = values[:, None]
    return TensorRows((values.movedim(-1, 1) if last else values).contiguous())


def _array(thing: Any, what: str) -> NDArray[Any]:
    """An array of lists; FitError where they are ragged or hold what no array can."""
    try:
        return np.asarray(thing)
    except (ValueError, TypeError) as error:
        raise FitError(f"the {what} make no array ({str(error).splitlines()[0]}): give rows of equal shape.") from error


def _channels_last(shape: tuple[int, ...]) -> bool:
    """(n, h, w, c) rather than (n, c, h, w): the last axis looks like channels, and the first one does not."""
    few = (1, 2, 3, 4)
    if shape[1] in few or shape[3] in few:
        return shape[1] not in few
    return shape[1] == shape[2] != shape[3]


def _images(array: NDArray[Any]) -> Tensor:
    if array.dtype == np.uint8:
        return torch.from_numpy(np.array(array))
    if array.dtype == np.bool_:
        return torch.from_numpy(array.astype(np.uint8) * np.uint8(255))
    low, high = _range(array)
    if array.dtype.kind == "f":
        _check_unit(low, high)
        return torch.from_numpy(array.astype(np.float32)).clamp_(0, 1)
    if array.dtype.newbyteorder("=") == np.uint16:  # in either order of bytes
        return torch.from_numpy(array.astype(np.float32) / np.float32(65535))
    if low < 0 or high > 255:
        raise FitError(f"integer images hold values from {low:g} to {high:g}: give 0 to 255, or the type uint16.")
    return torch.from_numpy(array.astype(np.uint8))


def _table(array: NDArray[Any]) -> Tensor:
    _check_size(*_range(array))
    return torch.from_numpy(array.astype(np.float32))


def _check_spread(table: NDArray[Any], names: Sequence[str] | None) -> None:
    """FitError where float32 would blur a feature: numbers that are large and differ by little, as times do.

    table: (n, d) finite numbers. names: of the columns of a file, None: by number.
    """
    if table.dtype == np.float32 or table.dtype.itemsize <= 2 or not table.size:
        return
    for place in range(table.shape[1]):
        column = table[:, place].astype(np.float64)
        low, high, spread = float(column.min()), float(column.max()), float(column.std())
        if low < high and max(abs(low), abs(high)) * float(np.finfo(np.float32).eps) > _COARSE * spread:
            name = f"feature {place}" if names is None else f"the column '{names[place]}'"
            instead = "leave it out" if names is None else "leave it out with drop=…"
            raise FitError(
                f"{name} holds numbers from {low:.10g} to {high:.10g} that differ by about {spread:.2g}, which float32 "
                f"cannot tell apart: subtract their smallest one first, or {instead}."
            )


def _range(array: NDArray[Any]) -> tuple[float, float]:
    """Smallest and largest value, read in chunks; FitError where one is not finite."""
    low, high = math.inf, -math.inf
    step = max(1, 2**25 // (array[:1].nbytes or 1))
    for start in range(0, len(array), step):
        part = np.asarray(array[start : start + step])
        smallest, largest = float(part.min()), float(part.max())
        if not (math.isfinite(smallest) and math.isfinite(largest)):
            bad = start + int(np.flatnonzero(~np.isfinite(part).reshape(len(part), -1).all(1))[0])
            raise FitError(f"example {bad} holds a value that is NaN or infinite: replace or remove it.")
        low, high = min(low, smallest), max(high, largest)
    return low, high


def _check_size(low: float, high: float) -> None:
    if max(abs(low), abs(high)) > float(np.finfo(np.float32).max):
        raise FitError(
            f"a table value of size {max(abs(low), abs(high)):g} does not fit float32: rescale that feature."
        )


def _check_unit(low: float, high: float) -> None:
    if low < -1e-6 or high > 1 + 1e-6:
        raise FitError(f"float images hold values from {low:g} to {high:g}: scale them to 0 to 1.")


def _check_mapped(array: "np.memmap[Any, Any]", image: bool) -> None:
    if array.dtype.kind == "f":
        low, high = _range(array)
        if image:
            _check_unit(low, high)
        else:
            _check_size(low, high)
    elif image and array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise FitError(f"mapped images have the type {array.dtype}: give uint8, uint16, or floats in 0 to 1.")


def class_indices(labels: Sequence[Any], classes: Sequence[str] | None = None) -> tuple[tuple[str, ...], list[Tensor]]:
    """Class names and the indices (n,) int64 of every split; FitError where labels are no classes."""
    found = [_array(part.cpu() if isinstance(part, Tensor) else part, "labels") for part in labels]
    for part in found:
        if part.ndim != 1 or part.dtype.kind not in "biufSUT":
            raise FitError(
                f"labels have the shape {part.shape} and type {part.dtype}: give one class an example, (n,)."
            )
    if all(part.dtype.kind in "SUT" for part in found):
        return _from_names([np.char.decode(p, "utf-8") if p.dtype.kind == "S" else p for p in found], classes)
    if any(part.dtype.kind in "SUT" for part in found):
        raise FitError("one split has class names as labels and another has numbers: give both the same kind.")
    indices = [_integers(part) for part in found]
    if classes is not None:
        return tuple(str(c) for c in classes), indices
    if not any(len(part) for part in indices):
        raise FitError("there are no labels: give one class an example.")
    count = 1 + max(int(part.max()) for part in indices if len(part))
    if count > sum(len(part) for part in indices):
        raise FitError(f"the largest label is {count - 1}, more than there are examples: number the classes from 0.")
    return tuple(str(c) for c in range(count)), indices


def _from_names(found: list[NDArray[Any]], classes: Sequence[str] | None) -> tuple[tuple[str, ...], list[Tensor]]:
    names = (
        sorted({str(v) for part in found for v in np.unique(part)}) if classes is None else [str(c) for c in classes]
    )
    places = {name: i for i, name in enumerate(names)}
    for part in found:
        for v in np.unique(part):
            if str(v) not in places:
                raise FitError(f"the label '{v}' is not among the {len(names)} class names given: add it or mend it.")
    return tuple(names), [torch.tensor([places[str(v)] for v in part], dtype=torch.int64) for part in found]


def _integers(part: NDArray[Any]) -> Tensor:
    if part.dtype.kind == "f" and not (np.isfinite(part).all() and (part == np.round(part)).all()):
        wrong = part[~(np.isfinite(part) & (part == np.round(part)))][0]
        raise FitError(f"there is a label {wrong:g}, which is no whole number: labels are class indices from 0.")
    if len(part) and part.min() < 0:
        raise FitError(f"there is a label {int(part.min())}: labels are class indices from 0.")
    if len(part) and part.max() >= 2**31:
        raise FitError(f"there is a label {int(part.max())}: labels are class indices from 0 without gaps.")
    return torch.from_numpy(part.astype(np.int64))
