"""Browsing: when people open WeChat with an eye for shopping, which surfaces they visit, how much they notice.

A person opens WeChat for commerce on a day with probability ``opens · activity · day factor``, at an hour drawn from
the calendar's profile and a second uniform within it. In a session she visits Moments, articles and her
mini-program list each with the share of days on which people do. Of all that the channels propose she notices as
many things as her attention holds: the most salient, with Gumbel noise, which is a multinomial logit draw without
replacement (Plackett-Luce). What is more salient can only gain by it.

It does not model how long a session lasts, nor that a good session makes the next one come sooner.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Exposures, Mechanism, Params, View, param
from sim.kernels import segments
from sim.ledger.schema import Records
from sim.units import DAY, HOUR, I64, U64, Array, Bools

_BLOCK = 65_536  # users drawn at once: temporaries stay in cache
_SURFACES = ("moments", "articles", "mini_programs")


class BrowseParams(Params):
    """How often and how attentively people browse."""

    lively = {"opens": (0.9, 1.0)}

    opens: float = param(0.3, "days on which the average person opens WeChat to browse", unit="share", ge=0, le=1)
    moments: float = param(
        0.72, "sessions that visit Moments", unit="share", source="facts: network.surface_visits_per_day", ge=0, le=1
    )
    articles: float = param(
        0.33, "sessions that visit articles", unit="share", source="facts: network.surface_visits_per_day", ge=0, le=1
    )
    mini_programs: float = param(
        0.37,
        "sessions that open the mini-program list",
        unit="share",
        source="facts: network.surface_visits_per_day",
        ge=0,
        le=1,
    )
    salience_noise: float = param(1.0, "scale of chance in what catches the eye", unit="utility", ge=0, le=100)


class Browse(Mechanism):
    """Who opens WeChat, and what gets attention."""

    Params = BrowseParams

    def plan(self, view: View, day: int) -> Records:
        """Who opens WeChat on that day, and at which second; ordered by user."""
        keys, activity = view.world.user_key, view.world.people["activity"]
        willing = self.p.opens * float(view.calendar.day_factor[day])
        users = [
            start + _opens(keys[start : start + _BLOCK], activity[start : start + _BLOCK], willing, day)
            for start in range(0, view.world.n, _BLOCK)
        ]
        user = np.concatenate(users) if users else np.zeros(0, np.int64)
        return Records(user.size, user=user, time=day * DAY + _second(keys[user], view.calendar.hour_profile, day))

    def arrive(self, view: View) -> Effects:
        """Which surfaces each planned session visits."""
        fx, now = Effects(), view.sessions
        for surface in _SURFACES:
            visits = draws.chance(f"people.browse/{surface}", now.event, getattr(self.p, surface))
            fx.note(f"surface_{surface}", visits & now.planned)
        return fx

    def attend(self, view: View) -> Effects:
        """Keep the most salient exposures, as many as the session's attention holds."""
        fx, e = Effects(), view.exposures
        if not len(e):
            return EMPTY
        budget = _budget(view)
        crowded = np.bincount(e.session, minlength=budget.size) > budget
        kept = np.ones(len(e), np.bool_)
        at = crowded[e.session].nonzero()[0]
        kept[at] = self._strongest(view, e, at, budget[e.session[at]])
        fx.keep(kept)
        return fx

    def _strongest(self, view: View, e: Exposures, at: I64, budget: I64) -> Bools:
        """Which of these exposures are among the `budget` most salient of their session."""
        session = e.session[at]
        which = view.ways(e.product[at], e.channel[at])
        noise = draws.gumbel("people.browse/salience", view.sessions.event[session], which)
        return segments.top_k(session, e.salience[at] + self.p.salience_noise * noise, budget, which)


def _opens(keys: U64, activity: Array, willing: float, day: int) -> I64:
    """Positions of those who open WeChat."""
    return draws.chance("people.browse/open", keys, willing * activity, day).nonzero()[0]


def _second(keys: U64, profile: Array, day: int) -> I64:
    """The second of the day, from integer weights of its 24 hours: one draw gives hour and second."""
    width = profile.astype(np.int64)
    edge = np.concatenate([[0], np.cumsum(width * HOUR)])
    spot = draws.below("people.browse/second", keys, edge[-1], day)
    hour = np.searchsorted(edge, spot, side="right") - 1
    out: I64 = hour * HOUR + (spot - edge[hour]) // width[hour]
    return out


def _budget(view: View) -> I64:
    """How many things each session notices, shape (S,), at least one: the trait, rounded by a coin."""
    attention = view.person("attention").astype(np.float64)
    whole = attention.astype(np.int64)
    more = draws.chance("people.browse/attention", view.sessions.event, attention - whole)
    return np.maximum(whole + more, 1)
