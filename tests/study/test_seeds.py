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
from sim.study.compare import compare
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


@pytest.mark.slow
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
    assert (same.low, same.mean, same.high) == (-math.inf, 3.0, math.inf)


def test_unlike_counts_what_is_not_the_commonest_up_to_rounding() -> None:
    for values, count in (([], 0), ([0, 0, 0], 0), ([0.1 + 0.2, 0.3, 0.3], 0), ([5, 0, 5, -5], 2), ([1, 2, 3], 2)):
        assert seeds.unlike(np.array(values, float)) == count
    assert seeds.equal(np.array([0.1 + 0.2, 0.3])) and not seeds.equal(np.array([1.0, 2.0]))
    assert not seeds.equal(np.array([])) and not seeds.equal(np.array([math.nan] * 3))


@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.01])
def test_enough_equal_ones_is_where_none_of_n_is_as_rare_as_alpha(alpha: float) -> None:
    n = seeds.enough(alpha)
    assert theory.binom.pmf(0, n, 0.1) <= alpha < theory.binom.pmf(0, n - 1, 0.1)
    upper = theory.binomtest(0, n, alternative="less").proportion_ci(1 - alpha, method="exact").high
    assert upper == pytest.approx(seeds._equal(n, alpha)["others_at_most"]) and upper < 0.1


@pytest.mark.parametrize("value", [0.0, 3.0])
@pytest.mark.parametrize("goal", [DECIDED, Goal("margin", 1.0)])
def test_equal_differences_settle_nothing_before_there_are_enough(value: float, goal: Goal) -> None:
    base, n = np.arange(100.0), seeds.enough(ALPHA)
    for count in range(1, 100):
        assert seeds.settled(np.full(count, value), base[:count], goal, ALPHA) is (count >= n)
    spoilt = np.append(np.full(99, value), 50.0)
    assert not seeds.settled(spoilt, base, goal, ALPHA)  # one in a hundred: neither equal nor an interval


@pytest.mark.parametrize(("value", "verdict", "line"), [(0.0, "same", "the same in"), (3.0, "better", "+3 in")])
def test_equal_differences_are_told_as_such(value: float, verdict: str, line: str) -> None:
    ask = Asked({"base": 0.0})
    ask.values["base"] = np.round(ask.values["base"])
    ask.values["other"] = ask.values["base"] + value
    short, whole = Budget(runs=40), Budget(runs=400)
    early = seeds.add(ask, ("base", "other"), "base", DECIDED, short, 8)
    assert early.open == ("other",) and early.verdict("other") == "cannot tell"
    assert "20 seeds, " in seeds.told(early, short) and "in each of them; 29 would tell" in seeds.told(early, short)
    found = seeds.add(ask, ("base", "other"), "base", DECIDED, whole, 8)
    n = found.values["other"].size
    assert found.open == () and n >= 29 and found.verdict("other") == verdict
    told = seeds.told(found, whole)
    assert f"{line} all {n} worlds: fewer than one in ten differ" in told and " .. " not in told
    assert seeds.EQUAL in told
    kept = seeds.as_dict(found, None)["differences"]["other"]
    assert (kept["mean"], kept["low"], kept["high"]) == (value, None, None)
    assert kept["equal"]["worlds"] == n and kept["equal"]["others_at_most"] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("goal", [DECIDED, Goal("margin", 8.0)])
def test_an_effect_in_one_world_of_ten_is_rarely_told_as_none(goal: Goal) -> None:
    """Of 400 repetitions, looking after every seed: what is said when it stops is false in at most α of them."""
    repeats, most = 400, 150
    base, wrong, eight = np.full(most, 1000.0), 0, 0
    for repeat in range(repeats):
        paired = 100.0 * (np.random.default_rng(repeat).random(most) < 0.1)  # a mean of 10
        eight += not paired[:FEWEST].any()
        stop = next((n for n in range(FEWEST, most + 1) if seeds.settled(paired[:n], base[:n], goal, ALPHA)), None)
        if stop is not None:
            found = seeds.interval(paired[:stop], ALPHA)
            wrong += seeds.equal(paired[:stop]) or not found.low <= 10.0 <= found.high
    error = math.sqrt(ALPHA * (1 - ALPHA) / repeats)
    assert wrong / repeats <= ALPHA + 2 * error
    assert abs(eight / repeats - 0.9**FEWEST) < 3 * math.sqrt(0.43 * 0.57 / repeats)  # what eight zeros are worth


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


