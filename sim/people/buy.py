"""Buying: from what is noticed to a product page, and from the pages seen to an order.

A noticed product is clicked with log-odds ``logit(click rate of the channel) + interest``, where interest is appeal
plus taste, bounded. Among the pages seen the person chooses the one with the largest utility, or nothing of it all:

    U = quality_weight · (quality - 1) + taste_weight · (C · share of her liking - 1)
        - price_sensitivity · (elasticity · log(price / customary) + level_elasticity · log(customary / typical))
        + appeal + frozen_weight · G(user, product) + G(session, product)

with C categories and G standard Gumbel noise, so that for given frozen noise shares are multinomial logit (McFadden
1974). The best quality, ordinarily liked, at its customary price, is worth 0. G(user, product) lasts for life: the
same person likes the same thing tomorrow, under every strategy, and raising the utility of one option can only move
people towards it. The price elasticity of a product that few people buy is -elasticity (facts:
promotion.price_elasticity_mean, the mean of 1,851 estimates: Bijmolt, van Heerde and Pieters 2005); those estimates
compare prices of one product, so across products of a category, whose `typical` price is the median, what is dearer
by nature loses less. `customary` is what people are used to pay for the product: the column of that name of the
product table if the world has it, else the list price.

An order may be of several pieces (`Effects.bundle`); its price is then that of a piece after all offers. The outside
option is the session's note `outside` (`platform.rivals`), or `nothing` where rivals are off. One order
a session, of one product. Baskets are not modelled.
"""

from functools import partial

import numpy as np
from pydantic import field_validator

from sim import draws
from sim.contract import EMPTY, Effects, Exposures, Kind, Mechanism, Params, View, param
from sim.elementary import log
from sim.kernels import choice, segments
from sim.ledger.schema import Records
from sim.units import F64, I64, NOBODY, U64, Array, Bools
from sim.words import _
from sim.world.doors import in_mini
from sim.world.shelf import styles

_CLICK_RATE = 0.05  # of channels that say nothing (assumed)
_SOLD_OUT = -1e9  # utility of a variant that is not there


class BuyParams(Params):
    """What makes people click and buy."""

    needs = ("people.browse",)
    lively = {"nothing": (-4.0, -8.0)}

    click_rates: dict[str, float] = param(
        dict, "noticed products whose page is opened, by channel, where it is not what the channel says", unit="share"
    )
    click_rate: float | None = param(None, "the same for all channels not listed", unit="share", gt=0, lt=1)
    click_level: float = param(
        1.0, "odds of opening a noticed page, times those that its channel says", unit="relative", gt=0, le=100
    )
    click_weight: float = param(0.5, "log-odds of a click per unit of appeal or taste", unit="log-odds", ge=0, le=10)
    click_limit: float = param(1.5, "most log-odds by which interest moves a click", unit="log-odds", ge=0, le=10)
    quality_weight: float = param(1.0, "utility of the best quality over the worst", unit="utility", ge=0, le=100)
    taste_weight: float = param(0.2, "utility of average taste over none", unit="utility", ge=0, le=100)
    elasticity: float = param(
        2.62,
        "fall of utility with the log of a product's price",
        unit="utility",
        source="facts: promotion.price_elasticity_mean",
        ge=0,
        le=100,
    )
    frozen_weight: float = param(0.5, "part of the noise that lasts for life", unit="utility", ge=0, le=100)
    level_elasticity: float = param(
        0.6, "the same between products of a category by their customary prices", unit="utility", ge=0, le=100
    )
    nothing: float = param(5.0, "utility of buying nothing here, where rivals are off", unit="utility", ge=-100, le=100)
    quantity: int = param(1, "pieces per order", unit="pieces", ge=1, le=1_000)

    @field_validator("click_rates")
    @classmethod
    def _open_shares(cls, value: dict[str, float]) -> dict[str, float]:
        if not all(0 < rate < 1 for rate in value.values()):
            raise ValueError(_("each click rate must lie between 0 and 1, both excluded"))
        return value


