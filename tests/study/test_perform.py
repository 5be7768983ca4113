"""The real work, tiny: digits, a handful of iterations, small networks."""

import contextlib
import json
import math

import pytest

from limbeck.compute import Compute
from limbeck.data.sources import open_source
from limbeck.errors import FitError, OptionError
from limbeck.evaluation.evaluate import evaluate
from limbeck.evaluation.records import Records
from limbeck.evaluation.reference import train_full
from limbeck.networks.mlp import MLP
from limbeck.study import (
    EvaluateRun,
    Evaluation,
    MethodChoice,
    ReferenceRun,
    References,
    Source,
    Study,
    StudyResults,
    estimate,
    export,
    import_export,
    run,
)
from limbeck.study.judging import judge, judge_full
from limbeck.study.perform import RealWork, opened
from limbeck.study.pieces import Pieces
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.training.configuration import Configuration, Epochs, Updates
from limbeck.training.stages import Paused
from limbeck.values import replace

COMPUTE = Compute("cpu", "float32", "off")
SMALL = Configuration("small", MLP(), length=Updates(20))


def tiny(**changes):
    fields = {
        "name": "tiny",
        "source": Source("digits"),
        "methods": (
            MethodChoice("random", (("updates", 20),), label="random"),
            MethodChoice("dm", (("real_batch", 8), ("updates", 20)), label="dm", iterations=((0, 6.0),)),
        ),
        "per_class": (1,),
        "seeds": ((0, (0,)),),
        "network": "mlp",
        "evaluation": Evaluation(("own", SMALL), seeds=(0, 1), together=2),
        "references": References((0,), ()),
        "compute": COMPUTE,
    }
    return Study(**{**fields, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    where = tmp_path_factory.mktemp("real") / "s"
    summary = run(tiny(), where)
    assert summary.complete, summary.failures
    return StudyResults.load(where)


def plain(rows):
    """Rows without what differs between two trainings of the same network, and without the study's names."""
    found = [{k: v for k, v in r.items() if k not in ("seconds", "set", "method")} for r in json.loads(rows.to_json())]
    return sorted(found, key=lambda r: json.dumps(r, sort_keys=True))


def test_the_rows_are_those_of_the_evaluation(finished):
    task = open_source("digits")
    [(name, folder)] = [(n, f) for n, f in finished.set_directories().items() if n in _sets(finished, "dm")]
    made = SyntheticSet.load(folder)
    for split in ("validation", "test"):
        for configurations in ("own", (SMALL,)):
            ours = evaluate(made, task, configurations=configurations, seeds=2, split=split, compute=COMPUTE)
            which = ours.rows[0].configuration
            assert plain(finished.records.where(set=name, split=split, configuration=which)) == plain(ours)
        full = train_full(task, SMALL, seeds=(0,), split=split, compute=COMPUTE)
        assert plain(finished.records.where(method="full", split=split, configuration="small")) == plain(full)
    assert {r.set for r in finished.records.where(method="full")} == {"full-matched"}
    assert {r.configuration for r in finished.records.where(method="full")} == {"own", "small"}
    assert finished.iterations() == {("dm", 1): 6}


def test_full_data_are_trained_by_every_recipe_of_the_sets():
    """Whatever method comes first; each set's gap is to the reference that was trained as it was."""
    methods = tiny().methods
    longer = MethodChoice("random", (("updates", 30),), label="longer")
    for order in ((*methods, longer), (longer, *methods)):
        own = [c for c in RealWork().describe(tiny(methods=order)).references if c.name == "own"]
        assert {c.length.count for c in own} == {20, 30}
    assert len([c for c in RealWork().describe(tiny()).references if c.name == "own"]) == 1


def _sets(results, method):
    return {r.set for r in results.records.where(method=method)}


def test_an_export_with_its_sets_goes_on(finished, tmp_path):
    export(finished.directory, tmp_path / "e.parquet", sets=True)
    larger = tiny(evaluation=Evaluation(("own", SMALL), seeds=(0, 1, 2), together=2))
    import_export(tmp_path / "e.parquet", tmp_path / "fresh", larger)
    before = {n: (f / "synthetic.safetensors").read_bytes() for n, f in finished.set_directories().items()}
    assert run(larger, tmp_path / "fresh").complete
    fresh = StudyResults.load(tmp_path / "fresh")
    assert len(fresh.records) == len(finished.records) + 2 * 2 * 2
    assert {n: (f / "synthetic.safetensors").read_bytes() for n, f in fresh.set_directories().items()} == before


def test_sets_that_are_gone_are_made_again_with_the_same_bytes(finished, tmp_path):
    export(finished.directory, tmp_path / "e.parquet")
    larger = tiny(evaluation=Evaluation(("own", SMALL), seeds=(0, 1, 2), together=2))
    import_export(tmp_path / "e.parquet", tmp_path / "fresh", larger)
    assert run(larger, tmp_path / "fresh", unit=0.0).complete  # every distillation is put back after each checkpoint
    for name, folder in StudyResults.load(tmp_path / "fresh").set_directories().items():
        same = finished.set_directories()[name] / "synthetic.safetensors"
        assert (folder / "synthetic.safetensors").read_bytes() == same.read_bytes()
    assert "other bytes" not in (tmp_path / "fresh" / "log.jsonl").read_text()


def test_budgets_and_estimates(tmp_path):
    paced = MethodChoice("dm", (("real_batch", 8), ("updates", 20)), label="dm", seconds=((0, 0.5),))
    study = tiny(methods=(paced,), seeds=((0, (0, 1)),), evaluation=Evaluation((SMALL,), seeds=(0,)))
    found = estimate(study, tmp_path / "s")
    assert found.runs == {"full data": 1, "pace": 1, "distil": 2, "evaluate": 2}
    assert 1.0 < found.seconds < 600
    assert run(study, tmp_path / "s").complete
    results = StudyResults.load(tmp_path / "s")
    assert results.iterations()["dm", 1] >= 1
    assert len({e.facts["iterations"] for e in results.entries if e.kind in ("PaceRun", "DistilRun")}) == 1
    assert estimate(study, tmp_path / "s").seconds == 0
    assert all(math.isfinite(r.accuracy) for r in results.records)


@pytest.mark.parametrize(
    ("study", "error", "sentence"),
    [
        (tiny(methods=(MethodChoice("dmm"),)), OptionError, "unknown method 'dmm': did you mean"),
        (tiny(methods=(MethodChoice("dm", (("lrr", 1.0),)),)), OptionError, "unknown setting 'lrr'"),
        (tiny(methods=(MethodChoice("dm", soft=True),)), OptionError, "unknown setting 'soft'"),
        (tiny(per_class=(1, 5000)), FitError, "5000 were asked for"),
        (tiny(evaluation=Evaluation(("stendard",))), OptionError, "unknown space 'stendard'"),
        (tiny(evaluation=Evaluation(("own",), ("mpl",))), OptionError, "mlp"),
        (tiny(evaluation=Evaluation((SMALL, Configuration("small", MLP(), batch=2)))), OptionError, "called 'small'"),
        (tiny(source=Source("idx:$LIMBECK_NOWHERE/x")), OptionError, "LIMBECK_NOWHERE"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(tmp_path, study, error, sentence):
    with pytest.raises(error, match=sentence):
        run(study, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_the_full_data_until_it_converges(monkeypatch, tmp_path):
    monkeypatch.setattr("limbeck.evaluation.reference.DOUBLINGS", 2)
    monkeypatch.setattr("limbeck.training.stages.WORTH", math.inf)
    few = Configuration("few", MLP(), length=Updates(3))
    asked = ReferenceRun(Source("digits"), few, "converged", (0,), compute=COMPUTE)
    rows = judge_full(open_source("digits"), asked, Pieces(tmp_path, math.inf))
    assert not list(tmp_path.iterdir())  # what is short and done in one session leaves no pieces
    first, second = rows
    assert (first.split, second.split) == ("validation", "test")
    assert first.updates == second.updates > 3
    assert first.set == second.set in ("full-converged", "full-unconverged")
    assert first.accuracy == first.validation == second.validation
    with pytest.raises(OptionError, match="length in epochs"):
        judge_full(
            open_source("digits"),
            ReferenceRun(Source("digits"), Configuration("e", MLP(), length=Epochs(1)), "matched", (0,)),
            Pieces(tmp_path, math.inf),
        )


def test_what_stops_after_every_update_gives_the_same_rows(finished, tmp_path, monkeypatch):
    few = Configuration("few", MLP(), length=Updates(3))
    monkeypatch.setattr("limbeck.evaluation.reference.DOUBLINGS", 1)
    monkeypatch.setattr("limbeck.training.stages.WORTH", math.inf)
    monkeypatch.setattr("limbeck.evaluation.reference.EPOCHS", 1)
    task, made = open_source("digits"), SyntheticSet.load(next(iter(finished.set_directories().values())))
    distil = next(finished.study.distillations())
    evaluated = EvaluateRun(distil, few, (0, 1))
    referred = ReferenceRun(Source("digits"), few, "converged", (0,), compute=COMPUTE)
    for number, judged in enumerate(
        (lambda p: judge(made, task, evaluated, p), lambda p: judge_full(task, referred, p))
    ):
        whole = judged(Pieces(tmp_path / "none", math.inf))
        rows, sessions = None, 0
        while rows is None:
            with contextlib.suppress(Paused):
                rows = judged(Pieces(tmp_path / str(number), -math.inf))
            sessions += 1
        assert plain(Records.of(rows)) == plain(Records.of(whole))
        assert [(r.split, r.seed) for r in rows] == [(r.split, r.seed) for r in whole]
        assert sessions > 4
    assert not (tmp_path / "none").exists()


def test_a_teacher_stops_on_the_way(finished, tmp_path):
    soft = tiny(
        methods=(MethodChoice("random", (("updates", 20),), soft=True),), evaluation=Evaluation(("own",), seeds=(0,))
    )
    soft = replace(soft, references=References((), ()))
    for place, unit in (("calm", None), ("hasty", 0.0)):
        assert run(soft, tmp_path / place, unit=unit).complete
    [calm], [hasty] = (StudyResults.load(tmp_path / p).set_directories().values() for p in ("calm", "hasty"))
    for file in ("synthetic.safetensors", "card.json"):
        assert (hasty / file).read_bytes() == (calm / file).read_bytes()
    assert [p.suffix for p in (tmp_path / "hasty" / "teachers").iterdir()] == [".safetensors"]
    assert not list((tmp_path / "hasty" / "pieces").glob("*"))


def test_a_source_reads_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMBECK_SOMEWHERE", "digits")
    assert opened(Source("$LIMBECK_SOMEWHERE")).name == "digits"
    names = RealWork().describe(tiny(evaluation=Evaluation(("own",), ("mlp", "convnet-2-32")))).configurations
    assert [None if c is None else c.name for c in names] == [None, "mlp", "convnet-2-32"]
