"""Coupons: so much off from a minimum spend, out of a monthly pool, for a few days.

On the first day, and on the first of every month after it, the merchant issues a pool of coupons (what is left of the
last pool stays). A planned session that sees the merchant's page, or something of it in the account or a group, and
holds no coupon of it, claims one with the claim rate, first come first served while the pool lasts. Coupons are handed
out always, or only on dates of their own or while the merchant's joint campaign runs (`when`).

From the next session on, the coupon takes its value off every product of the merchant whose list price reaches the
minimum; it is used up with the first order that it made cheaper, and lapses after `valid_days`. Where another offer in
the layer of coupons takes off more, that one counts, and the coupon is kept. It is for what she buys herself: a session
that looks for a gift does not use it.

Coupons are conserved like money: issuer → pool → holder → redeemed or expired, one posting each. A coupon is a subject
on which the first of use and expiry wins; its id is a child of (user, merchant, second of expiry), so that the
relation slot, which holds that second, is all that has to be remembered. A user who forgets the merchant (no slot to
spare) lets the coupon lapse. There is at most one coupon per user and merchant at a time.

It cannot: target segments, be stacked with another coupon, be given on, or be reclaimed when an order is returned.
"""

from datetime import date

import numpy as np

from sim import draws
from sim.contract import LAYERS, Effects, Kind, Mechanism, Outcome, View
from sim.kernels import segments
from sim.ledger.schema import Postings, Records
from sim.params import param
from sim.units import DAY, I64, NOBODY, U64, Array, Bools, fen
from sim.world import posts
from sim.world.doors import among
from sim.world.windows import Standing, Windows

PRIVATE_CHANNELS = ("service_account", "groups")  # where it stands in the message itself


class CouponParams(Standing):
    """What a coupon is worth, and when and how it is given out."""

    lively = {"day": (0, 1), "hours": (24, 7)}

    value: float = param(10.0, "taken off the price", unit="yuan", gt=0, le=1e6)
    min_spend: float = param(100.0, "price from which it counts", unit="yuan", ge=0, le=1e6)
    valid_days: int = param(7, "days until it lapses", unit="days", ge=1, le=50)
    pool_per_month: int = param(1_000, "coupons issued per month", unit="coupons", ge=0, le=10**9)
    claim_rate: float = param(0.3, "chance to claim one when it is seen", unit="probability", ge=0, le=1)


