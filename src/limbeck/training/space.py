"""Spaces of configurations: whom a synthetic set should serve. The named ones adapt to the shape of the data."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import final

import torch

from limbeck.data.augment import CropFlip, FeatureNoise
from limbeck.data.augmentation import Augmentation
from limbeck.data.dsa import DSA
from limbeck.data.nothing import Nothing
from limbeck.errors import FitError, OptionError, unknown
from limbeck.networks.alexnet import AlexNet
from limbeck.networks.convnet import ConvNet
from limbeck.networks.lenet import LeNet
from limbeck.networks.mlp import MLP
from limbeck.networks.names import NETWORKS
from limbeck.networks.network import Architecture
from limbeck.networks.vgg import VGG11
from limbeck.training.configuration import Configuration, Cosine, Epochs, Length, Schedule, Step, Updates
from limbeck.training.optimizer import SGD, AdamW, Optimizer, RMSprop
from limbeck.values import value

__all__ = ["SPACES", "Space", "space"]

STANDARD_UPDATES, QUICK_UPDATES = (
    300,
    150,
)  # enough for the loss of 100 images to flatten; a minute a network on one CPU
MIXED_BATCH = 100  # ten images a class of ten: the whole of such a set, and as many real ones beside it

Named = Mapping[str, Architecture]


@final
@value
class Space:
    """A finite set of configurations with different names."""

    name: str
    configurations: tuple[Configuration, ...]

    def __post_init__(self) -> None:
        names = [c.name for c in self.configurations]
        if not names or len(set(names)) < len(names):
            raise OptionError(f"the space '{self.name}' needs at least one configuration, each with a name of its own.")

    def __len__(self) -> int:
        return len(self.configurations)

    def __iter__(self) -> Iterator[Configuration]:
        return iter(self.configurations)

    @staticmethod
    def product(
        name: str,
        *,
        architectures: Mapping[str, Architecture],
        optimizers: Mapping[str, tuple[Optimizer, Schedule]],
        augmentations: Mapping[str, Augmentation],
        length: Length,
        batch: int = 256,
    ) -> "Space":
        """All combinations, named ``architecture/optimizer/augmentation``, of one length and batch size."""
        made = [
            Configuration(f"{a}/{o}/{g}", architecture, optimizer, schedule, augmentation, length, batch)
            for (a, architecture), (o, (optimizer, schedule)), (g, augmentation) in itertools.product(
                architectures.items(), optimizers.items(), augmentations.items()
            )
        ]
        return Space(name, tuple(made))

    def sample(self, n: int, generator: torch.Generator) -> "Space":
        """``n`` of them, without replacement, in the space's order; OptionError where there are fewer."""
        if not 1 <= n <= len(self):
            raise OptionError(f"{n} configurations were asked of the space '{self.name}', which has {len(self)}.")
        rows = torch.randperm(len(self), generator=generator, device=generator.device)[:n].sort().values.tolist()
        return Space(f"{self.name}-sample-{n}", tuple(self.configurations[row] for row in rows))


def space(
    name: str,
    shape: tuple[int, ...],
    *,
    architecture: Architecture | None = None,
    augment: Augmentation | None = None,
) -> Space:
    """The named space for inputs of ``shape`` ((c, h, w) or (d,)); OptionError for an unknown name.

    architecture, augment: use this network, this augmentation, instead of the space's own ones.
    """
    if name not in SPACES:
        if name == "own":
            raise OptionError("'own' is each set's own recipe and no space to build: name one of limbeck list spaces.")
        raise unknown("space", name, [*SPACES, "own"])
    return _BUILDERS[name](tuple(shape), architecture, augment)


def _quick(shape: tuple[int, ...], architecture: Architecture | None, augment: Augmentation | None) -> Space:
    network = architecture or _networks(shape, 1).popitem()[1]
    optimizer = AdamW(lr=2e-3, weight_decay=0.01)
    length = Updates(QUICK_UPDATES)
    made = Configuration("quick", network, optimizer, Cosine(), augment or Nothing(), length)
    return Space("quick", (made,))


def _dc_bench(shape: tuple[int, ...], architecture: Architecture | None, augment: Augmentation | None) -> Space:
    network = architecture or (ConvNet(depth=None) if len(shape) == 3 and min(shape[1:]) >= 2 else MLP())
    still = augment is None or augment == Nothing()
    length = Epochs(300 if still else 1000)
    made = Configuration("dc-bench", network, SGD(0.01, 0.9, 5e-4), Step(), augment or Nothing(), length)
    return Space("dc-bench", (made,))


def _standard(shape: tuple[int, ...], architecture: Architecture | None, augment: Augmentation | None) -> Space:
    if architecture is not None:
        networks: Named = {_label(architecture): architecture}
    else:
        networks = _networks(shape, 4)
    return Space.product(
        "standard",
        architectures=networks,
        optimizers=_OPTIMIZERS,
        augmentations=_augmentations(shape, augment),
        length=Updates(STANDARD_UPDATES),
    )


