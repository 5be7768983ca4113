"""A synthetic set for other tools: image folder, Parquet, npz; each with a card and a page on how to train."""

import io
import json
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import DirectoryError, FitError, unknown
from limbeck.files import write_files
from limbeck.synthetic.data_card import PRIVACY, contents, plain, preprocessing_words
from limbeck.synthetic.recipe import layers, words
from limbeck.synthetic.storage import card_json
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["FORMATS", "export", "folder_name"]

Files = dict[str, bytes]


def export(synthetic: SyntheticSet, target: str | PathLike[str], form: str, *, made_by: str = "") -> Path:
    """Write ``synthetic`` in the format ``form`` (a key of :data:`FORMATS`), with card.json and HOWTO.md beside it.

    target: a new or empty directory; or a file name that ends in .npz or .parquet, for that format, beside which
            NAME.card.json and NAME.HOWTO.md are put.
    made_by: the method in words, where its name alone does not say it ("dm with view gradients").
    The data file or directory is returned. Raises OptionError for an unknown format, FitError where the format cannot
    hold the data, DirectoryError where something would be overwritten or cannot be written.
    """
    if form not in FORMATS:
        raise unknown("export format", form, FORMATS)
    path, build = Path(target), FORMATS[form]
    as_file = form != "folder" and path.suffix == f".{form}" and not path.is_dir()
    directory, prefix = (path.parent, f"{path.stem}.") if as_file else (path, "")
    _refuse_overwriting(path, as_file)
    data, about = build(synthetic)
    if as_file:
        (content,) = data.values()
        data = {path.name: content}
    files = data | {
        f"{prefix}HOWTO.md": _howto(synthetic, about, made_by).encode(),
        f"{prefix}card.json": card_json(synthetic).encode(),
    }
    write_files(directory, files)
    return path if as_file or len(data) > 1 else path / next(iter(data))


def _refuse_overwriting(path: Path, as_file: bool) -> None:
    if as_file:
        for there in (path, path.with_name(f"{path.stem}.HOWTO.md"), path.with_name(f"{path.stem}.card.json")):
            if there.exists():
                raise DirectoryError(f"'{there}' exists: name another file to export to.")
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise DirectoryError(f"'{path}' exists and is no empty directory: name another one to export to.")


def _folder(synthetic: SyntheticSet) -> tuple[Files, str]:
    _require_pictures(synthetic, "an image folder")
    names = [folder_name(label, name, len(synthetic.classes)) for label, name in enumerate(synthetic.classes)]
    labels, counts, files, rows = synthetic.hard.tolist(), dict.fromkeys(names, 0), Files(), []
    soft = None if synthetic.targets is None else synthetic.targets.tolist()
    for i, (picture, label) in enumerate(zip(_pictures(synthetic), labels, strict=True)):
        name = f"images/{names[label]}/{counts[names[label]]:05d}.png"
        counts[names[label]] += 1
        files[name] = picture
        rows.append({"file": name, "label": label, "targets": None if soft is None else soft[i]})
    classes = [
        {"label": i, "name": c, "directory": d} for i, (c, d) in enumerate(zip(synthetic.classes, names, strict=True))
    ]
    files["classes.json"] = _json(classes)
    files["manifest.json"] = _json(rows)
    files["manifest.csv"] = _csv(rows, len(names)).encode()
    about = (
        "`images/` holds one directory a class and 8-bit PNG files (raw = value / 255), in the order of the labels, "
        "so that torchvision.datasets.ImageFolder gives these labels. `classes.json` says which class a directory is; "
        "`manifest.json` and `manifest.csv` list each file with its label and, where labels are soft, the probability "
        "of each class. Rounding to 8 bits and clipping to [0, 1] lose a little; the npz format loses nothing."
    )
    return files, about


