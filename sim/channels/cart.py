"""The cart (购物车) of the mini-program: what she liked and did not buy waits there, and she may be reminded of it.

*Putting in.* Who saw a page in the mini-program (its own pages, or pages to which its place in her list led) and did
not buy the product puts it into her cart with odds

    put / (1 − put) · exp(appeal_weight · appeal + loyalty_weight · (loyalty − ½)
                          − price_weight · sensitivity · log(p / p₀)),

so a middling product at its customary price p₀ goes in with the chance `put`; what is dearer, shown with less appeal
or by a less familiar merchant goes in more seldom. Of several things of a merchant she puts in the one with the best
odds. The cart holds one thing of a merchant at a time, and stands in her own row (slot columns).

*Leaving.* It is *bought*, by an order of her own from wherever, or *abandoned* after `keep_days`: each thing that was
put in ends in exactly one of the two. She looks into her cart of her own accord now and then (`returns`).

*Recall.* Of those who allow it (`consent`), whoever has not bought is reminded `reminder_hours` after she put it in,
and as long again after that, `reminders` times at most. The platform shows her at most so many reminders of a
merchant in a session, and she has at most one of her own a day (rule ``reminders_per_customer_per_day``, facts:
private_domain). A reminder that is shown counts towards her fatigue; it is opened with the chance
``open_rate · (½ + loyalty)`` (facts: service_account.subscribed_notice_open) and shows the product with more appeal,
and perhaps at a price of its own.

A reminder reaches buyers and others alike: who would have come back by herself is counted among those recalled, and
gets the price too.

It cannot: hold several things of a merchant, react to a fall of the price, or be shared.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.elementary import exp, log
from sim.kernels import segments
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import DAY, F64, HOUR, I64, NOBODY, U64, Array, Bools
from sim.world.doors import leads_in
from sim.world.state import MUTED, Column

_NEVER = -1e6  # appeal under which she does not even look: the page did not load, or she looks for a gift
_BASIS = 10_000
_STEEPEST = 20.0  # log-odds beyond which nothing changes


class CartParams(Params):
    """Who puts things into the cart, and how they are called back."""

    needs = ("channels.mini_program",)
    moot = dict.fromkeys(("consent", "reminder_hours", "open_rate", "reminder_appeal", "reminder_off"), "reminders")
    lively = {"put": (0.8, 1.0), "consent": (1.0,), "open_rate": (0.9,)}

    put: float = param(
        0.05, "pages of middling products seen and not bought that end in the cart", unit="probability", ge=0, le=1
    )
    appeal_weight: float = param(0.5, "log-odds per unit of appeal", unit="log-odds", ge=0, le=10)
    loyalty_weight: float = param(1.0, "log-odds of full loyalty over none", unit="log-odds", ge=0, le=10)
    price_weight: float = param(
        1.0, "log-odds lost with the log of price over customary price", unit="log-odds", ge=0, le=10
    )
    keep_days: int = param(14, "days until it is abandoned", unit="days", ge=1, le=50)
    returns: float = param(
        0.4, "chance to look into the cart of her own accord, per session", unit="probability", ge=0, le=1
    )
    kept_appeal: float = param(
        3.5, "utility added to what lies in the cart (with `returns`: about seven carts in ten are abandoned)",
        unit="utility", source="Baymard Institute 2024, mean of 49 studies of cart abandonment: 70 %", ge=-10, le=10,
    )  # fmt: skip
    salience: float = param(2.0, "how much it catches the eye", unit="utility", ge=-10, le=20)
    consent: float = param(0.5, "who allows reminders, of those who put something in", unit="probability", ge=0, le=1)
    reminders: int = param(1, "most reminders of a thing", unit="reminders", ge=0, le=10)
    reminder_hours: float = param(24.0, "hours to the first reminder, and to each other", unit="hours", gt=0, le=720)
    open_rate: float = param(
        0.35, "reminders shown that a middling customer opens", unit="probability",
        source="facts: service_account.subscribed_notice_open", ge=0, le=1,
    )  # fmt: skip
    reminder_appeal: float = param(0.5, "utility added by an opened reminder", unit="utility", ge=-10, le=10)
    reminder_off: float = param(0.0, "taken off its price for who opens a reminder", unit="share", ge=0, le=1)


class Cart(Mechanism):
    """Keeps what visitors of the mini-program liked, and reminds them of it."""

    Params = CartParams
    clicks = {"cart": 0.85}  # assumed
    columns = (
        Column("slot", "cart_product", np.int32, NOBODY, "what of the merchant lies in her cart; -1 nothing"),
        Column("slot", "cart_since", np.int32, 0, "second at which she put it there"),
    )
    kinds = {
        "cart_recall": Kind("time to remind her, if it still lies there", stage="once"),
        "cart_expiry": Kind("time to give it up, if it still lies there", stage="once"),
        "cart_reminder": Kind("message to her; cause is cart_recalled, detail the second at which she put it in"),
        "cart_added": Kind(
            "put into the cart; amount is the price shown",
            says="{user} puts {product} of {merchant} into her cart at {amount}",
        ),
        "cart_recalled": Kind(
            "a reminder went out; cause is cart_added, detail the second at which she put it in",
            says="{merchant} reminds {user} of {product}, in her cart since {detail:when}",
        ),
        "cart_opened": Kind(
            "she opened a reminder", detail=True, says="{user} opens the reminder of {merchant} about {product}"
        ),
        "cart_bought": Kind(
            "what lay in the cart was bought; cause is the order, amount what she paid",
            says="{user} has bought {product} of {merchant}, which lay in her cart",
        ),
        "cart_abandoned": Kind(
            "what lay in the cart was given up; cause is cart_added", says="{user} gives up {product} in her cart"
        ),
    }
    settles = ("cart_recall", "cart_expiry")

    def prepare(self) -> None:
        self._put, self._consent = self.per_merchant("put"), self.per_merchant("consent")
        self._appeal, self._loyalty = self.per_merchant("appeal_weight"), self.per_merchant("loyalty_weight")
        self._price = self.per_merchant("price_weight")
        self._keep = self.per_merchant("keep_days", 0, np.int64) * DAY
        self._returns, self._open = self.per_merchant("returns"), self.per_merchant("open_rate")
        self._kept_appeal, self._reminded = self.per_merchant("kept_appeal"), self.per_merchant("reminder_appeal")
        self._salience = self.per_merchant("salience")
        self._reminders = self.per_merchant("reminders", 0, np.int64)
        self._hours = self.per_merchant(lambda p: max(round(p.reminder_hours * HOUR), 1), 1, np.int64)
        self._off = self.per_merchant(lambda p: round(p.reminder_off * _BASIS), 0, np.int64)
        product = self.world.product
        self._customary = product.get("customary", product["price"])

    # ----------------------------------------------------------------------------------------------- back to the cart

    def deliver(self, view: View) -> Effects:
        """What was given up is forgotten."""
        product, merchant = view.relations("cart_product"), view.relations("merchant")
        until = view.relations("cart_since") + self._keep[merchant]
        at = ((product >= 0) & (until < view.clock.start)).nonzero()[0]
        if not at.size:
            return EMPTY
        fx = Effects()
        fx.relate("set", "cart_product", view.related[at], merchant[at], NOBODY)
        return fx

    def expose(self, view: View) -> Effects:
        """What lies in the carts of those who look there, or open a reminder."""
        full = ((view.relations("cart_product") >= 0) & view.sessions.planned[view.related]).nonzero()[0]
        if not full.size or not view.clock.running:
            return EMPTY
        fx = Effects()
        session, merchant = view.related[full], view.relations("merchant")[full]
        kept = self._lies(view, session, merchant) & ~view.gift_minded[session]
        session, merchant = session[kept], merchant[kept]
        event, number = view.sessions.event[session], self.world.local_merchant(merchant)
        looks = draws.chance("channels.cart/returns", event, self._returns[merchant], number)
        self._show(view, fx, session[looks], merchant[looks], event[looks])
        self._reminders_read(view, fx)
        return fx

    def _reminders_read(self, view: View, fx: Effects) -> None:
        """Reminders that are shown, counted, and perhaps opened."""
        inbox = view.inbox("cart_reminder")
        if not inbox.rows.n:
            return
        rows, session = inbox.rows, inbox.session
        there = self._lies(view, session, rows.merchant) & view.sessions.planned[session] & ~view.gift_minded[session]
        there &= view.relation("cart_since", session, rows.merchant) == rows.detail
        there &= (view.relation("flags", session, rows.merchant) & MUTED) == 0
        there &= _turn(session * self.world.m + rows.merchant) < view.rules["reminders_per_customer_per_day"]
        rows, session = rows.take(there), session[there]
        merchant = rows.merchant
        fx.event("notice", self._read(view, "notice", rows, session))
        fx.relate("add", "notices", session, merchant, 1.0)
        loyalty = view.relation("loyalty", session, merchant, 0.5)
        opens = draws.chance("channels.cart/open", rows.event, self._open[merchant] * (0.5 + loyalty))
        rows, session = rows.take(opens), session[opens]
        fx.event("cart_opened", self._read(view, "cart_opened", rows, session))
        self._show(view, fx, session, rows.merchant, rows.cause)

    def _read(self, view: View, kind: str, rows: Records, session: I64) -> Records:
        """What she does with these reminders: children of the reminder."""
        event, time = draws.child(rows.event, kind), view.sessions.time[session]
        return rows.with_(event=event, time=time, channel=view.channel("cart"), detail=0)

    def _show(self, view: View, fx: Effects, session: I64, merchant: Array, cause: U64) -> None:
        product = view.relation("cart_product", session, merchant)
        fx.expose(view.channel("cart"), session, product, cause=cause, salience=self._salience[merchant])

    def appraise(self, view: View) -> Effects:
        """What she once liked she likes the better, and a reminder may bring a price of its own."""
        e = view.exposures
        at = ((e.channel == view.channel("cart")) & self.on[e.merchant]).nonzero()[0]
        if not at.size:
            return EMPTY
        fx, merchant = Effects(), e.merchant[at]
        reminded = e.cause[at] != view.sessions.event[e.session[at]]
        delta = np.zeros(len(e))
        delta[at] = self._kept_appeal[merchant] + np.where(reminded, self._reminded[merchant], 0.0)
        fx.appeal(delta)
        cheaper = at[reminded & (self._off[merchant] > 0)]
        fx.discount(cheaper, self.world.product["price"][e.product[cheaper]] * self._off[e.merchant[cheaper]] // _BASIS)
        return fx

    # --------------------------------------------------------------------------------------------------- in and out

    def respond(self, view: View) -> Effects:
        """What was bought leaves the cart; what was liked goes in."""
        fx = Effects()
        self._take_out(view, fx)
        at = (view.viewed & self.on[view.exposures.merchant]).nonzero()[0]
        if at.size and view.clock.running:
            self._put_in(view, fx, at)
        return fx

    def _take_out(self, view: View, fx: Effects) -> None:
        out = view.outcome("order")
        rows, session = out.rows.take(out.granted), out.session[out.granted]
        if not rows.n:
            return
        at = self._lies(view, session, rows.merchant)
        at &= view.relation("cart_product", session, rows.merchant, NOBODY) == rows.product
        rows, session = rows.take(at), session[at]
        since = view.relation("cart_since", session, rows.merchant)
        item = self._item(rows.user, rows.merchant, since)
        fx.event("cart_bought", rows.with_(event=draws.child(item, "cart_bought"), cause=rows.event, detail=0))
        fx.relate("set", "cart_product", session, rows.merchant, NOBODY)
        fx.close_subject(item)
        owner, turn = _turns(self._reminders[rows.merchant])
        fx.close_subject(draws.child(item[owner], "cart_recall", turn))

    def _put_in(self, view: View, fx: Effects, at: I64) -> None:
        """Put in what is liked best of each merchant, if it is liked enough, and set the clock."""
        e = view.exposures
        at = at[self._may_go_in(view, at)]
        odds = self._odds(view, at)
        number = self.world.product_number(e.product[at])
        luck = draws.uniform("channels.cart/put", view.sessions.event[e.session[at]], number)
        put = self._put[e.merchant[at]]
        liked = (luck * (1.0 - put + put * odds) < put * odds).nonzero()[0]
        at, odds, number = at[liked], odds[liked], number[liked]
        best = segments.argmax(e.session[at] * self.world.m + e.merchant[at], odds, number.astype(np.uint64))
        at = at[best]
        session, merchant, product = e.session[at], e.merchant[at], e.product[at]
        since = view.sessions.time[session]
        item = self._item(view.sessions.user[session], merchant, since)
        fx.relate("set", "cart_product", session, merchant, product)
        fx.relate("set", "cart_since", session, merchant, since)
        columns = {"merchant": merchant, "product": product, "channel": e.channel[at], "quantity": 1}
        rows = view.rows("cart_added", session, event=item, cause=e.cause[at], amount=e.price[at], **columns)
        fx.event("cart_added", rows)
        fx.open_subject(item)
        self._set_clock(fx, rows)

    def _set_clock(self, fx: Effects, rows: Records) -> None:
        """When each thing is recalled, and when it is given up."""
        item, since = rows.event, rows.time
        until = since + self._keep[rows.merchant]
        rows = rows.with_(amount=0, cause=item, detail=since)
        fx.request("cart_expiry", rows.with_(time=until, event=draws.child(item, "cart_expiry")))
        allows = draws.chance("channels.cart/consent", item, self._consent[rows.merchant])
        owner, turn = _turns(np.where(allows, self._reminders[rows.merchant], 0))
        time = since[owner] + (turn + 1) * self._hours[rows.merchant[owner]]
        in_time = time < until[owner]
        owner, turn, time = owner[in_time], turn[in_time], time[in_time]
        recall = draws.child(item[owner], "cart_recall", turn)  # is a subject of its own: once granted it is gone
        fx.open_subject(recall)
        fx.request("cart_recall", rows.take(owner).with_(time=time, event=recall, cause=recall))

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx, rows = Effects(), rows.take(granted)
        rows = rows.with_(cause=self._item(rows.user, rows.merchant, rows.detail), channel=view.channel("cart"))
        if kind == "cart_expiry":
            fx.event("cart_abandoned", rows.with_(detail=0))
        else:
            fx.event("cart_recalled", rows)
            fx.message("cart_reminder", rows.with_(event=draws.child(rows.event, "cart_reminder"), cause=rows.event))
        return fx

    # --------------------------------------------------------------------------------------------------------- parts

    def _may_go_in(self, view: View, at: I64) -> Bools:
        """Seen in the mini-program and not bought, by somebody whose cart of the merchant is empty."""
        e = view.exposures
        session, merchant = e.session[at], e.merchant[at]
        out = leads_in(view.relation("flags", session, merchant), e.channel[at], view.channels)
        out &= (e.appeal[at] > _NEVER) & ~view.gift_minded[session]
        out &= view.relation("cart_product", session, merchant, NOBODY) < 0
        done = view.outcome("order")
        bought = np.full(len(view.sessions), NOBODY, np.int64)
        bought[done.session[done.granted]] = done.rows.product[done.granted]
        result: Bools = out & (bought[session] != e.product[at]) & view.has_room(session, merchant)
        return result

    def _odds(self, view: View, at: I64) -> F64:
        """How much likelier each goes in than a middling product at its customary price."""
        e = view.exposures
        session, merchant = e.session[at], e.merchant[at]
        loyalty = view.relation("loyalty", session, merchant, 0.5).astype(np.float64)
        dearer = log(np.maximum(e.price[at], 1) / np.maximum(self._customary[e.product[at]], 1).astype(np.float64))
        sensitivity = view.world.people["price_sensitivity"][view.sessions.user[session]]
        interest = self._appeal[merchant] * e.appeal[at] + self._loyalty[merchant] * (loyalty - 0.5)
        return exp(np.clip(interest - self._price[merchant] * sensitivity * dearer, -_STEEPEST, _STEEPEST))

    def _lies(self, view: View, session: I64, merchant: Array) -> Bools:
        """Whether something of the merchant lies in her cart and will to the end of this tick."""
        until = view.relation("cart_since", session, merchant).astype(np.int64) + self._keep[merchant]
        full = view.relation("cart_product", session, merchant, NOBODY) >= 0
        out: Bools = self.on[merchant] & full & (until >= view.clock.end)
        return out

    def _item(self, user: Array, merchant: Array, since: Array) -> U64:
        """The id of what she put into her cart of a merchant at that second."""
        mine = draws.child(self.world.user_key[user], "cart", self.world.local_merchant(merchant))
        return draws.child(mine, "cart_added", since)


def _turn(pair: Array) -> I64:
    """The place of each row among those of the same pair, in the order in which they stand."""
    order = np.argsort(pair, kind="stable")
    out = np.empty(pair.size, np.int64)
    out[order] = segments.rank(pair[order])
    return out


def _turns(count: I64) -> tuple[I64, I64]:
    """Each row as often as it counts, with the number of the turn from 0."""
    owner = np.arange(count.size).repeat(count)
    return owner, segments.rank(owner)
