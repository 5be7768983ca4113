"""A method of your own: a new discrepancy, checked by the conformance suite, and used at once (docs/tour.md explains).

python examples/add_a_discrepancy.py
"""

from typing import ClassVar, final

import torch

import limbeck
from limbeck.distillation.distill import compose
from limbeck.matching import Cloud, Context, Discrepancy, Facts, Features, Match, Sum
from limbeck.shapes import Scalar
from limbeck.testing import check_discrepancy
from limbeck.values import replace, value


@final
@value
class MeanL1(Discrepancy):
    """Σ over groups of ‖mean(P) − mean(Q)‖₁ / d: a gap that a few far coordinates cannot rule."""

    facts: ClassVar[Facts] = Facts(symmetric=True, zero_iff_equal=False)

    def __call__(self, real: Cloud, synthetic: Cloud, context: Context) -> Scalar:
        return torch.mean((real.means() - synthetic.means()).abs(), dim=1).sum()


def main(iterations: int = 100) -> limbeck.SyntheticSet:
    """Returns ten digits that were distilled by it."""
    check_discrepancy(MeanL1())
    task = limbeck.data.digits()
    known = compose(task, "dm", 1, iterations=iterations, lr=100.0)
    mine = replace(known, name="mean-l1", surrogate=Sum((Match(Features(), MeanL1()),)))
    small = limbeck.distill(task, mine, per_class=1)
    first, last = small.card.losses[0][1], small.card.losses[-1][1]
    print(f"{small.card.method}: loss {first:.3f} at first, {last:.3f} at last")
    return small


if __name__ == "__main__":
    main()
