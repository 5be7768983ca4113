"""Work that costs nothing, leaves files as the real one does, and tells how often it was asked."""

import hashlib
import json
import math
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from limbeck.errors import FitError
from limbeck.evaluation.records import Record
from limbeck.networks.mlp import MLP
from limbeck.study import (
    Description,
    DistilRun,
    EvaluateRun,
    Evaluation,
    Execution,
    MethodChoice,
    Outcome,
    PaceRun,
    Place,
    ReferenceRun,
    References,
    Run,
    Source,
    Study,
    Work,
)
from limbeck.training.configuration import Configuration

CONFIGURATIONS = (Configuration("a", MLP()), Configuration("b", MLP()))


def small_study(**changes):
    """2 methods × 2 sizes × 2 seeds, 2 configurations × 3 networks, 2 splits, 2 references."""
    fields = {
        "name": "small",
        "source": Source("fake"),
        "methods": (MethodChoice("random"), MethodChoice("dm", (("lr", 2.0),), iterations=((0, 7.0),))),
        "per_class": (1, 2),
        "seeds": ((0, (0, 1)),),
        "evaluation": Evaluation(seeds=(0, 1, 2), together=2),
        "references": References((0,), ()),
    }
    return Study(**{**fields, **changes})


def processes(study, count):
    return Study(**{**study.__dict__, "execution": Execution(count, 1)})


@dataclass(frozen=True)
class FakeWork(Work):
    """pause: seconds a run. units: calls that a distillation takes. refuse, die: runs with this in their title raise,
    or kill their process (die, while fewer than ``deaths`` have). hang: … take a minute. piece: seconds of the longest
    piece of a reference. fingerprint: of the data."""

    pause: float = 0.0
    units: int = 1
    refuse: str = "-"
    crash: str = "-"
    die: str = "-"
    deaths: int = 0
    hang: str = "-"
    piece: float = 0.0
    fingerprint: str = "f"
    salt: str = ""

    def describe(self, study: Study) -> Description:
        return Description(self.fingerprint, 10, CONFIGURATIONS, CONFIGURATIONS[:1], 1000, 100)

    def perform(self, run: Run, place: Place) -> Outcome:
        _note(place.directory / "asked.txt", run.name)
        time.sleep(60.0 if self.hang in run.title else self.pause)
        if self.refuse in run.title:
            raise FitError("this run was refused.")
        if self.crash in run.title:
            raise RuntimeError("a defect")
        if self.die in run.title and _note(place.directory / "deaths.txt", run.name) <= self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        if isinstance(run, PaceRun):
            return Outcome("done", facts={"iterations": 12})
        if isinstance(run, DistilRun):
            return self._distil(run, place)
        return Outcome("done", self._rows(run, place), seconds=self.pause)

    def present(self, run: Run, place: Place) -> bool:
        return not isinstance(run, DistilRun) or (place.set_of(run) / "card.json").exists()

    def longest(self, run: Run, place: Place) -> float:
        return self.piece if isinstance(run, ReferenceRun) else 0.0

    def predict(self, run: Run, place: Place) -> float:
        return 10.0 if isinstance(run, DistilRun) else 1.0

    def _distil(self, run, place):
        folder = place.set_of(run)
        folder.mkdir(parents=True, exist_ok=True)
        if _note(folder / "units", "x") < self.units:
            return Outcome("more", seconds=1.0)
        iterations = place.facts[run.pace.name]["iterations"] if run.pace else run.iterations
        content = json.dumps({"set": run.name, "iterations": iterations, "salt": self.salt})
        beside = folder / ".card"
        beside.write_text(content)
        for name in ("run.json", "synthetic.safetensors"):
            (folder / name).write_text(content)
        beside.replace(folder / "card.json")
        facts = {"iterations": iterations, "content": hashlib.sha256(content.encode()).hexdigest()[:16]}
        return Outcome("done", facts=facts, seconds=1.0)

    def _rows(self, run, place):
        if isinstance(run, EvaluateRun):
            made = json.loads((place.set_of(run.distil) / "card.json").read_text())["set"]
            which, size, seed = run.configuration, run.distil.per_class, run.distil.seed
        else:
            assert isinstance(run, ReferenceRun)
            made, which, size, seed = "full", run.configuration, 100, 0
        return tuple(
            row(
                set=made,
                method="full",
                configuration=which.name,
                per_class=size,
                seed=s,
                split=split,
                distillation_seed=seed,
            )
            for s in run.seeds
            for split in run.splits
        )


def row(**fields):
    """A record whose numbers follow from its names."""
    usual = {
        "set": "s",
        "method": "dm",
        "per_class": 1.0,
        "distillation_seed": 0,
        "labels": "hard",
        "configuration": "a",
        "seed": 0,
        "split": "test",
    }
    fields = {**usual, **fields, "per_class": float(fields.get("per_class", 1.0))}
    number = int(hashlib.sha256(repr(sorted(fields.items())).encode()).hexdigest()[:8], 16)
    failed = number % 7 == 0
    numbers = {
        "accuracy": math.nan if failed else (number % 1000) / 999,
        "selected": math.nan if failed else (number % 998) / 998,
        "validation": math.nan if failed else (number % 997) / 997,
        "balanced": math.nan if failed else 1 / 3,
        "recalls": (math.nan, 0.1, 1 / 3),
        "correct": b"" if failed else (number % 2**16).to_bytes(2, "big"),
        "examples": 0 if failed else 13,
        "failure": "the loss was not finite." if failed else "",
    }
    rest = {"stored": 10, "updates": 100, "seconds": 0.1 + 0.2, "fingerprint": "f", "split_seed": 0, "versions": "{}"}
    return Record(**fields, **numbers, **rest, recipe="r")


def asked(directory: Path) -> list[str]:
    """Names of the runs that were performed, in order, each as often as it was."""
    path = directory / "asked.txt"
    return path.read_text().split() if path.exists() else []


def _note(path: Path, line: str) -> int:
    """Append a line; how many there are now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line + "\n")
    return path.read_text().split().count(line)
