"""Small work from start to end in a process of its own: distil the digits, train one network, test it.

    python benchmarks/small.py reference|limbeck [--iterations 100] [--updates 200] [--seed 0]

The same work on both sides: DM at 10 a class with ConvNet-3-32, the whole class as real batch. Prints the accuracy.
"""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("side", choices=("reference", "limbeck"))
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    run = {"reference": theirs, "limbeck": ours}[chosen.side]
    print(f"{run(chosen.iterations, chosen.updates, chosen.seed):.4f}")


def ours(iterations: int, updates: int, seed: int) -> float:
    """By limbeck, as a user would write it."""
    import limbeck

    task = limbeck.data.digits()
    made = limbeck.distill(
        task, "dm", per_class=10, seed=seed, network="convnet-3-32", iterations=iterations, updates=updates
    )
    rows = limbeck.evaluate(made, task, seeds=1)
    return float(rows.rows[0].accuracy)


def theirs(iterations: int, updates: int, seed: int) -> float:
    """By the reference path."""
    import reference
    import torch
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    torch.manual_seed(seed)
    order = torch.randperm(len(images))
    inputs = torch.from_numpy(images).float().view(-1, 1, 8, 8)[order] / 16
    targets = torch.from_numpy(labels).long()[order]
    kept = int(0.68 * len(inputs))
    inputs = (inputs - inputs[:kept].mean()) / inputs[:kept].std()
    known = reference.Data(inputs[:kept], targets[:kept], 10)
    first = torch.cat([known.images[rows[:10]] for rows in known.rows])
    job = reference.Matching(first, known, 10, 256, 32, operations=OPERATIONS)
    for _ in range(iterations):
        reference.dm_step(job)
    network = reference.ConvNet((1, 8, 8), 10, 32)
    made = torch.arange(10).repeat_interleave(10)
    reference.train(network, job.images.detach(), made, reference.Lesson(updates, operations=OPERATIONS), seed)
    tested = slice(int(0.8 * len(inputs)), None)
    return reference.accuracy(network, inputs[tested], targets[tested])


OPERATIONS = ("color", "crop", "cutout", "scale", "rotate")


if __name__ == "__main__":
    main()
