"""The tables behind ``limbeck list``."""

from collections.abc import Callable

__all__ = ["FOOTNOTES", "LISTS", "stacked"]

Listing = tuple[list[str], list[list[str]]]


def _methods() -> Listing:
    from limbeck.distillation.catalogue import described

    rows = [
        [d.method, d.line, d.view, d.discrepancy, d.state, d.needs, _cost(d.seconds), " ".join(d.sources)]
        for d in described()
    ]
    return ["method", "what it does", "view", "discrepancy", "state", "needs", "seconds", "source"], rows


def stacked(columns: list[str], rows: list[list[str]]) -> Listing:
    """A listing of many columns for a narrow terminal: the first two, and under them what else is known, named."""
    told = []
    for first, line, *others in rows:
        more = [f"{name} {cell}" for name, cell in zip(columns[2:], others, strict=True) if cell not in ("", "–")]
        told.append([first, "\n".join([line, " · ".join(more)])])
    return columns[:2], told


def _cost(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"


def _costs() -> str:
    from limbeck.distillation.catalogue import costs

    found = costs()
    return (
        f"Seconds of an iteration, or of a whole choice of real examples: {found['setting']}; {found['machine']}. "
        "--method auto chooses by size and budget."
    )


def _audiences() -> Listing:
    from limbeck.matching.names import AUDIENCES

    return ["--for SPACE:", "which configurations are drawn"], [[name, line] for name, (_, line) in AUDIENCES.items()]


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


def _difficulties() -> Listing:
    from limbeck.distillation.difficulty import DIFFICULTIES

    return ["difficulty", "what it measures"], [[name, line] for name, (_, line) in DIFFICULTIES.items()]


def _paces() -> Listing:
    from limbeck.matching.names import PACES

    return ["pace", "how the weight of a difficulty term goes"], [[name, line] for name, (_, line) in PACES.items()]


LISTS: dict[str, Callable[[], Listing]] = {
    "methods": _methods,
    "networks": _networks,
    "sources": _sources,
    "spaces": _spaces,
    "augmentations": _augmentations,
    "views": _views,
    "discrepancies": _discrepancies,
    "states": _states,
    "audiences": _audiences,
    "difficulties": _difficulties,
    "paces": _paces,
    "formats": _formats,
}

FOOTNOTES: dict[str, Callable[[], str]] = {"methods": _costs}
