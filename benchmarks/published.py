"""Protocol P: the published recipes on CIFAR-10 and FashionMNIST, ConvNet-3-128, at 1, 10 and 50 a class, on a GPU.

    LIMBECK_DATA=… python benchmarks/published.py [--only dm-10 …] [--minutes 9] [--share 0.1] [--list]

Stages are named data-method-size (cifar10-dm-10); ``--only`` takes any part of such a name (dm, dm-10, cifar10). They
run in the order DM, NCFM, DSA, IDC, DataDAM, each as a study of its own in runs/published, so that a command that is
stopped goes on where it was; what is done is exported to benchmarks/results/published, and a fresh checkout goes on
from there. ``--share`` shortens distillations to that share of the published iterations, at the published rate; such a
stage has a name of its own. ``--list`` says what there is. ``--tiny`` tries the stages on the digits, on any device.

Minutes a set on one H200, guessed from counts of operations and not measured: DM 2 to 4, DataDAM 1 to 2, NCFM 10 to 20,
DSA 1 at 1 a class, 40 at 10 and 120 at 50, IDC 400 and more (``--share 0.02``); judging 1 to 5 more. There are 3 sets.
Where a recipe departs from the published one is said in DEPARTURES. benchmarks/published_results.py makes the table.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies import drive

from limbeck.compute import Compute
from limbeck.data.augment import Compose, CutMix, augmentation
from limbeck.data.dsa import DSA
from limbeck.distillation.entries import loops
from limbeck.networks.convnet import ConvNet
from limbeck.study.runs import Source
from limbeck.study.study import Evaluation, Execution, MethodChoice, References, Study
from limbeck.training.configuration import Configuration, Epochs, Step
from limbeck.training.optimizer import SGD, AdamW

HERE = Path(__file__).parent
SOURCES = {"cifar10": "parquet:$LIMBECK_DATA/cifar10", "fashionmnist": "idx:$LIMBECK_DATA/fashionmnist"}
SIZES = (1, 10, 50)
SEEDS, NETWORKS = 3, 5  # published are mostly 5 sets and 20 networks of each
FIELD = SGD(lr=0.01, momentum=0.9, weight_decay=5e-4)
NETWORK = ConvNet()
Settings = dict[str, Any]


def taught(epochs: int, batch: int, **changes: Any) -> Configuration:
    """The field's training of a set, with changes: SGD 0.01, ×0.1 at half, DSA with flips."""
    usual: Settings = {"optimizer": FIELD, "schedule": Step(), "augmentation": DSA()}
    return Configuration("own", NETWORK, **{**usual, **changes}, length=Epochs(epochs), batch=batch)


def dm(data: str, per_class: int) -> Settings:
    """20,000 iterations, rate 1 [zhao2023dm]."""
    return {"augmentation": "dsa", "recipe": taught(1000, 256)}


def ncfm(data: str, per_class: int) -> Settings:
    """4,096 sampled frequencies, blends of 20 trained networks; AdamW and CutMix to train on the set [wang2025ncfm]."""
    schedule = Step((0.2, 0.4, 0.6, 0.8), 0.5)
    recipe = taught(2000, 128, optimizer=AdamW(lr=1e-3), schedule=schedule, augmentation=augmentation("dsa-cutmix"))
    return {"state.count": 20, "state.updates": 2000, "recipe": recipe}


def dsa(data: str, per_class: int) -> Settings:
    """1,000 networks, rate 0.1 [zhao2021dsa]."""
    return {"augmentation": "dsa", "recipe": taught(1000, 256)}


def idc(data: str, per_class: int) -> Settings:
    """2,000 networks of 100 matching steps, trained with CutMix in between; CutMix to train on the set [kim2022idc]."""
    cut = Compose((DSA("color_crop_cutout" if data == "cifar10" else "color_crop", mode="idc"), CutMix()))
    recipe = taught(1000, 64, schedule=Step((2 / 3, 5 / 6), 0.2), augmentation=augmentation("dsa-cutmix"))
    return {"state.augmentation": cut, "recipe": recipe}


def datadam(data: str, per_class: int) -> Settings:
    """8,000 iterations, power 4 [sajedi2023datadam]."""
    return {"augmentation": "dsa", "recipe": taught(1800, 64)}


