"""A pilot's plans against what then happens: new distil-and-train runs of the sizes that it planned.

    LIMBECK_DATA=… python benchmarks/pilot_outcome.py 'idx:$LIMBECK_DATA/mnist' --network convnet-3-32 [--runs 12]

Nine minutes of two cores are a tenth of what scaling_mnist took (3.0 core hours), and the network is that study's.
Runs ``limbeck pilot`` as a user would, takes its best method's plans within the measured sizes, and does what they say
with seeds that the pilot has not used: every new run is a new set and a new network, held against new full-data
networks. Writes benchmarks/results/pilot_outcome.json. A certainty of 95 % promises that one run in twenty may miss.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import limbeck
from limbeck.data.task import Task
from limbeck.evaluation import own_recipe, train_full
from limbeck.laws.findings import Found, findings
from limbeck.study.perform import opened
from limbeck.study.results import StudyResults
from limbeck.study.study import MethodChoice, Study
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.values import digest

HERE = Path(__file__).parent
FIRST = 1000  # of the new seeds
NETWORKS = 10  # new full-data ones
MOST = 2  # plans that are carried out


def piloted(source: str, budget: str, network: str | None, home: Path) -> float:
    """Run the pilot; its seconds."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "limbeck", "pilot", source, "--budget", budget, "--out", str(home)]
    command += ["--network", network] if network else []
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)})
    return time.perf_counter() - began


def choice(study: Study, method: str, per_class: int) -> MethodChoice:
    """What the pilot did at the nearest size."""
    known = [each for each in study.methods if each.called == method]
    return min(known, key=lambda each: min(abs(size - per_class) for size in each.per_class or study.per_class))


def made(study: Study, task: Task, method: str, per_class: int, seed: int) -> SyntheticSet:
    """One new set, by the pilot's settings."""
    chosen = choice(study, method, per_class)
    settings: dict[str, Any] = dict(chosen.settings)
    if chosen.iterations:
        settings |= {"iterations": int(chosen.iterations[0][1]), "lr": 1.0 + per_class}  # as the pilot has at any size
    if study.network is not None:
        settings["network"] = study.network
    return limbeck.distill(task, chosen.name, per_class=per_class, seed=seed, compute=study.compute, **settings)


def outcome(study: Study, task: Task, method: str, per_class: int, runs: int) -> tuple[list[float], SyntheticSet]:
    """Accuracies of new runs of one size on the test split, and the last set."""
    found = []
    for seed in range(FIRST, FIRST + runs):
        last = made(study, task, method, per_class, seed)
        found.append(limbeck.evaluate(last, task, seeds=[seed], compute=study.compute).rows[0].accuracy)
        print(f"{method}, {per_class} a class, run {seed - FIRST + 1} of {runs}: {100 * found[-1]:.1f} %", flush=True)
    return found, last


def carried_out(best: Found, study: Study, task: Task, runs: int) -> list[dict[str, Any]]:
    """The plans for the smallest gaps within the measured sizes, and what came of them."""
    plans = [plan for plan in best.plans if plan.reachable and not plan.extrapolated]
    told: list[dict[str, Any]] = []
    references: dict[str, float] = {}
    for plan in plans[-MOST:]:
        assert plan.per_class is not None
        accuracies, last = outcome(study, task, best.method, plan.per_class, runs)
        recipe = own_recipe(last)
        if digest(recipe) not in references:
            full = train_full(task, recipe, seeds=range(FIRST, FIRST + NETWORKS), compute=study.compute)
            references[digest(recipe)] = statistics.fmean(row.accuracy for row in full)
        reference = references[digest(recipe)]
        gaps = [reference - accuracy for accuracy in accuracies]
        told.append(
            {
                "plan": plan.sentence(),
                "gap": plan.target.value,
                "certainty": plan.certainty,
                "per_class": plan.per_class,
                "full": round(reference, 5),
                "gaps": [round(gap, 5) for gap in gaps],
                "kept": sum(gap <= plan.target.value for gap in gaps),
                "runs": runs,
            }
        )
        print(f"{plan.sentence()} {told[-1]['kept']} of {runs} new runs did.", flush=True)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source")
    parser.add_argument("--budget", default="9m")
    parser.add_argument("--network", help="of the pilot; its default for the data where none is given")
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--home", type=Path, default=Path("runs/pilot-outcome"))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "pilot_outcome.json")
    asked = parser.parse_args()
    resumed = asked.home.exists()
    seconds = piloted(asked.source, asked.budget, asked.network, asked.home)
    results = StudyResults.load(asked.home)
    task = opened(results.study.source)
    best = findings(results)[0]
    told = carried_out(best, results.study, task, asked.runs)
    found = {
        "source": asked.source,
        "budget": asked.budget,
        "network": asked.network,
        "seconds": None if resumed else round(seconds),
        "sentence": best.sentence(),
        "sureness": best.sureness(),
        "method": best.method,
        "outcomes": told,
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
