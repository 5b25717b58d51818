import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.config.load import load
from sim.config.model import Scenario
from sim.errors import Fault, ScenarioError

pytestmark = pytest.mark.usefixtures("small_catalog")

Faults = Callable[..., list[Fault]]
Make = Callable[..., Scenario]


def places(faults: list[Fault]) -> list[tuple[int, int, str]]:
    return [(fault.line, fault.column, fault.where) for fault in faults]


def test_a_scenario_holds_what_its_file_says(scenario: Make) -> None:
    got = scenario("seed: 0\nrecord: all\nworld: {people: {count: 30}}\npeople: {browse: {opens: 1}}\n")
    assert got.title == "t"
    assert got.horizon.start == date(2025, 1, 6)
    assert (got.horizon.days, got.horizon.tick, got.horizon.ticks) == (10, 3600, 240)
    assert (got.seed, got.record) == (0, "all")
    assert got.world.people.count == 30
    assert got.people["browse"].opens == 1.0  # type: ignore[attr-defined]
    assert list(got.merchants) == ["tea"]
    assert list(got.merchants["tea"].products) == ["green"]
    assert got.compare is None
    assert got.focal == "tea"


@pytest.mark.parametrize(
    ("tick", "seconds"), [("1h", 3600), ("30m", 1800), ("1d", 86400), ("86400s", 86400), ("600", 600)]
)
def test_ticks_are_durations(write: Callable[..., Path], tick: str, seconds: int) -> None:
    horizon = f"{{start: 2025-01-06, days: 1, tick: {tick}}}"
    text = f"title: t\nhorizon: {horizon}\nmerchants: {{a: {{products: {{b: {{}}}}}}}}\n"
    assert load(write(text)).horizon.tick == seconds


ONE_FAULT = [
    # what is added from line 4 on, place, what is wrong, what to write
    ("sed: 3", 4, 1, "sed", 'unknown key "sed"', 'did you mean "seed"?'),
    ("seed: -1", 4, 7, "seed", "-1 is out of range", "a whole number from 0"),
    ("seed: 1.5", 4, 7, "seed", "1.5 is a fraction", "a whole number"),
    ("seed: yes", 4, 7, "seed", '"yes" is a text', "a whole number"),
    ("seed: true", 4, 7, "seed", "true is a switch", "a whole number"),
    ("seed: 99999999999999999999", 4, 7, "seed", "out of range", "a whole number"),
    ("record: some", 4, 9, "record", '"some" is not known here', "orders, all"),
    ("record: order", 4, 9, "record", '"order" is not known here', 'did you mean "orders"?'),
    ("world: 3", 4, 8, "world", "3 is a number", "a mapping"),
    ("world:\n  people:\n    cout: 3", 6, 5, "world.people.cout", 'unknown parameter "cout"', '"count"'),
    ("world: {people: {count: 0}}", 4, 25, "world.people.count", "0 is out of range", "from 1 to 100,000,000 (people"),
    ("world: {people: {attention: 0}}", 4, 29, "world.people.attention", "0 is out of range", "above 0 and at most"),
    ("world: {graph: {file: no.txt}}", 4, 23, "world.graph.file", 'there is no file "no.txt"', "looked for"),
    ("people: {brose: }", 4, 10, "people.brose", 'unknown mechanism "brose"', 'did you mean "browse"?'),
    ("people: {zzz: false}", 4, 10, "people.zzz", 'unknown mechanism "zzz"', "known here: browse, buy"),
    ("people: [browse]", 4, 9, "people", '["browse"] is a list', "a mapping"),
    ("people: {browse: 3}", 4, 18, "people.browse", "3 is a number", "a mapping"),
    ("people: {browse: {open: 1}}", 4, 19, "people.browse.open", 'unknown parameter "open"', '"opens"'),
    ("people: {browse: {opens: 1.5}}", 4, 26, "people.browse.opens", "1.5 is out of range",
     "a number from 0 to 1 (share; default 0.3)"),
    ("people: {browse: {opens: }}", 4, 19, "people.browse.opens", "is empty", "a number from 0 to 1"),
    ("people: {browse: {opens: '1'}}", 4, 26, "people.browse.opens", '"1" is a text', "a number"),
    ("people: {browse: {shares: [0, x]}}", 4, 31, "people.browse.shares[1]", '"x" is a text', "a number"),
    ("platform: {rules: {since: 2025-02-30}}", 4, 27, "platform.rules.since", "is not a date", "such as 2025-01-06"),
    ("platform: {rules: {folding: no}}", 4, 29, "platform.rules.folding", '"no" is a text', "true or false"),
    ("platform: {rules: {folding: 1}}", 4, 29, "platform.rules.folding", "1 is a number", "true or false"),
    ("platform: {rules: {swap: nine}}", 4, 26, "platform.rules.swap", '"nine" is not known', 'did you mean "none"?'),
    ("platform: {rules: false}", 4, 19, "platform.rules", "cannot be switched off", "leave it out"),
    ("compare: {baseline: x}", 4, 21, "compare.baseline", '"x" is not a strategy', "nothing is known here"),
    ("compare: {}", 4, 1, "compare.baseline", "is missing", "a text"),
    ("strategies: [a]", 4, 13, "strategies", "must be a mapping", "name"),
    ("strategies: {a: 3}", 4, 17, "strategies.a", "must be a mapping", "path"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "line", "column", "where", "wrong", "instead"), ONE_FAULT)
