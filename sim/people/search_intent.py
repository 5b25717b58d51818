"""Search: some sessions begin with a word typed into the search box.

A planned session searches with probability ``share``; what for follows the person's taste: category c with the
share of her liking that it has. Searches for a merchant by name and corrections of a query are not modelled; a
search that comes from a need to buy again is `people.repurchase`.
"""

import numpy as np

from sim import draws
from sim.contract import Effects, Mechanism, Params, View, param
from sim.units import I64


class SearchIntentParams(Params):
    """How often people search for goods."""

    share: float = param(
        0.054, "sessions that search for goods", unit="share", source="facts: search.search_share_of_visits", ge=0, le=1
    )


class SearchIntent(Mechanism):
    """Who searches, and for which category of goods."""

    Params = SearchIntentParams

    def arrive(self, view: View) -> Effects:
        """Note the category that each session searches for, -1 for none."""
        fx, now = Effects(), view.sessions
        searches = draws.chance("people.search_intent/search", now.event, self.p.share) & now.planned
        at = searches.nonzero()[0]
        category = np.full(len(now), -1, np.int64)
        category[at] = _wanted(view, at)
        fx.note("search", category)
        return fx


def _wanted(view: View, at: I64) -> I64:
    """A category for each of these sessions, drawn with the shares of the person's taste."""
    taste = view.world.people["taste"].take(view.sessions.user[at], axis=0).astype(np.float64)
    heap = np.cumsum(taste, axis=1)  # one category after the other: the same everywhere
    spot = draws.uniform("people.search_intent/category", view.sessions.event[at]) * heap[:, -1]
    out: I64 = (heap[:, :-1] <= spot[:, None]).sum(axis=1)
    return out
