"""Distillations of a few digits that are killed at random moments and started again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = """
import json, os, random, signal, sys, time
import torch
from pathlib import Path
from sklearn.datasets import load_digits
from limbeck.data.arrays import arrays
from limbeck.distillation.distill import distill

torch.set_num_threads(1)
images, labels = load_digits(return_X_y=True)
few = labels < 4
task = arrays(images[few].reshape(-1, 1, 8, 8).astype("float32") / 16, labels[few], seed=0)
root, moments, share, settings = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), json.loads(sys.argv[4])

def start(place):
    child = os.fork()
    if child == 0:
        distill(task, out=place, real_batch=8, **settings)
        os._exit(0)
    return child

began = time.perf_counter()
assert os.waitpid(start(root / "whole"), 0)[1] == 0
whole = time.perf_counter() - began
chance, kills, finished = random.Random(0), 0, 0
while kills < moments:
    child = start(root / f"killed{finished}")
    time.sleep(chance.uniform(0.0, share * whole))
    os.kill(child, signal.SIGKILL)
    kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    finished += (root / f"killed{finished}" / "card.json").exists()
assert os.waitpid(start(root / f"killed{finished}"), 0)[1] == 0
print(kills, finished)
"""
FILES = ("synthetic.safetensors", "card.json")


def assert_same_bytes_when_killed(folder: Path, *, moments: int, share: float, **settings: Any) -> None:
    """Kill so many times, each within ``share`` of an undisturbed run's seconds; all sets equal the undisturbed one."""
    words = [sys.executable, "-c", SCRIPT, str(folder), str(moments), str(share), json.dumps(settings)]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    kills, finished = map(int, done.stdout.split())
    assert kills >= moments
    for place in range(finished + 1):
        for name in FILES:
            assert (folder / f"killed{place}" / name).read_bytes() == (folder / "whole" / name).read_bytes()
