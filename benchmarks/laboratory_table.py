"""The laboratory where everything is known: the law of sets of the digits, against what curvature and noise say.

Ridge and softmax regression on raw pixels and on random convolutional features. Sets are drawn at random (from full
data, and from data weighted to bright images, which leaves a floor), herded, and made by bilevel descent. Each study is
repeated with other seeds. Writes benchmarks/results/laboratory.json and the table between its marks in docs/laws.md
(three minutes of one core).

    python benchmarks/laboratory_table.py [--repetitions 20] [--out FILE] [--page FILE]
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.laws import ScalingLaw
from limbeck.laws.fit import fit
from limbeck.laws.fixed_features import random_convolutions, raw_pixels
from limbeck.laws.forms import Power
from limbeck.laws.laboratory import Known, Laboratory, RidgeLaboratory, SoftmaxLaboratory
from limbeck.laws.law import LEVEL, Array, Interval
from limbeck.laws.near_optimal import bilevel, herded
from limbeck.seeds import derive

BEGIN, END = "<!-- laboratory: begin -->", "<!-- laboratory: end -->"
SIZES = (50, 100, 200, 400, 800, 1600, 3200, 6400)  # of drawn sets: beyond these 1/k² no longer tells
CHOSEN = (1, 2, 4, 8, 16, 32, 64, 128)  # of herded sets
MADE = (1, 2, 3, 4, 6, 8, 11, 16)  # of bilevel sets
SEEDS, RIDGE, BIAS = 4, 0.1, 1.0
DIGITS = {RidgeLaboratory: 10, SoftmaxLaboratory: 3}  # classes: a softmax's curvature has (features · classes)² entries


@dataclass(frozen=True)
class Place:
    """One learner on one kind of features."""

    name: str
    laboratory: Laboratory
    weights: Array


def places() -> list[Place]:
    """Ridge and softmax, raw pixels and random convolutions; weights favour images with much ink."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    made = []
    for kind in (RidgeLaboratory, SoftmaxLaboratory):
        keep = np.flatnonzero(digits.target < DIGITS[kind])[:600]
        images, targets = digits.images[keep][:, None] / 16.0, np.eye(DIGITS[kind])[digits.target[keep]]
        ink = images.mean((1, 2, 3))
        weights = np.exp(BIAS * (ink - ink.mean()) / ink.std())
        for name, features in (("pixels", raw_pixels(images)), ("random conv", random_convolutions(images, filters=4))):
            learner = kind(features, targets, RIDGE)
            made.append(
                Place(f"{kind.__name__.removesuffix('Laboratory').lower()}, {name}", learner, weights / weights.sum())
            )
    return made


@dataclass
class Kept:
    """What the bounds said of every single set: L_T(w_S) − L_T(w_T) ≤ ‖∇L_T(w_S)‖²/(2μ)."""

    convexity: float
    sets: int = 0
    broken: int = 0
    least: float = float("inf")

    def add(self, laboratory: Laboratory, w: Array, gap: float) -> None:
        """Check one optimum; ``least`` is the smallest ‖∇L_T‖²/(2·gap) seen: a PL constant of all that were."""
        slope = laboratory.gradients(w, laboratory.features, laboratory.targets).mean(0) + laboratory.ridge * w.ravel()
        constant = float(slope @ slope) / (2 * max(gap, 1e-300))
        self.sets += 1
        self.broken += int(constant < self.convexity * (1 - 1e-9))
        self.least = min(self.least, constant)


def drawn(place: Place, weights: Array | None, seed: int, kept: Kept) -> dict[str, Array]:
    """(K, S) excess and distance of one study's sets."""
    gaps = {name: np.zeros((len(SIZES), SEEDS)) for name in ("excess", "distance")}
    learner = place.laboratory
    for row, size in enumerate(SIZES):
        for unit in range(SEEDS):
            generator = np.random.default_rng(derive(seed, "laboratory table", size, unit))
            w = learner.trained(learner.drawn(size * learner.targets.shape[1], generator, weights))
            gaps["excess"][row, unit], gaps["distance"][row, unit] = learner.excess(w), learner.distance(w)
            kept.add(learner, w, gaps["excess"][row, unit])
    return gaps


