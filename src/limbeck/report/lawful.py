"""A law on the page: gap against size with bands, other forms, held-out sizes, the floor, and the plans."""

import math
from collections.abc import Sequence

import numpy as np

from limbeck.laws.formfit import FormFit
from limbeck.laws.law import Interval
from limbeck.laws.plan import Plan, seen
from limbeck.laws.saturation import size_in_words
from limbeck.laws.scaling import ScalingLaw
from limbeck.report.figures import Axis, Chart, Level, Line, Section, Table
from limbeck.report.numbers import percent, quantity

__all__ = ["law_section"]

_POINTS = 80  # of a drawn curve
_GROUP = "law"  # what was measured and the law fitted to it share a colour


def law_section(law: ScalingLaw, plans: Sequence[Plan] = ()) -> Section:
    """What the law of one method says, its evidence, and the plans that follow from it."""
    table = law.ground.table
    labels = "" if table.labels == "hard" else f" with {table.labels} labels"
    parts: list[Chart | Table] = [_chart(law), _numbers(law), _forms(law)]
    if plans:
        rows = tuple((_size(p), p.sentence()) for p in plans)
        parts.insert(0, Table("Plans: how many samples a new run needs", ("a class", "in words"), rows))
    return Section(f"How many samples? The law of {table.method}{labels}", _sentences(law), tuple(parts))


def _sentences(law: ScalingLaw) -> tuple[str, ...]:
    head, *rest = law.sentences()
    return (head, *(text[:1].upper() + text[1:] for text in rest))


def _size(plan: Plan) -> str:
    return "–" if plan.per_class is None else quantity(plan.per_class)


def _chart(law: ScalingLaw) -> Chart:
    noise, table = law.ground.noise, law.ground.table
    sizes, grid = tuple(float(k) for k in noise.sizes), law.grid(_POINTS)
    lines = [_measured(law, sizes), *_fitted(law, grid), *_held(law)]
    lines += _saturation(law, lines)
    floor = law.e
    shown = law.trust.claims and seen(floor)
    ends = floor.ends if math.isfinite(floor.high) else ()
    return Chart(
        title=f"Gap of {table.method} to full data against size",
        x=Axis("examples a class (logarithmic)", "log", (*sizes, grid[-1]) if grid[-1] > sizes[-1] else sizes),
        y=Axis("gap to full data (%)", "fraction"),
        lines=tuple(lines),
        levels=(Level("floor e", floor.value, *ends),) if shown else (),
        alt=_alt(law),
    )


def _measured(law: ScalingLaw, sizes: tuple[float, ...]) -> Line:
    noise = law.ground.noise
    half = 1.96 * np.sqrt(np.diag(noise.covariance()))
    return Line(
        "measured mean gap",
        sizes,
        tuple(float(gap) for gap in noise.mean),
        tuple(float(gap - h) for gap, h in zip(noise.mean, half, strict=True)),
        tuple(float(gap + h) for gap, h in zip(noise.mean, half, strict=True)),
        joined=False,
        notes=tuple(f"{count:g} distillation seeds" for count in noise.counts),
        group=_GROUP,
    )


def _fitted(law: ScalingLaw, grid: tuple[float, ...]) -> list[Line]:
    """The free fit with the band of its mean, what new runs stay below, and the other forms that have a slope."""
    bands = [law.free.mean_band(k, law.level) for k in grid]
    free = Line(
        f"{law.free.form.name}, with its {100 * law.level:g}% band",
        grid,
        tuple(float(law.free.gap(k)) for k in grid),
        tuple(float(low) for low, _ in bands),
        tuple(float(high) for _, high in bands),
        interval="band",
        group=_GROUP,
    )
    known = grid if law.runs.fits else tuple(float(k) for k in law.ground.noise.sizes)
    below = tuple(law.below(k) for k in known)
    runs = Line(f"{law.certainty:.0%} of new runs stay below", known, below, role="reference", group=_GROUP)
    others = [each.fit for each in law.forms if each.fit.form != law.free.form and each.fit.form.parameters > 1]
    return [free, runs] + [
        Line(fit.form.name, grid, tuple(float(fit.gap(k)) for k in grid), role="reference") for fit in others
    ]


def _held(law: ScalingLaw) -> list[Line]:
    """What the free law and the form that predicted best said of the held-out sizes, in colours that differ."""
    first, free = law.forms[0], next(each for each in law.forms if each.fit.form == law.free.form)
    shown = [free] if first is free else [free, first]
    return [
        Line(
            f"held out: predicted by {each.name}",
            each.held.sizes,
            tuple(p.value for p in each.held.predicted),
            tuple(p.low for p in each.held.predicted),
            tuple(p.high for p in each.held.predicted),
            joined=False,
            notes=tuple(f"from smaller sizes; measured {percent(o)}" for o in each.held.observed),
            group="" if each is free else each.name,
        )
        for each in shown
        if each.held is not None
    ]


