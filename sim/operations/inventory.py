"""A merchant's stock: what is on the shelf, what is promised, what is on its way from the factory.

Stock is counted in pieces per variant, double entry: factory → *shelf* (sellable) → *transit* (in a parcel) →
customer. A gift waits in *reserved* until it is claimed, and goes back to the shelf if it expires or is swapped for
another style; a returned parcel goes back to the shelf as far as it can be sold again, else to scrap. What comes
back can be sold from the next tick on.

The shelf is filled by an (s, Q) policy, reviewed at the end of each day: when pieces on the shelf and on order are
at most s, Q pieces are ordered, and as often as it takes to get above s; they arrive `lead_days` later. Demand that
finds an empty shelf is lost (Hadley and Whitin 1963, lost sales). With D the pieces asked for per day, an
exponentially weighted mean over all days so far (refused ones included),

    s = max(reorder_point, D · (lead_days + safety_days)),   Q = max(reorder_quantity, D · cover_days),

in whole pieces, so a shop that grows orders more. With `cover_days` 0 nothing is forecast: s and Q are the parameters.

It cannot: plan production, share stock between shops, or let stock go bad.
"""

from collections.abc import Mapping

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.elementary import exp, log
from sim.ledger.schema import Postings, Records
from sim.params import Params, param
from sim.units import DAY, F64, I64, NOBODY, Array, Bools
from sim.world.state import Column

FROM_RESERVE, FROM_CUSTOMER = 0, 1  # `detail` of a put_back: where the pieces come from


class InventoryParams(Params):
    """How much is kept, and when more is ordered; per variant."""

    opening: int = param(1_000, "on the shelf on the first day", unit="pieces per variant", ge=0, le=10**9)
    reorder_point: int = param(
        100, "least s: order when this is left or on order, or less", unit="pieces", ge=0, le=10**9
    )
    reorder_quantity: int = param(
        500, "least Q: how many are ordered at a time; 0 never orders", unit="pieces", ge=0, le=10**9
    )
    lead_days: int = param(3, "from order to shelf", unit="days", ge=0, le=365)
    safety_days: float = param(4.0, "demand held in reserve beyond the lead time", unit="days", ge=0, le=365)
    cover_days: float = param(14.0, "demand that an order covers; 0: no forecast", unit="days", ge=0, le=365)
    forecast_half_life_days: float = param(7.0, "half of past demand is forgotten in", unit="days", gt=0, le=3_650)


class Inventory(Mechanism):
    """Moves pieces between shelf, reserve, parcels and customers, and reorders."""

    Params = InventoryParams
    columns = (
        Column("variant", "on_order", np.int64, 0, "pieces ordered from the factory, not yet arrived"),
        Column("variant", "asked", np.int64, 0, "pieces asked for since the start, refused ones included"),
        Column("variant", "asked_past", np.float64, 0, "how much of that is forgotten"),
    )
    kinds = {
        "restock": Kind(
            "pieces arrive from the factory; quantity is negative: it puts them there",
            stage="stock",
            says="{merchant} gets {quantity} × {variant} from the factory",
        ),
        "put_back": Kind(
            "pieces go back to the shelf; detail 0 from the reserve, 1 from a customer",
            stage="stock",
            says="{merchant} puts {quantity} × {variant} back on the shelf",
        ),
    }
    settles = (
        "order", "gift_order", "gift_swap", "gift_deadline", "parcel", "delivery", "return", "restock", "put_back",
    )  # fmt: skip

    def prepare(self) -> None:
        merchant = self.world.product["merchant"][self.world.variant_product]
        self._merchant = merchant
        place = np.arange(self.world.variant_product.size) - self.world.variant_start[self.world.variant_product]
        self._number = self.world.product_number(self.world.variant_product) * 1_024 + place  # natural index

        def per_variant(field: str) -> I64:
            out: I64 = self.per_merchant(field, 0, np.int64)[merchant]
            return out

        self._opening = per_variant("opening")
        self._s, self._Q = per_variant("reorder_point"), per_variant("reorder_quantity")
        self._lead = per_variant("lead_days")
        self._cover = self.per_merchant("cover_days")[merchant]
        reach = self._lead + self.per_merchant("safety_days")[merchant]
        self._reach = np.where(self._cover > 0.0, reach, 0.0)
        self._rate = log(np.array(2.0)) / self.per_merchant("forecast_half_life_days", 1.0)[merchant]  # per day

    def initial(self) -> Mapping[tuple[str, str], Array]:
        """The opening stock is on order until it arrives at second 0."""
        return {("variant", "on_order"): self._opening}

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        variant = self._opening.nonzero()[0]
        return {"restock": self._restock(variant, self._opening[variant], 0, 0)}

    def close(self, view: View) -> Effects:
        fx = Effects()
        demand = self._demand(fx, view)
        s = np.maximum(self._s, np.rint(demand * self._reach).astype(np.int64))
        Q = np.maximum(self._Q, np.rint(demand * self._cover).astype(np.int64))
        position = view.shared("variant", "stock") + view.shared("variant", "on_order")
        variant = ((position <= s) & (self._Q > 0)).nonzero()[0]
        if variant.size:
            lots = (s[variant] - position[variant]) // Q[variant] + 1
            pieces = lots * Q[variant]
            fx.request("restock", self._restock(variant, pieces, view.clock.end, view.clock.day + 1))
            fx.tally("variant", "on_order", variant, pieces)
        return fx

    def _demand(self, fx: Effects, view: View) -> F64:
        """Pieces asked for per day: the weighted mean over days so far, weights falling by half per half-life."""
        asked, past = view.shared("variant", "asked"), view.shared("variant", "asked_past")
        kept = exp(-self._rate)
        recent = kept * (asked - past)
        fx.put("variant", "asked_past", asked - recent)
        days = view.clock.day + 1
        weight = kept * (1.0 - exp(-self._rate * days)) / (1.0 - kept)  # sum of kept^1 ... kept^days
        out: F64 = recent / weight
        return out

    def _restock(self, variant: I64, pieces: I64, ordered: int, number: int) -> Records:
        """Deliveries from the factory; `number` is 0 for the opening stock, else the day of the order."""
        merchant = self._merchant[variant]
        lead = self._lead[variant] * DAY if number else 0
        parent = draws.child(self.world.merchant_key[merchant], "restock", number)
        return Records(
            variant.size,
            time=ordered + lead,
            event=draws.child(parent, "variant", self._number[variant]),
            merchant=merchant,
            product=self.world.variant_product[variant],
            variant=variant,
            quantity=-pieces,
        )

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        if kind in _ASKING:
            fx.tally("variant", "asked", rows.variant, rows.quantity)
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
_ASKING = ("order", "gift_order", "gift_swap")
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
