"""Search: some sessions begin with a word typed into the search box.

A planned session searches with probability ``share``. What for:

- *a shop by its name*, in the share ``by_name`` of searches, if she has one in mind: one that she has had to do with
  and is not through with, or whose name she has heard, which is so for life with the chance ``merchant.renown``
  (`operations.listing`). Of several she types one in proportion to 1 + her orders there;
- else *a category*, that of her taste: category c with the share of her liking that it has.

A session with a gift in mind (`people.gift`: more of them before festivals and birthdays) also searches for a gift
with the chance ``gift``, with its occasion as a word. The notes ``search`` (category), ``search_merchant`` and
``search_gift`` tell `platform.search_engine`.

It cannot: correct a query, search twice for the same thing, or search out of a need to buy again (that is
`people.repurchase`).
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Mechanism, Params, View, param
from sim.elementary import log
from sim.kernels import segments
from sim.units import I64, NOBODY
from sim.world.state import DROPPED


class SearchIntentParams(Params):
    """How often people search for goods."""

    needs = ("platform.search_engine",)
    moot = {"gift": "people.gift"}
    lively = {"share": (0.5, 1.0), "by_name": (0.0, 0.5), "gift": (0.0, 0.8)}

    share: float = param(
        0.054, "sessions that search for goods", unit="share", source="facts: search.search_share_of_visits", ge=0, le=1
    )
    by_name: float = param(
        0.0, "searches for a shop by its name, of those who have one in mind", unit="share", ge=0, le=1
    )
    gift: float = param(0.0, "sessions with a gift in mind that search for one", unit="share", ge=0, le=1)


class SearchIntent(Mechanism):
    """Who searches, and for what."""

    Params = SearchIntentParams

    def arrive(self, view: View) -> Effects:
        """Note the category, or the merchant, that each session searches for, -1 for none."""
        fx, now = Effects(), view.sessions
        searches = draws.chance("people.search_intent/search", now.event, self.p.share) & now.planned
        at = searches.nonzero()[0]
        merchant, category = np.full(len(now), NOBODY, np.int64), np.full(len(now), -1, np.int64)
        if self.p.by_name:
            named = at[draws.chance("people.search_intent/by_name", now.event[at], self.p.by_name)]
            session, shop = self._shops(view, named)
            merchant[session] = shop
            at = at[merchant[at] < 0]
        category[at] = _wanted(view, at)
        fx.note("search", category)
        fx.note("search_merchant", merchant)
        return fx

    def deliver(self, view: View) -> Effects:
        """Note which sessions search for a gift."""
        if not self.p.gift:
            return EMPTY
        fx, at = Effects(), view.gift_minded.nonzero()[0]
        searches = np.zeros(len(view.sessions), np.bool_)
        searches[at] = draws.chance("people.search_intent/gift", view.sessions.event[at], self.p.gift)
        fx.note("search_gift", searches)
        return fx

    def _shops(self, view: View, at: I64) -> tuple[I64, I64]:
        """Those of these sessions (ascending) that have a shop in mind, and the one that each looks for."""
        mine = np.zeros(len(view.sessions), np.bool_)
        mine[at] = True
        met = (mine[view.related] & ((view.relations("flags") & DROPPED) == 0)).nonzero()[0]
        heard, of = self._heard_of(view, at)
        session = np.concatenate([view.related[met], heard])
        merchant = np.concatenate([view.relations("merchant")[met].astype(np.int64), of])
        weight = np.concatenate([1.0 + np.maximum(view.relations("orders")[met], 0), np.ones(heard.size)])
        order = np.lexsort((merchant, session))
        session, merchant, weight = session[order], merchant[order], weight[order]
        number = self.world.local_merchant(merchant)
        noise = draws.gumbel("people.search_intent/shop", view.sessions.event[session], number)
        best = segments.argmax(session, log(weight) + noise, number.astype(np.uint64))
        return session[best], merchant[best]

    def _heard_of(self, view: View, at: I64) -> tuple[I64, I64]:
        """Pairs (session, merchant) of these sessions and the merchants whose name they have heard."""
        renown = view.state["merchant"].get("renown")
        known = np.zeros(0, np.int64) if renown is None else renown[: self.world.merchants].nonzero()[0]
        session, local = np.repeat(at, known.size), np.tile(known, at.size)
        if renown is None or not session.size:
            return session, local
        user = view.sessions.user[session]
        merchant = self.world.merchant_in(self.world.world_of(user).astype(np.int64), local)
        heard = draws.chance("people.search_intent/heard", self.world.user_key[user], renown[merchant], local)
        return session[heard], merchant[heard]


def _wanted(view: View, at: I64) -> I64:
    """A category for each of these sessions, drawn with the shares of the person's taste."""
    taste = view.world.people["taste"].take(view.sessions.user[at], axis=0).astype(np.float64)
    heap = np.cumsum(taste, axis=1)  # one category after the other: the same everywhere
    spot = draws.uniform("people.search_intent/category", view.sessions.event[at]) * heap[:, -1]
    out: I64 = (heap[:, :-1] <= spot[:, None]).sum(axis=1)
    return out
