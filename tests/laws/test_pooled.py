"""One rate for several configurations."""

import json

import numpy as np
import pytest
from planted import FULL_ACCURACY, SIZES, row, study

from limbeck.errors import EvidenceError, OptionError
from limbeck.evaluation.records import Records
from limbeck.laws import PooledLaw, ScalingLaw


def two(b: tuple[float, float], *, seed: int = 0) -> Records:
    """Configurations a and b with floors 0.02 and 0.1, the same sets behind both."""
    generator = np.random.default_rng(seed)
    rows = [
        row(FULL_ACCURACY, set="full-matched", method="full", per_class=5000.0, seed=s, configuration=name)
        for s in range(3)
        for name in "ab"
    ]
    for size in SIZES:
        for unit in range(4):
            common = 0.008 * generator.normal()
            for place, name in enumerate("ab"):
                gap = 0.5 * size ** -b[place] + (0.02, 0.1)[place] + common + 0.004 * generator.normal()
                what = {"per_class": float(size), "stored": 10 * size, "distillation_seed": unit}
                rows.append(row(FULL_ACCURACY - gap, configuration=name, **what))
    return Records.of(rows)


def test_a_shared_rate_is_found_and_each_keeps_its_floor() -> None:
    law = PooledLaw.fit(two((0.5, 0.5)))
    assert law.b.holds(0.5)
    assert law.e("a").holds(0.02)
    assert law.e("b").holds(0.1)
    assert law.c("a").holds(0.5)
    assert law.same > 0.01
    assert len(law.sentences()) >= 3
    json.dumps(law.dictionary(), allow_nan=False)
    alone = ScalingLaw.fit(two((0.5, 0.5)), configuration="a").b
    assert law.b.half <= 1.2 * alone.half


def test_two_rates_do_not_fit_one() -> None:
    law = PooledLaw.fit(two((0.3, 1.0)))
    assert law.same < 0.01
    assert "does not fit" in law.sentences()[0]


def test_one_configuration_is_not_pooled() -> None:
    with pytest.raises(EvidenceError, match="two or more"):
        PooledLaw.fit(study(lambda k: 0.5 / k))
    with pytest.raises(OptionError, match="'z' is not among"):
        PooledLaw.fit(two((0.5, 0.5))).e("z")
