"""kill -9 of the driver and the workers of a real, tiny study: it ends with what an undisturbed one ends with."""

import importlib.util
import random
import sys
import time
from pathlib import Path

import pytest

from limbeck.study import run

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kill_study.py"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")


def script():
    """benchmarks/kill_study.py, which does the same with more moments and prints a table."""
    spec = importlib.util.spec_from_file_location("kill_study", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def same(found, expected):
    """Runs, rows and sets, one after the other, so that a difference is told where it is."""
    assert found[0] == expected[0]
    assert len(found[1]) == len(expected[1])
    for row, other in zip(found[1], expected[1], strict=True):
        assert {k: (v, other[k]) for k, v in row.items() if v != other[k]} == {}
    assert found[2] == expected[2]


def test_a_real_study_survives_kills_of_driver_and_workers(tmp_path):
    kill = script()
    calm = tmp_path / "calm"
    began = time.monotonic()
    assert run(kill.small_study(1), calm).complete
    span, expected, known = time.monotonic() - began, kill.ended(calm), kill.rows_of(calm)
    assert len(expected[1]) == sum(known.values()) > 0
    assert len(expected[2]) == 4
    chance = random.Random(0)
    alone = kill.disturbed(kill.small_study(1), tmp_path / "a", chance, kills=4, span=span / 6, known=known)
    same(kill.ended(tmp_path / "a"), expected)
    both = kill.disturbed(kill.small_study(2), tmp_path / "b", chance, kills=2, span=span / 6, known=known)
    same(kill.ended(tmp_path / "b"), expected)
    assert alone
    assert all("driver" in each.died for each in alone)
    assert len(alone) + len(both) >= 2
