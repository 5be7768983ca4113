"""What the methods make: a row of stored images a method, one of each class; a picture of docs/results.md.

    python benchmarks/pictures.py runs/methods [--per-class 1] [--seed 0]

The sets have to be in the study's directory; images are shown as they are stored, four in one where a method does so.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from difficulty import sets
from torch import Tensor

from limbeck.files import write_atomically
from limbeck.study import StudyResults
from limbeck.synthetic.preview import grid, png
from limbeck.synthetic.synthetic_set import SyntheticSet

HERE = Path(__file__).parent
HIDDEN = ("herding", "kcenter", "grand", "forgetting")  # choose images like those of kmeans, el2n or random


def stored(made: SyntheticSet) -> Tensor:
    """(classes, c, h, w) the first stored image of each class, in [0, 1]."""
    first = torch.stack([torch.nonzero(made.labels == c).flatten()[0] for c in range(len(made.classes))])
    return made.preprocessing.inverse(made.variables["pixels"][first]).clamp(0, 1)


def main(words: Sequence[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path, help="directory of a study with its sets")
    parser.add_argument("--per-class", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="default: docs/images/methods-SIZE.png")
    given = parser.parse_args(words)
    results = StudyResults.load(given.study)
    order = [choice.called for choice in results.study.methods]
    found = {
        run.label or run.method: folder
        for run, folder in sets(results)
        if run.per_class == given.per_class and run.seed == given.seed
    }
    names = [name for name in order if name in found and name not in HIDDEN]
    images = torch.cat([stored(SyntheticSet.load(found[name])) for name in names])
    rows = torch.arange(len(names)).repeat_interleave(len(images) // len(names))
    out = given.out or HERE.parent / "docs" / "images" / f"methods-{given.per_class}.png"
    write_atomically(out, png(grid(images, rows, tuple(names))))
    print(f"wrote {out}: {', '.join(names)}")


if __name__ == "__main__":
    main()
