"""The pilot: a study that fits a time budget, its laws, and the plan they give. The only law that starts a study."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.compute import Compute
from limbeck.errors import EvidenceError, FitError, OptionError
from limbeck.laws.plan import Plan
from limbeck.laws.scaling import ScalingLaw
from limbeck.study.execute import StudyProgress, Summary, run
from limbeck.study.perform import RealWork, opened
from limbeck.study.results import StudyResults
from limbeck.study.runs import EvaluateRun, Options, Source
from limbeck.study.study import Evaluation, Execution, MethodChoice, References, Study
from limbeck.study.work import Place

__all__ = ["Found", "design", "findings", "pilot", "source_of"]

TARGETS = (0.2, 0.1, 0.05, 0.02)  # gaps to full data that are planned for
LARGEST = 200  # examples a class at most
SHARE = 0.4  # of the budget for distilling; the rest trains networks
PROCESSES = 2


@dataclass(frozen=True)
class Found:
    """What a pilot found for one method: its law with a plan for each target, or the sentence that says why not."""

    method: str
    law: ScalingLaw | None
    plans: tuple[Plan, ...]
    reason: str

    def sentence(self) -> str:
        """The plan in one sentence: for the smallest gap that can be reached, else why none can."""
        if self.law is None:
            return f"{self.method}: {self.reason}"
        reached = [plan for plan in self.plans if plan.reachable and not plan.extrapolated]
        best = reached[-1] if reached else next((p for p in self.plans if p.reachable), self.plans[0])
        return f"With {self.method}, {_lower(best.sentence())}"

    def sureness(self) -> str:
        """How sure the plan is, and what a larger budget would buy."""
        if self.law is None:
            return "A larger budget would allow more sizes and seeds."
        known = self.law.gap_at(float(self.law.ground.table.sizes[-1]), certainty=0.95)
        return (
            f"A new {self.method} run at the largest measured size has a gap below {100 * known.high:.1f} points with "
            f"95 % certainty ({100 * known.value:.1f} expected); four times the budget would about halve the part of "
            "that margin which comes from few seeds, not the spread between runs itself."
        )


def design(source: Source, budget: float, *, network: str | None = None, device: str = "auto") -> Study:
    """The study that fits ``budget`` seconds on this machine: sizes, seeds, iterations; measured for a few seconds.

    Sizes are log-spaced from 1 to a fifth of the smallest class, 200 at most. Richer designs are tried first: five
    down to two distillation seeds, nine down to four sizes, then smaller largest sizes. Raises FitError where not
    even the smallest design fits.
    """
    if budget < 30:
        raise OptionError(f"a budget of {budget:g} s is too short for a pilot: give at least 30s.")
    task = opened(source)
    most = min(LARGEST, min(task.counts) // 5)
    if most < 4:
        raise FitError(f"the smallest class has {min(task.counts)} training examples: a pilot needs at least 20.")
    compute = Compute(device=device).resolve()
    cost = _cost(source, most, network, compute)
    room = (1 - SHARE) * budget * PROCESSES * 0.8  # a fifth is kept for start-up and the references
    while most >= 4:
        for seeds in (5, 4, 3, 2):
            for count in (9, 7, 5, 4):
                sizes = _sizes(most, count)
                if len(sizes) >= 4 and 2 * seeds * sum(cost(k) for k in sizes) <= room:
                    return _study(source, sizes, seeds, budget, network, compute)
        most //= 2
    raise FitError(f"{budget:g} s are too short for a pilot on this data and machine: give more, or a smaller network.")


def pilot(
    study: Study, directory: Path, *, watch: Callable[[StudyProgress], None], seconds: float | None = None
) -> Summary:
    """Run the study of :func:`design`, resumably."""
    return run(study, directory, watch=watch, seconds=seconds)


def findings(
    results: StudyResults, *, certainty: float = 0.95, targets: Sequence[float] = TARGETS
) -> tuple[Found, ...]:
    """Laws and plans of each method, the one that promises the smallest gap at the largest size first."""
    records = results.records.where(split="test")
    task = opened(results.study.source)
    found = []
    for method in dict.fromkeys(choice.called for choice in results.study.methods):
        try:
            law = ScalingLaw.fit(records, method=method)
        except EvidenceError as error:
            found.append(Found(method, None, (), str(error)))
            continue
        plans = (law.samples_for(gap=gap, certainty=certainty) for gap in targets)
        found.append(Found(method, law, tuple(plan.with_costs(shape=task.shape) for plan in plans), ""))
    return tuple(sorted(found, key=_promise))


def _promise(found: Found) -> float:
    if found.law is None:
        return float("inf")
    return found.law.gap_at(float(found.law.ground.table.sizes[-1]), certainty=0.95).value


def _sizes(most: int, count: int) -> tuple[int, ...]:
    return tuple(sorted({int(k) for k in np.geomspace(1, most, count).round()}))


def _cost(source: Source, most: int, network: str | None, compute: Compute) -> Callable[[int], float]:
    """Seconds of training and examining the networks of one set, by size: a line through two measurements."""
    ends = []
    for size in (1, most):
        trial = _study(source, (size,), 2, 60.0, network, compute)
        work = RealWork()
        runs = trial.runs(work.describe(trial).configurations, work.describe(trial).references)
        first = next(r for r in runs if isinstance(r, EvaluateRun))
        ends.append(work.predict(first, Place(Path("."))))
    slope = max(0.0, (ends[1] - ends[0]) / max(1, most - 1))
    return lambda size: ends[0] + slope * (size - 1)


def _study(
    source: Source, sizes: tuple[int, ...], seeds: int, budget: float, network: str | None, compute: Compute
) -> Study:
    each = SHARE * budget * PROCESSES / (len(sizes) * seeds)
    common: Options = (("updates", 150),)
    matching = tuple(
        # a mean's gradient is shared by its images: the image learning rate grows with the size
        MethodChoice(
            "dm",
            tuple(sorted((*common, ("lr", float(size)), ("real_batch", 64)))),
            label="dm",
            per_class=(size,),
            seconds=((0, each),),
        )
        for size in sizes
    )
    return Study(
        name="pilot",
        source=source,
        methods=(MethodChoice("random", common, label="random"), *matching),
        per_class=sizes,
        seeds=((0, tuple(range(seeds))),),
        network=network,
        evaluation=Evaluation(configurations=("own",), seeds=(0, 1), together=2, splits=("test",)),
        references=References(matched=(0, 1, 2)),
        compute=compute,
        execution=Execution(processes=PROCESSES, threads=1),
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text


def source_of(text: str, **options: Any) -> Source:
    """A study's source from the text and options of a command line."""
    kept = {key: item for key, item in options.items() if item is not None and item is not False}
    return Source(text, tuple(sorted(kept.items())))
