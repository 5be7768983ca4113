"""A study: a grid of runs, written as one frozen value (Python) or one YAML file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, final

from limbeck.compute import Compute
from limbeck.errors import OptionError
from limbeck.study.runs import DistilRun, EvaluateRun, Options, ReferenceRun, Run, Source
from limbeck.training.configuration import Configuration
from limbeck.values import canonical, replace, value

__all__ = ["Amounts", "Evaluation", "Execution", "MethodChoice", "References", "Seeds", "Study"]

Amounts: TypeAlias = tuple[tuple[int, float], ...]  # (size, amount); size 0 stands for all sizes that are not named
Seeds: TypeAlias = tuple[tuple[int, tuple[int, ...]], ...]  # (size, seeds); size 0 likewise

T = TypeVar("T")
SPLITS = ("validation", "test")


def _of_size(by_size: tuple[tuple[int, T], ...], size: int) -> T | None:
    table = dict(by_size)
    return table.get(size, table.get(0))


def _distils(method: str) -> bool:
    from limbeck.distillation.methods import METHODS

    return method not in METHODS or METHODS[method].distils


def _revision(method: str) -> int:
    from limbeck.distillation.methods import METHODS

    return METHODS[method].revision if method in METHODS else 1


def _chunks(seeds: tuple[int, ...], length: int) -> Iterator[tuple[int, ...]]:
    return (seeds[i : i + length] for i in range(0, len(seeds), length))


def _distinct(what: str, items: Iterable[Any]) -> None:
    entries = list(items)
    if not entries:
        raise OptionError(f"{what} is empty: give at least one.")
    twice = next((entry for i, entry in enumerate(entries) if entry in entries[:i]), None)
    if twice is not None:
        raise OptionError(
            f"{what} holds {twice} twice: name each once (methods that differ in settings differ in label)."
        )


def _among(what: str, items: tuple[str, ...], known: tuple[str, ...]) -> None:
    _distinct(what, items)
    for item in items:
        if item not in known:
            raise OptionError(f"{what} holds '{item}': known are {', '.join(known)}.")


@final
@value
class MethodChoice:
    """One method of a study.

    settings: changes to its defaults. label: its name in tables ("" is the name with its settings).
    soft:     a selection with a teacher's soft labels.
    per_class, seeds, seconds, iterations: where they differ from the study's; empty means the study's.
    """

    name: str
    settings: Options = ()
    label: str = ""
    soft: bool = False
    per_class: tuple[int, ...] = ()
    seeds: Seeds = ()
    seconds: Amounts = ()
    iterations: Amounts = ()

    @property
    def called(self) -> str:
        """The name in tables."""
        return self.label or " ".join([self.name, *(f"{key}={item}" for key, item in self.settings)])


@final
@value
class Evaluation:
    """How sets are judged.

    configurations: "own" (the set's recipe), names of spaces, or Configuration values.
    architectures:  names of networks, each trained by the field's recipe (across architectures).
    seeds:     of the networks. together: seeds that one run trains at once.
    splits:    what is measured, in one training. labels: "own", "hard", or both.
    """

    configurations: tuple[str | Configuration, ...] = ("own",)
    architectures: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    together: int = 5
    splits: tuple[str, ...] = SPLITS
    labels: tuple[str, ...] = ("own",)

    def __post_init__(self) -> None:
        _distinct("evaluation.configurations", [canonical(c) for c in self.configurations])
        _distinct("evaluation.seeds", self.seeds)
        if self.together < 1:
            raise OptionError(f"evaluation.together is {self.together}: a run trains at least 1 network.")
        _among("evaluation.splits", self.splits, SPLITS)
        _among("evaluation.labels", self.labels, ("own", "hard"))


@final
@value
class References:
    """Seeds of the networks trained on all real data: with matched updates, and to convergence. Empty: none."""

    matched: tuple[int, ...] = (0, 1, 2)
    converged: tuple[int, ...] = ()


@final
@value
class Execution:
    """How runs are spread over this machine; it changes no run's name.

    processes: worker processes (1 works in the driver itself). threads: of each (None: what PyTorch takes).
    unit:      seconds that no unit of work is longer than: whatever takes longer stops on the way and goes on.
    """

    processes: int = 1
    threads: int | None = None
    unit: float = 900.0

    def __post_init__(self) -> None:
        if not self.unit > 0:
            raise OptionError(f"unit is {self.unit} seconds: give a positive time, such as 15m.")
        if self.processes < 1 or (self.threads is not None and self.threads < 1):
            raise OptionError(
                f"{self.processes} processes of {self.threads} threads were asked for: at least 1 is needed."
            )


@final
@value
class Study:
    """A grid: methods × sizes × distillation seeds × configurations × evaluation seeds.

    per_class:  stored examples a class. seeds: of the distillations, for all sizes or by size.
    seconds, iterations: of a distillation, for all sizes or by size; seconds are turned into iterations once, and the
                iterations are stored. Neither: the method's published iterations.
    network:    that methods distil with (None: the default for the data's shape).
    """

    name: str
    source: Source
    methods: tuple[MethodChoice, ...]
    per_class: tuple[int, ...] = (1, 10)
    seeds: Seeds = ((0, (0, 1, 2)),)
    seconds: Amounts = ()
    iterations: Amounts = ()
    network: str | None = None
    evaluation: Evaluation = Evaluation()
    references: References = References()
    compute: Compute = Compute()
    execution: Execution = Execution()

    def __post_init__(self) -> None:
        if not self.methods:
            raise OptionError("the study has no methods: name at least one.")
        for sizes in (self.per_class, *(m.per_class for m in self.methods if m.per_class)):
            _distinct("per_class", sizes)
            if min(sizes) < 1:
                raise OptionError(f"per_class holds {min(sizes)}: a set stores at least 1 example a class.")
        _distinct(
            "methods",
            [
                f"{m.called}{', soft' if m.soft else ''} at {size} a class"
                for m in self.methods
                for size in m.per_class or self.per_class
            ],
        )
        for method in self.methods:
            for size in method.per_class or self.per_class:
                self._check_size(method, size)
        if not any(seeds for m in self.methods for _, seeds in m.seeds or self.seeds):
            raise OptionError("distillation_seeds is 0 everywhere, so nothing would be made: give at least one.")
        for owner in ((self.seconds, self.iterations), *((m.seconds, m.iterations) for m in self.methods)):
            if all(owner):
                raise OptionError("seconds and iterations are both given: a distillation's length is one of them.")

    def _check_size(self, method: MethodChoice, size: int) -> None:
        """OptionError where something is given by size, and not for a size that is asked for."""
        if _of_size(method.seeds or self.seeds, size) is None:
            raise OptionError(
                f"distillation_seeds says nothing of {size} a class ({method.called}): give it a number there."
            )
        given = (method.seconds, method.iterations, self.seconds, self.iterations)
        if any(given) and _distils(method.name) and all(_of_size(each, size) is None for each in given):
            raise OptionError(
                f"seconds and iterations say nothing of {size} a class ({method.called}): give one of them there, or "
                "neither anywhere for the published lengths."
            )

    @staticmethod
    def load(path: str | Path) -> "Study":
        """The study of a YAML file; OptionError with the key's path where it says something unknown."""
        from limbeck.study.reading import read_study

        return read_study(Path(path))

    @property
    def identity(self) -> "Study":
        """The study without what changes no result."""
        return replace(self, execution=Execution())

    def distillations(self) -> Iterator[DistilRun]:
        """The sets to make: small seeds and sizes first, so that an interrupted study is a smaller whole one."""
        order = []
        for rank, method in enumerate(self.methods):
            for size in method.per_class or self.per_class:
                for place, seed in enumerate(_of_size(method.seeds or self.seeds, size) or ()):
                    order.append((place, size, rank, self._distil(method, size, seed)))
        yield from (run for *_, run in sorted(order, key=lambda entry: entry[:3]))

    def runs(
        self, configurations: tuple[Configuration | None, ...], references: tuple[Configuration, ...] = ()
    ) -> tuple[Run, ...]:
        """All runs, each after those that it needs.

        configurations: the evaluation's, resolved for the data; None is the set's own recipe.
        references:     those that full data is trained by.
        """
        found: dict[str, Run] = {}
        for run in (*self._references(references), *self._line(configurations)):
            found.setdefault(run.name, run)
        return tuple(found.values())

    def _line(self, configurations: tuple[Configuration | None, ...]) -> Iterator[Run]:
        judged = self.evaluation
        for distil in self.distillations():
            yield from distil.needs
            yield distil
            for configuration in configurations:
                for labels in judged.labels:
                    for seeds in _chunks(judged.seeds, judged.together):
                        yield EvaluateRun(distil, configuration, seeds, judged.splits, labels)

    def _references(self, configurations: tuple[Configuration, ...]) -> Iterator[Run]:
        splits = self.evaluation.splits
        for configuration in configurations:
            for seed in self.references.matched:  # one network a run: full data is the longest training there is
                yield ReferenceRun(self.source, configuration, "matched", (seed,), splits, self.compute)
            for seed in self.references.converged:
                yield ReferenceRun(self.source, configuration, "converged", (seed,), splits, self.compute)

    def _distil(self, method: MethodChoice, size: int, seed: int) -> DistilRun:
        settings = dict(method.settings)
        if self.network is not None:
            settings.setdefault("network", self.network)
        if method.soft:
            settings["soft"] = True
        seconds, iterations = _of_size(method.seconds, size), _of_size(method.iterations, size)
        if seconds is None and iterations is None and _distils(method.name):  # a selection has no iterations
            seconds, iterations = _of_size(self.seconds, size), _of_size(self.iterations, size)
        return DistilRun(
            source=self.source,
            method=method.name,
            settings=tuple(sorted(settings.items())),
            per_class=size,
            seed=seed,
            iterations=None if iterations is None else int(iterations),
            budget=None if seconds is None else float(seconds),
            compute=self.compute,
            label=method.called,
            revision=_revision(method.name),
        )
