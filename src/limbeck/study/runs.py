"""Runs: the units of work of a study. A run is a frozen value, and the digest of the value is its name.

A run that needs others holds their values, so that its name says all that its result depends on.
"""

from abc import ABC, abstractmethod
from typing import Any, Literal, TypeAlias, final

from limbeck.compute import Compute
from limbeck.training.configuration import Configuration
from limbeck.values import digest, encode, replace, value

__all__ = ["DistilRun", "EvaluateRun", "Options", "PaceRun", "ReferenceRun", "Run", "Source"]

Options: TypeAlias = tuple[tuple[str, Any], ...]  # sorted pairs: a mapping that can be hashed


@final
@value
class Source:
    """Real data as ``limbeck.data.sources.open_source(text, **options)`` names it.

    ``$NAME`` in the text is read from the environment when the data is opened: a study then has the same runs on
    machines that keep the data in different places.
    """

    text: str
    options: Options = ()


class Run(ABC):
    """A frozen value (``@value``); equal runs have equal names."""

    @property
    @abstractmethod
    def needs(self) -> tuple["Run", ...]:
        """Runs that must be done before."""

    @property
    @abstractmethod
    def title(self) -> str:
        """A few words for people: what, how large, which seed."""

    @property
    @abstractmethod
    def group(self) -> str:
        """Runs of one group take about equally long."""

    @property
    def name(self) -> str:
        """Sixteen hexadecimal digits."""
        return digest(self)


@final
@value
class PaceRun(Run):
    """Measures how long an iteration takes and turns ``budget`` seconds into iterations, once for all seeds."""

    source: Source
    method: str
    settings: Options
    per_class: int
    budget: float
    compute: Compute = Compute()

    @property
    def needs(self) -> tuple[Run, ...]:
        return ()

    @property
    def title(self) -> str:
        return f"pace of {self.method}, {self.per_class} a class"

    @property
    def group(self) -> str:
        return "pace"


@final
@value
class DistilRun(Run):
    """Makes one synthetic set.

    settings:   changes to the method's defaults. label: how tables call the method; it is no part of the name.
    per_class:  stored examples a class. revision: of the method's definition (limbeck.distillation.entries.Entry).
    iterations: None leaves the method's own number. budget: seconds, turned into iterations by a PaceRun, or None.
    """

    source: Source
    method: str
    settings: Options
    per_class: int
    seed: int
    iterations: int | None = None
    budget: float | None = None
    compute: Compute = Compute()
    label: str = ""
    revision: int = 1

    @property
    def pace(self) -> PaceRun | None:
        """The measurement that this run's iterations come from."""
        if self.budget is None:
            return None
        return PaceRun(self.source, self.method, self.settings, self.per_class, self.budget, self.compute)

    @property
    def needs(self) -> tuple[Run, ...]:
        return () if self.pace is None else (self.pace,)

    @property
    def title(self) -> str:
        return f"distil {self.label or self.method}, {self.per_class} a class, seed {self.seed}"

    @property
    def group(self) -> str:
        soft = " soft" if dict(self.settings).get("soft") else ""
        return f"distil {self.label or self.method}{soft} {self.per_class}"

    @property
    def name(self) -> str:
        return digest(_named(self))


def _named(run: DistilRun) -> dict[str, Any]:
    """What names a run: all but its label; a first revision goes unnamed, as it did before there were others."""
    data: dict[str, Any] = encode(replace(run, label=""))
    if run.revision == 1:
        del data["revision"]
    return data


@final
@value
class EvaluateRun(Run):
    """Trains networks of one configuration on one synthetic set: a row for each seed and split.

    configuration: None is the set's own recipe. labels: "own" or "hard".
    """

    distil: DistilRun
    configuration: Configuration | None
    seeds: tuple[int, ...]
    splits: tuple[str, ...] = ("validation", "test")
    labels: str = "own"

    @property
    def needs(self) -> tuple[Run, ...]:
        return (self.distil,)

    @property
    def title(self) -> str:
        which = "own" if self.configuration is None else self.configuration.name
        made = f"{self.distil.label or self.distil.method}, {self.distil.per_class} a class, seed {self.distil.seed}"
        return f"evaluate {made} by {which}"

    @property
    def group(self) -> str:
        which = "own" if self.configuration is None else self.configuration.name
        return f"evaluate {which} {len(self.seeds)} {self.distil.per_class}"

    @property
    def name(self) -> str:
        return digest({**encode(self), "distil": _named(self.distil)})


@final
@value
class ReferenceRun(Run):
    """Trains networks of one configuration on all real training data.

    length: "matched" is as many updates as on the synthetic sets, "converged" is trained to convergence.
    """

    source: Source
    configuration: Configuration
    length: Literal["matched", "converged"]
    seeds: tuple[int, ...]
    splits: tuple[str, ...] = ("validation", "test")
    compute: Compute = Compute()

    @property
    def needs(self) -> tuple[Run, ...]:
        return ()

    @property
    def title(self) -> str:
        seeds = ", ".join(str(s) for s in self.seeds)
        return f"full data, {self.length}, by {self.configuration.name}, seed {seeds}"

    @property
    def group(self) -> str:
        return f"reference {self.length} {self.configuration.name} {len(self.seeds)}"
