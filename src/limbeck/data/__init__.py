"""What is real? Sources, tasks with a sealed test split, preprocessing and augmentation."""

from limbeck.data.arrays import arrays
from limbeck.data.augment import AUGMENTATIONS, DSA, Compose, CropFlip, CutMix, FeatureNoise, Mixup, augmentation
from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.digits import digits
from limbeck.data.examples import Examples
from limbeck.data.folder import folder
from limbeck.data.hub import hub
from limbeck.data.idx import idx
from limbeck.data.nothing import Nothing
from limbeck.data.npz import npz
from limbeck.data.options import Options
from limbeck.data.parquet import parquet
from limbeck.data.placement import on_device
from limbeck.data.pools import ArrowPool, TensorPool
from limbeck.data.preprocessing import Preprocessing
from limbeck.data.sources import SOURCES, open_source
from limbeck.data.table import table
from limbeck.data.task import Pool, Sealed, Task

__all__ = [
    "AUGMENTATIONS",
    "DSA",
    "SOURCES",
    "ArrowPool",
    "Augmentation",
    "Compose",
    "CropFlip",
    "CutMix",
    "Draw",
    "Examples",
    "FeatureNoise",
    "Mixup",
    "Nothing",
    "Options",
    "Pool",
    "Preprocessing",
    "Sealed",
    "Task",
    "TensorPool",
    "arrays",
    "augmentation",
    "digits",
    "folder",
    "hub",
    "idx",
    "npz",
    "on_device",
    "open_source",
    "parquet",
    "table",
]
