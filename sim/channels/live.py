"""Live shows (直播): announced, reserved, half forgotten, watched for some minutes, bought in, and sent back.

*Announcement.* Shows are dated: the first on `first_day`, then every `every_days`. `announce_days` before each (not
before the last show) it is announced, and people meet it through four doors until it starts: a message to fans (once,
`push`; it counts towards fatigue), posts in Moments for contacts, articles (strangers too), and the merchant's pages
and menus. Who meets it reserves with the chance reserve · (½ + loyalty), addressed by (announcement, user). Who has
reserved waits with what she wants from the merchant: until the show its goods elsewhere are worth `waiting` less.

*Show-up* falls with the days d between reservation and show, hyperbolically (Mazur 1987), and a reminder brings back a
share of those who would have forgotten:

    P(show up) = attend · (h + (1 − h) · reminder),   h = 1 / (1 + forgetting · d).

It is addressed by (show, user): a shorter lead, a better memory or a reminder only gains viewers. Who shows up opens
WeChat for it within `arrival_minutes` of the start; who is in a session of that tick anyway watches from there.

*Passers-by.* Planned sessions that begin during the show step in with the chance `contact_drop_in` (fans and members
of its groups), others with drop_in · (her liking of the merchant's category, 1 on average).

*In the room.* She stays for an exponential time of mean dwell_minutes · (1 + game_lift · g / (1 + g)), g the yuan
that the room's games give each viewer in red packets, at most to the end. Goods are pitched in turn, one every
`pitch_minutes`, and she sees those pitched while she is there: worth `host` + `urgency` more than elsewhere, at the
room's price (layer ``price``). A share min(1, stocking_up · room_discount) of people, the same for life, stock up: of
goods that are used up they order what lasts `ahead_days` beyond the piece in use, 1 + ⌊ahead_days / cycle⌋ pieces but
at most `most_pieces`; `people.repurchase` says what is missing later.

*Afterwards* viewers who bought nothing get an article; of those who find it some open it, see the best sellers, and
have a code for a share off the price, good for `code_days` and one order of their own. What is bought on impulse is
sent back more often: `operations.after_sale.return_factor`.

*Costs*: host (staff) and studio (media) when a show starts, red packets (to the viewers' wallets) as they come.

*Measured* in the shipped town (defaults, 60 days, 8 seeds): half of those who reserve come (0.49 ± 0.01), and 0.06 ±
0.01 orders are placed per visit. The facts state neither: both are results of assumptions, and nothing to hold them
against.

It cannot: let the host react to the room, show a ban of QR codes, or count its messages as broadcasts of the month.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.kernels import expand
from sim.ledger.schema import Postings, Records
from sim.params import Params, Setting, param
from sim.units import DAY, FEN_PER_YUAN, HOUR, I64, MINUTE, NOBODY, U64, Array, Bools
from sim.world import announced
from sim.world.rounds import Rounds, too_late
from sim.world.shelf import front, hoard, shelf
from sim.world.state import FOLLOWS, GROUP, MUTED, Column

PAYS = ("host_yuan", "studio_yuan", "game_yuan")
BASIS = 10_000  # shares of a price are taken to the nearest basis point


class LiveParams(Params):
    """When shows are, who comes, and what happens in the room."""

    needs = ("people.browse",)
    moot = {
        "push": "channels.service_account",
        **dict.fromkeys(("waiting", "attend", "forgetting", "reminder", "arrival_minutes"), "reserve"),
        "remind_minutes": "reminder",
        "reserve": "announce_days",
        "game_lift": "game_yuan",
        "stocking_up": "room_discount",
        "ahead_days": "stocking_up",
        "most_pieces": "stocking_up",
        "follow_up_goods": "follow_up_open",
        "follow_up_salience": "follow_up_open",
        "code_discount": "follow_up_open",
        "code_days": "code_discount",
    }
    lively = {"first_day": (0, 1), "every_days": (1, 2), "article": (0.5,), "drop_in": (0.3,)}

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """A first show after the last day."""
        yield from too_late(self.first_day, around)

    first_day: int = param(10, "day of the first show, from 0", unit="day", ge=0, le=3_650)
    every_days: int = param(14, "from one show to the next", unit="days", ge=1, le=365)
    hour: int = param(20, "hour at which a show starts", unit="hour of the day", ge=0, le=23)
    hours: float = param(2.0, "how long it lasts", unit="hours", gt=0, le=24)
    announce_days: int = param(5, "days before it that it is announced; 0: not at all", unit="days", ge=0, le=13)
    push: float = param(0.15, "fans who notice the message to them", unit="probability", ge=0, le=1)
    moments: float = param(
        0.2, "contacts who see it when they look through Moments, per session", unit="probability", ge=0, le=1
    )
    article: float = param(0.005, "readers of articles who come across it, per session", unit="probability", ge=0, le=1)
    page: float = param(0.3, "visitors of its pages who see it, per session", unit="probability", ge=0, le=1)
    reserve: float = param(
        0.3, "of those who see it, who reserve at middling loyalty; 0: there is no reservation", unit="probability",
        ge=0, le=1,
    )  # fmt: skip
    waiting: float = param(0.5, "utility lost elsewhere while she waits for the show", unit="utility", ge=0, le=10)
    attend: float = param(0.7, "show-up right after reserving", unit="probability", ge=0, le=1)
    forgetting: float = param(0.3, "how fast show-up falls with lead time", unit="per day", ge=0, le=100)
    reminder: float = param(
        0.35, "of those who would forget, whom a reminder brings; 0: none is sent", unit="probability",
        source="facts: service_account.subscribed_notice_open", ge=0, le=1,
    )  # fmt: skip
    remind_minutes: int = param(30, "how long before the show it is sent", unit="minutes", ge=0, le=1_440)
    arrival_minutes: int = param(20, "time in which those who reserved come", unit="minutes", ge=1, le=1_440)
    contact_drop_in: float = param(
        0.1, "fans and group members in WeChat during the show who step in", unit="probability", ge=0, le=1
    )
    drop_in: float = param(0.01, "others who do", unit="probability", ge=0, le=1)
    dwell_minutes: float = param(8.0, "mean stay without games", unit="minutes", gt=0, le=1_440)
    pitch_minutes: float = param(6.0, "time for which one product is shown", unit="minutes", ge=0.1, le=1_440)
    game_yuan: float = param(0.0, "red packets per viewer", unit="yuan", ge=0, le=1_000)
    game_lift: float = param(0.8, "by how much the largest games lengthen the stay", unit="share", ge=0, le=10)
    salience: float = param(3.0, "how much what is pitched catches the eye", unit="utility", ge=-10, le=10)
    host: float = param(0.7, "worth of the host's word", unit="utility", ge=0, le=10)
    urgency: float = param(0.5, "worth of now or never", unit="utility", ge=0, le=10)
    room_discount: float = param(0.1, "off the price in the room", unit="share", ge=0, le=0.99)
    stocking_up: float = param(
        2.0, "share of people who stock up, per whole price taken off in the room", unit="share per discount",
        ge=0, le=100,
    )  # fmt: skip
    ahead_days: float = param(60.0, "how long what is stocked up shall last", unit="days", ge=0, le=730)
    most_pieces: int = param(4, "most pieces of an order in the room", unit="pieces", ge=1, le=100)
    follow_up_hours: float = param(14.0, "from the end to the article", unit="hours", ge=0, le=240)
    follow_up_open: float = param(0.35, "viewers without an order who open it", unit="probability", ge=0, le=1)
    follow_up_goods: int = param(3, "goods in the article", unit="goods", ge=1, le=100)
    follow_up_salience: float = param(2.0, "how much they catch the eye", unit="utility", ge=-10, le=10)
    code_discount: float = param(0.05, "off the price by its code; 0: no code", unit="share", ge=0, le=0.99)
    code_days: int = param(3, "how long the code holds", unit="days", ge=1, le=60)
    host_yuan: float = param(300.0, "host, per show", unit="yuan", ge=0, le=1e8)
    studio_yuan: float = param(200.0, "studio and film, per show", unit="yuan", ge=0, le=1e8)


class _Audience(NamedTuple):
    """Who watches in this tick; shape (A,) each."""

    session: I64
    merchant: I64
    start: I64  # of the show
    since: I64  # second from which she watches
    cause: U64  # the announcement for those who had reserved, the show for passers-by
    reserved: Bools

    def where(self, mask: Bools) -> "_Audience":
        """Those of them."""
        return _Audience._make(column[mask] for column in self)


class Live(Mechanism):
    """Announces shows, brings viewers, and sells to them."""

    Params = LiveParams
    clicks = {"live": 0.3, "live_follow_up": 0.3}  # assumed
    columns = (
        Column("slot", "live_reserved", np.int32, -1, "second at which she last reserved a show; -1 never"),
        Column("slot", "live_code", np.int32, 0, "second at which the code of the last show lapses; 0 none"),
    )
    kinds = {
        "live_announcement": Kind(
            "a show is announced; detail is the second at which it starts",
            stage="plain",
            says="{merchant} announces a live show for {detail:when}",
        ),
        "live_show": Kind(
            "a show starts; amount: host and studio",
            stage="plain",
            says="{merchant} goes live; host and studio cost {amount}",
        ),
        "live_reserved": Kind(
            "a user reserved a show; detail is the second at which it starts, cause its announcement",
            says="{user} reserves a place in the live show of {merchant}, {detail:when}",
        ),
        "live_viewed": Kind(
            "a user watches; quantity: 1 if she had reserved, detail: seconds, amount: red packet",
            says="{user} watches the live show of {merchant} for {detail:span}",
        ),
        "live_reminder": Kind("message to who has reserved; cause: her reservation", wakes=True),
        "live_follow_up": Kind("message to a viewer who bought nothing; detail: the second at which its code lapses"),
        "live_code_used": Kind(
            "an order with the code of a show; cause: the order",
            says="{user} uses the code from the live show of {merchant}",
        ),
    }
    settles = ("live_announcement", "live_show")

    def prepare(self) -> None:
        self._of = of = {name: self.per_merchant(name) for name in LiveParams.model_fields}
        self._rounds = Rounds.of(of["first_day"], of["hour"], of["every_days"], of["hours"] * HOUR)
        self._pitch = np.maximum(np.rint(of["pitch_minutes"] * MINUTE), 1.0).astype(np.int64)
        games = of["game_yuan"] / (1.0 + of["game_yuan"])
        self._dwell = of["dwell_minutes"] * MINUTE * (1.0 + of["game_lift"] * games)
        self._pays = {name: np.rint(of[name] * FEN_PER_YUAN).astype(np.int64) for name in PAYS}
        self._stockers = of["stocking_up"] * of["room_discount"]
        self._pieces = hoard(self.world, of["ahead_days"], of["most_pieces"])
        self._shelf, self._goods = shelf(self.world), self.per_merchant("follow_up_goods", 1, np.int64)
        self._local = self.on[: self.world.merchants].nonzero()[0]

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        shows, announced = [], []
        for merchant in self.on.nonzero()[0].tolist():
            start = self._rounds.starts(merchant, days)
            show = self._show(np.full(start.size, merchant), start)
            shows.append(Records(start.size, time=start, event=show, merchant=merchant))
            lead = min(int(self._of["announce_days"][merchant]) * DAY, int(self._rounds.every[merchant]))
            if lead:
                when, event = np.maximum(start - lead, 0), draws.child(show, "live_announcement")
                announced.append(Records(start.size, time=when, event=event, merchant=merchant, detail=start))
        return {"live_show": Records.concat(shows), "live_announcement": Records.concat(announced)}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        rows = rows.with_(channel=view.channel("live"))
        if kind == "live_announcement":
            fx.event(kind, rows)
            fx.publish(kind, rows)
            return fx
        host, studio = self._pays["host_yuan"][rows.merchant], self._pays["studio_yuan"][rows.merchant]
        fx.event(kind, rows.with_(amount=host + studio))
        fx.post("fen", Postings.move(rows, "cash", rows.merchant, "staff", NOBODY, host))
        fx.post("fen", Postings.move(rows, "cash", rows.merchant, "media", NOBODY, studio))
        return fx

    def expose(self, view: View) -> Effects:
        """What is pitched while she is in the room, and the articles and reminders that she finds."""
        fx = Effects()
        if view.clock.running:
            self._watch(view, fx, self._audience(view))
            self._articles(view, fx)
        found = view.inbox("live_reminder")
        rows, channel = found.rows, view.channel("live")
        announced.notice(view, fx, found.session, rows, rows.cause, channel=channel)
        return fx

    def appraise(self, view: View) -> Effects:
        """The room's price, the code's, and what waits for the show."""
        fx, shown = Effects(), view.exposures
        mine = self.on[shown.merchant].nonzero()[0]
        session, merchant = shown.session[mine], shown.merchant[mine]
        room = shown.channel[mine] == view.channel("live")
        own = ~view.gift_minded[session]
        self._cheaper(fx, view, mine[room], "room_discount")
        self._stock_up(fx, view, mine[room & own])
        if (view.relations("live_code") > 0).any():
            held = self._holds(view, session, merchant) & view.sessions.planned[session]
            self._cheaper(fx, view, mine[held & own], "code_discount")
        if (view.relations("live_reserved") >= 0).any():
            reserved = view.relation("live_reserved", session, merchant, NOBODY)
            waits = ~room & (reserved >= 0) & (self._rounds.next(merchant, reserved) >= view.clock.end)
            delta = np.zeros(len(shown))
            delta[mine[waits]] = -self._of["waiting"][merchant[waits]]
            fx.appeal(delta)
        return fx

    def respond(self, view: View) -> Effects:
        """Codes that were used, articles to those who bought nothing, and reservations of the next show."""
        fx, bought = Effects(), self._bought(view)
        own = bought.take(bought.peer < 0)
        used = own.take(self._holds(view, own.detail, own.merchant))
        event = draws.child(used.event, "live_code_used")
        fx.event("live_code_used", used.with_(event=event, cause=used.event, detail=0, amount=0, quantity=0))
        fx.relate("set", "live_code", used.detail, used.merchant, 0)
        if view.clock.running:
            self._write_to_viewers(view, fx, bought)
            self._reserve(view, fx)
        return fx

    # ------------------------------------------------------------------------------------------------------ who watches

    def _show(self, merchant: Array, start: I64) -> U64:
        """The id of the show that starts then."""
        return draws.child(self.world.merchant_key[merchant], "live_show", self._rounds.number(merchant, start))

    def _audience(self, view: View) -> _Audience:
        """Those who had reserved and show up in this tick, and passers-by."""
        clock, local = view.clock, self._local
        last = np.full(local.size, clock.end - 1)
        local = local[self._rounds.running(local, last, clock.start)[1]]
        invited = self._invited(view, local)
        known = invited.session * self.world.m + invited.merchant
        parts = [invited, *(self._passing(view, merchant, known) for merchant in local.tolist())]
        return _Audience._make(np.concatenate(column) for column in zip(*parts, strict=True))

    def _invited(self, view: View, local: I64) -> _Audience:
        """Those who had reserved with one of these merchants and come."""
        reserved, merchant = view.relations("live_reserved"), view.relations("merchant").astype(np.int64)
        at = ((reserved >= 0) & np.isin(self.world.local_merchant(merchant), local)).nonzero()[0]
        session, merchant, reserved = view.related[at], merchant[at], reserved[at]
        start = self._rounds.next(merchant, reserved)
        show, user = self._show(merchant, start), view.sessions.user[session]
        since = self._arrival(merchant, start, show, user)
        here = self._shows_up(merchant, start - reserved, show, user)
        here &= (since >= view.clock.start) & (since < view.clock.end)
        cause = draws.child(show, "live_announcement")
        return _Audience(session, merchant, start, since, cause, np.ones(at.size, np.bool_)).where(here)

    def _passing(self, view: View, local: int, known: I64) -> _Audience:
        """Planned sessions that begin while this merchant is live, and step in; but not those known to come."""
        session = view.sessions.planned.nonzero()[0]
        user, time = view.sessions.user[session], view.sessions.time[session]
        merchant = self.world.world_of(user).astype(np.int64) * self.world.merchants + local
        start, on = self._rounds.running(merchant, time)
        on &= ~np.isin(session * self.world.m + merchant, known)
        cause = self._show(merchant, start)
        there = _Audience(session, merchant, start, time, cause, np.zeros(session.size, np.bool_)).where(on)
        contact = (_ties(view.relation("flags", there.session, there.merchant)) & (FOLLOWS | GROUP)) != 0
        taste = self.world.people["taste"][user[on], self.world.merchant["category"][there.merchant]]
        stranger = self._of["drop_in"][there.merchant] * taste * float(len(self.world.categories))
        p = np.where(contact, self._of["contact_drop_in"][there.merchant], stranger)
        return there.where(draws.chance("channels.live/drop_in", view.sessions.event[there.session], p, local))

    def _arrival(self, merchant: Array, start: I64, show: U64, user: Array) -> I64:
        """The second at which each who has reserved would come."""
        within = np.minimum(self._of["arrival_minutes"][merchant] * MINUTE, self._rounds.length[merchant])
        out: I64 = start + draws.below("channels.live/arrival", show, within, self.world.local_user(user))
        return out

    def _shows_up(self, merchant: Array, lead: Array, show: U64, user: Array) -> Bools:
        """Who comes, `lead` seconds after reserving."""
        of = self._of
        remembers = 1.0 / (1.0 + of["forgetting"][merchant] * (lead / DAY))
        p = of["attend"][merchant] * (remembers + (1.0 - remembers) * of["reminder"][merchant])
        return draws.chance("channels.live/show_up", show, p, self.world.local_user(user))

    # ------------------------------------------------------------------------------------------------------ in the room

    def _watch(self, view: View, fx: Effects, who: _Audience) -> None:
        """Viewers, the red packets that they get, and the goods that they see."""
        session, merchant, rows = who.session, who.merchant, self._viewed(view, who)
        stay = (draws.exponential("channels.live/stay", rows.event) * self._dwell[merchant]).astype(np.int64)
        stay = np.minimum(stay, who.start + self._rounds.length[merchant] - who.since)
        rows = rows.with_(detail=stay, amount=self._pays["game_yuan"][merchant])
        fx.event("live_viewed", rows)
        seen = np.full(len(view.sessions), NOBODY, np.int64)
        seen[session] = merchant
        fx.note("live_seen", seen)
        fx.post("fen", Postings.move(rows, "cash", merchant, "wallet", rows.user, rows.amount))
        first = (who.since - who.start) // self._pitch[merchant]
        last = (who.since - who.start + stay) // self._pitch[merchant]
        goods = self._shelf[merchant + 1] - self._shelf[merchant]
        owner, turn = expand.expand(first, first + np.minimum(last - first + 1, goods))
        product = self._shelf[merchant[owner]] + turn % np.maximum(goods[owner], 1)
        worth = (self._of["host"] + self._of["urgency"])[merchant[owner]]
        channel, cause = view.channel("live"), who.cause[owner]
        fx.expose(
            channel, session[owner], product, cause=cause, appeal=worth, salience=self._of["salience"][merchant[owner]]
        )

    def _viewed(self, view: View, who: _Audience) -> Records:
        """The visits to the room."""
        columns = {"cause": who.cause, "merchant": who.merchant, "quantity": who.reserved}
        index = self.world.local_merchant(who.merchant)
        return view.rows("live_viewed", who.session, index=index, channel=view.channel("live"), **columns)

    def _cheaper(self, fx: Effects, view: View, at: I64, share: str) -> None:
        """Take the merchant's share off the list price of these exposures."""
        shown = view.exposures
        basis = np.rint(self._of[share][shown.merchant[at]] * BASIS).astype(np.int64)
        fx.discount(at, self.world.product["price"][shown.product[at]] * basis // BASIS)

    def _stock_up(self, fx: Effects, view: View, at: I64) -> None:
        """Several pieces for those who stock up."""
        shown = view.exposures
        keen = draws.chance("channels.live/stock", view.keys[shown.session[at]], self._stockers[shown.merchant[at]])
        at = at[keen & (self._pieces[shown.product[at]] > 1)]
        fx.bundle(at, self._pieces[shown.product[at]])

    # ------------------------------------------------------------------------------------------------------- afterwards

    def _bought(self, view: View) -> Records:
        """What the sessions bought of merchants with shows; `detail` is the session, `peer` of their own order -1."""
        own, given = view.outcome("order"), view.outcome("gift_order")
        parts = [own.rows.with_(detail=own.session, peer=NOBODY).take(own.granted)]
        parts.append(given.rows.with_(detail=given.session).take(given.granted))
        rows = Records.concat(parts)
        return rows.take(self.on[rows.merchant])

    def _write_to_viewers(self, view: View, fx: Effects, bought: Records) -> None:
        """Send an article to viewers who bought nothing."""
        who, m = self._audience(view), self.world.m
        who = who.where(~np.isin(who.session * m + who.merchant, bought.detail * m + bought.merchant))
        merchant, rows = who.merchant, self._viewed(view, who)
        wait = np.rint(self._of["follow_up_hours"][merchant] * HOUR).astype(np.int64)
        time = who.start + self._rounds.length[merchant] + wait
        until = time + self._of["code_days"][merchant].astype(np.int64) * DAY
        event = draws.child(rows.event, "live_follow_up")
        article = rows.with_(time=time, cause=rows.event, event=event, detail=until, quantity=0)
        fx.message("live_follow_up", article)

    def _articles(self, view: View, fx: Effects) -> None:
        """Articles that viewers find; who opens one has its code and sees the best sellers."""
        found = view.inbox("live_follow_up")
        at = view.sessions.planned[found.session].nonzero()[0]
        rows, session = found.rows.take(at), found.session[at]
        announced.notice(view, fx, session, rows, rows.cause, channel=view.channel("live"))
        opens = draws.chance("channels.live/follow_up", rows.event, self._of["follow_up_open"][rows.merchant])
        rows, session = rows.take(opens), session[opens]
        until = np.where(self._of["code_discount"][rows.merchant] > 0.0, rows.detail, 0)
        fx.relate("set", "live_code", session, rows.merchant, until)
        owner, product = front(self._shelf, view.shared("product", "sold"), rows.merchant, self._goods[rows.merchant])
        channel, cause, salience = view.channel("live_follow_up"), rows.cause[owner], self._of["follow_up_salience"]
        fx.expose(channel, session[owner], product, cause=cause, salience=salience[rows.merchant[owner]])

    def _holds(self, view: View, session: I64, merchant: Array) -> Bools:
        """Who holds a code that outlasts this tick."""
        out: Bools = view.relation("live_code", session, merchant) >= view.clock.end
        return out

    # ----------------------------------------------------------------------------------------------------- reservations

    def _reserve(self, view: View, fx: Effects) -> None:
        """Who meets an announcement in this session, reserves, and will come."""
        sent = view.content("live_announcement")
        sent = sent.take(sent.detail >= view.clock.end)
        if sent.n == 0:
            return
        post, of = announced.which_is_out(sent, self.world.m), self._of
        met = (
            self._to_fans(view, fx, sent, post),
            self._to_contacts(view, post),
            announced.readers(view, "channels.live/article", post, of["article"]),
            announced.visitors(view, "channels.live/page", post, of["page"]),
        )
        session, merchant = np.divmod(np.unique(np.concatenate(met)), self.world.m)
        rows, user = sent.take(post[merchant]), view.sessions.user[session]
        p = self._of["reserve"][merchant] * (0.5 + view.relation("loyalty", session, merchant, 0.5))
        wants = draws.chance("channels.live/reserve", rows.event, p, self.world.local_user(user))
        wants &= view.relation("live_reserved", session, merchant, NOBODY) < rows.time
        wants &= view.has_room(session, merchant)
        self._take_places(view, fx, session[wants], rows.take(wants))

    def _take_places(self, view: View, fx: Effects, session: I64, met: Records) -> None:
        """Reservations for the shows that these announcements tell of; who will come, and the reminders."""
        merchant, start, tick = met.merchant, met.detail, view.clock.end - view.clock.start
        columns = {"merchant": merchant, "channel": view.channel("live"), "detail": start}
        index = self.world.local_merchant(merchant)
        rows = view.rows("live_reserved", session, index=index, cause=met.event, **columns)
        fx.event("live_reserved", rows)
        fx.relate("set", "live_reserved", session, merchant, rows.time)
        show = self._show(merchant, start)
        comes = self._shows_up(merchant, start - rows.time, show, rows.user)
        fx.wake(rows.with_(time=self._arrival(merchant, start, show, rows.user), cause=rows.event).take(comes))
        early = start - (self._of["remind_minutes"][merchant] * MINUTE).astype(np.int64)
        time = np.clip(early, rows.time, start // tick * tick - 1)
        reminder = rows.with_(time=time, event=draws.child(rows.event, "live_reminder"), cause=rows.event)
        fx.message("live_reminder", reminder.take(self._of["reminder"][merchant] > 0.0))

    def _to_fans(self, view: View, fx: Effects, sent: Records, post: I64) -> I64:
        """Fans who notice the message to them: session · m + merchant."""
        session, found = announced.fans(view, "channels.live/push", sent, post, self._of["push"])
        announced.notice(view, fx, session, found, found.event, channel=view.channel("live"))
        out: I64 = session * self.world.m + found.merchant
        return out

    def _to_contacts(self, view: View, post: I64) -> I64:
        """Fans and group members who see the post in Moments: session · m + merchant."""
        now, merchant = view.sessions, view.relations("merchant").astype(np.int64)
        looks = view.scratch.get("surface_moments", np.zeros(len(now), np.bool_))
        contact = (_ties(view.relations("flags")) != 0) & (post[merchant] >= 0)
        at = (contact & (looks & now.planned)[view.related]).nonzero()[0]
        session, merchant = view.related[at], merchant[at]
        local, seen = self.world.local_merchant(merchant), self._of["moments"][merchant]
        out: I64 = session * self.world.m + merchant
        return out[draws.chance("channels.live/moments", now.event[session], seen, local)]


def _ties(flags: Array) -> Array:
    """By which ties a merchant still reaches a user: FOLLOWS, GROUP."""
    return np.where((flags & MUTED) == 0, flags & (FOLLOWS | GROUP), 0)
