"""More named methods: gradients summed over classes, multi-formation, kernels, attention, characteristic functions."""

from limbeck.data.augment import DSA
from limbeck.data.augmentation import Augmentation
from limbeck.data.nothing import Nothing
from limbeck.distillation.entries import Entry, loops
from limbeck.distillation.image_rate import MeasuredRate
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.setting import Setting
from limbeck.matching.along_real import AlongReal
from limbeck.matching.along_synthetic import AlongSynthetic
from limbeck.matching.calibration import Calibration
from limbeck.matching.characteristic import CharacteristicGap
from limbeck.matching.features import Attention, Features
from limbeck.matching.fresh import Fresh
from limbeck.matching.gradients import Gradients
from limbeck.matching.mmd import MMD
from limbeck.matching.moments import MeanGap
from limbeck.matching.rows import RowCosine, RowL1, RowSquared
from limbeck.matching.surrogate import Match, Sum
from limbeck.matching.trained import TrainedNetworks
from limbeck.matching.warm_up import WarmUp
from limbeck.synthetic.factored import Factored
from limbeck.synthetic.initial import RealRandom
from limbeck.synthetic.parametrisation import Parametrisation
from limbeck.synthetic.pixels import Pixels
from limbeck.training.optimizer import SGD, Adam, AdamW

__all__ = ["FURTHER"]


def dcc(setting: Setting) -> MatchingDistiller:
    """DC from real images, then on the gradient averaged over classes, which sees what sets them apart [lee2022dcc]."""
    steps, inner = contrastive_loops(setting.per_class)
    return MatchingDistiller(
        name="dcc",
        surrogate=contrastive(),
        state=AlongSynthetic((setting.architecture,), steps=steps, inner=inner),
        recipe=setting.recipe(augmented=False),
        initial=RealRandom(),
        optimizer=SGD(lr=0.1, momentum=0.5, weight_decay=0.0),
        iterations=1000 * steps,
        rate=MeasuredRate(published=1000 * steps),
        teacher=setting.teacher,
    )


def dsac(setting: Setting) -> MatchingDistiller:
    """DCC under one shared differentiable augmentation, from real examples [lee2022dcc]."""
    steps, inner = contrastive_loops(setting.per_class)
    return MatchingDistiller(
        name="dsac",
        surrogate=contrastive(),
        state=AlongSynthetic((setting.architecture,), steps=steps, inner=inner),
        recipe=setting.recipe(),
        augmentation=setting.augmentation,
        optimizer=SGD(lr=0.1, momentum=0.5, weight_decay=0.0),
        iterations=1000 * steps,
        rate=MeasuredRate(published=1000 * steps),
        teacher=setting.teacher,
    )


def idc(setting: Setting) -> MatchingDistiller:
    """Gradients of networks trained on real data, four images in one [kim2022idc]; IDC-I is parametrisation=pixels."""
    return MatchingDistiller(
        name="idc",
        surrogate=Sum((Match(Gradients("conv" if _is_image(setting) else "weights"), _rows(setting)),)),
        state=AlongReal((setting.architecture,), steps=100, updates=31 if _is_colour(setting) else 8),
        recipe=setting.recipe(),
        augmentation=_idc_augmentation(setting),
        parametrisation=tiles(setting),
        optimizer=SGD(lr=idc_rate(setting), momentum=0.5, weight_decay=0.0),
        iterations=200_000,
        rate=MeasuredRate(published=200_000),
        real_batch=64,
        teacher=setting.teacher,
    )


def m3d(setting: Setting) -> MatchingDistiller:
    """Features by MMD² with a Gaussian kernel, four images in one [zhang2024m3d]; Adam, whose rate has no scale."""
    return MatchingDistiller(
        name="m3d",
        surrogate=Sum((Match(Features(), MMD()),)),
        state=Fresh((setting.architecture,)),
        recipe=setting.recipe(),
        augmentation=setting.augmentation,
        parametrisation=tiles(setting),
        optimizer=Adam(lr=0.01),
        iterations=20_000,
        rate=MeasuredRate(published=20_000),
        teacher=setting.teacher,
    )


def datadam(setting: Setting) -> MatchingDistiller:
    """Mean attention of inner stages and mean features: the paper's power and length [sajedi2023datadam]."""
    return MatchingDistiller(
        name="datadam",
        surrogate=attention_gap(power=4, scale=1.0),
        state=Fresh((setting.architecture,)),
        recipe=setting.recipe(),
        augmentation=setting.augmentation,
        optimizer=SGD(lr=10.0 if setting.per_class > 50 else 1.0, momentum=0.5, weight_decay=0.0),
        iterations=8000,
        rate=MeasuredRate(published=8000),
        teacher=setting.teacher,
    )


def datadam_code(setting: Setting) -> MatchingDistiller:
    """DataDAM as its public code has it: power 1, 100 times the loss, batches of 64 [sajedi2023datadam]."""
    return MatchingDistiller(
        name="datadam-code",
        surrogate=attention_gap(power=1, scale=100.0),
        state=Fresh((setting.architecture,)),
        recipe=setting.recipe(),
        augmentation=setting.augmentation,
        optimizer=SGD(lr=10.0 if setting.per_class > 50 else 1.0, momentum=0.5, weight_decay=0.0),
        iterations=20_000,
        rate=MeasuredRate(published=20_000),
        real_batch=64,
        teacher=setting.teacher,
    )


