"""Searching against its share and the shares of taste."""

import numpy as np
import pytest

from sim.operations.listing import Listing
from sim.people.search_intent import SearchIntent
from sim.world.state import DROPPED
from tests.views import CATEGORIES, apply, make_view, mechanism, seat, slots_of

N = 20_000
SIGMAS = 4.0


def searched(view, **params):
    return dict(mechanism(SearchIntent, view, **params).arrive(view).scratch)["search"]


def test_one_session_in_twenty_searches():
    view = make_view(N)
    share = (searched(view) >= 0).mean()
    assert abs(share - 0.054) < SIGMAS * np.sqrt(0.054 * 0.946 / N)


def test_what_people_search_for_follows_their_taste():
    taste = np.array([0.6, 0.3, 0.1])
    view = make_view(N, taste=taste)
    category = searched(view, share=1.0)
    for code, wanted in enumerate(taste):
        assert abs((category == code).mean() - wanted) < SIGMAS * np.sqrt(wanted * (1 - wanted) / N)


def test_nobody_searches_for_what_she_has_no_taste_for():
    only = np.eye(len(CATEGORIES))[np.arange(300) % 3]
    view = make_view(300, taste=only)
    assert searched(view, share=1.0).tolist() == (np.arange(300) % 3).tolist()


def test_woken_sessions_do_not_search():
    planned = np.arange(400) % 2 == 0
    view = make_view(400, planned=planned)
    category = searched(view, share=1.0)
    assert (category[planned] >= 0).all()
    assert (category[~planned] == -1).all()


def test_another_session_is_another_draw():
    view = make_view(1_000)
    first = searched(view, share=0.5)
    assert (searched(seat(view, hour=13), share=0.5) != first).any()


# ------------------------------------------------------------------------------------------- shops and gifts


def notes(view, **params):
    return dict(mechanism(SearchIntent, view, **{"share": 1.0, **params}).arrive(view).scratch)


def test_a_shop_is_searched_for_in_its_share_by_those_who_know_one_and_a_category_by_all_others():
    view = make_view(N, known=1)
    said = notes(view, by_name=0.3)
    named = said["search_merchant"] >= 0
    assert abs(named.mean() - 0.3) < SIGMAS * np.sqrt(0.3 * 0.7 / N)
    assert (said["search_merchant"][named] == 0).all()
    assert ((said["search"] >= 0) == ~named).all()
    stranger = notes(make_view(500), by_name=1.0)
    assert (stranger["search_merchant"] == -1).all() and (stranger["search"] >= 0).all()


def test_one_looks_for_the_shops_one_has_ordered_from():
    orders = np.tile([0, 3, 0, 0, 0, 0], (N, 1))
    shop = notes(make_view(N, merchants=2, orders=orders), by_name=1.0)["search_merchant"]
    assert abs((shop == 1).mean() - 4 / 5) < SIGMAS * np.sqrt(0.16 / N)


def test_nobody_looks_for_a_shop_she_is_through_with():
    view = make_view(300, merchants=2, orders=1)
    slots_of(view)["flags"][:, 0] = DROPPED
    assert (notes(view, by_name=1.0)["search_merchant"] == 1).all()


@pytest.mark.parametrize("renown", [0.0, 0.2, 1.0])
def test_strangers_type_a_name_that_they_have_heard(renown):
    view = make_view(N, merchants=3, columns=Listing.columns)
    mechanism(Listing, view, on=[False, True, False], renown=renown)
    first = notes(view, by_name=1.0)["search_merchant"]
    assert abs((first == 1).mean() - renown) <= SIGMAS * np.sqrt(renown * (1 - renown) / N)
    assert set(first.tolist()) <= {-1, 1}
    assert (notes(seat(view, hour=20), by_name=1.0)["search_merchant"] == first).all()  # a name is heard for good


def test_names_in_a_stacked_world_are_those_of_the_lone_one():
    found = []
    for seeds in ((8,), (7, 8)):
        view = make_view(300, merchants=2, seeds=seeds, columns=Listing.columns, orders=1)
        mechanism(Listing, view, renown=0.4)
        found.append((notes(view, by_name=0.7)["search_merchant"][-300:] % 2).tolist())
    assert found[0] == found[1]


def test_a_gift_in_mind_is_searched_for_in_its_share():
    view = make_view(N)
    view.scratch["gift_peer"] = np.where(np.arange(N) % 2, 5, -1)
    made = mechanism(SearchIntent, view, gift=0.4)
    apply(view, made.deliver(view))
    searched = view.scratch["search_gift"]
    assert not searched[::2].any()
    assert abs(searched[1::2].mean() - 0.4) < SIGMAS * np.sqrt(0.24 / (N / 2))
    assert not mechanism(SearchIntent, seat(view)).deliver(view)
