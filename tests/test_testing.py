"""The conformance suites pass what keeps its contract, and name the fact that a broken discrepancy breaks."""

import contextlib
from typing import ClassVar, final

import numpy as np
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
    *(discrepancy for discrepancy, _ in DISCREPANCIES.values()),
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
    held: bool = False

    @property
    def facts(self) -> Facts:
        return Facts(self.symmetric, self.zero_iff_equal, self.paired, self.unbiased, held=self.held)

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
        if self.fault == "uphill":
            return gap.detach() - 7 * (gap - gap.detach())
        if self.fault == "root":
            return (real.means() - synthetic.means()).square().sum(1).sqrt().sum()
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


@final
@value
class Steep(Discrepancy):
    """MMD with a gradient times ``factor``, which says that it holds constant what ``said`` does."""

    factor: float
    said: Discrepancy = MMD()
    inner: ClassVar[Discrepancy] = MMD()
    facts: ClassVar[Facts] = MMD().facts

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> torch.Tensor:
        gap = self.inner(real, synthetic, context)
        return gap.detach() + self.factor * (gap - gap.detach())

    def fixed(self, real: Cloud, synthetic: Cloud) -> Discrepancy:
        return self.said.fixed(real, synthetic)


@pytest.mark.parametrize("discrepancy", GOOD, ids=repr)
def test_what_is_right_passes(discrepancy: Discrepancy) -> None:
    check_discrepancy(discrepancy)


def test_a_gradient_that_holds_something_constant_is_verified_too() -> None:
    check_discrepancy(Steep(1.0))
    for factor in (1.01, -7.0):
        with pytest.raises(AssertionError, match="wrong gradient in the first"):
            check_discrepancy(Steep(factor))
    with pytest.raises(AssertionError, match="fixes something else"):
        check_discrepancy(Steep(1.0, MMD(Gaussian(3.0))))


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
        (Broken("uphill"), "wrong gradient in the first"),
        (Broken("uphill", held=True), "rises where the first cloud's points go down"),
        (Broken("one side", held=True), "has no gradient"),
        (Broken("root"), "not finite where clouds are equal"),
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


@final
@value
class Careless(Distiller):
    """A distiller that does one thing which none may."""

    inner: Distiller
    fault: str
    name: str = "careless"

    def distill(self, task, situation):
        if self.fault == "test":
            task.test.open("careless")
        if self.fault == "quietly":
            with contextlib.suppress(AssertionError):
                task.test.open("careless")
        if self.fault == "seed":
            torch.manual_seed(situation.seed)
        if self.fault == "draw":
            torch.rand(1)
        if self.fault == "numpy":
            np.random.permutation(3)
        return self.inner.distill(task, situation)


@pytest.mark.parametrize("fault", ["test", "quietly", "seed", "draw", "numpy"])
def test_a_distiller_leaves_the_test_split_and_global_generators_alone(fault: str) -> None:
    task = digits()
    words = "opens the sealed test split" if fault in ("test", "quietly") else "global generator"
    with torch.random.fork_rng(devices=[]), pytest.raises(AssertionError, match=words):
        check_distiller(Careless(method("random", Setting.of(task, 1)), fault), task)
    assert not task.test.openings


def test_distillers() -> None:
    task = digits()
    chosen = method("random", Setting.of(task, 1))
    check_distiller(chosen, task)
    with pytest.raises(AssertionError, match="ignores the seed"):
        check_distiller(SameForAllSeeds(chosen), task)
