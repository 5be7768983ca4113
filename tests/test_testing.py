"""The conformance suites pass what keeps its contract, and name the fact that a broken discrepancy breaks."""

from typing import ClassVar, final

import pytest
import torch

from limbeck.data.digits import digits
from limbeck.distillation.distiller import Distiller, Situation
from limbeck.distillation.methods import method
from limbeck.distillation.setting import Setting
from limbeck.matching import (
    DISCREPANCIES,
    MMD,
    CharacteristicGap,
    Cloud,
    Context,
    Discrepancy,
    Facts,
    Gaussian,
    Laplace,
    Linear,
    Moments,
    Sinkhorn,
)
from limbeck.networks.names import architecture
from limbeck.testing import check_discrepancy, check_distiller, check_network
from limbeck.values import value

GOOD = [
    *(discrepancy for name, (discrepancy, _) in DISCREPANCIES.items() if name != "sinkhorn"),
    Moments(order=3),
    MMD(Gaussian(1.0)),
    MMD(Gaussian(1.0), unbiased=True),
    MMD(Gaussian(), unbiased=True),
    MMD(Laplace(2.0)),
    MMD(Linear(), unbiased=True),
    CharacteristicGap(sampling="fixed", frequencies=64),
    CharacteristicGap(sampling="learned", frequencies=256),
    CharacteristicGap(alpha=0.0, normalise=True),
    CharacteristicGap(beta=0.0),
    Sinkhorn(iterations=5),
    Sinkhorn(epsilon=10.0, iterations=20),
]


@final
@value
class Broken(Discrepancy):
    """MeanGap with one fault, and the facts that it wrongly declares."""

    fault: str = ""
    symmetric: bool = True
    zero_iff_equal: bool = False
    unbiased: bool | None = False
    paired: bool = False

    @property
    def facts(self) -> Facts:
        return Facts(self.symmetric, self.zero_iff_equal, paired=self.paired, unbiased=self.unbiased)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> torch.Tensor:
        gap = (real.means() - synthetic.means()).square().sum()
        if self.fault == "asymmetric":
            return gap * (1 + 0.1 * (real.means() - synthetic.means())[0, 0].abs() * real.points[0, 0].square())
        if self.fault == "not zero":
            return gap + 1
        if self.fault == "negative":
            return gap * torch.where(gap > gap.new_tensor(20.0), -1.0, 1.0)
        if self.fault == "order":
            return gap * (1 + (real.points[0] - synthetic.points[0]).square().sum())
        if self.fault == "groups":
            return gap.square()
        if self.fault == "weights":
            means = [torch.stack([p.mean(0) for p in c.split()]) for c in (real, synthetic)]
            return (means[0] - means[1]).square().sum()
        if self.fault == "gradient":
            return gap.detach() + 2 * (gap - gap.detach())
        if self.fault == "one side":
            return (real.means().detach() - synthetic.means()).square().sum()
        if self.fault == "type":
            return gap.double()
        if self.fault == "random":
            return gap * (1 + torch.rand(()))
        return gap

    def init(self, dimension: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        return {"a": torch.zeros(2)} if self.fault == "in place" else {}

    def ascend(self, real: Cloud, synthetic: Cloud, context: Context) -> None:
        if self.fault == "in place":
            context.state["a"] += 1


@final
@value
class NoFloor(Discrepancy):
    """Declares an unbiased measure of the squared distance of the means, corrected or not."""

    corrected: bool = True
    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=False, unbiased=True, nonnegative=False)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> torch.Tensor:
        gap = (real.means() - synthetic.means()).square().sum()
        if self.corrected:
            for cloud in (real, synthetic):
                gap = gap - sum(p.var(0, correction=1).sum() / len(p) for p in cloud.split())
        return gap


@pytest.mark.parametrize("discrepancy", GOOD, ids=repr)
def test_what_is_right_passes(discrepancy: Discrepancy) -> None:
    check_discrepancy(discrepancy)


def test_an_unbiased_estimator_is_told_from_a_biased_one() -> None:
    check_discrepancy(NoFloor())
    with pytest.raises(AssertionError, match="declares no bias"):
        check_discrepancy(NoFloor(corrected=False))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Broken("asymmetric"), "symmetric"),
        (Broken("not zero"), "zero for equal"),
        (Broken(zero_iff_equal=True), "spread"),
        (Broken("negative"), "never negative"),
        (Broken("order"), "order of the points"),
        (Broken("groups"), "add up"),
        (Broken("weights"), "twice the weight"),
        (Broken(unbiased=True), "exclude|declares no bias"),
        (Broken("gradient"), "wrong gradient in the first"),
        (Broken("one side"), "wrong gradient in the first"),
        (Broken("type"), "float64 for points of torch.float32"),
        (Broken("random"), "two values|symmetric|zero|order|add up"),
        (Broken(paired=True), "takes clouds that are not paired"),
        (Broken("in place"), "in place"),
    ],
    ids=str,
)
def test_what_is_broken_is_named(broken: Broken, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_discrepancy(broken)


@pytest.mark.parametrize("name", ["mlp", "convnet-2-32"])
def test_networks_pass(name: str) -> None:
    check_network(architecture(name), (14,) if name == "mlp" else (1, 8, 8))


@final
@value
class SameForAllSeeds(Distiller):
    """A distiller that forgets its seed."""

    inner: Distiller
    name: str = "same"

    def distill(self, task, situation):
        return self.inner.distill(task, Situation(situation.per_class, 0))


def test_distillers() -> None:
    task = digits()
    chosen = method("random", Setting.of(task, 1))
    check_distiller(chosen, task)
    with pytest.raises(AssertionError, match="ignores the seed"):
        check_distiller(SameForAllSeeds(chosen), task)
