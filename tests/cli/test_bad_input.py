"""Bad input: one sentence on standard error, exit code 2, no traceback, nothing half-written."""

import errno
import gzip
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limbeck.cli import main
from limbeck.files import writing

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command in a fresh directory; returns exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["limbeck", *words])
        code = 0
        try:
            main()
        except SystemExit as leave:
            code = int(leave.code or 0)
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def table(path: Path, **changes: object) -> Path:
    chance = np.random.default_rng(0)
    arrays = {"x": chance.normal(size=(60, 3)), "y": np.repeat(np.arange(2), 30)}
    np.savez(path, **{**arrays, **changes})  # type: ignore[arg-type]
    return path


def idx_file(path: Path, magic: int, sizes: tuple[int, ...], payload: bytes) -> None:
    path.write_bytes(gzip.compress(struct.pack(">i", magic) + struct.pack(f">{len(sizes)}i", *sizes) + payload))


SENTENCES = [
    (("distill", "digit"), "digits"),
    (("distill", "idx:nowhere"), "nowhere"),
    (("distill", "folder:nowhere"), "nowhere"),
    (("distill", "npz:nowhere.npz"), "nowhere"),
    (("distill", "parquet:nowhere"), "nowhere"),
    (("distill", "digits", "--method", "dmm"), "dm"),
    (("distill", "digits", "--network", "convnet3"), "convnet-3"),
    (("distill", "digits", "--network", "convnet-4-128"), "8"),
    (("distill", "digits", "--set", "iteration=3"), "iterations"),
    (("distill", "digits", "--set", "iterations"), "key=value"),
    (("distill", "digits", "--per-class", "0"), "at least 1"),
    (("distill", "digits", "--per-class", "-1"), "at least 1"),
    (("distill", "digits", "--per-class", "5000"), "training examples"),
    (("distill", "digits", "--set", "iterations=0"), "at least 1"),
    (("distill", "digits", "--set", "real_batch=0"), "at least 1"),
    (("distill", "digits", "--set", "lr=nan"), "finite"),
    (("distill", "digits", "--set", "lr=-1"), "above 0"),
    (("distill", "digits", "--size", "16"), "takes no size"),
    (("distill", "digits", "--budget", "soon"), "90s, 5m or 2h"),
    (("distill", "digits", "--budget", "0s"), "no time"),
    (("distill", "digits", "--device", "cuda"), "CUDA"),
    (("distill", "digits", "--precision", "float16"), "bfloat16"),
    (("distill", "digits", "--set", "lr=autom"), "'lr=autom' is no number: give one, e.g. 1.0"),
    (("distill", "digits", "--set", "iterations=abc"), "'iterations=abc' is no whole number: give one, e.g. 20000"),
    (("distill", "digits", "-m", "match", "--set", "view=pixels", "discrepancy=row-cosine"), "the view pixels shows"),
    (("plan", "nope"), "'nope' does not exist"),
    (("plan", ".", "--gap", "0.1", "--accuracy", "0.5"), "give --gap, --accuracy or --per-class"),
    (("plan", "."), "give --gap, --accuracy or --per-class"),
    (("distill", "digits", "--for", "standart"), "standard"),
    (("distill", "digits", "--for", "standard:wort"), "worst"),
    (("distill", "digits", "--for", "standard:net:centres=0"), "at least 1"),
    (("distill", "digits", "--method", "random", "--for", "standard"), "only chooses"),
    (("distill", "digits", "--method", "auto", "--per-class", "0"), "at least 1"),
    (("distill", "digits", "--set", "discrepancy=mmd:kernel.bandwidth=0"), "bandwidth is 0"),
    (("distill", "digits", "--difficulty", "sdc=nan"), "weight"),
    (("distill", "digits", "--difficulty", "sdc=0.1:liner"), "linear"),
    (("distill", "digits", "--for", "own"), "no space"),
    (("distill", "digits", "--set", "iterations=3", "--budget", "2s"), "one of the two"),
    (("distill", "digits", "--pool", "easy:0.5", "--set", "pool=hard:0.5"), "give it once"),
    (("distill", "digits", "--set", "discrepency=mmd"), "did you mean discrepancy"),
    (("distill", "digits", "--set", "discrepancy=sinkhorn:blur=Infinity"), "finite"),
    (("distill", "digits", "--set", "surrogate.terms=x"), "from Python"),
    (("distill", "digits", "--method", "random", "--budget", "1s", "--set", "iterations=2"), "one of the two"),
    (("distill", "digits", "--set", "augmentation=mixup"), "--set recipe.augmentation"),
    (("distill", "digits", "-m", "random", "--set", "soft=true", "temperature=0"), "above 0"),
    (("distill", "digits", "-m", "el2n", "--set", "soft=true", "temperature=-1"), "above 0"),
    (("distill", "digits", "-m", "dc", "-k", "0"), "at least 1 is needed"),
    (("distill", "digits", "-m", "idc", "-k", "0"), "at least 1 is needed"),
    (("distill", "digits", "--device", "meta"), "use cpu, cuda"),
    (("distill", "digits", "--device", "mps"), "use cpu, cuda"),
    (("info", "npz:."), "is a directory"),
    (("info", ""), "known are"),
    (("evaluate", "nowhere"), "nowhere"),
    (("show", "nowhere"), "nowhere"),
    (("export", "nowhere"), "nowhere"),
    (("list", "method"), "methods"),
    (("cite", "dmm"), "dm"),
    (("study", "run", "nowhere.yaml"), "nowhere"),
]


