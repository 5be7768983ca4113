"""An export: one Parquet file from which a study goes on in a fresh checkout.

Its columns are those of the records (``Records.from_parquet`` reads it). Its metadata hold the frozen study, every run
that is done with its facts (so with the iterations that budgets were turned into), and, where asked, the sets.
"""

import contextlib
import json
import os
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from limbeck.errors import ArtifactError, DirectoryError, LimbeckError
from limbeck.evaluation.records import Record, Records
from limbeck.files import check_suffix, write_atomically
from limbeck.study.directory import StudyDirectory
from limbeck.study.runs import Run
from limbeck.study.store import Entry
from limbeck.study.study import Study
from limbeck.values import canonical, decode

__all__ = ["Export", "export", "import_export", "read_export"]

FORMAT = 1
KEY = b"limbeck.study"
MOST_SET_BYTES = 5_000_000  # sets go along only while all of them together are smaller
MOST_TEXT = 2**28  # bytes of unpacked metadata; more is refused before memory is taken


@dataclass(frozen=True)
class Export:
    """What a file holds: the study, its fingerprint, done runs with their rows, and files of sets by their path."""

    study: Study
    fingerprint: str | None
    finished: tuple[tuple[Entry, tuple[Record, ...]], ...]
    files: dict[str, bytes]


def export(directory: str | Path, path: str | Path, *, sets: bool = False) -> int:
    """Write what is done in ``directory`` to ``path`` (Parquet; whole or absent) and return its size in bytes.

    sets: take the synthetic sets along, so that they need not be made again; DirectoryError where they exceed 5 MB.
    A driver may be at work meanwhile.
    """
    check_suffix(Path(path), (".parquet",), "an export")
    home = StudyDirectory(directory)
    study = home.study()
    with home.store(readonly=True) as store, store.snapshot():
        wished = bool(store.entries(wished=True))  # runs that the study no longer asks for stay behind
        entries = [e for e in store.entries(wished=wished) if e.state == "done"]
        rows, fingerprint = store.rows(wished=wished), store.meta("fingerprint")
    counts: dict[str, int] = defaultdict(int)
    for run, _, _ in rows:
        counts[run] += 1
    order = {e.name: i for i, e in enumerate(entries)}
    rows.sort(key=lambda row: (order[row[0]], row[1]))
    head = {
        "format": FORMAT,
        "study": canonical(study),
        "fingerprint": fingerprint,
        "runs": [[e.name, e.value, e.seconds, dict(e.facts), counts[e.name]] for e in entries],
    }
    files = _set_files(home, entries) if sets else {}
    return _write(Path(path), Records.of(record for *_, record in rows), head, files)


def import_export(path: str | Path, directory: str | Path, study: Study | None = None) -> Study:
    """Begin (or add to) the study of ``directory`` with what an export holds; return the study.

    study: another than the export's own, e.g. one with more seeds: runs that both have are done, the rest is open.
    Runs that ``directory`` has done already keep what they have. Raises ArtifactError for a damaged file.
    """
    found = read_export(path)
    home = StudyDirectory(directory)
    chosen = study if study is not None else home.study() if home.spec.exists() else found.study
    with home.driven():
        home.claim(chosen)
        for name, content in found.files.items():
            if not (home.path / "sets" / name).exists():
                write_atomically(home.path / "sets" / name, content)
        with home.store() as store:
            known = store.meta("fingerprint")
            if None not in (known, found.fingerprint) and known != found.fingerprint:
                raise ArtifactError(
                    f"'{path}' was made from other data than '{home.path}': start it in a new directory."
                )
            done = {e.name for e in store.entries() if e.state == "done"}
            store.insert([(e, rows) for e, rows in found.finished if e.name not in done])
            if known is None and found.fingerprint is not None:
                store.set_meta("fingerprint", found.fingerprint)
        home.log("import", file=str(path), runs=len(found.finished))
    return chosen


