"""An export starts the study in a fresh checkout, and a damaged or hostile one does no harm."""

import json
import shutil
import zlib

import pyarrow.parquet as pq
import pytest

from limbeck.errors import ArtifactError, DirectoryError
from limbeck.evaluation.records import Records
from limbeck.study import MethodChoice, StudyResults, export, import_export, run, status
from limbeck.study.exported import KEY
from tests.study.study_fakes import FakeWork, asked, small_study


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    where = tmp_path_factory.mktemp("finished")
    study = small_study(methods=(MethodChoice("random"), MethodChoice("dm", seconds=((0, 5.0),))))
    assert run(study, where / "s", work=FakeWork()).complete
    export(where / "s", where / "s.parquet")
    return study, where


@pytest.fixture
def finished(once, tmp_path):
    """The study, its directory (not to be changed), and an export of one's own."""
    study, where = once
    shutil.copy(where / "s.parquet", tmp_path / "s.parquet")
    return study, where / "s", tmp_path / "s.parquet"


def test_a_fresh_checkout_does_nothing_again(finished, tmp_path):
    study, where, file = finished
    assert export(where, file, sets=True) == file.stat().st_size
    export(where, file)
    fresh = tmp_path / "fresh"
    assert import_export(file, fresh) == study
    assert status(fresh).rows == status(where).rows
    assert run(study, fresh, work=FakeWork()).complete
    assert asked(fresh) == []
    old, new = StudyResults.load(where), StudyResults.load(fresh)
    assert new.records.to_json() == old.records.to_json()
    assert [(e.name, e.facts) for e in new.entries] == [(e.name, e.facts) for e in old.entries]


def test_an_export_is_a_table_of_records(finished):
    _, where, file = finished
    export(where, file)
    assert Records.from_parquet(file).to_json() == StudyResults.load(file).records.to_json()
    assert StudyResults.load(file).records.to_json() == StudyResults.load(where).records.to_json()
    assert StudyResults.load(file).iterations() == {("dm", 1): 12, ("dm", 2): 12}


def test_half_a_study_goes_on_and_makes_only_the_sets_it_needs(finished, tmp_path):
    study, _, file = finished
    part = tmp_path / "part"
    run(study, part, work=FakeWork(refuse="evaluate dm, 1 a class, seed 1 by b"))
    export(part, file)
    fresh = tmp_path / "fresh"
    import_export(file, fresh)
    assert run(study, fresh, work=FakeWork()).complete
    kinds = [{e.name: e.kind for e in StudyResults.load(fresh).entries}[name] for name in asked(fresh)]
    assert sorted(kinds) == ["DistilRun", "EvaluateRun", "EvaluateRun"]  # iterations came with the export: no pace


def test_sets_can_go_along(finished, tmp_path):
    study, _, file = finished
    run(study, tmp_path / "part", work=FakeWork(refuse="evaluate dm, 1 a class, seed 1 by b"))
    export(tmp_path / "part", file, sets=True)
    fresh = tmp_path / "fresh"
    import_export(file, fresh)
    assert run(study, fresh, work=FakeWork()).complete
    assert len(asked(fresh)) == 2
    big = next((fresh / "sets").iterdir()) / "synthetic.safetensors"
    big.write_bytes(b"0" * 5_100_000)
    with pytest.raises(DirectoryError, match="at most 5 MB"):
        export(fresh, file, sets=True)


def test_a_larger_study_starts_from_a_smaller_one(finished, tmp_path):
    study, where, file = finished
    export(where, file)
    larger = small_study(methods=study.methods, seeds=((0, (0, 1, 2)),))
    import_export(file, tmp_path / "larger", larger)
    summary = run(larger, tmp_path / "larger", work=FakeWork())
    assert summary.complete
    assert len(asked(tmp_path / "larger")) == summary.total - status(where).done
    again = import_export(file, tmp_path / "larger")
    assert again == larger


def changed(file, change):
    """The export with its head changed."""
    table = pq.read_table(file)
    metadata = dict(table.schema.metadata)
    head = json.loads(zlib.decompress(metadata[KEY]))
    change(head, metadata)
    if KEY in metadata:
        metadata[KEY] = zlib.compress(json.dumps(head).encode())
    pq.write_table(table.replace_schema_metadata(metadata), file)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda head, meta: meta.pop(KEY), "holds records and no study"),
        (lambda head, meta: head.update(format=99), "format is 99"),
        (lambda head, meta: head.pop("runs"), "lacks 'runs'"),
        (lambda head, meta: head["runs"].pop(), "rows and its runs have"),
        (lambda head, meta: head.update(study='{"kind": "Nonsense"}'), "Nonsense"),
        (lambda head, meta: head.update(study='{"kind": "Compute"}'), "a Compute where its study should be"),
        (lambda head, meta: meta.update({KEY + b"/../../evil": b"x"}), "none of a set"),
        (lambda head, meta: meta.update({KEY + b"/0123456789abcdef/../x": b"x"}), "none of a set"),
    ],
)
def test_damage_is_a_sentence_and_leaves_nothing(finished, tmp_path, change, sentence):
    _, _, file = finished
    changed(file, change)
    with pytest.raises(ArtifactError, match=sentence):
        import_export(file, tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()


def test_missing_and_truncated_files(finished, tmp_path):
    _, where, file = finished
    file.write_bytes(file.read_bytes()[:-100])
    for bad in (file, tmp_path / "none.parquet"):
        with pytest.raises(ArtifactError):
            StudyResults.load(bad)
    with pytest.raises(ArtifactError, match="holds no study"):
        status(tmp_path)
    shutil.copytree(where, tmp_path / "torn")
    (tmp_path / "torn" / "results.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(ArtifactError, match="no store of a study"):
        status(tmp_path / "torn")
