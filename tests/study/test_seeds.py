"""Adding seeds until a question is settled: closed forms, coverage by simulation, and the commands."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as theory
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import StudyError
from sim.study import seeds
from sim.study.seeds import FEWEST, MIXTURE, Budget, Goal
from tests.study import tiny

ALPHA = 0.05
DECIDED = Goal("margin")


def bayes_factor(values: np.ndarray, mean: float) -> float:
    """Of normal differences whose effect size is N(0, g) against `mean`, by integrating over the effect size."""
    n = values.size
    t = (values.mean() - mean) / (values.std(ddof=1) / math.sqrt(n))
    effect = np.linspace(-12, 12, 20_001) * math.sqrt(MIXTURE)
    density = theory.nct.pdf(t, n - 1, effect * math.sqrt(n)) * theory.norm.pdf(effect, scale=math.sqrt(MIXTURE))
    return float(np.trapezoid(density, effect) / theory.t.pdf(t, n - 1))


@pytest.mark.parametrize(("n", "alpha"), [(8, 0.05), (20, 0.05), (60, 0.01)])
def test_the_ends_are_where_the_mixture_of_noncentral_t_reaches_one_over_alpha(n: int, alpha: float) -> None:
    values = np.random.default_rng(n).normal(3.0, 2.0, n)
    found = seeds.interval(values, alpha)
    for end in (found.low, found.high):
        assert bayes_factor(values, end) == pytest.approx(1 / alpha, rel=1e-4)


def test_small_cases() -> None:
    assert seeds.interval(np.array([1.0]), ALPHA).high == math.inf
    two = seeds.interval(np.array([1.0, 2.0]), ALPHA)
    assert (two.mean, two.low) == (1.5, -math.inf)
    assert math.isnan(seeds.interval(np.array([1.0, math.nan] * 10), ALPHA).mean)
    same = seeds.interval(np.full(20, 3.0), ALPHA)
    assert same.low == same.mean == same.high == 3.0


def error_rate(draw: Any, repeats: int, most: int = 200) -> tuple[float, float]:
    """How often 0 is ever outside from FEWEST to `most` seeds, looking each time, and the standard error of that."""
    wrong = 0
    for repeat in range(repeats):
        values = draw(np.random.default_rng(repeat), most)
        found = (seeds.interval(values[:n], ALPHA) for n in range(FEWEST, most + 1))
        wrong += any(not each.low <= 0.0 <= each.high for each in found)
    rate = wrong / repeats
    return rate, math.sqrt(ALPHA * (1 - ALPHA) / repeats)


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(0.0, 1.0, n)


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    """Differences of two gamma numbers of unlike shape: skewness 0.9."""
    return rng.gamma(4.0, 1.0, n) - 4.0 + rng.normal(0.0, 0.5, n)


@pytest.mark.slow
@pytest.mark.parametrize("draw", [normal, skewed])
def test_looking_after_every_seed_errs_in_at_most_one_case_of_twenty(draw: Any) -> None:
    rate, error = error_rate(draw, 400)
    assert rate <= ALPHA + 2 * error
    fixed = 0  # the same looks at an ordinary t interval are what this is for
    for repeat in range(100):
        values = draw(np.random.default_rng(repeat), 200)
        sizes = np.arange(FEWEST, 201)
        mean, square = np.cumsum(values)[sizes - 1] / sizes, np.cumsum(values**2)[sizes - 1]
        spread = np.sqrt((square - sizes * mean**2) / (sizes - 1) / sizes)
        fixed += bool((np.abs(mean) > theory.t.ppf(0.975, sizes - 1) * spread).any())
    assert fixed / 100 > 2 * ALPHA


class Asked:
    """Made-up runs: strategies with these effects on top of the luck of the seed."""

    def __init__(self, effects: Mapping[str, float], spread: float = 1.0, luck: int = 1) -> None:
        rng = np.random.default_rng(luck)
        base = rng.normal(100.0, 10.0, 5000)
        self.values = {name: base + effect + rng.normal(0.0, spread, 5000) for name, effect in effects.items()}
        self.asked: list[tuple[tuple[str, ...], int]] = []

    def __call__(self, names: Sequence[str], count: int) -> dict[str, np.ndarray]:
        self.asked.append((tuple(names), count))
        return {name: self.values[name][:count] for name in names}


def test_seeds_go_to_what_is_open_and_the_baseline() -> None:
    ask = Asked({"base": 0.0, "far": 20.0, "near": 0.7})
    found = seeds.add(ask, ("base", "far", "near"), "base", DECIDED, Budget(runs=5000), 8)
    assert found.open == ()
    assert found.values["far"].size == FEWEST
    assert found.values["near"].size == found.values["base"].size > FEWEST
    assert all(names == ("base", "near") for names, _ in ask.asked[1:])
    assert (found.verdict("far"), found.verdict("near")) == ("better", "better")
    assert found.alpha == pytest.approx(0.025)


def test_the_budget_is_kept_and_what_is_open_is_said() -> None:
    ask = Asked({"base": 0.0, "none": 0.0})
    found = seeds.add(ask, ("base", "none"), "base", DECIDED, Budget(runs=101), 8)
    assert found.open == ("none",) and 98 <= found.runs <= 101
    assert "stopped by the budget of 101 runs; open: none" in seeds.told(found, Budget(runs=101))
    assert seeds.add(ask, ("base", "none"), "base", DECIDED, Budget(seconds=0.0), 8).runs == 16
    with pytest.raises(StudyError, match="at least 4 runs"):
        seeds.add(ask, ("base", "none"), "base", DECIDED, Budget(runs=3), 8)


@pytest.mark.parametrize(("goal", "half"), [(Goal("margin", 0.02, True), 2.0), (Goal("margin", 0.5), 0.5)])
def test_a_width_is_reached_and_not_by_far(goal: Goal, half: float) -> None:
    found = seeds.add(Asked({"base": 0.0, "other": 0.0}, 3.0), ("base", "other"), "base", goal, Budget(runs=4000), 8)
    each = found.estimate("other")
    assert found.open == () and 0.6 * half < each.high - each.mean <= half * 1.1


def test_what_no_seed_can_settle_gets_none() -> None:
    ask = Asked({"base": 0.0, "undefined": 0.0, "same": 0.0})
    ask.values["undefined"][3] = math.nan
    ask.values["same"] = ask.values["base"]
    found = seeds.add(ask, ("base", "undefined", "same"), "base", DECIDED, Budget(runs=999), 8)
    assert len(ask.asked) == 1
    assert (found.verdict("undefined"), found.verdict("same")) == ("undefined", "same")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("decided", Goal("net_gmv")),
        ("margin decided", DECIDED),
        ("margin ± 2%", Goal("margin", 0.02, True)),
        ("margin +- 2.5 %", Goal("margin", 0.025, True)),
        ("margin±500", Goal("margin", 500.0)),
    ],
)
def test_goals(text: str, wanted: Goal) -> None:
    assert seeds.goal(text, ("net_gmv",)) == wanted


@pytest.mark.parametrize("text", ["", "soon", "margin", "margin ± 0", "margin ± x%", "margn decided"])
def test_no_goals(text: str) -> None:
    with pytest.raises(StudyError, match="--until"):
        seeds.goal(text, ("net_gmv",))


def test_budgets() -> None:
    assert seeds.budget("200") == Budget(runs=200)
    assert seeds.budget("10m") == Budget(seconds=600.0)
    for text in ("", "ten", "1.5", "-3", "5d"):
        with pytest.raises(StudyError, match="--budget"):
            seeds.budget(text)


def test_the_best_of_equal_ones_shrinks_by_what_theory_says() -> None:
    k, n, repeats = 5, 16, 400
    names = [f"s{number}" for number in range(k)]
    shrinkages = []
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        chosen = {"base": np.zeros(n), **{name: rng.normal(0.0, 1.0, n) for name in names}}
        found = seeds.confirm(
            chosen, "base", "margin", lambda asked, m, rng=rng: {a: rng.normal(0.0, a != "base", m) for a in asked}, n
        )
        shrinkages.append(found.shrinkage)
    largest = theory.norm.expect(lambda x: k * x * theory.norm.cdf(x) ** (k - 1)) / math.sqrt(n)
    error = np.std(shrinkages, ddof=1) / math.sqrt(repeats)
    assert abs(np.mean(shrinkages) - largest) < 3 * error
    assert np.mean(shrinkages) > 5 * error  # it is there at all


def test_the_winner_is_the_lowest_where_low_is_good_and_never_the_baseline() -> None:
    values = {"base": np.zeros(4), "dear": np.full(4, 2.0), "cheap": np.full(4, 1.0)}
    for metric, winner in (("goods_cost", "cheap"), ("margin", "dear")):
        found = seeds.confirm(values, "base", metric, lambda names, n: {name: np.arange(n) for name in names}, 3)
        assert (found.winner, found.paired.tolist()) == (winner, [0, 0, 0])


# ---------------------------------------------------------------------------------------------------- the command


@pytest.mark.slow
def test_the_command_adds_seeds_confirms_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path, f"count: {tiny.PEOPLE}", "count: 60")

    def wxsim(*more: str) -> Any:
        return CliRunner().invoke(app, ["compare", "tiny.yaml", "--workers", "1", *more])

    said = wxsim("--until", "orders decided", "--budget", "30", "--confirm", "2", "--json", "found.json")
    assert said.exit_code == 0, said.output
    assert seeds.METHOD in said.output and "shrinkage (winner's curse)" in said.output
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["runs"] <= 30 and found["differences"]["again"]["verdict"] == "same"
    assert found["seeds"]["again"] == FEWEST
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "store").glob("??/*")}
    assert wxsim("--until", "orders decided", "--budget", "30", "--confirm", "2").output in said.output
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "store").glob("??/*")}
    for wrong in (("--until", "orders"), ("--until", "decided", "--budget", "x"), ("--until", "decided", "--out", "o")):
        told = wxsim(*wrong)
        assert told.exit_code == 2 and len(told.output.splitlines()) == 1


@pytest.mark.slow
def test_a_comparison_of_fixed_seeds_is_confirmed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path, f"count: {tiny.PEOPLE}", "count: 60")
    said = CliRunner().invoke(app, ["compare", "tiny.yaml", "--workers", "1", "--replications", "2", "--confirm", "2"])
    assert said.exit_code == 0, said.output
    assert "best by orders: " in said.output and "on 2 fresh seeds" in said.output


def test_an_interrupt_says_where_finished_runs_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path, f"count: {tiny.PEOPLE}", "count: 60")
    monkeypatch.setattr(seeds, "until", interrupted)
    said = CliRunner().invoke(app, ["compare", "tiny.yaml", "--until", "decided", "--store", "kept"])
    told = "interrupted; every finished run is kept in kept; do it again to go on\n"
    assert (said.exit_code, said.stderr) == (130, told)
