"""Claims against numbers made by hand, and intervals against those of scipy and of Fieller."""

from typing import Any

import numpy as np
import pytest
from scipy import stats as oracle

from sim.config.model import Expected
from sim.metrics.catalog import METRICS
from sim.study.comparison import Comparison
from sim.study.expectation import FAILED, HELD, OPEN, jackknife, judge
from sim.study.table import table
from tests.study.example import METRIC, OTHER, comparison

SEEDS = 8
LUCK = np.random.default_rng(4)
NONE = np.array([LUCK.normal(100.0, 20.0, SEEDS), np.zeros(SEEDS)])
NOISE = LUCK.normal(0.0, 1.0, (2, SEEDS))


@pytest.fixture(scope="module")
def made() -> Comparison:
    """`a` adds about 10, `b` about 30, `both` just their sum and about 5; of OTHER 20, 60 and 90."""
    a, b = NONE + NOISE + [[10.0], [20.0]], NONE - NOISE + [[30.0], [60.0]]
    both = a + b - NONE + NOISE[::-1] + [[5.0], [10.0]]
    values = {"none": NONE, "a": a, "b": b, "both": both, "again": NONE.copy()}
    return comparison(
        baseline="none", metrics=(METRIC, OTHER), seeds=tuple(range(SEEDS)), values=values, failures=(),
        done={name: np.ones(SEEDS, np.bool_) for name in values},
        digests=dict.fromkeys(values, ("x",) * SEEDS),
    )  # fmt: skip


def claim(strategy: str, metric: str = METRIC, **said: Any) -> Expected:
    return Expected.model_validate({"metric": metric, "strategy": strategy, **said})


@pytest.mark.parametrize(
    ("said", "mean", "verdict"),
    [
        ({"strategy": "a", "is": "higher"}, 10, HELD),
        ({"strategy": "a", "is": "lower"}, 10, FAILED),
        ({"strategy": "a", "than": "b", "is": "lower"}, -20, HELD),
        ({"strategy": "again", "is": "higher"}, 0, FAILED),
        ({"strategy": "both", "than": ("a", "b"), "is": "higher"}, 5, HELD),
        ({"strategy": "b", "than": ("a", "a"), "is": "lower"}, 10, FAILED),
        ({"strategy": "both", "than": ("b", "a"), "is": "lower"}, 5, FAILED),
        ({"strategy": "a", "times": (1.0, 1.5)}, 1.1, HELD),
        ({"strategy": "a", "times": (None, 1.0)}, 1.1, FAILED),
        ({"strategy": "b", "than": "a", "times": (1.1, None)}, 1.18, HELD),
        ({"strategy": "a", "between": (0, 1_000)}, 110, HELD),
        ({"strategy": "a", "between": (None, 50)}, 110, FAILED),
        ({"strategy": "a", "between": (110, None)}, 110, OPEN),
        ({"strategy": "a", "per": OTHER, "between": (0.4, 0.6)}, 0.5, HELD),
        ({"strategy": "both", "per": OTHER, "than": "a", "times": (0.7, 1.3)}, 1.0, HELD),
        ({"strategy": "a", "metric": OTHER, "times": (1, 2)}, np.nan, OPEN),  # times nothing
    ],
)
def test_a_claim_is_judged(made: Comparison, said: dict[str, Any], mean: float, verdict: str) -> None:
    found = judge(made, claim(**said))
    assert found.verdict == verdict
    assert found.found.mean == pytest.approx(mean, rel=0.2, abs=1.5, nan_ok=True)


def test_the_interval_of_a_difference_is_the_paired_t_interval(made: Comparison) -> None:
    found = judge(made, claim("a", is_="higher")).found
    want = oracle.ttest_rel(made.per_seed("a", METRIC), made.per_seed("none", METRIC)).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((want.low, want.high))
    assert judge(made, claim("both", than=("a", "b"), is_="higher")).found.mean == pytest.approx(
        np.mean(NOISE[1] + 5.0)
    )


@pytest.mark.slow
def test_the_interval_of_a_quotient_is_about_fiellers() -> None:
    """E. Fieller, 1954: all r for which the paired t test of above - r · below leaves 0 in."""
    luck = np.random.default_rng(9)
    below = luck.normal(50.0, 3.0, 40)
    above = 0.5 * below + luck.normal(0.0, 2.0, 40)
    found = jackknife(lambda kept: float(above[kept].mean() / below[kept].mean()), np.ones(40, np.bool_))
    within = [r for r in np.arange(0.4, 0.6, 0.0002) if oracle.ttest_1samp(above - r * below, 0.0).pvalue > 0.05]
    assert (found.low, found.high) == pytest.approx((within[0], within[-1]), abs=6e-4)


def test_unfinished_runs_are_left_out_and_one_seed_says_nothing(made: Comparison) -> None:
    half = {name: np.arange(SEEDS) < (4 if name == "a" else SEEDS) for name in made.values}
    some = judge(comparison(**_parts(made) | {"done": half}), claim("a", is_="higher"))
    assert some.found.mean == pytest.approx(10.0 + NOISE[0, :4].mean())
    one = {name: np.arange(SEEDS) < 1 for name in made.values}
    assert judge(comparison(**_parts(made) | {"done": one}), claim("a", is_="higher")).verdict == OPEN


def test_claims_are_told_in_the_table_and_the_json(made: Comparison) -> None:
    told = comparison(**_parts(made), expects=(claim("a", is_="lower"), claim("both", than=("a", "b"), is_="higher")))
    lines = " ".join(line.strip() for line in table(told).splitlines())
    assert f'expected: {METRICS[METRIC].title}, a: lower than "none": did not hold (' in lines
    assert 'both: higher than "a" + "b": held (' in lines
    first, second = told.as_dict()["expected"]
    assert (first["verdict"], second["verdict"]) == (FAILED, HELD)
    assert first["ci95"][0] < first["mean"] < first["ci95"][1]
    assert "expected" not in table(made)


def _parts(made: Comparison) -> dict[str, Any]:
    names = ("title", "baseline", "merchant", "metrics", "seeds", "values", "done", "digests", "failures")
    return {name: getattr(made, name) for name in names}