class Buy(Mechanism):
    """Click, choice, order."""

    Params = BuyParams
    kinds = {
        "exposure": Kind(
            "a product was noticed",
            detail=True,
            says="{user} notices {product} of {merchant} ({channel})[, recommended by {peer}]",
        ),
        "view": Kind(
            "its page was opened; cause: what brought the exposure",
            detail=True,
            says="{user} opens the page of {product} of {merchant} at {amount}[, recommended by {peer}]",
        ),
        "order": Kind(
            "paid; amount: fen after discount, detail: discount in fen",
            stage="stock",
            says="{user} buys {quantity} × {product} of {merchant} for {amount}[, {detail:yuan} off][ ({channel})]",
        ),
        "order_refused": Kind(
            "sold out at the moment of paying; columns as in order",
            says="{user} wants {quantity} × {product} of {merchant}[ for {peer}], but it is sold out",
        ),
    }
    settles = ("order",)

    def prepare(self) -> None:
        """The odds of clicks; what each product is used to cost, alone and among its category in its own world."""
        table, world = self.world.product, self.world
        customary = table.get("customary", table["price"]).astype(np.float64)
        home = np.arange(customary.size) // max(world.products, 1)
        shelf = home * (len(world.categories) + 1) + table["category"] + 1  # a product may be of no category
        self._customary = log(customary)
        self._level = self.p.level_elasticity * (self._customary - log(_median(shelf, customary)))

    def appraise(self, view: View) -> Effects:
        """Several pieces, if that is what people order; a gift is one."""
        if self.p.quantity == 1:
            return EMPTY
        fx = Effects()
        fx.bundle((~view.gift_minded[view.exposures.session]).nonzero()[0], self.p.quantity)
        return fx

    # -------------------------------------------------------------------------------------------- click and choice

    def choose(self, view: View) -> Effects:
        """Open some pages, and buy at most one of the products seen."""
        e = view.exposures
        if not len(e):
            return EMPTY
        fx = Effects()
        which, shown = view.ways(e.product, e.channel), _shown(view, e)
        seen = self._clicked(view, e, which)
        for kind, rows, number in (("exposure", shown, which), ("view", shown.take(seen), which[seen])):
            fx.event(kind, rows.with_(event=partial(_child, rows, kind, number)))
        chosen = self._best(view, e, seen, which)
        viewed = np.zeros(len(e), np.bool_)
        viewed[seen] = True
        fx.choose(chosen, viewed=viewed)
        fx.note("variant", _variants(view, e, chosen))
        return fx

    def _clicked(self, view: View, e: Exposures, which: U64) -> I64:
        """Positions of the exposures whose page is opened: first a coin at the highest possible odds, then exactly."""
        p = self.p
        odds = self._odds(view)
        luck = draws.uniform("people.buy/click", view.sessions.event[e.session], which)
        at = (luck < choice.logistic(odds + p.click_limit)[e.channel]).nonzero()[0]
        interest = p.click_weight * (e.appeal[at] + p.taste_weight * (_taste(view, e, at) - 1.0))
        interest = np.clip(interest, -p.click_limit, p.click_limit)
        out: I64 = at[luck[at] < choice.logistic(odds[e.channel[at]] + interest)]
        return out

    def _odds(self, view: View) -> F64:
        """Log-odds of a click without interest, by channel."""
        said = dict.fromkeys(view.channels, self.p.click_rate or _CLICK_RATE)
        if self.p.click_rate is None:
            said |= view.clicks
        rate = np.array([(said | self.p.click_rates)[name] for name in sorted(view.channels, key=view.channel)])
        return log(rate / (1.0 - rate) * self.p.click_level)

    def _best(self, view: View, e: Exposures, seen: I64, which: U64) -> I64:
        """Positions of the exposures that are bought, at most one per session."""
        session = e.session[seen]
        outside = view.scratch.get("outside")
        acting = session[segments.starts(session)]
        if outside is None:
            stay = self.p.nothing + draws.gumbel("people.buy/nothing", view.sessions.event[acting])
        else:
            stay = outside[acting]
        row = choice.discrete_choice(session, self.utility(view, e, seen), stay, which[seen])
        return seen[row[row >= 0]]

    def utility(self, view: View, e: Exposures, at: I64) -> F64:
        """Utility of these exposures, noise included (see the head of this file)."""
        p, session, product = self.p, e.session[at], e.product[at]
        user, number = view.sessions.user[session], view.world.product_number(product)
        dearer = log(np.maximum(e.price[at], 1).astype(np.float64)) - self._customary[product]
        out = p.quality_weight * (view.world.product["quality"][product] - 1.0)
        out += p.taste_weight * (_taste(view, e, at) - 1.0)
        out -= view.world.people["price_sensitivity"][user] * (p.elasticity * dearer + self._level[product])
        out += e.appeal[at] + draws.gumbel("people.buy/fleeting", view.sessions.event[session], number)
        if p.frozen_weight:
            out += p.frozen_weight * draws.gumbel("people.buy/frozen", view.world.user_key[user], number)
        return np.asarray(out)

    # -------------------------------------------------------------------------------------------- order

    def checkout(self, view: View) -> Effects:
        """Order what was chosen, unless the session gives it to a friend (note `giving` of `people.gift`)."""
        e, chosen = view.exposures, view.chosen
        if not chosen.size:
            return EMPTY
        fx, giving = Effects(), view.scratch.get("giving")
        if giving is not None:
            chosen = chosen[~giving[e.session[chosen]]]
        session, product = e.session[chosen], e.product[chosen]
        fx.request(
            "order",
            view.rows(
                "order",
                session,
                cause=e.cause[chosen],
                merchant=e.merchant[chosen],
                product=product,
                variant=view.scratch["variant"][session],
                channel=e.channel[chosen],
                quantity=e.quantity[chosen],
                amount=e.amount[chosen],
                detail=e.off[chosen].sum(axis=1),
            ),
        )
        return fx

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        """Write down which orders were filled and which were refused."""
        fx = Effects()
        fx.event("order", rows.take(granted))
        fx.event("order_refused", rows.take(~granted))
        return fx

    def respond(self, view: View) -> Effects:
        """Remember one's own orders."""
        fx, out = Effects(), view.outcome("order")
        rows, session = out.rows.take(out.granted), out.session[out.granted]
        if not rows.n:
            return EMPTY
        fx.relate("add", "orders", session, rows.merchant, 1)
        fx.relate("set", "last_order", session, rows.merchant, rows.time)
        fx.tally("product", "sold", rows.product, rows.quantity)
        return fx


