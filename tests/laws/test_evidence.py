"""What a law may rest on: the guard against unconverged sizes, and what must be said."""

import dataclasses

import numpy as np
import pytest

from limbeck.evaluation.records import Record, Records
from limbeck.laws.evidence import ground
from limbeck.laws.table import gap_table
from tests.laws.planted import row, study


def falling(size: float) -> float:
    return 0.3 * size**-0.5 + 0.05


def longer(records: Records, shift: dict[float, float], *, noise: float = 0.0, seeds: tuple[int, ...] = (0, 1, 2)):
    """The same sets by twice the budget: each gap lower by what ``shift`` says, and noise of its own."""
    generator = np.random.default_rng(5)
    moves = {(k, s): shift[k] + noise * generator.normal() for k in shift for s in seeds}
    kept = [r for r in records if (r.per_class, r.distillation_seed) in moves or r.method == "full"]
    return gap_table(Records.of(_moved(r, moves) for r in kept), method="dm")


def _renamed(known: Record, method: str) -> Record:
    return dataclasses.replace(known, method=method)


def _moved(known: Record, moves: dict[tuple[float, int], float]) -> Record:
    if known.method == "full":
        return known
    where = {"per_class": known.per_class, "stored": known.stored, "seed": known.seed}
    seed = known.distillation_seed
    return row(known.accuracy + moves[known.per_class, seed], distillation_seed=seed, **where)


def test_a_small_but_sure_move_keeps_a_size_out() -> None:
    records = study(falling, seeds=3)
    found = ground(gap_table(records), longer(records, {100.0: 0.0, 200.0: 0.006}, noise=0.0005), level=0.95)
    assert found.table.sizes[-1] == 100
    assert any(
        "moves the gap at 200 a class (+" not in said and "moves the gap at 200" in said for said in found.remarks
    )


def test_a_large_move_keeps_a_size_out_although_the_pairs_scatter() -> None:
    records = study(falling, seeds=3)
    found = ground(gap_table(records), longer(records, {200.0: 0.04}, noise=0.02), level=0.95)
    assert found.table.sizes[-1] == 100
    assert any("whether it moves the gap at 100 a class is not known" in said for said in found.remarks)


def test_no_move_leaves_both() -> None:
    records = study(falling, seeds=3)
    found = ground(gap_table(records), longer(records, {100.0: 0.0, 200.0: 0.0}, noise=0.004), level=0.95)
    assert found.table.sizes[-1] == 200
    (said,) = (text for text in found.remarks if "distillation budget" in text)
    assert said.startswith("Twice the distillation budget leaves the gap at 100 a class (")
    assert "is its own" not in said and "points, where its own interval is ±" in said


@pytest.mark.parametrize("seeds", [(0,), ()])
def test_fewer_than_two_pairs_say_nothing(seeds: tuple[int, ...]) -> None:
    records = study(falling, seeds=3)
    again = (
        longer(records, {1.0: 0.0, 2.0: 0.0}) if not seeds else longer(records, {100.0: 0.1, 200.0: 0.1}, seeds=seeds)
    )
    found = ground(gap_table(records), again, level=0.95)
    assert found.table.sizes[-1] == 200
    assert "Whether it moves the gap at 100 and 200 a class is not known." in found.remarks


def test_what_was_put_in_place_of_what_was_asked_is_said() -> None:
    records = study(falling, seeds=3)
    remarks = ground(gap_table(records, reference="converged"), level=0.95).remarks
    assert "No full-data network of the kind 'converged' finished: the gap is to 'matched'." in remarks
    assert any("correctness is not stored" in said for said in remarks)


def test_choosing_real_examples_has_no_budget_to_double() -> None:
    chosen = Records.of(r if r.method == "full" else _renamed(r, "random") for r in study(falling, seeds=3))
    assert not any("budget" in said for said in ground(gap_table(chosen), level=0.95).remarks)
    assert any("was not checked" in said for said in ground(gap_table(study(falling, seeds=3)), level=0.95).remarks)
