"""The driver: order, failures, workers that die, directories and locks."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from limbeck.errors import DirectoryError, MismatchError, OptionError
from limbeck.study import (
    DistilRun,
    Evaluation,
    Execution,
    MethodChoice,
    Place,
    StudyResults,
    estimate,
    run,
    status,
)
from limbeck.study.directory import StudyDirectory
from limbeck.study.workers import Worker, WorkerProcess, attempt
from tests.study.study_fakes import FakeWork, asked, processes, small_study


def test_a_study_is_done_once(tmp_path):
    told = []
    summary = run(small_study(), tmp_path / "s", work=FakeWork(), watch=told.append)
    assert summary.complete
    assert summary.total == 1 + 8 + 8 * 2 * 2  # one reference, 8 sets, 2 configurations in 2 groups of seeds
    assert told[-1].done == told[-1].total == summary.total
    assert told[-1].seconds_left == 0
    names = asked(tmp_path / "s")
    assert len(names) == len(set(names)) == summary.total
    again = run(small_study(), tmp_path / "s", work=FakeWork())
    assert again == summary
    assert asked(tmp_path / "s") == names


def test_rows_are_named_as_the_study_names_them(tmp_path):
    run(small_study(), tmp_path / "s", work=FakeWork())
    results = StudyResults.load(tmp_path / "s")
    assert len(results.records) == 2 + 8 * 2 * 3 * 2
    assert {r.method for r in results.records} == {"full", "random", "dm lr=2.0"}
    assert set(results.set_directories()) == {r.set for r in results.records} - {"full"}
    assert results.iterations() == {("dm lr=2.0", 1): 7, ("dm lr=2.0", 2): 7}
    state = status(tmp_path / "s")
    assert (state.done, state.failed, state.open, state.rows) == (41, 0, 0, 98)


def test_small_seeds_come_first_and_each_set_is_judged_at_once(tmp_path):
    run(small_study(), tmp_path / "s", work=FakeWork())
    titles = [e.title for e in StudyResults.load(tmp_path / "s").entries]
    assert titles[0].startswith("full data")
    assert titles[1] == "distil random, 1 a class, seed 0"
    assert titles[2].startswith("evaluate random, 1 a class, seed 0 by a")
    assert "seed 1" not in " ".join(titles[1:21])
    assert all("seed 1" in title for title in titles[21:])


def test_a_budget_becomes_iterations_once(tmp_path):
    methods = (MethodChoice("dm", seconds=((0, 5.0),)),)
    run(small_study(methods=methods), tmp_path / "s", work=FakeWork())
    entries = StudyResults.load(tmp_path / "s").entries
    assert sum(e.kind == "PaceRun" for e in entries) == 2  # one a size, for all seeds
    assert {e.facts["iterations"] for e in entries if e.kind == "DistilRun"} == {12}


def test_a_distillation_goes_on_in_units(tmp_path):
    summary = run(small_study(), tmp_path / "s", work=FakeWork(units=3))
    assert summary.complete
    counts = {name: asked(tmp_path / "s").count(name) for name in asked(tmp_path / "s")}
    entries = {e.name: e for e in StudyResults.load(tmp_path / "s").entries}
    assert {counts[n] for n, e in entries.items() if e.kind == "DistilRun"} == {3}
    assert {e.seconds for e in entries.values() if e.kind == "DistilRun"} == {3.0}


def test_a_session_can_be_short(tmp_path):
    first = run(small_study(), tmp_path / "s", work=FakeWork(), seconds=0.0)
    assert first.done == 1
    assert first.open == first.total - 1
    assert run(small_study(), tmp_path / "s", work=FakeWork()).complete
    assert len(asked(tmp_path / "s")) == first.total


def test_a_failure_is_kept_and_tried_again(tmp_path):
    summary = run(small_study(), tmp_path / "s", work=FakeWork(refuse="distil random, 1 a class, seed 0"))
    assert summary.failures == (("distil random, 1 a class, seed 0", "this run was refused."),)
    assert (summary.waiting, summary.open) == (4, 0)
    assert summary.done == summary.total - 5
    assert status(tmp_path / "s").failures == summary.failures
    assert run(small_study(), tmp_path / "s", work=FakeWork()).complete
    assert status(tmp_path / "s").failures == ()


def test_a_defect_costs_its_run_alone(tmp_path):
    summary = run(small_study(), tmp_path / "s", work=FakeWork(crash="evaluate random, 1 a class, seed 0 by a"))
    assert len(summary.failures) == 2
    assert summary.failures[0][1].startswith("RuntimeError: a defect (study_fakes.py, line")
    assert summary.done == summary.total - 2


def test_another_study_or_other_data_is_refused(tmp_path):
    run(small_study(), tmp_path / "s", work=FakeWork())
    with pytest.raises(DirectoryError, match="another per_class"):
        run(small_study(per_class=(1,)), tmp_path / "s", work=FakeWork())
    with pytest.raises(MismatchError, match="data of"):
        run(small_study(), tmp_path / "s", work=FakeWork(fingerprint="g"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(DirectoryError, match="not empty"):
        run(small_study(), tmp_path / "other", work=FakeWork())
    assert (tmp_path / "other" / "thesis.txt").read_text() == "mine"
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryError, match="cannot be made"):
        run(small_study(), tmp_path / "file", work=FakeWork())


def test_one_driver_at_a_time(tmp_path):
    home = StudyDirectory(tmp_path / "s")
    with home.driven(), pytest.raises(DirectoryError, match="being run by another process"):
        run(small_study(), tmp_path / "s", work=FakeWork())
    assert run(small_study(), tmp_path / "s", work=FakeWork()).complete


def test_a_set_that_is_gone_is_made_again_only_if_needed(tmp_path):
    study, where = small_study(), tmp_path / "s"
    run(study, where, work=FakeWork(refuse="evaluate dm lr=2.0, 2 a class, seed 1"))
    entries = {e.title: e for e in StudyResults.load(where).entries if e.kind == "DistilRun"}
    for entry in entries.values():
        for file in (where / "sets" / entry.name).iterdir():
            file.unlink()
    before = len(asked(where))
    assert run(study, where, work=FakeWork(salt="another machine")).complete
    assert asked(where)[before] == entries["distil dm lr=2.0, 2 a class, seed 1"].name
    assert len(asked(where)) == before + 1 + 4
    events = [json.loads(line)["event"] for line in (where / "log.jsonl").read_text().splitlines()]
    assert "other bytes" in events


def test_a_torn_line_of_the_log_is_closed(tmp_path):
    home = StudyDirectory(tmp_path)
    home.log("one")
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"time": 1, "ev')
    home.log("two")
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["event"] == "two"


def test_a_worker_that_dies_takes_one_run_along_and_is_replaced(tmp_path):
    study = small_study(per_class=(1,), seeds=((0, (0,)),))
    calm = StudyResults.load(_finished(tmp_path / "calm", study))
    work = FakeWork(die="distil random, 1 a class, seed 0", deaths=1)
    assert run(processes(study, 2), tmp_path / "s", work=work).complete
    assert StudyResults.load(tmp_path / "s").records.to_json() == calm.records.to_json()
    assert len(asked(tmp_path / "s")) == len(calm.entries) + 1


class Mortal(Worker):
    """A worker that dies of every run of one title, as a process that is killed does."""

    made = 0

    def __init__(self, execution):
        type(self).made += 1
        self.alive = True

    def submit(self, work, run, place):
        assert self.alive
        future = Future()
        if run.title == "distil random, 1 a class, seed 0":
            self.alive = False
            future.set_exception(BrokenProcessPool("killed"))
        else:
            future.set_result(attempt(work, run, place))
        return future

    def kill(self):
        raise AssertionError("nothing took too long")

    def close(self):
        self.alive = False


def test_a_run_that_always_kills_its_worker_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr("limbeck.study.execute._worker", Mortal)
    summary = run(processes(small_study(), 2), tmp_path / "s", work=FakeWork())
    assert [title for title, _ in summary.failures] == ["distil random, 1 a class, seed 0"]
    assert "died 3 times" in summary.failures[0][1]
    assert summary.done == summary.total - 5
    assert Mortal.made == 2 + 3


def test_a_run_that_hangs_is_given_up(tmp_path):
    title = "evaluate random, 1 a class, seed 0 by a"
    study = small_study(execution=Execution(unit=0.5), evaluation=Evaluation(seeds=(0, 1), together=2))
    summary = run(study, tmp_path / "s", work=FakeWork(hang=title))
    assert [what for what, _ in summary.failures] == [title]
    assert summary.failures[0][1].startswith("it was given up after 1 s, twice the study's unit: use a smaller")
    assert summary.done == summary.total - 1
    assert run(study, tmp_path / "s", work=FakeWork()).complete


class Stuck(Mortal):
    """A worker that does nothing more once it has begun a run of one title, until it is killed."""

    def submit(self, work, run, place):
        assert self.alive
        self.future = Future()
        if run.title != "distil random, 1 a class, seed 0":
            self.future.set_result(attempt(work, run, place))
        return self.future

    def kill(self):
        self.alive = False
        self.future.set_exception(BrokenProcessPool("killed"))


def test_a_worker_that_hangs_is_killed_and_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr("limbeck.study.execute._worker", Stuck)
    made = Stuck.made
    study = small_study(execution=Execution(2, unit=0.5))
    summary = run(study, tmp_path / "s", work=FakeWork())
    assert [what for what, _ in summary.failures] == ["distil random, 1 a class, seed 0"]
    assert "given up after 1 s" in summary.failures[0][1]
    assert (summary.waiting, summary.done) == (4, summary.total - 5)
    assert Stuck.made - made == 2 + 1


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_process_that_hangs_can_be_killed(tmp_path):
    worker = WorkerProcess(1)
    [first, *_] = small_study().distillations()
    future = worker.submit(FakeWork(hang="distil"), first, Place(tmp_path))
    _until(lambda: asked(tmp_path))
    worker.kill()
    with pytest.raises(BrokenProcessPool):
        future.result(timeout=60)
    worker.close()


def test_a_piece_that_is_longer_than_a_unit_is_refused_beforehand(tmp_path):
    sentence = (
        "one piece of 'full data, matched, by a, seed 0' takes about 60 minutes, and .* more than 15: .*unit: 60m"
    )
    with pytest.raises(OptionError, match=sentence):
        run(small_study(), tmp_path / "s", work=FakeWork(piece=3600.0))
    assert not (tmp_path / "s").exists()
    longer = small_study(execution=Execution(unit=3601.0))
    assert estimate(longer, tmp_path / "s", work=FakeWork(piece=3600.0)).longest == 3600.0
    assert run(longer, tmp_path / "s", work=FakeWork(piece=3600.0)).complete


def _finished(where, study):
    assert run(processes(study, 1), where, work=FakeWork()).complete
    return where


DRIVER = """
    from tests.study.study_fakes import FakeWork, processes, small_study
    from limbeck.study import run
    import sys
    if __name__ == "__main__":
        run(processes(small_study(), 2), sys.argv[1], work=FakeWork(pause=0.05))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_workers_leave_with_their_driver(tmp_path):
    script = tmp_path / "driver.py"
    script.write_text(textwrap.dedent(DRIVER))
    where, paths = tmp_path / "s", [str(Path(__file__).parents[2]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p), "OMP_NUM_THREADS": "1"}
    driver = subprocess.Popen([sys.executable, str(script), str(where)], env=environment)
    _until(lambda: len(asked(where)) > 4)
    import psutil

    children = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert children
    assert not psutil.wait_procs(children, timeout=10)[1]
    assert run(small_study(), where, work=FakeWork()).complete
    calm = StudyResults.load(_finished(tmp_path / "calm", small_study()))
    assert StudyResults.load(where).records.to_json() == calm.records.to_json()


def _until(true, seconds=240.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_runs_name_what_they_depend_on():
    study = small_study()
    names = {r.name for r in study.distillations()}
    assert len(names) == 8
    labelled = small_study(methods=(MethodChoice("random", label="A"), MethodChoice("dm", iterations=((0, 7.0),))))
    assert sum(r.name in names for r in labelled.distillations()) == 4  # the label is no part of the name; lr is
    assert all(isinstance(r, DistilRun) for r in study.distillations())
