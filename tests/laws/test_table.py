"""Gap tables: nesting, the test set's error, and what is refused."""

import numpy as np
import pytest
from planted import row, study

from limbeck.errors import EvidenceError, MismatchError, OptionError
from limbeck.evaluation.records import Records
from limbeck.laws import gap_table


def flat(size: float) -> float:
    return 0.1


def test_networks_are_averaged_within_their_set() -> None:
    rows = [row(0.9, set="full-matched", method="full", per_class=50.0, seed=s) for s in range(2)]
    rows += [row(a, per_class=2.0, stored=20, seed=i) for i, a in enumerate((0.5, 0.7))]
    rows += [row(0.8, per_class=2.0, stored=20, distillation_seed=3)]
    table = gap_table(Records.of(rows))
    np.testing.assert_allclose(table.risks, [[0.4, 0.2]])
    np.testing.assert_allclose(table.within, [0.02])
    np.testing.assert_allclose(table.networks, [1.5])
    np.testing.assert_allclose(table.reference, [0.1, 0.1])
    assert table.classes == 10
    assert table.available == 50


def test_configurations_are_averaged_where_all_have_them() -> None:
    rows = [
        row(0.9, set="full-matched", method="full", per_class=50.0, seed=s, configuration=c)
        for s in (0, 1)
        for c in "ab"
    ]
    rows += [row(a, configuration=c) for a, c in ((0.6, "a"), (0.4, "b"), (0.1, "c"))]
    table = gap_table(Records.of(rows))
    assert table.configurations == ("a", "b")
    np.testing.assert_allclose(table.risks, [[0.5]])
    assert "without c" in table.remarks[0]
    np.testing.assert_allclose(gap_table(Records.of(rows), configuration="b").risks, [[0.6]])


def test_test_error_is_what_paired_resampling_finds() -> None:
    generator = np.random.default_rng(0)
    examples, ease = 400, generator.uniform(size=400)
    rows, answers = [], []
    for size, shift in ((1.0, -0.2), (5.0, 0.0), (0.0, 0.2)):
        for seed in range(2):
            right = generator.uniform(size=examples) < np.clip(ease + shift, 0, 1)
            what = {"correct": np.packbits(right).tobytes(), "examples": examples, "seed": seed}
            what |= {"per_class": size} if size else {"method": "full", "set": "full-matched", "per_class": 50.0}
            rows.append(row(float(right.mean()), **what))
            answers.append(right)
    table = gap_table(Records.of(rows))
    groups = np.stack([np.mean(answers[2 * i : 2 * i + 2], 0) for i in range(3)])
    drawn = groups[:, generator.integers(examples, size=(20000, examples))].mean(-1)
    np.testing.assert_allclose(table.test, np.cov(drawn), rtol=0.06, atol=1e-6)


def test_failed_networks_are_left_out_and_said() -> None:
    records = study(flat) + Records.of([row(0.0, failure="it diverged.", examples=0)])
    assert "1 networks of dm failed" in gap_table(records).remarks[0]


def test_what_is_mixed_or_lacking_is_a_sentence() -> None:
    records = study(flat)
    other = Records.of([row(0.5, method="random")])
    with pytest.raises(OptionError, match="several of a method"):
        gap_table(records + other)
    assert gap_table(records + other, method="dm").method == "dm"
    with pytest.raises(EvidenceError, match="no rows of the method 'mtt'"):
        gap_table(records, method="mtt")
    with pytest.raises(EvidenceError, match="full-data references"):
        gap_table(records.where(method="dm"))
    with pytest.raises(EvidenceError, match="no rows of distilled sets"):
        gap_table(records.where(method="full"))
    with pytest.raises(EvidenceError, match="configuration 'z'"):
        gap_table(records, configuration="z")
    with pytest.raises(MismatchError, match="several tasks"):
        gap_table(records + Records.of([row(0.5, fingerprint="other")]))
    with pytest.raises(OptionError, match="validation and on test"):
        gap_table(records + Records.of([row(0.5, split="validation")]))
    with pytest.raises(EvidenceError, match="share no configuration"):
        gap_table(Records.of([row(0.5), row(0.9, method="full", set="full-matched", configuration="z")]))
