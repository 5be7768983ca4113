"""Saving and loading: round trips, the same bytes, snippets that work, nothing half-written, damage is a sentence."""

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from limbeck.errors import ArtifactError, DirectoryError, FitError
from limbeck.synthetic import Factored, Pixels, SyntheticSet, storage
from limbeck.values import encode, replace

FILES = {"README.md", "card.json", "preview.png", "synthetic.safetensors"}
KINDS: list[dict[str, Any]] = [
    {},
    {"soft": True, "whiten": True},
    {"parametrisation": Factored(2), "soft": True},
    {"shape": (1, 7, 9), "parametrisation": Factored(2), "whiten": True},
    {"shape": (5,), "soft": True},
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_set_comes_back_whole(kind: dict[str, Any], make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make(**kind)
    there = SyntheticSet.load(made.save(tmp_path / "new" / "set"))
    assert {path.name for path in (tmp_path / "new" / "set").iterdir()} == FILES
    assert there.card == made.card
    assert there.parametrisation == made.parametrisation
    assert there.step_size == made.step_size
    for name, tensor in made.preprocessing.tensors().items():
        assert torch.equal(there.preprocessing.tensors()[name], tensor)
    for one, other in zip(there.dataset().tensors, made.dataset().tensors, strict=True):
        assert torch.equal(one, other)
    assert torch.equal(there.raw(), made.raw())
    assert there.stored_values == made.stored_values


def test_the_same_set_gives_the_same_bytes_in_every_process(make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make(soft=True, whiten=True)
    first = made.save(tmp_path / "first")
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import conftest; "
    code += f"conftest.SyntheticSet.load({str(first)!r}).save({str(tmp_path / 'second')!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in FILES:
        assert (first / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_snippets_of_the_readme_work(kind: dict[str, Any], make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make(**kind)
    text = (made.save(tmp_path / "set") / "README.md").read_text()
    ours, theirs, raw = re.findall(r"```python\n(.*?)```", text, re.S)
    with_us, without = dict[str, Any](), dict[str, Any]()
    here = Path.cwd()
    os.chdir(tmp_path / "set")
    try:
        exec(ours, with_us)
        exec(theirs + "\nimport numpy as np\n" + raw, without)
    finally:
        os.chdir(here)
    inputs, targets = made.dataset().tensors
    assert torch.equal(with_us["inputs"], inputs)
    np.testing.assert_allclose(without["inputs"], inputs.numpy(), atol=1e-5)
    np.testing.assert_array_equal(without["labels"], made.hard.numpy())
    if made.targets is not None:
        np.testing.assert_array_equal(without["targets"], targets.numpy())
    np.testing.assert_allclose(without["raw"], made.preprocessing.inverse(inputs).numpy(), atol=1e-4)


def test_the_readme_is_a_data_card_and_lets_no_markup_through(make: Any, tmp_path: Path) -> None:
    names = ("<script>alert(1)</script>", "a\n---\n# b", "[x](javascript:0)")
    text = (make(classes=names).save(tmp_path / "set") / "README.md").read_text()
    front = yaml.safe_load(text.split("---")[1])
    assert front["task_categories"] == ["image-classification"]
    assert "no privacy guarantee; images initialised from real examples may show them" in text
    assert "<script" not in text
    assert "\n# b" not in text
    assert "[x](" not in text


def test_a_directory_of_the_run_is_completed_and_written_again(make: Any, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("mine")
    made: SyntheticSet = make()
    made.save(tmp_path)
    made.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"checkpoint"}
    (tmp_path / "card.json").unlink()  # killed before the last rename
    made.save(tmp_path)
    assert SyntheticSet.load(tmp_path).card == made.card


def test_other_files_are_not_overwritten(make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make()
    made.save(tmp_path / "set")
    with pytest.raises(DirectoryError, match="another run"):
        make(seed=1).save(tmp_path / "set")
    for name in ("README.md", "card.json"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(DirectoryError, match="something else"):
            made.save(tmp_path)
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DirectoryError, match="is a file"):
        made.save(tmp_path / "file")


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_full_disk_leaves_no_trace(
    exists: bool, after: int, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "set"
    if exists:
        target.mkdir()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DirectoryError, match="no space is left"):
        make().save(target)
    assert [path.name for path in tmp_path.iterdir()] == (["set"] if exists else [])
    assert not exists or not list(target.iterdir())


def _edit(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def edit(directory: Path) -> None:
        data = json.loads((directory / "card.json").read_text())
        change(data)
        (directory / "card.json").write_text(json.dumps(data))

    return edit


def _tensors(content: bytes) -> Callable[[Path], None]:
    """Other bytes in the safetensors file, with a card that agrees."""

    def edit(directory: Path) -> None:
        (directory / "synthetic.safetensors").write_bytes(content)
        _edit(lambda d: d.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest()))(directory)

    return edit


def _truncate(directory: Path) -> None:
    path = directory / "synthetic.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def _flip(directory: Path) -> None:
    path = directory / "synthetic.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


def _absurd(directory: Path) -> None:
    with open(directory / "synthetic.safetensors", "r+b") as file:
        file.truncate(2**42)  # sparse


def _absurd_card(directory: Path) -> None:
    with open(directory / "card.json", "r+b") as file:
        file.truncate(2**42)


DAMAGE: list[tuple[Callable[[Path], Any], str]] = [
    (lambda d: (d / "card.json").unlink(), "holds no synthetic set"),
    (lambda d: (d / "synthetic.safetensors").unlink(), "is missing"),
    (_truncate, "bytes where its card says"),
    (_absurd, "bytes where its card says"),
    (_absurd_card, "is no card"),
    (_flip, "checksum"),
    (lambda d: (d / "card.json").write_text('{"format":'), "is not JSON"),
    (lambda d: (d / "card.json").write_bytes(b"\xff\xfe\x00"), "is not JSON"),
    (lambda d: (d / "card.json").write_text("[" * 100_000), "is not JSON"),
    (lambda d: (d / "card.json").write_text("[1]"), "is no card"),
    (_edit(lambda d: d.update(version=99)), "install a newer limbeck"),
    (_edit(lambda d: d.pop("card")), "lacks 'card'"),
    (_edit(lambda d: d["card"].pop("recipe")), "lacks 'recipe'"),
    (_edit(lambda d: d["card"].pop("seed")), "no usable synthetic set"),
    (_edit(lambda d: d["card"].update(recipe=3)), "recipe is no configuration"),
    (_edit(lambda d: d["card"]["recipe"].update(kind="Configuratio")), "unknown kind of value"),
    (_edit(lambda d: d["card"].update(shape=[3, 8, 9])), r"inputs are \(3, 8, 8\)"),
    (_edit(lambda d: d["card"].update(classes=["a", "b"])), "labels do not lie in 0 … 1"),
    (_edit(lambda d: d["card"].update(features=["a"])), "names 1 features"),
    (_edit(lambda d: d.update(parametrisation=7)), "no parametrisation"),
    (_edit(lambda d: d.update(parametrisation={"kind": "Factored", "factor": 0})), "at least 1"),
    (_tensors(b""), "safetensors"),
    (_tensors(b"\xff" * 8 + b"{}"), "safetensors"),
    (_tensors((2).to_bytes(8, "little") + b"{}"), "no usable synthetic set"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE)
def test_damage_is_a_sentence(damage: Callable[[Path], Any], says: str, make: Any, tmp_path: Path) -> None:
    directory = make().save(tmp_path / "set")
    damage(directory)
    with pytest.raises(ArtifactError, match=says) as caught:
        SyntheticSet.load(directory)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_values_that_are_not_finite_are_refused(make: Any, tmp_path: Path) -> None:
    made: SyntheticSet = make()
    made.variables["pixels"][0, 0, 0, 0] = torch.nan
    with pytest.raises(ArtifactError, match="NaN or infinite"):
        SyntheticSet.load(made.save(tmp_path / "set"))


def test_a_set_whose_parts_disagree_cannot_be_made(make: Any) -> None:
    made: SyntheticSet = make()
    parts = (made.step_size, made.preprocessing, made.card)
    with pytest.raises(FitError, match="6 rows for 5 labels"):
        SyntheticSet(made.variables, Pixels(), made.labels[:5], None, *parts)
    with pytest.raises(FitError, match="for 6 decoded examples"):
        SyntheticSet(made.variables, Pixels(), made.labels, torch.ones(5, 3), *parts)
    with pytest.raises(FitError, match="int64"):
        SyntheticSet(made.variables, Pixels(), made.labels.float(), None, *parts)


def test_a_card_holds_no_more_than_its_value(make: Any) -> None:
    made: SyntheticSet = make()
    data = json.loads(storage.card_json(made))
    assert data["card"] == json.loads(json.dumps(encode(made.card)))
    assert replace(made.card.recipe, name="other").name == "other"
