"""A synthetic set as a directory: safetensors, JSON, a page for people, a picture. Nothing that executes.

::

    synthetic.safetensors   variables.*, labels, targets, step_size, preprocessing.*
    README.md               a Hugging Face data-set card, with loading snippets
    preview.png             the examples as a person sees them
    card.json               everything else, the shapes and the SHA-256 of the tensors; written last

The same set gives the same bytes: there are no dates in any of the files.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limbeck.data.preprocessing import Preprocessing
from limbeck.errors import ArtifactError, DirectoryError, LimbeckError, unknown
from limbeck.files import write_files
from limbeck.synthetic.data_card import readme
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.synthetic.preview import preview
from limbeck.synthetic.synthetic_set import Card, SyntheticSet
from limbeck.training.configuration import Configuration
from limbeck.values import decode, encode

__all__ = ["card_json", "load", "save"]

FORMAT = "limbeck synthetic set"
VERSION = 1  # of the format; raise it when an older limbeck could not read what is written
LARGEST_CARD = 64 * 2**20  # bytes; a larger card.json is refused before it is read
TENSORS, CARD = "synthetic.safetensors", "card.json"


def save(synthetic: SyntheticSet, directory: Path, made_by: str = "") -> None:
    """Write ``synthetic`` into ``directory``. Raises DirectoryError where it holds another run's set or other files.

    made_by: the method in words for README.md, where its name alone does not say it.
    """

    _refuse_foreign(synthetic.card, directory)
    tensors = _tensors(synthetic)
    content = _serialised(tensors)
    files = {
        TENSORS: content,
        "README.md": readme(synthetic, made_by).encode(),
        "preview.png": preview(synthetic),
        CARD: card_json(synthetic, tensors, content).encode(),
    }
    write_files(directory, files)


def load(directory: Path) -> SyntheticSet:
    """The set that :func:`save` wrote. Raises ArtifactError: missing, truncated, corrupt, changed, or too new."""

    data = _read_card(directory)
    tensors = _read_tensors(directory / TENSORS, data)
    try:
        variables = _under("variables.", tensors)
        parametrisation = decode(data["parametrisation"])
        if not isinstance(parametrisation, Parametrisation) or not variables:
            raise ArtifactError("it names no parametrisation, or has no variables")
        step_size = tensors.get("step_size")
        synthetic = SyntheticSet(
            variables=variables,
            parametrisation=parametrisation,
            labels=tensors["labels"],
            targets=tensors.get("targets"),
            step_size=None if step_size is None else float(step_size),
            preprocessing=Preprocessing(**_under("preprocessing.", tensors)),
            card=_card(data["card"]),
        )
        _check(synthetic)
    except (LimbeckError, KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error).rstrip(".?").split("\n")[0]
        raise ArtifactError(f"'{directory}' is no usable synthetic set: {what}.") from error
    return synthetic


def card_json(synthetic: SyntheticSet, tensors: dict[str, Tensor] | None = None, content: bytes | None = None) -> str:
    """The text of card.json; with ``tensors`` and their serialised ``content``, it describes these as well."""
    data: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    data["card"] = encode(synthetic.card)
    data["parametrisation"] = encode(synthetic.parametrisation)
    data["step_size"] = synthetic.step_size
    if tensors is not None and content is not None:
        data["bytes"], data["sha256"] = len(content), hashlib.sha256(content).hexdigest()
        data["tensors"] = {name: [str(t.dtype).removeprefix("torch."), list(t.shape)] for name, t in tensors.items()}
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _tensors(synthetic: SyntheticSet) -> dict[str, Tensor]:
    tensors = {f"variables.{name}": v.detach().cpu().to(torch.float32) for name, v in synthetic.variables.items()}
    tensors["labels"] = synthetic.labels.cpu()
    if synthetic.targets is not None:
        tensors["targets"] = synthetic.targets.detach().cpu().to(torch.float32)
    if synthetic.step_size is not None:
        tensors["step_size"] = torch.tensor(synthetic.step_size, dtype=torch.float64)
    tensors |= {f"preprocessing.{name}": t.cpu() for name, t in synthetic.preprocessing.tensors().items()}
    return {name: tensors[name].contiguous() for name in sorted(tensors)}


def _serialised(tensors: dict[str, Tensor]) -> bytes:
    import safetensors.torch

    # Copies: safetensors refuses tensors that share memory. One metadata key: the order of several is not fixed.
    return safetensors.torch.save({n: t.clone() for n, t in tensors.items()}, {"format": f"{FORMAT} {VERSION}"})


def _refuse_foreign(card: Card, directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise DirectoryError(f"'{directory}' is a file: name a directory for the synthetic set.")
    if (directory / CARD).exists():
        try:
            there = _card(_read_card(directory)["card"])
        except (LimbeckError, KeyError, TypeError) as error:
            raise DirectoryError(f"'{directory}' holds a card.json of something else: choose another one.") from error
        if _run(there) != _run(card):
            made = f"{there.method}, seed {there.seed}, {there.task}"
            raise DirectoryError(f"'{directory}' holds the set of another run ({made}): choose another directory.")
    elif not (directory / TENSORS).exists():  # with tensors but no card, a session of ours ended between two renames
        for name in ("README.md", "preview.png"):
            if (directory / name).exists():
                raise DirectoryError(f"'{directory}' holds a {name} of something else: choose another directory.")


def _run(card: Card) -> Any:
    return encode((card.fingerprint, card.split_seed, card.method, card.distiller, card.per_class, card.seed))


def _read_card(directory: Path) -> dict[str, Any]:
    path = directory / CARD
    if not path.is_file():
        raise ArtifactError(f"'{directory}' holds no synthetic set: it has no card.json.")
    if path.stat().st_size > LARGEST_CARD:
        raise ArtifactError(f"'{path}' has {path.stat().st_size} bytes and is no card: distil the set again.")
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"'{path}' is not JSON: it was damaged or edited, restore it or distil again.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("version"), int):
        raise ArtifactError(f"'{path}' is no card of a limbeck synthetic set: name the directory of one.")
    if data["version"] > VERSION:
        ours = f"this limbeck reads up to {VERSION}"
        raise ArtifactError(f"'{path}' has format {data['version']}, and {ours}: install a newer limbeck.")
    return data


def _card(data: Any) -> Card:
    import limbeck.data
    import limbeck.networks
    import limbeck.training  # noqa: F401  the values that a recipe is made of enter the table of values

    fields = {name: item for name, item in dict(data).items() if name != "kind"}
    known = Card.__dataclass_fields__
    if not set(fields) <= set(known):
        raise unknown("field of a card", sorted(set(fields) - set(known))[0], known)
    fields["recipe"] = decode(fields["recipe"])
    for name in ("classes", "shape", "per_class", "notes"):
        fields[name] = tuple(fields[name])
    fields["features"] = tuple(fields.get("features", ()))
    fields["losses"] = tuple((int(iteration), float(loss)) for iteration, loss in fields["losses"])
    if not isinstance(fields["recipe"], Configuration):
        raise ArtifactError("its recipe is no configuration")
    return Card(**fields)


def _read_tensors(path: Path, data: dict[str, Any]) -> dict[str, Tensor]:
    import safetensors
    import safetensors.torch

    if not path.is_file():
        raise ArtifactError(f"'{path}' is missing: restore it or distil again.")
    size, expected = path.stat().st_size, data.get("bytes")
    if size != expected:  # before anything is read: neither a truncated nor an absurdly large file costs memory
        raise ArtifactError(f"'{path}' has {size} bytes where its card says {expected}: restore it or distil again.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != data.get("sha256"):
        raise ArtifactError(f"'{path}' does not have the checksum in its card: restore it or distil again.")
    try:
        return safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ArtifactError(f"'{path}' is not in safetensors format: restore it or distil again.") from error


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _check(synthetic: SyntheticSet) -> None:
    card, labels = synthetic.card, synthetic.labels
    decoded = synthetic.parametrisation.decode(synthetic.variables, torch.tensor([0]))
    if tuple(decoded.shape[1:]) != card.shape:
        raise ArtifactError(f"its inputs are {tuple(decoded.shape[1:])} where its card says {card.shape}")
    if card.features and (len(card.features),) != card.shape:
        raise ArtifactError(f"its card names {len(card.features)} features where the shape is {card.shape}")
    if int(labels.min()) < 0 or int(labels.max()) >= len(card.classes):
        raise ArtifactError(f"its labels do not lie in 0 … {len(card.classes) - 1}")
    if synthetic.targets is not None and synthetic.targets.shape[1] != len(card.classes):
        raise ArtifactError(f"its targets have {synthetic.targets.shape[1]} classes, its card {len(card.classes)}")
    values = [*synthetic.variables.values(), *([] if synthetic.targets is None else [synthetic.targets])]
    if not all(bool(torch.isfinite(v).all()) for v in values):
        raise ArtifactError("it holds NaN or infinite values")
    if len(synthetic.preprocessing.mean) != card.shape[0]:
        raise ArtifactError(f"its normalisation has {len(synthetic.preprocessing.mean)} channels, not {card.shape[0]}")
