"""The comparison table: one row a kind of set, as data for the command line, the page and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.errors import EvidenceError
from limbeck.evaluation.cells import FULL, Kind, kinds
from limbeck.evaluation.intervals import LEVEL, Estimate
from limbeck.evaluation.records import Records
from limbeck.evaluation.scores import Score, gap, score
from limbeck.evaluation.verdict import gain_over_random, of_kind

__all__ = ["Line", "Table", "table"]

COLUMNS = (
    "method",
    "labels",
    "per class",
    "accuracy",
    "selected",
    "sets × networks",
    "worst configuration",
    "gain over random",
    "gap to full data",
    "failed",
)


_TWO_LINES = {
    "per class": "per\nclass",
    "sets × networks": "sets ×\nnetworks",
    "worst configuration": "worst\nconfiguration",
    "gain over random": "gain over\nrandom",
    "gap to full data": "gap to\nfull data",
}


@dataclass(frozen=True)
class Line:
    """One kind of set.

    score:    None where nothing can be scored, and then ``remarks`` says why. selected: of the chosen snapshots.
    sets:     distillation seeds. networks: trained on each of them and in all configurations, together.
    gain:     over random of the same size with the same labels, paired. gap: full data (matched) minus this.
    """

    kind: Kind
    score: Score | None
    selected: Estimate | None
    sets: int
    networks: int
    failed: int
    gain: Estimate | None
    gap: Estimate | None
    remarks: str

    def texts(self) -> tuple[str, ...]:
        """The cells as a person reads them: percent, ± half the interval."""
        worst = "—"
        if self.score is not None:
            known = self.score.worst.estimate
            worst = f"{self.score.worst.configuration} ({'failed' if known is None else percent(known)})"
        return (
            self.kind.method,
            self.kind.labels,
            f"{self.kind.per_class:g}",
            percent(None if self.score is None else self.score.estimate),
            percent(self.selected),
            f"{self.sets} × {self.networks / max(1, self.sets):g}",
            worst,
            percent(self.gain, sign=True),
            percent(self.gap, sign=True),
            str(self.failed),
        )

    def dictionary(self) -> dict[str, Any]:
        """Plain JSON data; accuracies are fractions."""
        worst = None if self.score is None else self.score.worst
        return {
            "method": self.kind.method,
            "labels": self.kind.labels,
            "per_class": self.kind.per_class,
            "accuracy": _plain(None if self.score is None else self.score.estimate),
            "selected": _plain(self.selected),
            "sets": self.sets,
            "networks": self.networks,
            "failed": self.failed,
            "worst_configuration": None if worst is None else worst.configuration,
            "worst_accuracy": None if worst is None else _plain(worst.estimate),
            "gain_over_random": _plain(self.gain),
            "gap_to_full": _plain(self.gap),
            "remarks": self.remarks,
        }


@dataclass(frozen=True)
class Table:
    """Lines by size, the best first within a size; ``split`` is what the accuracies were measured on."""

    lines: tuple[Line, ...]
    split: str
    level: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of :meth:`Line.texts`."""
        return COLUMNS

    def fitting(self, width: int) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[str, ...]]:
        """Headings (in two lines), rows, and names of the columns left out so that a line has ``width`` letters.

        Columns in which nothing is said (no gain, no gap, nothing failed, one configuration) are always left out.
        """
        rows = [line.texts() for line in self.lines]
        told = {name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)}
        for name in ("gain over random", "gap to full data"):
            if set(told[name]) <= {"—"}:
                del told[name]
        if set(told["failed"]) == {"0"}:
            del told["failed"]
        if all(line.score is None or len(line.score.configurations) < 2 for line in self.lines):
            del told["worst configuration"]
        hidden = []
        for name in ("selected", "worst configuration", "sets × networks", "gap to full data"):
            if sum(_wide(head, cells) + 1 for head, cells in told.items()) > width and name in told:
                hidden.append(name)
                del told[name]
        heads = tuple(_TWO_LINES.get(name, name) for name in told)
        return heads, list(zip(*told.values(), strict=True)), tuple(hidden)

    def dictionaries(self) -> list[dict[str, Any]]:
        """Plain JSON data, one object a line."""
        return [line.dictionary() for line in self.lines]

    def notes(self) -> tuple[str, ...]:
        """What must stand under the table."""
        scores = [line.score.estimate for line in self.lines if line.score is not None]
        compared = [each for line in self.lines for each in (line.gain, line.gap) if each is not None]
        head = f"Accuracy in percent on {self.split}, "
        if any(each.half is not None for each in scores + compared):
            head += f"± half of the {100 * self.level:g}% t-interval over distillation seeds"
            head += " (full data: training seeds)." if any(_full(line) for line in self.lines) else "."
        else:
            head += "of one distillation seed: no interval, which takes at least 2."
        alike: dict[str, list[str]] = {}
        for line in self.lines:
            if line.remarks:
                alike.setdefault(line.remarks, []).append(str(line.kind))
        return (head, *(f"{_several(names)}: {remark}." for remark, names in alike.items()))


def table(records: Records, *, level: float = LEVEL) -> Table:
    """One line for each kind among ``records``, which are of one task and split."""
    if not len(records):
        raise EvidenceError("there are no rows to tabulate: evaluate a set first.")
    lines = sorted((_line(records, kind, level) for kind in kinds(records)), key=_order)
    return Table(tuple(lines), records.rows[0].split, level)


def percent(known: Estimate | None, *, sign: bool = False) -> str:
    """Text such as 81.2 ± 1.3 for an estimate of fractions; without an interval the mean alone, "—" for nothing."""
    if known is None:
        return "—"
    mean = f"{100 * known.value:+.1f}" if sign else f"{100 * known.value:.1f}"
    return mean if known.half is None else f"{mean} ± {100 * known.half:.1f}"


def _line(records: Records, kind: Kind, level: float) -> Line:
    rows = of_kind(records, kind)
    full = rows.rows[0].method == FULL
    units = {row.seed if full else row.distillation_seed for row in rows}
    failed = sum(not row.finished for row in rows)
    try:
        known = score(rows, level=level)
    except EvidenceError as error:
        return Line(kind, None, None, len(units), len(rows), failed, None, None, str(error))
    return Line(
        kind=kind,
        score=known,
        selected=score(rows, measure="selected", level=level).estimate,
        sets=1 if full else len(units),
        networks=len(rows),
        failed=failed,
        gain=None if full or kind.method == "random" else _gain(records, kind, level),
        gap=None if full else _gap(records, rows, level),
        remarks=known.remarks,
    )


def _gain(records: Records, kind: Kind, level: float) -> Estimate | None:
    try:
        return gain_over_random(records, kind, level=level).estimate
    except EvidenceError:
        return None


def _gap(records: Records, rows: Records, level: float) -> Estimate | None:
    matched = records.where(set=f"{FULL}-matched")
    try:
        return gap(matched, rows, level=level).estimate
    except EvidenceError:
        return None


def _several(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 2 else f"{names[0]} and {len(names) - 1} more"


def _full(line: Line) -> bool:
    return line.score is not None and line.score.estimate.unit == "training seed"


def _wide(head: str, cells: list[str]) -> int:
    return max(len(text) for text in [*_TWO_LINES.get(head, head).split("\n"), *cells])


def _order(line: Line) -> tuple[float, float, str]:
    value = -1.0 if line.score is None else line.score.estimate.value
    return line.kind.per_class, -value, str(line.kind)


def _plain(known: Estimate | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {"mean": known.value, "low": known.low, "high": known.high, "n": known.n, "level": known.level}