def chosen(place: Place, seed: int, kept: Kept) -> Array:
    """(K, S) excess of herded sets, the first example of each class by chance."""
    learner, gaps = place.laboratory, np.zeros((len(CHOSEN), SEEDS))
    classes = learner.targets.shape[1]
    for unit in range(SEEDS):
        first = learner.drawn(classes, np.random.default_rng(derive(seed, "herded", unit)), place.weights)
        order = herded(learner, CHOSEN[-1] * classes, weights=place.weights, first=first)
        for row, size in enumerate(CHOSEN):
            w = learner.trained(order[: size * classes])
            gaps[row, unit] = learner.excess(w)
            kept.add(learner, w, gaps[row, unit])
    return gaps


def made(place: Place, kept: Kept) -> Array:
    """(K, S) excess of bilevel sets, which begin with balanced real examples."""
    learner, gaps = place.laboratory, np.zeros((len(MADE), SEEDS))
    assert isinstance(learner, RidgeLaboratory)
    classes = learner.targets.argmax(1)
    for unit in range(SEEDS):
        generator = np.random.default_rng(derive(0, "bilevel", unit))
        order = np.stack(
            [generator.permutation(np.flatnonzero(classes == c))[: MADE[-1]] for c in range(classes.max() + 1)], 1
        )
        for row, size in enumerate(MADE):
            features, targets = bilevel(learner, order[:size].ravel(), weights=place.weights, steps=100)
            w = learner.optimum(features, targets, np.full(len(features), 1 / len(features)))
            gaps[row, unit] = learner.excess(w)
            kept.add(learner, w, gaps[row, unit])
    return gaps


def judged(
    learner: Laboratory, sizes: tuple[int, ...], studies: list[Array], known: Known, *, constant: bool
) -> dict[str, Any]:
    """How often c, b and e are held, and the mean of measured over predicted c with its interval over repetitions."""
    held: dict[str, list[bool]] = {"c": [], "b": [], "e": [], "c_given_b": [], "e_given_b": []}
    ratios, floors, rates, follows = [], [], [], []
    for gaps in studies:
        law = ScalingLaw.of(learner.table(sizes, gaps))
        given = fit(Power(known.b), law.ground.gaps)
        c, e = (Interval(*(float(each) for each in given.coefficient(i, LEVEL))) for i in (0, -1))
        held["c"].append(law.c.holds(known.c))
        held["b"].append(law.b.holds(known.b))
        held["e"].append(law.e.holds(known.e))
        held["c_given_b"].append(c.holds(known.c))
        held["e_given_b"].append(e.holds(known.e))
        ratios.append(c.value / known.c)
        floors.append(law.e.value)
        rates.append(law.b.value)
        follows.append(law.trust.holds)
    names = list(held) if constant else ["e"]
    told: dict[str, Any] = {"known": known._asdict(), "repetitions": len(studies)}
    told["held"] = {name: int(sum(held[name])) for name in names}
    told["c_ratio"] = mean(ratios) if constant else None
    told["e"], told["b"], told["follows_the_form"] = mean(floors), mean(rates), int(sum(follows))
    told["gaps"] = [float(f"{gap:.4g}") for gap in np.mean([gaps.mean(1) for gaps in studies], 0)]
    below = np.mean([g.mean(1) for g in studies], 0) <= known.c * np.array(sizes) ** -known.b + known.e
    told["below_chance_from"] = next((k for i, k in enumerate(sizes) if below[i:].all()), None)
    return told


def mean(values: list[float]) -> list[float] | None:
    """Mean, low and high of a t interval over repetitions; None where there is only one."""
    from scipy.special import stdtrit

    if len(values) < 2:
        return [float(f"{values[0]:.4g}")]
    half = float(stdtrit(len(values) - 1, (1 + LEVEL) / 2)) * float(np.std(values, ddof=1)) / np.sqrt(len(values))
    return [float(f"{each:.4g}") for each in (np.mean(values), np.mean(values) - half, np.mean(values) + half)]


