"""The home page: who comes, and what it does to following and to the mini-program."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.channels.home_page import HomePage
from sim.channels.mini_program import MiniProgram
from sim.contract import View
from sim.people.follow import Follow
from sim.world.state import MINI
from tests.views import CHANNELS, apply, make_view, mechanism, show


def visitors(users: int, channel: str = "store", home: dict[str, Any] | None = None, **overrides: Any) -> View:
    """Everybody sees a page of the first merchant, and may go on to its home page."""
    view = make_view(users, **overrides)
    everyone = np.arange(len(view.sessions))
    show(view, everyone, view.world.world_of(everyone) * view.world.products, CHANNELS[channel])
    apply(view, mechanism(HomePage, view, **(home or {})).checkout(view))
    return view


def test_visitors_go_on_at_the_rate_stated() -> None:
    users, p = 20_000, 0.15
    home = visitors(users, home={"visit": p}).scratch["home_merchant"]
    assert abs(int((home == 0).sum()) - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert set(home.tolist()) == {-1, 0}


@pytest.mark.parametrize(
    ("channel", "flags", "comes"),
    [("store", 0, True), ("store", MINI, True), ("share_chat", 0, True), ("share_chat", MINI, False),
     ("mini_program", 0, False), ("cart", 0, False)],
)  # fmt: skip
def test_from_pages_in_the_store_alone(channel: str, flags: int, comes: bool) -> None:
    assert ("home_merchant" in visitors(4, channel, {"visit": 1.0}, flags=flags).scratch) == comes


def test_of_several_merchants_to_one_and_never_from_what_was_not_seen() -> None:
    users = 4_000
    view = make_view(users)
    show(view, np.arange(users).repeat(3), np.tile([0, 1, 3], users))
    view.viewed[-3:] = False
    fx = mechanism(HomePage, view, visit=1.0).checkout(view)
    apply(view, fx)
    home = view.scratch["home_merchant"]
    assert home[-1] == -1 and (home[:-1] >= 0).all()
    assert abs(int((home == 1).sum()) - users / 2) < 4 * np.sqrt(users / 4)  # however many pages she saw of each
    ((_, rows),) = fx.events
    assert np.unique(rows.user).size == rows.n == users - 1


def prompted(view: View, strength: float) -> set[int]:
    view.scratch |= {
        "prompt_merchant": np.zeros(view.world.n, np.int64),
        "prompt_strength": np.full(view.world.n, strength),
    }
    return set(dict(mechanism(Follow, view).respond(view).events)["follow"].user.tolist())


def test_who_comes_there_follows_with_propensity_times_the_sum_of_both_prompts() -> None:
    users = 40_000
    there = prompted(visitors(users, home={"visit": 1.0, "follow": 1.5}), 0.5)
    p = 0.12 * 2.0
    assert abs(len(there) - users * p) < 4 * np.sqrt(users * p * (1 - p))


@given(follow=st.floats(0, 5), visit=st.floats(0, 1))
@settings(max_examples=10)
def test_the_page_never_loses_a_fan(follow: float, visit: float) -> None:
    view = visitors(300, home={"visit": 0.0})
    assert prompted(view, 0.5) <= prompted(visitors(300, home={"visit": visit, "follow": follow}), 0.5)


def test_who_goes_on_has_the_mini_program_in_her_list() -> None:
    users, p = 20_000, 0.2
    view = visitors(users, home={"visit": 1.0, "mini_link": p})
    rows = dict(mechanism(MiniProgram, view, adoption=0.0, card_entry=0.0).respond(view).events)["mini_program_added"]
    assert abs(rows.n - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert rows.user.tolist() == np.flatnonzero(view.scratch["home_mini"] >= 0).tolist()
    without = mechanism(MiniProgram, view, on=[False, True])
    assert not without.respond(view).events


def test_stacked_worlds_do_what_they_do_alone() -> None:
    both, one, other = (visitors(300, seeds=seeds).scratch["home_mini"] for seeds in ((3, 8), (3,), (8,)))
    assert both.tolist() == one.tolist() + np.where(other < 0, -1, other + 2).tolist()


def test_viewers_of_the_live_show_come_by_the_profile_and_follow_by_its_prompt_alone() -> None:
    users, p = 40_000, 0.3
    view = make_view(users)
    show(view, np.zeros(0, int), np.zeros(0, int))
    view.scratch["live_seen"] = np.where(np.arange(users) % 2 == 0, 1, -1)
    apply(view, mechanism(HomePage, view, visit=1.0, profile=p, follow=2.0).checkout(view))
    home = view.scratch["home_merchant"]
    assert (home[1::2] == -1).all() and set(home[::2].tolist()) == {-1, 1}
    assert abs(int((home == 1).sum()) - users / 2 * p) < 4 * np.sqrt(users / 2 * p * (1 - p))
    fans = dict(mechanism(Follow, view).respond(view).events)["follow"]
    assert set(fans.merchant.tolist()) == {1}
    there = int((home == 1).sum())
    assert abs(fans.n - there * 0.24) < 4 * np.sqrt(there * 0.24 * 0.76)


def test_whoever_saw_a_page_and_the_show_comes_by_the_likelier_way() -> None:
    users = 20_000
    came = {}
    for visit, profile in ((0.1, 0.3), (0.3, 0.1), (0.3, 0.0)):
        view = make_view(users)
        show(view, np.arange(users), np.zeros(users, int))
        view.scratch["live_seen"] = np.zeros(users, np.int64)
        apply(view, mechanism(HomePage, view, visit=visit, profile=profile).checkout(view))
        came[visit, profile] = (view.scratch["home_merchant"] == 0).sum()
        assert (view.scratch["prompt_merchant.home_page"] == -1).all()  # the account asks whoever saw its goods
    assert len(set(came.values())) == 1
