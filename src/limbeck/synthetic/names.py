"""The names of this room: starts, ways to choose, parametrisations, labels."""

from collections.abc import Mapping

from limbeck.options import pick
from limbeck.synthetic.choose import Chooser, Herding, KCenter, KMeans, Random
from limbeck.synthetic.factored import Factored
from limbeck.synthetic.initial import Chosen, Initial, Noise, RealRandom
from limbeck.synthetic.labels import HardLabels, LabelRule, LearnedLabels, TeacherLabels, TriedLabels
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.synthetic.pixels import Pixels

__all__ = [
    "CHOOSERS",
    "INITIALS",
    "LABELS",
    "PARAMETRISATIONS",
    "chooser",
    "initial",
    "label_rule",
    "parametrisation",
]

CHOOSERS: Mapping[str, tuple[Chooser, str]] = {
    "random": (Random(), "uniform without replacement"),
    "herding": (Herding(), "greedy matching of the class mean"),
    "kmeans": (KMeans(), "the examples nearest to the centroids of k-means"),
    "kcenter": (KCenter(), "greedy k-centre: the farthest example first"),
}
INITIALS: Mapping[str, tuple[Initial, str]] = {
    "noise": (Noise(), "standard normal values"),
    "real": (RealRandom(), "real examples drawn uniformly"),
    "herding": (Chosen(Herding()), "real examples chosen by herding"),
    "kmeans": (Chosen(KMeans()), "real examples nearest to k-means centroids"),
    "kcenter": (Chosen(KCenter()), "real examples chosen by greedy k-centre"),
}
PARAMETRISATIONS: Mapping[str, tuple[Parametrisation, str]] = {
    "pixels": (Pixels(), "the inputs themselves"),
    "factored": (Factored(), "factor² smaller images in one, up-sampled to train"),
}
LABELS: Mapping[str, tuple[LabelRule, str]] = {
    "hard": (HardLabels(), "the class of each example"),
    "teacher": (TeacherLabels(), "probabilities of a network trained on real data"),
    "tried": (TriedLabels(), "hard or a teacher's, whichever train better networks on validation"),
    "learned": (LearnedLabels(), "probabilities optimised with the images"),
}


def chooser(text: str) -> Chooser:
    """The chooser of ``name`` or ``name:field=value,…``, e.g. ``kmeans:steps=10``; OptionError."""
    return pick(CHOOSERS, text, "way to choose")


def initial(text: str) -> Initial:
    """The start of ``name``; OptionError."""
    return pick(INITIALS, text, "start of a synthetic set")


def parametrisation(text: str) -> Parametrisation:
    """The parametrisation of ``name`` or ``name:field=value,…``, e.g. ``factored:factor=3``; OptionError."""
    return pick(PARAMETRISATIONS, text, "parametrisation")


def label_rule(text: str) -> LabelRule:
    """The label rule of ``name`` or ``name:field=value,…``, e.g. ``learned:lr=2.0``; OptionError."""
    return pick(LABELS, text, "kind of labels")
