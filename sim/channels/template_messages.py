"""Subscribed notices of the mini-program (模板消息 / 订阅通知): customers asked for them, and many open them.

*Order status.* Who orders in the mini-program (on its pages, or with it in her list from anywhere but the store's own
cards) is asked at the till whether she wants to be told; `order_consent` do. When the parcel arrives a notice goes out;
opened, it leads by one tap into the mini-program, to the goods that it shows first.

*Back in stock.* Whose order there was refused because it was sold out may ask to be told (`restock_consent`), of one
product of a merchant at a time, for `wait_days` at most. When pieces come back to an empty shelf the merchant publishes
it; those who wait find a notice in their next session, once; opened, it shows them the product with more appeal.

Notices wait where she sees them: all are noticed, count towards her fatigue, and are opened with their rates (facts:
service_account.subscribed_notice_open, 0.2 to 0.5). The platform shows at most so many reminders of a merchant in a
session, and there is at most one a day of her own (rule ``reminders_per_customer_per_day``, facts: private_domain);
reminders of carts (`channels.cart`) count first. Who muted the merchant gets none.

It cannot: tell of points that lapse, of parcels on their way, or be sent to people who did not ask.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.kernels import segments
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import DAY, I64, NOBODY, Array, Bools
from sim.world.doors import leads_in
from sim.world.shelf import front, shelf
from sim.world.state import MUTED, Column

ORDER, RESTOCK = 0, 1  # what a notice is about: `detail`
_OPEN = "facts: service_account.subscribed_notice_open"


class TemplateMessagesParams(Params):
    """Who asks to be told, and what a notice leads to."""

    needs = ("channels.mini_program",)
    moot = {
        "order_open": "order_consent",
        "goods": "order_consent",
        "restock_open": "restock_consent",
        "wait_days": "restock_consent",
        "restock_appeal": "restock_consent",
    }
    lively = {"order_consent": (1.0,), "restock_consent": (1.0,)}

    order_consent: float = param(
        0.5, "buyers in the mini-program who ask for notices of the order", unit="probability", ge=0, le=1
    )
    restock_consent: float = param(
        0.5, "buyers refused for want of stock who ask to be told", unit="probability", ge=0, le=1
    )
    order_open: float = param(0.35, "notices of orders that are opened", unit="probability", source=_OPEN, ge=0, le=1)
    restock_open: float = param(
        0.5, "notices of goods that are back that are opened", unit="probability", source=_OPEN, ge=0, le=1
    )
    wait_days: int = param(30, "days after which she does not wait any more", unit="days", ge=1, le=365)
    goods: int = param(3, "goods that an opened notice of an order shows", unit="goods", ge=0, le=50)
    restock_appeal: float = param(1.0, "utility added to what she waited for", unit="utility", ge=-10, le=10)
    salience: float = param(2.0, "how much what it leads to catches the eye", unit="utility", ge=-10, le=20)


class TemplateMessages(Mechanism):
    """Tells those who asked, and leads them into the mini-program."""

    Params = TemplateMessagesParams
    clicks = {"template_messages": 0.5}  # assumed
    columns = (
        Column("slot", "awaited", np.int32, NOBODY, "product of which she wants to hear when it is back; -1 none"),
        Column("slot", "awaited_since", np.int32, 0, "second at which she asked"),
    )
    kinds = {
        "order_notice": Kind("a parcel arrived; she is told if she asked; detail is the delivery's id", stage="last"),
        "order_news": Kind("message to the buyer; cause is subscribed_notice"),
        "subscribed_notice": Kind(
            "a notice that she asked for; detail 0: her parcel has arrived, 1: a product is back",
            says="{user} gets a notice of {merchant} about {product}, as she asked for",
        ),
        "back_in_stock": Kind("pieces came back to an empty shelf", says="{merchant} has {product} ({variant}) again"),
        "notice_opened": Kind(
            "she opened a notice", detail=True, says="{user} opens the notice of {merchant} about {product}"
        ),
        "notice_held_back": Kind(
            "a notice beyond the platform's cap",
            detail=True,
            says="{merchant} has reminded {user} too often for a notice about {product}",
        ),
    }
    settles = ("delivery", "order_notice", "restock", "put_back")

    def prepare(self) -> None:
        self._order_consent = self.per_merchant("order_consent")
        self._restock_consent = self.per_merchant("restock_consent")
        self._rate = np.stack(
            [self.per_merchant("order_open"), self.per_merchant("restock_open")]
        )  # (about, merchants)
        self._wait = self.per_merchant("wait_days", 0, np.int64) * DAY
        self._goods = self.per_merchant("goods", 0, np.int64)
        self._appeal, self._salience = self.per_merchant("restock_appeal"), self.per_merchant("salience")
        self._shelf = shelf(self.world)

    # -------------------------------------------------------------------------------------------------- asking for it

    def respond(self, view: View) -> Effects:
        """Buyers who ask to be told how it goes on, and refused ones to be told when it is back."""
        out = view.outcome("order")
        at = self.on[out.rows.merchant].nonzero()[0]
        if not at.size:
            return EMPTY
        rows, session, granted = out.rows.take(at), out.session[at], out.granted[at]
        inside = leads_in(view.relation("flags", session, rows.merchant), rows.channel, view.channels)
        fx = Effects()
        paid = rows.event[granted & inside]
        asks = draws.chance(
            "channels.template_messages/order", paid, self._order_consent[rows.merchant[granted & inside]]
        )
        fx.open_subject(draws.child(paid[asks], "order_notice"))
        waits = inside & ~granted
        waits &= draws.chance("channels.template_messages/restock", rows.event, self._restock_consent[rows.merchant])
        rows, session = rows.take(waits), session[waits]
        fx.relate("set", "awaited", session, rows.merchant, rows.product)
        fx.relate("set", "awaited_since", session, rows.merchant, rows.time)
        return fx

    # ---------------------------------------------------------------------------------------------------- telling her

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        mine = granted & self.on[rows.merchant]
        if kind == "delivery":
            mine &= rows.peer < 0
        rows, fx = rows.take(mine), Effects()
        if not rows.n:
            return EMPTY
        if kind == "delivery":
            notice = draws.child(rows.cause, "order_notice")  # is a subject of its own, open if she asked for it
            about = rows.with_(time=rows.time + 1, event=notice, cause=notice, detail=rows.event.view(np.int64))
            fx.request("order_notice", about)
        elif kind == "order_notice":
            cause = rows.detail.view(np.uint64)
            told = rows.with_(channel=view.channel("template_messages"), cause=cause, detail=ORDER, amount=0)
            fx.event("subscribed_notice", told)
            fx.message("order_news", told.with_(event=draws.child(told.event, "order_news"), cause=told.event))
        else:
            self._back(view, fx, rows)
        return fx

    def _back(self, view: View, fx: Effects, rows: Records) -> None:
        """What was shown sold out, and is there again; the opening stock is no news."""
        empty = view.shared("variant", "stock")[rows.variant] <= 0
        rows = rows.take(empty & (rows.time > 0))
        event = draws.child(rows.event, "back_in_stock")
        news = rows.with_(event=event, cause=rows.event, quantity=-rows.quantity, detail=0)
        fx.event("back_in_stock", news)
        fx.publish("back_in_stock", news)

    # ---------------------------------------------------------------------------------------------------- reading it

    def expose(self, view: View) -> Effects:
        """Notices that she finds, those that she opens, and where they lead."""
        fx = Effects()
        parts = [self._order_news(view), self._restock_news(view, fx)]
        rows, session = Records.concat([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        if not rows.n:
            return fx
        order = np.lexsort((rows.event, rows.time, rows.merchant, session))
        rows, session = rows.take(order), session[order]
        fits = self._before(view, session, rows.merchant) < view.rules["reminders_per_customer_per_day"]
        fx.event("notice_held_back", _at(view, "notice_held_back", rows.take(~fits), session[~fits]))
        rows, session = rows.take(fits), session[fits]
        fx.event("subscribed_notice", rows.take(rows.detail == RESTOCK))
        told = rows.with_(cause=np.where(rows.detail == RESTOCK, rows.event, rows.cause))
        fx.event("notice", _at(view, "notice", told, session))
        fx.relate("add", "notices", session, rows.merchant, 1.0)
        opens = draws.chance("channels.template_messages/open", rows.event, self._rate[rows.detail, rows.merchant])
        told, session = told.take(opens), session[opens]
        fx.event("notice_opened", _at(view, "notice_opened", told, session))
        self._lead(view, fx, told, session)
        return fx

    def _order_news(self, view: View) -> tuple[Records, I64]:
        inbox = view.inbox("order_news")
        if not inbox.rows.n:
            return inbox.rows, inbox.session
        at = self._hears(view, inbox.session, inbox.rows.merchant)
        return inbox.rows.take(at), inbox.session[at]

    def _restock_news(self, view: View, fx: Effects) -> tuple[Records, I64]:
        """News for those who wait for a product: the first since they asked; then they wait no more."""
        none, news = np.zeros(0, np.int64), view.content("back_in_stock")
        awaited = view.relations("awaited")
        at = (awaited >= 0).nonzero()[0]
        if not at.size or not news.n:
            return Records(0), none
        session, merchant = view.related[at], view.relations("merchant")[at]
        product, since = awaited[at].astype(np.int64), view.relations("awaited_since")[at].astype(np.int64)
        order = np.argsort(news.product, kind="stable")  # of one product in order of time
        product_of, time_of = news.product[order].astype(np.int64), news.time[order]
        span = view.clock.end + 1
        place = np.searchsorted(product_of * span + time_of, product * span + np.minimum(since, span - 1), side="right")
        found = np.minimum(place, news.n - 1)
        hit = (place < news.n) & (product_of[found] == product) & self._hears(view, session, merchant)
        hit &= time_of[found] <= since + self._wait[merchant]
        session, merchant, which = session[hit], merchant[hit], order[found[hit]]
        fx.relate("set", "awaited", session, merchant, NOBODY)
        user, told = view.sessions.user[session], news.take(which)
        rows = told.with_(
            time=view.sessions.time[session],
            event=draws.child(told.event, "subscribed_notice", self.world.local_user(user)),
            cause=told.event,
            user=user,
            channel=view.channel("template_messages"),
            quantity=0,
            detail=RESTOCK,
        )
        return rows, session

    def _hears(self, view: View, session: I64, merchant: Array) -> Bools:
        muted = (view.relation("flags", session, merchant) & MUTED) != 0
        out: Bools = self.on[merchant] & view.sessions.planned[session] & ~muted
        return out

    def _before(self, view: View, session: I64, merchant: Array) -> I64:
        """How many reminders of the merchant each of these (ordered by session and merchant) finds before it."""
        pair = session * self.world.m + merchant
        carts = view.inbox("cart_reminder")
        theirs = np.sort(carts.session * self.world.m + carts.rows.merchant)
        return segments.rank(pair) + np.searchsorted(theirs, pair, "right") - np.searchsorted(theirs, pair, "left")

    def _lead(self, view: View, fx: Effects, told: Records, session: I64) -> None:
        """Into the mini-program: to what came back, or to what it shows first."""
        channel, back = view.channel("template_messages"), told.detail == RESTOCK
        news, there = told.take(back), session[back]
        appeal, salience = self._appeal[news.merchant], self._salience[news.merchant]
        fx.expose(channel, there, news.product, cause=news.cause, appeal=appeal, salience=salience)
        told, session = told.take(~back), session[~back]
        if told.n:
            most = int(self._goods.max())
            owner, product = front(self._shelf, view.shared("product", "sold"), told.merchant, most)
            kept = segments.rank(owner) < self._goods[told.merchant[owner]]
            owner, product = owner[kept], product[kept]
            salience = self._salience[told.merchant[owner]]
            fx.expose(channel, session[owner], product, cause=told.cause[owner], salience=salience)


def _at(view: View, kind: str, rows: Records, session: I64) -> Records:
    """What these sessions do with notices: children of each."""
    return rows.with_(time=view.sessions.time[session], event=draws.child(rows.event, kind), detail=0)
