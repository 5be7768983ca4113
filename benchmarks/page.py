"""docs/performance.md from benchmarks/results.json: tables, and two figures as plain SVG."""

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from svg import Curve, Scale, chart

from limbeck.networks import architecture
from limbeck.training.cost import forward_flops

HERE = Path(__file__).parent
GPU = 989e12  # operations a second: NVIDIA's data sheet of the H200, dense, bfloat16
TARGETS = {"DM step": 5, "DSA matching step": 3, "training, epoch of 100 images": 4, "test pass, 10,000 images": 6}
WORKS = (  # task, classes, side, examples a class, DM iterations as published, test images
    ("CIFAR-10", 10, 32, 10, 20_000, 10_000),
    ("CIFAR-10", 10, 32, 50, 20_000, 10_000),
    ("Tiny ImageNet", 200, 64, 10, 20_000, 10_000),
    ("ImageNet-1K at 64 × 64", 1000, 64, 10, 20_000, 50_000),
)


def write_page(told: dict[str, Any], path: Path) -> None:
    """The page, and its figures in ``images`` beside it."""
    parts = [_head(told)]
    for name, part in (
        ("rows", _rows),
        ("unroll", _unroll),
        ("small", _small),
        ("start", _start),
        ("growth", _growth),
        ("profile", _profile),
        ("extrapolation", _extrapolation),
    ):
        if name in told:
            parts.append(part(told))
    parts.append(_loss())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_filled("\n\n".join(part for part in parts if part)) + "\n")
    if "growth" in told:
        images = path.parent / "images"
        images.mkdir(exist_ok=True)
        for what in ("seconds", "bytes"):
            (images / f"growth-{what}.svg").write_text(_figure(told["growth"], what))


def _filled(text: str) -> str:
    """Paragraphs broken at 120 characters; headings, tables and pictures as they are."""
    blocks = text.split("\n\n")
    return "\n\n".join(block if block[0] in "#|!" else textwrap.fill(block, 120) for block in blocks)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *lines)]
    return "\n".join(rows)


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.0f} ms" if value >= 0.01 else f"{1000 * value:.2f} ms"


def _bytes(value: float) -> str:
    return f"{value / 2**30:.2f} GiB" if value >= 2**30 else f"{value / 2**20:.0f} MiB"


def _head(told: dict[str, Any]) -> str:
    machine, most = told["machine"], told["ceilings"]
    fast = machine["amx"] or machine["avx512_bf16"]
    kind = "with fast bfloat16" if fast else "without AMX and without AVX-512-BF16, so everything runs in float32"
    lines = [
        [name.replace("_", " ").rsplit(" ", 1)[0], f"{value:.0f} {'GB/s' if 'bytes' in name else 'GFLOP/s'}"]
        for name, value in most.items()
    ]
    note = (
        "\n\nLong work is compiled and then done in bfloat16, short work is neither (limbeck.compilation says when). "
        "The rows in bfloat16 are what long work meets once its graphs stand (the first call takes longer, as named: "
        "compiling with an empty cache, and a distillation's preparation), those in float32 what short work meets, "
        "and what a CPU without fast bfloat16 has."
        if fast
        else (
            "\n\nThe project's targets of 3 to 6 times need a CPU with fast bfloat16, or a GPU. On a machine like this "
            "one the requirement is another: every row faster than the reference path. Nothing below says how fast "
            "limbeck is elsewhere."
        )
    )
    return f"""# How fast

Written by `make bench` ({machine["date"]}, {told.get("seconds", 0) / 60:.0f} minutes in all); the numbers stand in
`benchmarks/results.json`.

**Machine.** {machine["processor"]}, {machine["cores"]} cores ({machine["threads"]} threads, {machine["vectors"]}),
{machine["memory_gib"]} GiB, {kind}; load before the start {machine["load_before"]};
PyTorch {machine["versions"]["torch"]}, Python {machine["versions"]["python"]}, limbeck
{machine["versions"]["limbeck"]}.

**Against what.** `benchmarks/reference.py`, our own code in the field's usual form: eager, float32, a Python loop
over
classes and networks, one augmentation a class, double backward. It is no straw man: there is no graph on DM's real
side,
there are no gradients in test passes, there is no DataLoader. Both sides take turns in one process, the order
swapped each
time; a ratio is the geometric mean over pairs with its 95 % t-interval.{note}

**Ceilings,** measured in the same run, best of several:

{_table(["what", "rate"], lines)}"""


