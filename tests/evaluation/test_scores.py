import dataclasses
import math

import pytest

from limbeck.errors import EvidenceError, MismatchError, OptionError
from limbeck.evaluation.cells import Kind, cells
from limbeck.evaluation.records import Records
from limbeck.evaluation.scores import difference, gap, score
from limbeck.evaluation.verdict import best_baseline, verdict
from tests.evaluation.evaluation_rows import row


def grid(method: str, numbers: dict[tuple[int, str], tuple[float, ...]], **changes: object) -> Records:
    """Rows from (distillation seed, configuration) → accuracies of its networks."""
    return Records.of(
        row(a, method=method, distillation_seed=unit, configuration=name, seed=seed, **changes)
        for (unit, name), accuracies in numbers.items()
        for seed, a in enumerate(accuracies)
    )


OURS = {(0, "a"): (0.6, 0.8), (0, "b"): (0.5, 0.5), (1, "a"): (0.8, 0.8), (1, "b"): (0.6, 0.8)}
# means: seed 0: (0.7 + 0.5) / 2 = 0.6, seed 1: (0.8 + 0.7) / 2 = 0.75


def test_a_score_by_hand() -> None:
    known = score(grid("dm", OURS))
    assert known.estimate.value == pytest.approx(0.675)
    assert known.estimate.n == 2
    # t(0.975, 1) = 12.7062, s = 0.15 / √2, half = 12.7062 · 0.15 / 2
    assert known.estimate.half == pytest.approx(12.7062 * 0.075, abs=1e-4)
    assert known.worst.configuration == "b"
    assert known.worst.estimate is not None
    assert known.worst.estimate.value == pytest.approx(0.6)
    assert known.networks == 8
    assert "8 networks" in known.sentence()
    assert known.remarks == ""


def test_more_networks_are_not_more_evidence() -> None:
    once = score(grid("dm", OURS)).estimate
    often = score(grid("dm", {place: numbers * 10 for place, numbers in OURS.items()})).estimate
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert often.n == 2


def test_unequal_numbers_of_networks_do_not_weigh() -> None:
    uneven = grid("dm", {**OURS, (0, "b"): (0.5,) * 9})
    assert score(uneven).estimate.value == pytest.approx(0.675)


def test_failures_are_counted_and_said() -> None:
    bad = row(0.0, distillation_seed=1, configuration="a", seed=9, failure="stopped at update 3 of 5: infinite.")
    known = score(grid("dm", OURS) + Records((bad,)))
    assert known.estimate.value == pytest.approx(0.675)
    assert known.failed == 1
    assert known.worst.configuration == "a"
    assert known.worst.failed == 1
    assert "over the 8 of 9 networks that finished; 1 failed (stopped at update 3 of 5" in known.sentence()


def test_a_configuration_that_failed_for_one_seed_is_left_out_of_all() -> None:
    bad = row(0.0, distillation_seed=1, configuration="b", failure="stopped.")
    kept = {place: numbers for place, numbers in OURS.items() if place != (1, "b")}
    known = score(grid("dm", kept) + Records((bad,)))
    assert known.estimate.value == pytest.approx(0.75)  # configuration a alone: 0.7 and 0.8
    assert known.configurations == ("a",)
    assert known.worst.configuration == "b"
    assert known.worst.estimate is None
    assert "without b" in known.sentence()


def test_nothing_finished_is_an_error_with_the_failure() -> None:
    with pytest.raises(EvidenceError, match="exploded"):
        score(Records((row(0.0, failure="exploded"),)))
    with pytest.raises(EvidenceError, match="no rows"):
        score(Records(()))


def test_mixed_rows_are_an_error() -> None:
    with pytest.raises(OptionError, match="mix dm"):
        score(Records((row(0.5), row(0.5, method="dsa"))))
    with pytest.raises(OptionError, match="validation and on test"):
        score(Records((row(0.5), row(0.5, split="validation"))))
    with pytest.raises(MismatchError, match="2 tasks"):
        score(Records((row(0.5), row(0.5, fingerprint="g"))))
    with pytest.raises(OptionError, match="did you mean selected"):
        cells(Records((row(0.5),)), measure="selectd")


THEIRS = {(0, "a"): (0.6,), (0, "b"): (0.4,), (1, "a"): (0.6,), (1, "b"): (0.6,), (2, "a"): (0.9,), (2, "b"): (0.9,)}


def test_a_paired_difference_by_hand() -> None:
    known = difference(grid("dm", OURS), grid("random", THEIRS))
    # seed 0: 0.6 − 0.5, seed 1: 0.75 − 0.6; seed 2 has no partner
    assert known.estimate.value == pytest.approx(0.125)
    assert known.estimate.spread == pytest.approx(0.05 / math.sqrt(2))
    assert known.estimate.n == 2
    assert known.paired
    assert "dm with hard labels at 10 a class minus random" in known.sentence()


def test_differences_that_agree_to_the_last_example_are_not_exact() -> None:
    ours = grid("dm", {(0, "a"): (0.7, 0.7), (1, "a"): (0.6, 0.6)})
    theirs = grid("random", {(0, "a"): (0.6995, 0.6995), (1, "a"): (0.5995, 0.5995)})
    known = difference(ours, theirs).estimate
    # each side's grain is 1/(2 networks × 10,000), s = √2 · grain / √12 = 2.0412e-5, t = 0.0005 · √2 / s = 34.64
    assert known.p == pytest.approx(2 / math.pi * math.atan(1 / 34.641), rel=1e-3)