RECIPES: Mapping[str, Callable[[str, int], Settings]] = {
    "dm": dm,
    "ncfm": ncfm,
    "dsa": dsa,
    "idc": idc,
    "datadam": datadam,
}
ITERATIONS: Mapping[str, Callable[[int], int]] = {
    "dm": lambda size: 20_000,
    "ncfm": lambda size: 20_000,
    "dsa": lambda size: 1000 * loops(size)[0],
    "idc": lambda size: 200_000,
    "datadam": lambda size: 8000,
}
DEPARTURES: Mapping[str, str] = {
    "dm": "one augmentation draw a step and not one a class",
    "ncfm": "networks trained for 2,000 updates and not 60 epochs; one step of both terms and all classes together "
    "and not one of each; a constant rate; pixels not cut to [0, 1]; frequencies sampled and not learned",
    "dsa": "one augmentation draw a step and not one a class",
    "idc": "one step of all classes together and not one a class; pixels not cut to [0, 1]; one augmentation draw "
    "a step and not one a class",
    "datadam": "networks with instance norm and not batch norm; power and iterations of the paper and not of its code; "
    "one augmentation draw a step and not one a class",
}


@dataclass(frozen=True)
class Stage:
    """One cell of the published tables; ``share`` of the published iterations."""

    data: str
    method: str
    per_class: int
    share: float = 1.0

    @property
    def name(self) -> str:
        """data-method-size, and the share where it is not all."""
        whole = f"{self.data}-{self.method}-{self.per_class}"
        return whole if self.share == 1 else f"{whole}-share{self.share:g}"

    def wanted(self, patterns: Sequence[str]) -> bool:
        """True where a pattern names nothing that this stage is not; for no patterns always."""
        mine = {self.data, self.method, str(self.per_class)}
        return not patterns or any(set(pattern.split("-")) <= mine for pattern in patterns)

    @property
    def iterations(self) -> int:
        """Matching steps."""
        return max(1, round(self.share * ITERATIONS[self.method](self.per_class)))

    def study(self, compute: Compute) -> Study:
        """Three sets, five networks each, by the published recipe."""
        settings = {**RECIPES[self.method](self.data, self.per_class), "network": NETWORK}
        if self.share != 1:
            settings["lr"] = "published"  # another length would have its own measured rate
        choice = MethodChoice(self.method, tuple(sorted(settings.items())), self.method)
        return Study(
            name=self.name,
            source=Source(SOURCES[self.data], (("validation_share", 0.02),)),
            methods=(choice,),
            per_class=(self.per_class,),
            seeds=((0, tuple(range(SEEDS))),),
            iterations=((0, float(self.iterations)),),
            evaluation=Evaluation(("own",), seeds=tuple(range(NETWORKS)), together=NETWORKS, splits=("test",)),
            references=References((), ()),
            compute=compute,
            execution=Execution(processes=1),
        )


def stages(share: float = 1.0) -> list[Stage]:
    """All of them, in the order in which they run."""
    return [Stage(data, method, size, share) for method in RECIPES for size in SIZES for data in SOURCES]


def tiny(stage: Stage) -> Study:
    """The same code paths on the digits: a small network, few steps of everything."""
    small = ConvNet(depth=2, width=8)
    study = stage.study(Compute("cpu", "float32", "off"))
    (method,) = study.methods
    changes: Settings = {"network": small, "real_batch": 8, "recipe.length.count": 2, "recipe.architecture": small}
    changes |= {"ncfm": {"state.count": 2, "state.updates": 2}, "idc": {"state.updates": 2}}.get(stage.method, {})
    settings = {**dict(method.settings), **changes}
    return Study(
        name=f"tiny-{stage.name}",
        source=Source("digits"),
        methods=(MethodChoice(method.name, tuple(sorted(settings.items())), method.label),),
        per_class=(min(stage.per_class, 10),),
        seeds=((0, (0, 1)),),
        iterations=((0, 3.0),),
        evaluation=Evaluation(("own",), seeds=(0, 1), together=2, splits=("test",)),
        references=References((), ()),
        compute=study.compute,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Work through the stages that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="PART", help="e.g. dm-10, cifar10-dsa, 50")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after about so long")
    parser.add_argument("--share", type=float, default=1.0, help="of the published iterations")
    parser.add_argument("--runs", type=Path, default=Path("runs") / "published")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "published", help="where exports are kept")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--list", action="store_true", help="say what there is, and do nothing")
    parser.add_argument("--tiny", action="store_true", help="the digits and a few steps, on the CPU, to see it run")
    given = parser.parse_args(words)
    chosen = [stage for stage in stages(given.share) if stage.wanted(given.only)]
    if not chosen:
        parser.error(f"no stage is called {' or '.join(given.only)}: give parts of names such as cifar10-dm-10.")
    if given.list:
        for stage in chosen:
            there = "exported" if (given.results / f"{stage.name}.parquet").exists() else ""
            print(f"{stage.name:28} {stage.iterations:>8} iterations  {there}".rstrip())
        return
    until = time.monotonic() + 60 * given.minutes
    for stage in chosen:
        study = tiny(stage) if given.tiny else stage.study(Compute(given.device, "bfloat16"))
        kept = (given.runs if given.tiny else given.results) / f"{study.name}.parquet"
        if not drive(study, given.runs / study.name, kept, until, every=300.0):
            break


if __name__ == "__main__":
    main()
