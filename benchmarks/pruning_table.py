"""The data-pruning laboratory against a table of small simulations: solved, simulated, and what was known before.

    python benchmarks/pruning_table.py [--trials 20]

Each entry must lie within three standard errors (its own and the table's 0.008, 0.013 in one cell) of the table. About
three minutes on one core.
"""

import argparse
import math

from limbeck.laws.pruning import Pruning, simulate, solve

TABLE_ERROR = 0.008
DOUBTFUL = {(0, 8.0, 0.2, "hard"): 0.013}  # the one entry whose standard error was larger
KEPT = ("random", "easy", "hard")
# angle of the probe in degrees, examples over dimensions → full; f = 0.2: random, easy, hard; f = 0.5: the same
TABLE = {
    (0, 0.5): (0.329, 0.408, 0.340, 0.486, 0.379, 0.311, 0.437),
    (0, 1.0): (0.258, 0.393, 0.282, 0.478, 0.329, 0.251, 0.401),
    (0, 2.0): (0.185, 0.341, 0.209, 0.467, 0.257, 0.182, 0.324),
    (0, 4.0): (0.109, 0.294, 0.152, 0.437, 0.182, 0.116, 0.140),
    (0, 8.0): (0.060, 0.216, 0.095, 0.273, 0.113, 0.069, 0.061),
    (0, 16.0): (0.031, 0.135, 0.057, 0.032, 0.061, 0.037, 0.030),
    (20, 1.0): (0.265, 0.387, 0.293, 0.461, 0.324, 0.271, 0.399),
    (20, 4.0): (0.113, 0.281, 0.190, 0.417, 0.190, 0.167, 0.179),
    (20, 8.0): (0.061, 0.208, 0.145, 0.370, 0.119, 0.139, 0.073),
    (20, 16.0): (0.030, 0.137, 0.126, 0.250, 0.062, 0.120, 0.034),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=20)
    trials = parser.parse_args().trials
    missed = 0
    print("probe  alpha  kept         table   simulated          solved")
    for (degrees, alpha), row in TABLE.items():
        asked = [(1.0, "random"), *((f, kept) for f in (0.2, 0.5) for kept in KEPT)]
        for known, (fraction, kept) in zip(row, asked, strict=True):
            experiment = Pruning(alpha, fraction, kept, math.radians(degrees))
            found, solved = simulate(experiment, trials=trials), solve(experiment)
            error = math.hypot(found.standard_error, DOUBTFUL.get((degrees, alpha, fraction, kept), TABLE_ERROR))
            fits = abs(found.mean - known) <= 3 * error
            missed += not fits
            print(
                f"{degrees:4d}°  {alpha:5g}  {fraction:.1f} {kept:7s}  {known:.3f}   {found.mean:.3f} ± "
                f"{found.standard_error:.3f}   {solved:.3f}{'' if fits else '   outside'}",
                flush=True,
            )
    print(f"{7 * len(TABLE) - missed} of {7 * len(TABLE)} entries agree with the table")


if __name__ == "__main__":
    main()