class Coupon(Mechanism):
    """Issues, hands out, honours and cancels coupons."""

    Params = CouponParams
    kinds = {
        "coupon_issue": Kind("the merchant fills its pool; quantity is negative: it puts them there", stage="coupon"),
        "coupon_claim": Kind("a user asks for a coupon; detail is the second at which it lapses", stage="coupon"),
        "coupon_expiry": Kind("a coupon lapses unless it was used; cause is its claim", stage="once"),
        "coupon_issued": Kind("a pool was filled with `quantity` coupons", says="{merchant} issues {quantity} coupons"),
        "coupon_claimed": Kind(
            "a user holds a coupon; detail is the second at which it lapses",
            says="{user} takes a coupon of {merchant}, good until {detail:when}",
        ),
        "coupon_redeemed": Kind(
            "a coupon was used; cause is the order, amount the fen taken off",
            says="{user} uses her coupon of {merchant}: {amount} off {product}",
        ),
        "coupon_expired": Kind(
            "a coupon lapsed unused; cause is its claim", says="{user} lets a coupon of {merchant} lapse"
        ),
    }
    settles = ("coupon_issue", "coupon_claim", "coupon_expiry")

    def prepare(self) -> None:
        self._value = self.per_merchant(lambda p: fen(p.value), 0, np.int64)
        self._min_spend = self.per_merchant(lambda p: fen(p.min_spend), 0, np.int64)
        self._valid = self.per_merchant("valid_days", 0, np.int64) * DAY
        self._claim_rate = self.per_merchant("claim_rate")
        self._windows = Windows(self.p)

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        issues = []
        start: date = view.calendar.start
        for merchant in self.on.nonzero()[0].tolist():
            day, month = posts.months(start, days)
            event = draws.child(self.world.merchant_key[merchant], "coupon_issue", month)
            quantity = -self.p[merchant].pool_per_month
            issues.append(Records(day.size, time=day * DAY, event=event, merchant=merchant, quantity=quantity))
        return {"coupon_issue": Records.concat(issues)}

    def deliver(self, view: View) -> Effects:
        """Coupons that have lapsed are forgotten."""
        fx, until = Effects(), view.relations("coupon_until")
        at = ((until > 0) & (until < view.clock.start)).nonzero()[0]
        fx.relate("set", "coupon_until", view.related[at], view.relations("merchant")[at], 0)
        return fx

    def appraise(self, view: View) -> Effects:
        """What holders save."""
        fx = Effects()
        at = self._saves(view, self.on[view.exposures.merchant].nonzero()[0])
        fx.discount(at, self._value[view.exposures.merchant[at]], "coupon")
        return fx

    def _saves(self, view: View, at: I64) -> I64:
        """Those of these exposures that a coupon makes cheaper."""
        shown = view.exposures
        at = at[self.world.product["price"][shown.product[at]] >= self._min_spend[shown.merchant[at]]]
        at = at[(view.sessions.planned & ~view.gift_minded)[shown.session[at]]]
        return at[self._holds(view, shown.session[at], shown.merchant[at])]

    def checkout(self, view: View) -> Effects:
        """Claims of those who see that there are coupons, and hold none."""
        fx, shown = Effects(), view.exposures
        told = among(PRIVATE_CHANNELS, shown.channel, view.channels)
        at = (self.on[shown.merchant] & (view.viewed | told)).nonzero()[0]
        at = at[view.sessions.planned[shown.session[at]]]
        if at.size == 0:
            return fx
        at = at[self._windows.inside(view, shown.merchant[at], view.sessions.time[shown.session[at]])]
        at = at[segments.first(shown.session[at] * self.world.m + shown.merchant[at])]  # they are ordered so
        session, merchant = shown.session[at], shown.merchant[at]
        local = self.world.local_merchant(merchant)
        wants = draws.chance("offers.coupon/claim", view.sessions.event[session], self._claim_rate[merchant], local)
        wants &= ~self._holds(view, session, merchant)
        session, merchant = session[wants], merchant[wants]
        until = view.sessions.time[session] + self._valid[merchant]
        coupon = self._id(view, session, merchant, until)
        rows = view.rows("coupon_claim", session, event=coupon, merchant=merchant, quantity=1, detail=until)
        fx.request("coupon_claim", rows)
        return fx

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx, rows = Effects(), rows.take(granted)
        if kind == "coupon_issue":
            issued = rows.with_(quantity=-rows.quantity)
            fx.event("coupon_issued", issued)
            _move(fx, issued, "issuer", rows.merchant, "pool", rows.merchant)
        elif kind == "coupon_claim":
            fx.event("coupon_claimed", rows)
            _move(fx, rows, "pool", rows.merchant, "holder", rows.user)
            fx.open_subject(rows.event)
            expiry = draws.child(rows.event, "coupon_expiry")
            fx.request("coupon_expiry", rows.with_(time=rows.detail, event=expiry, cause=rows.event, detail=0))
        else:
            fx.event("coupon_expired", rows)
            _move(fx, rows, "holder", rows.user, "expired", NOBODY)
        return fx

    def respond(self, view: View) -> Effects:
        """New holders put the coupon away; used ones are cancelled."""
        fx, claim = Effects(), view.outcome("coupon_claim")
        got = claim.granted.nonzero()[0]
        mine = claim.rows.take(got)
        fx.relate("set", "coupon_until", claim.session[got], mine.merchant, mine.detail)
        if view.chosen.size:
            shown, off = view.exposures, np.zeros(len(view.sessions), np.int64)
            at = self._saves(view, view.chosen[self.on[shown.merchant[view.chosen]]])
            granted = shown.off[at, LAYERS.index("coupon")]
            off[shown.session[at]] = np.where(granted <= self._value[shown.merchant[at]], granted, 0)
            self._redeem(view, fx, view.outcome("order"), off)
        return fx

    def _redeem(self, view: View, fx: Effects, paid: Outcome, off: I64) -> None:
        """Cancel the coupons of paid orders; `off` is what they took off, by session."""
        at = (paid.granted & (off[paid.session] > 0)).nonzero()[0]
        if at.size == 0:
            return
        session, rows = paid.session[at], paid.rows.take(at)
        until = view.relation("coupon_until", session, rows.merchant).astype(np.int64)
        coupon = self._id(view, session, rows.merchant, until)
        redeemed = Records(
            at.size,
            time=rows.time,
            event=draws.child(coupon, "coupon_redeemed"),
            cause=rows.event,
            user=rows.user,
            merchant=rows.merchant,
            product=rows.product,
            channel=rows.channel,
            quantity=1,
            amount=off[session],
        )
        fx.event("coupon_redeemed", redeemed)
        _move(fx, redeemed, "holder", rows.user, "redeemed", NOBODY)
        fx.close_subject(coupon)
        fx.relate("set", "coupon_until", session, rows.merchant, 0)

    def _holds(self, view: View, session: I64, merchant: Array) -> Bools:
        """Who holds a coupon that outlasts this tick."""
        out: Bools = view.relation("coupon_until", session, merchant) >= view.clock.end
        return out

    def _id(self, view: View, session: I64, merchant: Array, until: I64) -> U64:
        """The coupon's id: at most one of a user's with a merchant lapses at a time."""
        mine = draws.child(view.keys[session], "coupon", self.world.local_merchant(merchant))
        return draws.child(mine, "coupon_claim", until)


def _move(fx: Effects, rows: Records, source: str, source_owner: object, target: str, target_owner: object) -> None:
    """Post coupons of each row's merchant from one account to another."""
    moves = Postings.move(rows, source, source_owner, target, target_owner, rows.quantity, rows.merchant)
    fx.post("coupon", moves)