def measured(place: Place, repetitions: int) -> dict[str, Any]:
    """All studies of one learner."""
    learner = place.laboratory
    kept = Kept(learner.convexity)
    plain = [drawn(place, None, seed, kept) for seed in range(repetitions)]
    biased = [drawn(place, place.weights, 1000 + seed, kept)["excess"] for seed in range(repetitions)]
    near = [chosen(place, seed, kept) for seed in range(repetitions)]
    bright = learner.predicted("excess", place.weights)
    rows = {
        "drawn, excess": judged(
            learner, SIZES, [g["excess"] for g in plain], learner.predicted("excess"), constant=True
        ),
        "drawn, distance": judged(
            learner, SIZES, [g["distance"] for g in plain], learner.predicted("distance"), constant=True
        ),
        "drawn from other data, excess": judged(learner, SIZES, biased, bright, constant=True),
        "herded to other data, excess": judged(learner, CHOSEN, near, bright, constant=False),
    }
    if isinstance(learner, RidgeLaboratory):
        rows["bilevel to other data, excess"] = judged(learner, MADE, [made(place, kept)], bright, constant=False)
    return {
        "learner": place.name, "examples": len(learner.features), "features": learner.features.shape[1],
        "classes": learner.targets.shape[1], "convexity": learner.convexity, "sets": kept.sets, "broken": kept.broken,
        "least_constant": float(f"{kept.least:.4g}"), "rows": rows,
    }  # fmt: skip


def page(found: list[dict[str, Any]]) -> str:
    """The tables as Markdown."""
    lines = [
        "| learner | sets, gap | b | c computed | c measured / computed | held c, e (b given) | held c, b, e (b free) |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for each in found:
        for name, row in each["rows"].items():
            if row["c_ratio"] is None:
                continue
            known, held, n = row["known"], row["held"], row["repetitions"]
            ratio = f"{row['c_ratio'][0]:.3f} [{row['c_ratio'][1]:.3f}, {row['c_ratio'][-1]:.3f}]"
            given = f"{held['c_given_b']}, {held['e_given_b']} of {n}"
            free = f"{held['c']}, {held['b']}, {held['e']} of {n}"
            lines.append(
                f"| {each['learner']} | {name} | {known['b']:g} | {known['c']:.4g} | {ratio} | {given} | {free} |"
            )
    head = (
        "learner",
        "near-optimal sets",
        "a class",
        "gap − floor, first → last size",
        "floor computed",
        "floor fitted",
    )
    lines += ["", f"| {' | '.join((*head, 'b fitted', 'floor held', 'form not refuted', 'below c/k + e'))} |"]
    lines.append("|---|---|---|---|---|---|---|---|---|---|")
    for each in found:
        for name, row in each["rows"].items():
            if row["c_ratio"] is not None:
                continue
            sizes = CHOSEN if name.startswith("herded") else MADE
            e, n = row["known"]["e"], row["repetitions"]
            fall = f"{row['gaps'][0] - e:.3g} → {row['gaps'][-1] - e:.2g}"
            told = f"{e:.4g} | {row['e'][0]:.4g} | {row['b'][0]:.2f} | {row['held']['e']} of {n}"
            below = "—" if row["below_chance_from"] is None else f"from {row['below_chance_from']} on"
            place = f"{each['learner']} | {name.split(' to ')[0]} | {sizes[0]}–{sizes[-1]} | {fall}"
            lines.append(f"| {place} | {told} | {row['follows_the_form']} of {n} | {below} |")
    last = ("learner", "examples × features, classes", "PL constant computed", "least ‖∇L‖²/2(L − L*) seen")
    lines += ["", f"| {' | '.join((*last, 'sets that break the bound'))} |", "|---|---|---|---|---|"]
    for each in found:
        shape = f"{each['examples']} × {each['features']}, {each['classes']}"
        known = f"{each['convexity']:.4g} | {each['least_constant']:.4g}"
        lines.append(f"| {each['learner']} | {shape} | {known} | {each['broken']} of {each['sets']} |")
    return "\n".join(lines)


def main() -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--out", type=Path, default=here / "results" / "laboratory.json")
    parser.add_argument("--page", type=Path, default=here.parent / "docs" / "laws.md")
    asked = parser.parse_args()
    started = time.perf_counter()
    found = []
    for place in places():
        found.append(measured(place, asked.repetitions))
        print(f"{place.name}: {time.perf_counter() - started:.0f} s", flush=True)
    design = {"sizes": SIZES, "herded": CHOSEN, "bilevel": MADE, "seeds": SEEDS, "ridge": RIDGE, "bias": BIAS}
    result = {"design": design, "seconds": round(time.perf_counter() - started), "learners": found}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(result, separators=(",", ":")).replace('{"learner"', '\n{"learner"') + "\n")
    text = asked.page.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    asked.page.write_text(f"{before}{BEGIN}\n{page(found)}\n{END}{after}")
    print(page(found))


if __name__ == "__main__":
    main()
