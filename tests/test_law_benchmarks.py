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


def test_a_cell_too_close_to_call_is_simulated_again_with_other_numbers(
    script: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("study_statistics")
    monkeypatch.setattr(module, "CLOSER", 12)
    first = module.run(module.CELLS[0], 0, 8)
    undecided = module.close(first, 8)
    assert {key for key in undecided if not key.startswith("plan_")} <= {"c", "e", "b", "bound_50", "bound_400"}
    assert all(first[key].get("covered", first[key].get("broken")) == found for key, found in undecided.items())
    clear = {**first, **{key: dict.fromkeys(("covered", "broken"), 0.5) for key in ("c", "e", "b")}}
    assert not {"c", "e", "b"} & set(module.close(clear, 2000))
    first["c"]["covered"] = 0.93
    again = module.settled(first, 0, 8)
    assert (again["simulations"], again["first"]["c"]) == (12, 0.93)
    assert again["c"] == module.run(module.CELLS[0], 0, 12, first=8)["c"]
    assert module.settled(again, 0, 8) is again


def test_a_pool_too_close_to_call_is_simulated_again(
    script: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("study_pooled")
    monkeypatch.setattr(module, "CLOSER", 3)
    cell = module.Cell(3, 0.0, True)
    again = module.settled(cell, 0, 1)
    assert {key: again[key] for key in ("b", "e")} == {key: module.row(cell, 0, 3, first=1)[key] for key in ("b", "e")}
    assert again["simulations"] == 3


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


def test_iterations_are_stored_with_two_digits_and_never_more_than_fit(script: Callable[[str], ModuleType]) -> None:
    round_down = script("calibrate").two_digits
    assert [round_down(x) for x in (0.3, 1.9, 9.99, 99.9, 123.0, 5678.9)] == [1, 1, 9, 99, 120, 5600]
