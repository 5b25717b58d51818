"""Following against its propensity, and what stops it."""

import numpy as np
import pytest

from sim.people.follow import Follow
from sim.world.state import FOLLOWS, MUTED, SLOTS
from tests.views import apply, make_view, mechanism, slots_of

N = 20_000
SIGMAS = 4.0


def prompt(view, strength=1.0, merchant=1, **params):
    n = view.world.n
    view.scratch["prompt_merchant"] = np.full(n, merchant)
    view.scratch["prompt_strength"] = np.full(n, strength)
    fx = mechanism(Follow, view, **params).respond(view)
    apply(view, fx)
    return dict(fx.events)


@pytest.mark.parametrize(("strength", "share"), [(1.0, 0.12), (2.5, 0.3), (0.5, 0.06), (100.0, 1.0)])
def test_people_follow_with_propensity_times_strength(strength, share):
    view = make_view(N)
    follows = prompt(view, strength)["follow"]
    assert abs(follows.n / N - share) <= SIGMAS * np.sqrt(share * (1 - share) / N)
    assert view.state["merchant"]["fans"].tolist() == [0, follows.n]
    fans = np.flatnonzero((slots_of(view)["flags"][:, 0] & FOLLOWS) != 0)
    assert fans.tolist() == follows.user.tolist()
    assert (slots_of(view)["merchant"][fans, 0] == 1).all()
    assert (follows.cause == view.sessions.event[follows.user]).all()


@pytest.mark.parametrize("flags", [FOLLOWS, MUTED, FOLLOWS | MUTED])
def test_nobody_follows_twice_or_what_she_muted(flags):
    assert prompt(make_view(500, flags=flags), 100.0) == {}


def test_whoever_can_remember_no_further_merchant_does_not_follow():
    view = make_view(50, merchants=SLOTS + 1, known=SLOTS)
    assert prompt(view, 100.0, merchant=SLOTS) == {}
    assert prompt(view, 100.0, merchant=SLOTS - 1)["follow"].n == 50


def test_woken_sessions_and_those_not_asked_do_not_follow():
    assert prompt(make_view(50, planned=False), 100.0) == {}
    assert prompt(make_view(50), 100.0, merchant=-1) == {}
    view = make_view(5)
    assert not mechanism(Follow, view).respond(view).events


def test_a_stronger_prompt_never_loses_a_fan():
    weak = set(prompt(make_view(3_000), 1.0)["follow"].user.tolist())
    strong = set(prompt(make_view(3_000), 1.5)["follow"].user.tolist())
    assert weak < strong


def test_the_strongest_prompt_counts_and_content_is_named_as_the_cause():
    view = make_view(4, merchants=3)
    view.scratch |= {
        "prompt_merchant": np.array([0, 0, 0, -1]),
        "prompt_strength": np.array([9.0, 9.0, 9.0, 0.0]),
        "prompt_merchant.articles": np.array([1, 1, 1, -1]),
        "prompt_strength.articles": np.array([10.0, 8.5, 9.0, 0.0]),
        "prompt_cause.articles": np.full(4, 77, np.uint64),
        "prompt_merchant.image_posts": np.array([2, -1, 2, 2]),
        "prompt_strength.image_posts": np.array([9.5, 0.0, 9.0, 9.0]),
        "prompt_cause.image_posts": np.full(4, 88, np.uint64),
    }
    rows = dict(mechanism(Follow, view).respond(view).events)["follow"]
    assert rows.merchant.tolist() == [1, 0, 0, 2]  # of equals the account's own prompt
    assert rows.cause.tolist() == [77, *view.sessions.event[1:3].tolist(), 88]


def test_another_prompt_for_the_same_merchant_is_the_same_luck():
    """Who would follow for the weaker of two prompts follows for the stronger."""
    weak = set(prompt(make_view(3_000), 1.0)["follow"].user.tolist())
    view = make_view(3_000)
    view.scratch |= {
        "prompt_merchant.articles": np.full(3_000, 1),
        "prompt_strength.articles": np.full(3_000, 3.0),
        "prompt_cause.articles": np.full(3_000, 5, np.uint64),
    }
    assert weak < set(prompt(view, 1.0)["follow"].user.tolist())
