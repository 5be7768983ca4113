"""How good, for whom? Networks trained on sets, examined on the test split, and scores with their evidence."""

from limbeck.evaluation.cells import Cells, Kind, cells, kinds
from limbeck.evaluation.difficulty import DifficultyMeter, RealDifficulty, SetDifficulty, difficulty_table
from limbeck.evaluation.evaluate import evaluate, own_recipe
from limbeck.evaluation.intervals import Estimate, estimate, holm, t_interval, welch
from limbeck.evaluation.measure import Draws, Measurement, difficulties, measure
from limbeck.evaluation.ranking import (
    AugmentationRobustness,
    LabelRobustness,
    augmentation_robustness,
    label_robustness,
    scaled,
)
from limbeck.evaluation.records import Record, Records
from limbeck.evaluation.reference import train_full
from limbeck.evaluation.scores import Difference, Score, Worst, difference, gap, score
from limbeck.evaluation.table import Line, Table, table
from limbeck.evaluation.verdict import Comparison, Verdict, best_baseline, gain_over_random, of_kind, verdict

__all__ = [
    "AugmentationRobustness",
    "Cells",
    "Comparison",
    "Difference",
    "DifficultyMeter",
    "Draws",
    "Estimate",
    "Kind",
    "LabelRobustness",
    "Line",
    "Measurement",
    "RealDifficulty",
    "Record",
    "Records",
    "Score",
    "SetDifficulty",
    "Table",
    "Verdict",
    "Worst",
    "augmentation_robustness",
    "best_baseline",
    "cells",
    "difference",
    "difficulties",
    "difficulty_table",
    "estimate",
    "evaluate",
    "gain_over_random",
    "gap",
    "holm",
    "kinds",
    "label_robustness",
    "measure",
    "of_kind",
    "own_recipe",
    "scaled",
    "score",
    "t_interval",
    "table",
    "train_full",
    "verdict",
    "welch",
]
