"""Likes against their probabilities; pressure adds likes, and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.load import load
from sim.contract import Effects, View
from sim.ledger.reader import Ledger
from sim.ledger.schema import Records
from sim.people.like import Like
from sim.run import run
from tests.views import apply, csr, make_view, mechanism, post_inbox, seat

POST = 71
SIGMAS = 4.0


def stage(
    users: int = 20_000, friends: int = 0, quality: int = 500, like: Any = None, **view: Any
) -> tuple[View, Like]:
    """Everybody has read a middling post, and sees so many friends like it."""
    made = make_view(users, columns=Like.columns, **view)
    made.feeds = ("image_post",)
    made.contents["image_post"] = Records(1, event=POST, merchant=0, product=1, detail=quality)
    read(made)
    see(made, friends)
    return made, mechanism(Like, made, **(like or {}))


def read(view: View, event: int = POST) -> None:
    view.scratch["read_image_posts"] = np.full((len(view.sessions), 1), event, np.uint64)


def see(view: View, friends: int, event: int = POST) -> None:
    who = np.repeat(view.sessions.user, friends)
    if friends:
        post_inbox(view, "liked", Records(who.size, user=who, peer=who, cause=event))


def likes(fx: Effects) -> Records:
    return dict(fx.events).get("like", Records(0))


def near(got: int, rate: float, n: int) -> None:
    assert abs(got - n * rate) <= SIGMAS * np.sqrt(n * rate * (1 - rate))


# ------------------------------------------------------------------------------------------- interest and pressure


@pytest.mark.parametrize(("quality", "taste", "rate"), [(500, 1 / 3, 0.1), (1_000, 1 / 3, 0.15), (500, 2 / 3, 0.2)])
def test_interest_goes_by_quality_and_taste(quality: int, taste: float, rate: float) -> None:
    view, like = stage(quality=quality, like={"interest": 0.1}, taste=[taste, 1 - taste, 0.0])
    near(likes(like.respond(view)).n, rate, 20_000)


@pytest.mark.parametrize("friends", [1, 2, 5])
def test_pressure_comes_from_each_friend(friends: int) -> None:
    n = 20_000
    view, like = stage(n, friends, like={"interest": 0.1, "pressure": 0.2})
    rows, pressed = likes(like.respond(view)), 1 - 0.8**friends
    near(rows.n, 1 - 0.9 * (1 - pressed), n)
    near(int(rows.detail.sum()), 0.9 * pressed, n)
    assert set(rows.quantity.tolist()) == {friends}


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 4))
def test_pressure_adds_likes_and_moves_none_by_interest(low: float, high: float, friends: int) -> None:
    by = []
    for pressure in sorted((low, high)):
        view, like = stage(150, friends, like={"interest": 0.3, "pressure": pressure})
        rows = likes(like.respond(view))
        by.append((set(rows.user.tolist()), set(rows.user[rows.detail == 0].tolist())))
    (fewer, genuine), (more, still) = by
    assert genuine == still
    assert fewer <= more
    assert friends > 0 or more == genuine


def test_only_what_is_seen_to_be_liked_presses() -> None:
    view, like = stage(500, 3, like={"interest": 0.0, "pressure": 1.0})
    see(view, 3, event=999)
    assert likes(like.respond(view)).n == 0
    assert not stage(500, 0, like={"interest": 0.0, "pressure": 1.0})[1].respond(view)


def test_the_first_like_is_worth_what_it_is_worth_and_only_if_there_is_one() -> None:
    view, like = stage(5, 1, like={"first_like": 1.7})
    assert dict(like.arrive(view).scratch)["first_like"].tolist() == [1.7] * 5
    assert not like.arrive(stage(5, 0)[0])


def test_nobody_likes_what_she_liked_last_or_in_a_woken_session() -> None:
    view, like = stage(50, like={"interest": 1.0, "circle": 0})
    apply(view, like.respond(view))
    assert (view.state["user"]["liked"] == POST).all()
    seat(view, day=1)
    read(view)
    assert not like.respond(view)
    seat(view, day=1, planned=False)
    read(view)
    view.state["user"]["liked"][:] = 0
    assert not like.respond(view)


# ------------------------------------------------------------------------------------------- who sees a like


def test_likes_are_told_to_some_of_the_closest() -> None:
    n, circle = 5_000, 5
    view, like = stage(n, like={"interest": 1.0, "circle": circle, "visible": 0.3}, taste=1.0)  # eight friends each
    told = dict(like.respond(view).messages)["liked"]
    near(told.n, 0.3, n * circle)
    graph = view.world.graph
    closest = {(u, int(f)) for u in range(n) for f in graph.indices[graph.indptr[u] : graph.indptr[u] + circle]}
    assert set(zip(told.peer.tolist(), told.user.tolist(), strict=True)) <= closest
    assert set(told.cause.tolist()) == {POST}


def test_who_has_no_friends_tells_nobody() -> None:
    view, like = stage(3, like={"interest": 1.0}, taste=1.0, graph=csr(np.zeros(3, np.int64), np.zeros(0, np.int64)))
    fx = like.respond(view)
    assert likes(fx).n == 3 and not fx.messages


def test_stacked_people_like_what_they_do_alone() -> None:
    def rows(seeds: tuple[int, ...]) -> list[tuple[int, int]]:
        found = likes(stage(300, 1, seeds=seeds)[1].respond(stage(300, 1, seeds=seeds)[0]))
        return list(zip(found.user.tolist(), found.event.tolist(), strict=True))

    assert [row for row in rows((3, 4)) if row[0] < 300] == rows((3,))


# ------------------------------------------------------------------------------------------- likes are not purchases

TOWN = """
title: Likes under pressure
horizon: {start: 2025-03-03, days: 8, tick: 6h}
world: {people: {count: 300}}
platform: {rules: {}, recommender: {rest: 1.0, engagement: ENGAGEMENT}}
people:
  browse: {opens: 0.5, articles: 1.0}
  buy: {nothing: 1.0}
  share: {}
  like: {interest: 0.2, pressure: PRESSURE, first_like: FIRST, circle: 12, visible: 1.0}