def _saturation(law: ScalingLaw, lines: Sequence[Line]) -> list[Line]:
    """An upright line where twice as many examples gain little, if that is within the figure."""
    where, first = law.saturation().per_class, lines[0]
    if where is None or not first.x[0] <= where.value <= 2 * first.x[-1]:
        return []
    name = f"twice as many gain < {_gain(law)}"
    return [Line(name, (where.value,) * 2, (min(0.0, *first.low), max(first.high)), role="reference")]


def _gain(law: ScalingLaw) -> str:
    return f"{100 * law.gain:g} point{'' if law.gain == 0.01 else 's'}"


def _numbers(law: ScalingLaw) -> Table:
    """c, b and e of the free fit and of the fit with b = 1/2, and where the law saturates."""
    c, e = law.of_half
    where = law.saturation().per_class
    rows = (
        ("c: gap of one a class above the floor", _fraction(law.c) if seen(law.e) else "–", _fraction(c)),
        ("b: exponent", _plain(law.b), "1/2, given"),
        ("e: floor", _floor(law), _fraction(e)),
        (f"size from which twice as many gain < {_gain(law)}", "–" if where is None else _whole(where), "–"),
    )
    header = ("", f"free exponent [{100 * law.level:g}% interval]", "b = 1/2")
    why = "" if law.trust.claims else f" ({law.trust.doubt or law.trust.thin}: no floor or rate is stated)"
    return Table(f"The law gap(k) = c·k^(−b) + e in numbers{why}", header, rows)


def _floor(law: ScalingLaw) -> str:
    known = law.e
    if not law.trust.claims:
        return "not stated"
    if seen(known):
        return _fraction(known)
    return f"none is seen; at most {percent(known.high)}" if math.isfinite(known.high) else "none is seen"


def _fraction(known: Interval) -> str:
    low, high = (percent(end) if math.isfinite(end) else _open(end) for end in known.ends)
    return f"{percent(known.value)} [{low}, {high}]"


def _plain(known: Interval) -> str:
    value, low, high = (f"{n:.3g}" if math.isfinite(n) else _open(n) for n in (known.value, *known.ends))
    return f"{value} [{low}, {high}]"


def _whole(known: Interval) -> str:
    value, low, high = (size_in_words(each) for each in (known.value, *known.ends))
    return f"{value} [{low}, {high}]"


def _open(end: float) -> str:
    return "∞" if end > 0 else "−∞"


def _forms(law: ScalingLaw) -> Table:
    header = (
        "form",
        "held-out sizes within their intervals",
        "held-out gaps: predicted → measured",
        "held-out score",
        "misfit p",
        "AICc",
        "refuted",
    )
    caption = "Forms, the best prediction of held-out sizes first; differences below 2 in score tell none apart"
    return Table(caption, header, tuple(_form(each, law) for each in law.forms))


def _form(each: FormFit, law: ScalingLaw) -> tuple[str, ...]:
    inside, told, score = "–", "–", "–"
    if each.held is not None:
        inside = f"{each.held.inside} of {len(each.held.sizes)}"
        known = zip(each.held.sizes, each.held.predicted, each.held.observed, strict=True)
        told = "; ".join(f"{quantity(k)}: {_fraction(p)} → {percent(o)}" for k, p, o in known)
        score = _signed(each.held.score)
    misfit = "–" if each.misfit is None else f"{each.misfit:.2g}"
    refuted = "no" if each.name in law.trust.standing else "yes"
    return (each.name, inside, told, score, misfit, "–" if each.aicc is None else _signed(each.aicc), refuted)


def _signed(number: float) -> str:
    return f"{number:.1f}".replace("-", "−")


def _alt(law: ScalingLaw) -> str:
    noise = law.ground.noise
    said = [
        f"The gap of {law.ground.table.method} to full data is {percent(float(noise.mean[0]))} at {noise.sizes[0]:g} a "
        f"class and {percent(float(noise.mean[-1]))} at {noise.sizes[-1]:g}.",
        f"The fitted floor is {_floor(law)}.",
    ]
    held = law.forms[0].held
    if held is not None:
        said.append(f"{held.inside} of {len(held.sizes)} held-out sizes lie within what {held.form.name} predicted.")
    return " ".join(said)
