"""Does this network fit these inputs? The sentences that say what would."""

from limbeck.errors import FitError, OptionError

__all__ = ["at_least", "image", "padding"]


def image(shape: tuple[int, ...], network: str) -> tuple[int, int, int]:
    """Channels, height and width; FitError for tables, which only an MLP can read."""
    if len(shape) != 3:
        raise FitError(f"{network} needs images, and these inputs are rows of {shape[0]} features: use mlp.")
    return shape[0], shape[1], shape[2]


def padding(height: int, width: int) -> int:
    """Pixels that the first convolution pads on top of its own: 28×28 becomes 32×32, as everywhere in the field."""
    return 2 if (height, width) == (28, 28) else 0


def at_least(network: str, minimum: int, **options: int) -> None:
    """OptionError if one of ``options`` is below ``minimum``."""
    for name, number in options.items():
        if number < minimum:
            raise OptionError(f"{network} has {name} {number}: it must be at least {minimum}.")
