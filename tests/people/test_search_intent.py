"""Searching against its share and the shares of taste."""

import numpy as np

from sim.people.search_intent import SearchIntent
from tests.views import CATEGORIES, make_view, mechanism, seat

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
