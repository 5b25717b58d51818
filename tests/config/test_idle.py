"""What a scenario states that does nothing there is told, and nothing else is."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import catalog
from sim.config import shipped
from sim.config.idle import idle
from sim.config.load import load
from sim.config.model import Scenario
from sim.config.sections import PER_MERCHANT, PER_WORLD
from sim.errors import Fault
from sim.params import Setting
from sim.world.windows import Dated

HEAD = """\
title: t
horizon: {start: 2025-01-06, days: 10}
people: {browse: {}, buy: {}, %s}
platform: {%s}
merchants: {tea: {products: {green: {}}, channels: {store: {}, %s}, offers: {%s}, operations: {%s}}}
"""
SECTIONS = ("people", "platform", "channels", "offers", "operations")
Told = Callable[..., list[Fault]]


@pytest.fixture
def told(write: Callable[..., Path]) -> Told:
    """The warnings of a market of one tea shop with a store, and what is stated besides by section."""

    def _told(more: str = "", **stated: str) -> list[Fault]:
        found: list[Fault] = []
        load(write(HEAD % tuple(stated.get(section, "") for section in SECTIONS) + more), warn=found.append)
        return found

    return _told


def said(found: list[Fault]) -> list[tuple[str, str]]:
    return [(fault.where.removeprefix("merchants.tea."), f"{fault.wrong}; {fault.instead}") for fault in found]


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped.names())
def test_shipped_scenarios_state_nothing_in_vain(name: str) -> None:
    found: list[Fault] = []
    load(name, warn=found.append)
    assert list(map(str, found)) == []


CASES = [
    ({}, "", ""),
    ({"channels": "image_posts: {}"}, "channels.image_posts", "platform: {recommender: {}}"),
    ({"channels": "cart: {}"}, "channels.cart", "channels: {mini_program: {}}"),
    ({"channels": "template_messages: {}"}, "channels.template_messages", "channels: {mini_program: {}}"),
    ({"channels": "home_page: {}"}, "channels.home_page", "channels: {service_account: {}}"),
    ({"channels": "mini_program: {menu_entry: 0.2}"}, "channels.mini_program.menu_entry", "service_account: {}"),
    ({"channels": "articles: {}"}, "channels.articles", "channels: {service_account: {}}"),
    ({"channels": "live: {first_day: 9}"}, "", ""),
    ({"channels": "live: {first_day: 10}"}, "channels.live.first_day", "write a day from 0 to 9"),
    ({"channels": "live: {first_day: 3, code_days: 5, code_discount: 0}"}, "channels.live.code_days", "code_discount"),
    ({"channels": "promoters: {}", "offers": "membership: {}"}, "offers.membership", "channels: {mini_program: {}}"),
    ({"offers": "limited_time_sale: {when: campaign}"}, "offers.limited_time_sale.when", "joint_campaign"),
    ({"offers": "limited_time_sale: {when: campaign}, joint_campaign: {day: 2}"}, "", ""),
    ({"offers": "limited_time_sale: {}"}, "offers.limited_time_sale", "2025-01-06 to 2025-01-15"),
    ({"offers": "full_reduction: {start: 2025-01-09}"}, "offers.full_reduction.start", "when: dates"),
    ({"offers": "full_reduction: {when: dates, start: 2025-01-16}"}, "offers.full_reduction.start", "these"),
    ({"offers": "joint_campaign: {day: 10}"}, "offers.joint_campaign.day", "these"),
    ({"offers": "points: {spent_in: mini_program}"}, "offers.points.spent_in", "channels: {mini_program: {}}"),
    ({"offers": "limited_time_sale: {day: 3, products: [gren]}"}, "offers.limited_time_sale.products", "here: green"),
    ({"operations": "assortment: {changes: [{day: 9}]}"}, "", ""),
    ({"operations": "assortment: {changes: [{day: 10}]}"}, "operations.assortment.changes", "from 0 to 9"),
    ({"operations": "stock_sync: {}"}, "operations.stock_sync", "channels: {mini_program: {}}"),
    ({"operations": "listing: {}"}, "operations.listing", "platform: {search_engine: {}}"),
    (
        {"operations": "listing: {renown: 0.1}", "people": "search_intent: {}", "platform": "search_engine: {}"},
        "operations.listing.renown",
        "by_name",
    ),
    ({"platform": "recommender: {}"}, "platform.recommender", "for the merchant `channels: {image_posts: {}}`"),
]


@pytest.mark.parametrize(("stated", "where", "instead"), CASES)
def test_what_does_nothing_is_told_with_what_to_write(
    told: Told, stated: dict[str, str], where: str, instead: str
) -> None:
    found = said(told(**stated))
    assert [place for place, _ in found] == ([where] if where else [])
    assert instead in "".join(text for _, text in found)


def test_a_lottery_after_the_last_day_without_an_account_is_told_both(told: Told) -> None:
    found = said(told(offers="lottery: {first_day: 12}"))
    assert [where for where, _ in found] == ["offers.lottery", "offers.lottery.first_day"]


def test_gifts_before_they_are_rolled_out(write: Callable[..., Path]) -> None:
    found: list[Fault] = []
    text = HEAD.replace("2025-01-06", "2024-12-01") % ("gift: {}", "", "", "gift_packet: {}", "")
    load(write(text), warn=found.append)
    assert [fault.wrong for fault in found] == ["gifts are not rolled out yet"]


# ------------------------------------------------------------------------------------------------ strategies

PATH = "merchants.tea.channels.image_posts"
ON = "platform.recommender"


def test_what_a_strategy_states_must_act_in_it(told: Told) -> None:
    own = f"strategies: {{posts: {{{PATH}: {{}}}}, more: {{extends: posts, {ON}: {{}}}}}}\n"
    account = "service_account: {}"
    (fault,) = told(own, people="follow: {}", channels=account)
    assert fault.where == f"strategies.posts.{PATH}"
    ready = f"strategies: {{posts: {{{PATH}: {{}}, {ON}: {{}}}}, more: {{extends: posts, {ON}: false}}}}\n"
    assert told(ready, people="follow: {}", channels=account) == []


def test_what_all_strategies_share_must_act_in_one(told: Told) -> None:
    shared = {"people": "follow: {}", "platform": "recommender: {}", "channels": "service_account: {}"}
    (fault,) = told("strategies: {a: {}, b: {}}\n", **shared)
    assert fault.where == "platform.recommender"
    assert told(f"strategies: {{a: {{}}, b: {{{PATH}: {{}}}}}}\n", **shared) == []
    assert told("strategies: {a: {platform.recommender: false}, b: {platform.recommender: false}}\n", **shared) == []


# ---------------------------------------------------------------------------------- what mechanisms say of themselves


@pytest.mark.parametrize("key", catalog.mechanisms())
def test_a_mechanism_without_what_it_needs_is_told_of_and_with_it_is_not(key: str) -> None:
    needs = (*catalog.mechanisms()[key].Params.needs, *catalog.mechanisms()[key].Params.wants)
    everything = set(catalog.mechanisms())
    assert not any(" without " in text for text in whole(key, everything))
    for need in needs:
        either = set(need.split(" | "))
        assert lacking(need, whole(key, everything - either)) == 1, need
        assert all(lacking(need, whole(key, everything - either | {enough})) == 0 for enough in either), need


def lacking(need: str, told: list[str]) -> int:
    return sum(f"without {need.replace(' | ', ' or ')};" in text for text in told)


def whole(key: str, on: set[str]) -> list[str]:
    """What is said of a mechanism as a whole where these are on."""
    stated = {folder: {name.split(".")[1]: {} for name in on if name.startswith(folder)} for folder in SECTIONS}
    shop = {folder: stated[folder] for folder in PER_MERCHANT}
    document = {
        "title": "t",
        "horizon": {"start": "2025-01-06", "days": 60},
        **{folder: stated[folder] for folder in PER_WORLD},
        "merchants": {"tea": {"products": {"green": {}}, **shop}},
    }
    found = idle(Scenario.model_validate_json(json.dumps(document)))
    return [text for path, text in found if path[-2:] == tuple(key.split("."))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 60), st.integers(0, 70), st.integers(0, 23), st.integers(1, 72), st.integers(1, 3), st.integers(1, 9)
)
def test_a_window_is_outside_if_none_of_its_hours_is_within(
    days: int, day: int, hour: int, hours: int, times: int, every: int
) -> None:
    start = date(2025, 3, 3)
    around = Setting({}, start, days)
    shift = day - 5  # a window may lie before the scenario, by its date
    within = any(
        0 <= 24 * (shift + turn * every) + hour + part < 24 * days for turn in range(times) for part in range(hours)
    )
    stated = Dated(start=start + timedelta(shift), hour=hour, hours=hours, times=times, every_days=every)
    assert bool(list(stated.idle(around))) is not within
