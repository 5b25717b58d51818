"""What happens after the payment: the parcel, the unpacking, the return, the rating.

*Delivery.* A parcel of an order, or of a claimed gift to its recipient, takes

    T = h + (72 h − h) · √(E / −ln(1 − q)),   E exponential with mean 1,

with h the time of handling (12 h) and q the share that arrives within 72 h in the receiver's city tier, so
P(T ≤ 72 h) = q exactly (a Rayleigh time after handling; 0.80 in tier 1 by the facts, less elsewhere, assumed). Slower
than the promise is *late*.

*Satisfaction* is quality plus luck of the piece, less a penalty if late, within 0..1. It decides three things:

- the parcel is *returned* with probability rate · (1 + slope · (typical − satisfaction)), linear so that the mean is
  the rate when mean satisfaction is the typical one; at a uniform moment of the platform's return window; otherwise
  the order is *completed* when the window closes. A return is of the whole parcel, and the money goes to who paid.
  What was bought through some channels is sent back more often, by `return_factor`;
- *loyalty*, when the receiver next opens WeChat: an exponentially weighted moving average of satisfaction,
  L ← (1 − w) · L + w · satisfaction for each parcel; an order refused for want of stock counts as satisfaction 0;
- a *rating* of 1 to 5 stars, by chance.

*Lateness* also leaves the slot column ``late``: the share by which her next order with the merchant is delayed, 0.0722
after a late parcel or a refused order (facts), 0 after one in time. `people.repurchase` slows her needs by it.

It cannot: lose parcels, split an order, or let a buyer bargain for a partial refund.
"""

from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from sim import draws
from sim.contract import Effects, Inbox, Kind, Mechanism, View
from sim.elementary import log
from sim.kernels import segments
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import DAY, F64, HOUR, I64, NOBODY, U64, Array, Bools
from sim.words import _
from sim.world.state import Column

WITHIN = 72 * HOUR  # the horizon of the delivery fact
_MILLE = 1_000  # satisfaction travels in thousandths


class AfterSaleParams(Params):
    """How parcels travel and how receivers take them."""

    within_72h: tuple[float, float, float, float] = param(
        (0.80, 0.75, 0.68, 0.60), "share of parcels that arrive within 72 h, by city tier 1 to 4 (lower tiers assumed)",
        unit="share", source="facts: fulfilment.delivered_within_72h_tier1",
    )  # fmt: skip
    handling_hours: float = param(12.0, "before a parcel can arrive anywhere", unit="hours", ge=0, le=71)
    promised_hours: float = param(72.0, "slower than this is late", unit="hours", ge=1, le=2_000)
    luck: float = param(0.3, "range of the luck of the piece", unit="satisfaction", ge=0, le=1)
    late_penalty: float = param(0.2, "satisfaction lost if late", unit="satisfaction", ge=0, le=1)
    late_delay: float = param(
        0.0722, "share by which the next order is delayed after a late parcel or a refusal", unit="share",
        source="facts: fulfilment.late_delivery_next_order_delay", ge=0, le=10,
    )  # fmt: skip
    return_rate: float = param(
        0.05, "parcels sent back at typical satisfaction", unit="share",
        source="facts: store.return_rate_shelf_and_social", ge=0, le=1,
    )  # fmt: skip
    return_factor: dict[str, Annotated[float, Field(ge=0, le=100)]] = param(
        lambda: {"live": 3.0}, "the rate by the order's channel, where it is another", unit="relative",
        source="Economy Middle East, Livestream commerce drives up to 30 percent higher conversion rates than "
        "e-commerce: 30 to 50 % of what is sold live comes back, and 10 to 15 % elsewhere",
    )  # fmt: skip
    return_slope: float = param(2.0, "growth of that per point of dissatisfaction", unit="relative", ge=0, le=100)
    typical: float = param(0.64, "satisfaction at which the return rate applies", unit="satisfaction", ge=0, le=1)
    resellable: float = param(0.8, "returned parcels that can be sold again", unit="share", ge=0, le=1)
    loyalty_weight: float = param(0.3, "weight of the last parcel in loyalty", unit="share", ge=0, le=1)
    rating_rate: float = param(0.2, "parcels that are rated", unit="share", ge=0, le=1)
    star_cuts: tuple[float, float, float, float] = param(
        (0.2, 0.35, 0.5, 0.6), "satisfaction from which 2, 3, 4 and 5 stars are given", unit="satisfaction"
    )

    @field_validator("within_72h")
    @classmethod
    def _open_shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0.01 <= share < 1 for share in value):
            raise ValueError(_("each share must be at least 0.01, and less than 1"))
        return value

    @field_validator("star_cuts")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(value):
            raise ValueError(_("the cuts must not fall"))
        return value


