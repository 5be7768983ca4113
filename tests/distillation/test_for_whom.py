"""Sets made for a space of configurations: they say so, and a killed run ends with the same bytes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from limbeck.data.task import Task
from limbeck.distillation.distill import compose, distill, distill_into
from limbeck.distillation.distiller import Situation
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.errors import FitError
from limbeck.matching.audience import Everyone, Net, WorstGap
from limbeck.values import decode, encode

WORST = "standard:worst:centres=2,refreshes=3,updates=2,examples=20"
FEW: dict[str, Any] = {"iterations": 6, "real_batch": 8, "network": "convnet-2-32:width=4"}


@pytest.mark.parametrize("method", ["dm", "dc", "dsa"])
@pytest.mark.parametrize("text", ["standard", "standard:net:centres=2", WORST])
def test_methods_are_made_for_a_space(task: Task, method: str, text: str) -> None:
    made = distill(task, method, per_class=1, **{**FEW, "iterations": 3, "for": text})
    kept = decode(made.card.distiller)
    assert isinstance(kept, MatchingDistiller)
    assert isinstance(kept.state.audience, {"n": Net, "w": WorstGap}.get(text[9:10], Everyone))
    assert len(kept.state.audience.space) == 24
    assert any("of 'standard'" in note for note in made.card.notes)
    last = made.card.notes[-1]
    assert ("the radius of the net" in last) == (text != "standard")
    assert ("the last gaps on validation" in last) == (text == WORST)


def test_stopping_at_every_checkpoint_changes_nothing(task: Task, tmp_path: Path) -> None:
    settings = {**FEW, "for": WORST, "state": "along-synthetic:steps=2"}
    whole = distill(task, "dsa", per_class=2, **settings)
    made, stops = None, 0
    while made is None:
        made = distill_into(tmp_path / "run", compose(task, "dsa", 2, **settings), task, Situation(2, until=0.0))
        stops += made is None
    assert stops >= 4
    assert torch.equal(made.variables["pixels"], whole.variables["pixels"])
    assert (made.card.budget, made.card.notes) == (whole.card.budget, whole.card.notes)


SCRIPT = """
import os, random, signal, sys, time
import torch
from pathlib import Path
from sklearn.datasets import load_digits
from limbeck.data.arrays import arrays
from limbeck.distillation.distill import distill

torch.set_num_threads(1)
images, labels = load_digits(return_X_y=True)
few = labels < 4
task = arrays(images[few].reshape(-1, 1, 8, 8).astype("float32") / 16, labels[few], seed=0)
root = Path(sys.argv[1])

def start(place):
    child = os.fork()
    if child == 0:
        distill(task, "dm", per_class=1, out=place, iterations=40, real_batch=8, **{"for": sys.argv[2]})
        os._exit(0)
    return child

began = time.perf_counter()
assert os.waitpid(start(root / "whole"), 0)[1] == 0
whole = time.perf_counter() - began
chance, kills, finished = random.Random(0), 0, 0
while kills < 5:
    child = start(root / f"killed{finished}")
    time.sleep(chance.uniform(0.0, 0.8 * whole))
    os.kill(child, signal.SIGKILL)
    kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    finished += (root / f"killed{finished}" / "card.json").exists()
assert os.waitpid(start(root / f"killed{finished}"), 0)[1] == 0
print(kills, finished)
"""


def test_killed_at_random_moments_the_worst_gap_ends_with_the_same_bytes(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SCRIPT, str(tmp_path), WORST]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    _, finished = map(int, done.stdout.split())
    for place in range(finished + 1):
        for name in ("synthetic.safetensors", "card.json"):
            assert (tmp_path / f"killed{place}" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("text", ["quick", "quick:net", "quick:worst"])
def test_a_space_of_one_is_served_and_said(task: Task, text: str) -> None:
    made = distill(task, "dm", per_class=1, **{**FEW, "for": text})
    assert any("holds one configuration" in note for note in made.card.notes)


def test_the_shared_augmentation_is_the_drawn_one(task: Task) -> None:
    """With a space that augments nothing, dsa's own augmentation has no say."""
    for_space = {**FEW, "for": "quick"}
    assert torch.equal(
        distill(task, "dsa", per_class=1, **for_space).variables["pixels"],
        distill(task, "dsa", per_class=1, **{**for_space, "augmentation": "none"}).variables["pixels"],
    )


def test_a_pool_has_a_member_for_each_centre(task: Task) -> None:
    made = compose(task, "ncfm", 1, **{"for": "standard:net:centres=9"})
    assert encode(made.state)["count"] == 9  # type: ignore[attr-defined]
    with pytest.raises(FitError, match="cannot follow gaps"):
        compose(task, "ncfm", 1, **{"for": "standard:worst"})