def ncfm(setting: Setting) -> MatchingDistiller:
    """Characteristic functions of unit features at 4,096 sampled frequencies, the code's constants [wang2025ncfm]."""
    return characteristic(setting, "ncfm", CharacteristicGap(frequencies=4096, normalise=True))


def ncfm_learned(setting: Setting) -> MatchingDistiller:
    """NCFM at the paper's 1,024 frequencies, which an adversary learns to put where it hurts most [wang2025ncfm]."""
    return characteristic(setting, "ncfm-learned", CharacteristicGap(sampling="learned", normalise=True))


FURTHER: dict[str, Entry] = {
    "datadam": Entry(datadam, "attention and feature means, the paper's constants", ("sajedi2023datadam",)),
    "datadam-code": Entry(datadam_code, "attention and feature means, its code's constants", ("sajedi2023datadam",)),
    "dcc": Entry(
        dcc, "gradient matching class by class, then of all classes together", ("lee2022dcc", "zhao2021dc"), revision=2
    ),
    "dsac": Entry(dsac, "dcc under a shared augmentation", ("lee2022dcc", "zhao2021dsa"), revision=2),
    "idc": Entry(idc, "gradients along real training, four images in one", ("kim2022idc",)),
    "m3d": Entry(m3d, "features by maximum mean discrepancy, four images in one", ("zhang2024m3d", "gretton2012mmd")),
    "ncfm": Entry(ncfm, "characteristic functions of features, four images in one", ("wang2025ncfm",), revision=2),
    "ncfm-learned": Entry(ncfm_learned, "ncfm with frequencies learned by an adversary", ("wang2025ncfm",), revision=2),
}


def characteristic(setting: Setting, name: str, gap: CharacteristicGap) -> MatchingDistiller:
    """300 · gap + cross-entropy, at blends of random and trained networks [wang2025ncfm].

    Published are 20 networks of 60 epochs, for a GPU: ``state.count`` and ``state.updates`` set them; the default is
    the state's own.
    """
    return MatchingDistiller(
        name=name,
        surrogate=Sum((Match(Features(), gap, weight=300.0), Calibration(weight=1.0))),
        state=TrainedNetworks((setting.architecture,), blend=True),
        recipe=setting.recipe(),
        augmentation=_idc_augmentation(setting),
        parametrisation=tiles(setting),
        initial=RealRandom(),
        optimizer=AdamW(lr=1e-3 / setting.spread, weight_decay=5e-4),
        iterations=20_000,
        rate=MeasuredRate(published=20_000),
        real_batch=1024,
        teacher=setting.teacher,
    )


def attention_gap(*, power: int, scale: float) -> Sum:
    """scale · (Σ_layers ‖mean attention‖² gaps + 0.01 · the feature means' gap) [sajedi2023datadam]."""
    return Sum((Match(Attention(power), MeanGap(), weight=scale), Match(Features(), MeanGap(), weight=0.01 * scale)))


def contrastive() -> WarmUp:
    """Class by class in the first quarter of the run, at a network's first ten steps; then summed [lee2022dcc]."""
    apart, together = (Sum((Match(Gradients(sum_classes=summed), RowCosine()),)) for summed in (False, True))
    return WarmUp(apart, together)


def contrastive_loops(per_class: int) -> tuple[int, int]:
    """(matching steps a network, epochs between them): 1 → (10, 5), 10 → (10, 50), linear, then DC's [lee2022dcc]."""
    return (10, 5 * per_class) if per_class < 10 else loops(per_class)


def idc_rate(setting: Setting) -> float:
    """base · IPC/10 · (side/side of the base)², base 5e-3 at 32 pixels in colour, 1e-4 at 28 in grey [kim2022idc].

    Published for pixels in [0, 1]; the gradient and the move both change with the unit, so it is divided by its square.
    """
    base, side = (5e-3, 32) if _is_colour(setting) else (1e-4, 28)
    size = min(setting.shape[1:]) / side if _is_image(setting) else 1.0
    return base * setting.per_class / 10 * size**2 / setting.spread**2


def tiles(setting: Setting) -> Parametrisation:
    """Four images in one; plain inputs for tables and where a quarter image would be smaller than 8 pixels."""
    return Factored(2) if _is_image(setting) and min(setting.shape[1:]) >= 16 else Pixels()


def _rows(setting: Setting) -> RowSquared | RowL1:
    return RowSquared() if _is_colour(setting) else RowL1()


def _idc_augmentation(setting: Setting) -> Augmentation:
    """color_crop_cutout, and without cutout for grey images, whose tiles it would cover."""
    if not _is_image(setting):
        return Nothing()
    return DSA(strategy="color_crop_cutout" if _is_colour(setting) else "color_crop", mode="idc")


def _is_image(setting: Setting) -> bool:
    return len(setting.shape) == 3


def _is_colour(setting: Setting) -> bool:
    return _is_image(setting) and setting.shape[0] > 1
