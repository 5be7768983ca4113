"""Your own pictures: a folder with one directory a class, of any size, to a synthetic set and an image folder of it.

python examples/own_folder.py photos 64 [directory]
"""

import sys
from pathlib import Path

import limbeck
from limbeck.synthetic.export import export


def main(photos: Path, size: int, directory: Path, budget: float = 120.0) -> Path:
    """Distils for about ``budget`` seconds; returns the folder of the exported pictures."""
    task = limbeck.data.folder(photos, size=size, channels=3)
    print(f"{len(task.classes)} classes, {len(task.train)} training images of {size} × {size}")
    for note in task.notes:
        print("mind:", note)

    # A run that is killed goes on from here, and ends with the same bytes, when this is called again.
    small = limbeck.distill(task, "dm", per_class=1, budget=budget, out=directory / "set")
    return export(small, directory / "pictures", "folder")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    target = Path(sys.argv[3] if len(sys.argv) > 3 else "runs/own_folder")
    print("Wrote", main(Path(sys.argv[1]), int(sys.argv[2]), target))