def test_each_fault_stands_at_its_place_and_teaches(
    faults: Faults, head: str, more: str, line: int, column: int, where: str, wrong: str, instead: str
) -> None:
    (fault,) = faults(head + more + "\n")
    assert (fault.line, fault.column, fault.where) == (line, column, where)
    assert wrong in fault.wrong
    assert instead in fault.instead


MERCHANT = [
    ("tea: {}", 1, "tea.products", "is missing"),
    ("tea: {products: 3}", 17, "tea.products", "is a number"),
    ("tea: {products: {green: {price: 0}}}", 33, "tea.products.green.price", "out of range"),
    ("tea: {products: {green: {category: tee}}}", 36, "tea.products.green.category", "unknown category"),
    ("tea: {category: tee, products: {green: {}}}", 17, "tea.category", "unknown category"),
    ("tea: {products: {green: }}", 18, "tea.products.green", "is empty"),
    ("tea: {products: {gr een: {}}}", 18, "tea.products.gr een", "is not a name"),
    ("te.a: {products: {green: {}}}", 1, "te.a", "is not a name"),
    ("tea: {products: {green: {}}, channels: {stor: }}", 41, "tea.channels.stor", "unknown mechanism"),
    ("tea: {products: {green: {}}, channels: {store: {follow_prompt: 2}}}", 64,
     "tea.channels.store.follow_prompt", "out of range"),
    ("tea: {products: {green: {}}, offers: {coupon: {by_category: {tea: x}}}}", 67,
     "tea.offers.coupon.by_category.tea", "is a text"),
    ("tea: {products: {green: {}}, offers: {coupon: {days: [1, 2.5]}}}", 58,
     "tea.offers.coupon.days[1]", "is a fraction"),
    ("tea: {products: {green: {}}, operations: {finance: false}}", 52,
     "tea.operations.finance", "cannot be switched off"),
    ("tea: {products: {green: {}}, chanels: {}}", 30, "tea.chanels", "unknown parameter"),
    ("tea: 3", 6, "tea", "is a number"),
]  # fmt: skip


@pytest.mark.parametrize(("merchant", "column", "where", "wrong"), MERCHANT)
def test_faults_of_a_merchant(faults: Faults, merchant: str, column: int, where: str, wrong: str) -> None:
    text = f"title: t\nhorizon: {{start: 2025-01-06, days: 10}}\nmerchants:\n  {merchant}\n"
    (fault,) = faults(text)
    assert (fault.line, fault.column, fault.where) == (4, column + 2, f"merchants.{where}")
    assert wrong in fault.wrong


HORIZON = [
    ("{days: 1}", "horizon.start", 1, "is missing"),
    ("{start: 2025-01-06}", "horizon.days", 1, "is missing"),
    ("{start: 6 January, days: 1}", "horizon.start", 18, "is not a date"),
    ("{start: 1999-12-31, days: 1}", "horizon.start", 18, "outside the calendar"),
    ("{start: 2025-01-06, days: 0}", "horizon.days", 36, "out of range"),
    ("{start: 2025-01-06, days: 3651}", "horizon.days", 36, "out of range"),
    ("{start: 2025-01-06, days: 1, tick: 7h}", "horizon.tick", 45, "does not divide a day"),
    ("{start: 2025-01-06, days: 1, tick: 1s}", "horizon.tick", 45, "does not divide a day"),
    ("{start: 2025-01-06, days: 1, tick: 2d}", "horizon.tick", 45, "does not divide a day"),
    ("{start: 2025-01-06, days: 1, tick: 1 hour}", "horizon.tick", 45, "is a text"),
]


@pytest.mark.parametrize(("horizon", "where", "column", "wrong"), HORIZON)
def test_faults_of_the_horizon(faults: Faults, horizon: str, where: str, column: int, wrong: str) -> None:
    (fault,) = faults(f"title: t\nhorizon: {horizon}\nmerchants: {{tea: {{products: {{green: {{}}}}}}}}\n")
    assert (fault.line, fault.column, fault.where) == (2, column, where)
    assert wrong in fault.wrong


