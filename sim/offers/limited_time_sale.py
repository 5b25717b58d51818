"""The limited-time sale (限时折扣): a share off the price of some goods, for some hours, announced or not.

*The discount* acts through price like any other (`people.buy`): of the fourfold sales of a sale of 20 % (facts:
promotion.limited_time_20pct_off, a winner's case) the price elasticity explains a factor of 1.79. The rest has causes
of its own:

- *reach*: a planned session comes across the sale in the platform's sale zone with probability
  reach · (categories · her liking of the merchant's category), whoever she is;
- *urgency*: in the window the goods are worth urgency · (share of the window that is over) more, most at its end;
- *stocking up*: of goods that are used up (`cycle_days` > 0) she orders what lasts `ahead_days` beyond the piece in
  use, 1 + ⌊ahead_days / cycle⌋ pieces but at most `most_pieces`, if she is one of the share
  min(1, stocking_up · discount) of people who stock up; who does at a small discount does at a large one;
- *waiting*: a sale may be announced. A share `aware` of people know of it, and wait up to T days for it, T exponential
  with mean patience_days · discount, so that d days before it a purchase is put off with probability
  aware · exp(−d / (patience_days · discount)). Nobody pays then; she comes back in the window if she `remembers`, and
  finds the goods on sale with much appeal.

What is stocked up is missing later: `people.repurchase` makes the next need, and the appetite for more, wait until
the pieces are used up. Van Heerde, Leeflang and Wittink (2004) find a third of the bump of a promotion to be taken
from other weeks, a yardstick that the model does not aim at. A sale on `campaign` runs whenever the merchant's
`offers.joint_campaign` does.

*Measured* in the shipped town (20 % off for 48 hours, 8 seeds): 3.9 ± 0.8 times the usual sales at the tea house, 3.4
± 0.4 at the snack lab; 3.3 over the eleven days of `double_eleven`. Facts promotion.limited_time_20pct_off, 4 (2.5 to
5.5), is a winner's case: it is reached by three of these sixteen sales.

It cannot: sell a limited number of pieces, tell old customers from new, or make people learn to expect the next sale.
"""

from collections.abc import Iterator

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.elementary import exp
from sim.ledger.schema import Records
from sim.params import Setting, param
from sim.units import DAY, F64, I64, Array, Bools
from sim.world.shelf import front, hoard, named, shelf, unknown
from sim.world.state import Column
from sim.world.windows import Windowed, Windows

BASIS = 10_000  # discounts are whole basis points
_WINDOWS = 1 << 20  # numbering of windows by the day they begin


class LimitedTimeSaleParams(Windowed):
    """How deep, when, on what, and how people take it."""

    moot = {
        "ahead_days": "stocking_up",
        "most_pieces": "stocking_up",
        **dict.fromkeys(("aware", "patience_days", "remembers", "resolve"), "announced_days"),
    }
    lively = {"day": (0, 1), "hours": (24, 7)}

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """Windows outside the scenario, and goods that there are not."""
        yield from super().idle(around)
        yield from unknown(self.products, around)

    discount: float = param(0.2, "share taken off the price", unit="share", ge=0, le=0.99)
    products: tuple[str, ...] = param((), "names of the goods on sale; none: all", unit="names")
    reach: float = param(
        0.05, "chance that a session comes across the sale, at ordinary taste for its goods", unit="probability",
        ge=0, le=1,
    )  # fmt: skip
    zone: int = param(4, "goods of the shop that the sale zone shows", unit="goods", ge=1, le=100)
    salience: float = param(1.0, "how much the sale zone catches the eye", unit="utility", ge=-10, le=10)
    came_for: float = param(4.0, "the same of what she came back for", unit="utility", ge=-10, le=10)
    urgency: float = param(0.3, "worth added to the goods at the last moment of the window", unit="utility", ge=0, le=5)
    stocking_up: float = param(
        2.0, "share of people who stock up, per whole price taken off", unit="share per discount", ge=0, le=100
    )
    ahead_days: float = param(60.0, "how long what is stocked up shall last", unit="days", ge=0, le=730)
    most_pieces: int = param(4, "most pieces of an order of those who stock up", unit="pieces", ge=1, le=100)
    announced_days: int = param(3, "how long before it the sale is announced; 0: not at all", unit="days", ge=0, le=60)
    aware: float = param(0.5, "people who know of an announced sale", unit="share", ge=0, le=1)
    patience_days: float = param(
        20.0, "mean time that people wait for a saving of the whole price", unit="days", ge=0, le=1_000
    )
    remembers: float = param(0.8, "who put a purchase off and come back for it", unit="share", ge=0, le=1)
    resolve: float = param(6.0, "worth added to what she put off", unit="utility", ge=0, le=20)


