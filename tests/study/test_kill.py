"""kill -9 of the driver at random moments loses, doubles and tears nothing."""

import os
import random
import signal
import sqlite3
import sys
import time

import pytest

from limbeck.study import Evaluation, StudyResults, run
from tests.study.study_fakes import FakeWork, asked, small_study

KILLS = 20
WORK = FakeWork(pause=0.001, units=2)

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def driver(where):
    """A process (a fork: nothing has to be imported again) that runs the study; its id."""
    child = os.fork()
    if child == 0:
        try:
            run(study(), where, work=WORK)
        finally:
            os._exit(0)
    return child


def study():
    return small_study(evaluation=Evaluation(seeds=(0, 1, 2), together=1))


def whole(where, per_run):
    """Every run that is done has all of its rows, every other one none."""
    database = sqlite3.connect(where / "results.sqlite")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master")]
    if "rows" not in tables:
        return 0
    found = dict(database.execute("SELECT run, COUNT(*) FROM rows GROUP BY run"))
    states = database.execute("SELECT run, state FROM runs").fetchall()
    database.close()
    for name, state in states:
        assert found.get(name, 0) == (per_run[name] if state == "done" else 0)
    return sum(state == "done" for _, state in states)


def test_kill_at_random_moments(tmp_path):
    calm = tmp_path / "calm"
    began = time.perf_counter()
    assert run(study(), calm, work=WORK).complete
    whole_time = time.perf_counter() - began
    expected = StudyResults.load(calm)
    per_run = {e.name: 0 for e in expected.entries}
    for e in expected.entries:
        per_run[e.name] = {"DistilRun": 0}.get(e.kind, 2)
    chance, kills, round_ = random.Random(0), 0, 0
    seen = set()
    while kills < KILLS:
        where = tmp_path / f"killed{round_}"
        round_ += 1
        for _ in range(5):
            child = driver(where)
            time.sleep(chance.uniform(0, whole_time / 2))
            os.kill(child, signal.SIGKILL)
            _, how = os.waitpid(child, 0)
            kills += os.WIFSIGNALED(how)
            if (where / "results.sqlite").exists():
                seen.add(whole(where, per_run))
        assert run(study(), where, work=WORK).complete
        found = StudyResults.load(where)
        assert found.records.to_json() == expected.records.to_json()
        assert [e.name for e in found.entries] == [e.name for e in expected.entries]
        # a run in flight at a kill is done again (a distillation counts its two units); nothing else is
        again = len(asked(where)) - len(asked(calm))
        assert again <= 5
    assert len(seen) > 4  # the kills came at many different stages