def read_export(path: str | Path) -> Export:
    """What an export holds. Raises ArtifactError."""
    import pyarrow.parquet as pq

    records = Records.from_parquet(path)
    metadata = pq.read_schema(path).metadata or {}
    if KEY not in metadata:
        raise ArtifactError(f"'{path}' holds records and no study: give a file that `limbeck study export` wrote.")
    with _damage(path):
        head = json.loads(_unpacked(metadata[KEY]))
        if head["format"] > FORMAT:
            raise ArtifactError(
                f"its format is {head['format']}, and this limbeck reads up to {FORMAT}: install a newer one"
            )
        study = decode(json.loads(head["study"]))
        if not isinstance(study, Study):
            raise ArtifactError(f"it holds a {type(study).__name__} where its study should be")
        finished, at = [], 0
        for name, text, seconds, facts, count in head["runs"]:
            entry = _entry(name, text, seconds, facts)
            finished.append((entry, records.rows[at : at + count]))
            at += count
        if at != len(records):
            raise ArtifactError(f"it has {len(records)} rows and its runs have {at}")
        files = {_inside(key[len(KEY) + 1 :].decode()): content for key, content in _set_items(metadata)}
    return Export(study, head["fingerprint"], tuple(finished), files)


def _entry(name: str, text: str, seconds: float, facts: dict[str, Any]) -> Entry:
    """A done run under the name that this version gives it: fields that runs have gained since take their defaults."""
    run = decode(json.loads(text))
    if not isinstance(run, Run):
        raise ArtifactError(f"its run {name} is a {type(run).__name__}")
    return Entry(run.name, type(run).__name__, run.title, canonical(run), "done", None, float(seconds), dict(facts), "")


def _write(path: Path, records: Records, head: dict[str, Any], files: dict[str, bytes]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "records.parquet"
        records.to_parquet(plain)
        table = pq.read_table(plain)
    metadata = {**(table.schema.metadata or {}), KEY: zlib.compress(json.dumps(head).encode(), 9)}
    metadata |= {KEY + b"/" + name.encode(): content for name, content in files.items()}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    content = sink.getvalue().to_pybytes()
    write_atomically(path, content)
    return len(content)


def _set_files(home: StudyDirectory, entries: list[Entry]) -> dict[str, bytes]:
    """The files of finished sets that loading them needs, by ``run/file``."""
    files, total = {}, 0
    for entry in entries:
        folder = home.path / "sets" / entry.name
        if entry.kind == "DistilRun" and (folder / "card.json").exists():
            for name in ("run.json", "synthetic.safetensors", "card.json"):
                content = (folder / name).read_bytes()
                total += len(content)
                files[f"{entry.name}/{name}"] = content
    if total > MOST_SET_BYTES:
        raise DirectoryError(
            f"the sets take {total / 1e6:.1f} MB, and an export carries at most {MOST_SET_BYTES / 1e6:.0f} MB: export "
            "without them (those that are still needed are made again)."
        )
    return files


def _set_items(metadata: dict[bytes, bytes]) -> Iterator[tuple[bytes, bytes]]:
    return ((key, content) for key, content in metadata.items() if key.startswith(KEY + b"/"))


def _inside(name: str) -> str:
    """A path of exactly ``run/file``, which cannot leave the folder of the sets."""
    parts = PurePosixPath(name).parts
    plain = len(parts) == 2 and len(parts[0]) == 16 and all(c in "0123456789abcdef" for c in parts[0])
    if not plain or parts[1] not in ("run.json", "synthetic.safetensors", "card.json"):
        raise ArtifactError(f"it names the file '{name}', which is none of a set")
    return name


def _unpacked(packed: bytes) -> bytes:
    engine = zlib.decompressobj()
    text = engine.decompress(packed, MOST_TEXT)
    if engine.unconsumed_tail:
        raise ArtifactError("its metadata are absurdly large")
    return text


@contextlib.contextmanager
def _damage(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, zlib.error, LimbeckError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise ArtifactError(f"'{os.fspath(path)}' is no usable export of a study ({why}): export it again.") from error
