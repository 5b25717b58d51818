"""A merchant's stock: what is on the shelf, what is promised, what is on its way from the factory.

Stock is counted in pieces per variant, double entry: factory → *shelf* (sellable) → *transit* (in a parcel) →
customer. A gift waits in *reserved* until it is claimed, and goes back to the shelf if it expires or is swapped for
another style; a returned parcel goes back to the shelf as far as it can be sold again, else to scrap. What comes
back can be sold from the next tick on.

The shelf is filled by an (s, Q) policy, reviewed at the end of each day: when pieces on the shelf and on order are
at most s (`reorder_point`), Q pieces (`reorder_quantity`) are ordered, and as often as it takes to get above s; they
arrive `lead_days` later. Demand that finds an empty shelf is lost (Hadley and Whitin 1963, lost sales).

It cannot: plan production, share stock between shops, or let stock go bad.
"""

from collections.abc import Mapping

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.ledger.schema import Postings, Records
from sim.params import Params, param
from sim.units import DAY, I64, NOBODY, Array, Bools
from sim.world.state import Column

FROM_RESERVE, FROM_CUSTOMER = 0, 1  # `detail` of a put_back: where the pieces come from


class InventoryParams(Params):
    """How much is kept, and when more is ordered; per variant."""

    opening: int = param(1_000, "on the shelf on the first day", unit="pieces per variant", ge=0, le=10**9)
    reorder_point: int = param(300, "s: order when this is left or on order, or less", unit="pieces", ge=0, le=10**9)
    reorder_quantity: int = param(1_000, "Q: how many are ordered at a time; 0 never", unit="pieces", ge=0, le=10**9)
    lead_days: int = param(7, "from order to shelf", unit="days", ge=0, le=365)


class Inventory(Mechanism):
    """Moves pieces between shelf, reserve, parcels and customers, and reorders."""

    Params = InventoryParams
    columns = (Column("variant", "on_order", np.int64, 0, "pieces ordered from the factory, not yet arrived"),)
    kinds = {
        "restock": Kind("pieces arrive from the factory; quantity is negative: it puts them there", stage="stock"),
        "put_back": Kind("pieces go back to the shelf; detail 0 from the reserve, 1 from a customer", stage="stock"),
    }
    settles = (
        "order", "gift_order", "gift_swap", "gift_deadline", "parcel", "delivery", "return", "restock", "put_back",
    )  # fmt: skip

    def prepare(self) -> None:
        merchant = self.world.product["merchant"][self.world.variant_product]
        self._merchant = merchant

        def per_variant(field: str) -> I64:
            out: I64 = self.per_merchant(field, 0, np.int64)[merchant]
            return out

        self._opening = per_variant("opening")
        self._s, self._Q = per_variant("reorder_point"), per_variant("reorder_quantity")
        self._lead = per_variant("lead_days") * DAY

    def initial(self) -> Mapping[tuple[str, str], Array]:
        """The opening stock is on order until it arrives at second 0."""
        return {("variant", "on_order"): self._opening}

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        variant = np.flatnonzero(self._opening)
        return {"restock": self._restock(variant, self._opening[variant], 0, 0)}

    def close(self, view: View) -> Effects:
        fx = Effects()
        position = view.shared("variant", "stock") + view.shared("variant", "on_order")
        variant = np.flatnonzero((position <= self._s) & (self._Q > 0))
        if variant.size:
            lots = (self._s[variant] - position[variant]) // self._Q[variant] + 1
            pieces = lots * self._Q[variant]
            fx.request("restock", self._restock(variant, pieces, view.clock.end, view.clock.day + 1))
            fx.tally("variant", "on_order", variant, pieces)
        return fx

    def _restock(self, variant: I64, pieces: I64, ordered: int, number: int) -> Records:
        """Deliveries from the factory; `number` is 0 for the opening stock, else the day of the order."""
        merchant = self._merchant[variant]
        lead = self._lead[variant] if number else 0
        parent = draws.child(self.world.merchant_key[merchant], "restock", number)
        return Records(
            variant.size,
            time=ordered + lead,
            event=draws.child(parent, "variant", variant % self.world.variants),
            merchant=merchant,
            product=self.world.variant_product[variant],
            variant=variant,
            quantity=-pieces,
        )

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        mine = granted & self.on[rows.merchant]
        rows = rows if mine.all() else rows.take(mine)
        if rows.n == 0:
            return fx
        if kind == "gift_deadline":
            fx.request("put_back", _back(rows, rows.quantity, FROM_RESERVE, view.clock.end))
        elif kind == "return":
            _take_back(fx, rows, view.clock.end)
        elif kind == "restock":
            fx.event(kind, rows)
            fx.tally("variant", "on_order", rows.variant, rows.quantity)
            _move(fx, rows, "factory", "shelf", -rows.quantity)
        elif kind == "put_back":
            fx.event(kind, rows)
            returned = rows.detail == FROM_CUSTOMER
            _move(fx, rows.take(~returned), "reserved", "shelf", -rows.quantity[~returned])
            _move(fx, rows.take(returned), "customer", "shelf", -rows.quantity[returned])
        else:
            _move(fx, rows, *_STEPS[kind], rows.quantity)
        return fx


_STEPS = {
    "order": ("shelf", "transit"),
    "gift_order": ("shelf", "reserved"),
    "gift_swap": ("shelf", "reserved"),
    "parcel": ("reserved", "transit"),
    "delivery": ("transit", "customer"),
}
_OWNED = ("shelf", "reserved", "transit")


def _move(fx: Effects, rows: Records, source: str, target: str, pieces: Array) -> None:
    """Post pieces of each row's variant from one account to another."""
    source_owner, target_owner = (rows.variant if account in _OWNED else NOBODY for account in (source, target))
    fx.post("stock", Postings.move(rows, source, source_owner, target, target_owner, pieces, rows.variant))


def _back(rows: Records, pieces: Array, origin: int, time: int) -> Records:
    """Requests to put pieces back on the shelf as soon as the next tick begins."""
    return Records(
        rows.n,
        time=np.maximum(rows.time + 1, time),
        event=draws.child(rows.event, "put_back"),
        cause=rows.event,
        merchant=rows.merchant,
        product=rows.product,
        variant=rows.variant,
        quantity=-pieces,
        detail=origin,
    )


def _take_back(fx: Effects, rows: Records, next_tick: int) -> None:
    """`detail` of a return is the number of pieces that can be sold again; the others are scrapped."""
    _move(fx, rows, "customer", "scrap", rows.quantity - rows.detail)
    sellable = rows.take(rows.detail > 0)
    fx.request("put_back", _back(sellable, sellable.detail, FROM_CUSTOMER, next_tick))
