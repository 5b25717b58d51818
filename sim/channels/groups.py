"""Customer groups (社群): chat groups of a merchant, joined from the parcel, full at the platform's cap.

*Joining.* A customer who opens a parcel finds the group's code in it and joins with the joining rate. Seats are given
out in order of request; ticket t sits in group t // cap (cap 500 by the platform's rules), so when a group is full the
next one opens by itself.

*Posts* go out on evenly spread days of the week, as many per day as the platform's rule on messages per customer
allows. A member who has not muted the merchant reads a post in her first planned session after it, if the chat has
not moved on, with a probability that falls with the size n of her group:

    P(read) = reading / (1 + n / crowding),

since in a crowd everybody's messages bury everybody's, and fewer feel spoken to (hyperbola assumed). The draw is
addressed by (post, user): a smaller group only gains readers. A post that is read shows its product and counts
towards fatigue.

It cannot: let members chat, answer questions, hand seats of those who left to others, or merge groups.
"""

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import DAY, NOBODY, Array, Bools
from sim.world import posts
from sim.world.state import GROUP, MUTED, Column


class GroupsParams(Params):
    """How groups are filled and used."""

    needs = ("people.buy",)
    moot = {"hour": "posts_per_week", "reading": "posts_per_week", "crowding": "posts_per_week"}

    joining: float = param(0.15, "customers who join from a parcel", unit="probability", ge=0, le=1)
    posts_per_week: int = param(
        3, "posts planned per week; the platform's cap per day applies", unit="per week", ge=0, le=posts.MOST_PER_WEEK
    )
    hour: int = param(20, "hour of the first post of a day, others follow hourly", unit="hour of the day", ge=0, le=21)
    reading: float = param(0.5, "members of a small group who read a post", unit="probability", ge=0, le=1)
    crowding: float = param(200.0, "size at which half as many read", unit="people", gt=0, le=1e6)
    lasts: float = param(2.0, "age from which the chat has moved on from a post", unit="days", gt=0, le=14)
    salience: float = param(1.0, "how much a post that is read catches the eye", unit="utility", ge=-10, le=10)


class Groups(Mechanism):
    """Gathers customers in groups, and posts to them."""

    Params = GroupsParams
    clicks = {"groups": 0.12}  # assumed
    columns = (Column("slot", "group", np.int16, NOBODY, "number of the merchant's group she sits in; -1 none"),)
    kinds = {
        "join_group": Kind("a customer asks for a seat; detail becomes her ticket", stage="ticket"),
        "group_joined": Kind(
            "a customer sits in a group; detail is its number", says="{user} joins group {detail:nth} of {merchant}"
        ),
        "group_post": Kind(
            "a post to all groups of a merchant; detail: number in its day, from 0",
            stage="plain",
            says="{merchant} posts {product} to its groups",
        ),
        "group_post_refused": Kind(
            "a post beyond the platform's daily cap",
            says="{merchant} wants to post {product} to its groups, but has reached the day's cap",
        ),
    }
    settles = ("join_group", "group_post")

    def prepare(self) -> None:
        self._joining = self.per_merchant("joining")
        self._reading = self.per_merchant("reading")
        self._crowding = self.per_merchant("crowding", 1.0)
        self._salience = self.per_merchant("salience")
        self._lasts = self.per_merchant(lambda p: round(p.lasts * DAY), 0, np.int64)

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        who = ((at, p.posts_per_week, p.hour) for at, p in enumerate(self.p) if p is not None)
        return posts.every_week(self.world, "group_post", days, who)

    def expose(self, view: View) -> Effects:
        fx, sent, clock = Effects(), view.content("group_post"), view.clock
        oldest = clock.start - self._lasts
        if sent.n == 0 or sent.time[-1] < oldest.min():
            return fx
        hears = (view.relations("flags") & (GROUP | MUTED)) == GROUP
        at = (hears & view.sessions.planned[view.related]).nonzero()[0]
        if at.size == 0:
            return fx
        session, merchant, group = view.related[at], view.relations("merchant")[at], view.relations("group")[at]
        member = view.sessions.user[session]
        last_seen = view.own("last_seen")[session]
        who, post = posts.unseen(sent, merchant, last_seen, clock.end - clock.start, oldest)
        reader, event = self.world.local_user(member[who]), sent.event[post]
        rate = self._rate(view, merchant, group)[who]
        reads = draws.chance("channels.groups/read", event, rate, reader)
        session, read, reader = session[who[reads]], sent.take(post[reads]), reader[reads]
        notice = view.rows(
            "notice",
            session,
            event=draws.child(read.event, "notice", reader),
            cause=read.event,
            merchant=read.merchant,
            product=read.product,
            channel=read.channel,
        )
        fx.event("notice", notice)
        fx.relate("add", "notices", session, read.merchant, 1.0)
        salience = self._salience[read.merchant]
        fx.expose(view.channel("groups"), session, read.product, cause=read.event, salience=salience)
        return fx

    def checkout(self, view: View) -> Effects:
        """Customers who find the group's code in their parcel."""
        fx, inbox = Effects(), view.inbox("parcel_arrived")
        here = (self.on[inbox.rows.merchant] & view.sessions.planned[inbox.session]).nonzero()[0]
        if here.size == 0:
            return fx
        rows, session = inbox.rows.take(here), inbox.session[here]
        outside = (view.relation("flags", session, rows.merchant) & (GROUP | MUTED)) == 0
        joins = outside & draws.chance("channels.groups/join", rows.cause, self._joining[rows.merchant])
        pair = session[joins] * self.world.m + rows.merchant[joins]
        at = joins.nonzero()[0][np.unique(pair, return_index=True)[1]]
        merchant = rows.merchant[at]
        local = self.world.local_merchant(merchant)
        fx.request(
            "join_group",
            view.rows("join_group", session[at], index=local, cause=rows.cause[at], merchant=merchant),
        )
        return fx

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        if kind == "join_group":
            fx.event("group_joined", rows.with_(detail=rows.detail // view.rules["group_cap"]))
            return fx
        rows = rows.with_(channel=view.channel("groups"))
        allowed = rows.detail < view.rules["messages_per_customer_per_day"]
        fx.event("group_post", rows.take(allowed))
        fx.publish("group_post", rows.take(allowed))
        fx.event("group_post_refused", rows.take(~allowed))
        return fx

    def respond(self, view: View) -> Effects:
        fx, joined = Effects(), view.outcome("join_group")
        group = joined.rows.detail // view.rules["group_cap"]
        fx.relate("or", "flags", joined.session, joined.rows.merchant, GROUP)
        fx.relate("set", "group", joined.session, joined.rows.merchant, group)
        return fx

    def _rate(self, view: View, merchant: Array, group: Array) -> Array:
        """Chance that a member reads a post, by the size of her group."""
        cap = view.rules["group_cap"]
        size = np.clip(view.shared("merchant", "members")[merchant] - group.astype(np.int64) * cap, 1, cap)
        out: Array = self._reading[merchant] / (1.0 + size / self._crowding[merchant])
        return out
