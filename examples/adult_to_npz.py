"""UCI Adult (census income) as an .npz file: numbers as they are, categories as one column each.

python examples/adult_to_npz.py $LIMBECK_DATA/adult adult.npz
limbeck distill npz:adult.npz --out runs/adult
"""

import csv
import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NUMBERS = (0, 2, 4, 10, 11, 12)  # age, weight, years of education, capital gain, capital loss, hours a week
CATEGORIES = (1, 5, 6, 7, 8, 9, 13)  # column 3, education, is column 4 in words
LABEL = 14


def read(path: Path) -> list[list[str]]:
    """The rows of adult.data or adult.test, gzipped; lines that are no rows are left out."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
    return [row for row in rows if len(row) == LABEL + 1]


def columns(rows: list[list[str]], levels: dict[int, list[str]]) -> NDArray[np.float32]:
    """Numbers, then one column of 0 and 1 for each level of each category; an unknown level is 0 everywhere."""
    parts = [np.array([[float(row[i]) for i in NUMBERS] for row in rows])]
    for i, known in levels.items():
        parts.append(np.array([[row[i] == level for level in known] for row in rows]))
    table = np.concatenate(parts, axis=1)
    table[:, 3:5] = np.log1p(table[:, 3:5])  # gains and losses are mostly 0 and else in the thousands
    return table.astype(np.float32)


def main(source: Path, target: Path) -> tuple[int, int]:
    """Writes ``target``; returns (rows of train, features). Levels are those of train alone."""
    train, test = read(source / "adult.data.gz"), read(source / "adult.test.gz")
    levels = {i: sorted({row[i] for row in train}) for i in CATEGORIES}
    labels = [np.array([row[LABEL].rstrip(".") for row in rows]) for rows in (train, test)]
    inputs = [columns(rows, levels) for rows in (train, test)]
    np.savez(target, x_train=inputs[0], y_train=labels[0], x_test=inputs[1], y_test=labels[1])
    return inputs[0].shape


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows, features = main(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"Wrote {sys.argv[2]}: {rows:,} training rows of {features} features")
