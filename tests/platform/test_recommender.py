"""The feed against its exponential race, its laws, and what bounds it."""

from math import exp
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import Effects, View
from sim.ledger.schema import Records
from sim.platform.recommender import Recommender
from sim.units import DAY, HOUR
from sim.world.state import FOLLOWS, MUTED
from tests.views import make_view, mechanism, post_inbox, seat

SIGMAS = 4.0
TODAY = 10
BEST = 1_000


def stage(users: int = 20_000, content: Records | None = None, recommender: Any = None, **view: Any) -> Any:
    """Everybody looks at articles at noon; one perfect post of merchant 0 went out at nine."""
    made = make_view(users, **{"day": TODAY, **view})
    made.feeds = ("image_post",)
    made.contents["image_post"] = content if content is not None else post()
    made.scratch["surface_articles"] = np.ones(len(made.sessions), np.bool_)
    return made, mechanism(Recommender, made, **{"rest": 5.0, "half_life_hours": 1e3, **(recommender or {})})


def post(n: int = 1, hours: float = 3.0, quality: int = BEST, merchant: int = 0, **columns: Any) -> Records:
    """Perfect posts that went out so many hours before noon."""
    time = TODAY * DAY + 12 * HOUR - int(hours * HOUR)
    event = np.arange(n) + 101 + merchant
    return Records(n, time=time, event=event, merchant=merchant, product=3 * merchant, detail=quality, **columns)


def shown(fx: Effects) -> Records:
    return Records.concat([rows for kind, rows in fx.events if kind == "recommended"])


def near(got: int, rate: float, n: int) -> None:
    assert abs(got - n * rate) <= SIGMAS * np.sqrt(n * rate * (1 - rate))


# ----------------------------------------------------------------------------------------------- the race


@pytest.mark.parametrize(("quality", "places", "rest"), [(1_000, 5, 5.0), (500, 5, 5.0), (300, 2, 8.0), (0, 5, 5.0)])
def test_a_piece_comes_along_while_so_many_of_the_rest_pass_by(quality: int, places: int, rest: float) -> None:
    n = 20_000
    view, feed = stage(n, post(quality=quality), {"places": places, "rest": rest, "half_life_hours": 8_760})
    near(shown(feed.deliver(view)).n, 1 - exp(-places * quality / 1_000 / rest * 0.5 ** (3 / 8_760)), n)


def test_content_ages_by_half_and_hot_topics_cool_by_their_own() -> None:
    n = 20_000
    params = {"half_life_hours": 6, "heat_half_life_hours": 3}
    for heat, weight in ((0, 0.5 ** (12 / 6)), (4_000, 0.5 ** (12 / 6) + 4 * 0.5 ** (12 / 3))):
        view, feed = stage(n, post(hours=12, quantity=heat), params)
        near(shown(feed.deliver(view)).n, 1 - exp(-weight), n)


def test_ordinary_content_goes_by_taste_and_hot_topics_by_none() -> None:
    n = 20_000
    taste = np.tile([0.5, 0.3, 0.2], (n, 1))
    for heat, weight in ((0, 1.5), (2_000, 3.5)):
        view, feed = stage(
            n, post(quantity=heat), {"half_life_hours": 8_760, "heat_half_life_hours": 8_760}, taste=taste
        )
        near(shown(feed.deliver(view)).n, 1 - exp(-weight), n)


def test_shares_are_in_proportion_to_weights_while_places_are_scarce() -> None:
    """With one place, and so many pieces that one nearly always comes: 0.2, 0.3 and 0.5 by the race's closed form."""
    n = 20_000
    content = Records.concat([post(quality=quality).with_(event=quality) for quality in (200, 300, 500)])
    view, feed = stage(n, content, {"places": 1, "rest": 0.01})
    rows = shown(feed.deliver(view))
    assert rows.n == n
    for quality in (200, 300, 500):
        near(int((rows.cause == quality).sum()), quality / 1_000, n)


def test_no_more_than_the_places_are_shown_and_the_first_to_come_are() -> None:
    view, feed = stage(500, post(9), {"places": 3, "rest": 0.001})
    rows = shown(feed.deliver(view))
    assert np.bincount(rows.user).tolist() == [3] * 500
    few = {(u, c) for u, c in zip(rows.user.tolist(), rows.cause.tolist(), strict=True)}
    view, feed = stage(500, post(9), {"places": 4, "rest": 0.001})
    rows = shown(feed.deliver(view))
    assert few < {(u, c) for u, c in zip(rows.user.tolist(), rows.cause.tolist(), strict=True)}


@given(st.integers(0, 900), st.integers(1, 100), st.floats(0.1, 50.0))
def test_a_piece_that_gains_weight_only_gains_readers(quality: int, more: int, rest: float) -> None:
    def readers(what: int) -> dict[int, set[int]]:
        content = Records.concat([post(4), post(quality=what).with_(event=1)])
        view, feed = stage(200, content, {"places": 2, "rest": rest})
        rows = shown(feed.deliver(view))
        return {event: set(rows.user[rows.cause == event].tolist()) for event in (1, 101, 102, 103, 104)}

    before, after = readers(quality), readers(quality + more)
    assert before[1] <= after[1]
    assert all(after[other] <= before[other] for other in (101, 102, 103, 104))