def test_a_difference_uses_shared_configurations_and_says_so() -> None:
    theirs = {place: numbers for place, numbers in THEIRS.items() if place[1] == "a"}
    known = difference(grid("dm", OURS), grid("random", theirs))
    assert known.estimate.value == pytest.approx((0.1 + 0.2) / 2)
    assert "without b, which only one of them was trained in" in known.remarks


def test_what_cannot_be_compared_is_an_error() -> None:
    ours = grid("dm", OURS)
    with pytest.raises(EvidenceError, match="share no distillation seed"):
        difference(ours, grid("random", {(7, "a"): (0.5,)}))
    with pytest.raises(EvidenceError, match="share no configuration"):
        difference(ours, grid("random", {(0, "c"): (0.5,)}))
    with pytest.raises(MismatchError, match="different tasks"):
        difference(ours, grid("random", THEIRS, split_seed=3))
    with pytest.raises(MismatchError, match="on test and random"):
        difference(ours, grid("random", THEIRS, split="validation"))
    with pytest.raises(EvidenceError, match="different recipes"):
        difference(ours, grid("random", THEIRS, recipe="123"))


def test_own_recipes_may_differ_and_that_is_said() -> None:
    one = Records((row(0.5, configuration="own", recipe="1"),))
    two = Records((row(0.4, configuration="own", recipe="2", method="random"),))
    assert "each by its own recipe" in difference(one, two).sentence()


def test_a_set_is_compared_with_what_was_trained_as_it_was() -> None:
    """`compare A B` trains random examples by A's recipe and by B's: each set has its own rivals."""
    by_a = [
        row(v, method="random", configuration="own", recipe="A", set=f"r{s}", distillation_seed=s)
        for s, v in pairs(0.8)
    ]
    by_b = [
        row(v, method="random", configuration="own", recipe="B", set=f"r{s}", distillation_seed=s)
        for s, v in pairs(0.4)
    ]
    ours = [row(v, configuration="own", recipe="A", set=f"d{s}", distillation_seed=s) for s, v in pairs(0.7)]
    rows = Records.of(ours + by_a + by_b)
    known = difference(rows.where(method="dm"), rows.where(method="random"))
    assert known.estimate.value == pytest.approx(-0.1)
    assert known.remarks == ""
    words = [each.word for each in verdict(rows, Kind("dm", 10.0, "hard")).comparisons]
    assert words[0] == "worse"
    full_rows = [
        row(v, method="full", set="full-matched", configuration="own", recipe=r, seed=s)
        for r, level in (("A", 0.9), ("B", 0.5))
        for s, v in pairs(level)
    ]
    assert gap(Records.of(full_rows), Records.of(ours)).estimate.value == pytest.approx(0.2)
    assert "2 training recipes under the name 'own'" in score(rows.where(method="random")).remarks


def test_the_best_baseline_is_chosen_among_those_trained_as_the_set_was() -> None:
    rows = [row(0.5, configuration="own", recipe="A")]
    for name, recipe, valid in (
        ("herding", "A", 0.6),
        ("herding", "B", 0.1),
        ("random", "A", 0.5),
        ("random", "B", 0.9),
    ):
        rows.append(row(0.5, method=name, configuration="own", recipe=recipe, validation=valid))
    assert best_baseline(Records.of(rows), Kind("dm", 10.0, "hard")).method == "herding"


def test_a_network_that_is_listed_twice_counts_once() -> None:
    rows = grid("dm", OURS)
    twice = score(Records.of([*rows, *(dataclasses.replace(each, seconds=9.0) for each in rows)]))
    assert (twice.networks, twice.estimate) == (8, score(rows).estimate)


def pairs(level: float) -> list[tuple[int, float]]:
    return [(seed, level + wobble) for seed, wobble in enumerate((-0.001, 0.0, 0.001))]


def full(numbers: tuple[float, ...], **changes: object) -> Records:
    return Records.of(
        row(
            a,
            **{"method": "full", "set": "full-matched", "per_class": 100.0, "seed": seed, "configuration": name}
            | changes,
        )
        for seed, a in enumerate(numbers)
        for name in ("a", "b")
    )


def test_the_gap_to_full_data_is_unpaired() -> None:
    known = gap(full((0.9, 0.92, 0.94)), grid("dm", OURS))
    assert known.estimate.value == pytest.approx(0.92 - 0.675)
    assert not known.paired
    assert known.estimate.n == 2
    assert known.ours == Kind("full-matched", 100.0, "hard")
    assert "full data by another recipe" in gap(full((0.9, 0.9), recipe="9"), grid("dm", OURS)).remarks
    longer = full((0.9, 0.9), recipe="9", set="full-converged")
    assert "full data trained for longer" in gap(longer, grid("dm", OURS)).remarks


def test_the_full_reference_is_scored_over_its_training_seeds() -> None:
    known = score(full((0.9, 0.92, 0.94)))
    assert known.estimate.n == 3
    assert known.estimate.unit == "training seed"
