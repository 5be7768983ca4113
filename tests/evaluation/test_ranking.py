import pytest

from limbeck.errors import EvidenceError, OptionError
from limbeck.evaluation.ranking import augmentation_robustness, label_robustness, scaled
from limbeck.evaluation.records import Records
from tests.evaluation.evaluation_rows import row


@pytest.mark.parametrize(("alpha", "value"), [(0.0, 0.269), (0.1, 0.314), (-0.1, 0.228), (1.0, 1.0), (-1.0, 0.0)])
def test_the_scale_at_known_places(alpha: float, value: float) -> None:
    assert scaled(alpha) == pytest.approx(value, abs=5e-4)


def test_percent_is_refused() -> None:
    with pytest.raises(OptionError, match="fractions"):
        scaled(12.0)


def rows(method: str, labels: str, numbers: dict[int, float], configuration: str = "a") -> Records:
    return Records.of(
        row(a, method=method, labels=labels, distillation_seed=unit, configuration=configuration)
        for unit, a in numbers.items()
    )


FULL = Records.of(row(a, method="full", set="full-matched", seed=seed) for seed, a in enumerate((0.85, 0.95)))


def test_the_label_robust_score_by_hand() -> None:
    ours = rows("dm", "hard", {0: 0.7, 1: 0.8}) + rows("dm", "learned", {0: 0.8, 1: 0.9})
    random = rows("random", "hard", {0: 0.5, 1: 0.5}) + rows("random", "soft", {0: 0.75, 1: 0.75})
    hard = label_robustness(ours, random, FULL)
    # HLR 0.2 and 0.1, IOR 0.2 and 0.3: α = 0 and 0.1
    assert hard.hlr.value == pytest.approx(0.15)
    assert hard.ior.value == pytest.approx(0.25)
    assert hard.score.value == pytest.approx((0.269 + 0.314) / 2, abs=5e-4)
    soft = label_robustness(ours, random, FULL, mode="soft")
    # HLR as before, IOR 0.05 and 0.15: α = −0.075 and 0.025
    assert soft.ior.value == pytest.approx(0.1)
    assert soft.score.value == pytest.approx((scaled(-0.075) + scaled(0.025)) / 2)
    assert "hard-label recovery gap" in soft.sentence()


def test_the_augmentation_robust_score_by_hand() -> None:
    ours = rows("dm", "hard", {0: 0.7, 1: 0.7}) + rows("dm", "hard", {0: 0.6, 1: 0.8}, "a+dsa")
    random = rows("random", "hard", {0: 0.5, 1: 0.5}) + rows("random", "hard", {0: 0.6, 1: 0.6}, "a+dsa")
    known = augmentation_robustness(ours, random, augmented=("a+dsa",))
    # β: seed 0: (0 + 0.2) / 2, seed 1: (0.2 + 0.2) / 2
    assert known.score.value == pytest.approx((scaled(0.1) + scaled(0.2)) / 2)
    assert known.augmented.value == pytest.approx(0.1)
    assert known.plain.value == pytest.approx(0.2)


def test_what_is_missing_is_said() -> None:
    ours = rows("dm", "hard", {0: 0.7})
    with pytest.raises(EvidenceError, match="share no distillation seed"):
        label_robustness(ours, rows("random", "hard", {1: 0.5}), FULL)
    with pytest.raises(OptionError, match="weight"):
        label_robustness(ours, ours, FULL, weight=2.0)
    with pytest.raises(OptionError, match="did you mean soft"):
        label_robustness(ours, ours, FULL, mode="softt")
