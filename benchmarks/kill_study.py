"""Kills a distillation, and the driver and workers of a study, at random moments, resumes them, and compares the ends.

    python benchmarks/kill_study.py [--moments 20] [--seed 0]

The distillation (DM on the digits) is killed and started again until it is done; the bytes of its set are compared with
those of an undisturbed one. The study distils the digits and evaluates (several runs stop on the way and go on, so that
kills meet these too). Half of the moments kill the driver, a quarter one worker, a quarter all at once, always with
SIGKILL. After each kill the store is read: a run that is done has all of its rows, any other none. When a round's kills
are over, the study is run to its end, and its rows (but for seconds) and the bytes of its sets are compared with those
of an undisturbed one. Prints tables, and exits with 1 where anything differs.
"""

import argparse
import contextlib
import json
import multiprocessing
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch

from limbeck.compute import Compute
from limbeck.data.digits import digits
from limbeck.distillation.distill import distill
from limbeck.networks.mlp import MLP
from limbeck.study import Evaluation, Execution, MethodChoice, References, Source, Study, StudyResults, run
from limbeck.training.configuration import Configuration, Updates

FEW = (("recipe.optimizer.lr", 0.05), ("updates", 20))
A_ROUND = 5  # kills before a study is run to its end
FILES = ("synthetic.safetensors", "card.json")
PIECE = 0.3  # seconds after which a run stops on the way


class Kill(NamedTuple):
    """One kill: seconds into the session, who died, and the runs that the store held as done."""

    round: int
    seconds: float
    died: str
    done: int


def small_study(processes: int, *, iterations: int = 40) -> Study:
    """Two methods, two seeds, soft labels (a teacher), two configurations, a full-data reference."""
    small = Configuration("mlp", MLP(), length=Updates(20))
    return Study(
        name="killed",
        source=Source("digits"),
        methods=(
            MethodChoice("random", FEW, label="random", soft=True),
            MethodChoice("dm", (*FEW, ("real_batch", 8)), label="dm", iterations=((0, float(iterations)),)),
        ),
        per_class=(1,),
        seeds=((0, (0, 1)),),
        network="convnet-2-32:width=8",
        evaluation=Evaluation(("own", small), seeds=(0, 1), together=2),
        references=References((0,), ()),
        compute=Compute("cpu", "float32", "off"),
        execution=Execution(processes, 1),
    )


def ended(where: Path) -> tuple[Any, ...]:
    """All that a study leaves: its runs, its rows without seconds, and the bytes of its sets."""
    found = StudyResults.load(where)
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in json.loads(found.records.to_json())]
    sets = {name: set_bytes(folder) for name, folder in found.set_directories().items()}
    return [(e.name, e.state) for e in found.entries], rows, sets


def whole(where: Path, rows_of: dict[str, int]) -> int:
    """How many runs are done; every one of them has all of its rows, every other one none."""
    if not (where / "results.sqlite").exists():
        return 0
    with sqlite3.connect(where / "results.sqlite", timeout=60) as database:
        there = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if not {"runs", "rows"} <= there:
            return 0
        found = dict(database.execute("SELECT run, COUNT(*) FROM rows GROUP BY run").fetchall())
        states = database.execute("SELECT run, state FROM runs").fetchall()
    database.close()
    for name, state in states:
        expected = rows_of[name] if state == "done" else 0
        if found.get(name, 0) != expected:
            raise SystemExit(f"run {name} is {state} and has {found.get(name, 0)} rows of {expected}")
    return sum(state == "done" for _, state in states)


def rows_of(where: Path) -> dict[str, int]:
    """Rows of each run of a finished study."""
    with sqlite3.connect(where / "results.sqlite") as database:
        found = dict(database.execute("SELECT run, COUNT(*) FROM rows GROUP BY run").fetchall())
        names = [name for (name,) in database.execute("SELECT run FROM runs")]
    database.close()
    return {name: found.get(name, 0) for name in names}


def distil(where: Path) -> None:
    """One distillation, from its beginning or from where it was."""
    torch.set_num_threads(1)
    distill(digits(), "dm", per_class=1, out=where, iterations=400, real_batch=8, network="convnet-2-32:width=8")


