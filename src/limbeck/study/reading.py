"""A study as YAML, read strictly: every unknown key and every wrong type is a sentence with the path of the key.

::

    name: digits                      # of the study; the file's name by default
    source: digits                    # as on the command line; $NAME is read from the environment
    options: {seed: 0}                # of the source
    methods:
      - random
      - {name: random, labels: soft}  # hard, soft or [hard, soft] (a teacher's soft labels, for selections)
      - {name: dm, set: {lr: 1.0}, label: DM, per_class: [1, 10], seconds: {1: 1m, 10: 4m}}
    per_class: [1, 10]
    distillation_seeds: {1: 5, 10: 3} # a number n (0 … n − 1), a list, or either by size
    seconds: 2m                       # or iterations: 500; for all sizes or by size
    network: convnet-3-32
    evaluation: {configurations: [own], architectures: [mlp], seeds: 5, together: 5, labels: own, splits: [test]}
    references: {matched: 3, converged: 1}
    compute: {device: cpu, precision: float32, compilation: auto, chunk: 64}
    processes: 2
    threads: 1
    unit: 15m                         # no unit of work is longer: it stops on the way and goes on
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from limbeck.compute import Compute
from limbeck.errors import ArtifactError, OptionError, unknown
from limbeck.study.runs import Options, Source
from limbeck.study.study import Amounts, Evaluation, Execution, MethodChoice, References, Seeds, Study

__all__ = ["parse_study", "read_study"]

T = TypeVar("T")
L = TypeVar("L", bound=str)
_PRECISIONS: tuple[Literal["auto", "float32", "bfloat16"], ...] = ("auto", "float32", "bfloat16")
_COMPILATIONS: tuple[Literal["auto", "on", "off"], ...] = ("auto", "on", "off")
LARGEST = 2**20  # bytes of a study's file


def read_study(path: Path) -> Study:
    """The study of a YAML file. Raises ArtifactError (not readable), OptionError (something wrong in it)."""
    try:
        if path.stat().st_size > LARGEST:
            raise ArtifactError(f"'{path}' has {path.stat().st_size} bytes: a study's file has {LARGEST} at most.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise ArtifactError(f"the study '{path}' cannot be read ({why}): give a YAML file.") from error
    return parse_study(text, name=path.stem)


def parse_study(text: str, *, name: str = "study") -> Study:
    """The study of a YAML text; ``name`` where it gives none. Raises OptionError."""
    import yaml

    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise OptionError(
            f"the study is no YAML{where}: {getattr(error, 'problem', None) or 'it cannot be parsed'}."
        ) from error
    return _study(_mapping(data, "", _STUDY), name)


_LENGTH = ["per_class", "distillation_seeds", "seconds", "iterations"]
_METHOD = ["name", "set", "label", "labels", *_LENGTH]
_STUDY = ["name", "source", "options", "methods", *_LENGTH, "network", "evaluation", "references", "compute"]
_STUDY += ["processes", "threads", "unit"]


def _study(data: dict[str, Any], name: str) -> Study:
    for key in ("source", "methods"):
        if key not in data:
            raise OptionError(f"the study has no '{key}': it needs a source and methods.")
    methods = [m for i, entry in enumerate(_list(data["methods"], "methods")) for m in _methods(entry, f"methods[{i}]")]
    usual = Study("", Source(""), (MethodChoice(""),))
    return Study(
        name=_take(data, "name", "", _text, name),
        source=Source(_text(data["source"], "source"), _take(data, "options", "", _settings, ())),
        methods=tuple(methods),
        per_class=_take(data, "per_class", "", _numbers, usual.per_class),
        seeds=_take(data, "distillation_seeds", "", _seeds_by_size, usual.seeds),
        seconds=_take(data, "seconds", "", _seconds_by_size, ()),
        iterations=_take(data, "iterations", "", _iterations_by_size, ()),
        network=_take(data, "network", "", _text, None),
        evaluation=_take(data, "evaluation", "", _evaluation, usual.evaluation),
        references=_take(data, "references", "", _references, usual.references),
        compute=_take(data, "compute", "", _compute, usual.compute),
        execution=Execution(
            _take(data, "processes", "", _positive, 1),
            _take(data, "threads", "", _positive, None),
            _take(data, "unit", "", _seconds, usual.execution.unit),
        ),
    )


def _methods(entry: Any, at: str) -> list[MethodChoice]:
    """One method, or two where it is asked for with hard and with soft labels."""
    data = _mapping({"name": entry} if isinstance(entry, str) else entry, at, _METHOD)
    if "name" not in data:
        raise OptionError(f"{at} has no 'name': write the method's name, or name: … with its settings.")
    kinds = _take(data, "labels", at, _label_kinds, ("hard",))
    return [
        MethodChoice(
            name=_text(data["name"], f"{at}.name"),
            settings=_take(data, "set", at, _settings, ()),
            label=_take(data, "label", at, _text, ""),
            soft=kind == "soft",
            per_class=_take(data, "per_class", at, _numbers, ()),
            seeds=_take(data, "distillation_seeds", at, _seeds_by_size, ()),
            seconds=_take(data, "seconds", at, _seconds_by_size, ()),
            iterations=_take(data, "iterations", at, _iterations_by_size, ()),
        )
        for kind in kinds
    ]


def _evaluation(entry: Any, at: str) -> Evaluation:
    data = _mapping(entry, at, ["configurations", "architectures", "seeds", "together", "splits", "labels"])
    usual = Evaluation()
    return Evaluation(
        configurations=_take(data, "configurations", at, _texts, usual.configurations),
        architectures=_take(data, "architectures", at, _texts, ()),
        seeds=_take(data, "seeds", at, _seeds, usual.seeds),
        together=_take(data, "together", at, _positive, usual.together),
        splits=_take(data, "splits", at, _texts, usual.splits),
        labels=_take(data, "labels", at, _texts, usual.labels),
    )


def _references(entry: Any, at: str) -> References:
    data = _mapping(entry, at, ["matched", "converged"])
    return References(_take(data, "matched", at, _seeds, ()), _take(data, "converged", at, _seeds, ()))


def _compute(entry: Any, at: str) -> Compute:
    data = _mapping(entry, at, ["device", "precision", "compilation", "chunk"])
    usual = Compute()
    return Compute(
        device=_take(data, "device", at, _text, usual.device),
        precision=_take(data, "precision", at, _among(*_PRECISIONS), usual.precision),
        compilation=_take(data, "compilation", at, _among(*_COMPILATIONS), usual.compilation),
        chunk=_take(data, "chunk", at, _positive, usual.chunk),
    )


# -- entries -----------------------------------------------------------------------------------------------------------


def _take(data: dict[str, Any], key: str, at: str, read: Callable[[Any, str], T], usual: Any) -> T | Any:
    """The entry under ``key`` as ``read`` reads it, or ``usual`` where there is none."""
    return usual if data.get(key) is None else read(data[key], f"{at}.{key}".lstrip("."))


def _wrong(at: str, entry: Any, want: str) -> OptionError:
    shown = repr(entry) if len(repr(entry)) < 60 else f"a {type(entry).__name__}"
    return OptionError(f"{at or 'the study'} is {shown}: give {want}.")


def _mapping(entry: Any, at: str, known: Iterable[str] | None = None) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise _wrong(at, entry, "keys with values (key: value)")
    for key in entry:
        if known is not None and key not in set(known):
            raise unknown(f"key in {at}" if at else "key of a study", str(key), known)
    return entry


def _list(entry: Any, at: str) -> list[Any]:
    if not isinstance(entry, list) or not entry:
        raise _wrong(at, entry, "a list with at least one entry")
    return entry


def _text(entry: Any, at: str) -> str:
    if not isinstance(entry, str) or not entry:
        raise _wrong(at, entry, "a text")
    return entry


def _texts(entry: Any, at: str) -> tuple[str, ...]:
    entries = [entry] if isinstance(entry, str) else _list(entry, at)
    return tuple(_text(item, f"{at}[{i}]") for i, item in enumerate(entries))


def _among(*known: L) -> Callable[[Any, str], L]:
    def read(entry: Any, at: str) -> L:
        entry = {True: "on", False: "off"}.get(entry, entry) if isinstance(entry, bool) else entry  # YAML's on and off
        for name in known:
            if entry == name:
                return name
        raise unknown(at, str(entry), known)

    return read


def _label_kinds(entry: Any, at: str) -> tuple[str, ...]:
    return tuple(_among("hard", "soft")(item, at) for item in ([entry] if isinstance(entry, str) else _list(entry, at)))


def _whole(entry: Any, at: str) -> int:
    if isinstance(entry, bool) or not isinstance(entry, int):
        raise _wrong(at, entry, "a whole number")
    return entry


def _positive(entry: Any, at: str) -> int:
    if _whole(entry, at) < 1:
        raise _wrong(at, entry, "a whole number of at least 1")
    return int(entry)


def _numbers(entry: Any, at: str) -> tuple[int, ...]:
    return tuple(_positive(item, at) for item in (entry if isinstance(entry, list) else [entry]))


def _seeds(entry: Any, at: str) -> tuple[int, ...]:
    """A number n of seeds (0 … n − 1; 0 or false: none), or a list of seeds."""
    if entry is False:
        return ()
    if isinstance(entry, list):
        return tuple(_whole(item, f"{at}[{i}]") for i, item in enumerate(entry))
    if _whole(entry, at) < 0:
        raise _wrong(at, entry, "a number of seeds, or a list of seeds")
    return tuple(range(entry))


def _seconds(entry: Any, at: str) -> float:
    from limbeck.distillation.budget import parse_seconds

    if isinstance(entry, bool) or not isinstance(entry, int | float | str):
        raise _wrong(at, entry, "a time such as 90s, 5m or 2h")
    try:
        return parse_seconds(str(entry))
    except OptionError as error:
        raise OptionError(f"{at}: {error}") from error


def _by_size(entry: Any, at: str, read: Callable[[Any, str], T]) -> tuple[tuple[int, T], ...]:
    """One entry for all sizes (under 0), or one a size."""
    if not isinstance(entry, dict):
        return ((0, read(entry, at)),)
    return tuple(
        sorted((_positive(size, f"a size in {at}"), read(item, f"{at}.{size}")) for size, item in entry.items())
    )


def _seconds_by_size(entry: Any, at: str) -> Amounts:
    return _by_size(entry, at, _seconds)


def _iterations_by_size(entry: Any, at: str) -> Amounts:
    return _by_size(entry, at, lambda item, where: float(_positive(item, where)))


def _seeds_by_size(entry: Any, at: str) -> Seeds:
    return _by_size(entry, at, _seeds)


def _settings(entry: Any, at: str) -> Options:
    """Plain values under plain names."""
    found = []
    for key, item in _mapping(entry, at).items():
        items = item if isinstance(item, list) else [item]
        if not isinstance(key, str) or not all(isinstance(i, str | int | float | bool) for i in items):
            raise _wrong(f"{at}.{key}", item, "a number, a text, true or false, or a list of them")
        found.append((key, tuple(item) if isinstance(item, list) else item))
    return tuple(sorted(found))
