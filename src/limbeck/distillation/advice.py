"""``--method auto``: which method to use, from a committed table of what studies measured."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from limbeck.compute import Compute
from limbeck.data.task import Task
from limbeck.distillation.distiller import stored_per_class
from limbeck.distillation.effort import labelling_seconds
from limbeck.distillation.setting import TEACHER_EPOCHS, Setting
from limbeck.errors import OptionError
from limbeck.synthetic.labels import TriedLabels
from limbeck.training.configuration import Epochs
from limbeck.values import replace

__all__ = ["AUTO", "TABLE", "Advice", "advise", "advised", "table"]

AUTO = "auto"
TABLE = Path(__file__).parent / "auto_table.json"  # written by benchmarks/auto_table.py
SURE = 0.05  # p below which a gain is told without a doubt
FEW_EPOCHS = 2  # of the teacher of the table's soft labels
_WEIGHTS = {"per_class": 1.0, "seconds": 0.5, "values": 0.25, "examples": 0.25}  # of log-ratios in the distance


@dataclass(frozen=True)
class Advice:
    """The method to use, settings that belong to it, and the sentence that says why.

    tried: the sentence where labels are tried instead; None where there is nothing to try.
    """

    method: str
    settings: Mapping[str, Any]
    sentence: str
    tried: str | None = None


def advised(task: Task, per_class: int | tuple[int, ...], budget: float | None = None) -> Advice:
    """What the committed table says for this task, size and budget (seconds; None: however long it takes).

    Labels are tried where that takes at most twice the budget, computed from the sizes of the default network.
    """
    counts = stored_per_class(task, per_class)
    advice = advise(
        table(), per_class=max(counts), budget=budget, values=math.prod(task.shape), examples=min(task.counts)
    )
    return advice if advice.tried is None else _with_labels(advice, task, counts, budget)


def _with_labels(advice: Advice, task: Task, counts: tuple[int, ...], budget: float | None) -> Advice:
    """``advice`` with its labels tried, where there is something to try them on and two CPU threads would take at most
    twice the budget for it (two, so that the choice is the same on every machine).

    They come on top of the budget, which the sentence says. The teacher has its usual epochs where labels then take a
    third of the budget at most, else the few that the table was made with.
    """
    setting, limit, compute = Setting.of(task, counts), math.inf if budget is None else budget, Compute("cpu")
    for epochs, most in ((TEACHER_EPOCHS, limit / 3), (FEW_EPOCHS, 2 * limit)):
        teacher, rule = replace(setting.teacher, length=Epochs(epochs)), TriedLabels()
        spent = labelling_seconds(task, rule, setting.recipe(), teacher, made=4 * sum(counts), compute=compute)
        if len(task.validation) and spent * torch.get_num_threads() / 2 <= most:
            few = {} if epochs == TEACHER_EPOCHS else {"teacher_epochs": epochs}
            extra = " Trying labels comes on top of the budget; --set labels=hard spares it." if few else ""
            return Advice(advice.method, {"labels": "tried", **few}, f"{advice.tried or advice.sentence}{extra}")
    return advice


def table() -> Sequence[Mapping[str, Any]]:
    """The committed cells."""
    cells: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["cells"]
    return cells


def advise(
    cells: Sequence[Mapping[str, Any]],
    *,
    per_class: int,
    budget: float | None,
    values: int,
    examples: int,
) -> Advice:
    """The best method of the nearest cell; a pure function.

    values: numbers in one input; examples: of the smallest class. Cells are compared by weighted differences of
    logarithms of the size, the budget, the values and the examples. In a cell the method with the largest mean gain
    over the best selection is taken: of those whose own 95 % interval lies above zero; where there is none, of those
    that gained; where none did, the best selection with a teacher's soft labels. Which labels are better does not carry
    over from one data set to another, so a method that was measured with both can have them tried on validation
    (:func:`advised`). A choice is no claim that the method works, and is not corrected for their number: the sentence
    gives the interval, and p after Holm.
    """
    if not cells:
        raise OptionError("the table of measured methods is empty: name a method (--method dm).")
    asked: dict[str, int | float | None] = {
        "per_class": per_class,
        "seconds": budget,
        "values": values,
        "examples": examples,
    }
    cell = min(cells, key=lambda each: _distance(each, asked))
    where = f"{cell['task']} at {cell['per_class']:g} a class with about {cell['seconds']:.0f} s a set"
    known = f"measured nearest to this: {where}, {cell['source']}"
    better = [m for m in cell["methods"] if m["low"] is not None and m["difference"] > 0]
    if better:
        best = max(better, key=lambda m: (m["low"] > 0, m["difference"]))
        interval = f"[{100 * best['low']:+.1f}, {100 * best['high']:+.1f}]"
        gain = f"{100 * best['difference']:+.1f} {interval} points over {_spoken(cell['best'])}"
        gain += f", p = {best['p']:.2g} after Holm over all methods"
        gain += (
            "" if best["p"] < SURE else ", which may be chance" if best["low"] > 0 else ", which may be no gain at all"
        )
        both = {m["labels"] for m in cell["methods"] if m["method"] == best["method"]} >= {"hard", "soft"}
        soft = {"labels": "teacher"} if best["labels"] == "soft" else {}
        either = f"{best['method']} with hard or a teacher's soft labels, whichever are better on validation"
        tried = f"auto chose {either}: with {best['labels']} ones {gain} ({known})." if both else None
        return Advice(best["method"], soft, f"auto chose {_spoken(best)}: {gain} ({known}).", tried)
    chosen = cell["selection"]
    why = f"no method was better than {_spoken(cell['best'])}, the best selection of real examples"
    settings = {"soft": True} if chosen["labels"] == "soft" else {}
    return Advice(chosen["method"], settings, f"auto chose {_spoken(chosen)}: {why} ({known}).")


def _distance(cell: Mapping[str, Any], asked: Mapping[str, int | float | None]) -> float:
    total = 0.0
    for key, wanted in asked.items():
        if wanted is not None:
            total += _WEIGHTS[key] * abs(math.log(wanted / cell[key]))
    return total


def _spoken(kind: Mapping[str, Any]) -> str:
    labels = "a teacher's soft labels" if kind["labels"] == "soft" else f"{kind['labels']} labels"
    return f"{kind['method']} with {labels}"
