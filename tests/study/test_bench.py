import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sim import fast
from sim.cli import app
from sim.study import bench
from sim.study.bench import Bench, Figure, Spent

GIVEN = (
    Figure("spreading", "edges/s", {"numpy": 2e7, "fast": 5e7}, 1e8),
    Figure("full model", "bytes/user at peak", {"numpy": 512.0, "fast": 300.0}),
)
MADE = Bench(50_000, 14, 2, 40e9, 150e6, 1.0, GIVEN)


def test_a_share_is_the_rate_over_what_memory_allows_and_a_size_has_none() -> None:
    assert GIVEN[0].share == {"numpy": 0.2, "fast": 0.5}
    assert GIVEN[1].share == {}


def test_the_table_fits_and_says_when_the_machine_was_busy() -> None:
    text = str(MADE)
    assert max(map(len, text.splitlines())) <= 80
    assert "20 M" in text and "50 M" in text and "100 M" in text and "50.00%" in text
    assert "40.0 GB/s" in text and "150 M/s" in text
    assert "busy" not in text
    busy = str(Bench(50_000, 14, 2, 40e9, 150e6, 3.0, GIVEN))
    assert "3.0 times as long" in busy


def test_json_holds_every_figure_with_its_share() -> None:
    found = json.loads(json.dumps(MADE.as_dict(), allow_nan=False))
    assert [figure["name"] for figure in found["figures"]] == ["spreading", "full model"]
    assert found["figures"][0]["share"]["fast"] == 0.5
    assert found["copy"] == 40e9


def test_memory_rates_are_positive_and_the_sum_at_random_places_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert min(bench.memory(1 << 20)) > 0
    source = np.arange(200_000.0)
    at = (np.arange(150_000) * 7_919) % source.size
    expected = math.fsum(source[at].tolist())
    for present in {False, fast.present}:
        monkeypatch.setattr(fast, "present", present)
        assert bench._read(source, at) == expected  # whole numbers: exact in any order


def test_what_was_spent_is_not_negative() -> None:
    spent = bench.spend(lambda: bytearray(1 << 20))
    assert isinstance(spent, Spent)
    assert spent.wall > 0
    assert spent.processor >= 0
    assert spent.peak >= 0


@pytest.mark.slow
def test_spreading_counts_the_ties_of_those_who_are_reached() -> None:
    (edges, reads), spent = bench.spreading(1_000)
    ties = 20 * 1_000
    assert reads >= bench.CASCADES * bench.SEEDS
    assert bench.CASCADES * bench.SEEDS < edges <= 2 * bench.CASCADES * ties
    assert spent.processor > 0


@pytest.mark.slow
def test_building_counts_each_tie_once() -> None:
    edges, spent = bench.building(3_000)
    assert 0.8 * 10 * 3_000 < edges < 1.1 * 10 * 3_000  # 20 friends each, a tie for two
    assert spent.wall > 0


def test_the_bare_population_has_one_shop_and_still_sells() -> None:
    scenario = bench.sized(bench.bare_scenario(), 300, 3)
    assert list(scenario.merchants) == ["tea_house"]
    assert (scenario.world.people.count, scenario.horizon.days) == (300, 3)
    amount, spent = bench.bare(300, 3)
    assert amount == 900
    assert spent.processor > 0


@pytest.mark.slow
def test_the_command_measures_everything_and_writes_it_down(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "--users", "1000", "--json", str(tmp_path / "bench.json")])
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    assert "measuring full model" in done.stderr
    found = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    names = {(figure["name"], figure["unit"]) for figure in found["figures"]}
    assert {("spreading", "edges/s"), ("full model", "user-days/s"), ("full model", "bytes/user at peak")} <= names
    ways = {"numpy", "fast"} if fast.present else {"numpy"}
    rates = [figure for figure in found["figures"] if figure["unit"].endswith("/s")]
    assert len(rates) == 4
    assert all(set(figure["value"]) == ways and min(figure["value"].values()) > 0 for figure in rates)
    assert all(share > 0 for figure in rates for share in figure["share"].values())
    assert found["copy"] > 0 and found["gather"] > 0 and found["processors"] >= 1


def test_where_numbers_cannot_be_written_nothing_is_measured(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "--json", str(tmp_path / "no" / "bench.json")])
    assert done.exit_code == 2
    assert "cannot be written there" in done.stderr
