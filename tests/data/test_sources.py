"""Sources by name."""

from pathlib import Path

import numpy as np
import pytest

from limbeck.data import SOURCES, open_source
from limbeck.data.sources import _OPEN
from limbeck.errors import OptionError, SourceError


def test_every_source_is_described() -> None:
    assert set(SOURCES) == set(_OPEN)


def test_digits_and_options() -> None:
    task = open_source("digits", seed=3, groups=None, size=None)
    assert (task.name, task.split_seed) == ("digits", 3)


def test_npz_by_name_with_groups_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a:b.npz", x=np.arange(80.0).reshape(40, 2), y=np.arange(40) % 2)
    (tmp_path / "g.txt").write_text("".join(f"patient {i // 4}\n" for i in range(40)))
    task = open_source(f"npz:{tmp_path}/a:b.npz", groups=str(tmp_path / "g.txt"))
    assert task.name == f"npz:{tmp_path}/a:b.npz"
    assert task.notes == ()


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("digit", {}, "unknown source 'digit': did you mean digits"),
        ("digits:x", {}, "embedded"),
        ("idx:", {}, "say idx:PATH"),
        ("digits", {"sed": 1}, "unknown option of the source digits 'sed': did you mean seed"),
        ("digits", {"size": 8}, "the source digits takes no size"),
        ("folder:x", {"sise": 8}, "did you mean size"),
    ],
)
def test_wrong_names(text: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        open_source(text, **options)


@pytest.mark.parametrize("kind", ["idx", "parquet", "folder", "npz"])
def test_missing_paths(kind: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="none"):
        open_source(f"{kind}:{tmp_path}/none")
