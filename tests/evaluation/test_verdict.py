import pytest

from limbeck.errors import EvidenceError
from limbeck.evaluation.cells import Kind
from limbeck.evaluation.records import Records
from limbeck.evaluation.verdict import best_baseline, gain_over_random, of_kind, verdict
from tests.evaluation.evaluation_rows import row

DM = Kind("dm", 10.0, "hard")


def rows(method: str, numbers: tuple[float, ...], labels: str = "hard", **changes: object) -> Records:
    return Records.of(
        row(a, method=method, labels=labels, distillation_seed=unit, **changes) for unit, a in enumerate(numbers)
    )


def test_the_words() -> None:
    records = rows("dm", (0.70, 0.71, 0.72)) + rows("random", (0.50, 0.52, 0.51))
    records += rows("random", (0.80, 0.60, 0.72), "soft")
    known = verdict(records, DM)
    assert [each.word for each in known.comparisons] == ["better", "cannot tell"]
    assert "against random: better" in known.sentence()
    assert "3 distillation seeds" in known.sentence()


def test_worse_is_said() -> None:
    known = verdict(rows("dm", (0.3, 0.31, 0.32)) + rows("random", (0.5, 0.52, 0.51)), DM)
    assert [each.word for each in known.comparisons] == ["worse", "not compared"]
    assert "there are no rows of random with soft labels" in known.comparisons[1].reason


def test_one_seed_cannot_tell() -> None:
    known = verdict(rows("dm", (0.9,)) + rows("random", (0.1,)), DM)
    assert known.comparisons[0].word == "cannot tell"
    assert "1 distillation seed: no interval" in known.sentence()


def test_two_questions_need_more_evidence_than_one() -> None:
    # differences 0.08, 0.10, 0.20: t = 3.402, p = 0.0766 / 2 sides; alone below 0.1, doubled above it
    ours, random = rows("dm", (0.58, 0.60, 0.70)), rows("random", (0.5, 0.5, 0.5))
    assert verdict(ours + random, DM, level=0.9).comparisons[0].word == "better"
    both = ours + random + rows("random", (0.5, 0.5, 0.5), "soft")
    assert [each.word for each in verdict(both, DM, level=0.9).comparisons] == ["cannot tell", "cannot tell"]


def test_gain_compares_like_labels() -> None:
    records = rows("dm", (0.7, 0.7), "learned") + rows("random", (0.5, 0.5)) + rows("random", (0.6, 0.6), "soft")
    assert gain_over_random(records, Kind("dm", 10.0, "learned")).estimate.value == pytest.approx(0.1)
    with pytest.raises(EvidenceError, match="no rows"):
        gain_over_random(records, Kind("dm", 1.0, "learned"))


def test_the_best_baseline_is_chosen_on_validation() -> None:
    records = rows("dm", (0.7, 0.7)) + rows("random", (0.9, 0.9), validation=0.4)
    records += rows("kmeans", (0.6, 0.6), validation=0.5) + rows("herding", (0.8, 0.8), validation=0.9, per_class=1.0)
    best = best_baseline(records, DM, baselines=("random", "kmeans", "herding"))
    assert best == Kind("kmeans", 10.0, "hard")  # though random is better on test
    assert len(of_kind(records, best)) == 2
    with pytest.raises(EvidenceError, match="no baseline"):
        best_baseline(records, DM, baselines=("dsa",))
