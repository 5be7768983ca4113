"""Which difficulty do methods prefer? Where the examples of each method's sets stand among the real training examples.

    python benchmarks/difficulty.py runs/methods runs/fifty [--measure gradn]

Networks are trained on the real training split (never on the test split), and rate real and synthetic examples alike.
0.5 is an ordinary real example of the class, more is harder. What was measured is kept, and is not measured again; it
goes into docs/results.md with a figure, and every set into docs/results-tables.md. Without a study the pages are
written from what is kept.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import replace as with_fields
from pathlib import Path

from compared import PAGE, TABLES, points, put
from svg import Dots, Scale, dots

from limbeck.compute import Compute
from limbeck.distillation.difficulty import Difficulty, difficulty
from limbeck.distillation.gauge import Gauge
from limbeck.distillation.setting import Setting
from limbeck.errors import EvidenceError
from limbeck.evaluation.difficulty import DifficultyMeter
from limbeck.evaluation.intervals import Estimate, estimate
from limbeck.files import write_atomically
from limbeck.networks.names import architecture
from limbeck.study import StudyResults, import_export
from limbeck.study.perform import opened
from limbeck.study.runs import DistilRun, Source
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Epochs
from limbeck.values import replace

HERE = Path(__file__).parent
TERM = " sdc"  # ends the name of a method that was run with the difficulty term


@dataclass(frozen=True)
class Wishes:
    """How to measure: measure, networks a group, groups, epochs, real examples a class."""

    measure: Difficulty
    networks: int = 3
    seeds: int = 1
    epochs: int = 4
    most: int = 1000
    compute: Compute = field(default_factory=Compute)

    def said(self) -> str:
        """What must be alike for two measurements to stand in one table."""
        return f"{self.measure}, {self.seeds} × {self.networks} networks, {self.epochs} epochs, {self.most} a class"


@dataclass(frozen=True)
class Standing:
    """One set: mean percentile of its examples, and the share that is harder than the real median."""

    method: str
    per_class: int
    seed: int
    percentile: float
    harder: float


@dataclass(frozen=True)
class Preference:
    """One method at one size, over its distillation seeds."""

    method: str
    per_class: int
    percentile: Estimate
    harder: Estimate


Meters = dict[tuple[Source, str | None, Difficulty], DifficultyMeter]  # of a study's data, its network, and a measure


def standings(
    results: StudyResults, wishes: Wishes, known: Mapping[str, Standing], meters: Meters | None = None
) -> dict[str, Standing]:
    """``known`` and the sets that are there and not in it, by what they are called and hold.

    A set takes the place of one that was made otherwise under its name, size and seed. meters: trained so far; studies
    of the same data and network share them.
    """
    found, meters = dict(known), {} if meters is None else meters
    for run, folder in sets(results):
        made = SyntheticSet.load(folder)
        method = run.label or run.method
        called = f"{results.study.source.text} {method} {run.per_class} {run.seed} "
        name = called + made.card.fingerprint + (f" revision {run.revision}" if run.revision > 1 else "")
        name += f" {made.card.budget['iterations']} iterations" if "iterations" in made.card.budget else ""
        if name not in found:
            measure = wishes.measure.fitted(min(made.card.per_class) * made.parametrisation.multiplicity)
            key = results.study.source, results.study.network, measure
            if key not in meters:
                meters[key] = meter(results, with_fields(wishes, measure=measure))
            stands = meters[key].of(made)
            lines = stands.lines()
            found = {other: one for other, one in found.items() if not other.startswith(called)}
            harder = math.fsum(line.harder for line in lines) / len(lines)
            found[name] = Standing(method, run.per_class, run.seed, stands.percentile, harder)
    return found


def preferences(known: Mapping[str, Standing]) -> list[Preference]:
    """By size and method. Raises EvidenceError where there is no set."""
    if not known:
        raise EvidenceError("the study has no sets: give its directory, or an export that was made with --sets.")
    by: dict[tuple[int, str], list[Standing]] = {}
    for one in known.values():
        by.setdefault((one.per_class, one.method), []).append(one)
    return [
        Preference(method, size, estimate([s.percentile for s in mine]), estimate([s.harder for s in mine]))
        for (size, method), mine in sorted(by.items())
    ]


def sets(results: StudyResults) -> list[tuple[DistilRun, Path]]:
    """The sets that are there; where a selection has hard and soft labels on the same images, the hard ones."""
    folders = results.set_directories()
    runs = [(e.run, folders[e.name]) for e in results.entries if e.name in folders and isinstance(e.run, DistilRun)]
    hard = {_drawn(run) for run, _ in runs if not dict(run.settings).get("soft")}
    return [(r, f) for r, f in runs if not dict(r.settings).get("soft") or _drawn(r) not in hard]


def _drawn(run: DistilRun) -> tuple[str, int, int]:
    return run.label or run.method, run.per_class, run.seed


def meter(results: StudyResults, wishes: Wishes) -> DifficultyMeter:
    """Networks of the study's architecture on its real training split."""
    task = opened(results.study.source)
    network = None if results.study.network is None else architecture(results.study.network)
    training = replace(Setting.of(task, 1, network).teacher, length=Epochs(wishes.epochs))
    gauge = Gauge(wishes.measure, training, wishes.networks)
    return DifficultyMeter(task, gauge, seeds=range(wishes.seeds), most=wishes.most, compute=wishes.compute)


