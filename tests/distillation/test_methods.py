"""The table of methods and how its entries are changed."""

import inspect

import pytest

from limbeck.data.dsa import DSA
from limbeck.data.nothing import Nothing
from limbeck.distillation import methods
from limbeck.distillation.methods import METHODS, loops, method
from limbeck.distillation.outer_loop import MatchingDistiller
from limbeck.distillation.setting import Setting
from limbeck.distillation.settings import changed
from limbeck.errors import OptionError
from limbeck.networks.names import architecture
from limbeck.values import decode, encode

IMAGES = Setting((3, 32, 32), 10, 10, architecture("convnet-3-128"))
DIGITS = Setting((1, 8, 8), 10, 1, architecture("convnet-2-32"))
ROWS = Setting((14,), 2, 10, architecture("mlp"))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("setting", [IMAGES, DIGITS, ROWS], ids=["images", "digits", "rows"])
def test_every_method_is_a_value(name: str, setting: Setting) -> None:
    made = method(name, setting)
    assert made.name == name
    assert decode(encode(made)) == made
    assert hash(made) == hash(decode(encode(made)))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_a_composition_of_at_most_fifteen_lines(name: str) -> None:
    source = inspect.getsource(METHODS[name].build)
    assert len([line for line in source.splitlines() if line.strip()]) <= 16  # with the line of its name


def test_published_defaults() -> None:
    dm, dc, dsa = (method(name, IMAGES) for name in ("dm", "dc", "dsa"))
    assert isinstance(dm, MatchingDistiller)
    assert isinstance(dc, MatchingDistiller)
    assert isinstance(dsa, MatchingDistiller)
    assert (dm.optimizer.lr, dm.iterations, dm.real_batch) == (1.0, 20_000, 256)
    assert (dc.optimizer.lr, dc.iterations, dc.augmentation) == (0.1, 10_000, Nothing())
    assert isinstance(dsa.augmentation, DSA)
    assert changed(dm, {}) == dm


@pytest.mark.parametrize(
    ("size", "pair"),
    [(1, (1, 1)), (10, (10, 50)), (20, (20, 25)), (30, (30, 20)), (40, (40, 15)), (50, (50, 10)), (100, (100, 2))],
)
def test_loops_follow_the_published_table(size: int, pair: tuple[int, int]) -> None:
    assert loops(size) == pair


def test_loops_exist_for_every_size() -> None:
    for size in range(1, 500):
        steps, inner = loops(size)
        assert 1 <= steps <= 100
        assert 1 <= inner <= 50


def test_settings_by_short_and_dotted_names() -> None:
    dm = changed(method("dm", IMAGES), {"lr": "0.5", "iterations": "12", "augmentation": "none", "real_batch": 8})
    assert isinstance(dm, MatchingDistiller)
    assert (dm.optimizer.lr, dm.iterations, dm.real_batch) == (0.5, 12, 8)
    assert dm.augmentation == Nothing()
    assert dm.recipe.augmentation == Nothing()
    assert changed(dm, {"optimizer.lr": "0.25"}).optimizer.lr == 0.25  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"iteration": "5"}, "iterations"),
        ({"lr": "fast"}, "no number"),
        ({"iterations": "1.5"}, "no whole number"),
        ({"iterations.count": "1"}, "too deep"),
        ({"augmentation": "dsaa"}, "dsa"),
    ],
)
def test_wrong_settings_are_sentences(settings: dict[str, str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        changed(method("dm", IMAGES), settings)


def test_unknown_method_names_its_neighbours() -> None:
    with pytest.raises(OptionError, match="kmeans"):
        methods.method("kmean", IMAGES)