def _mixed(shape: tuple[int, ...], architecture: Architecture | None, augment: Augmentation | None) -> Space:
    """Every network and every pair of optimizer and augmentation at least once, walked through side by side."""
    known = list((_varied(shape) if architecture is None else {_label(architecture): architecture}).items())
    optimizers, augmentations = list(_OPTIMIZERS.items()), list(_augmentations(shape, augment).items())[::-1]
    made = []
    for i in range(max(len(known), len(optimizers) * len(augmentations))):
        a, network = known[i % len(known)]
        o, (optimizer, schedule) = optimizers[i % len(optimizers)]
        g, how = augmentations[i % len(augmentations)]
        length = Updates(QUICK_UPDATES)
        made.append(Configuration(f"{a}/{o}/{g}", network, optimizer, schedule, how, length, MIXED_BATCH))
    return Space("mixed", tuple(made))


def _varied(shape: tuple[int, ...]) -> Named:
    """Small networks of several families and norms that fit the shape."""
    if len(shape) != 3:
        return _FOR_TABLES
    depth = 2 if min(shape[1:]) < 16 else 3
    wanted: Named = {
        f"convnet-{depth}-32": ConvNet(depth, width=32),
        f"convnet-{depth}-32-bn": ConvNet(depth, width=32, norm="batch"),
        "lenet": LeNet(),
        "mlp": MLP(),
        f"convnet-{depth}-32-plain": ConvNet(depth, width=32, norm="none"),
        "alexnet-16": AlexNet(width=16),
        "vgg11-8": VGG11(width=8),
    }
    return {name: network for name, network in wanted.items() if _fits(network, shape)}


def _fits(network: Architecture, shape: tuple[int, ...]) -> bool:
    try:
        network.build(shape, 2)
    except FitError:
        return False
    return True


def _augmentations(shape: tuple[int, ...], augment: Augmentation | None) -> dict[str, Augmentation]:
    if augment is not None:
        return {type(augment).__name__.lower(): augment}
    return {"none": Nothing(), **(_image_augmentation(shape) if len(shape) == 3 else {"noise": FeatureNoise()})}


_FOR_IMAGES = ("convnet-3-32", "convnet-3-32-bn", "lenet", "mlp", "convnet-2-32", "convnet-2-32-bn")
_FOR_SMALL_IMAGES = ("convnet-2-32", "convnet-2-32-bn", "lenet", "mlp")  # three halvings would leave one pixel
_FOR_TABLES: Named = {
    "mlp": MLP(),
    "mlp-32": MLP(width=32),
    "mlp-deep": MLP(depth=3),
    "mlp-shallow": MLP(depth=1),
}
_OPTIMIZERS: Mapping[str, tuple[Optimizer, Schedule]] = {
    "sgd": (SGD(lr=0.01, momentum=0.9, weight_decay=5e-4), Step()),
    "adamw": (AdamW(lr=1e-3, weight_decay=0.01), Cosine()),
    "rmsprop": (RMSprop(lr=1e-3), Cosine(warmup=0.05)),
}


def _image_augmentation(shape: tuple[int, ...]) -> dict[str, Augmentation]:
    """DSA, without flips for grey images (letters have a handedness); translations for images below 8 pixels."""
    if min(shape[1:]) < 8:
        return {"shift": CropFlip(pad=1, flip=False)}
    return {"dsa": DSA() if shape[0] >= 3 else DSA("color_crop_cutout_scale_rotate")}


def _networks(shape: tuple[int, ...], count: int) -> dict[str, Architecture]:
    """The first ``count`` networks for the shape that fit it; variants of the MLP fill up for the tiniest images."""
    fitting: dict[str, Architecture] = {}
    small = len(shape) == 3 and min(shape[1:]) < 16
    for name in (_FOR_SMALL_IMAGES if small else _FOR_IMAGES) if len(shape) == 3 else ():
        if _fits(NETWORKS[name][0], shape):
            fitting[name] = NETWORKS[name][0]
    return dict(list({**fitting, **_FOR_TABLES}.items())[:count])


def _label(architecture: Architecture) -> str:
    names = [name for name, (known, _) in NETWORKS.items() if known == architecture]
    return names[0] if names else type(architecture).__name__.lower()


_Builder = Callable[[tuple[int, ...], Architecture | None, Augmentation | None], Space]
_BUILDERS: Mapping[str, _Builder] = {"quick": _quick, "dc-bench": _dc_bench, "mixed": _mixed, "standard": _standard}

SPACES: Mapping[str, str] = {
    "quick": f"one small network, {QUICK_UPDATES} updates: for demos and tests",
    "dc-bench": "the field's recipe: SGD 0.01, momentum 0.9, batch 256, ×0.1 at half; 300 epochs, augmented 1000",
    "mixed": f"6 configurations or 7: networks, optimizers and augmentations in turn, {QUICK_UPDATES} updates each",
    "standard": f"24 configurations: 4 networks × 3 optimizers × 2 augmentations, {STANDARD_UPDATES} updates each",
}
