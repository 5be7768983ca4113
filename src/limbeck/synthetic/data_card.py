"""README.md of a saved set: a Hugging Face data-set card that a person, and the hub, can read."""

import html
from collections import Counter

from limbeck.synthetic.factored import Factored
from limbeck.synthetic.recipe import words
from limbeck.synthetic.synthetic_set import SyntheticSet

__all__ = ["PRIVACY", "contents", "plain", "preprocessing_words", "readme"]

PRIVACY = "no privacy guarantee; images initialised from real examples may show them"

WITH = """\
from limbeck.synthetic import SyntheticSet

small = SyntheticSet.load(".")  # this directory
inputs, targets = small.dataset().tensors  # ready for a network
raw = small.raw()  # images in [0, 1], table rows in the user's units
recipe = small.card.recipe  # how to train on it
"""

WITHOUT_PIXELS = """\
from safetensors.numpy import load_file

tensors = load_file("synthetic.safetensors")
inputs = tensors["variables.pixels"]  # ready for a network
labels = tensors["labels"]
targets = tensors.get("targets")  # soft labels; absent where labels are hard
"""

WITHOUT_FACTORED = """\
import numpy as np
from safetensors.numpy import load_file

def bilinear(small, large):  # matrix (large, small), half-pixel centres
    place = ((np.arange(large) + 0.5) * small / large - 0.5).clip(0, small - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(small)))

tensors, factor = load_file("synthetic.safetensors"), {factor}
stored = tensors["variables.pixels"]
height, width = stored.shape[2:]
tiles = [t for row in np.array_split(stored, factor, 2) for t in np.array_split(row, factor, 3)]
tiles = [bilinear(t.shape[2], height) @ t @ bilinear(t.shape[3], width).T for t in tiles]
inputs = np.stack(tiles, 1).reshape(-1, *stored.shape[1:]).astype("float32")  # ready for a network
labels = np.repeat(tensors["labels"], factor**2)
targets = tensors.get("targets")  # soft labels; absent where labels are hard
"""

RAW = """\
shape = (1, -1) + (1,) * (inputs.ndim - 2)
raw = inputs
if "preprocessing.whiten" in tensors:
    flat = raw.reshape(len(raw), -1) @ tensors["preprocessing.colour"] + tensors["preprocessing.centre"]
    raw = flat.reshape(raw.shape)
raw = raw * tensors["preprocessing.std"].reshape(shape) + tensors["preprocessing.mean"].reshape(shape)
"""


def readme(synthetic: SyntheticSet, made_by: str = "") -> str:
    """The whole page: YAML front matter, what it is, how to load it with limbeck and without, how to train on it.

    made_by: as in :func:`contents`.
    """
    card, rule = synthetic.card, synthetic.parametrisation
    without = WITHOUT_FACTORED.format(factor=rule.factor) if isinstance(rule, Factored) else WITHOUT_PIXELS
    parts = [
        _front_matter(synthetic),
        f"# {plain(card.task)}, distilled by {plain(card.method)}",
        "![preview](preview.png)",
        _caption(synthetic),
        contents(synthetic, made_by),
        "## Load it with limbeck",
        f"```python\n{WITH}```",
        "## Load it without limbeck",
        f"```python\n{without}```",
        "To raw values (clip images to [0, 1] to show them):",
        f"```python\n{RAW}```",
        preprocessing_words(synthetic),
        "## Its own training recipe",
        words(card.recipe, synthetic.step_size),
        "## Mind",
        "\n".join(f"* {note}" for note in (PRIVACY, *map(plain, card.notes))),
    ]
    return "\n\n".join(parts) + "\n"


def _caption(synthetic: SyntheticSet) -> str:
    if len(synthetic.card.shape) == 3:
        return "At most 10 decoded images of each class, enlarged without smoothing."
    return "A line for an example, a column for a feature: blue below the mean, white at it, red above, full at ±3 std."


def contents(synthetic: SyntheticSet, made_by: str = "") -> str:
    """What the set holds, as Markdown lines. ``made_by``: the method in words, else its name."""
    card, multiplicity = synthetic.card, synthetic.parametrisation.multiplicity
    kind = "images (channels, height, width)" if len(card.shape) == 3 else "table rows (features,)"
    size = "×".join(str(side) for side in card.shape)
    decoded = "" if multiplicity == 1 else f", which decode to {len(synthetic) * multiplicity}"
    soft = "one class index an example" if synthetic.targets is None else "soft: one probability a class"
    numbered = all(name == str(label) for label, name in enumerate(card.classes))
    names = ", ".join(n if numbered else f"{i} {plain(n)}" for i, n in enumerate(card.classes))
    counts = Counter(card.per_class)
    each = (
        ", ".join(f"{n} in {m} classes" for n, m in sorted(counts.items()))
        if len(counts) > 1
        else str(card.per_class[0])
    )
    lines = [
        f"* examples: {len(synthetic)} stored {kind} of {size}{decoded}; in each class: {each}",
        f"* labels: {soft}",
        f"* classes: {names}",
        f"* made from: {plain(card.task)} (fingerprint `{plain(card.fingerprint)}`, split seed {card.split_seed})",
        f"* made by: {plain(made_by or card.method)}, seed {card.seed}; every hyper-parameter is in card.json",
    ]
    return "\n".join(lines)


def preprocessing_words(synthetic: SyntheticSet) -> str:
    """How raw values become network inputs, with this set's numbers where they are few."""
    process = synthetic.preprocessing
    axis = "channel" if len(synthetic.card.shape) == 3 else "feature"
    lines = [f"New data must be preprocessed alike: `inputs = (raw − mean) / std`, one mean and std a {axis}"]
    if process.whiten is not None:
        lines.append(", then flattened, `inputs = (inputs − centre) @ whiten` (ZCA)")
    numbers = ""
    if len(process.mean) <= 4:
        numbers = f" Here mean = {process.mean.tolist()}, std = {process.std.tolist()}."
    scale = " Raw images lie in [0, 1]." if axis == "channel" else ""
    return "".join(lines) + "." + scale + numbers


def plain(text: str) -> str:
    """Text from outside as it may stand in Markdown and HTML: one line, and nothing in it is markup."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+!|~" else letter for letter in html.escape(line))


def _front_matter(synthetic: SyntheticSet) -> str:
    import yaml

    card, decoded = synthetic.card, len(synthetic) * synthetic.parametrisation.multiplicity
    sizes = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    task = "image-classification" if len(card.shape) == 3 else "tabular-classification"
    fields = {
        "pretty_name": f"{card.task}, distilled by {card.method}",
        "task_categories": [task],
        "tags": ["dataset-distillation", "synthetic", "limbeck"],
        "size_categories": [next((name for limit, name in sizes if decoded < limit), "n>1M")],
    }
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---"