def test_what_the_top_lacks_is_told_at_the_top(faults: Faults) -> None:
    assert places(faults("seed: 3\n")) == [(1, 1, "horizon"), (1, 1, "merchants"), (1, 1, "title")]
    assert places(faults("title:\nseed: 3\nhorizon: {start: 2025-01-06, days: 1}\n")) == [
        (1, 1, "merchants"),
        (1, 1, "title"),
    ]


def test_all_faults_of_all_kinds_come_at_once_in_order(faults: Faults) -> None:
    text = """\
title: t
horizon: {start: 2025-01-06, days: 10, days: 11}
people: {browse: {opens: 2, open: 1}}
merchants:
  tea:
    products: {green: {price: -1}}
    channels: {store: {follow_prompt: *x}}
  coffee: {}
strategies:
  plain: {}
  bold: {people.browse.opens: -1, horizon.days: 3}
compare: {baseline: pain, metrics: [gmw, gmv], merchant: te}
"""
    found = faults(text, metrics={"gmv", "margin"})
    assert places(found) == [
        (2, 40, "horizon.days"),
        (3, 26, "people.browse.opens"),
        (3, 29, "people.browse.open"),
        (6, 31, "merchants.tea.products.green.price"),
        (7, 39, "merchants.tea.channels.store.follow_prompt"),
        (8, 3, "merchants.coffee.products"),
        (11, 31, "strategies.bold.people.browse.opens"),
        (11, 35, "strategies.bold.horizon.days"),
        (12, 21, "compare.baseline"),
        (12, 37, "compare.metrics[0]"),
        (12, 58, "compare.merchant"),
    ]
    assert [fault.instead for fault in found[-3:]] == [
        'did you mean "plain"?', 'did you mean "gmv"?', 'did you mean "tea"?',
    ]  # fmt: skip


def test_the_message_reads_as_promised(write: Callable[..., Path], head: str) -> None:
    path = write(head + "people: {browse: {opens: 2}}\n")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}:4:26: people.browse.opens: 2 is out of range; write a number from 0 to 1 (share; default 0.3)"
    )


def test_metrics_are_checked_only_when_given(scenario: Make) -> None:
    more = "strategies: {a: {}}\ncompare: {baseline: a, metrics: [anything]}\n"
    got = scenario(more)
    assert got.compare is not None
    assert got.compare.metrics == ("anything",)
    with pytest.raises(ScenarioError):
        scenario(more, metrics=("gmv",))


def test_focal_merchant_is_the_stated_one_or_the_first(write: Callable[..., Path]) -> None:
    text = (
        "title: t\nhorizon: {start: 2025-01-06, days: 1}\n"
        "merchants: {z: {products: {p: {}}}, a: {products: {p: {}}}}\nstrategies: {s: {}}\n"
    )
    assert load(write(text)).focal == "z"
    assert load(write(text + "compare: {baseline: s}\n")).focal == "z"
    assert load(write(text + "compare: {baseline: s, merchant: a}\n")).focal == "a"


# ------------------------------------------------------------------------------------------- any text at all

WORDS = st.sampled_from(
    ["title", "extends", "horizon", "start", "days", "tick", "seed", "world", "people", "count", "graph", "file",
     "browse", "opens", "merchants", "tea", "products", "green", "price", "channels", "store", "operations", "finance",
     "strategies", "a", "b", "merchants.tea", "merchants.tea.products.green", "people.browse", "horizon.days", "x..y",
     "compare", "baseline", "metrics", "merchant", "", "1"]
)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS | st.sampled_from(["2025-01-06", "1h", "\0", "..", "/", "a" * 5000])
)  # fmt: skip
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
TOP = ["title", "horizon", "world", "people", "platform", "merchants", "strategies", "compare", "extends", "record"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(TOP), DATA, max_size=6))
def test_any_data_is_a_scenario_or_a_scenario_error(write: Callable[..., Path], data: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "title": "t",
        "horizon": {"start": "2025-01-06", "days": 10},
        "merchants": {"tea": {"products": {"green": {}}}},
    }
    path = write(json.dumps({**good, **data}))
    try:
        load(path, metrics=("gmv",))
    except ScenarioError as error:
        assert error.faults
        assert all(fault.line >= 1 and fault.column >= 1 and fault.wrong for fault in error.faults)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_scenario_error(write: Callable[..., Path], text: str) -> None:
    with pytest.raises(ScenarioError):
        load(write(text.encode("utf-8", "surrogatepass")))
