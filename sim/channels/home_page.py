"""The store's home page (店铺主页): from a page in the store to it, and on to the account and the mini-program.

Who saw a page of a merchant in its store (not in its mini-program) goes on to the home page with the chance `visit`; of
several merchants in a session, to one. There she is asked to follow the service account: the ask that the account
makes anyway (`channels.service_account`) is stronger by `follow`, so she follows with the chance
``propensity · (strength + follow)`` (`people.follow`). And with the chance `mini_link` she goes on to the mini-program,
which then stands in her list (`channels.mini_program`). Without account or mini-program the page leads nowhere.

The session's notes ``home_merchant`` and ``home_follow`` tell `people.follow`, ``home_mini`` tells
`channels.mini_program`; without them both do what they did.

It cannot: show goods of its own, link other accounts, or be decorated.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.kernels import segments
from sim.params import Params, param
from sim.units import I64, NOBODY
from sim.world.doors import in_mini
from sim.world.state import MINI


class HomePageParams(Params):
    """Who comes to the home page, and where it leads."""

    visit: float = param(
        0.15, "visitors of a page in the store who go on to the home page", unit="probability", ge=0, le=1
    )
    follow: float = param(
        0.5, "how strongly it asks to follow; 1 is an ordinary prompt after buying", unit="relative", ge=0, le=10
    )
    mini_link: float = param(0.1, "visitors of it who go on to the mini-program", unit="probability", ge=0, le=1)


class HomePage(Mechanism):
    """Leads visitors of the store on."""

    Params = HomePageParams
    kinds = {
        "home_visited": Kind(
            "a visitor of the store went on to its home page",
            detail=True,
            says="{user} looks at the home page of {merchant}",
        )
    }

    def prepare(self) -> None:
        self._visit, self._follow = self.per_merchant("visit"), self.per_merchant("follow")
        self._mini_link = self.per_merchant("mini_link")

    def checkout(self, view: View) -> Effects:
        """Note whose home page each session comes to, how strongly it asks, and who goes on."""
        session, merchant = self._visitors(view)
        if not session.size:
            return EMPTY
        fx, event, number = Effects(), view.sessions.event[session], self.world.local_merchant(merchant)
        home, strength = np.full(len(view.sessions), NOBODY, np.int64), np.zeros(len(view.sessions))
        home[session], strength[session] = merchant, self._follow[merchant]
        on = draws.chance("channels.home_page/mini", event, self._mini_link[merchant], number)
        mini = np.full(len(view.sessions), NOBODY, np.int64)
        mini[session[on]] = merchant[on]
        fx.note("home_merchant", home)
        fx.note("home_follow", strength)
        fx.note("home_mini", mini)
        channel = view.channel("home_page")
        fx.event("home_visited", view.rows("home_visited", session, index=number, merchant=merchant, channel=channel))
        return fx

    def _visitors(self, view: View) -> tuple[I64, I64]:
        """Sessions that come to a home page: (session, merchant), one of each session."""
        e = view.exposures
        at = (view.viewed & self.on[e.merchant]).nonzero()[0]
        at = at[view.sessions.planned[e.session[at]] & ~in_mini(e.channel[at], view.channels)]
        listed = (view.relation("flags", e.session[at], e.merchant[at]) & MINI) != 0
        at = at[~listed | (e.channel[at] == view.channel("store"))]
        at = at[segments.first(e.session[at] * self.world.m + e.merchant[at])]  # ordered by session and merchant
        session, merchant = e.session[at], e.merchant[at].astype(np.int64)
        number = self.world.local_merchant(merchant)
        luck = draws.uniform("channels.home_page/visit", view.sessions.event[session], number)
        comes = (luck < self._visit[merchant]).nonzero()[0]
        session, merchant, luck, number = (x[comes] for x in (session, merchant, luck, number))
        first = segments.argmax(session, -luck, number.astype(np.uint64))
        return session[first], merchant[first]
