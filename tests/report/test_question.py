import pytest

from sim.report.material import Material
from sim.report.page import Report
from sim.report.question import _changes, _flat
from tests.report.town import CHEAPER, DEAR


def test_changes_are_values_and_whole_parts() -> None:
    base = {"a.b": 1, "a.c": 2, "d.e.f": 1, "d.e.g": 2}
    own = {"a.b": 5, "a.c": 2, "x.y.z": 1, "x.y.w": 2}
    assert list(_changes(base, own)) == [
        {"path": "a.b", "before": 1, "after": 5},
        {"path": "d.e", "added": False, "parameters": 2},
        {"path": "x.y", "added": True, "parameters": 2},
    ]
    assert list(_changes(base, base)) == []


def test_a_part_that_was_empty_is_no_change_but_what_came_into_it() -> None:
    base, own = {"a": {"offers": {}}}, {"a": {"offers": {"gift": {"deadline": 1, "cap": 2}}}}
    assert list(_changes(dict(_flat(base)), dict(_flat(own)))) == [
        {"path": "a.offers.gift", "added": True, "parameters": 2}
    ]


@pytest.mark.slow
def test_what_the_strategies_change_is_what_the_scenario_says(made: Report, material: Material) -> None:
    changes = made.told["question"]["changes"]
    price = "merchants.tea.products.{}.price"
    assert {(each["path"], each["before"], each["after"]) for each in changes[CHEAPER] if "price" in each["path"]} >= {
        (price.format("cake"), 90.0, 45.0)
    }
    assert {each["path"] for each in changes[DEAR]} >= {price.format("cake"), price.format("cup")}
    assert made.told["question"]["expectation"] == "Cheaper tea & <i>more</i> of it."
    assert material.scenario["horizon"]["start"] == made.told["question"]["start"]
