"""Listings: what they tell others, and what crammed titles cost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.operations.listing import Listing
from tests.views import make_view, mechanism, show


def test_an_ordinary_listing_is_that_of_a_merchant_without_one() -> None:
    view = make_view(merchants=2, columns=Listing.columns)
    mechanism(Listing, view, on=[True, False])
    for column in ("keywords", "title", "renown"):
        one, other = view.shared("merchant", column).tolist()
        assert one == other


def test_others_read_what_is_stated() -> None:
    view = make_view(merchants=2, columns=Listing.columns)
    mechanism(Listing, view, on=[True, False], keywords=30, title=0.9, renown=0.25)
    got = [view.shared("merchant", column).tolist() for column in ("keywords", "title", "renown")]
    assert got == [[30, 8], [0.9, 0.5], [0.25, 0.0]]


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1))
def test_each_keyword_beyond_what_reads_well_costs_the_same(keywords: int, readable: int, clutter: float) -> None:
    view = make_view(4, merchants=2, columns=Listing.columns)
    show(view, np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4))
    fx = mechanism(Listing, view, on=[False, True], keywords=keywords, readable=readable, clutter=clutter).appraise(
        view
    )
    lost = clutter * max(keywords - readable, 0)
    appeal = sum(fx.appeals, np.zeros(24))
    assert (appeal == np.where(view.exposures.merchant == 1, -lost, 0.0)).all()