def _rows(told: dict[str, Any]) -> str:
    most, lines = told["ceilings"], []
    for row in told["rows"]:
        ceiling, conv = (most[f"{kind}_{row['precision']}_gflops"] for kind in ("matrix", "convolution"))
        spread = " – ".join(_seconds(row["limbeck"][end]) for end in ("min", "max"))
        lines.append(
            [
                row["work"],
                row["precision"] + (f", compiled (first call {row['first']:+.0f} s)" if "first" in row else ""),
                _seconds(row["reference"]["median"]),
                f"{_seconds(row['limbeck']['median'])} ({spread})",
                f"**{row['ratio']:.2f} ×** [{row['ratio_low']:.2f}, {row['ratio_high']:.2f}]",
                str(row["pairs"]),
                f"{row['gflops']:.0f} GFLOP/s: {row['gflops'] / ceiling:.0%}, {row['gflops'] / conv:.0%}",
                f"{TARGETS[row['work']]} ×",
            ]
        )
    head = [
        "work",
        "precision",
        "reference",
        "limbeck (range)",
        "faster by",
        "pairs",
        "of matrix, convolution",
        "AMX target",
    ]
    return f"""## Against the reference path

ConvNet-3-{told["width"]}, 3×32×32, 10 classes, 10 images a class, 256 real images a class, DSA. Operations are
those of the
reference path's matrix products and convolutions.

{_table(head, lines)}

{_no_straw_man(told)}"""


def _no_straw_man(told: dict[str, Any]) -> str:
    """What the reference path takes an image, beside what it takes where the project was planned."""
    by = {row["work"]: row["reference"]["median"] for row in reversed(told["rows"])}  # the first, before any compiling
    step, test, epoch = (by[f] for f in ("DM step", "test pass, 10,000 images", "training, epoch of 100 images"))
    conv = told["ceilings"]["convolution_bfloat16_gflops"]
    image = f"{test / 10:.2f} ms forward and {10 * epoch:.1f} ms for training an image"
    return f"""The reference path itself takes {step:.1f} s for a DM step, {image}. On two cores with AMX it is expected
to take 2.2 – 3.2 s, 0.8 – 1.1 ms and 2.0 – 2.6 ms, where a convolution in bfloat16 reaches 2,300 GFLOP/s; this run's
reached {conv:,.0f}."""


def _unroll(told: dict[str, Any]) -> str:
    unroll = told["unroll"]
    names = [name for name in unroll if isinstance(unroll[name], dict)]
    lines = [[name, _seconds(unroll[name]["seconds_a_step"]), _bytes(unroll[name]["bytes"])] for name in names]
    auto, few, many = unroll["autograd, 10 steps"], unroll["10 steps"], unroll["60 steps"]
    lean, thin = unroll["10 steps, every 3rd kept"], unroll["60 steps, every 8th kept"]
    slower = {name: unroll[name]["seconds_a_step"] / auto["seconds_a_step"] for name in names}
    grows, default = thin["bytes"] / lean["bytes"] - 1, many["bytes"] / few["bytes"] - 1
    return f"""## Unrolled gradient

ConvNet-3-{unroll["width"]}, 32×32, {unroll["examples"]} images a step; each line in a process of its own, memory
above what was resident before, in a second run whose freed memory goes back at once, so that what is resident is what
is alive.{_apart(told, "unroll")}

From 10 to 60 steps peak memory changes by {grows:+.0%} where every √N-th step's weights are kept; a step then takes
{slower["10 steps, every 3rd kept"]:.2f} × (10 steps) and {slower["60 steps, every 8th kept"]:.2f} × (60 steps) the
time of autograd at 10, whose memory grows with the steps ({auto["bytes"] / lean["bytes"]:.1f} × ours at 10). Unless
told otherwise, limbeck keeps every step's weights while they fit in 128 MiB ({default:+.0%} here), and takes
{slower["10 steps"]:.2f} × and {slower["60 steps"]:.2f} × the time.

{_table(["form", "a step", "peak memory"], lines)}"""


def _apart(told: dict[str, Any], part: str) -> str:
    date = told.get("apart", {}).get(part)
    return f" Measured apart, {date}." if date else ""


def _small(told: dict[str, Any]) -> str:
    row = told["small"]
    return f"""## Small work

The digits, from the start of Python to the printed accuracy: ConvNet-3-32, 100 DM steps, one network of 200
updates. Reference
{_seconds(row["reference"]["median"])}, limbeck {_seconds(row["limbeck"]["median"])}: {row["ratio"]:.2f} ×
[{row["ratio_low"]:.2f},
{row["ratio_high"]:.2f}], {row["pairs"]} pairs."""


def _start(told: dict[str, Any]) -> str:
    return "## Start\n\n" + _table(
        ["command", "median of 7"], [[f"`{k}`", _seconds(v)] for k, v in told["start"].items()]
    )


def _growth(told: dict[str, Any]) -> str:
    lines = []
    for row in told["growth"]:
        ends = [f"{b['exponent']:.2f} [{b['low']:.2f}, {b['high']:.2f}]" for b in (row["time"], row["memory"])]
        axis = ", ".join(f"{value:g}" for value in row["axis"])
        seconds = ", ".join(_seconds(s) for s in row["seconds"])
        lines.append([row["factor"], row["work"], axis, seconds, ends[0], ends[1]])
    return f"""## Growth

Small sizes (ConvNet-3-32, 16×16, 4 classes, 10 a class, 64 real a class), one factor at a time, one thread, each
point in a
process of its own. value ∝ factor^b; b with its 95 % interval over four points. 1 is linear, 0 is flat.

{_table(["factor", "work", "points", "time", "b of time", "b of memory"], lines)}

![time](images/growth-seconds.svg) ![memory](images/growth-bytes.svg)"""


