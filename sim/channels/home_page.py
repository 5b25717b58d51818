"""The home page (店铺主页, 视频号主页): from the store or the live room to it, and on to account and mini-program.

A merchant's accounts are linked, so that each leads to the others. Of these paths other mechanisms have: menu and
broadcasts of the service account → goods and mini-program (`menu_entry`); pages of the mini-program and the store →
the account (its prompt to follow) and the live show (its door `page`); search for the name → goods. Here are those
over the page that all accounts share.

Who saw a page of a merchant in its store (not in its mini-program) goes on to the home page with the chance `visit`,
who watched its live show with the chance `profile` (the greater counts); of several merchants in a session, to one.
There she is asked to follow the service account, with the strength `follow`: it adds to the ask that the account
makes anyway (`channels.service_account`) of who saw a page of goods, so that she follows with the chance ``propensity
· (strength + follow)`` (`people.follow`). And with the chance `mini_link` she goes on to the mini-program, which then
stands in her list (`channels.mini_program`); without one the page does not lead there.

The session's notes ``home_merchant`` and ``home_follow`` tell `people.follow`, ``home_mini`` tells
`channels.mini_program`; without them both do what they did.

It cannot: show goods of its own, link other merchants (articles do), or be decorated.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.kernels import segments
from sim.params import Params, param
from sim.units import I64, NOBODY, Bools
from sim.world.doors import leads_in


class HomePageParams(Params):
    """Who comes to the home page, and where it leads."""

    needs = ("channels.service_account | channels.mini_program",)
    moot = {"profile": "channels.live", "follow": "channels.service_account", "mini_link": "channels.mini_program"}

    visit: float = param(
        0.15, "visitors of a page in the store who go on to the home page", unit="probability", ge=0, le=1
    )
    profile: float = param(
        0.05, "viewers of its live show who go on to it, as the profile of the Channels account", unit="probability",
        ge=0, le=1,
    )  # fmt: skip
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
        self._profile = self.per_merchant("profile")
        self._mini_link = self.per_merchant("mini_link")

    def checkout(self, view: View) -> Effects:
        """Note whose home page each session comes to, how strongly it asks, and who goes on."""
        session, merchant, saw = self._visitors(view)
        if not session.size:
            return EMPTY
        fx, event, number = Effects(), view.sessions.event[session], self.world.local_merchant(merchant)
        on = draws.chance("channels.home_page/mini", event, self._mini_link[merchant], number)
        fx.note("home_merchant", _note(view, session, merchant))
        fx.note("home_mini", _note(view, session[on], merchant[on]))
        fx.note("prompt_merchant.home_page", _note(view, session[~saw], merchant[~saw]))
        for name, where in (("home_follow", saw), ("prompt_strength.home_page", ~saw)):
            strength = np.zeros(len(view.sessions))
            strength[session[where]] = self._follow[merchant[where]]
            fx.note(name, strength)
        channel = view.channel("home_page")
        fx.event("home_visited", view.rows("home_visited", session, index=number, merchant=merchant, channel=channel))
        return fx

    def _visitors(self, view: View) -> tuple[I64, I64, Bools]:
        """Sessions that come to a home page: (session, merchant, from a page of goods), one of each session."""
        e = view.exposures
        at = (view.viewed & self.on[e.merchant]).nonzero()[0]
        at = at[view.sessions.planned[e.session[at]]]
        flags = view.relation("flags", e.session[at], e.merchant[at])
        at = at[~leads_in(flags, e.channel[at], view.channels)]
        store, room = e.session[at] * self.world.m + e.merchant[at], self._viewers(view)
        pair: I64 = np.union1d(store, room)
        session, merchant = np.divmod(pair, self.world.m)
        number, saw = self.world.local_merchant(merchant), np.isin(pair, store)
        rate = np.where(saw, self._visit[merchant], 0.0)
        rate = np.maximum(rate, np.where(np.isin(pair, room), self._profile[merchant], 0.0))
        luck = draws.uniform("channels.home_page/visit", view.sessions.event[session], number)
        comes = (luck < rate).nonzero()[0]
        first = comes[segments.argmax(session[comes], -luck[comes], number[comes].astype(np.uint64))]
        return session[first], merchant[first], saw[first]

    def _viewers(self, view: View) -> I64:
        """Sessions that watched a live show: session · m + merchant."""
        seen = view.scratch.get("live_seen")
        if seen is None:
            return np.zeros(0, np.int64)
        session = (seen >= 0).nonzero()[0]
        session = session[self.on[seen[session]] & view.sessions.planned[session]]
        out: I64 = session * self.world.m + seen[session]
        return out


def _note(view: View, session: I64, merchant: I64) -> I64:
    """A merchant of each of these sessions, -1 for all others."""
    out = np.full(len(view.sessions), NOBODY, np.int64)
    out[session] = merchant
    return out