def _parquet(synthetic: SyntheticSet) -> tuple[Files, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    examples = synthetic.examples()
    floats, columns, features = pa.list_(pa.float32()), dict[str, Any](), dict[str, Any]()
    if len(synthetic.card.shape) == 3:
        _require_pictures(synthetic, "Parquet")
        held = [{"bytes": picture, "path": None} for picture in _pictures(synthetic)]
        columns["image"] = pa.array(held, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        features["image"] = {"_type": "Image"}
    else:
        for name, column in zip(_features(synthetic), synthetic.raw().T, strict=True):
            columns[name] = pa.array(column.numpy(), pa.float32())
            features[name] = {"dtype": "float32", "_type": "Value"}
    columns["label"] = pa.array(synthetic.hard.numpy(), pa.int64())
    features["label"] = {"names": list(synthetic.classes), "_type": "ClassLabel"}
    columns["targets"] = pa.array(examples.probabilities(len(synthetic.classes)).tolist(), floats)
    columns["inputs"] = pa.array(examples.inputs.flatten(1).tolist(), floats)
    for name in ("targets", "inputs"):
        features[name] = {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "Sequence"}
    table = pa.table(columns).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    raw = (
        "`image` (8-bit PNG of the raw image: raw = value / 255)"
        if "image" in columns
        else f"`{next(iter(columns))}` … in raw units"
    )
    about = (
        'Read the .parquet file with datasets.load_dataset("parquet", data_files=…) or any Parquet reader. Columns: '
        f"{raw}; `label`, the class index; `targets`, the probability of each class (0 and 1 where labels are hard); "
        "`inputs`, the "
        f"exact preprocessed input, flattened from {synthetic.card.shape}: train on these."
    )
    return {"data.parquet": stream.getvalue()}, about


def _features(synthetic: SyntheticSet) -> list[str]:
    """A name for every column of a table, none of them that of another column of the file."""
    known = synthetic.card.features or tuple(f"feature_{i}" for i in range(synthetic.card.shape[0]))
    taken = {"label", "targets", "inputs"}
    names = []
    for name in known:
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names


def _npz(synthetic: SyntheticSet) -> tuple[Files, str]:
    examples = synthetic.examples()
    arrays: dict[str, NDArray[Any]] = {
        "inputs": examples.inputs.numpy(),
        "raw": synthetic.raw().numpy(),
        "labels": synthetic.hard.numpy(),
        "targets": examples.probabilities(len(synthetic.classes)).numpy(),
        "classes": np.array(synthetic.classes),
    }
    arrays |= {name: tensor.numpy() for name, tensor in synthetic.preprocessing.tensors().items()}
    if synthetic.card.features:
        arrays["features"] = np.array(synthetic.card.features)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    columns = "; `features`, the names of the columns" if "features" in arrays else ""
    about = (
        "numpy.load(…, allow_pickle=False) gives: `inputs`, exact and preprocessed: train on these; `raw`, the same as "
        "raw values; `labels`, class indices; `targets`, the probability of each class (0 and 1 where labels are hard)"
        "; `classes`, the names; `mean`, `std` and, where inputs are whitened, `centre`, `whiten`, `colour`"
        f"{columns}."
    )
    return {"data.npz": stream.getvalue()}, about


FORMATS: Mapping[str, Callable[[SyntheticSet], tuple[Files, str]]] = {
    "folder": _folder,
    "npz": _npz,
    "parquet": _parquet,
}


def _howto(synthetic: SyntheticSet, about: str, made_by: str) -> str:
    card = synthetic.card
    soft = synthetic.targets is not None
    parts = [
        f"# How to train on {plain(card.task)}, distilled by {plain(card.method)}",
        contents(synthetic, made_by),
        "## What is here",
        about,
        "## Inputs",
        f"{preprocessing_words(synthetic)} {_constants(synthetic)}".strip(),
        "## Labels",
        "Train on the probabilities of each class (cross-entropy with soft targets); the class index is only the class "
        "that the example was made for."
        if soft
        else "Labels are class indices in the order of the classes above.",
        "## Recipe",
        words(card.recipe, synthetic.step_size),
        "Every number of it stands in `card.json` under `card.recipe`. The network, layer by layer:",
        f"```\n{layers(card.recipe, card.shape, len(card.classes))}\n```",
        f"Mind: {PRIVACY}.",
    ]
    return "\n\n".join(parts) + "\n"


def _constants(synthetic: SyntheticSet) -> str:
    whitened = synthetic.preprocessing.whiten is not None
    if whitened:
        return "The npz export holds the matrices."
    mean, std = synthetic.preprocessing.mean.tolist(), synthetic.preprocessing.std.tolist()
    return "" if len(mean) <= 4 else f"mean = {mean}, std = {std}."


def _require_pictures(synthetic: SyntheticSet, what: str) -> None:
    shape = synthetic.card.shape
    if len(shape) != 3:
        raise FitError(f"{what} holds images, and this set holds table rows: export it as parquet or npz.")
    if shape[0] not in (1, 3):
        raise FitError(f"{what} holds PNG images of 1 or 3 channels, and these have {shape[0]}: export them as npz.")


def _pictures(synthetic: SyntheticSet) -> list[bytes]:
    from PIL import Image

    from limbeck.synthetic.preview import png

    pixels = (synthetic.raw() * 255).round().byte().permute(0, 2, 3, 1).numpy()
    flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return [png(Image.fromarray(np.ascontiguousarray(picture))) for picture in flat]


def folder_name(label: int, name: str, classes: int) -> str:
    """A directory name for a class: its label first (unique, in order, never hidden or reserved), then its name."""
    digits = len(str(classes - 1))
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in name)
    return f"{label:0{digits}d}_{kept[:40]}"


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def _csv(rows: list[dict[str, Any]], classes: int) -> str:
    soft = bool(rows) and rows[0]["targets"] is not None
    header = ["file", "label", *(f"p_{c}" for c in range(classes) if soft)]
    lines = [[r["file"], str(r["label"]), *(repr(p) for p in (r["targets"] or ()))] for r in rows]
    return "\n".join(",".join(line) for line in [header, *lines]) + "\n"
