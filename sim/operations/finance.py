"""A merchant's money: what customers pay, what the platform holds and keeps, what goods and parcels cost.

An order or a gift is paid into escrow, where the platform holds it until it ends in one of three ways:

- *completed*: the platform and the payment service take their fees, the merchant gets the rest;
- *returned*: the buyer (of a gift: the sender) gets everything back, fees included;
- *expired*, a gift that nobody claimed: the sender gets everything back.

Fees are whole fen, rounded down by integer arithmetic in basis points, so fees and rest add up to the amount
exactly. Goods are paid for when they are delivered and taken back by the supplier at cost if they come back
resellable; parcels are paid per piece of post, each way. Wages and upkeep of content are paid at the start of each
day. A cash account may be overdrawn: credit is free.

It cannot: model interest, taxes, deposits, or a bankruptcy.
"""

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.ledger.schema import Postings, Records
from sim.params import Params, param
from sim.units import DAY, I64, NOBODY, Array, Bools, fen

BASIS = 10_000  # basis points in a whole


class FinanceParams(Params):
    """What running the shop costs."""

    courier_yuan: float = param(6.0, "paid per parcel sent", unit="yuan", ge=0, le=10_000)
    return_courier_yuan: float = param(
        8.0, "paid per parcel sent back (the merchant insures return freight)", unit="yuan", ge=0, le=10_000
    )
    wages_yuan_per_day: float = param(0.0, "staff", unit="yuan per day", ge=0, le=1e7)
    upkeep_yuan_per_day: float = param(0.0, "content and accounts", unit="yuan per day", ge=0, le=1e7)


class Finance(Mechanism):
    """Posts every move of money that an order causes."""

    Params = FinanceParams
    kinds = {
        "wages": Kind("staff paid for the day", stage="plain", says="{merchant} pays its staff {amount}"),
        "upkeep": Kind(
            "content and accounts paid for the day",
            stage="plain",
            says="{merchant} pays {amount} for content and accounts",
        ),
    }
    settles = ("order", "gift_order", "gift_deadline", "delivery", "return", "completion", "wages", "upkeep")

    def prepare(self) -> None:
        def price(field: str) -> I64:
            out: I64 = self.per_merchant(lambda p: fen(getattr(p, field)), 0, np.int64)
            return out

        self._courier, self._return_courier = price("courier_yuan"), price("return_courier_yuan")
        self._daily = {"wages": price("wages_yuan_per_day"), "upkeep": price("upkeep_yuan_per_day")}

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        return {kind: self._payments(kind, amount, days) for kind, amount in self._daily.items()}

    def _payments(self, kind: str, amount: I64, days: int) -> Records:
        """One payment per day for every merchant that pays at all."""
        payers = amount.nonzero()[0]
        merchant, day = np.repeat(payers, days), np.tile(np.arange(days), payers.size)
        return Records(
            day.size,
            time=day * DAY,
            event=draws.child(self.world.merchant_key[merchant], kind, day),
            merchant=merchant,
            amount=amount[merchant],
        )

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        mine = granted & self.on[rows.merchant]
        rows = rows if mine.all() else rows.take(mine)
        if rows.n == 0:
            return fx
        if kind in ("order", "gift_order"):
            fx.post("fen", Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount))
        elif kind == "gift_deadline":
            self._refund(fx, rows)
        elif kind == "delivery":
            self._deliver(fx, rows)
        elif kind == "return":
            self._refund(fx, rows)
            self._take_back(fx, rows)
        elif kind == "completion":
            self._pay_out(fx, rows, view)
        else:
            fx.event(kind, rows)
            target = "staff" if kind == "wages" else "media"
            fx.post("fen", Postings.move(rows, "cash", rows.merchant, target, NOBODY, rows.amount))
        return fx

    def _refund(self, fx: Effects, rows: Records) -> None:
        fx.post("fen", Postings.move(rows, "escrow", rows.merchant, "wallet", rows.user, rows.amount))

    def _goods(self, rows: Records) -> I64:
        """Cost of the goods in each parcel, fen."""
        out: I64 = self.world.product["cost"][rows.product] * rows.quantity
        return out

    def _deliver(self, fx: Effects, rows: Records) -> None:
        parcels = self._courier[rows.merchant]
        fx.post("fen", Postings.move(rows, "cash", rows.merchant, "supplier", NOBODY, self._goods(rows)))
        fx.post("fen", Postings.move(rows, "cash", rows.merchant, "courier", NOBODY, parcels))

    def _take_back(self, fx: Effects, rows: Records) -> None:
        """`detail` of a return is the number of pieces that can be sold again: their cost is made good."""
        parcels = self._return_courier[rows.merchant]
        credit = self.world.product["cost"][rows.product] * rows.detail
        fx.post("fen", Postings.move(rows, "supplier", NOBODY, "cash", rows.merchant, credit))
        fx.post("fen", Postings.move(rows, "cash", rows.merchant, "courier", NOBODY, parcels))

    def _pay_out(self, fx: Effects, rows: Records, view: View) -> None:
        platform, payment, rest = split(rows.amount, view.rules["platform_fee"], view.rules["payment_fee"])
        fx.post("fen", Postings.move(rows, "escrow", rows.merchant, "platform", NOBODY, platform))
        fx.post("fen", Postings.move(rows, "escrow", rows.merchant, "payment", NOBODY, payment))
        fx.post("fen", Postings.move(rows, "escrow", rows.merchant, "cash", rows.merchant, rest))


def split(amount: Array, platform_fee: float, payment_fee: float) -> tuple[I64, I64, I64]:
    """Platform fee, payment fee and the merchant's rest of amounts in fen; they add up to the amount.

    Fees are shares, taken to the nearest basis point and rounded down to whole fen.
    """
    platform = amount * round(platform_fee * BASIS) // BASIS
    payment = amount * round(payment_fee * BASIS) // BASIS
    return platform, payment, amount - platform - payment
