"""The recommender (看一看): content of merchants that people do not follow, shown to those who look at articles.

A planned session that looks at articles scrolls through the feed for as long as `places` pieces of all the rest of
WeChat take to pass by, which weighs `rest`. A merchant's piece of content of weight w comes along in that time with
probability

    1 - exp(-places · w / rest),    w = quality · (new + engagement · friends) · (relevance · F + heat · H)

and of those that do the first `places` are shown: an exponential race, so that shares are in proportion to weights
while places are scarce (Plackett-Luce). `quality` (0..1) is the publisher's, `friends` how many friends she sees like
it (`people.like`), `relevance` her share of liking for the product's category times the number of categories (1
on average); F and H fall by half in the half-lives of ordinary content and of a hot topic, which asks nobody's taste.
The race is addressed by (session, content): a piece that gains weight only gains readers.

A piece is `new` (1, else 0) to a person in her first session after it is out; later it has been scrolled away, and
comes again only for friends' sake. Whoever follows the merchant, or has muted it, is no stranger and is left out. Work
is bounded by the newest `candidates` of each world, and of those by what each looking session has not seen yet.

What is shown stands in the notes ``feed`` and ``feed_likes``; the channel that published it decides who opens it.

It cannot: learn from clicks, tell bait from substance, look for look-alikes, sell places, or remember what it showed.
"""

from typing import NamedTuple

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.elementary import exp, log
from sim.kernels import expand, segments
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import DAY, F64, HOUR, I64
from sim.world import feed
from sim.world.state import FOLLOWS, MUTED

MOST_DAYS = 14  # for which the engine keeps content
_PER_MILLE = 1_000.0
_FAR = 1 << 40  # seconds, beyond any horizon


class RecommenderParams(Params):
    """What the feed shows."""

    needs = ("people.browse", "channels.image_posts | channels.articles")
    moot = {"engagement": "people.like", "heat_half_life_hours": "channels.articles"}
    lively = {"rest": (1.0, 0.1)}

    places: int = param(5, "pieces of the feed that a session looks at", unit="pieces of content", ge=1, le=100)
    rest: float = param(
        150.0,
        "weight of all that others publish, in perfect pieces, fresh and of ordinary relevance",
        unit="pieces of content",
        gt=0,
        le=1e9,
    )
    engagement: float = param(20.0, "weight that each friend who likes it adds", unit="relative", ge=0, le=1_000)
    half_life_hours: float = param(36.0, "in which content ages by half", unit="hours", gt=0, le=8_760)
    heat_half_life_hours: float = param(12.0, "in which a hot topic cools by half", unit="hours", gt=0, le=8_760)
    window_days: int = param(7, "age from which content is not recommended", unit="days", ge=1, le=MOST_DAYS)
    candidates: int = param(100, "newest pieces that are considered at all", unit="pieces of content", ge=1, le=10_000)


class _Candidates(NamedTuple):
    """Content that may be shown, ordered by (world, time); shape (C,) each."""

    rows: Records
    world: I64
    public: I64  # second from which it can be seen
    ordinary: F64  # weight by relevance
    hot: F64  # weight by the topic