def seldom(rng: np.random.Generator, n: int) -> np.ndarray:
    """In one world of five +100, else 0; less their mean."""
    return 100.0 * (rng.random(n) < 0.2) - 20.0


@pytest.mark.slow
def test_few_that_differ_make_no_interval_that_errs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    rate, error = error_rate(seldom, 200, 100)
    assert rate <= ALPHA + 2 * error
    monkeypatch.setattr(seeds, "FEW", 1)  # what this is for
    assert error_rate(seldom, 200, 100)[0] > rate + error


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
    assert found.values["undefined"].size == FEWEST
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
        if found.winner != "base":
            shrinkages.append(found.shrinkage)
    above = 1 - 0.5**k  # the chance that any of them is better than the baseline, whose values are 0
    largest = theory.norm.expect(lambda x: k * x * theory.norm.cdf(x) ** (k - 1), lb=0.0) / above / math.sqrt(n)
    error = np.std(shrinkages, ddof=1) / math.sqrt(len(shrinkages))
    assert abs(len(shrinkages) / repeats - above) < 3 * math.sqrt(above * (1 - above) / repeats)
    assert abs(np.mean(shrinkages) - largest) < 3 * error
    assert np.mean(shrinkages) > 5 * error  # it is there at all


def test_the_winner_is_the_lowest_where_low_is_good_and_the_best_against_the_same_seeds() -> None:
    values = {"base": np.arange(4.0), "dear": np.arange(4) + 2.0, "cheap": np.arange(4) - 1.0}
    values["settled"] = np.arange(2) + 1.5  # with fewer seeds, poor ones
    for metric, winner in (("goods_cost", "cheap"), ("margin", "dear")):
        found = seeds.confirm(values, "base", metric, lambda names, n: {name: np.arange(n) for name in names}, 3)
        assert (found.winner, found.paired.tolist()) == (winner, [0, 0, 0])
        said = seeds.said(found, 4)
        assert "on 3 fresh seeds: 0 in each of them" in said and "on fresh seeds: same in all 3 worlds" in said
    values["settled"] += 1.0  # of 0 and 1, still below the mean of all
    found = seeds.confirm(values, "base", "margin", lambda names, n: {name: np.arange(n) for name in names}, 3)
    assert found.winner == "settled"


@pytest.mark.parametrize("other", [[1.0, 2.0], [0.0, 1.0], [math.nan, 5.0]])
def test_ties_go_to_the_baseline_and_nothing_runs(other: list[float]) -> None:
    def ask(names: Sequence[str], count: int) -> Mapping[str, np.ndarray]:
        raise AssertionError

    values = {"base": np.array([1.0, 2.0]), "other": np.array(other)}
    found = seeds.confirm(values, "base", "margin", ask, 3)
    assert found.winner == "base"
    assert seeds.said(found, 2) == "best by margin: on 2 seeds nothing is seen to beat 'base'; nothing ran again"
    assert seeds.as_dict(None, found)["confirmed"] == {"winner": "base", "metric": "margin"}


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
    assert found["runs"] <= 30 and "again" in found["open"]
    again = found["differences"]["again"]  # equal in every world, but in too few of them
    assert (again["verdict"], again["mean"], again["low"], again["high"]) == ("cannot tell", 0, None, None)
    assert found["seeds"]["again"] == again["equal"]["worlds"] < again["equal"]["enough"]
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "store").glob("??/*")}
    assert wxsim("--until", "orders decided", "--budget", "30", "--confirm", "2").output in said.output
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "store").glob("??/*")}
    for wrong in (("--until", "orders"), ("--until", "decided", "--budget", "x"), ("--until", "decided", "--out", "o")):
        told = wxsim(*wrong)
        assert told.exit_code == 2 and len(told.output.splitlines()) == 1


def test_a_budget_alone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path)
    said = CliRunner().invoke(app, ["compare", "tiny.yaml", "--budget", "10"])
    told = "wxsim: --budget ends what --until begins; give --until too, or --replications N alone\n"
    assert (said.exit_code, said.stderr, said.stdout) == (2, told, "")
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_folder_may_be_named_by_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path, f"count: {tiny.PEOPLE}", "count: 60")
    found = compare("tiny.yaml", replications=1, workers=1, out="named")
    assert found.folder == Path("named") and (tmp_path / "named" / "comparison.json").exists()


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
