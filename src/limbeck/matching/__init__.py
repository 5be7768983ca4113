"""How alike do two sets teach? Views, discrepancies, states, and the surrogate that sums what they say."""

from limbeck.matching.along_real import AlongReal
from limbeck.matching.along_synthetic import AlongSynthetic
from limbeck.matching.audience import Everyone, Net, WorstGap
from limbeck.matching.batch import Batch
from limbeck.matching.batch_statistics import BatchStatistics
from limbeck.matching.calibration import Calibration
from limbeck.matching.characteristic import CharacteristicGap
from limbeck.matching.cloud import Cloud
from limbeck.matching.difficulty import batch_gradient_norm, el2n, forgetting, gradient_norms, gradn, misclassification
from limbeck.matching.discrepancy import Context, Discrepancy, Facts
from limbeck.matching.features import Attention, Features, Logits, Losses
from limbeck.matching.fresh import Fresh
from limbeck.matching.gradients import Gradients
from limbeck.matching.kernels import Distance, Gaussian, Kernel, Laplace, Linear, Polynomial
from limbeck.matching.mmd import MMD
from limbeck.matching.moments import MeanGap, Moments
from limbeck.matching.names import AUDIENCES, DISCREPANCIES, STATES, VIEWS
from limbeck.matching.per_example import PerExample
from limbeck.matching.pixel_values import PixelValues
from limbeck.matching.pool import NetworkPool
from limbeck.matching.real_side import RealSide
from limbeck.matching.rows import RowCosine, RowL1, RowSquared, VectorCosine
from limbeck.matching.sdc import (
    AdaptivePace,
    BatchGradientNorm,
    GradientNorms,
    LinearPace,
    LogarithmicPace,
    Pace,
    SampleGradientNorm,
    SteadyPace,
)
from limbeck.matching.state import Audience, Location, State, Surroundings
from limbeck.matching.surrogate import Match, Needs, Place, Reading, Sum, Surrogate, Term
from limbeck.matching.trained import TrainedNetworks
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.matching.wasserstein import Sinkhorn, SlicedWasserstein

__all__ = [
    "AUDIENCES",
    "DISCREPANCIES",
    "MMD",
    "STATES",
    "VIEWS",
    "AdaptivePace",
    "AlongReal",
    "AlongSynthetic",
    "Attention",
    "Audience",
    "Batch",
    "BatchGradientNorm",
    "BatchStatistics",
    "Calibration",
    "CharacteristicGap",
    "Cloud",
    "Context",
    "Cotangents",
    "Discrepancy",
    "Distance",
    "Everyone",
    "Facts",
    "Features",
    "Fresh",
    "Gaussian",
    "Glimpse",
    "GradientNorms",
    "Gradients",
    "Kernel",
    "Laplace",
    "Linear",
    "LinearPace",
    "Location",
    "LogarithmicPace",
    "Logits",
    "Losses",
    "Match",
    "MeanGap",
    "Moments",
    "Needs",
    "Net",
    "NetworkPool",
    "Pace",
    "PerExample",
    "PixelValues",
    "Place",
    "Polynomial",
    "Reading",
    "RealSide",
    "RowCosine",
    "RowL1",
    "RowSquared",
    "SampleGradientNorm",
    "Sinkhorn",
    "SlicedWasserstein",
    "State",
    "SteadyPace",
    "Sum",
    "Surrogate",
    "Surroundings",
    "Term",
    "TrainedNetworks",
    "VectorCosine",
    "View",
    "WorstGap",
    "batch_gradient_norm",
    "el2n",
    "forgetting",
    "gradient_norms",
    "gradn",
    "misclassification",
]
