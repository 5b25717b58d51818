"""The code at the counter (门店二维码): visitors of the merchant's own shop scan it, follow, send a small gift online.

*Visits.* Some people live near the shop, for good: the share `nearby` of their city tier (of those who open WeChat at
all; others leave no trace here). Each of them comes in on a day with the chance

    visits_per_week / (5 + 2 · weekend) · (weekend on Saturdays and Sundays, else 1),

at a second between `opens` and `closes`. A visitor scans the code with the chance `scan`, and is in WeChat then, in
the tick after her visit, with nothing else in mind. She follows the service account with the chance `follow` and
keeps the mini-program with the chance `mini_program` (0 where the merchant has none).

*The small gift.* With the chance `invite` she is asked to send a friend the merchant's cheapest gift packet, unless
she did so in the last `pause_days`. She pays `gift_yuan` for it (at most its price); if that is 0, the shop pays (B2C).
She does it with

    log-odds = log(takes / (1 − takes)) − per_yuan · gift_yuan · her price sensitivity.

The friend is one of her ties, drawn by Dunbar layer. From then on it is a gift packet as any other (`gift_order`;
`offers.gift_packet` must be on): the friend accepts or lets it expire, and meets the shop. A gift that the shop pays
for moves no money into escrow; goods and parcel of the accepted ones are paid from its cash.

*In the ledger*: shop_visit → scanned → follow, mini_program_added, gift_sent → gift_claimed, each the cause of the
next; what the friend orders later carries her number.

It cannot: sell in the shop itself, move people between shop and web (visits are given), ask twice in a visit, or tell
a friend who would enjoy the gift from one who only takes it.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.elementary import log
from sim.kernels import choice, expand, segments
from sim.ledger.schema import Records
from sim.params import Params, Share, Weight, param
from sim.units import DAY, HOUR, I64, Array, Bools, fen
from sim.world.giving import can_be_given
from sim.world.shelf import cheapest
from sim.world.state import FOLLOWS, MINI, Column

SATURDAY = 5
DAYS = 4_096  # numbers set aside for the days of a scenario


class OfflineQrParams(Params):
    """Who comes to the shop, and what the code at the counter leads to."""

    needs = ("channels.service_account | channels.mini_program | offers.gift_packet",)
    moot = {
        "follow": "channels.service_account",
        "mini_program": "channels.mini_program",
        "invite": "offers.gift_packet",
        **dict.fromkeys(("gift_yuan", "takes", "per_yuan", "pause_days", "layer_weights"), "invite"),
    }
    lively = {"visits_per_week": (5.0, 1.0), "nearby": ([1.0] * 4,), "scan": (1.0,), "invite": (1.0, 0.0)}

    nearby: tuple[Share, Share, Share, Share] = param(
        (0.2, 0.1, 0.05, 0.05), "people who live near the shop, by city tier 1 to 4", unit="share"
    )
    visits_per_week: float = param(0.3, "visits of each of them", unit="visits per week", ge=0, le=5)
    weekend: float = param(1.8, "visits on a day of the weekend, relative to a weekday", unit="relative", ge=0, le=20)
    opens: int = param(10, "hour at which the shop opens", unit="hour of the day", ge=0, le=22)
    closes: int = param(21, "hour at which it closes", unit="hour of the day", ge=1, le=24)
    scan: float = param(0.2, "visitors who scan the code", unit="share", ge=0, le=1)
    follow: float = param(0.4, "of these, who follow the service account", unit="share", ge=0, le=1)
    mini_program: float = param(0.2, "of these, who keep the mini-program", unit="share", ge=0, le=1)
    invite: float = param(0.0, "of these, who are asked to send a gift", unit="share", ge=0, le=1)
    gift_yuan: float = param(0.0, "what the visitor pays for it; 0: the shop pays", unit="yuan", ge=0, le=10_000)
    takes: float = param(0.5, "of those asked, who send it if it is free", unit="share", gt=0, lt=1)
    per_yuan: float = param(0.25, "log-odds lost per yuan that she pays", unit="log-odds per yuan", ge=0, le=10)
    pause_days: int = param(30, "days before she may send the next one", unit="days", ge=0, le=3_650)
    layer_weights: tuple[Weight, Weight, Weight, Weight] = param(
        (1.0, 0.4, 0.1, 0.03), "weight of a tie as recipient, by Dunbar layer", unit="relative"
    )


class OfflineQr(Mechanism):
    """Brings visitors of the shop online, and with a gift their friends."""

    Params = OfflineQrParams
    columns = (Column("slot", "counter_gift", np.int16, -1, "day on which she last sent a gift from the counter"),)
    kinds = {
        "shop_day": Kind("the shop opens on a day", stage="plain"),
        "shop_visit": Kind("a person comes to the shop", stage="plain", says="{user} comes to the shop of {merchant}"),
        "shop_code": Kind("message to a visitor who scanned the code; cause is the visit", wakes=True),
        "scanned": Kind(
            "a visitor scanned the code; cause is the visit", says="{user} scans the code at the counter of {merchant}"
        ),
    }
    settles = ("shop_day", "shop_visit")

    def prepare(self) -> None:
        world = self.world
        self._scan, self._follow, self._mini = (self.per_merchant(name) for name in ("scan", "follow", "mini_program"))
        self._invite, self._per_yuan = self.per_merchant("invite"), self.per_merchant("per_yuan")
        self._takes = self.per_merchant("takes", 0.5)
        self._price = self.per_merchant(lambda p: fen(p.gift_yuan), 0, np.int64)
        self._pause = self.per_merchant("pause_days", 0, np.int64)
        self._opens = self.per_merchant("opens", 0, np.int64) * HOUR
        self._open_for = np.maximum(self.per_merchant("closes", 0, np.int64) * HOUR - self._opens, 1)
        weekend = self.per_merchant("weekend", 1.0)
        weekday = self.per_merchant("visits_per_week") / (5.0 + 2.0 * weekend)
        self._comes = np.stack([weekday, weekday * weekend])  # chance on a weekday, and on a day of the weekend
        weights = [(1.0,) * 4 if p is None else p.layer_weights for p in self.p]
        self._ties = log(np.maximum(np.array(weights).reshape(world.m, 4), 1e-300))
        near = [self._neighbours(merchant) for merchant in range(world.m)]
        self._near = np.concatenate([np.zeros(0, np.int64), *near])
        self._begin = np.cumsum([0, *(some.size for some in near)])

    def _neighbours(self, merchant: int) -> I64:
        """Those who live near a merchant's shop."""
        p, world = self.p[merchant], self.world
        if p is None:
            return np.zeros(0, np.int64)
        first = merchant // world.merchants * world.users
        user = np.arange(first, first + world.users)
        share = np.array(p.nearby)[world.people["tier"][user].astype(np.int64) - 1]
        share = np.where(world.people["activity"][user] > 0, share, 0.0)
        return user[
            draws.chance("channels.offline_qr/near", world.user_key[user], share, int(merchant % world.merchants))
        ]

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        shops = np.flatnonzero(np.diff(self._begin) > 0)
        merchant, day = np.repeat(shops, days), np.tile(np.arange(days), shops.size)
        event = draws.child(self.world.merchant_key[merchant], "shop_day", day)
        return {"shop_day": Records(day.size, time=day * DAY, event=event, merchant=merchant, detail=day)}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        if kind == "shop_day":
            self._open(view, fx, rows)
        else:
            fx.event("shop_visit", rows)
            self._hand_code(view, fx, rows)
        return fx

    def _open(self, view: View, fx: Effects, rows: Records) -> None:
        """Who comes to the shop on that day, and when."""
        merchant = rows.merchant.astype(np.int64)
        owner, place = expand.expand(self._begin[merchant], self._begin[merchant + 1])
        user, merchant, day = self._near[place], merchant[owner], rows.detail[owner]
        key, number = self.world.user_key[user], self.world.local_merchant(merchant) * DAYS + day
        free = (view.calendar.weekday[day] >= SATURDAY).astype(np.int64)
        comes = draws.chance("channels.offline_qr/comes", key, self._comes[free, merchant], number)
        user, merchant, day, key, number = user[comes], merchant[comes], day[comes], key[comes], number[comes]
        second = draws.below("channels.offline_qr/second", key, self._open_for[merchant], number)
        visits = Records(
            user.size,
            time=day * DAY + self._opens[merchant] + second,
            event=draws.child(key, "shop_visit", number),
            user=user,
            merchant=merchant,
            channel=view.channel("offline_qr"),
        )
        fx.request("shop_visit", visits)

    def _hand_code(self, view: View, fx: Effects, rows: Records) -> None:
        """Visitors who scan the code open WeChat."""
        scans = draws.chance("channels.offline_qr/scan", rows.event, self._scan[rows.merchant])
        scanned = rows.take(scans)
        code = scanned.with_(
            event=draws.child(scanned.event, "shop_code"), cause=scanned.event, time=view.clock.end - 1
        )
        fx.message("shop_code", code)
        fx.wake(code.with_(time=view.clock.end))

    # ------------------------------------------------------------------------------------------- in WeChat

    def checkout(self, view: View) -> Effects:
        """The scans, and the small gifts of those who are asked to send one."""
        found = view.inbox("shop_code")
        if not found.rows.n:
            return EMPTY
        fx, rows, session = Effects(), found.rows, found.session
        seen = rows.with_(time=view.sessions.time[session], event=draws.child(rows.cause, "scanned"))
        fx.event("scanned", seen)
        if self._invite.any() and view.clock.running:
            self._give(view, fx, session, seen)
        return fx

    def respond(self, view: View) -> Effects:
        """Who follows, and who keeps the mini-program."""
        found = view.inbox("shop_code")
        if not found.rows.n:
            return EMPTY
        fx, rows, session = Effects(), found.rows, found.session
        flags, room = (
            view.relation("flags", session, rows.merchant),
            view.has_room(session, rows.merchant, segments.rank(session)),
        )
        follows = draws.chance("channels.offline_qr/follow", rows.cause, self._follow[rows.merchant])
        keeps = draws.chance("channels.offline_qr/mini_program", rows.cause, self._mini[rows.merchant])
        self._join(view, fx, "follow", FOLLOWS, (follows & room & (flags & FOLLOWS == 0)).nonzero()[0])
        self._join(view, fx, "mini_program_added", MINI, (keeps & room & (flags & MINI == 0)).nonzero()[0])
        sent = view.outcome("gift_order")
        counter = (sent.granted & (sent.rows.channel == view.channel("offline_qr"))).nonzero()[0]
        fx.relate("set", "counter_gift", sent.session[counter], sent.rows.merchant[counter], view.clock.day)
        return fx

    def _join(self, view: View, fx: Effects, kind: str, flag: int, at: I64) -> None:
        """Set a flag for those of the scans, once per person and merchant, and write it down."""
        found = view.inbox("shop_code")
        pair = found.session[at] * self.world.m + found.rows.merchant[at]
        at = at[np.unique(pair, return_index=True)[1]]
        rows, session = found.rows.take(at), found.session[at]
        scanned = draws.child(rows.cause, "scanned")
        event = draws.child(scanned, kind)
        fx.event(kind, rows.with_(time=view.sessions.time[session], event=event, cause=scanned))
        fx.relate("or", "flags", session, rows.merchant, flag)
        if flag == FOLLOWS:
            fx.tally("merchant", "fans", rows.merchant)

    # ------------------------------------------------------------------------------------------- the small gift

    def _give(self, view: View, fx: Effects, session: I64, seen: Records) -> None:
        """Gifts of those who are asked, agree and have a friend; one for each session."""
        at, product = self._asked(view, session, seen)
        at = at[segments.first(session[at])]
        merchant = seen.merchant[at]
        yuan = self._price[merchant] / 100.0 * view.person("price_sensitivity")[session[at]]
        odds = log(self._takes[merchant] / (1.0 - self._takes[merchant])) - self._per_yuan[merchant] * yuan
        at = at[draws.chance("channels.offline_qr/takes", seen.event[at], choice.logistic(odds))]
        owner, friend = self._friends(view, session[at], seen.take(at))
        at = at[owner]
        gift = product[seen.merchant[at]]
        listed = self.world.product["price"][gift]
        price = np.minimum(self._price[seen.merchant[at]], listed)
        styles = self.world.variant_start[gift + 1] - self.world.variant_start[gift]
        style = draws.below("channels.offline_qr/style", seen.event[at], styles)
        rows = seen.take(at).with_(
            event=draws.child(seen.event[at], "gift_order"),
            cause=seen.event[at],
            peer=friend,
            product=gift,
            variant=self.world.variant_start[gift] + style,
            quantity=1,
            amount=price,
            detail=listed - price,
        )
        fx.request("gift_order", rows)

    def _asked(self, view: View, session: I64, seen: Records) -> tuple[I64, I64]:
        """The scans whose visitor is asked, in order of session; and each merchant's small gift, -1 for none."""
        allowed = can_be_given(self.world, view.shared("product", "gift_on"), view.rules)
        product = cheapest(self.world, allowed.nonzero()[0])
        last = view.relation("counter_gift", session, seen.merchant, -1).astype(np.int64)
        rested = (last < 0) | (view.clock.day - last >= self._pause[seen.merchant])
        asked = draws.chance("channels.offline_qr/invite", seen.event, self._invite[seen.merchant])
        at = (asked & rested & (product[seen.merchant] >= 0)).nonzero()[0]
        return at[np.argsort(session[at], kind="stable")], product

    def _friends(self, view: View, session: I64, seen: Records) -> tuple[I64, Array]:
        """A friend for each of these gifts: (position, friend); who has none gives none."""
        graph, user = self.world.graph, view.sessions.user[session]
        owner, tie = expand.expand(graph.indptr[user], graph.indptr[user + 1])
        friend, layer = graph.indices[tie].astype(np.int64), graph.layers(user[owner], tie).astype(np.int64)
        noise = draws.gumbel("channels.offline_qr/friend", seen.event[owner], self.world.local_user(friend))
        liking = self._ties[seen.merchant[owner], layer] + noise
        best = segments.argmax(owner, liking, friend.astype(np.uint64))
        return owner[best], friend[best]