# ----------------------------------------------------------------------------------------------- likes of friends


def like(view: View, user: Any, event: int = 101, times: int = 1) -> None:
    who = np.repeat(np.asarray(user), times)
    post_inbox(view, "liked", Records(who.size, user=who, peer=(who + 1) % view.world.n, cause=event))


@pytest.mark.parametrize("friends", [1, 3])
def test_each_friend_who_likes_it_adds_weight(friends: int) -> None:
    n = 20_000
    view, feed = stage(n, post(quality=200), {"engagement": 0.5, "half_life_hours": 8_760})
    like(view, np.arange(n), times=friends)
    fx = feed.deliver(view)
    near(shown(fx).n, 1 - exp(-0.2 * (1 + 0.5 * friends)), n)
    assert set(shown(fx).quantity.tolist()) == {friends}
    notes = dict(fx.scratch)
    assert (notes["feed_likes"][notes["feed"] > 0] == friends).all()


def test_what_friends_like_comes_again_for_their_sake_alone() -> None:
    view, feed = stage(100, recommender={"rest": 1e-6})
    view.state["user"]["last_seen"][:] = TODAY * DAY + 11 * HOUR
    assert feed.deliver(view).events == ()
    like(view, [5, 17])
    assert shown(feed.deliver(view)).user.tolist() == [5, 17]
    assert mechanism(Recommender, view, rest=1e-6, engagement=0.0).deliver(view).events == ()
    like(view, [5, 17], event=999)  # of what is long forgotten
    assert feed.deliver(view).events == ()


# ----------------------------------------------------------------------------------------------- to whom, and what


def test_a_piece_is_new_once() -> None:
    view, feed = stage(3, recommender={"rest": 1e-6})
    view.state["user"]["last_seen"][:] = np.array([-1, 9, 10]) * HOUR + TODAY * DAY  # public from 10 h
    assert shown(feed.deliver(view)).user.tolist() == [0, 1]


@pytest.mark.parametrize("flags", [FOLLOWS, MUTED, FOLLOWS | MUTED])
def test_whoever_follows_or_mutes_is_no_stranger(flags: int) -> None:
    view, feed = stage(50, recommender={"rest": 1e-6}, flags=flags, known=1)
    assert feed.deliver(view).events == ()
    view.contents["image_post"] = post(merchant=1)
    assert shown(feed.deliver(view)).n == 50


def test_only_planned_sessions_that_look_at_articles_are_shown_anything() -> None:
    view, feed = stage(60, recommender={"rest": 1e-6})
    view.sessions.planned[:20] = False
    view.scratch["surface_articles"][40:] = False
    fx = feed.deliver(view)
    assert shown(fx).user.tolist() == list(range(20, 40))
    assert (dict(fx.scratch)["feed"][:, 0] > 0).nonzero()[0].tolist() == list(range(20, 40))
    del view.scratch["surface_articles"]
    assert not feed.deliver(view)


def test_old_content_and_more_than_the_newest_are_left_out() -> None:
    rows = Records(6, time=TODAY * DAY - np.arange(6)[::-1] * DAY, event=np.arange(6) + 1, merchant=0, detail=BEST)
    rows = rows.with_(product=0)
    view, feed = stage(40, rows, {"rest": 1e-6, "places": 100, "window_days": 4})
    assert set(shown(feed.deliver(view)).cause.tolist()) == {3, 4, 5, 6}
    view, feed = stage(40, rows, {"rest": 1e-6, "places": 100, "candidates": 2})
    assert set(shown(feed.deliver(view)).cause.tolist()) == {5, 6}


def test_stacked_worlds_are_shown_what_each_is_alone() -> None:
    def rows(view: View) -> list[tuple[Any, ...]]:
        found = shown(mechanism(Recommender, view, rest=3.0, candidates=2).deliver(view))
        return list(zip(found.event.tolist(), found.cause.tolist(), found.user.tolist(), strict=True))

    def own(worlds: list[int], seeds: tuple[int, ...]) -> View:
        parts = [post(3, hours=w + 2).with_(merchant=2 * i, product=6 * i, event=np.arange(3) + 10 * w + 1)
                 for i, w in enumerate(worlds)]  # fmt: skip
        content = Records.concat(parts)
        view, _ = stage(300, content.take(content.order()), seeds=seeds)
        return view

    alone = [rows(own([w], (seed,))) for w, seed in enumerate((3, 4))]
    both = rows(own([0, 1], (3, 4)))
    assert len(alone[0]) > 50 < len(alone[1])
    assert both == alone[0] + [(event, cause, user + 300) for event, cause, user in alone[1]]


def test_a_block_of_sessions_is_shown_the_same_as_all_together() -> None:
    view, feed = stage(200, post(5))
    whole = shown(feed.deliver(view))
    seat(view, user=np.arange(50, 90), day=TODAY)
    view.scratch["surface_articles"] = np.ones(40, np.bool_)
    part = shown(feed.deliver(view))
    inside = (whole.user >= 50) & (whole.user < 90)
    assert part.event.tolist() == whole.event[inside].tolist()
