"""The named methods: each a composition with its published losses and defaults."""

from limbeck.distillation.distiller import Distiller
from limbeck.distillation.entries import Entry, loops
from limbeck.distillation.further_methods import FURTHER
from limbeck.distillation.image_rate import MeasuredRate
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.selection import Selection
from limbeck.distillation.selection_by_difficulty import EL2N, DifficultySelection, Forgetting, GraNd
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
from limbeck.values import replace

__all__ = ["METHODS", "Entry", "loops", "method"]


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
        rate=MeasuredRate(published=1000 * steps),
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
        rate=MeasuredRate(published=1000 * steps),
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
        rate=MeasuredRate(published=20_000),
        teacher=setting.teacher,
    )


def match(setting: Setting) -> MatchingDistiller:
    """Any view with any discrepancy and state; class means of a fresh network's features until something is set."""
    return replace(dm(setting), name="match", iterations=2000, rate=MeasuredRate())


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


def el2n(setting: Setting) -> DifficultySelection:
    """The examples of largest error early in training; --set pool=easy takes the others [paul2021diet]."""
    return DifficultySelection("el2n", EL2N(), setting.recipe(), setting.teacher)


def grand(setting: Setting) -> DifficultySelection:
    """The examples of largest gradient early in training; --set pool=easy takes the others [paul2021diet]."""
    return DifficultySelection("grand", GraNd(), setting.recipe(), setting.teacher)


def forgetting(setting: Setting) -> DifficultySelection:
    """The examples most often forgotten while training; --set pool=easy takes the others [toneva2019forgetting]."""
    return DifficultySelection("forgetting", Forgetting(), setting.recipe(), setting.teacher)


_FIRST: dict[str, Entry] = {
    "dc": Entry(dc, "gradient matching, class by class", ("zhao2021dc",)),
    "dm": Entry(dm, "distribution matching of class means", ("zhao2023dm",)),
    "dsa": Entry(dsa, "gradient matching under a shared augmentation", ("zhao2021dsa", "zhao2021dc")),
    "el2n": Entry(el2n, "real examples of large early error", ("paul2021diet",), distils=False),
    "forgetting": Entry(forgetting, "real examples that are often forgotten", ("toneva2019forgetting",), distils=False),
    "grand": Entry(grand, "real examples of large early gradient", ("paul2021diet",), distils=False),
    "herding": Entry(
        herding, "real examples whose mean follows the class mean", ("welling2009herding",), distils=False
    ),
    "kcenter": Entry(
        kcenter, "real examples that cover the class", ("sener2018coreset", "gonzalez1985clustering"), distils=False
    ),
    "kmeans": Entry(
        kmeans, "real examples nearest to cluster centres", ("lloyd1982kmeans", "arthur2007kmeans"), distils=False
    ),
    "match": Entry(
        match, "any view, discrepancy and state: --set view=… discrepancy=… state=…", ("chen2025discrepancy",)
    ),
    "random": Entry(random, "random real examples", (), distils=False),
}

METHODS: dict[str, Entry] = dict(sorted((_FIRST | FURTHER).items()))


def method(name: str, setting: Setting) -> Distiller:
    """The named method's distiller at its defaults for ``setting``; OptionError with the nearest names otherwise."""
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name].build(setting)
