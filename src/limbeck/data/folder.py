"""A folder of images: one directory a class, with or without train, validation and test directories around them."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from limbeck.data.assemble import LEAK, Part, Parts, assemble
from limbeck.data.encoded import Files, decoded
from limbeck.data.options import Options
from limbeck.data.task import Task
from limbeck.errors import SourceError

__all__ = ["folder"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_ENDINGS = ("", "set", "data", "images", "split")  # "Train", "train_set" and "training-data" are train
_LOOSE = "loose"  # counts, beside suffixes, images in no class directory
_BESIDE = {".txt", ".json", ".csv", ".xml", ".md", ".yaml", ".yml", ".ini", ".db", ".ds_store", ""}  # no images
VALIDATION_IS_TEST = "the source has a validation but no test split: its validation split serves as the sealed test."


def folder(path: str | Path, *, size: int | None = None, channels: int | None = None, **options: Any) -> Task:
    """A task from ``path/CLASS/image`` or ``path/{train,val,test}/CLASS/image``; a lone ``val`` is used as test.

    Names of splits may be written otherwise (``Training``, ``test_set``); what is left out is said in the notes.

    size:     side in pixels that images are resized and centre-cropped to; None: their common size, or else 64.
    channels: 1, 3 or 4; None: their common count, 3 where grey and RGB are mixed. PNG and TIFF of 16 bits and float
              TIFF keep their depth. Without the fourth channel transparent pixels lie on white.
    options:  see :class:`limbeck.data.options.Options`; groups follow classes, then files, in alphabetical order.
    Errors: SourceError, FitError, OptionError.
    """
    chosen, root = Options.of(options), Path(path)
    places, others = _places(root)
    notes = [] if chosen.groups is not None else [LEAK]
    notes += [f"'{root}' has {_named(others)} beside its splits, which are not read."] if others else []
    if "validation" in places and "test" not in places:
        places["test"] = places.pop("validation")
        notes.append(VALIDATION_IS_TEST)
    unread: Counter[str] = Counter()
    listed = {split: _classes(place, unread) for split, place in places.items()}
    notes += _left_out(root, unread)
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


def _places(root: Path) -> tuple[dict[str, Path], list[str]]:
    """The directory of every split, and names of directories beside them; the root itself where it is not split."""
    if not root.is_dir():
        raise SourceError(f"'{root}' is no directory: give one that has a directory of images for each class.")
    there = _directories(root)
    plain = {name for names in _SPLITS.values() for name in names}
    found: dict[str, Path] = {}
    for place in sorted(there, key=lambda place: (place.name not in plain, place.name)):
        split = _split(place.name)
        if split is not None and _directories(place):  # a class may be called train, too: it holds images
            found.setdefault(split, place)
    if "train" not in found:
        return {"train": root}, []
    order = {split: found[split] for split in _SPLITS if split in found}
    return order, [place.name for place in there if place not in found.values()]


def _directories(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _files(root: Path) -> list[Path]:
    """All files below ``root``, but for those under a name that begins with a dot: copies that notebooks and other
    systems leave behind. Links to directories are not followed."""
    found = []
    for at, below, names in os.walk(root):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [Path(at) / name for name in names if not name.startswith(".")]
    return found


def _split(name: str) -> str | None:
    """The split that a directory's name speaks of."""
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    for split, words in _SPLITS.items():
        if any(plain == word + ending for word in words for ending in _ENDINGS):
            return split
    return None


def _named(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


def _left_out(root: Path, others: Counter[str]) -> list[str]:
    """A sentence on files that look like images and are not read: of other formats, or in no class directory."""
    loose = others.pop(_LOOSE, 0)
    odd = {suffix: count for suffix, count in others.items() if suffix not in _SUFFIXES | _BESIDE}
    told = []
    if odd:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(odd.items()))
        told.append(f"files in '{root}' that limbeck does not read are left out ({kinds}): save them as PNG or JPEG.")
    if loose:
        told.append(f"{loose} images in '{root}' lie in no class directory and are left out.")
    return told


def _classes(root: Path, others: Counter[str]) -> dict[str, list[Path]]:
    """Images of each class, alphabetically; links to directories within a class are not followed.

    others: is told of all files that are not read, by suffix, and of images that lie in no class directory.
    """
    classes = {}
    others[_LOOSE] += sum(p.suffix.lower() in _SUFFIXES and p.is_file() for p in root.iterdir())
    for place in _directories(root):
        files = _files(place)
        others.update(p.suffix.lower() for p in files)
        classes[place.name] = sorted(p for p in files if p.suffix.lower() in _SUFFIXES and p.is_file())
        if not classes[place.name]:
            raise SourceError(
                f"the class folder '{place}' holds no image that limbeck reads "
                f"({', '.join(sorted(_SUFFIXES))}): remove it, or put such images there."
            )
    if not classes:
        raise SourceError(f"'{root}' holds no class folders: put the images of each class in a directory of its own.")
    return classes
