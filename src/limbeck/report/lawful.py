"""A law on the page: gap against size with bands, other forms, held-out sizes, the floor, and the plans."""

import math
from collections.abc import Sequence

import numpy as np

from limbeck.laws.plan import Plan
from limbeck.laws.scaling import ScalingLaw
from limbeck.report.figures import Axis, Chart, Level, Line, Section, Table

__all__ = ["law_section"]


def law_section(law: ScalingLaw, plans: Sequence[Plan] = ()) -> Section:
    """What the law of one method says, its evidence, and the plans that follow from it."""
    table = law.ground.table
    parts: list[Chart | Table] = [_chart(law), _forms(law)]
    if plans:
        rows = tuple((p.target.asked, f"{100 * p.certainty:g} %", _size(p), p.sentence()) for p in plans)
        parts.insert(0, Table("Plans", ("target", "certainty", "a class", "in words"), rows))
    return Section(f"The scaling law of {table.method}, {table.labels} labels", law.sentences(), tuple(parts))


def _size(plan: Plan) -> str:
    return "not reachable" if plan.per_class is None else f"{plan.per_class}"


def _chart(law: ScalingLaw) -> Chart:
    noise = law.ground.noise
    sizes = [float(k) for k in noise.sizes]
    spread = np.sqrt(np.diag(noise.covariance()))
    grid = [float(k) for k in np.geomspace(sizes[0], 2 * sizes[-1], 60)]
    bands = [law.free.mean_band(k, law.level) for k in grid]
    lines = [
        Line(
            "free exponent",
            tuple(grid),
            tuple(float(law.free.gap(k)) for k in grid),
            tuple(_finite(low) for low, _ in bands),
            tuple(_finite(high) for _, high in bands),
            interval="band",
        ),
        Line("k^(-1/2) with a floor", tuple(grid), tuple(float(law.half.gap(k)) for k in grid), role="reference"),
        Line(
            "measured",
            tuple(sizes),
            tuple(float(g) for g in noise.mean),
            tuple(float(g - 1.96 * s) for g, s in zip(noise.mean, spread, strict=True)),
            tuple(float(g + 1.96 * s) for g, s in zip(noise.mean, spread, strict=True)),
            joined=False,
        ),
    ]
    held = law.forms[0].held
    if held is not None:
        lines.append(
            Line(
                f"predicted from the smaller sizes ({law.forms[0].name})",
                held.sizes,
                tuple(p.value for p in held.predicted),
                tuple(p.low for p in held.predicted),
                tuple(p.high for p in held.predicted),
                joined=False,
                role="reference",
            )
        )
    floor = law.e
    levels = (Level("floor", floor.value),) if math.isfinite(floor.value) and floor.low > -math.inf else ()
    alt = (
        f"The gap to full data falls from {noise.mean[0]:.3f} at {sizes[0]:g} to {noise.mean[-1]:.3f} at {sizes[-1]:g}."
    )
    return Chart(
        "Gap to full data against size",
        Axis("synthetic examples a class", "log", tuple(sizes)),
        Axis("gap in test accuracy, points", "fraction"),
        tuple(lines),
        levels,
        alt,
    )


def _finite(number: object) -> float:
    value = float(number)  # type: ignore[arg-type]
    return value if math.isfinite(value) else math.nan


def _forms(law: ScalingLaw) -> Table:
    rows = []
    for each in law.forms:
        held = "—" if each.held is None else f"{each.held.inside} of {len(each.held.sizes)}"
        score = "—" if each.held is None else f"{each.held.score:.2f}"
        misfit = "—" if each.misfit is None else f"{each.misfit:.3g}"
        rows.append((each.name, held, score, misfit, "—" if each.aicc is None else f"{each.aicc:.1f}"))
    header = ("form", "held-out sizes inside their intervals", "held-out score", "misfit p", "AICc")
    return Table("Forms, best prediction of held-out sizes first", header, tuple(rows))
