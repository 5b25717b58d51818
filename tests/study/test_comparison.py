import json

import numpy as np
import pytest

from sim.study.stats import variance_reduction
from sim.study.table import table
from tests.study.example import BASE, BETTER, LAME, METRIC, OTHER, SEEDS, comparison


def test_estimate_is_over_the_finished_runs() -> None:
    assert comparison().estimate(BASE, METRIC).mean == 250.0
    assert comparison().estimate(LAME, METRIC).mean == pytest.approx((95 + 207 + 300) / 3)


def test_difference_is_seed_by_seed_over_runs_that_both_finished() -> None:
    found = comparison()
    better, lame = found.difference(BETTER, METRIC), found.difference(LAME, METRIC)
    assert (better.estimate.mean, better.verdict) == (10.0, "better")
    assert lame.estimate.mean == pytest.approx(2 / 3)
    assert lame.verdict.startswith("cannot tell: ")
    assert found.difference(BETTER, OTHER).verdict == "same"
    assert found.difference(LAME, OTHER).verdict == "undefined"


def test_json_has_the_agreed_form() -> None:
    found = json.loads(json.dumps(comparison().as_dict(), allow_nan=False))
    assert (found["scenario"], found["baseline"], found["seeds"]) == ("Which one?", BASE, list(SEEDS))
    assert list(found["strategies"]) == [BASE, BETTER, LAME]
    assert list(found["differences"]) == [BETTER, LAME]
    base, better = found["strategies"][BASE][METRIC], found["differences"][BETTER][METRIC]
    assert base["per_seed"] == [100.0, 200.0, 300.0, 400.0]
    assert base["mean"] == 250.0
    assert base["ci95"][0] < 250.0 < base["ci95"][1]
    assert better["per_seed"] == [10.0, 11.0, 9.0, 10.0]
    assert better["verdict"] == "better"
    baseline = np.array(base["per_seed"])
    assert better["variance_reduction"] == variance_reduction(baseline + better["per_seed"], baseline)
    assert found["complete"] is False
    assert found["failures"] == [{"strategy": LAME, "replication": 3, "seed": 44, "error": "ContractError: broke"}]
    assert set(found["metrics"]) == {METRIC, OTHER}


def test_json_has_null_where_there_is_nothing() -> None:
    found = comparison().as_dict()
    assert found["differences"][BETTER][OTHER]["variance_reduction"] is None
    assert found["differences"][LAME][OTHER] == {
        "mean": None,
        "ci95": None,
        "per_seed": [None, 1.0, 1.0, None],
        "verdict": "undefined",
        "variance_reduction": None,
    }


def test_one_seed_has_no_interval() -> None:
    whole = comparison()
    one = comparison(
        seeds=SEEDS[:1],
        values={name: values[:, :1] for name, values in whole.values.items()},
        done={name: done[:1] for name, done in whole.done.items()},
        failures=(),
    )
    assert one.complete
    assert one.as_dict()["strategies"][BASE][METRIC] == {"mean": 100.0, "ci95": None, "per_seed": [100.0]}
    assert one.difference(BETTER, METRIC).verdict == "cannot tell: one seed shows no spread"


def test_synergy_is_what_goes_beyond_the_sum_of_the_lifts() -> None:
    base = np.array([[10.0, 20.0, 30.0]])
    values = {"none": base, "a": base + [[1, 2, 3]], "b": base + 2, "both": base + [[3, 5, 5]]}
    done = {name: np.ones(3, np.bool_) for name in values}
    made = comparison(
        baseline="none", metrics=(METRIC,), seeds=(1, 2, 3), values=values, done=done, failures=(),
        digests=dict.fromkeys(values, ("a", "b", "c")), combined={"both": ("a", "b")},
    )  # fmt: skip
    found = made.synergy("both", METRIC)
    assert found.estimate.mean == pytest.approx(np.mean([0, 1, 0]))  # 3 - 1 - 2, 5 - 2 - 2, 5 - 3 - 2
    assert made.as_dict()["synergy"]["both"][METRIC]["combines"] == ["a", "b"]
    assert "    synergy" in table(made) and "synergy of both: " in table(made)


def test_one_part_has_the_difference_to_it_as_its_synergy() -> None:
    made = comparison(combined={BETTER: (LAME,)})
    both = made.done[LAME]
    want = (made.per_seed(BETTER, METRIC) - made.per_seed(LAME, METRIC))[both].mean()
    assert made.synergy(BETTER, METRIC).estimate.mean == pytest.approx(want)
