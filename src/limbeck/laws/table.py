"""From rows to what a law is fitted to: a risk for each size and distillation seed, and what is common to all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from limbeck.errors import EvidenceError, MismatchError, OptionError
from limbeck.evaluation.cells import FULL, alike
from limbeck.evaluation.records import Record, Records
from limbeck.laws.law import Array
from limbeck.laws.noise import crossed

__all__ = ["GapTable", "common_test_error", "configurations", "gap_table"]


@dataclass(frozen=True)
class GapTable:
    """The gaps of one method: risk of a set (1 − mean accuracy of its networks) − that of full data.

    sizes:     (K,) stored examples a class, ascending.  total: (K,) of all classes.
    risks:     (K, S) one a distillation seed, NaN where there is none.  seeds: the S seeds.
    networks:  (K,) mean number of networks behind a risk.
    within:    (K,) variance over networks of one set (evaluation seeds; of the mean over configurations), 0 where there
               was one network a set.
    reference: (R,) risks of the full-data networks, one a training seed.  available: real examples a class.
    crossed:   variance of the mean over network seeds that all sets were trained with, and its degrees of freedom.
    test:      (K + 1, K + 1) covariance by the choice of the test examples, the reference last.
    configurations: those averaged over.  remarks: what was left out, one sentence each.
    """

    method: str
    labels: str
    configurations: tuple[str, ...]
    split: str
    sizes: Array
    total: Array
    risks: Array
    seeds: tuple[int, ...]
    networks: Array
    within: Array
    reference: Array
    available: float
    test: Array
    crossed: tuple[float, float] = (0.0, 1.0)
    remarks: tuple[str, ...] = ()

    @property
    def classes(self) -> float:
        """Classes, as stored examples tell them."""
        return float(self.total[0] / self.sizes[0])

    def without(self, sizes: Sequence[float], why: str) -> "GapTable":
        """The same without some sizes, and a remark that says why, unless it is empty."""
        keep = np.array([size not in sizes for size in self.sizes])
        both = np.append(keep, True)
        cut = {name: getattr(self, name)[keep] for name in ("sizes", "total", "risks", "networks", "within")}
        remarks = (*self.remarks, why) if why else self.remarks
        return replace(self, **cut, test=self.test[np.ix_(both, both)], remarks=remarks)

    def __str__(self) -> str:
        where = (
            self.configurations[0] if len(self.configurations) == 1 else f"{len(self.configurations)} configurations"
        )
        return f"{self.method} ({self.labels} labels, {where}, {self.split})"


def gap_table(
    records: Records,
    *,
    method: str | None = None,
    labels: str | None = None,
    configuration: str | None = None,
    reference: str = "matched",
) -> GapTable:
    """The gaps of one method against full data.

    method, labels: whose rows; None where the records hold only one.
    configuration:  one of them; None averages over all that every set and the reference were trained in.
    reference:      "matched" (full data by as many updates) or "converged"; the other one where there is none.

    The test-set error is what resampling the test examples, the same for all sizes and for the reference, gives: the
    covariance of resampled means is cov(P)/n with P the (n, K + 1) mean correctness of every example, to which the
    bootstrap converges. Raises EvidenceError, MismatchError or OptionError where rows are lacking or mixed.
    """
    rows, full, failed = _finished(records, method, labels, reference)
    names, left = _configurations(rows, full, configuration)
    remarks = [f"{failed} networks of {rows[0].method} failed and are left out" if failed else "", *left]
    remarks.append(_other_reference(full, reference))
    rows = [row for row in rows if row.configuration in names]
    full = [row for row in full if row.configuration in names]
    if not _stored([rows, full]):
        remarks.append("the error by the choice of test examples is taken as 0, because correctness is not stored")
    return _table(rows, full, names, tuple(text for text in remarks if text))


def configurations(records: Records, *, method: str | None = None, labels: str | None = None) -> tuple[str, ...]:
    """The configurations that every set of the method and the reference have a finished network in."""
    rows, full, _ = _finished(records, method, labels, "matched")
    return _configurations(rows, full, None)[0]


def common_test_error(records: Records, tables: Sequence[GapTable]) -> Array:
    """(M·K, M·K) covariance of the gaps of M tables of single configurations by the choice of the test examples."""
    groups: list[list[Record]] = []
    for table in tables:
        rows, full, _ = _finished(records, table.method, table.labels, "matched")
        name = table.configurations[0]
        for size in table.sizes:
            groups.append([row for row in rows if row.configuration == name and row.per_class == size])
        groups.append([row for row in full if row.configuration == name])
    known, count, number = _test_error(groups), len(tables[0].sizes), len(tables)
    turn = np.kron(np.eye(number), np.concatenate([np.eye(count), -np.ones((count, 1))], 1))
    return np.asarray(turn @ known @ turn.T)


def _finished(
    records: Records, method: str | None, labels: str | None, reference: str
) -> tuple[list[Record], list[Record], int]:
    """Rows of the method and of the reference that finished, and how many of the method did not."""
    rows = [row for row in records if row.method != FULL]
    method = _only("method", sorted({row.method for row in rows}), method)
    rows = [row for row in rows if row.method == method]
    labels = _only("kind of labels", sorted({row.labels for row in rows}), labels)
    rows = [row for row in rows if row.labels == labels]
    full = list(alike(_references(records, reference), rows))
    _check(rows + full)
    failed = sum(not row.finished for row in rows)
    rows, full = [row for row in rows if row.finished], [row for row in full if row.finished]
    if not rows or not full:
        raise EvidenceError(f"no network of {method if full else 'the reference'} was trained to the end.")
    return rows, full, failed


def _table(rows: list[Record], full: list[Record], names: tuple[str, ...], remarks: tuple[str, ...]) -> GapTable:
    sizes = sorted({row.per_class for row in rows})
    seeds = sorted({row.distillation_seed for row in rows})
    by_size = [[row for row in rows if row.per_class == size] for size in sizes]
    risks = np.array(
        [[_risk([r for r in group if r.distillation_seed == s], names) for s in seeds] for group in by_size]
    )
    trained = [len(g) / max(1, len({r.distillation_seed for r in g})) / len(names) for g in by_size]
    training = sorted({row.seed for row in full})
    reference = np.array([_risk([r for r in full if r.seed == s], names) for s in training])
    return GapTable(
        method=rows[0].method,
        labels=rows[0].labels,
        configurations=names,
        split=rows[0].split,
        sizes=np.array(sizes, dtype=np.float64),
        total=np.array([group[0].stored for group in by_size], dtype=np.float64),
        risks=risks,
        seeds=tuple(seeds),
        networks=np.array(trained),
        within=np.array([_within(group, names) for group in by_size]),
        reference=reference[np.isfinite(reference)],
        available=full[0].per_class,
        test=_test_error([*by_size, full]),
        crossed=_crossed(rows, names),
        remarks=remarks,
    )


def _only(what: str, known: list[str], asked: str | None) -> str:
    if not known:
        raise EvidenceError("there are no rows of distilled sets: a law needs a study of several sizes.")
    if asked is None and len(known) > 1:
        raise OptionError(
            f"the rows mix several of a {what} ({', '.join(known)}): say which one the law is for (method=… and "
            "labels=…; --method at the command line)."
        )
    if asked is not None and asked not in known:
        raise EvidenceError(f"there are no rows of the {what} '{asked}': known are {', '.join(known)}.")
    return known[0] if asked is None else asked


def _references(records: Records, reference: str) -> list[Record]:
    """Rows of the asked reference, or of any other one."""
    full = [row for row in records if row.method == FULL]
    if not full:
        raise EvidenceError("a gap needs full-data references and there are none: add them to the study.")
    asked = [row for row in full if row.set == f"{FULL}-{reference}"]
    return asked or [row for row in full if row.set == full[0].set]


def _other_reference(full: list[Record], asked: str) -> str:
    """A remark where the reference is another one than asked for."""
    found = full[0].set.removeprefix(f"{FULL}-")
    return "" if found == asked else f"no full-data network of the kind '{asked}' finished: the gap is to '{found}'"


def _check(rows: list[Record]) -> None:
    if len({(row.fingerprint, row.split_seed) for row in rows}) > 1:
        raise MismatchError("the rows come from several tasks or splits of the data: fit a law to one task.")
    if len({row.split for row in rows}) > 1:
        raise OptionError("the rows mix accuracies on validation and on test: keep one, e.g. where(split='test').")


def _configurations(rows: list[Record], full: list[Record], asked: str | None) -> tuple[tuple[str, ...], list[str]]:
    """Configurations that every set and the reference have a finished network in, and a remark on the others."""
    known = tuple(dict.fromkeys(row.configuration for row in rows))
    if asked is not None and asked not in known:
        raise EvidenceError(f"no network of the configuration '{asked}' finished: known are {', '.join(known)}.")
    there = {row.configuration for row in full}
    sets = {(row.per_class, row.distillation_seed) for row in rows}
    done = {(row.per_class, row.distillation_seed, row.configuration) for row in rows}
    if asked is not None:
        shared: tuple[str, ...] = tuple(name for name in (asked,) if name in there)
    else:
        shared = tuple(name for name in known if name in there and all((*each, name) in done for each in sets))
    if not shared:
        raise EvidenceError("the sets and the full-data reference share no configuration: evaluate both by the same.")
    left = [name for name in known if name not in shared and asked is None]
    return shared, [f"without {', '.join(left)}, which not all sets and the reference finished in"] if left else []


def _risk(rows: list[Record], names: tuple[str, ...]) -> float:
    """Mean over configurations of the mean over networks; NaN where one is lacking."""
    means = []
    for name in names:
        known = [1 - row.accuracy for row in rows if row.configuration == name]
        means.append(math.fsum(known) / len(known) if known else math.nan)
    return math.fsum(means) / len(means)


def _within(rows: list[Record], names: tuple[str, ...]) -> float:
    """Pooled variance over networks of one set, for the mean over configurations; 0 where there are no repeats."""
    groups: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        groups.setdefault((row.distillation_seed, row.configuration), []).append(row.accuracy)
    squares = sum(float(np.var(g)) * len(g) for g in groups.values())
    freedom = sum(len(g) - 1 for g in groups.values())
    return squares / freedom / len(names) if freedom else 0.0


def _crossed(rows: list[Record], names: tuple[str, ...]) -> tuple[float, float]:
    """What :func:`limbeck.laws.noise.crossed` says of the network seeds that every set has in every configuration."""
    known: dict[tuple[float, int, str], dict[int, float]] = {}
    for row in rows:
        known.setdefault((row.per_class, row.distillation_seed, row.configuration), {})[row.seed] = 1 - row.accuracy
    seeds = sorted(set.intersection(*(set(each) for each in known.values())))
    sets = sorted({(size, seed) for size, seed, _ in known})
    risks = [
        [math.fsum(known[(*each, name)][seed] for name in names) / len(names) for seed in seeds]
        for each in sets
        if all((*each, name) in known for name in names)
    ]
    if not seeds or not risks:
        return 0.0, 1.0
    variance, freedom = crossed(np.array(risks))
    return float(variance), float(freedom)


def _test_error(groups: list[list[Record]]) -> Array:
    """(len(groups),) ² covariance of mean risks over the choice of test examples; 0 where correctness is not stored."""
    number = _stored(groups)
    if not number:
        return np.zeros((len(groups), len(groups)))
    shares = np.stack([np.mean([row.correctness() for row in group], 0) for group in groups])
    return np.asarray(np.cov(shares) / number, dtype=np.float64)


def _stored(groups: list[list[Record]]) -> int:
    """How many test examples all rows have their correctness for; 0 where it is not stored or they differ."""
    counts = {row.examples for group in groups for row in group}
    number = counts.pop() if len(counts) == 1 else 0
    return number if number >= 2 else 0
