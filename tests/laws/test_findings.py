"""What a study found: laws, plans, their order and their words."""

import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from planted import FULL_ACCURACY, row, study

from limbeck.errors import EvidenceError
from limbeck.evaluation.records import Record, Records
from limbeck.laws.findings import Found, findings
from limbeck.laws.pilot import DOUBLED
from limbeck.study.results import StudyResults
from limbeck.study.runs import Source
from limbeck.study.study import MethodChoice, Study

SIZES = (1, 2, 3, 5, 8, 12, 20)
WIDE = (1, 2, 5, 10, 20, 50, 100, 200)
BARE = Study("pilot-60s", Source("digits"), (MethodChoice("dm"),))


def named(gap: Callable[[float], float], method: str, *, labels: str = "hard", **changes: object) -> list[Record]:
    """Rows of a planted law under another name, their validation accuracy as their accuracy."""
    rows = study(gap, **{"sizes": SIZES, **changes})  # type: ignore[arg-type]
    return [r if r.method == "full" else replace(r, method=method, labels=labels, validation=r.accuracy) for r in rows]


def results(*groups: list[Record]) -> StudyResults:
    full = [r for r in groups[0] if r.method == "full"]
    return StudyResults(BARE, Records.of([*full, *(r for g in groups for r in g if r.method != "full")]), ())


def steep(k: float) -> float:
    return 0.4 / k + 0.03


def slow(k: float) -> float:
    return 0.5 * k**-0.5 + 0.05


def test_the_best_on_validation_comes_first_and_those_without_a_law_last() -> None:
    few = named(steep, "dsa", sizes=(1, 5))
    found = findings(results(few, named(slow, "random"), named(steep, "dm")))
    assert [f.method for f in found] == ["dm", "random", "dsa"]
    assert found[2].law is None
    assert "No law can be fitted for dsa" in found[2].sentence()
    assert "2 sizes" in found[2].sentence()


def test_test_accuracies_do_not_decide() -> None:
    better = [replace(r, validation=0.1) if r.method != "full" else r for r in named(steep, "dm")]
    assert [f.method for f in findings(results(better, named(slow, "random")))] == ["random", "dm"]


def test_a_hair_at_the_largest_size_does_not_decide() -> None:
    late = named(lambda k: 0.6 * k**-0.5 - 0.105, "random", noise=1e-4)  # 0.03 at 20 a class, where dm leaves 0.05
    assert [f.method for f in findings(results(late, named(steep, "dm", noise=1e-4)))] == ["dm", "random"]


def test_labels_are_told_apart() -> None:
    found = findings(results(named(slow, "random"), named(steep, "random", labels="soft")))
    assert {f.name for f in found} == {"random", "random with soft labels"}


def test_the_sentence_is_for_the_smallest_gap_within_the_measured_sizes() -> None:
    (best,) = findings(results(named(steep, "dm", noise=0.003)), targets=(0.2, 0.1, 0.001), shape=(1, 8, 8))
    text = best.sentence()
    assert text.startswith("A demonstration: with dm, ")
    assert "10 points" in text
    assert "95 % certainty" in text
    plan = best.plans[1]
    assert plan.total is not None
    assert plan.values == 64 * plan.total
    (none,) = findings(results(named(lambda k: 0.3 + 0.1 / k, "dm", noise=0.003)), targets=(0.2, 0.1))
    assert none.sentence().startswith("A demonstration: with dm, a gap of 20 points")
    assert "is not shown to be reachable" in none.sentence()


def test_enough_sizes_are_no_demonstration_and_a_refuted_law_is_said_first() -> None:
    (good,) = findings(results(named(slow, "dm", sizes=WIDE)))
    assert good.sentence().startswith("With dm, ")
    (bent,) = findings(results(named(lambda k: 0.4 * math.exp(-k / 10) + 0.05, "dm", sizes=WIDE)))
    assert bent.sentence().startswith("With dm, c·k^(-b) + e is not to be trusted for these gaps (")
    assert "How sure: 200 a class by dm" in bent.sureness()


def test_no_fall_is_said() -> None:
    (flat,) = findings(results(named(lambda k: 0.1, "dm", noise=0.01)))
    assert "no fall of the gap" in flat.sentence()


def test_how_sure_and_what_more_would_buy() -> None:
    (found,) = findings(results(named(steep, "dm", seeds=3)))
    gap, later, spread = found.margins(20.0)
    assert spread < later < gap.high - gap.value
    assert "4 times the budget" in found.sureness()
    bare = Found("dm", "hard", None, (), "why.")
    assert "larger budget" in bare.sureness()
    assert math.isnan(bare.promise)


@pytest.mark.parametrize("name", [DOUBLED, "dm-twice"])
def test_sizes_that_have_not_converged_are_left_out(name: str) -> None:
    rows = named(steep, "dm", noise=0.003)
    moved = [replace(r, method=name, accuracy=min(1.0, r.accuracy + 0.05)) for r in rows if r.per_class >= 12]
    moved = [r for r in moved if r.set != "full-matched"]
    (found,) = findings(results([*rows, *moved]))
    assert found.law is not None
    assert list(found.law.ground.table.sizes) == [1, 2, 3, 5, 8]
    assert any("wice the distillation budget moves" in remark for remark in found.law.ground.remarks)


def test_rows_of_twice_the_budget_without_their_method_are_a_method() -> None:
    (found,) = findings(results(named(steep, "dsa-twice")))
    assert found.method == "dsa-twice"


def test_rows_of_twice_the_budget_at_other_sizes_check_nothing() -> None:
    again = named(steep, "dm-twice", sizes=(30, 40))
    (found,) = findings(results(named(steep, "dm"), again))
    assert found.law is not None
    assert any("was not checked" in remark for remark in found.law.ground.remarks)


def test_everything_is_plain_data() -> None:
    found = findings(results(named(steep, "dm"), named(lambda k: 0.1, "random")))
    for each in found:
        assert json.loads(json.dumps(each.dictionary(), default=str))["method"] == each.method


def test_nothing_to_tell_of_is_an_error() -> None:
    with pytest.raises(EvidenceError, match="no rows"):
        findings(StudyResults(BARE, Records.of([row(FULL_ACCURACY, split="validation")]), ()))
