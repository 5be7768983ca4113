"""YAML: what it means, and a sentence with the key's path for everything else."""

import dataclasses

import pytest

from limbeck.distillation.methods import METHODS
from limbeck.errors import ArtifactError, OptionError
from limbeck.study import (
    Evaluation,
    Execution,
    MethodChoice,
    References,
    Run,
    Source,
    Study,
    parse_study,
    read_study,
)
from limbeck.study.runs import DistilRun, EvaluateRun
from limbeck.values import decode, encode

FULL = """
name: all
source: idx:$DATA/mnist
options: {seed: 3}
methods:
  - random
  - {name: herding, labels: [hard, soft]}
  - {name: dm, set: {lr: 2.0}, label: DM, per_class: [1, 50], seconds: {1: 1m, 50: 4m}}
per_class: [1, 10]
distillation_seeds: {1: 5, 10: [7, 8], 50: 0}
iterations: 200
network: convnet-3-32
evaluation:
  {configurations: [own, standard], architectures: mlp, seeds: 4, together: 2, splits: [test], labels: [own, hard]}
references: {matched: 2, converged: false}
compute: {device: cpu, precision: float32, compilation: off}
processes: 2
threads: 1
unit: 20m
"""


def test_every_key():
    study = parse_study(FULL)
    assert study.source == Source("idx:$DATA/mnist", (("seed", 3),))
    assert study.methods == (
        MethodChoice("random"),
        MethodChoice("herding"),
        MethodChoice("herding", soft=True),
        MethodChoice("dm", (("lr", 2.0),), "DM", per_class=(1, 50), seconds=((1, 60.0), (50, 240.0))),
    )
    assert study.seeds == ((1, (0, 1, 2, 3, 4)), (10, (7, 8)), (50, ()))
    assert study.evaluation == Evaluation(("own", "standard"), ("mlp",), (0, 1, 2, 3), 2, ("test",), ("own", "hard"))
    assert study.references == References((0, 1), ())
    assert study.compute.compilation == "off"
    assert study.execution == Execution(2, 1, 1200.0)
    assert decode(encode(study)) == study
    runs = list(study.distillations())
    assert {(r.method, r.per_class) for r in runs} == {
        ("random", 1),
        ("random", 10),
        ("herding", 1),
        ("herding", 10),
        ("dm", 1),
    }
    assert {r.budget for r in runs if r.method == "dm"} == {60.0}
    assert {r.iterations for r in runs} == {None}  # selections have none, dm has seconds of its own
    assert {dict(r.settings).get("soft") for r in runs if r.method == "herding"} == {None, True}
    assert {dict(r.settings)["network"] for r in runs} == {"convnet-3-32"}


def test_the_least():
    study = parse_study("source: digits\nmethods: [dm]", name="tiny")
    assert study == Study("tiny", Source("digits"), (MethodChoice("dm"),))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("metods: [dm]", "unknown key of a study 'metods': did you mean methods"),
        ("methods: [{name: dm, lr: 1}]", r"unknown key in methods\[0\] 'lr'"),
        ("methods: []", "methods is .*: give a list with at least one entry"),
        ("methods: [{set: {lr: 1}}]", r"methods\[0\] has no 'name'"),
        ("methods: [{name: dm, set: {lr: {a: 1}}}]", r"methods\[0\].set.lr is"),
        ("methods: [dm, dm]", "methods holds dm at 1 a class twice"),
        ("methods: [{name: dm, labels: fuzzy}]", "labels 'fuzzy'"),
        ("per_class: [1, 0]", "per_class is 0: give a whole number of at least 1"),
        ("per_class: [1, 1]", "per_class holds 1 twice"),
        ("per_class: true", "per_class is True"),
        ("evaluation: {seeds: five}", "evaluation.seeds is 'five': give a whole number"),
        ("evaluation: {splits: [train]}", "evaluation.splits holds 'train'"),
        ("evaluation: {seeds: 0}", "evaluation.seeds is empty"),
        ("compute: {precision: float8}", "unknown compute.precision 'float8'"),
        ("compute: {chunk: 1.5}", "compute.chunk is 1.5"),
        ("seconds: soon", "seconds: 'soon' is no time budget"),
        ("seconds: 5m\niterations: 3", "seconds and iterations are both given"),
        ("per_class: [1, 10]\ndistillation_seeds: {1: 2}", "distillation_seeds says nothing of 10 a class"),
        ("methods: [dm]\nper_class: [1, 10]\niterations: {1: 2}", "seconds and iterations say nothing of 10 a class"),
        ("iterations: {a: 3}", "a size in iterations is 'a'"),
        ("source: [a]", "source is .*: give a text"),
        ("processes: -1", "processes is -1"),
        ("unit: 0", "unit"),
        ("a: [", "is no YAML in line"),
        ("[" * 1500, "is no YAML"),
        ("!!python/object/apply:os.system [ls]", "is no YAML"),
        ("just words", "the study is 'just words': give keys"),
    ],
)
def test_what_is_wrong_is_a_sentence(text, sentence):
    whole = text if text.startswith(("[", "!", "just")) or "a: [" in text else _with(text)
    with pytest.raises(OptionError, match=sentence) as caught:
        parse_study(whole)
    assert "\n" not in str(caught.value)


def _with(text):
    keys = {line.split(":")[0] for line in text.splitlines()}
    usual = {"source": "digits", "methods": "[random]"}
    return "\n".join([text, *(f"{k}: {v}" for k, v in usual.items() if k not in keys)])


def test_source_and_methods_are_needed():
    for text in ("source: digits", "methods: [dm]", ""):
        with pytest.raises(OptionError):
            parse_study(text)


def test_a_file(tmp_path):
    file = tmp_path / "first.yaml"
    file.write_text("source: digits\nmethods: [dm]")
    assert read_study(file).name == Study.load(file).name == "first"
    for name, content in {"none.yaml": None, "binary.yaml": b"\xff\xfe\x00", "huge.yaml": b" " * (2**20 + 1)}.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ArtifactError):
            read_study(tmp_path / name)


def test_a_method_that_is_defined_anew_makes_its_sets_anew():
    """A first revision is not in the name of a run or of its judgement; another one is in both."""
    run = DistilRun(Source("digits"), "dcc", (), 1, 0)
    later = dataclasses.replace(run, revision=2)
    assert run.name != later.name
    assert EvaluateRun(run, None, (0,)).name != EvaluateRun(later, None, (0,)).name
    (asked,) = Study("s", Source("digits"), (MethodChoice("dcc"),), per_class=(1,), seeds=((0, (0,)),)).distillations()
    assert asked.revision == METHODS["dcc"].revision > 1


def test_names_of_runs_stay():
    """A store outlives a version: these names must not change without a reason that is worth all stored results."""
    run: Run = DistilRun(Source("digits", (("seed", 0),)), "dm", (("lr", 1.0),), 10, 3, iterations=500, label="DM")
    assert run.name == "5d28a2e6a789430a"
    assert run.name == DistilRun(Source("digits", (("seed", 0),)), "dm", (("lr", 1.0),), 10, 3, 500).name
    assert run.needs == ()
    paced = DistilRun(Source("digits"), "dm", (), 10, 3, budget=60.0)
    assert paced.pace is not None
    assert paced.pace.name == "ebd6f523699a5372"
