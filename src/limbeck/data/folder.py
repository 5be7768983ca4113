"""A folder of images: one directory a class, with or without train, validation and test directories around them."""

import os
from pathlib import Path
from typing import Any

import torch

from limbeck.data.assemble import LEAK, Part, Parts, assemble
from limbeck.data.encoded import Files, decoded
from limbeck.data.options import Options
from limbeck.data.task import Task
from limbeck.errors import SourceError

__all__ = ["folder"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
VALIDATION_IS_TEST = "the source has a validation but no test split: its validation split serves as the sealed test."


def folder(path: str | Path, *, size: int | None = None, channels: int | None = None, **options: Any) -> Task:
    """A task from ``path/CLASS/image`` or ``path/{train,val,test}/CLASS/image``; a lone ``val`` is used as test.

    size:     side in pixels that images are resized and centre-cropped to; None: their common size, or else 64.
    channels: 1, 3 or 4; None: their common count, 3 where grey and RGB are mixed. PNG and TIFF of 16 bits and float
              TIFF keep their depth.
    options:  see :class:`limbeck.data.options.Options`; groups follow classes, then files, in alphabetical order.
    Errors: SourceError, FitError, OptionError.
    """
    chosen, root = Options.of(options), Path(path)
    places = _places(root)
    notes = [] if chosen.groups is not None else [LEAK]
    if "validation" in places and "test" not in places:
        places["test"] = places.pop("validation")
        notes.append(VALIDATION_IS_TEST)
    listed = {split: _classes(place) for split, place in places.items()}
    names = list(listed["train"])
    for split, classes in listed.items():
        if list(classes) != names:
            odd = sorted(set(classes) ^ set(names))[0]
            raise SourceError(
                f"'{places[split]}' and '{places['train']}' differ in the class '{odd}': make them equal."
            )
    files = [Files([p for paths in classes.values() for p in paths]) for classes in listed.values()]
    rows, more = decoded(files, size=size, channels=channels, memory=chosen.memory)
    parts = {}
    for (split, classes), mine in zip(listed.items(), rows, strict=True):
        counts = torch.tensor([len(paths) for paths in classes.values()])
        parts[split] = Part(mine, torch.repeat_interleave(torch.arange(len(names)), counts))
    whole = Parts(parts["train"], parts.get("validation"), parts.get("test"))
    return assemble(f"folder:{path}", whole, names, chosen, notes + more)


def _places(root: Path) -> dict[str, Path]:
    """The directory of every split; the root itself where it is not split."""
    if not root.is_dir():
        raise SourceError(f"'{root}' is no directory: give one that has a directory of images for each class.")
    found = {}
    for split, names in _SPLITS.items():
        there = [root / name for name in names if (root / name).is_dir()]
        if there:
            found[split] = there[0]
    return found if "train" in found else {"train": root}


def _classes(root: Path) -> dict[str, list[Path]]:
    """Images of each class, alphabetically; links to directories within a class are not followed."""
    classes = {}
    for place in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")):
        files = [Path(at) / name for at, _, names in os.walk(place) for name in names]
        classes[place.name] = sorted(p for p in files if p.suffix.lower() in _SUFFIXES and p.is_file())
        if not classes[place.name]:
            raise SourceError(f"the class folder '{place}' holds no image: remove it or put images there.")
    if not classes:
        raise SourceError(f"'{root}' holds no class folders: put the images of each class in a directory of its own.")
    return classes