def kill_distillations(folder: Path, chance: random.Random, moments: int) -> bool:
    """Kill at so many moments; True where every set ended with the bytes of the undisturbed one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["limbeck.distillation.distill", "limbeck.study.perform", "limbeck.study"]
    )  # nothing to import again
    distil(folder / "calm")
    began = time.monotonic()
    distil(folder / "timed")
    span, expected = time.monotonic() - began, set_bytes(folder / "calm")
    same, kills, number, shares = set_bytes(folder / "timed") == expected, 0, 0, []
    while kills < moments:
        number += 1
        while True:
            process = context.Process(target=distil, args=(folder / str(number),))
            process.start()
            if kills < moments:
                # most kills meet a run on its way, some its beginning
                passed = chance.choice((0, 1, 1, 1)) * (iterations_done(folder / str(number)) + chance.uniform(1, 150))
                while process.is_alive() and iterations_done(folder / str(number)) < passed:
                    time.sleep(0.005)
                process.join(chance.uniform(0, span / 100))
            else:
                process.join()
            if not process.is_alive():
                break
            process.kill()
            process.join()
            kills += 1
            shares.append(iterations_done(folder / str(number)))
        same = same and process.exitcode == 0 and set_bytes(folder / str(number)) == expected
    print(f"distillation, undisturbed {span:.1f} s; killed after iterations {', '.join(map(str, shares))}")
    print(f"{kills} kills in {number} runs; the bytes of the sets are {'equal' if same else 'DIFFERENT'}")
    return same


def set_bytes(where: Path) -> list[bytes]:
    """The files of a finished set that are compared."""
    return [(where / file).read_bytes() for file in FILES]


def iterations_done(where: Path) -> int:
    """What the log of a killed run holds; the checkpoint that it goes on from may be a little earlier."""
    log = where / "log.jsonl"
    lines = [line for line in log.read_text().splitlines() if line.endswith("}")] if log.exists() else []
    return int(json.loads(lines[-1])["iteration"]) if lines else 0


class Driver:
    """A study being run in a process of its own (forked from a clean server: nothing has to be imported again)."""

    def __init__(self, study: Study, where: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["limbeck.study.perform", "limbeck.study"])
        self.log = where / "log.jsonl"
        self.before = self.lines()
        self.process = context.Process(target=run, args=(study, where), kwargs={"unit": PIECE})
        self.process.start()
        self.began = time.monotonic()

    @property
    def running(self) -> bool:
        """True until it is done, or killed."""
        return self.process.is_alive()

    def lines(self) -> int:
        """Lines of the study's log: one when a session begins, one for each run that is done."""
        return self.log.read_text().count("\n") if self.log.exists() else 0

    def wait(self, lines: int, seconds: float) -> None:
        """Until this session has written so many lines, and then so many seconds; or until it is over."""
        while self.running and self.lines() < self.before + lines:
            time.sleep(0.005)
        self.process.join(seconds)

    def workers(self) -> list[psutil.Process]:
        """Its workers now."""
        try:
            children = psutil.Process(self.process.pid).children()
            return [child for child in children if any("spawn_main" in word for word in child.cmdline())]
        except psutil.Error:
            return []

    def kill(self, *, driver: bool, workers: int) -> str:
        """SIGKILL to the driver or workers, or both; who died."""
        victims = self.workers()[:workers]
        if driver:
            self.process.kill()
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        if driver:
            self.process.join()
            psutil.wait_procs(victims, timeout=30)
        died = (["driver"] if driver else []) + ([f"{len(victims)} of the workers"] if victims else [])
        return " and ".join(died) or "nobody"


def disturbed(
    study: Study,
    where: Path,
    chance: random.Random,
    *,
    kills: int,
    span: float,
    known: dict[str, int],
    number: int = 1,
) -> list[Kill]:
    """Run ``study`` with up to ``kills`` kills, each up to ``span`` seconds after the one before, then to its end."""
    driver, told = Driver(study, where), list[Kill]()
    while len(told) < kills:
        driver.wait(chance.choice((0, 1, 2, 3)), chance.uniform(0, span))  # most kills meet runs, some the beginning
        if not driver.running:
            break
        kind = chance.choice(["driver", "driver", "worker", "all"]) if study.execution.processes > 1 else "driver"
        after = time.monotonic() - driver.began
        died = driver.kill(driver=kind != "worker", workers={"driver": 0, "worker": 1, "all": 99}[kind])
        if died != "nobody":
            told.append(Kill(number, after, died, whole(where, known)))
        if not driver.running:
            driver = Driver(study, where)
    driver.process.join()
    summary = run(study, where)  # what failed because its worker was killed too often is tried again
    if not summary.complete:
        raise SystemExit(f"the study did not end: {summary.failures}")
    return told


def main() -> int:
    """Kills until there were enough moments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance, told, number = random.Random(asked.seed), list[Kill](), 0
    with tempfile.TemporaryDirectory(prefix="limbeck-kill-") as folder:
        same = kill_distillations(Path(folder) / "distillations", chance, asked.moments)
        calm = Path(folder) / "calm"
        began = time.monotonic()
        run(small_study(1, iterations=400), calm)
        span, expected, known = time.monotonic() - began, ended(calm), rows_of(calm)
        runs, rows, sets = map(len, expected)
        print(f"study, undisturbed: {runs} runs, {rows} rows, {sets} sets, {span:.1f} s")
        print("round  seconds into the session  killed                     runs done then")
        while len(told) < asked.moments:
            number += 1
            processes, where = 1 + number % 2, Path(folder) / f"round-{number}"
            kills = disturbed(
                small_study(processes, iterations=400),
                where,
                chance,
                kills=min(A_ROUND, asked.moments - len(told)),
                span=span / 6,
                known=known,
                number=number,
            )
            for kill in kills:
                print(f"{kill.round:5}  {kill.seconds:24.2f}  {kill.died:25}  {kill.done:14}")
            equal = ended(where) == expected
            told, same = told + kills, same and equal
            print(
                f"{number:5}  resumed to the end: rows and sets {'equal' if equal else 'DIFFER FROM'} the undisturbed"
            )
    print(f"{len(told)} kills in {number} rounds; {'nothing' if same else 'SOMETHING'} was lost, doubled or torn")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
