"""A feature table: numbers in rows, a label each. Embeddings go the same way.

python examples/table.py
"""

import numpy as np
from numpy.typing import NDArray

import limbeck


def penguins(n: int = 600, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Two made-up kinds with correlated measures of different units (mm, g)."""
    chance = np.random.default_rng(seed)
    kind = chance.integers(0, 2, n)
    length = 190 + 22 * kind + 6 * chance.normal(size=n)
    weight = 3700 + 1300 * kind + 25 * (length - 190 - 22 * kind) + 350 * chance.normal(size=n)
    return np.stack([length, weight], axis=1), np.array(["adelie", "gentoo"])[kind]


def main(iterations: int = 200) -> NDArray[np.float32]:
    """Returns the synthetic rows in the table's own units."""
    inputs, labels = penguins()
    task = limbeck.data.arrays(inputs, labels, name="penguins")
    small = limbeck.distill(task, "dm", per_class=2, iterations=iterations)
    records = limbeck.evaluate(small, task, configurations="quick", seeds=3)
    print(f"4 rows: {sum(r.accuracy for r in records) / len(records):.1%} of the test rows")
    rows: NDArray[np.float32] = small.raw().numpy()
    for label, row in zip(small.hard.tolist(), rows, strict=True):
        print(f"{small.classes[label]:>8}: {row[0]:6.1f} mm {row[1]:7.0f} g")
    return rows


if __name__ == "__main__":
    main()
