from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.config.load import load
from sim.config.model import Scenario
from sim.config.strategies import FIXED, MAX_STRATEGIES
from sim.errors import Fault, StudyError

pytestmark = pytest.mark.usefixtures("small_catalog")

SHOP = """\
title: t
horizon: {start: 2025-01-06, days: 10}
people: {browse: {opens: 0.5}}
merchants:
  tea:
    products: {green: {price: 30, popularity: 2}}
    channels: {store: {follow_prompt: 0.2}}
    offers: {coupon: {percent: 20, days: [1, 2], by_category: {tea: 0.1}}}
  rice: {products: {white: {}}}
strategies:
"""  # ten lines; strategies begin on line 11

Made = Callable[[str], Scenario]


@pytest.fixture
def shop(write: Callable[..., Path]) -> Made:
    """The shop with strategies, one per line."""
    return lambda strategies: load(write(SHOP + strategies + "\n"))


@pytest.fixture
def found(faults: Callable[..., list[Fault]]) -> Callable[[str], list[Fault]]:
    """The faults of the shop with strategies, one per line."""
    return lambda strategies: faults(SHOP + strategies + "\n")


def tea(scenario: Scenario, name: str = "s") -> Any:
    return scenario.strategy(name).merchants["tea"]


def test_an_empty_strategy_is_the_scenario_itself(shop: Made) -> None:
    made = shop("  a: {}\n  b:")
    alone = made.model_copy(update={"strategies": {}})
    assert made.strategy("a") == made.strategy("b") == alone
    assert made.strategy("a").digest == made.digest


def test_strategies_keep_the_order_of_the_file(shop: Made) -> None:
    assert list(shop("  z: {}\n  a: {}\n  m: {}").strategies) == ["z", "a", "m"]


@pytest.mark.parametrize(
    "patch",
    [
        "{merchants.tea.offers.coupon.percent: 7}",
        "{merchants.tea.offers.coupon: {percent: 7}}",
        "{merchants.tea: {offers: {coupon: {percent: 7}}}}",
        "{merchants: {tea: {offers: {coupon: {percent: 7}}}}}",
        "{merchants.tea.offers.coupon.percent: 3, merchants.tea.offers: {coupon: {percent: 7}}}",
    ],
)
def test_dots_and_nested_mappings_say_the_same(shop: Made, patch: str) -> None:
    coupon = tea(shop(f"  s: {patch}")).offers["coupon"]
    assert coupon.percent == 7
    assert (coupon.days, coupon.by_category) == ((1, 2), {"tea": 0.1})


def test_mappings_merge_and_lists_replace(shop: Made) -> None:
    made = shop("  s: {merchants.tea.offers.coupon: {days: [9], by_category: {food: 0.3}}}")
    coupon = tea(made).offers["coupon"]
    assert coupon.days == (9,)
    assert coupon.by_category == {"tea": 0.1, "food": 0.3}


@pytest.mark.parametrize("on", ["{}", "", "null", "true"])
def test_a_mechanism_is_switched_on_with_its_defaults(shop: Made, on: str) -> None:
    assert tea(shop(f"  s: {{merchants.tea.channels.articles: {on}}}")).channels["articles"].pieces == 5


@pytest.mark.parametrize("same", ["{}", "", "null"])
def test_switching_on_what_is_on_changes_nothing(shop: Made, same: str) -> None:
    assert tea(shop(f"  s: {{merchants.tea.channels.store: {same}}}")).channels["store"].follow_prompt == 0.2


def test_a_mechanism_is_switched_off_by_false(shop: Made) -> None:
    made = shop("  s: {merchants.tea.channels.store: false, people.browse: false}")
    assert "store" not in tea(made).channels
    assert made.strategy("s").people == {}
    assert list(made.people) == ["browse"]


def test_switching_off_and_on_again_starts_from_the_defaults(shop: Made) -> None:
    made = shop(
        "  off: {merchants.tea.offers.coupon: false}\n  s: {extends: off, merchants.tea.offers.coupon: {percent: 7}}"
    )
    coupon = tea(made).offers["coupon"]
    assert (coupon.percent, coupon.days) == (7, (1, 8))


