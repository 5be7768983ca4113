"""What do we make? The artefact, what it stores, how it starts, how it is labelled, saved, shown and exported."""

from limbeck.synthetic.choose import Chooser, Features, Herding, KCenter, KMeans, Random, choose_real, class_counts
from limbeck.synthetic.export import FORMATS, export
from limbeck.synthetic.factored import Factored
from limbeck.synthetic.initial import Chosen, Initial, Noise, RealRandom, Wanted
from limbeck.synthetic.labels import HardLabels, LabelRule, LearnedLabels, TeacherLabels, TriedLabels
from limbeck.synthetic.names import (
    CHOOSERS,
    INITIALS,
    LABELS,
    PARAMETRISATIONS,
    chooser,
    initial,
    label_rule,
    parametrisation,
)
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.synthetic.pixels import Pixels
from limbeck.synthetic.preview import grid, heat_map
from limbeck.synthetic.synthetic_set import Card, SyntheticSet

__all__ = [
    "CHOOSERS",
    "FORMATS",
    "INITIALS",
    "LABELS",
    "PARAMETRISATIONS",
    "Card",
    "Chooser",
    "Chosen",
    "Factored",
    "Features",
    "HardLabels",
    "Herding",
    "Initial",
    "KCenter",
    "KMeans",
    "LabelRule",
    "LearnedLabels",
    "Noise",
    "Parametrisation",
    "Pixels",
    "Random",
    "RealRandom",
    "SyntheticSet",
    "TeacherLabels",
    "TriedLabels",
    "Wanted",
    "choose_real",
    "chooser",
    "class_counts",
    "export",
    "grid",
    "heat_map",
    "initial",
    "label_rule",
    "parametrisation",
]
