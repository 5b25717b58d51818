"""The swarm: its cases are valid and reach every corner; both engines agree on them; what fails is kept and named."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from typer.testing import CliRunner, Result

from sim import catalog
from sim.cli import app
from sim.config.load import load
from sim.config.model import FIRST_DAY, LAST_DAY, Scenario
from sim.config.sections import ALWAYS, PER_MERCHANT, PER_WORLD
from sim.errors import ConservationError
from sim.operations import finance
from sim.platform.rules import Rules
from sim.study import swarm
from sim.study.shrink import resized
from sim.study.verify import Failure, Verdict, once
from sim.units import DAY, HOUR, Array
from sim.world.calendar import Calendar
from tests.strategies import scenarios

SEEDS = range(200)
KEPT = Path(__file__).parent / swarm.SEEDS
FAILED_ONCE = {line["seed"] for line in yaml.safe_load(KEPT.read_text("utf-8")) or ()}
FILES = sorted((KEPT.parent / "swarm").glob("*.yaml"))


def daily(scenario: Scenario) -> int:
    """Ticks of a day: one audit a day finds what one a tick does, later."""
    return DAY // scenario.horizon.tick


# ------------------------------------------------------------------------------------------------ the generator


def keys_on(scenario: Scenario) -> set[str]:
    on = {f"{folder}.{name}" for folder in PER_WORLD for name in getattr(scenario, folder)}
    for shop in scenario.merchants.values():
        on |= {f"{folder}.{name}" for folder in PER_MERCHANT for name in getattr(shop, folder)}
    return on


def generator(scenario: Scenario) -> str:
    return scenario.world.graph.networkx.generator if scenario.world.graph.networkx else ""


def rules_change(scenario: Scenario) -> bool:
    nowhere: Any = None  # the rules look at no world
    rules: Any = Rules(scenario.platform["rules"], np.ones(1, np.bool_), nowhere)
    days = [scenario.horizon.start + timedelta(days=day) for day in range(scenario.horizon.days)]
    return any(rules.effective(day) != rules.effective(days[0]) for day in days)


def stock_of(scenario: Scenario) -> Iterator[tuple[int, int]]:
    for shop in scenario.merchants.values():
        inventory = shop.operations["inventory"]
        yield inventory.opening, inventory.reorder_quantity  # type: ignore[attr-defined]


CORNERS: dict[str, Callable[[Scenario], bool]] = {
    "one person": lambda s: s.world.people.count == 1,
    "a star": lambda s: generator(s) == "star_graph" and s.world.people.count > 2,
    "nobody knows anybody": lambda s: generator(s) == "empty_graph",
    "a shop without goods": lambda s: any(not shop.products for shop in s.merchants.values()),
    "a market without goods": lambda s: not any(shop.products for shop in s.merchants.values()),
    "no stock, ever": lambda s: any(stock == (0, 0) for stock in stock_of(s)),
    "rules that change": rules_change,
    "more shops than one keeps in mind": lambda s: len(s.merchants) > 6,
    "an odd tick": lambda s: HOUR % s.horizon.tick > 0 and s.horizon.tick % HOUR > 0,
    "a tick of a day": lambda s: s.horizon.tick == DAY,
    "a tick under ten minutes": lambda s: s.horizon.tick < 600,
    "everything recorded": lambda s: s.record == "all",
    "a festival": lambda s: bool((Calendar(s.horizon.start, s.horizon.days).festival >= 0).any()),
    "the first day of the calendar": lambda s: s.horizon.start == FIRST_DAY,
    "the last days of the calendar": lambda s: s.horizon.start > LAST_DAY - timedelta(days=5),
    "seed 0": lambda s: s.seed == 0,
    "the greatest seed": lambda s: s.seed == 2**63 - 1,
}


@pytest.mark.slow
def test_all_are_valid_and_every_corner_is_reached_and_every_mechanism_on_here_and_off_there() -> None:
    cases = [swarm.case(seed) for seed in SEEDS]
    assert {scenario.digest for scenario in cases} > {swarm.case(seed).digest for seed in (0, 1)}
    reached = {corner: sum(map(holds, cases)) for corner, holds in CORNERS.items()}
    assert {corner for corner, count in reached.items() if not 0 < count < len(SEEDS)} == set()
    on = Counter(key for scenario in cases for key in keys_on(scenario))
    assert {key for key in catalog.mechanisms() if on[key] == len(SEEDS)} == set(ALWAYS)
    assert {key for key in catalog.mechanisms() if on[key] < len(SEEDS) / 10} == set()


def test_a_seed_is_a_scenario() -> None:
    one, again, other = (swarm.case(seed) for seed in (11, 11, 12))
    assert one == again
    assert one.digest != other.digest


@pytest.mark.slow
def test_what_is_written_is_the_scenario_again() -> None:
    for seed in range(12):
        scenario = swarm.case(seed)
        assert swarm.loaded(swarm.written(scenario)) == scenario


class Plain:
    """Chooses the first that is offered, and the least."""

    def integer(self, low: int, high: int) -> int:
        return low

    def real(self, low: float, high: float) -> float:
        return low

    def choice(self, options: object) -> object:
        return options[0]  # type: ignore[index]


def test_the_plainest_scenario_is_small() -> None:
    scenario = swarm.scenario(Plain())
    assert (scenario.horizon.days, len(scenario.merchants)) == (1, 1)


@pytest.mark.slow
@settings(max_examples=20)
@given(scenarios())
def test_hypothesis_makes_valid_scenarios_of_the_same_choices(scenario: Scenario) -> None:
    assert scenario.merchants
    assert DAY % scenario.horizon.tick == 0


# ------------------------------------------------------------------------------------------------ both engines


@pytest.mark.slow
@settings(max_examples=3)
@given(scenarios())
def test_both_engines_agree_on_what_hypothesis_thinks_of(scenario: Scenario) -> None:
    assert once(scenario, scenario.seed, daily(scenario)).difference is None


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(start, start + 2) for start in range(1, 9, 2)], ids=str)
def test_a_modest_swarm_audited_every_day(seeds: range) -> None:
    for seed in seeds:
        scenario = swarm.case(seed)
        assert once(scenario, scenario.seed, daily(scenario)).difference is None, seed


@pytest.mark.slow
@pytest.mark.parametrize("seed", [18, 22])
def test_a_smaller_swarm_audited_after_every_tick(seed: int) -> None:
    scenario = swarm.case(seed)
    assert once(scenario, scenario.seed, 1).difference is None


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 250))
def test_a_swarm_audited_after_every_tick(seed: int) -> None:
    scenario = swarm.case(seed)
    assert once(scenario, scenario.seed, 1).difference is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", sorted({0, *FAILED_ONCE}))
def test_a_seed_that_failed_once_fails_no_more(seed: int) -> None:
    scenario = swarm.case(seed)
    assert once(scenario, scenario.seed, daily(scenario)).difference is None


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_case_that_failed_once_fails_no_more(file: Path) -> None:
    scenario = load(file)
    assert once(scenario, scenario.seed, daily(scenario)).difference is None


# --------------------------------------------------------------------------------------------- on the command line


def wxsim(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def third_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that agree on every case but that of seed 2, which is made small."""
    wrong = swarm.case(2)

    def verdict(scenario: Scenario, seed: int, audited: int) -> Verdict:
        failure = Failure(0, ConservationError("a fen is missing"))
        return Verdict({"events": 7}, "", failure if scenario == wrong else None, scenario, seed)

    def smallest(verdict: Verdict, told: Callable[[str], None], audited: int) -> Verdict:
        assert verdict.scenario is not None
        return replace(verdict, scenario=resized(verdict.scenario, users=1))

    monkeypatch.setattr(swarm, "once", verdict)
    monkeypatch.setattr(swarm, "smallest", smallest)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--swarm N"),
        (("base", "--swarm", 1), "leave out SCENARIO"),
        (("--swarm", 1, "--users", 5, "--days", 1), "leave out --users, --days"),
        (("--swarm", 1, "--strategy", "a"), "leave out --strategy"),
        (("--swarm", 0), "--swarm"),
    ],
)
def test_wrong_words_are_told_in_a_line(here: Path, words: tuple[object, ...], said: str) -> None:
    result = wxsim("verify", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert list(here.iterdir()) == []


def test_equal_engines_are_told_equal(here: Path, third_fails: None) -> None:
    result = wxsim("verify", "--swarm", 3, "--seed", 3)
    assert result.exit_code == 0
    assert result.stdout == "both engines wrote the same ledger in 3 cases, seeds 3 to 5\n"
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["seed 3", "seed 4", "seed 5"]
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_a_failing_seed_is_kept_once_and_the_rest_still_run(here: Path, third_fails: None) -> None:
    for _ in range(2):
        result = wxsim("verify", "--swarm", 4)
        assert result.exit_code == 1
        assert "seed 2: smallest case found: " in result.stdout
        assert "both engines stop on day 0: ConservationError: a fen is missing" in result.stdout
        assert "1 of 4 cases failed" in result.stderr
        assert "seed 3" in result.stderr
    folder = here / "runs"
    (line,) = yaml.safe_load((folder / swarm.SEEDS).read_text("utf-8"))
    assert line["seed"] == 2
    assert line["found"].startswith("1 people × ")  # of the small case, and not of the first
    assert "a fen is missing" in line["found"]
    assert f"once more: wxsim verify {swarm.kept(2, Path('runs'))}" in result.stdout
    assert load(swarm.kept(2, folder)) == resized(swarm.case(2), users=1)


def test_in_a_checkout_it_is_kept_among_the_tests(here: Path, third_fails: None) -> None:
    seeds = here / swarm.TESTS / swarm.SEEDS
    seeds.parent.mkdir(parents=True)
    seeds.write_text(KEPT.read_text("utf-8").split("- {")[0], "utf-8")
    result = wxsim("verify", "--swarm", 1, "--seed", 2)
    assert "a test replays it" in result.stderr
    assert "once more: wxsim verify tests/study/swarm/seed-2.yaml" in result.stdout
    test = test_a_case_that_failed_once_fails_no_more.__name__
    assert f'pytest "tests/study/test_swarm.py::{test}[seed-2]"' in result.stdout
    assert [line["seed"] for line in yaml.safe_load(seeds.read_text("utf-8"))] == [2]
    assert seeds.read_text("utf-8").startswith("# Seeds")
    assert not (here / "runs").exists()


def test_what_was_found_before_an_interruption_is_kept(
    here: Path, third_fails: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> Verdict:
        raise KeyboardInterrupt

    monkeypatch.setattr(swarm, "smallest", interrupted)
    result = wxsim("verify", "--swarm", 5)
    assert result.exit_code == 130
    assert "kept in runs" in result.stderr
    assert load(swarm.kept(2, here / "runs")) == swarm.case(2)


BUSY = """
title: A shop that sells
horizon: {start: 2025-03-03, days: 2, tick: 12h}
world: {people: {count: 24}}
platform: {rules: {return_window_days: 1}, rivals: {attraction: -5}}
people: {browse: {opens: 1}, buy: {nothing: -8}, fatigue: {}, repurchase: {}}
merchants:
  kiosk: {products: {stamp: {price: 5, category: toys}}}
  shop: {products: {goods: {price: 20, category: food}}, channels: {store: {discovery: 1}}, offers: {coupon: {}}}
"""


@pytest.mark.slow
def test_a_law_that_is_broken_is_found_named_made_small_and_kept(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = swarm.loaded(BUSY)
    honest = finance.split

    def a_fen_less(amount: Array, platform_fee: float, payment_fee: float) -> tuple[Array, Array, Array]:
        platform, payment, rest = honest(amount, platform_fee, payment_fee)
        return platform, payment, np.maximum(rest - 1, 1)

    monkeypatch.setattr(finance, "split", a_fen_less)
    monkeypatch.setattr(swarm, "case", lambda seed: large)
    result = wxsim("verify", "--swarm", 1)
    assert result.exit_code == 1
    assert "after tick" in result.stdout
    assert "the escrow of a deal ends at zero" in " ".join(result.stdout.split())
    small = load(swarm.kept(0, here / "runs"))
    assert small.world.people.count < large.world.people.count
    assert len(keys_on(small)) < len(keys_on(large))
