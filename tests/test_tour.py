"""The documents do what they say: the blocks of the tour and of the README run as they stand."""

import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent


def blocks(document: str) -> list[str]:
    """The Python blocks of a Markdown file."""
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


def test_the_tour_adds_a_discrepancy(monkeypatch: pytest.MonkeyPatch) -> None:
    space: dict[str, object] = {"__name__": "tour"}
    for block in blocks("docs/tour.md"):
        exec(compile(block, "docs/tour.md", "exec"), space)
    small = space["small"]
    assert len(small) == 10  # type: ignore[arg-type]
    losses = [loss for _, loss in small.card.losses]  # type: ignore[attr-defined]
    assert sum(losses[-5:]) < sum(losses[:5])


def test_the_readme_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("README.md")
    space: dict[str, object] = {"__name__": "readme"}
    exec(compile(block.replace("iterations=300", "iterations=20, updates=60"), "README.md", "exec"), space)
    accuracies = space["accuracy"]
    assert torch.tensor(accuracies).mean() > 0.6