class AfterSale(Mechanism):
    """Delivers, takes back, completes, and lets receivers judge."""

    Params = AfterSaleParams
    columns = (
        Column("slot", "late", np.float32, 0, "share by which her next order is delayed; 0 if all was in time"),
        Column("merchant", "ratings", np.int64, 0, "ratings given"),
        Column("merchant", "stars", np.int64, 0, "stars given, in all"),
    )
    kinds = {
        "parcel": Kind("a claimed gift is sent to its recipient (peer); cause is the gift", stage="plain"),
        "delivery": Kind("a parcel arrives; detail is the seconds it took", stage="plain"),
        "return": Kind("a parcel is sent back; detail is the pieces that can be sold again", stage="plain"),
        "completion": Kind("the return window closes", stage="plain"),
        "shipped": Kind(
            "a claimed gift is on its way to its recipient (peer); cause is the gift",
            says="{quantity} × {product} of {merchant} goes out to {peer}",
        ),
        "delivered": Kind(
            "a parcel arrived (user paid, peer is the recipient of a gift); detail is the seconds taken",
            says="{quantity} × {product} of {merchant} reaches [{peer}|{user}] after {detail:span}",
        ),
        "returned": Kind(
            "the receiver (user) sent a parcel back and who paid was refunded; detail as of return",
            says="{user} sends {quantity} × {product} of {merchant} back, and {amount} are refunded[ to {peer}]",
        ),
        "completed": Kind(
            "an order ended well and the merchant was paid",
            says="{merchant} is paid {amount} for {quantity} × {product}, less fees: nobody sent it back in time",
        ),
        "parcel_arrived": Kind("message to the receiver; cause is delivered, detail is satisfaction in 1/1000"),
        "rating": Kind(
            "the receiver rated a parcel; detail is the stars, cause is delivered",
            says="{user} gives {product} of {merchant} {detail} of 5 stars",
        ),
    }
    settles = ("order", "parcel", "delivery", "return", "completion")

    def prepare(self) -> None:
        self._handling = self.per_merchant(_handling, 0, np.int64)
        self._scale = np.array([[0.0] * 4 if p is None else _scales(p) for p in self.p])  # (merchants, tiers)
        self._promise = self.per_merchant(lambda p: round(p.promised_hours * HOUR), 0, np.int64)
        self._luck, self._penalty = self.per_merchant("luck"), self.per_merchant("late_penalty")
        self._delay = self.per_merchant("late_delay")
        self._rate, self._slope = self.per_merchant("return_rate"), self.per_merchant("return_slope")
        stated = [{} if p is None else p.return_factor for p in self.p]
        names = sorted({name for factors in stated for name in factors})
        self._factors = {name: np.array([factors.get(name, 1.0) for factors in stated]) for name in names}
        self._typical, self._resellable = self.per_merchant("typical"), self.per_merchant("resellable")
        self._weight, self._rates = self.per_merchant("loyalty_weight"), self.per_merchant("rating_rate")
        self._cuts = np.array([[0.0] * 4 if p is None else p.star_cuts for p in self.p])

    # ------------------------------------------------------------------------------------------------ the parcel

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        mine = granted & self.on[rows.merchant]
        rows = rows if mine.all() else rows.take(mine)
        if rows.n == 0:
            return fx
        if kind == "order":
            self._ship(fx, rows.with_(peer=NOBODY), rows.event)
        elif kind == "parcel":
            fx.event("shipped", rows)
            self._ship(fx, rows, rows.cause)
        elif kind == "delivery":
            self._arrive(view, fx, rows)
        elif kind == "return":
            gift = rows.peer >= 0
            fx.event("returned", rows.with_(user=_receiver(rows), peer=np.where(gift, rows.user, NOBODY)))
        else:
            fx.event("completed", rows)
        return fx

    def _ship(self, fx: Effects, rows: Records, order: U64) -> None:
        """Schedule the arrival of each parcel; `order` is the order or gift that it belongs to."""
        event = draws.child(order, "delivery")
        seconds = self._seconds(event, _receiver(rows), rows.merchant)
        fx.request("delivery", rows.with_(time=rows.time + seconds, event=event, cause=order, detail=seconds))

    def _seconds(self, delivery: U64, receiver: Array, merchant: Array) -> I64:
        """How long a parcel takes, by its delivery's id."""
        tier = self.world.people["tier"][receiver].astype(np.int64) - 1
        wait = np.sqrt(draws.exponential("operations.after_sale/way", delivery)) * self._scale[merchant, tier]
        out: I64 = self._handling[merchant] + wait.astype(np.int64)
        return out

    def _satisfaction(self, delivery: U64, rows: Records, late: Bools) -> F64:
        luck = draws.uniform("operations.after_sale/luck", delivery) - 0.5
        raw = self.world.product["quality"][rows.product] + self._luck[rows.merchant] * luck
        out: F64 = np.clip(raw - late * self._penalty[rows.merchant], 0.0, 1.0)
        return out

    def _arrive(self, view: View, fx: Effects, rows: Records) -> None:
        late = rows.detail > self._promise[rows.merchant]
        satisfaction = self._satisfaction(rows.event, rows, late)
        fx.event("delivered", rows)
        message = Records(
            rows.n,
            time=rows.time,
            event=draws.child(rows.event, "parcel_arrived"),
            cause=rows.event,
            user=_receiver(rows),
            peer=np.where(rows.peer >= 0, rows.user, NOBODY),
            merchant=rows.merchant,
            product=rows.product,
            variant=rows.variant,
            quantity=rows.quantity,
            amount=rows.amount,
            detail=(satisfaction * _MILLE).astype(np.int64),
        )
        fx.message("parcel_arrived", message)
        self._end(view, fx, rows, satisfaction)

    def _end(self, view: View, fx: Effects, rows: Records, satisfaction: F64) -> None:
        """Schedule how each delivered order ends."""
        merchant, window = rows.merchant, view.rules["return_window_days"] * DAY
        rate = self._rate[merchant] * self._factor(view, merchant, rows.channel)
        slope = 1.0 + self._slope[merchant] * (self._typical[merchant] - satisfaction)
        back = draws.chance("operations.after_sale/return", rows.event, rate * slope)
        back &= window > 0
        kept, sent = rows.take(~back), rows.take(back)
        done = draws.child(kept.cause, "completion")
        fx.request("completion", kept.with_(time=kept.time + max(window, 1), event=done, detail=0))
        moment = 1 + draws.below("operations.after_sale/moment", sent.event, max(window, 1))
        fine = draws.chance("operations.after_sale/resellable", sent.event, self._resellable[sent.merchant])
        event = draws.child(sent.cause, "return")
        fx.request("return", sent.with_(time=sent.time + moment, event=event, detail=fine * sent.quantity))

    def _factor(self, view: View, merchant: Array, channel: Array) -> F64:
        """How much more often is sent back what was bought through each of these channels."""
        out = np.ones(merchant.size)
        for name in (name for name in self._factors if name in view.channels):
            at = (channel == view.channel(name)).nonzero()[0]
            out[at] = self._factors[name][merchant[at]]
        return out

    # --------------------------------------------------------------------------------------------- the receiver

    def deliver(self, view: View) -> Effects:
        fx = Effects()
        inbox = view.inbox("parcel_arrived")
        if inbox.rows.n == 0:
            return fx
        late = self._late(inbox.rows)
        self._learn(fx, view, inbox, inbox.rows.detail / _MILLE, late)
        self._rate_parcels(fx, view, inbox)
        return fx

    def respond(self, view: View) -> Effects:
        """A refused order is the worst parcel: none."""
        fx = Effects()
        outcome = view.outcome("order")
        lost = (~outcome.granted & self.on[outcome.rows.merchant]).nonzero()[0]
        if lost.size:
            inbox = Inbox(outcome.rows.take(lost), outcome.session[lost])
            known = view.relation("merchant", inbox.session, inbox.rows.merchant, NOBODY) >= 0
            inbox = Inbox(inbox.rows.take(known), inbox.session[known])  # a stranger keeps nothing in mind
            if inbox.rows.n:
                self._learn(fx, view, inbox, np.zeros(inbox.rows.n), np.ones(inbox.rows.n, np.bool_))
        return fx

    def _late(self, rows: Records) -> Bools:
        """Whether the parcels of these messages took longer than promised: drawn again from their address."""
        out: Bools = self._seconds(rows.cause, rows.user, rows.merchant) > self._promise[rows.merchant]
        return out

    def _learn(self, fx: Effects, view: View, inbox: Inbox, satisfaction: F64, late: Bools) -> None:
        """Fold what each session finds into loyalty, parcel by parcel in order of arrival."""
        rows = inbox.rows
        order = np.lexsort((rows.event, rows.time, rows.merchant, inbox.session))
        session, merchant = inbox.session[order], rows.merchant[order]
        pair = session * self.world.m + merchant
        begin = segments.starts(pair)
        turn = segments.rank(pair)
        loyalty = view.relation("loyalty", session[begin], merchant[begin], 0.5).astype(np.float64)
        group = np.repeat(np.arange(begin.size), segments.counts(pair))
        for k in range(int(turn.max()) + 1):  # nearly always once
            at = (turn == k).nonzero()[0]
            weight = self._weight[merchant[at]]
            loyalty[group[at]] = (1.0 - weight) * loyalty[group[at]] + weight * satisfaction[order[at]]
        last = np.append(begin[1:], pair.size) - 1
        delay = self._delay[merchant[last]] * late[order[last]]
        fx.relate("set", "loyalty", session[begin], merchant[begin], loyalty)
        fx.relate("set", "late", session[begin], merchant[begin], delay)

    def _rate_parcels(self, fx: Effects, view: View, inbox: Inbox) -> None:
        rows = inbox.rows
        rates = draws.chance("operations.after_sale/rates", rows.cause, self._rates[rows.merchant])
        at = rates.nonzero()[0]
        if at.size == 0:
            return
        rated, session = rows.take(at), inbox.session[at]
        stars = 1 + (rated.detail[:, None] / _MILLE >= self._cuts[rated.merchant]).sum(axis=1)
        time, event = view.sessions.time[session], draws.child(rated.cause, "rating")
        fx.event("rating", rated.with_(time=time, event=event, detail=stars, amount=0))
        fx.tally("merchant", "ratings", rated.merchant)
        fx.tally("merchant", "stars", rated.merchant, stars)


def _handling(p: AfterSaleParams) -> int:
    """Seconds before a parcel is on its way."""
    return round(p.handling_hours * HOUR)


def _scales(p: AfterSaleParams) -> list[float]:
    """Seconds of travel at E = 1, by city tier, such that the stated share of parcels arrives within 72 h."""
    return [(WITHIN - _handling(p)) / float(np.sqrt(-log(np.array(1.0 - share)))) for share in p.within_72h]


def _receiver(rows: Records) -> Array:
    """Who opens the parcel: the recipient of a gift, else the buyer."""
    return np.where(rows.peer >= 0, rows.peer, rows.user)