@pytest.mark.parametrize(("words", "hint"), SENTENCES, ids=[" ".join(w) for w, _ in SENTENCES])
def test_one_sentence_and_nothing_written(run: Run, tmp_path: Path, words: tuple[str, ...], hint: str) -> None:
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert hint in err
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith("limbeck:")]
    assert len(lines) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"y": np.zeros(60, int)}, "class"),
        ({"x": np.full((60, 3), np.nan)}, "NaN"),
        ({"x": np.full((60, 3), np.inf)}, "inf"),
        ({"y": np.arange(59) % 2}, "59"),
        ({"y": np.repeat([-1, 1], 30)}, "-1"),
        ({"y": np.linspace(0, 1, 60)}, "label"),
        ({"x": np.array([{}] * 60, dtype=object)}, "object"),
    ],
    ids=["one class", "nan", "infinite", "count", "negative", "fractional", "pickled"],
)
def test_bad_arrays(run: Run, tmp_path: Path, changes: dict[str, object], hint: str) -> None:
    table(tmp_path / "rows.npz", **changes)
    code, _, err = run("distill", "npz:rows.npz")
    assert code == 2
    assert hint.lower() in err.lower()
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["rows.npz"]


def test_truncated_files(run: Run, tmp_path: Path) -> None:
    whole = table(tmp_path / "rows.npz").read_bytes()
    (tmp_path / "rows.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "idx").mkdir()
    idx_file(tmp_path / "idx" / "train-images-idx3-ubyte.gz", 2051, (10, 4, 4), b"too short")
    idx_file(tmp_path / "idx" / "train-labels-idx1-ubyte.gz", 2049, (10,), bytes(range(10)))
    for source in ("npz:rows.npz", "parquet:a.parquet", "idx:idx"):
        code, _, err = run("info", source)
        assert code == 2, source
        assert "Traceback" not in err


def test_absurd_header_is_refused_before_memory_is_taken(run: Run, tmp_path: Path) -> None:
    idx_file(tmp_path / "train-images-idx3-ubyte.gz", 2051, (2**31 - 1, 30_000, 30_000), b"")
    idx_file(tmp_path / "train-labels-idx1-ubyte.gz", 2049, (2,), b"\0\1")
    code, _, err = run("info", f"idx:{tmp_path}")
    assert code == 2
    assert "Traceback" not in err


FEW = ("--set", "iterations=2", "--set", "real_batch=4", "--network", "convnet-2-32:width=4", "--per-class", "1")


def test_a_directory_of_another_run(run: Run, tmp_path: Path) -> None:
    assert run("distill", "digits", *FEW, "--out", "set")[0] == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "set").iterdir()}
    code, _, err = run("distill", "digits", *FEW, "--seed", "1", "--out", "set")
    assert code == 2
    assert "another seed" in err
    code, _, err = run("distill", "digits", *FEW, "--set", "lr=2", "--out", "set")
    assert code == 2
    assert "optimizer.lr (1.0 there, 2.0 now)" in err
    assert {p.name: p.read_bytes() for p in (tmp_path / "set").iterdir()} == before
    assert run("distill", "digits", *FEW, "--out", "set")[0] == 0  # the same run is simply found


def test_damaged_and_newer_sets(run: Run, tmp_path: Path) -> None:
    assert run("distill", "digits", *FEW, "--out", "set")[0] == 0
    card = tmp_path / "set" / "card.json"
    text = card.read_text()
    data = json.loads(text)
    card.write_text(json.dumps({**data, "version": 999} if "version" in data else {**data, "format_version": 999}))
    code, _, err = run("show", "set")
    assert code == 2
    assert "newer" in err
    card.write_text(text)
    tensors = tmp_path / "set" / "synthetic.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-5])
    code, _, err = run("evaluate", "set")
    assert code == 2
    assert "Traceback" not in err


