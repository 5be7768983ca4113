"""The scripts behind the statistics of pooled laws and the laboratory run on a small scale."""

import json
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from limbeck.laws.laboratory import RidgeLaboratory


def test_planted_pools_are_judged(script: Callable[[str], ModuleType]) -> None:
    module = script("study_pooled")
    found = module.row(module.Cell(3, 0.0, True), 0, 2)
    assert found["cell"] == {"curves": 3, "tau": 0.0, "shared": True}
    assert all(0 <= found[key] <= 1 for key in ("b", "e", "curve_b", "one_b", "one_e", "refused"))
    json.dumps(found, allow_nan=False)


def test_the_laboratory_is_measured_and_written(
    script: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("laboratory_table")
    for name, sizes in (("SIZES", (20, 40, 80, 160)), ("CHOSEN", (1, 2, 4, 8)), ("MADE", (1, 2, 3, 4)), ("SEEDS", 2)):
        monkeypatch.setattr(module, name, sizes)
    generator = np.random.default_rng(0)
    features = generator.normal(size=(120, 3))
    laboratory = RidgeLaboratory(features, np.eye(2)[(features[:, 0] > 0).astype(int)], 0.1)
    weights = np.exp(features[:, 1])
    found = module.measured(module.Place("ridge, made up", laboratory, weights / weights.sum()), 2)
    json.dumps(found, allow_nan=False)
    assert found["broken"] == 0
    assert found["sets"] == 4 * 2 * (2 + 2 + 2 + 1)
    assert found["least_constant"] >= found["convexity"] * (1 - 1e-9)
    page = module.page([found])
    assert page.count("ridge, made up") == 3 + 2 + 1
    assert f"0 of {found['sets']}" in page
