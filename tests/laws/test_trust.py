"""What refutes a form, and which sizes are a demonstration: known answers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from planted import study

from limbeck.laws import ScalingLaw
from limbeck.laws.formfit import FormFit
from limbeck.laws.trust import MARGIN, standing, thin, trusted

SIZES = np.array([1.0, 2, 5, 10, 20, 50, 100, 200])


@pytest.fixture(scope="module")
def forms() -> tuple[FormFit, ...]:
    return ScalingLaw.fit(study(lambda k: 0.5 * k**-0.5 + 0.05)).forms


def changed(forms: tuple[FormFit, ...], name: str, **changes: object) -> tuple[FormFit, ...]:
    """The same with other numbers for one form; ``score`` goes to its held-out sizes."""
    made = []
    for each in forms:
        if each.name == name:
            score = changes.pop("score", None)
            held = each.held
            if held is not None:
                held = replace(held, score=held.score if score is None else score)
            each = replace(each, held=held, **changes)
        made.append(each)
    return tuple(made)


FREE, HALF, LOG = "c·k^(-b) + e", "c·k^(-0.5) + e", "c − d·log k"


def score(forms: tuple[FormFit, ...], name: str) -> float:
    held = next(each.held for each in forms if each.name == name)
    assert held is not None
    return held.score


def test_each_of_the_three_criteria_refutes_alone(forms: tuple[FormFit, ...]) -> None:
    assert trusted(forms, SIZES).holds
    misfit = trusted(changed(forms, FREE, misfit=0.009), SIZES)
    assert not misfit.holds
    assert "misfit p = 0.009" in misfit.doubt
    assert trusted(changed(forms, FREE, misfit=0.011), SIZES).holds
    missed = trusted(changed(forms, FREE, missed=1), SIZES)
    assert not missed.holds
    assert "1 of 2 held-out sizes within their 99 % intervals" in missed.doubt
    best = score(forms, FREE)
    assert trusted(changed(forms, LOG, score=best + MARGIN - 0.1), SIZES).holds
    behind = trusted(changed(forms, LOG, score=best + MARGIN + 0.1), SIZES)
    assert not behind.holds
    assert f"{LOG} predicted them better, by 2.1" in behind.doubt


def test_a_special_case_is_no_rival(forms: tuple[FormFit, ...]) -> None:
    best = score(forms, FREE)
    assert trusted(changed(forms, HALF, score=best + 50), SIZES).holds
    assert trusted(changed(forms, "e", score=best + 50), SIZES).holds
    ahead = changed(forms, FREE, score=score(forms, HALF) + 50)
    assert HALF not in {each.name for each in standing(ahead)}  # but the other way round it is


def test_where_nothing_can_be_held_out_the_misfit_decides(forms: tuple[FormFit, ...]) -> None:
    bare = tuple(replace(each, held=None) for each in forms)
    known = trusted(bare, SIZES)
    assert known.holds
    assert (known.inside, known.held) == (0, 0)
    assert not trusted(changed(bare, FREE, misfit=1e-5), SIZES).holds
    assert trusted(changed(bare, FREE, misfit=None), SIZES).holds


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        (SIZES, ""),
        (SIZES[1:], "7 sizes over 2.0 decades, where 8 over 2 are needed"),
        (np.arange(1.0, 21.0), "20 sizes over 1.3 decades, where 8 over 2 are needed"),
        (np.array([1.0, 2, 3, 4, 5, 6, 7, 200]), "no size between 7 and 200 a class, more than half of the range"),
        (np.array([1.0, 60, 80, 100, 120, 140, 160, 200]), "no size between 1 and 60 a class"),
        (np.geomspace(1, 100, 8), ""),
    ],
)
def test_few_sizes_a_short_range_and_holes_are_a_demonstration(sizes: np.ndarray, why: str) -> None:
    assert thin(sizes).startswith(why)
    assert bool(thin(sizes)) is bool(why)


def test_a_thin_table_claims_nothing_though_the_law_holds(forms: tuple[FormFit, ...]) -> None:
    known = trusted(forms, SIZES[2:])
    assert known.holds
    assert not known.claims
    assert known.doubt == known.basis == ""


def test_a_planted_exponential_stands_alone() -> None:
    forms = ScalingLaw.fit(study(lambda k: 0.4 * math.exp(-k / 10) + 0.05)).forms
    assert [each.name for each in standing(forms)] == ["c·exp(−k/τ) + e"]
