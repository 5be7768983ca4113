"""The named methods: each a composition with its published losses and defaults."""

from collections.abc import Callable
from dataclasses import dataclass

from limbeck.distillation.distiller import Distiller
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.selection import Selection
from limbeck.distillation.setting import Setting
from limbeck.errors import unknown
from limbeck.matching.along_synthetic import AlongSynthetic
from limbeck.matching.features import Features
from limbeck.matching.fresh import Fresh
from limbeck.matching.gradients import Gradients
from limbeck.matching.moments import MeanGap
from limbeck.matching.rows import RowCosine
from limbeck.matching.surrogate import Match, Sum
from limbeck.synthetic.choose import Herding, KCenter, KMeans, Random
from limbeck.synthetic.initial import Noise, RealRandom
from limbeck.training.optimizer import SGD

__all__ = ["METHODS", "Entry", "method"]


@dataclass(frozen=True)
class Entry:
    """One row of the table of methods; ``sources`` are keys of references.bib."""

    build: Callable[[Setting], Distiller]
    line: str
    sources: tuple[str, ...]
    distils: bool = True


def dc(setting: Setting) -> MatchingDistiller:
    """Class gradients by row-wise cosine along networks trained on the synthetic set [zhao2021dc]."""
    steps, inner = loops(setting.per_class)
    return MatchingDistiller(
        name="dc",
        surrogate=Sum((Match(Gradients(), RowCosine()),)),
        state=AlongSynthetic((setting.architecture,), steps=steps, inner=inner),
        recipe=setting.recipe(augmented=False),
        initial=Noise(),
        optimizer=SGD(lr=0.1, momentum=0.5, weight_decay=0.0),
        iterations=1000 * steps,
        teacher=setting.teacher,
    )


def dsa(setting: Setting) -> MatchingDistiller:
    """DC under one shared differentiable augmentation of both batches [zhao2021dsa]."""
    steps, inner = loops(setting.per_class)
    return MatchingDistiller(
        name="dsa",
        surrogate=Sum((Match(Gradients(), RowCosine()),)),
        state=AlongSynthetic((setting.architecture,), steps=steps, inner=inner),
        recipe=setting.recipe(),
        augmentation=setting.augmentation,
        initial=RealRandom(),
        optimizer=SGD(lr=0.1, momentum=0.5, weight_decay=0.0),
        iterations=1000 * steps,
        teacher=setting.teacher,
    )


def dm(setting: Setting) -> MatchingDistiller:
    """Class means of a fresh network's features [zhao2023dm]."""
    return MatchingDistiller(
        name="dm",
        surrogate=Sum((Match(Features(), MeanGap()),)),
        state=Fresh((setting.architecture,)),
        recipe=setting.recipe(),
        augmentation=setting.augmentation,
        initial=RealRandom(),
        optimizer=SGD(lr=10.0 if setting.per_class >= 100 else 1.0, momentum=0.5, weight_decay=0.0),
        iterations=20_000,
        teacher=setting.teacher,
    )


def random(setting: Setting) -> Selection:
    """Real examples, uniformly without replacement; a smaller set is the beginning of a larger one."""
    return Selection("random", Random(), setting.recipe(), setting.teacher)


def herding(setting: Setting) -> Selection:
    """Greedy matching of the class mean in a trained network's features [welling2009herding]."""
    return Selection("herding", Herding(), setting.recipe(), setting.teacher, features="embedding")


def kmeans(setting: Setting) -> Selection:
    """The examples nearest to k-means centres of a trained network's features."""
    return Selection("kmeans", KMeans(), setting.recipe(), setting.teacher, features="embedding")


def kcenter(setting: Setting) -> Selection:
    """Greedy k-centre in a trained network's features [sener2018coreset]."""
    return Selection("kcenter", KCenter(), setting.recipe(), setting.teacher, features="embedding")


METHODS: dict[str, Entry] = {
    "dc": Entry(dc, "gradient matching, class by class", ("zhao2021dc",)),
    "dm": Entry(dm, "distribution matching of class means", ("zhao2023dm",)),
    "dsa": Entry(dsa, "gradient matching under a shared augmentation", ("zhao2021dsa", "zhao2021dc")),
    "herding": Entry(herding, "real examples whose mean follows the class mean", ("welling2009herding",), distils=False),
    "kcenter": Entry(kcenter, "real examples that cover the class", ("sener2018coreset", "gonzalez1985clustering"), distils=False),
    "kmeans": Entry(kmeans, "real examples nearest to cluster centres", ("lloyd1982kmeans", "arthur2007kmeans"), distils=False),
    "random": Entry(random, "random real examples", (), distils=False),
}

_INNER = ((1, 1), (10, 50), (20, 25), (30, 20), (40, 15), (50, 10), (100, 2))


def loops(per_class: int) -> tuple[int, int]:
    """(matching steps a network, epochs between them) for any size: the published table, linear in between.

    Published: 1 → (1, 1), 10 → (10, 50), 20 → (20, 25), 30 → (30, 20), 40 → (40, 15), 50 → (50, 10)
    [zhao2021dc]; its first author advises (100, 2) for 100. Beyond that the last pair stays.
    """
    steps = min(per_class, _INNER[-1][0])
    for (low, few), (high, many) in zip(_INNER, _INNER[1:], strict=False):
        if steps <= high:
            share = (steps - low) / (high - low)
            return steps, max(1, round(few + share * (many - few)))
    return _INNER[-1]


def method(name: str, setting: Setting) -> Distiller:
    """The named method's distiller at its defaults for ``setting``; OptionError with the nearest names otherwise."""
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name].build(setting)
