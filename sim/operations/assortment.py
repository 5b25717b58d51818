"""The assortment (上架、下架与改价): goods that the store takes up, withdraws or reprices on a day.

*In the store* a change holds from its day on, until the next change of the same goods. Goods that are not sold any
more are a page that says so: who comes upon one turns away. `off` is taken off the list price of a piece (the layer
``price``, so a larger discount counts instead).

*In the mini-program* (`sim.world.doors`) a page shows the terms that it was told last by `operations.stock_sync`;
where that is off they are the store's. What a page shows is honoured, as the contract stands once the order is sent
(E-Commerce Law of the PRC, article 49): so for as long as the lag lasts a new product is not there yet, a withdrawn
one is still sold, and a new price is still the old one. Each order on such terms is written down (``old_terms``).

It cannot: raise a price above that of the list, move stock, or take withdrawn goods off shelves and lists.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.ledger.schema import Records
from sim.params import Params, Setting, param
from sim.units import DAY, I64, Array, Bools
from sim.words import _
from sim.world.doors import LIVE, UNTOLD, WITHDRAWN, in_mini
from sim.world.shelf import named, unknown
from sim.world.state import Column

_BASIS = 10_000
_GONE = 1e9  # utility lost by goods that are not sold


class Change(Params):
    """From which day on what holds for some goods."""

    day: int = param(0, "day from which it holds, from 0", unit="day", ge=0, le=3_650)
    products: tuple[str, ...] = param((), "names of the goods; none: all", unit="names")
    sold: bool = param(True, "whether they are sold", unit="yes or no")
    off: float = param(0.0, "taken off the list price", unit="share", ge=0, le=0.99)


class AssortmentParams(Params):
    """What changes, and when."""

    lively = {"changes": ([{"day": 1, "off": 0.3}, {"day": 2, "sold": False}, {"day": 3}], [{"day": 0, "sold": False}])}

    changes: tuple[Change, ...] = param((), "changes; of one day the later entry counts", unit="changes")

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """No changes, changes after the last day, and goods that there are not."""
        if not self.changes:
            yield "", _("changes nothing; write `changes: [{day: 10, products: [NAME], off: 0.1}]`")
        for change in self.changes:
            if change.day >= around.days:
                said = _(
                    "day {day} is after the last; write a day from 0 to {last}", day=change.day, last=around.days - 1
                )
                yield "changes", said
            yield from unknown(change.products, around, "changes")


class Assortment(Mechanism):
    """Changes the terms of goods, and shows them."""

    Params = AssortmentParams
    columns = (
        Column("product", "terms", np.int32, 0, "basis points off its list price in the store; -1: it is not sold"),
    )
    kinds = {
        "goods_changed": Kind("the store changes the terms of a product", stage="plain"),
        "goods_withdrawn": Kind("the store sells it no more", says="{merchant} takes {product} out of its store"),
        "goods_offered": Kind(
            "the store sells it from now on; amount: at this price",
            says="{merchant} sells {product} for {amount} from now on",
        ),
        "old_terms": Kind(
            "ordered in the mini-program on terms that the store has no more; detail: how much less was asked than the "
            "store would, cause: the order",
            says="the mini-program of {merchant} has not heard of it: {user} gets {product} on the old terms",
        ),
    }
    settles = ("goods_changed",)

    def prepare(self) -> None:
        self._first, self._changes = self._plan()

    def _plan(self) -> tuple[I64, Records]:
        """The terms of each product at first, and how they change: `detail` the new terms, `amount` less the old."""
        now, day = np.zeros(self.world.product["price"].size, np.int64), 0
        first, rows = now.copy(), []
        for day in sorted({change.day for p in self.p if p is not None for change in p.changes}):
            new = now.copy()
            for turn in range(max(len(p.changes) for p in self.p if p is not None)):
                each = [None if p is None or turn >= len(p.changes) else p.changes[turn] for p in self.p]
                mine = [change if change is not None and change.day == day else None for change in each]
                terms = [0 if c is None else round(c.off * _BASIS) if c.sold else WITHDRAWN for c in mine]
                on = named(self.world, [None if change is None else change.products for change in mine])
                new[on] = np.array(terms, np.int64)[self.world.product["merchant"][on]]
            if day == 0:
                first = new
            else:
                product = (new != now).nonzero()[0]
                rows.append(self._dated(product, day, new[product], (new - now)[product]))
            now = new
        return first, Records.concat(rows)

    def _dated(self, product: I64, day: int, terms: I64, more: I64) -> Records:
        """Changes of one day."""
        merchant, number = self.world.product["merchant"][product], self.world.product_number(product)
        event = draws.child(self.world.merchant_key[merchant], "goods_changed", number * 4_096 + day)
        columns = {"merchant": merchant, "product": product, "detail": terms, "amount": more}
        return Records(product.size, time=day * DAY, event=event, **columns)

    def initial(self) -> Mapping[tuple[str, str], Array]:
        return {("product", "terms"): self._first}

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        return {"goods_changed": self._changes.take(self._changes.time < days * DAY)}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx, gone = Effects(), rows.detail == WITHDRAWN
        fx.tally("product", "terms", rows.product, rows.amount)
        price = self._asked(rows.product, rows.detail)
        for name, which, amount in (("goods_withdrawn", gone, 0 * price), ("goods_offered", ~gone, price)):
            fx.event(name, rows.with_(detail=0, amount=amount).take(which))
        return fx

    def appraise(self, view: View) -> Effects:
        """Other prices, and goods that are not sold."""
        shown = view.exposures
        at = self.on[shown.merchant].nonzero()[0]
        terms = self._terms(view, shown.product[at], shown.channel[at])
        if not terms.any():
            return EMPTY
        fx, delta, product = Effects(), np.zeros(len(shown)), shown.product[at]
        less = (terms > 0).nonzero()[0]
        fx.discount(at[less], (self.world.product["price"][product] - self._asked(product, terms))[less])
        delta[at[terms == WITHDRAWN]] = -_GONE
        fx.appeal(delta)
        return fx

    def respond(self, view: View) -> Effects:
        """Orders on terms that the store has no more."""
        fx = Effects()
        for kind in ("order", "gift_order"):
            made = view.outcome(kind)
            at = (made.granted & self.on[made.rows.merchant]).nonzero()[0]
            rows = made.rows.take(at)
            here, there = self._terms(view, rows.product, rows.channel), view.shared("product", "terms")[rows.product]
            asked = self._asked(rows.product, there) - self._asked(rows.product, here)
            event = draws.child(rows.event, "old_terms")
            less = np.where((here != WITHDRAWN) & (there != WITHDRAWN), asked * rows.quantity, 0)
            fx.event("old_terms", rows.with_(event=event, cause=rows.event, amount=0, detail=less).take(here != there))
        return fx

    def _terms(self, view: View, product: Array, channel: Array) -> I64:
        """The terms on which a page of each channel shows each product."""
        store: I64 = view.shared("product", "terms")[product].astype(np.int64)
        told = view.state["product"].get("terms_synced")
        if told is None:
            return store
        mini = np.where(told[product] == UNTOLD, self._first[product], told[product])
        return np.where(in_mini(channel, view.channels) & (told[product] != LIVE), mini, store)

    def _asked(self, product: Array, terms: Array) -> I64:
        """The price of a piece on these terms, fen."""
        price = self.world.product["price"][product]
        out: I64 = price - price * np.maximum(terms, 0) // _BASIS
        return out
