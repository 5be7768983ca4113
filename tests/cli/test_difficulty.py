"""``limbeck difficulty``, and ``--pool``: as a user gives them, and what is said of bad input."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from limbeck.cli.measuring import _without
from tests.cli.test_bad_input import FEW, Run, run, table

__all__ = ["run"]  # the fixture

QUICK = ("--network", "mlp:width=8", "--networks", "2", "--epochs", "2", "--most", "20")


def test_a_source(run: Run, tmp_path: Path) -> None:
    code, out, err = run("difficulty", "digits", *QUICK, "--seeds", "2", "--json")
    assert code == 0, err
    data = json.loads(out)
    assert [line["class"] for line in data["classes"]] == [str(c) for c in range(10)]
    assert all(line["5 %"] <= line["median"] <= line["95 %"] for line in data["classes"])
    assert -1 <= data["agreement"] <= 1
    assert data["files"]["table"] == "runs/difficulty-digits/gradn.parquet"
    assert len(data["files"]["pictures"]) == 10
    assert all((tmp_path / name).read_bytes()[:4] == b"\x89PNG" for name in data["files"]["pictures"])
    rows = pq.read_table(tmp_path / data["files"]["table"]).to_pylist()
    assert len(rows) == 200
    assert "limbeck distill digits --pool easy:0.5" in err
    assert "rank correlation" in err


def test_a_set_among_the_real_examples(run: Run, tmp_path: Path) -> None:
    assert run("distill", "digits", *FEW, "--set", "updates=2", "--out", "set")[0] == 0
    code, out, err = run("difficulty", "set", *QUICK, "--measure", "el2n", "--json")
    assert code == 0, err
    data = json.loads(out)
    assert 0 <= data["percentile"] <= 1
    assert all(0 <= line["percentile"] <= 1 for line in data["classes"])
    assert data["files"]["table"] == "set/difficulty/el2n.parquet"
    sides = [row["side"] for row in pq.read_table(tmp_path / data["files"]["table"]).to_pylist()]
    assert sides.count("synthetic") == 10
    assert "of the real training examples" in err
    assert "Next: limbeck " in err
    code, out, err = run("difficulty", "set", *QUICK, "--measure", "batch_gradient:points=1", "--out", "where")
    assert code == 0, err
    assert "percentile" in out
    assert "no mean of gradn" in err
    assert (tmp_path / "where" / "batch_gradient.parquet").exists()
    assert run("show", "set")[0] == 0  # the set is what it was


def test_a_table(run: Run, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "rows.npz", x=chance.normal(size=(80, 4)), y=np.repeat(["a/b", "c"], 40))
    code, _, err = run("difficulty", "npz:rows.npz", "--networks", "1", "--epochs", "1", "--measure", "forgetting")
    assert code == 0, err
    assert sorted(p.name for p in (tmp_path / "runs" / "difficulty-npz").iterdir()) == [
        "forgetting-0_a_b.png",
        "forgetting-1_c.png",
        "forgetting.parquet",
    ]


def test_a_pool_is_recorded_and_goes_on(run: Run, tmp_path: Path) -> None:
    pool = (*FEW, "--pool", "easy:0.4", "--set", "teacher_epochs=1", "--out", "set")
    assert run("distill", "digits", *pool)[0] == 0
    card = json.loads((tmp_path / "set" / "card.json").read_text())
    assert '"share": 0.4' in json.dumps(card)
    assert run("distill", "digits", *pool)[0] == 0  # it is found
    code, _, err = run("distill", "digits", *pool[:-2], "--pool", "hard:0.4", "--out", "set")
    assert code == 2
    assert "within" in err


SENTENCES = [
    (("difficulty", "digits", "--measure", "gradm"), "gradn"),
    (("difficulty", "digits", "--measure", "el2n:at=3"), "(0, 1]"),
    (("difficulty", "nowhere"), "nowhere"),
    (("difficulty", "npz:nowhere.npz"), "nowhere"),
    (("difficulty", "digits", "--network", "convnet3"), "convnet-3"),
    (("difficulty", "digits", "--networks", "0"), "--networks"),
    (("difficulty", "digits", "--seeds", "0"), "--seeds"),
    (("difficulty", "digits", "--epochs", "0"), "--epochs"),
    (("difficulty", "digits", "--most", "1"), "--most"),
    (("distill", "digits", "--pool", "esay"), "easy"),
    (("distill", "digits", "--pool", "easy:2"), "(0, 1]"),
    (("distill", "digits", "--pool", "easy:0.05", "--per-class", "50"), "share of at least"),
    (("distill", "digits", "--method", "herding", "--set", "pool=hard:0.05", "--per-class", "50"), "share of at least"),
    (("distill", "digits", "--method", "el2n", "--pool", "hard:0.05", "--per-class", "50"), "share of at least"),
]


@pytest.mark.parametrize(("words", "hint"), SENTENCES, ids=[" ".join(w) for w, _ in SENTENCES])
def test_one_sentence_and_nothing_written(run: Run, tmp_path: Path, words: tuple[str, ...], hint: str) -> None:
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert hint in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.startswith("limbeck:")]) == 1
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_used(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, _, err = run("difficulty", "digits", *QUICK, "--out", "file/there")
    assert code == 2
    assert "is a file" in err
    (tmp_path / "folder").mkdir()
    code, _, err = run("difficulty", "folder")
    assert code == 2
    assert "Traceback" not in err
    assert run("distill", "digits", *FEW, "--out", "set")[0] == 0
    table(tmp_path / "rows.npz")
    code, _, err = run("difficulty", "set", *QUICK, "--source", "npz:rows.npz")
    assert code == 2
    assert "fingerprint" in err
    (tmp_path / "set" / "card.json").unlink()
    code, _, err = run("difficulty", "set", *QUICK)
    assert code == 2
    assert "unfinished" in err


def test_a_hard_set_is_told_how_to_be_made_easier(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("distill", "digits", *FEW, "--set", "updates=2", "--out", "set")[0] == 0
    monkeypatch.setattr("limbeck.evaluation.difficulty.SetDifficulty.percentile", property(lambda _: 0.9))
    monkeypatch.chdir(tmp_path / "set")
    code, _, err = run("difficulty", ".", *QUICK, "--measure", "el2n")
    assert code == 0, err
    assert "--difficulty sdc=0.05 --out ../set-easier" in err
    assert "updates=2" in err  # what the set was made with is kept
    assert "--out set " not in err


def test_the_next_command_keeps_what_the_set_was_made_with() -> None:
    words = [
        "limbeck",
        "distill",
        "digits",
        "--set",
        "view=pixels",
        "iterations=5",
        "--out",
        "set",
        "--seed=3",
        "--out=x",
    ]
    assert _without(words, "--out") == [*words[:6], "--seed=3"]
