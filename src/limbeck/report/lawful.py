"""A law on the page: gap against size with bands, other forms, held-out sizes, the floor, and the plans."""

import math
from collections.abc import Sequence

import numpy as np

from limbeck.laws.heldout import HeldOut
from limbeck.laws.law import IMPOSSIBLE, Interval
from limbeck.laws.plan import Plan
from limbeck.laws.scaling import FormFit, ScalingLaw
from limbeck.report.figures import Axis, Chart, Level, Line, Section, Table
from limbeck.report.numbers import percent, quantity

__all__ = ["law_section"]

_POINTS = 80  # of a drawn curve
_GROUP = "law"  # what was measured and the law fitted to it share a colour
_GAIN = 0.01


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
    sizes = tuple(float(k) for k in noise.sizes)
    grid = tuple(float(k) for k in np.geomspace(sizes[0], 2 * sizes[-1], _POINTS))
    held = law.forms[0].held
    lines = [_measured(law, sizes), *_fitted(law, grid)]
    lines += [] if held is None else [_held(held)]
    lines += _saturation(law, lines)
    floor = law.e
    low, high = (end if math.isfinite(end) else None for end in floor.ends)
    levels = (Level("floor e", floor.value, *((low, high) if low is not None and high is not None else ())),)
    return Chart(
        title=f"Gap of {table.method} to full data against size",
        x=Axis("examples a class (logarithmic)", "log", (*sizes, 2 * sizes[-1])),
        y=Axis("gap to full data (%)", "fraction"),
        lines=tuple(lines),
        levels=levels if floor.low > -math.inf else (),
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
        f"{law.free.form.name}, with its {law.level:.0%} band",
        grid,
        tuple(float(law.free.gap(k)) for k in grid),
        tuple(float(low) for low, _ in bands),
        tuple(float(high) for _, high in bands),
        interval="band",
        group=_GROUP,
    )
    below = tuple(law.gap_at(k, certainty=law.level).high for k in grid)
    runs = Line(f"{law.level:.0%} of new runs stay below", grid, below, role="reference", group=_GROUP)
    others = [each.fit for each in law.forms if each.fit.form != law.free.form and each.fit.form.parameters > 1]
    return [free, runs] + [
        Line(fit.form.name, grid, tuple(float(fit.gap(k)) for k in grid), role="reference") for fit in others
    ]


def _held(held: HeldOut) -> Line:
    return Line(
        "held out: predicted from smaller sizes",
        held.sizes,
        tuple(p.value for p in held.predicted),
        tuple(p.low for p in held.predicted),
        tuple(p.high for p in held.predicted),
        joined=False,
        role="reference",
    )


def _saturation(law: ScalingLaw, lines: Sequence[Line]) -> list[Line]:
    """An upright line where twice as many examples gain little, if that is within the figure."""
    size = law.saturation(_GAIN).per_class.value
    first = lines[0]
    if not first.x[0] <= size <= 2 * first.x[-1]:
        return []
    name = f"twice as many gain < {100 * _GAIN:g} point"
    return [Line(name, (size, size), (min(0.0, *first.low), max(first.high)), role="reference")]


def _numbers(law: ScalingLaw) -> Table:
    """c, b and e of the free fit and of the fit with b = 1/2, and where the law saturates."""
    c, e = law.of_half
    where = law.saturation(_GAIN).per_class
    seen = law.e.value > IMPOSSIBLE
    rows = (
        ("c: gap of one a class above the floor", _fraction(law.c) if seen else "–", _fraction(c)),
        ("b: exponent", _plain(law.b), "1/2, given"),
        ("e: floor", _floor(law.e), _floor(e)),
        (f"size from which twice as many gain < {100 * _GAIN:g} point", _plain(where), "–"),
    )
    header = ("", f"free exponent [{law.level:.0%} interval]", "b = 1/2")
    return Table("The law gap(k) = c·k^(−b) + e in numbers", header, rows)


def _floor(known: Interval) -> str:
    if known.value > IMPOSSIBLE:
        return _fraction(known)
    return f"none is seen; at most {percent(known.high)}" if math.isfinite(known.high) else "none is seen"


def _fraction(known: Interval) -> str:
    low, high = (percent(end) if math.isfinite(end) else _open(end) for end in known.ends)
    return f"{percent(known.value)} [{low}, {high}]"


def _plain(known: Interval) -> str:
    value, low, high = (f"{n:.3g}" if math.isfinite(n) else _open(n) for n in (known.value, *known.ends))
    return f"{value} [{low}, {high}]"


def _open(end: float) -> str:
    return "∞" if end > 0 else "−∞"


def _forms(law: ScalingLaw) -> Table:
    header = ("form", "held-out sizes within their intervals", "held-out score", "misfit p", "AICc")
    caption = "Forms, the best prediction of held-out sizes first"
    return Table(caption, header, tuple(_form(each) for each in law.forms))


def _form(each: FormFit) -> tuple[str, ...]:
    held = "–" if each.held is None else f"{each.held.inside} of {len(each.held.sizes)}"
    score = "–" if each.held is None else _signed(each.held.score)
    misfit = "–" if each.misfit is None else f"{each.misfit:.2g}"
    return (each.name, held, score, misfit, "–" if each.aicc is None else _signed(each.aicc))


def _signed(number: float) -> str:
    return f"{number:.1f}".replace("-", "−")


def _alt(law: ScalingLaw) -> str:
    noise = law.ground.noise
    said = [
        f"The gap of {law.ground.table.method} to full data is {percent(float(noise.mean[0]))} at {noise.sizes[0]:g} a "
        f"class and {percent(float(noise.mean[-1]))} at {noise.sizes[-1]:g}.",
        f"The fitted floor is {_floor(law.e)}.",
    ]
    held = law.forms[0].held
    if held is not None:
        said.append(f"{held.inside} of {len(held.sizes)} held-out sizes lie within what {held.form.name} predicted.")
    return " ".join(said)
