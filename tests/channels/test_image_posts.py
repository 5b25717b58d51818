"""Image posts against their rates; what they cost, whom they prompt, what they show."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.channels.image_posts import ImagePosts
from sim.contract import Effects
from sim.ledger.schema import ACCOUNTS, Records
from sim.units import DAY, HOUR
from tests.views import CHANNELS, make_view, mechanism

POST, OTHER = 71, 72
SIGMAS = 4.0


def stage(users: int = 20_000, likes: Any = 0, first_like: float | None = None, **params: Any) -> Any:
    """Everybody is shown a post of merchant 0 about product 1, and one that is not an image post."""
    view = make_view(users)
    view.contents["image_post"] = Records(1, event=POST, merchant=0, product=1, channel=CHANNELS["image_posts"])
    view.scratch["feed"] = np.tile(np.array([POST, OTHER], np.uint64), (users, 1))
    view.scratch["feed_likes"] = np.broadcast_to(np.reshape(np.array(likes), (-1, 1)), (users, 2))
    if first_like is not None:
        view.scratch["first_like"] = np.full(users, first_like)
    return view, mechanism(ImagePosts, view, **params)


def opened(fx: Effects) -> set[int]:
    return {user for kind, rows in fx.events if kind == "post_opened" for user in rows.user.tolist()}


def near(got: int, rate: float, n: int) -> None:
    assert abs(got - n * rate) <= SIGMAS * np.sqrt(n * rate * (1 - rate))


@pytest.mark.parametrize(("quality", "factor"), [(0.5, 1.0), (1.0, 1.5), (0.0, 0.5)])
def test_quality_decides_the_click(quality: float, factor: float) -> None:
    view, made = stage(click=0.2, quality=quality)
    fx = made.expose(view)
    near(len(opened(fx)), 0.2 * factor, 20_000)
    (shown,) = fx.exposures
    assert set(view.sessions.user[shown["session"]].tolist()) == opened(fx)
    assert set(shown["product"].tolist()) == {1} and set(shown["cause"].tolist()) == {POST}
    assert shown["channel"] == CHANNELS["image_posts"]
    assert (dict(fx.scratch)["read_image_posts"][:, 0] == POST).sum() == len(opened(fx))


@given(st.floats(0.0, 0.9), st.floats(0.0, 0.1), st.floats(0.0, 1.0))
def test_a_better_post_only_gains_readers(quality: float, more: float, click: float) -> None:
    before, after = (opened(made.expose(view)) for view, made in
                     (stage(200, click=click, quality=q) for q in (quality, quality + more)))  # fmt: skip
    assert before <= after


def test_the_first_visible_like_multiplies_the_odds_and_further_ones_do_nothing() -> None:
    n = 20_000
    none, one, many = (opened(made.expose(view)) for view, made in
                       (stage(n, likes, 3.0, click=0.2) for likes in (0, 1, 7)))  # fmt: skip
    near(len(none), 0.2, n)
    near(len(one), 0.25 * 3 / (1 + 0.25 * 3), n)
    assert none < one == many
    view, made = stage(n, 1, None, click=0.2)  # nobody says what a like is worth
    assert opened(made.expose(view)) == none


@pytest.mark.parametrize(("value", "strength"), [(1.0, 2.0), (0.25, 0.5), (0.0, 0.0)])
def test_value_prompts_to_follow(value: float, strength: float) -> None:
    view, made = stage(300, click=0.5, follow=2.0, value=value)
    fx = made.expose(view)
    notes = dict(fx.scratch)
    readers = sorted(opened(fx))
    assert (notes["prompt_merchant.image_posts"] >= 0).nonzero()[0].tolist() == readers
    assert set(notes["prompt_strength.image_posts"][readers].tolist()) == {strength}
    assert set(notes["prompt_cause.image_posts"][readers].tolist()) == {POST}


def test_posts_go_out_as_planned_and_are_paid_for() -> None:
    view = make_view(4)
    made = mechanism(ImagePosts, view, on=[False, True], posts_per_week=9, hour=8, quality=0.7, value=0.4,
                     look_yuan=30.0, substance_yuan=11.0)  # fmt: skip
    rows = made.agenda(view, 21)["image_post"]
    assert rows.n == 3 * 9 == np.unique(rows.event).size
    assert set((rows.time % DAY // HOUR).tolist()) == {8, 9}
    assert set(rows.product.tolist()) == {3, 4, 5}
    fx = made.settle(view, "image_post", rows, np.ones(rows.n, np.bool_))
    ((kind, sent),) = fx.publications
    assert (kind, sent.n, set(sent.detail.tolist())) == ("image_post", 27, {700})
    ((currency, moves),) = fx.posts
    assert (currency, set(moves.amount.tolist()), moves.n) == ("fen", {2_100 + 440}, 27)
    assert set(moves.source.tolist()) == {ACCOUNTS["cash"].code} and set(moves.source_owner.tolist()) == {1}
    assert set(moves.target.tolist()) == {ACCOUNTS["media"].code}


def test_who_is_shown_nothing_opens_nothing() -> None:
    view, made = stage(50, click=1.0, quality=1.0)
    view.scratch["feed"][:] = OTHER
    assert not made.expose(view)
    del view.scratch["feed"]
    assert not made.expose(view)


def test_stacked_readers_open_what_each_world_alone_does() -> None:
    def readers(seeds: tuple[int, ...]) -> list[int]:
        view = make_view(400, seeds=seeds)
        worlds = len(seeds)
        view.contents["image_post"] = Records(
            worlds, event=POST + np.arange(worlds), merchant=2 * np.arange(worlds), product=6 * np.arange(worlds)
        )
        view.scratch["feed"] = (POST + np.arange(400 * worlds) // 400).astype(np.uint64)[:, None]
        view.scratch["feed_likes"] = np.zeros((400 * worlds, 1), np.int64)
        return sorted(opened(mechanism(ImagePosts, view).expose(view)))

    both = readers((3, 4))
    assert [user for user in both if user < 400] == readers((3,))
    assert any(user >= 400 for user in both)