def test_what_is_added_comes_after_what_is_there(shop: Made) -> None:
    made = shop(
        "  s: {merchants: {aaa: {products: {p: {}}}}, merchants.tea.products: {black: {}, apple: {price: 3}},"
        " merchants.tea.products.zzz: {}, merchants.zzz: {products: {p: {}}}}"
    )
    assert list(made.strategy("s").merchants) == ["tea", "rice", "aaa", "zzz"]
    assert list(tea(made).products) == ["green", "black", "apple", "zzz"]
    assert list(made.merchants) == ["tea", "rice"]


def test_a_product_may_be_changed(shop: Made) -> None:
    green = tea(shop("  s: {merchants.tea.products.green.price: 25}")).products["green"]
    assert (green.price, green.popularity) == (25, 2)


def test_a_strategy_does_what_it_extends_first(shop: Made) -> None:
    made = shop(
        "  s: {extends: [a, b], people.browse.opens: 0.9}\n"
        "  a: {people.browse: {opens: 0.1, shares: [1, 0]}, record: all}\n"
        "  b: {extends: c, people.browse: {shares: [0, 1]}}\n"
        "  c: {merchants.tea.offers.coupon: false}"
    )
    got = made.strategy("s")
    assert (got.people["browse"].opens, got.people["browse"].shares) == (0.9, (0, 1))  # type: ignore[attr-defined]
    assert got.record == "all"
    assert "coupon" not in got.merchants["tea"].offers


def test_a_common_ancestor_is_applied_once(shop: Made) -> None:
    """c undoes what the ancestor did; taking the ancestor again after c would bring it back."""
    made = shop(
        "  root: {people.browse.opens: 0.1}\n"
        "  c: {extends: root, people.browse.opens: 0.7}\n"
        "  d: {extends: root, record: all}\n"
        "  s: {extends: [c, d]}"
    )
    assert made.strategy("s").people["browse"].opens == 0.7  # type: ignore[attr-defined]


def test_an_unknown_strategy_is_named_with_its_neighbour(shop: Made) -> None:
    with pytest.raises(StudyError, match='did you mean "bold"'):
        shop("  bold: {}").strategy("bolt")


@pytest.mark.parametrize("key", sorted(FIXED))
@pytest.mark.parametrize("patch", ["{KEY: 3}", "{KEY.x: 3}", "{KEY: {x: 3}}"])
def test_what_must_be_common_cannot_be_patched(found: Callable[[str], list[Fault]], key: str, patch: str) -> None:
    (fault,) = found(f"  s: {patch.replace('KEY', key)}")
    assert (fault.line, fault.column) == (11, 7)
    assert fault.wrong == f"a strategy cannot change `{key}`"
    assert fault.instead == FIXED[key]


ONE_FAULT = [
    # patch, column in line 11 (the patch begins in column 6), path in the file, what is wrong, what to write
    ("{merchants.tee.channels.store: {}}", 7, "merchants.tee.channels.store", 'no merchant "tee"', '"tea"'),
    ("{merchants: {tee: {channels: {}}}}", 19, "merchants.tee", 'no merchant "tee"', '"tea"'),
    ("{merchants.tee: }", 7, "merchants.tee", 'no merchant "tee"', "states its products"),
    ("{merchants.tea.products.gren.price: 3}", 7, "merchants.tea.products.gren.price", 'no product "gren"', '"green"'),
    ("{merchants.tea.channels.stoer: {}}", 7, "merchants.tea.channels.stoer", 'mechanism "stoer"', '"store"'),
    ("{merchants.tea.chanels.store: {}}", 7, "merchants.tea.chanels.store", 'parameter "chanels"', '"channels"'),
    ("{people.browse.open: 1}", 7, "people.browse.open", 'unknown parameter "open"', '"opens"'),
    ("{people.browse: {opens: 1, open: 1}}", 33, "people.browse.open", 'unknown parameter "open"', '"opens"'),
    ("{people.browse.opens: 7}", 28, "people.browse.opens", "7 is out of range", "from 0 to 1"),
    ("{people.browse.opens.x: 1}", 7, "people.browse.opens.x", "is a mapping", "a number"),
    ("{peeple.browse: 7}", 7, "peeple.browse", 'unknown key "peeple"', '"people"'),
    ("{people..browse: 7}", 7, "people..browse", 'unknown mechanism ""', "browse"),
    ("{merchants.tea: false}", 22, "merchants.tea", "cannot remove", ""),
    ("{merchants.tea.products.green: false}", 37, "merchants.tea.products.green", "cannot remove", ""),
    ("{merchants: {tea: {products: []}}}", 35, "merchants.tea.products", "cannot remove", ""),
    ("{merchants: 0}", 18, "merchants", "cannot remove", ""),
    ("{extends: t}", 16, "extends", "is not a strategy", ""),
    ("{extends: [s]}", 17, "extends[0]", "circle", "break"),
    ("{extends: 3}", 16, "extends", "must name a strategy", ""),
    ("{extends: {a: b}}", 16, "extends", "must name a strategy", ""),
    ("{merchants.tea.operations.finance: false}", 41, "merchants.tea.operations.finance", "cannot be switched off", ""),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "column", "where", "wrong", "instead"), ONE_FAULT)