def _profile(told: dict[str, Any]) -> str:
    lines = []
    for name, events in told["profile"].items():
        text = ", ".join(f"`{e['operator'].removeprefix('aten::')}` {e['share']:.0%}" for e in events)
        lines.append([name, text])
    return "## Where the time goes\n\nOperators by the time they take themselves.\n\n" + _table(
        ["work", "operators"], lines
    )


def _extrapolation(told: dict[str, Any]) -> str:
    rates = {rate["side"]: rate for rate in told["extrapolation"]}
    lines = []
    for task, classes, side, per_class, iterations, tested in WORKS:
        rate = rates[side]
        made = classes * per_class
        step = classes * 256 * rate["forward"] + made * rate["training"]
        network = 1000 * made * rate["training"] + tested * rate["forward"]
        flops = _flops(rate["network"], side, classes) * (classes * 256 + 3 * made)
        lines.append(
            [
                task,
                rate["network"],
                str(per_class),
                _seconds(step),
                f"{iterations * step / 3600:,.0f} h",
                f"{network / 3600:.1f} h",
                f"{made * rate['bytes'] / 2**30:.1f} GiB",
                f"{_long(flops * iterations / GPU)}, {_long(3000 * made * flops / (classes * 256 + 3 * made) / GPU)}",
            ]
        )
    head = [
        "task",
        "network",
        "images a class",
        "DM step",
        "20,000 steps",
        "one network, 1000 epochs",
        "memory of a step",
        "one H200, at least: steps, network",
    ]
    each = ", ".join(
        f"{r['network']} at {side}: {_seconds(r['forward'])} forward, {_seconds(r['training'])} forward and backward, "
        f"{_bytes(r['bytes'])} while matched"
        for side, r in rates.items()
    )
    return f"""## What larger work would take here

Extrapolated from measured rates an image ({each}), not run. 256 real images a class and step, as published. Memory
is that
of the synthetic side, whose graph is alive at once; the real side goes through in chunks. Where it exceeds the
machine's, the
step cannot be made here. The last column is no measurement: no GPU was at hand. It is the arithmetic of the 20,000
steps and of the one network alone at the published peak of an H200 ({GPU / 1e12:.0f} TFLOP/s in bfloat16), of which any
program reaches a part (`benchmarks/gpu.py` measures which).

{_table(head, lines)}"""


def _flops(network: str, side: int, classes: int) -> int:
    """Operations of one image's forward pass."""
    return forward_flops(architecture(network.lower()).build((3, side, side), classes))


def _long(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def _loss() -> str:
    path = HERE / "no_loss.json"
    if not path.exists():
        return ""
    lines = []
    for row in json.loads(path.read_text())["rows"]:
        within = f"{'yes' if row['equivalent'] else 'no'}, ± {100 * row['margin']:g}"
        ends = f"[{100 * row['low']:+.2f}, {100 * row['high']:+.2f}]"
        lines.append([row["task"], row["what"], f"{100 * row['mean']:+.2f}", ends, str(row["seeds"]), within])
    head = ["data", "what", "mean difference, points", "90 % interval", "seeds", "within, points"]
    return f"""## No loss

Accuracy by limbeck's path minus accuracy by the reference path, and by test passes in bfloat16 minus those in float32,
paired over seeds (`python benchmarks/no_loss.py`). The claim is equivalence: the whole interval lies within the margin.

{_table(head, lines)}

That fast forms equal naive ones, number by number, is tested on random shapes in float64: class gradients and
their pull in
`tests/matching/test_gradients.py` (1e-10), the unrolled gradient in `tests/training/test_unroll.py` (1e-9),
pooling in
`tests/networks/test_pooling.py` (1e-14), the vectorised and the looped training in `tests/training/test_train.py`."""


def _figure(growth: Sequence[dict[str, Any]], what: str) -> str:
    """Every factor's curve relative to its first point, both axes logarithmic, with the linear diagonal."""
    curves = [Curve("linear", (1, 64), (1, 64), dashed=True, colour=7)]
    for place, row in enumerate(growth):
        first = max(row[what][0], 1e-9)
        across = [value / row["axis"][0] for value in row["axis"]]
        up = [max(value, 1e-9) / first for value in row[what]]
        curves.append(Curve(row["factor"], across, up, colour=place))
    word = "time" if what == "seconds" else "memory"
    x = Scale("factor, relative to its first point", (1, 4, 16, 64), logarithmic=True)
    y = Scale(f"{word}, relative", (0.5, 1, 4, 16, 64), logarithmic=True)
    return chart(f"How {word} grows", x, y, curves)


if __name__ == "__main__":
    write_page(json.loads((HERE / "results.json").read_text()), HERE.parent / "docs" / "performance.md")
