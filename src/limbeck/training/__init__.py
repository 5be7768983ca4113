"""How does it learn? Configurations and spaces of them, optimizers, the one training loop, and unrolled gradients."""

from limbeck.training.configuration import Configuration, Constant, Cosine, Epochs, Length, Schedule, Step, Updates
from limbeck.training.cost import forward_flops, training_seconds
from limbeck.training.distance import covering_number, distance_matrix, net
from limbeck.training.optimizer import SGD, Adam, AdamW, Optimizer, OptimizerState, RMSprop
from limbeck.training.predict import fitted, predict
from limbeck.training.space import SPACES, Space, space
from limbeck.training.stages import Paused, Stages
from limbeck.training.train import Trained, train
from limbeck.training.unroll import UnrolledGradient, UnrollSteps, unrolled_gradient

__all__ = [
    "SGD",
    "SPACES",
    "Adam",
    "AdamW",
    "Configuration",
    "Constant",
    "Cosine",
    "Epochs",
    "Length",
    "Optimizer",
    "OptimizerState",
    "Paused",
    "RMSprop",
    "Schedule",
    "Space",
    "Stages",
    "Step",
    "Trained",
    "UnrollSteps",
    "UnrolledGradient",
    "Updates",
    "covering_number",
    "distance_matrix",
    "fitted",
    "forward_flops",
    "net",
    "predict",
    "space",
    "train",
    "training_seconds",
    "unrolled_gradient",
]
