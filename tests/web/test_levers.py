"""Levers are made from the parameters' own metadata; what strategies state comes first."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.load import load
from sim.config.model import Scenario
from sim.config.parameters import Parameter, parameters
from sim.web.levers import EVERYONE, FOUND, STEPS, at, groups, lever, same, search, stated, usable


@pytest.fixture(scope="module")
def triangle() -> Scenario:
    return load("triangle")


def parameter(value: object, low: float | None = None, high: float | None = None, **more: object) -> Parameter:
    return Parameter("people.x.y", value, "yuan", "assumed", "what it is", low, high, **more)  # type: ignore[arg-type]


def test_what_strategies_state_comes_first_then_prices(triangle: Scenario) -> None:
    first, second, prices, *rest = groups(triangle, "triangle")
    assert (first.name, [each.key for each in first.levers]) == (
        "store + mini-program",
        [("store + mini-program", "merchants.tea_house.channels.mini_program.loading_seconds")],
    )
    assert second.name == "store + service account"
    assert prices.name == "price"
    assert {each.path.split(".")[3] for each in prices.levers} == set(triangle.merchants["tea_house"].products)
    assert not any(group.first for group in rest)


def test_a_mechanism_that_only_a_strategy_has_is_hers_and_none_is_offered_twice(triangle: Scenario) -> None:
    found = {(group.merchant, group.name): group for group in groups(triangle, "triangle") if not group.first}
    assert {each.strategy for each in found["tea_house", "channels.mini_program"].levers} == {"store + mini-program"}
    assert {each.strategy for each in found["", "people.buy"].levers} == {EVERYONE}
    for group in found.values():
        paths = [each.path for each in group.levers]
        assert len(paths) == len(set(paths))


def test_stated_are_leaves_at_any_depth(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "extends: base\ntitle: x\nstrategies:\n  a: {}\n"
        "  b: {extends: a, merchants.linen: {channels: {store: {trust: 1}}}, people.gift.everyday: 0.1}\n"
    )
    assert stated(str(file)) == {"a": (), "b": ("merchants.linen.channels.store.trust", "people.gift.everyday")}


@pytest.mark.parametrize("name", ["triangle", "points_across_three_tools", "live_with_reservations"])
def test_a_slider_has_round_steps_inside_the_bounds_and_holds_its_value(name: str) -> None:
    for found in map(lever, usable(parameters(load(name))).values()):
        if found.kind != "slider":
            continue
        low, high, step = found.low, found.high, found.step
        assert low is not None and high is not None and step is not None and step > 0
        assert low < high
        assert low <= found.parameter.value <= high
        assert found.parameter.low is None or low >= found.parameter.low
        assert found.parameter.high is None or high <= found.parameter.high
        assert f"{step:.0e}"[0] in "125" or isinstance(found.parameter.value, int)
        assert (high - low) / step <= 2 * STEPS + 2


def test_kinds() -> None:
    assert lever(parameter(True)).kind == "switch"
    assert lever(parameter("one", choices=("one", "two"))).kind == "choice"
    assert lever(parameter(0.0, 0.0, 1.0)).kind == "slider"  # off now, and its range is known
    assert lever(parameter(0.0, 0.0, 1e9)).kind == "number"
    assert usable({"a": parameter((1, 2)), "b": parameter(None), "c": parameter("text")}) == {}


def test_what_is_allowed() -> None:
    whole = lever(parameter(3, 1.0, 5.0))
    assert whole.fitted(4.0) == 4
    assert isinstance(whole.fitted(4.0), int)
    assert whole.allowed(5) and not whole.allowed(6) and not whole.allowed(True)
    assert lever(parameter("one", choices=("one", "two"))).allowed("two")
    assert not lever(parameter("one", choices=("one", "two"))).allowed("three")
    assert not lever(parameter(True)).allowed(1)


def test_a_range_grows_with_what_is_typed() -> None:
    found = lever(parameter(10.0))
    assert at(found, 50.0).high == 50.0
    assert at(found, 1.0).low == 1.0
    assert at(found, 11.0) == found


@given(st.floats(-1e6, 1e6))
def test_values_are_the_same_but_for_rounding(value: float) -> None:
    assert same(value, float(f"{value:.12g}"))
    assert not same(value, value + 1.0 + abs(value) / 10)
    assert same(True, True) and not same(True, False)


def test_search_finds_by_path_and_by_words(triangle: Scenario) -> None:
    known = usable(parameters(triangle))
    assert "people.gift.everyday" in [each.path for each in search(known.values(), "gift everyday", {})]
    said = {"people.gift.everyday": "日常送礼"}
    assert [each.path for each in search(known.values(), "日常", said)] == ["people.gift.everyday"]
    assert search(known.values(), "  ", {}) == []
    assert len(search(known.values(), "price", {})) == FOUND