class LimitedTimeSale(Mechanism):
    """Lowers prices for a while, and lets people hurry, stock up, and wait."""

    Params = LimitedTimeSaleParams
    clicks = {"limited_time_sale": 0.3}  # assumed, as in the mini-program
    columns = (
        Column("slot", "sale_awaited", np.int32, 0, "second at which the sale begins that she waits for; 0 none"),
    )
    kinds = {
        "sale": Kind("a sale on dates of its own begins; detail: the second at which it ends", stage="plain"),
        "sale_opened": Kind(
            "a sale began; detail: the second at which it ends", says="{merchant} opens a sale, until {detail:when}"
        ),
        "put_off": Kind(
            "she would have bought, but waits for the sale; detail: the second at which it begins",
            says="{user} puts buying {product} of {merchant} off until its sale: {detail:when}",
        ),
    }
    settles = ("sale",)

    def prepare(self) -> None:
        product, merchant = self.world.product, self.world.product["merchant"]
        self._windows = Windows(self.p)
        self._notice = self.per_merchant("announced_days", 0, np.int64) * DAY
        basis = self.per_merchant(lambda p: round(p.discount * BASIS), 0, np.int64)
        self._on_sale = named(self.world, [None if p is None else p.products for p in self.p])
        self._off = np.where(self._on_sale, product["price"] * basis[merchant] // BASIS, 0)
        self._pieces = hoard(self.world, self.per_merchant("ahead_days"), self.per_merchant("most_pieces", 1))
        self._stockers = self.per_merchant("stocking_up") * basis / BASIS
        self._patience = self.per_merchant("patience_days") * basis / BASIS
        self._aware, self._remembers = self.per_merchant("aware"), self.per_merchant("remembers")
        self._urgency, self._resolve = self.per_merchant("urgency"), self.per_merchant("resolve")
        self._goods = self.per_merchant("zone", 1, np.int64)
        self._salience, self._came_for = self.per_merchant("salience"), self.per_merchant("came_for")
        self._reach, self._shelf = self.per_merchant("reach"), shelf(self.world)

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        rows = self._windows.dates(view, days)
        event = draws.child(self.world.merchant_key[rows.merchant], "sale", rows.quantity)
        return {"sale": rows.with_(event=event, quantity=0)}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        fx.event("sale_opened", rows)
        return fx

    # ---------------------------------------------------------------------------------------------- who hears of it

    def expose(self, view: View) -> Effects:
        """The sale zone, and what people came back for."""
        on = self._windows.touching(view)
        if not view.clock.running or not on.any():
            return EMPTY
        fx = Effects()
        self._come_back(view, fx, on)
        self._zone(view, fx, on)
        return fx

    def _zone(self, view: View, fx: Effects, on: Bools) -> None:
        """Strangers and others who come across a sale."""
        local = (on & (self._reach > 0))[: self.world.merchants].nonzero()[0]
        now = view.sessions
        session = np.repeat(now.planned.nonzero()[0], local.size)
        number = np.tile(local, int(now.planned.sum()))
        merchant = number + view.world.world_of(now.user[session]).astype(np.int64) * self.world.merchants
        category = self.world.merchant["category"][merchant]
        liking = view.world.people["taste"][now.user[session], category].astype(np.float64)
        chance = self._reach[merchant] * (float(len(self.world.categories)) * liking)
        found = draws.chance("offers.limited_time_sale/zone", now.event[session], chance, number) & (category >= 0)
        found &= self._windows.inside(view, merchant, now.time[session])
        self._show(view, fx, session[found], merchant[found], 0.0, self._salience)

    def _come_back(self, view: View, fx: Effects, on: Bools) -> None:
        """Those who put a purchase off, in the first session after the sale has begun."""
        awaited, merchant = view.relations("sale_awaited"), view.relations("merchant")
        at = ((awaited > 0) & on[merchant] & view.sessions.planned[view.related]).nonzero()[0]
        at = at[awaited[at] <= view.sessions.time[view.related[at]]]
        session, merchant, awaited = view.related[at], merchant[at].astype(np.int64), awaited[at].astype(np.int64)
        fx.relate("set", "sale_awaited", session, merchant, 0)
        begin, _ = self._windows.at(view, merchant, view.sessions.time[session])
        number = self._number(merchant, awaited)
        comes = draws.chance("offers.limited_time_sale/back", view.keys[session], self._remembers[merchant], number)
        comes &= begin == awaited
        session, merchant = session[comes], merchant[comes]
        self._show(view, fx, session, merchant, self._resolve[merchant], self._came_for)

    def _show(self, view: View, fx: Effects, session: I64, merchant: Array, appeal: F64 | float, salience: F64) -> None:
        """The best-selling goods of the shop, as far as they are on sale."""
        sold = np.where(self._on_sale, view.shared("product", "sold"), -1)
        owner, product = front(self._shelf, sold, merchant, self._goods[merchant])
        kept = self._on_sale[product]
        owner, product = owner[kept], product[kept]
        session, worth = session[owner], np.broadcast_to(appeal, merchant.shape)[owner]
        channel, cause = view.channel("limited_time_sale"), view.sessions.event[session]
        fx.expose(channel, session, product, cause=cause, appeal=worth, salience=salience[merchant[owner]])

    # --------------------------------------------------------------------------------------------- what it is worth

    def appraise(self, view: View) -> Effects:
        """In the window: the price, the hurry, the stock. Before it: the wait."""
        shown, near = view.exposures, self._windows.touching(view, self._notice)
        at = (near[shown.merchant] & self._on_sale[shown.product]).nonzero()[0]
        if not at.size:
            return EMPTY
        fx, time = Effects(), view.sessions.time[shown.session[at]]
        begin, end = self._windows.at(view, shown.merchant[at], time)
        inside = begin <= time
        fx.discount(at[inside], self._off[shown.product[at[inside]]])
        delta, over = np.zeros(len(shown)), (time - begin)[inside] / (end - begin)[inside]
        delta[at[inside]] = self._urgency[shown.merchant[at[inside]]] * over
        fx.appeal(delta)
        own = ~view.gift_minded[shown.session[at]]
        self._stock_up(view, fx, at[inside & own])
        later = ~inside & own
        fx.put_off(at[later][self._waits(view, at[later], begin[later])])
        return fx

    def _stock_up(self, view: View, fx: Effects, at: I64) -> None:
        shown = view.exposures
        share = self._stockers[shown.merchant[at]]
        keen = draws.chance("offers.limited_time_sale/stock", view.keys[shown.session[at]], share)
        at = at[keen & (self._pieces[shown.product[at]] > 1)]
        fx.bundle(at, self._pieces[shown.product[at]])

    def _waits(self, view: View, at: I64, begin: I64) -> Bools:
        """Whether whoever would choose one of these exposures rather waits for the sale that begins then."""
        session, merchant = view.exposures.session[at], view.exposures.merchant[at]
        ahead = begin - view.sessions.time[session]
        patience = self._patience[merchant]
        days = np.minimum(ahead, self._notice[merchant]) / float(DAY)
        share = self._aware[merchant] * exp(-days / np.where(patience > 0, patience, 1.0))
        share = np.where((patience > 0) & (ahead > 0) & (ahead <= self._notice[merchant]), share, 0.0)
        number = self._number(merchant, np.where(share > 0, begin, 0))
        return draws.chance("offers.limited_time_sale/wait", view.keys[session], share, number)

    def checkout(self, view: View) -> Effects:
        """Those who put it off keep it in mind."""
        shown, at = view.exposures, view.put_off
        at = at[self._on_sale[shown.product[at]] & ~view.gift_minded[shown.session[at]]]
        if not at.size:
            return EMPTY
        begin, _ = self._windows.at(view, shown.merchant[at], view.sessions.time[shown.session[at]])
        waits = self._waits(view, at, begin)
        at, begin = at[waits], begin[waits]
        fx, session, merchant = Effects(), shown.session[at], shown.merchant[at]
        fx.relate("set", "sale_awaited", session, merchant, begin)
        said = {"cause": shown.cause[at], "channel": shown.channel[at], "detail": begin}
        fx.event("put_off", view.rows("put_off", session, merchant=merchant, product=shown.product[at], **said))
        return fx

    # ------------------------------------------------------------------------------------------------------- parts

    def _number(self, merchant: Array, begin: I64) -> I64:
        """The natural number of a merchant's window: its merchant and the day on which it begins."""
        out: I64 = self.world.local_merchant(merchant).astype(np.int64) * _WINDOWS + begin // DAY
        return out