def _median(group: I64, value: F64) -> F64:
    """The median value of each row's group, shape (n,)."""
    order = np.lexsort((value, group))
    begin = segments.starts(group[order])
    size = np.diff(np.append(begin, group.size))
    low, high = value[order[begin + (size - 1) // 2]], value[order[begin + size // 2]]
    out = np.empty(group.size)
    out[order] = np.repeat((low + high) / 2.0, size)
    return out


def _taste(view: View, e: Exposures, at: I64) -> F64:
    """The user's share of liking for each product's category, times the number of categories: 1 on average."""
    user = view.sessions.user[e.session[at]]
    category = view.world.product["category"][e.product[at]]
    out: F64 = view.world.people["taste"][user, category] * float(len(view.world.categories))
    return out


def _variants(view: View, e: Exposures, chosen: I64) -> I64:
    """The variant that each session buys, shape (S,), -1 for none: lasting taste among those shown in stock."""
    session = e.session[chosen]
    owner, variant, liking, which = styles(view.world, view.sessions.user[session], e.product[chosen])
    liking = np.where(_shown_stock(view, e.channel[chosen][owner], variant) > 0, liking, liking + _SOLD_OUT)
    out = np.full(len(view.sessions), NOBODY, np.int64)
    out[session] = variant[segments.argmax(owner, liking, which.astype(np.uint64))]
    return out


def _shown_stock(view: View, channel: Array, variant: I64) -> Array:
    """Pieces that a page of each channel shows: the mini-program's may be stale (`operations.stock_sync`)."""
    stock: Array = view.shared("variant", "stock")[variant]
    synced = view.state["variant"].get("stock_synced")
    if synced is None:
        return stock
    return np.where(in_mini(channel, view.channels) & (synced[variant] >= 0), synced[variant], stock)


def _shown(view: View, e: Exposures) -> Records:
    """What was noticed; `event` is the session's, `detail` kinds have ids of their own only if somebody reads them."""
    return Records(
        len(e),
        time=view.sessions.time[e.session],
        event=view.sessions.event[e.session],
        cause=e.cause,
        user=view.sessions.user[e.session],
        peer=e.peer,
        merchant=e.merchant,
        product=e.product,
        channel=e.channel,
        amount=e.price,
    )


def _child(session: Records, kind: str, which: U64) -> U64:
    """Ids of what happened in these sessions."""
    return draws.child(session.event, kind, which)
