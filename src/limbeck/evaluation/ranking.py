"""Label-robust and augmentation-robust scores, on fractions: how much of a set's accuracy is the images' own.

HLR = acc(full data, hard) − acc(set, hard): what hard labels do not recover; lower is better.
IOR = acc(set) − acc(random of the same size, the same labels): improvement over random.
LRS = s(w·IOR − (1 − w)·HLR),  ARS = s(γ·IOR with augmentation + (1 − γ)·IOR without),
s(α) = (e^α − e^−1) / (e − e^−1), which maps [−1, 1] to [0, 1]; s(0) = 0.269, so that the range in use is narrow and
the parts are given beside the score. [li2024ddranking]
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

from limbeck.errors import EvidenceError, OptionError, unknown
from limbeck.evaluation.cells import Cells, cells
from limbeck.evaluation.intervals import LEVEL, Estimate, estimate
from limbeck.evaluation.records import Record, Records

__all__ = ["AugmentationRobustness", "LabelRobustness", "augmentation_robustness", "label_robustness", "scaled"]


@dataclass(frozen=True)
class LabelRobustness:
    """LRS with its parts; each an estimate over distillation seeds."""

    score: Estimate
    hlr: Estimate
    ior: Estimate
    mode: str
    remarks: str

    def sentence(self) -> str:
        """For a person."""
        tail = f"; {self.remarks}" if self.remarks else ""
        parts = f"hard-label recovery gap {self.hlr.sentence()}, improvement over random {self.ior.sentence()}"
        return f"label-robust score ({self.mode} labels) {self.score.sentence()}: {parts}{tail}."


@dataclass(frozen=True)
class AugmentationRobustness:
    """ARS with its parts; each an estimate over distillation seeds."""

    score: Estimate
    augmented: Estimate
    plain: Estimate
    remarks: str

    def sentence(self) -> str:
        """For a person."""
        tail = f"; {self.remarks}" if self.remarks else ""
        parts = (
            f"improvement over random {self.augmented.sentence()} with augmentation, {self.plain.sentence()} without"
        )
        return f"augmentation-robust score {self.score.sentence()}: {parts}{tail}."


def scaled(alpha: float) -> float:
    """s(α) = (e^α − e^−1) / (e − e^−1) for α in [−1, 1]; OptionError outside (percent instead of fractions)."""
    if not -1 <= alpha <= 1:
        raise OptionError(f"{alpha} is outside [-1, 1]: accuracies go in as fractions, not as percent.")
    return (math.exp(alpha) - math.exp(-1)) / (math.e - math.exp(-1))


def label_robustness(
    ours: Records,
    random: Records,
    full: Records,
    *,
    mode: str = "hard",
    weight: float = 0.5,
    level: float = LEVEL,
) -> LabelRobustness:
    """LRS of one method at one size.

    ours:   rows of the method with hard labels, and with soft or learned ones where ``mode`` is "soft".
    random: rows of the random baseline with the same labels, size, configurations and distillation seeds.
    full:   rows of the full-data reference (hard labels).
    mode:   which labels both sides of IOR have; HLR is always of hard labels. weight: w in [0, 1].
    """
    if mode not in ("hard", "soft"):
        raise unknown("mode", mode, ("hard", "soft"))
    _check_weight(weight)
    hard = cells(ours.where(labels="hard"))
    graded = _labelled(ours, mode)
    mine, theirs, real = cells(graded), cells(_labelled(random, mode)), cells(full)
    units, names = _common((hard, mine, theirs), real)
    reference = list(real.by_unit(names).values())
    best = math.fsum(reference) / len(reference)
    hlr = [best - hard.by_unit(names)[unit] for unit in units]
    ior = [mine.by_unit(names)[unit] - theirs.by_unit(names)[unit] for unit in units]
    scores = [scaled(weight * i - (1 - weight) * h) for i, h in zip(ior, hlr, strict=True)]
    return LabelRobustness(
        score=estimate(scores, level=level),
        hlr=estimate(hlr, level=level),
        ior=estimate(ior, level=level),
        mode=mode,
        remarks=_remarks(hard, mine, theirs, real),
    )


def augmentation_robustness(
    ours: Records, random: Records, *, augmented: Collection[str], weight: float = 0.5, level: float = LEVEL
) -> AugmentationRobustness:
    """ARS of one kind against random of the same size and labels; γ = ``weight`` in [0, 1].

    augmented: names of the configurations that augment; all others in the records are taken to be without.
    """
    _check_weight(weight)

    def improvement(with_it: bool) -> tuple[dict[int, float], str]:
        def wanted(row: Record) -> bool:
            return (row.configuration in augmented) == with_it

        mine, theirs = (cells(Records.of(filter(wanted, rows))) for rows in (ours, random))
        units, names = _common((mine, theirs), None)
        gains = {unit: mine.by_unit(names)[unit] - theirs.by_unit(names)[unit] for unit in units}
        return gains, _remarks(mine, theirs)

    (rich, first), (plain, second) = improvement(True), improvement(False)
    units = [unit for unit in rich if unit in plain]
    scores = [scaled(weight * rich[unit] + (1 - weight) * plain[unit]) for unit in units]
    return AugmentationRobustness(
        score=estimate(scores, level=level),
        augmented=estimate([rich[unit] for unit in units], level=level),
        plain=estimate([plain[unit] for unit in units], level=level),
        remarks="; ".join(dict.fromkeys(part for part in (first, second) if part)),
    )


def _labelled(records: Records, mode: str) -> Records:
    """The rows with hard labels, or those with any others."""
    return Records.of(row for row in records if (row.labels == "hard") == (mode == "hard"))


def _common(groups: tuple[Cells, ...], full: Cells | None) -> tuple[list[int], tuple[str, ...]]:
    """Distillation seeds and configurations that all have."""
    everybody = groups if full is None else (*groups, full)
    names = tuple(
        name for name in everybody[0].configurations if all(name in each.configurations for each in everybody)
    )
    units = [unit for unit in groups[0].units if all(unit in each.units for each in groups)]
    if not names or not units:
        what = "configuration" if not names else "distillation seed"
        raise EvidenceError(f"the records of {', '.join(str(each.kind) for each in everybody)} share no {what}.")
    if len({(each.fingerprint, each.split_seed, each.split) for each in everybody}) > 1:
        raise EvidenceError("the records of a robust score come from different tasks or splits: use one.")
    return units, names


def _remarks(*groups: Cells) -> str:
    return "; ".join(dict.fromkeys(f"{each.kind}: {each.remarks()}" for each in groups if each.remarks()))


def _check_weight(weight: float) -> None:
    if not 0 <= weight <= 1:
        raise OptionError(f"the weight is {weight}: it must lie in [0, 1].")