def test_faults_point_into_the_patch(
    found: Callable[[str], list[Fault]], patch: str, column: int, where: str, wrong: str, instead: str
) -> None:
    (fault,) = found(f"  s: {patch}")
    assert (fault.line, fault.column, fault.where) == (11, column, f"strategies.s.{where}")
    assert wrong in fault.wrong
    assert instead in fault.instead


def test_a_long_circle_is_refused(found: Callable[[str], list[Fault]]) -> None:
    faults = found("  a: {extends: b}\n  b: {extends: [c]}\n  c: {extends: a}")
    assert faults
    assert {fault.wrong for fault in faults} == {"strategies extend one another in a circle"}


def test_a_fault_of_the_scenario_is_told_once(faults: Callable[..., list[Fault]]) -> None:
    text = SHOP.replace("opens: 0.5", "opens: 5").replace("{white: {}}", "3")
    got = faults(text + "  a: {}\n  b: {record: all}\n  c: {extends: b, merchants.rice.channels.store: {}}\n")
    assert [(fault.line, fault.where) for fault in got] == [(3, "people.browse.opens"), (9, "merchants.rice.products")]


def test_a_fault_of_a_strategy_is_told_once_to_those_who_extend_it(found: Callable[[str], list[Fault]]) -> None:
    faults = found("  a: {people.browse.opens: 7, merchants.tee.x: 1}\n  b: {extends: a}\n  c: {extends: [a, b]}")
    assert [(fault.line, fault.where) for fault in faults] == [
        (11, "strategies.a.people.browse.opens"),
        (11, "strategies.a.merchants.tee.x"),
    ]


def test_a_strategy_may_mend_what_the_scenario_got_wrong_but_the_scenario_is_told(
    faults: Callable[..., list[Fault]],
) -> None:
    (fault,) = faults(SHOP.replace("opens: 0.5", "opens: 5") + "  a: {people.browse.opens: 1}\n")
    assert (fault.line, fault.where) == (3, "people.browse.opens")


def test_a_file_of_very_many_or_interwoven_strategies_is_read_in_time(found: Callable[[str], list[Fault]]) -> None:
    """Each strategy extends the two before it: without memory this would take 2^60 steps."""
    lines = ["  s0: {}", "  s1: {}"] + [f"  s{i}: {{extends: [s{i - 1}, s{i - 2}]}}" for i in range(2, 60)]
    assert found("\n".join(lines)) == []
    (fault,) = found("\n".join(f"  s{i}: {{}}" for i in range(MAX_STRATEGIES + 1)))
    assert (fault.line, fault.where) == (10, "strategies")
    assert "sweep" in fault.instead


def test_what_is_combined_must_be_strategies_beside_the_baseline(found: Callable[[str], list[Fault]]) -> None:
    names = "  a: {}\n  b: {}\n  c: {}\n  both: {}\n"
    asked = names + "compare: {baseline: a, synergy: {both: [b, PART]}}"
    (fault,) = found(asked.replace("PART", "d"))
    assert fault.wrong == '"d" is not a strategy beside the baseline'
    (fault,) = found(asked.replace("PART", "a"))
    assert fault.wrong == '"a" is not a strategy beside the baseline'
    (fault,) = found(asked.replace("both: [b, PART]", "all: [b]"))
    assert fault.wrong == '"all" is not a strategy beside the baseline'
    assert not found(asked.replace("PART", "c"))
