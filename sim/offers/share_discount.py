"""Share and save (分享立减): who tells a friend of a product pays less, and so does the friend.

*Sharing.* In a planned session a person who saw pages of the merchant, bought nothing of it and has no such discount
yet may share one of these products with a friend, for one of two reasons:

    P(means it) = sharing · sociality · how readily its category is recommended,
    P(for the discount alone) = hunting · price sensitivity · (share of the price that it takes off).

Who means it picks a friend as in any chat, by the layer of the tie, and the friend listens (`trust`). A hunter picks
anybody, and is believed little (`hunter_trust`): the friend is told of something that she has no use for. Both write a
``share`` (owned by `people.share`), so trees of sharing hold them too.

*Discounts* are per piece, in the layer ``price``. From her next session on, for `valid_hours`, the sharer pays `off`
less for anything of the merchant, until her first order of it. The friend pays `friend_off` less for what she was
told of, in the session in which she finds it. Sessions that look for a gift get neither.

It cannot: be shared into groups, ask the friend to buy first (`offers.bargain` does), or detect hunters.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, LAYERS, Effects, Kind, Mechanism, View
from sim.elementary import log
from sim.kernels import expand, segments
from sim.params import Params, param
from sim.units import HOUR, I64, Array, Bools, fen
from sim.world.state import Column

_SHARER, _FRIEND = 0, 1  # `detail` of share_discount_used
_PRICE = LAYERS.index("price")


class ShareDiscountParams(Params):
    """What sharing saves, and who shares for what."""

    needs = ("people.buy",)
    moot = {"trust": "sharing", "layer_weights": "sharing", "hunter_trust": "hunting"}
    lively = {"sharing": (0.3,), "hunting": (2.0,)}

    off: float = param(10.0, "taken off a piece for who shared", unit="yuan", gt=0, le=1e6)
    friend_off: float = param(5.0, "taken off a piece for the friend", unit="yuan", ge=0, le=1e6)
    valid_hours: float = param(72.0, "hours for which who shared pays less", unit="hours", gt=0, le=2_000)
    sharing: float = param(0.02, "visitors of a page who share it and mean it", unit="probability", ge=0, le=1)
    hunting: float = param(
        0.3, "visitors who share for the discount alone, if it were the whole price", unit="probability", ge=0, le=10
    )
    trust: float = param(1.3, "utility added by a friend who means it", unit="utility", ge=-10, le=10)
    hunter_trust: float = param(-0.3, "the same of a friend who wants the discount", unit="utility", ge=-10, le=10)
    salience: float = param(2.5, "how much it catches the friend's eye", unit="utility", ge=-10, le=20)
    layer_weights: tuple[float, float, float, float] = param(
        (1.0, 0.4, 0.1, 0.03), "weight of a tie as the friend told, by Dunbar layer", unit="relative"
    )


class ShareDiscount(Mechanism):
    """Pays for being told on."""

    Params = ShareDiscountParams
    clicks = {"share_discount": 0.35}  # assumed
    columns = (
        Column("slot", "share_until", np.int32, 0, "second until which she pays less for having shared; 0 none"),
    )
    kinds = {
        "share_offer": Kind("message to the friend (peer: who shares); cause: share, quantity: 1 if she means it"),
        "share_rewarded": Kind(
            "shared, and pays less from now on; cause: share, quantity: 1 if she meant it, detail: until when",
            says="{user} pays less at {merchant} until {detail:when}, for she has told {peer}",
        ),
        "share_discount_used": Kind(
            "an order was cheaper for it; cause: order, amount: fen taken off, detail: 0 who shared, 1 the friend",
            says="{user} saves {amount} on {product} of {merchant}, for it was shared",
        ),
    }

    def prepare(self) -> None:
        self._off = self.per_merchant(lambda p: fen(p.off), 0, np.int64)
        self._friend_off = self.per_merchant(lambda p: fen(p.friend_off), 0, np.int64)
        self._valid = self.per_merchant(lambda p: max(round(p.valid_hours * HOUR), 1), 0, np.int64)
        self._sharing, self._hunting = self.per_merchant("sharing"), self.per_merchant("hunting")
        self._trust = np.stack([self.per_merchant("hunter_trust"), self.per_merchant("trust")])  # (means it, merchants)
        self._salience = self.per_merchant("salience")
        weights = [(1.0,) * 4 if p is None else p.layer_weights for p in self.p]
        self._layers = log(np.maximum(np.array(weights), 1e-300))  # (merchants, layers)

    # ------------------------------------------------------------------------------------------------- what it saves

    def expose(self, view: View) -> Effects:
        """What friends tell comes into sight."""
        inbox = view.inbox("share_offer")
        at = view.sessions.planned[inbox.session].nonzero()[0]
        if not at.size:
            return EMPTY
        fx, rows, session = Effects(), inbox.rows.take(at), inbox.session[at]
        fx.expose(
            view.channel("share_discount"),
            session,
            rows.product,
            cause=rows.cause,
            appeal=self._trust[rows.quantity, rows.merchant],
            salience=self._salience[rows.merchant],
            peer=rows.peer,
        )
        return fx

    def appraise(self, view: View) -> Effects:
        off = self._offered(view, np.arange(len(view.exposures)))
        at = off.nonzero()[0]
        if not at.size:
            return EMPTY
        fx = Effects()
        fx.discount(at, off[at], "price")
        return fx

    def _offered(self, view: View, at: I64) -> I64:
        """Fen off a piece for each of these exposures."""
        e = view.exposures
        session, merchant = e.session[at], e.merchant[at]
        sharer = view.relation("share_until", session, merchant) >= view.clock.end
        off = np.where(sharer, self._off[merchant], 0)
        friend = e.channel[at] == view.channel("share_discount")
        off = np.maximum(off, np.where(friend, self._friend_off[merchant], 0))
        out: I64 = np.where(self.on[merchant] & ~view.gift_minded[session], off, 0)
        return np.minimum(out, self.world.product["price"][e.product[at]])

    # --------------------------------------------------------------------------------------------------- who shares

    def respond(self, view: View) -> Effects:
        """Discounts that were used, and products that are shared."""
        fx = Effects()
        self._used(view, fx)
        at = (view.viewed & self.on[view.exposures.merchant]).nonzero()[0]
        if at.size:
            self._share(view, fx, at)
        return fx

    def _used(self, view: View, fx: Effects) -> None:
        e, out = view.exposures, view.outcome("order")
        mine = (out.granted & self.on[out.rows.merchant]).nonzero()[0]
        if not mine.size:
            return
        rows, session = out.rows.take(mine), out.session[mine]
        exposure = np.full(len(view.sessions), -1)
        exposure[e.session[view.chosen]] = view.chosen
        at = exposure[session]
        off = self._offered(view, at)
        saved = (off > 0) & (e.off[at, _PRICE] == off * e.quantity[at])  # else another offer took more
        sharer = view.relation("share_until", session, rows.merchant) >= view.clock.end
        used = rows.with_(
            event=draws.child(rows.event, "share_discount_used"),
            cause=rows.event,
            amount=e.off[at, _PRICE],
            detail=np.where(sharer, _SHARER, _FRIEND),
        )
        fx.event("share_discount_used", used.take(saved))
        fx.relate("set", "share_until", session[sharer], rows.merchant[sharer], 0)

    def _share(self, view: View, fx: Effects, at: I64) -> None:
        """Who tells a friend of what."""
        at, means_it = self._wishes(view, at)
        e, graph = view.exposures, self.world.graph
        user = view.sessions.user[e.session[at]]
        known = graph.indptr[user + 1] > graph.indptr[user]
        at, means_it, user = at[known], means_it[known], user[known]
        if not at.size:
            return
        session, product, merchant = e.session[at], e.product[at], e.merchant[at]
        event = draws.child(view.sessions.event[session], "share_discount", self.world.product_number(product))
        friend = self._friend(event, user, merchant, means_it)
        columns = {"merchant": merchant, "product": product, "channel": view.channel("share_discount")}
        share = view.rows("share", session, event=event, cause=e.cause[at], quantity=1, **columns)
        fx.event("share", share)
        offer = share.with_(event=draws.child(event, "share_offer"), cause=event, quantity=means_it)
        fx.message("share_offer", offer.with_(user=friend, peer=user))
        until = share.time + self._valid[merchant]
        fx.event("share_rewarded", offer.with_(event=draws.child(event, "share_rewarded"), peer=friend, detail=until))
        fx.relate("set", "share_until", session, merchant, until)

    def _wishes(self, view: View, at: I64) -> tuple[I64, Bools]:
        """Which of these pages are shared, at most one of a session and merchant, and whether she means it."""
        e = view.exposures
        at = at[view.sessions.planned[e.session[at]] & ~view.gift_minded[e.session[at]]]
        bought = np.isin(e.session * self.world.m + e.merchant, self._bought(view))
        has = view.relation("share_until", e.session[at], e.merchant[at]) >= view.clock.start
        at = at[~bought[at] & ~has]
        session, product, merchant = e.session[at], e.product[at], e.merchant[at]
        at = at[segments.first(session * self.world.product["price"].size + product)]  # however often it was shown
        session, product, merchant = e.session[at], e.product[at], e.merchant[at]
        event, number = view.sessions.event[session], self.world.product_number(product)
        people, user = self.world.people, view.sessions.user[session]
        wish = self._sharing[merchant] * people["sociality"][user] * self.world.product["sharing"][product]
        price = np.maximum(self.world.product["price"][product], 1)
        greed = (
            self._hunting[merchant] * people["price_sensitivity"][user] * np.minimum(self._off[merchant] / price, 1.0)
        )
        luck = draws.uniform("offers.share_discount/wish", event, number)
        means_it = luck < wish
        shares = means_it | draws.chance("offers.share_discount/hunt", event, greed, number)
        at, means_it, luck, number = at[shares], means_it[shares], luck[shares], number[shares]
        first = segments.argmax(e.session[at] * self.world.m + e.merchant[at], -luck, number.astype(np.uint64))
        return at[first], means_it[first]

    def _bought(self, view: View) -> I64:
        """Pairs session · m + merchant of what was chosen, for oneself or as a gift."""
        e, chosen = view.exposures, view.chosen
        out: I64 = e.session[chosen] * self.world.m + e.merchant[chosen]
        return out

    def _friend(self, share: Array, user: Array, merchant: Array, means_it: Bools) -> Array:
        """One friend of each: by the weight of the tie, or anybody."""
        graph = self.world.graph
        owner, tie = expand.expand(graph.indptr[user], graph.indptr[user + 1])
        friend = graph.indices[tie]
        weight = np.where(means_it[owner], self._layers[merchant[owner], graph.layers(user[owner], tie)], 0.0)
        noise = draws.gumbel("offers.share_discount/friend", share[owner], self.world.local_user(friend))
        return friend[segments.argmax(owner, weight + noise, friend.astype(np.uint64))]
