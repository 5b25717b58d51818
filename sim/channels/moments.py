"""Moments (朋友圈): the merchant's own posts to customers who added it, and the posters that its friends pass on.

*Posts.* Customers who follow the account or sit in a group have the merchant's staff among their contacts. When one of
them looks through Moments (note ``surface_moments``), she sees each post since her last visit with the probability
``seen``, unless it is too old or she has muted the merchant. Posts lie in the stream and are looked at or not; they
do not count towards fatigue.

*Posters.* A good picture makes what friends pass on in Moments (channel ``share_moments``), and the merchant's own
posts, worth ``poster`` · quality more to those who see it.

It cannot: show likes and comments, rank the stream, or sell places in it (advertisements are another channel).
"""

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import DAY, Bools
from sim.world import posts
from sim.world.state import FOLLOWS, GROUP, MUTED

ADORNED = ("moments", "share_moments")  # its own posts, and what friends pass on in Moments


class MomentsParams(Params):
    """How a merchant uses Moments."""

    needs = ("people.browse", "channels.service_account | channels.groups | people.share")
    wants = {"channels.service_account | channels.groups": "nobody is there to see its posts"}
    moot = {
        "posts_per_week": "channels.service_account | channels.groups",
        "hour": "posts_per_week",
        "seen": "posts_per_week",
        "poster": "quality",
    }

    posts_per_week: int = param(3, "posts per week", unit="per week", ge=0, le=posts.MOST_PER_WEEK)
    hour: int = param(19, "hour of the first post of a day, others follow hourly", unit="hour of the day", ge=0, le=21)
    seen: float = param(0.3, "chance that a contact who scrolls Moments sees a post", unit="probability", ge=0, le=1)
    lasts: float = param(3.0, "age from which a post is not scrolled down to", unit="days", gt=0, le=14)
    quality: float = param(0.5, "quality of the pictures", unit="0..1", ge=0, le=1)
    poster: float = param(0.4, "worth of the best picture", unit="utility", ge=0, le=5)


class Moments(Mechanism):
    """Posts to contacts, and adorns what friends pass on."""

    Params = MomentsParams
    clicks = {"moments": 0.04}  # assumed
    kinds = {
        "moments_post": Kind(
            "a post to the merchant's contacts; detail: number in its day",
            stage="plain",
            says="{merchant} posts {product} in Moments",
        )
    }
    settles = ("moments_post",)

    def prepare(self) -> None:
        self._seen = self.per_merchant("seen")
        self._lasts = self.per_merchant(lambda p: round(p.lasts * DAY), 0, np.int64)
        self._poster = self.per_merchant("quality") * self.per_merchant("poster")

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        who = ((at, p.posts_per_week, p.hour) for at, p in enumerate(self.p) if p is not None)
        return posts.every_week(self.world, "moments_post", days, who)

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        rows = rows.with_(channel=view.channel("moments"))
        fx.event("moments_post", rows)
        fx.publish("moments_post", rows)
        return fx

    def expose(self, view: View) -> Effects:
        fx, sent, clock = Effects(), view.content("moments_post"), view.clock
        scrolls = view.scratch.get("surface_moments")
        oldest = clock.start - self._lasts
        if sent.n == 0 or sent.time[-1] < oldest.min() or scrolls is None:
            return fx
        flags = view.relations("flags")
        linked = ((flags & (FOLLOWS | GROUP)) != 0) & ((flags & MUTED) == 0)
        at = (linked & (scrolls & view.sessions.planned)[view.related]).nonzero()[0]
        session, merchant = view.related[at], view.relations("merchant")[at]
        user, last_seen = view.sessions.user[session], view.own("last_seen")[session]
        who, post = posts.unseen(sent, merchant, last_seen, clock.end - clock.start, oldest)
        reader, event = self.world.local_user(user[who]), sent.event[post]
        sees = draws.chance("channels.moments/seen", event, self._seen[merchant[who]], reader)
        session, event = session[who[sees]], event[sees]
        fx.expose(view.channel("moments"), session, sent.product[post[sees]], cause=event)
        return fx

    def appraise(self, view: View) -> Effects:
        fx, shown = Effects(), view.exposures
        adorned = np.zeros(len(view.channels), np.bool_)
        adorned[[code for name, code in view.channels.items() if name in ADORNED]] = True
        at = (self.on[shown.merchant] & adorned[shown.channel]).nonzero()[0]
        if at.size:
            delta = np.zeros(len(shown))
            delta[at] = self._poster[shown.merchant[at]]
            fx.appeal(delta)
        return fx