merchants:
  tea:
    products: {cake: {category: tea, price: 90}, tin: {category: tea, price: 40}}
    channels: {store: {}, image_posts: {posts_per_week: 7, click: 0.6, appeal: 1.0}}
"""


def town(folder: Path, pressure: float, first: float, engagement: float) -> Ledger:
    words = {"PRESSURE": pressure, "FIRST": first, "ENGAGEMENT": engagement}
    text = TOWN
    for word, number in words.items():
        text = text.replace(word, str(number))
    folder.mkdir()
    (folder / "town.yaml").write_text(text, "utf-8")
    return run(load(folder / "town.yaml"), (5,))[0]


def events(ledger: Ledger, kind: str) -> list[Any]:
    return ledger.rows(
        f"SELECT event, cause, time, \"user\", product, amount FROM events WHERE kind = '{kind}' ORDER BY 1"
    )


@pytest.mark.slow
def test_pressure_raises_likes_and_leaves_every_order_as_it_was(tmp_path: Path) -> None:
    calm = town(tmp_path / "calm", 0.0, 1.0, 0.0)
    pressed = town(tmp_path / "pressed", 0.9, 1.0, 0.0)
    assert len(events(pressed, "like")) > 1.2 * len(events(calm, "like"))
    assert events(pressed, "order") == events(calm, "order")
    in_posts = "SELECT count(*) FROM events WHERE kind = 'order' AND channel = 'image_posts'"
    assert calm.rows(in_posts)[0][0] > 10
    moved = town(tmp_path / "moved", 0.9, 20.0, 0.0)  # the way that is left: the first like that she sees
    assert events(moved, "order") != events(pressed, "order")