def test_another_task_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("distill", "digits", *FEW, "--out", "set")[0] == 0
    table(tmp_path / "rows.npz")
    code, _, err = run("evaluate", "set", "--source", "npz:rows.npz")
    assert code == 2
    assert "fingerprint" in err


def test_unwritable_output_is_found_before_any_work(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("data were opened, for a place that cannot be written")

    for name in ("cli.making.open_task", "laws.pilot.design"):
        monkeypatch.setattr(f"limbeck.{name}", work)
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "locked").mkdir()
    monkeypatch.setattr("os.access", lambda path, _: Path(path).name != "locked")  # root may write anywhere
    for words in (("distill", "digits", *FEW), ("pilot", "digits")):
        for place, why in (("file/set", "file' is a file"), ("locked/deep/set", "permission denied")):
            code, _, err = run(*words, "--out", place)
            assert code == 2
            assert f"'{place}' cannot be written" in err
            assert why in err
            assert err.count(": choose another place.") == 1
            assert "free some space" not in err


def test_what_a_person_would_name_first_is_told_of_another_run(run: Run) -> None:
    assert run("distill", "digits", *FEW, "--out", "set")[0] == 0
    few = ("distill", "digits", "--per-class", "1", "--out", "set")
    for words, told in (
        (("-m", "dsa", "--budget", "5s"), "another method (dm there, dsa now)"),
        (("--network", "mlp-32", "--seed", "4"), "another network (ConvNet there, MLP now)"),
        (("--network", "convnet-2-32:width=8", "--set", "iterations=5"), "another network.width (4 there, 8 now)"),
        (("--network", "convnet-2-32:width=4", "--budget", "5s"), "another budget (none there, 5.0 now)"),
        (("--network", "convnet-2-32:width=4", "--set", "view=pixels"), "view (Features there, PixelValues now)"),
    ):
        code, _, err = run(*few, *words)
        assert code == 2
        assert told in err, err


def test_a_path_without_its_source_is_understood(run: Run, tmp_path: Path) -> None:
    table(tmp_path / "rows.npz")
    assert "npz:rows.npz" in run("info", "rows.npz")[2]


def test_a_full_disk_is_a_sentence(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, line: object) -> None:
        with writing(tmp_path / "log.jsonl"):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("limbeck.distillation.log.Log.write", full)
    code, _, err = run("distill", "digits", *FEW, "--out", "set")
    assert code == 2
    assert "no space is left" in err
    assert "Traceback" not in err
    assert not (tmp_path / "set" / "card.json").exists()


def test_bombs_and_mixed_channels_in_a_folder(run: Run, tmp_path: Path) -> None:
    pictures(tmp_path / "mixed", ("a", "b"), lambda i: (5, 5, 3) if i % 2 else (5, 5, 4))
    code, _, err = run("info", "folder:mixed")
    assert code == 2
    assert "--channels 3" in err
    assert run("info", "folder:mixed", "--channels", "1")[0] == 0
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    bomb = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    (tmp_path / "mixed" / "a" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bomb)
    code, _, err = run("info", "folder:mixed", "--channels", "1")
    assert code == 2
    assert "pixels" in err


def test_hostile_class_names_stay_inside_and_text(run: Run, tmp_path: Path) -> None:
    names = ("<script>alert(1)<", "[red]x[", "a ..\\ b")
    pictures(tmp_path / "evil", names, lambda i: (8, 8))
    assert run("distill", "folder:evil", *FEW, "--set", "updates=2", "--out", "set")[0] == 0
    assert run("evaluate", "set", "--seeds", "1")[0] == 0  # no size was given, and it is found again
    assert run("export", "set", "--out", "out")[0] == 0
    made = [p.relative_to(tmp_path / "out" / "images") for p in (tmp_path / "out" / "images").iterdir()]
    assert sorted(map(str, made)) == ["0__script_alert_1__", "1__red_x_", "2_a_____b"]
    assert run("report", "set", "--out", "page.html")[0] == 0
    assert "<script>alert" not in (tmp_path / "page.html").read_text()


def pictures(root: Path, classes: tuple[str, ...], shape: Callable[[int], tuple[int, ...]], n: int = 12) -> None:
    """A folder of random images."""
    chance = np.random.default_rng(0)
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(n):
            pixels = chance.integers(0, 255, shape(i), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
