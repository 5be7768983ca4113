"""The tables behind ``limbeck list``."""

from collections.abc import Callable

__all__ = ["LISTS"]

Listing = tuple[list[str], list[list[str]]]


def _methods() -> Listing:
    from limbeck.distillation.methods import METHODS

    rows = [[name, "distils" if e.distils else "chooses", e.line, " ".join(e.sources)] for name, e in METHODS.items()]
    return ["method", "kind", "what it does", "source"], rows


def _networks() -> Listing:
    from limbeck.networks.names import NETWORKS

    return ["network", "what it is"], [[name, line] for name, (_, line) in NETWORKS.items()]


def _sources() -> Listing:
    from limbeck.data.sources import SOURCES

    return ["source", "what it reads"], [[name, line] for name, line in SOURCES.items()]


def _spaces() -> Listing:
    from limbeck.training.space import SPACES

    own = ["own", "the recipe on the set's own card"]
    return ["configurations", "what they are"], [own, *([name, line] for name, line in SPACES.items())]


def _augmentations() -> Listing:
    from limbeck.data.augment import AUGMENTATIONS

    return ["augmentation", "what it does"], [[name, line] for name, (_, line) in AUGMENTATIONS.items()]


def _formats() -> Listing:
    from limbeck.synthetic.export import FORMATS

    return ["format"], [[name] for name in FORMATS]


def _views() -> Listing:
    from limbeck.matching.names import VIEWS

    return ["view", "what it shows"], [[name, line] for name, (_, line) in VIEWS.items()]


def _discrepancies() -> Listing:
    from limbeck.matching.names import DISCREPANCIES

    return ["discrepancy", "what it is"], [[name, line] for name, (_, line) in DISCREPANCIES.items()]


def _states() -> Listing:
    from limbeck.matching.names import STATES

    return ["state", "where in weight space"], [[name, line] for name, (_, line) in STATES.items()]


LISTS: dict[str, Callable[[], Listing]] = {
    "methods": _methods,
    "networks": _networks,
    "sources": _sources,
    "spaces": _spaces,
    "augmentations": _augmentations,
    "views": _views,
    "discrepancies": _discrepancies,
    "states": _states,
    "formats": _formats,
}
