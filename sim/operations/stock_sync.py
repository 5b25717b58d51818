"""Item and stock sync (商品与库存同步): the mini-program hears only now and then what the store has, and sells by that.

Store and mini-program sell the same pieces. The mini-program shows its own figure of each style (column
`variant.stock_synced`, or -1: it shows what the store has). Every `lag_minutes` the figure becomes what the store
had; pieces from the factory are entered in both at once. In between it does not fall with what is sold, so people
who look at pages of the mini-program (`sim.world.doors`) choose among styles that may be gone. The figure that is told
is that of the beginning of a tick, and is seen from the next tick on: no lag is shorter than that.

*Oversell.* An order through those pages for pieces that are gone, though the figure says that they are there, is paid:
wallet → escrow. After `cancel_hours` the merchant finds out, cancels it, and everything goes back: escrow → wallet,
with a compensation out of its cash if that is the rule. To the store score and to the buyer it is a refused order (kind
``order_refused``, which is its cause): `platform.store_score` counts it, `operations.after_sale` makes her the less
loyal. With s pieces left and n orders of one piece until the figure is told again, exactly max(0, n − s) are oversold.

*Items.* With the figures it is told the terms of the goods: which are sold, and at what price (`operations.assortment`
changes them in the store, shows them here with the lag, and honours what a page showed).

With `lag_minutes` 0 nothing is ever apart, and nothing changes.

It cannot: hold a safety stock back, show a sale or any other offer late, or find out before anybody has paid.
"""

from collections.abc import Mapping

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.kernels import expand, segments
from sim.ledger.schema import Postings, Records
from sim.params import Params, param
from sim.units import DAY, HOUR, MINUTE, Array, Bools
from sim.world.doors import LIVE, UNTOLD, in_mini
from sim.world.shelf import shelf
from sim.world.state import Column

_BASIS = 10_000


class StockSyncParams(Params):
    """How often the mini-program is told, and what an oversold order costs."""

    needs = ("channels.mini_program",)
    moot = {"cancel_hours": "lag_minutes", "compensation": "lag_minutes"}
    lively = {"lag_minutes": (1_440, 60, 0)}

    lag_minutes: int = param(60, "from one sync to the next; 0: never apart", unit="minutes", ge=0, le=10_080)
    cancel_hours: float = param(6.0, "until an oversold order is cancelled", unit="hours", ge=0, le=720)
    compensation: float = param(0.0, "paid to the buyer on top, of what she had paid", unit="share", ge=0, le=1)


class StockSync(Mechanism):
    """Tells the mini-program the stock, and cancels what it sold too much."""

    Params = StockSyncParams
    columns = (
        Column("variant", "stock_synced", np.int64, -1, "pieces that the mini-program shows; -1: what the store has"),
        Column("product", "terms_synced", np.int32, LIVE, "terms that it shows; -2: those at first, -3: the store's"),
    )
    kinds = {
        "stock_sync": Kind("the mini-program is told the stock of a merchant's goods", stage="plain"),
        "oversell_refund": Kind("an oversold order is cancelled; cause is oversold", stage="plain"),
        "oversold": Kind(
            "paid for a piece that was gone already; columns as in order, cause is order_refused",
            says="the mini-program of {merchant} still sells it: {user} pays {amount} for {quantity} × {product}",
        ),
        "oversold_cancelled": Kind(
            "an oversold order was cancelled and refunded; cause is oversold, detail the compensation in fen",
            says="{merchant} has no {product} and pays {amount} back to {user}[, with {detail:yuan} for her trouble]",
        ),
    }
    settles = ("stock_sync", "order", "gift_order", "restock", "oversell_refund")

    def prepare(self) -> None:
        self._lag = self.per_merchant("lag_minutes", 0, np.int64) * MINUTE
        self._cancel = self.per_merchant(lambda p: round(p.cancel_hours * HOUR), 0, np.int64)
        self._compensation = self.per_merchant(lambda p: round(p.compensation * _BASIS), 0, np.int64)
        merchant = self.world.product["merchant"][self.world.variant_product]
        self._apart = (self._lag > 0)[merchant]  # variants whose figure may be stale
        self._shelf = shelf(self.world)
        self._first = np.searchsorted(merchant, np.arange(self.world.m + 1))  # variants stand by merchant

    def initial(self) -> Mapping[tuple[str, str], Array]:
        """Nothing is on any shelf until the opening stock arrives; of goods it knows how they began."""
        lags = self._lag[self.world.product["merchant"]] > 0
        return {
            ("variant", "stock_synced"): np.where(self._apart, 0, -1),
            ("product", "terms_synced"): np.where(lags, UNTOLD, LIVE),
        }

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        """Syncs at multiples of the lag, at most one in a tick: more would tell the same."""
        tick, rows = view.clock.end - view.clock.start, []
        for merchant in self._lag.nonzero()[0].tolist():
            lag = int(self._lag[merchant])
            time = np.arange(1, days * DAY // lag + 1) * lag
            time = time[segments.first(time // tick)]
            event = draws.child(self.world.merchant_key[merchant], "stock_sync", time)
            rows.append(Records(time.size, time=time, event=event, merchant=merchant))
        return {"stock_sync": Records.concat(rows)}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        mine = (self._lag > 0)[rows.merchant] & (granted if kind == "restock" else True)
        rows, granted = rows.take(mine), granted[mine]
        if not rows.n:
            return EMPTY
        fx = Effects()
        if kind == "stock_sync":
            _, variant = expand.expand(self._first[rows.merchant], self._first[rows.merchant + 1])
            stock, synced = view.shared("variant", "stock"), view.shared("variant", "stock_synced")
            fx.tally("variant", "stock_synced", variant, stock[variant] - synced[variant])
            self._tell_items(view, fx, rows.merchant)
        elif kind == "restock":
            fx.tally("variant", "stock_synced", rows.variant, -rows.quantity)
        elif kind == "oversell_refund":
            self._cancelled(fx, rows)
        else:
            self._oversell(view, fx, rows.take(~granted))
        return fx

    def _tell_items(self, view: View, fx: Effects, merchant: Array) -> None:
        """The terms of these merchants' goods as they stand in the store."""
        terms = view.state["product"].get("terms")
        if terms is not None:
            _, product = expand.expand(self._shelf[merchant], self._shelf[merchant + 1])
            fx.tally(
                "product", "terms_synced", product, terms[product] - view.shared("product", "terms_synced")[product]
            )

    def _oversell(self, view: View, fx: Effects, refused: Records) -> None:
        """Orders that the store has no piece for, and the mini-program takes."""
        shown = view.shared("variant", "stock_synced")[refused.variant] >= refused.quantity
        sold = refused.take(shown & in_mini(refused.channel, view.channels))
        event = draws.child(sold.event, "oversold")
        sold = sold.with_(event=event, cause=sold.event)
        fx.event("oversold", sold)
        fx.post("fen", Postings.move(sold, "wallet", sold.user, "escrow", sold.merchant, sold.amount))
        time = sold.time + np.maximum(self._cancel[sold.merchant], 1)
        again = sold.with_(time=time, event=draws.child(event, "oversell_refund"), cause=event)
        fx.request("oversell_refund", again)

    def _cancelled(self, fx: Effects, rows: Records) -> None:
        extra = rows.amount * self._compensation[rows.merchant] // _BASIS
        fx.event("oversold_cancelled", rows.with_(detail=extra))
        fx.post("fen", Postings.move(rows, "escrow", rows.merchant, "wallet", rows.user, rows.amount))
        fx.post("fen", Postings.move(rows, "cash", rows.merchant, "wallet", rows.user, extra))
