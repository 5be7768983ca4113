"""Distil the embedded digits, judge the result beside random examples, and save it: about a minute on a laptop.

python examples/quickstart.py [directory]
"""

import sys
from pathlib import Path

import limbeck


def main(directory: Path, iterations: int = 300, networks: int = 3) -> float:
    """Writes ``directory/dm`` and returns the mean test accuracy, a fraction."""
    task = limbeck.data.digits()
    print(task.name, task.shape, f"{len(task.train)} training examples, the test split stays sealed")

    small = limbeck.distill(task, "dm", per_class=5, seed=0, iterations=iterations)
    chosen = limbeck.distill(task, "random", per_class=5, seed=0)

    means = {}
    for name, made in (("dm", small), ("random", chosen)):
        records = limbeck.evaluate(made, task, configurations="quick", seeds=networks)
        means[name] = sum(record.accuracy for record in records) / len(records)
        print(f"{len(made)} examples by {name}: {means[name]:.1%} of the test digits")

    small.save(directory / "dm")
    print(f"Look at {directory / 'dm' / 'preview.png'}")
    return means["dm"]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quickstart"))
