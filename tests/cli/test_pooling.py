"""``limbeck law scaling … --pooled``: the mean rate of several studies."""

import json
from pathlib import Path

from tests.cli.test_bad_input import Run, run
from tests.laws.planted import study

__all__ = ["run"]  # the fixture


def test_several_results_are_pooled(run: Run, tmp_path: Path) -> None:
    for name, b, seed in (("one", 0.5, 1), ("two", 0.45, 2), ("three", 0.55, 3)):
        study(lambda k, b=b: 0.5 * k**-b + 0.05, networks=1, seed=seed).to_parquet(tmp_path / f"{name}.parquet")
    files = ("one.parquet", "two.parquet", "three.parquet")
    code, out, _ = run("law", "scaling", *files, "--pooled")
    assert code == 0
    assert "3 curves together: mean rate b = " in " ".join(out.split())
    code, out, _ = run("law", "scaling", *files, "--pooled", "--json", "--level", "0.9")
    data = json.loads(out)
    assert code == 0
    assert data["b"]["low"] < 0.5 < data["b"]["high"]
    assert data["b"]["level"] == 0.9
    assert list(data["curves"]) == ["one", "two", "three"]
    code, _, err = run("law", "scaling", *files)
    assert code == 2
    assert "--pooled" in err
    code, _, err = run("law", "scaling", "one.parquet", "--pooled")
    assert code == 2
    assert "two or more curves" in err