def table(found: Sequence[Preference]) -> str:
    """Markdown, in percent."""
    rows = ["| method | a class | sets | mean rank among real examples, % | harder than the real median, % |"]
    rows.append("|---|---|---|---|---|")
    for one in found:
        cells = (one.method, str(one.per_class), str(one.percentile.n), cell(one.percentile), cell(one.harder))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def eased(known: Mapping[str, Standing]) -> str:
    """Markdown: what the difficulty term changes, paired by seed; "" where no method has sets with it and without."""
    where = {(one.method, one.per_class, one.seed): one.percentile for one in known.values()}
    pairs: dict[tuple[int, str], list[float]] = {}
    for (method, size, seed), percentile in sorted(where.items()):
        plain = (method.removesuffix(TERM), size, seed)
        if method.endswith(TERM) and plain in where:
            pairs.setdefault((size, plain[0]), []).append(percentile - where[plain])
    if not pairs:
        return ""
    rows = ["With the difficulty term minus without it, paired by seed:", ""]
    rows += ["| method | a class | pairs | mean rank among real examples, points |", "|---|---|---|---|"]
    rows += [
        f"| {method} | {size} | {len(found)} | {points(estimate(found))} |"
        for (size, method), found in sorted(pairs.items())
    ]
    return "\n".join(rows)


def cell(known: Estimate) -> str:
    """62 [58, 66]; the interval of a share ends at 0 and at 100."""
    if known.low is None or known.high is None:
        return f"{100 * known.value:.0f}"
    return f"{100 * known.value:.0f} [{100 * max(0.0, known.low):.0f}, {100 * min(1.0, known.high):.0f}]"


def figure(found: Sequence[Preference], measure: str) -> str:
    """Mean percentiles with 95 % intervals over distillation seeds, a row a method, the hardest first."""
    sizes = sorted({one.per_class for one in found})
    groups = [
        Dots(
            f"{size} a class",
            {o.method: (o.percentile.value, o.percentile.half or 0.0) for o in found if o.per_class == size},
        )
        for size in sizes
    ]
    values: dict[str, list[float]] = {}
    for one in found:
        values.setdefault(one.method, []).append(one.percentile.value)
    rows = sorted(values, key=lambda method: (-max(values[method]), method))
    across = Scale("mean rank among the real examples of the class: share that is easier", (0, 0.25, 0.5, 0.75, 1))
    return dots(f"Difficulty of the sets ({measure})", across, rows, groups)


def section(known: Mapping[str, Standing], how: str, picture: str) -> str:
    """Everything between the marks."""
    parts = [f"Measured by: {how}.", f"![Difficulty of the sets]({picture})", eased(known)]
    return "\n\n".join(part for part in parts if part)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path, nargs="*", help="studies' directories, or their exports with sets")
    parser.add_argument("--measure", default="gradn", help="see limbeck list difficulties")
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--most", type=int, default=1000, help="real examples a class")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--kept", type=Path, default=HERE / "results" / "difficulty.json")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "images" / "difficulty.svg")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--tables", type=Path, default=TABLES)
    given = parser.parse_args(words)
    wishes = Wishes(
        difficulty(given.measure), given.networks, given.seeds, given.epochs, given.most, Compute(given.device)
    )
    how, known = kept(given.kept, wishes)
    meters: Meters = {}
    for path in given.results:
        with tempfile.TemporaryDirectory() as scratch:
            directory = path
            if path.is_file():
                directory = Path(scratch) / "study"
                import_export(path, directory)
            known = standings(StudyResults.load(directory), wishes, known, meters)
    found = preferences(known)
    stored = {"how": how, "sets": {name: asdict(one) for name, one in sorted(known.items())}}
    write_atomically(given.kept, (json.dumps(stored, indent=1, ensure_ascii=False) + "\n").encode())
    write_atomically(given.out, figure(found, given.measure).encode())
    put(given.page, "difficulty", section(known, how, f"images/{given.out.name}"))
    put(given.tables, "difficulty", table(found))
    print(table(found))
    print(f"wrote {given.kept}, {given.out} and {given.page}", file=sys.stderr)


def kept(path: Path, wishes: Wishes) -> tuple[str, dict[str, Standing]]:
    """How the sets that are kept were measured, and what came of it. Raises EvidenceError for another way."""
    if not path.exists():
        return wishes.said(), {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored["how"] != wishes.said():
        raise EvidenceError(f"{path} was measured by {stored['how']}, not by {wishes.said()}: give another --kept.")
    return stored["how"], {name: Standing(**one) for name, one in stored["sets"].items()}


if __name__ == "__main__":
    main()
