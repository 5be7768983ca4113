"""Views, discrepancies and states by name: ``view=features:layer=1``, ``discrepancy=row-cosine``, ``state=fresh``."""

from collections.abc import Callable, Mapping
from typing import Any

from limbeck.errors import unknown
from limbeck.matching.along_real import AlongReal
from limbeck.matching.along_synthetic import AlongSynthetic
from limbeck.matching.audience import Everyone, Net, WorstGap
from limbeck.matching.batch_statistics import BatchStatistics
from limbeck.matching.characteristic import CharacteristicGap
from limbeck.matching.discrepancy import Discrepancy
from limbeck.matching.features import Attention, Features, Logits
from limbeck.matching.fresh import Fresh
from limbeck.matching.gradients import Gradients
from limbeck.matching.kernels import Distance, Gaussian, Laplace, Linear, Polynomial
from limbeck.matching.mmd import MMD
from limbeck.matching.moments import MeanGap, Moments
from limbeck.matching.pixel_values import PixelValues
from limbeck.matching.pool import NetworkPool
from limbeck.matching.rows import RowCosine, RowL1, RowSquared, VectorCosine
from limbeck.matching.sdc import AdaptivePace, LinearPace, LogarithmicPace, Pace, SteadyPace
from limbeck.matching.state import Audience, State
from limbeck.matching.trained import TrainedNetworks
from limbeck.matching.view import View
from limbeck.matching.wasserstein import Sinkhorn, SlicedWasserstein
from limbeck.networks.network import Architecture
from limbeck.options import pick
from limbeck.training.space import Space

__all__ = [
    "AUDIENCES",
    "DISCREPANCIES",
    "PACES",
    "STATES",
    "VIEWS",
    "audience",
    "discrepancy",
    "name_in",
    "pace",
    "state",
    "view",
]

MIXTURE = (0.25, 0.5, 1.0, 2.0, 4.0)

VIEWS: Mapping[str, tuple[View, str]] = {
    "attention": (Attention(), "normalised spatial attention of every stage but the last"),
    "features": (Features(), "the embedding, or the maps of one stage (layer=…)"),
    "gradients": (Gradients(), "rows of each class's weight gradients"),
    "logits": (Logits(), "the network's logits"),
    "pixels": (PixelValues(), "the inputs themselves"),
    "statistics": (BatchStatistics(), "channel means and variances of each class at every stage"),
}

DISCREPANCIES: Mapping[str, tuple[Discrepancy, str]] = {
    "characteristic": (CharacteristicGap(), "gap of characteristic functions (sampling=sampled, fixed or learned)"),
    "energy": (MMD(Distance()), "energy distance: MMD² with minus the distance as kernel"),
    "mean-gap": (MeanGap(), "squared distance of the means"),
    "mmd": (MMD(), "MMD² with a Gaussian kernel of the median distance"),
    "mmd-laplace": (MMD(Laplace()), "MMD² with a Laplace kernel of the median distance"),
    "mmd-linear": (MMD(Linear()), "MMD² with the linear kernel: the mean gap, and its unbiased form"),
    "mmd-mixture": (MMD(Gaussian(scales=MIXTURE)), "MMD² with Gaussian kernels of several widths"),
    "mmd-polynomial": (MMD(Polynomial()), "MMD² with a polynomial kernel: moments up to its degree"),
    "moments": (Moments(), "squared distances of the means and centred moments up to an order"),
    "row-cosine": (RowCosine(), "one minus the cosine, row by row (gradients)"),
    "row-l1": (RowL1(), "absolute differences, row by row (gradients)"),
    "row-squared": (RowSquared(), "squared differences, row by row (gradients)"),
    "sinkhorn": (Sinkhorn(), "debiased entropic transport between the groups"),
    "sliced-wasserstein": (SlicedWasserstein(), "transport along random directions"),
    "vector-cosine": (VectorCosine(), "one minus the cosine of all rows of a layer together (gradients)"),
}

STATES: Mapping[str, tuple[Callable[[tuple[Architecture, ...]], State], str]] = {
    "along-real": (AlongReal, "a network that is trained on real data in between"),
    "along-synthetic": (AlongSynthetic, "a network that is trained on the synthetic set in between"),
    "fresh": (Fresh, "a new random network at every iteration"),
    "pool": (NetworkPool, "a pool of networks, each partly trained on real data"),
    "trained": (TrainedNetworks, "networks trained on real data before the run"),
}

PACES: Mapping[str, tuple[Pace, str]] = {
    "adaptive": (AdaptivePace(), "in proportion to the synthetic over the real gradient norm, up to a ceiling"),
    "linear": (LinearPace(), "from start=1 to end=0 in a straight line"),
    "logarithmic": (LogarithmicPace(), "from start=1 to end=0, fast at first and slow at the end"),
    "steady": (SteadyPace(), "the same weight throughout"),
}

AUDIENCES: Mapping[str, tuple[Callable[[Space], Audience], str]] = {
    "all": (Everyone, "each configuration of the space with the same probability"),
    "net": (Net, "a few configurations that cover the space, in turn"),
    "worst": (WorstGap, "of these mostly the one that the set serves worst on validation so far"),
}


def name_in(table: Mapping[str, tuple[Any, str]], thing: Any) -> str:
    """The name of a value in a table of names: of an equal one, else of the first of its kind."""
    equal = [name for name, (known, _) in table.items() if known == thing]
    alike = [name for name, (known, _) in table.items() if type(known) is type(thing)]
    return (equal + alike + [type(thing).__name__.lower()])[0]


def view(text: str) -> View:
    """The view of ``name`` or ``name:field=value,…``; OptionError."""
    return pick(VIEWS, text, "view")


def discrepancy(text: str) -> Discrepancy:
    """The discrepancy of ``name`` or ``name:field=value,…``; OptionError."""
    return pick(DISCREPANCIES, text, "discrepancy")


def pace(text: str) -> Pace:
    """The course of a difficulty term's weight, of ``name`` or ``name:field=value,…``; OptionError."""
    return pick(PACES, text, "pace")


def state(text: str, architectures: tuple[Architecture, ...]) -> State:
    """The state of ``name`` or ``name:field=value,…`` over ``architectures``; OptionError."""
    name, _, _ = text.partition(":")
    if name not in STATES:
        raise unknown("state", name, STATES)
    return pick({name: (STATES[name][0](architectures), STATES[name][1])}, text, "state")


def audience(text: str, space: Space) -> Audience:
    """The audience of ``name`` or ``name:field=value,…`` over ``space``; OptionError."""
    name, _, _ = text.partition(":")
    if name not in AUDIENCES:
        raise unknown("way to draw from a space", name, AUDIENCES)
    return pick({name: (AUDIENCES[name][0](space), AUDIENCES[name][1])}, text, "way to draw from a space")
