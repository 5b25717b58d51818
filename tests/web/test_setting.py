"""A setting is a scenario file: it says only what was changed, has no faults, and is what runs."""

from pathlib import Path

import pytest
import yaml

from sim.config.load import load
from sim.config.parameters import parameters
from sim.errors import StudyError
from sim.metrics.catalog import METRICS
from sim.web.levers import EVERYONE
from sim.web.setting import MOST, Setting, begun, made, text, without
from tests.report.town import BASE, CHEAPER, DEAR, TEXT, TITLE

MINI = "merchants.tea_house.channels.mini_program.loading_seconds"
PRICE = "merchants.tea_house.products.longjing.price"


@pytest.fixture
def triangle() -> Setting:
    return Setting("triangle", 700, 9, 3)


def test_a_shipped_scenario_is_extended_by_what_was_changed_alone(triangle: Setting, tmp_path: Path) -> None:
    changed = triangle.changed((EVERYONE, PRICE), 150.0).changed(("store + mini-program", MINI), 2)
    assert yaml.safe_load(text(changed)) == {
        "extends": "triangle",
        "horizon": {"days": 9},
        "world": {"people": {"count": 700}},
        "compare": {"replications": 3},
        "merchants": {"tea_house": {"products": {"longjing": {"price": 150.0}}}},
        "strategies": {"store + mini-program": {MINI: 2}},
    }
    scenario = made(changed, tmp_path)
    assert parameters(scenario)[PRICE].value == 150.0
    for name in ("store + mini-program", "all three"):  # the second builds on the first
        assert parameters(scenario.strategies[name])[MINI].value == 2
    assert scenario.title == load("triangle").title


def test_the_file_has_no_faults_and_no_warnings_of_its_own(triangle: Setting, tmp_path: Path) -> None:
    file = tmp_path / "changed.yaml"
    file.write_text(text(triangle.changed((EVERYONE, PRICE), 150.0)), "utf-8")
    told: list[object] = []
    load(file, metrics=tuple(METRICS), warn=told.append)
    assert told == []


def test_a_change_is_taken_back(triangle: Setting) -> None:
    assert triangle.changed((EVERYONE, PRICE), 150.0).changed((EVERYONE, PRICE), None) == triangle


def test_a_scenario_of_ones_own_is_written_out_whole(tmp_path: Path) -> None:
    file = tmp_path / "town.yaml"
    file.write_text(TEXT, "utf-8")
    setting, _ = begun(str(file))
    changed = setting.changed((CHEAPER, "merchants.tea.products.cake.price"), 44).changed(
        (EVERYONE, "people.buy.nothing"), -4
    )
    content = yaml.safe_load(text(changed))
    assert "extends" not in content
    assert content["title"] == TITLE
    (tmp_path / "there").mkdir()
    scenario = made(changed, tmp_path / "there")
    assert list(scenario.strategies) == [BASE, CHEAPER, DEAR]
    assert scenario.strategies[CHEAPER].merchants["tea"].products["cake"].price == 44
    assert scenario.strategies[CHEAPER].merchants["tea"].products["cake"].customary_price == 90
    assert parameters(scenario)["people.buy.nothing"].value == -4


def test_strategies_that_are_off_leave_with_what_is_claimed_of_them(triangle: Setting, tmp_path: Path) -> None:
    less = made(triangle.switched("store + service account", False), tmp_path)
    assert list(less.strategies) == ["store only", "store + mini-program", "all three"]
    assert less.compare is not None
    assert less.compare.synergy == {}
    assert [claim.strategy for claim in less.expects] == ["store + mini-program"]
    with pytest.raises(StudyError, match="baseline"):
        without(load("triangle"), frozenset({"store only"}))


def test_what_cannot_stand_is_told_by_its_path(triangle: Setting, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"products\.longjing\.price") as wrong:
        made(triangle.changed((EVERYONE, PRICE), -1), tmp_path)
    assert str(tmp_path) not in str(wrong.value)


def test_what_compares_nothing_is_refused() -> None:
    with pytest.raises(StudyError, match="nothing to compare"):
        begun("base")


def test_it_begins_small_and_never_larger_than_it_is() -> None:
    setting, scenario = begun("triangle")
    assert setting.people <= scenario.world.people.count
    assert setting.days < scenario.horizon.days
    assert begun("triangle", {**MOST, "days": 5, "seeds": 2})[0].days == 5