class Recommender(Mechanism):
    """Shows strangers what merchants publish."""

    Params = RecommenderParams
    kinds = {
        "recommended": Kind(
            "content shown to somebody who does not follow its merchant; quantity: friends seen to like it",
            detail=True,
            says="{user} is shown what {merchant} publishes about {product}[ ({channel})]",
        )
    }

    def prepare(self) -> None:
        halving = -log(np.array(2.0)) / HOUR
        self._fade = float(halving / self.p.half_life_hours)  # of log weight, per second
        self._cool = float(halving / self.p.heat_half_life_hours)

    def deliver(self, view: View) -> Effects:
        looks = view.scratch.get("surface_articles")
        if looks is None:
            return EMPTY
        recent = self._recent(view)
        if not recent.n:
            return EMPTY
        found, looking = self._candidates(view, recent), looks & view.sessions.planned
        session, at, new, likes = self._pairs(view, found, looking.nonzero()[0])
        shown = self._race(view, found, session, at, new + self.p.engagement * likes)
        session, at, likes = session[shown], at[shown], likes[shown]
        if not session.size:
            return EMPTY
        fx, rows = Effects(), found.rows.take(at)
        fx.note("feed", feed.by_session(len(looks), session, rows.event))
        fx.note("feed_likes", feed.by_session(len(looks), session, likes))
        fx.event("recommended", feed.deeds(view, "recommended", session, rows, likes))
        return fx

    def _recent(self, view: View) -> Records:
        """All content that is not too old."""
        since = view.clock.start - self.p.window_days * DAY
        return Records.concat([sent.take(sent.time >= since) for kind in view.feeds if (sent := view.content(kind)).n])

    def _candidates(self, view: View, rows: Records) -> _Candidates:
        """The newest content of each world, and what it weighs now."""
        world = rows.merchant // max(self.world.merchants, 1)
        order = np.lexsort((rows.event, rows.time, world))
        newest = segments.rank(world[order][::-1])[::-1] < self.p.candidates
        order = order[newest]
        rows, world = rows.take(order), world[order].astype(np.int64)
        tick = view.clock.end - view.clock.start
        age = (view.clock.start - rows.time).astype(np.float64)
        quality = rows.detail / _PER_MILLE
        return _Candidates(
            rows,
            world,
            (rows.time // tick + 1) * tick,
            quality * exp(self._fade * age),
            quality * (rows.quantity / _PER_MILLE) * exp(self._cool * age),
        )

    def _pairs(self, view: View, found: _Candidates, session: I64) -> tuple[I64, I64, I64, I64]:
        """What each of these sessions has not seen, or a friend likes: (session, candidate, new, friends), in order."""
        n, user = found.rows.n, view.sessions.user[session]
        world, out = self.world.world_of(user).astype(np.int64), found.world * _FAR + found.public
        first = np.searchsorted(out, world * _FAR + view.own("last_seen")[session], side="right")
        owner, at = expand.expand(first, np.searchsorted(found.world, world, side="right"))
        told = view.inbox("liked")
        if not told.rows.n:
            return session[owner], at, np.ones(at.size, np.int64), np.zeros(at.size, np.int64)
        liked = feed.find(found.rows, told.rows.cause)
        looks = np.zeros(len(view.sessions), np.bool_)
        looks[session] = True
        here = ((liked >= 0) & looks[told.session]).nonzero()[0]
        pair, count = np.unique(told.session[here] * n + liked[here], return_counts=True)
        fresh = session[owner] * n + at
        key = np.union1d(fresh, pair)
        new, likes = np.zeros((2, key.size), np.int64)
        new[np.searchsorted(key, fresh)] = 1
        likes[np.searchsorted(key, pair)] = count
        return key // n, key % n, new, likes

    def _race(self, view: View, found: _Candidates, session: I64, at: I64, pull: F64) -> I64:
        """Which of the pairs come along, to strangers, in the first places; positions, by session."""
        world, user, ids = self.world, view.sessions.user[session], found.rows.event[at]
        category = world.product["category"][found.rows.product]
        relevance = world.people["taste"][user, category[at]] * float(len(world.categories))
        weight = pull * (relevance * found.ordinary[at] + found.hot[at])
        arrival = draws.exponential("platform.recommender/race", view.sessions.event[session], ids)
        comes = (arrival * self.p.rest < weight * self.p.places).nonzero()[0]
        knows = view.relation("flags", session[comes], found.rows.merchant[at[comes]]) & (FOLLOWS | MUTED)
        comes = comes[knows == 0]
        sooner = -(arrival[comes] / weight[comes])
        out: I64 = comes[segments.top_k(session[comes], sooner, self.p.places, ids[comes])]
        return out
