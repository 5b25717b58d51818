"""Giving: what makes a person want to give, to whom, and what fits.

A planned session has a gift in mind with probability

    generosity · (everyday + festival · gift pull of the day + birthday · [a close friend's birthday is near]).

The recipient is that friend, or else one of her ties, drawn with the weight of its Dunbar layer. Among the products
that can be given (`gift_on`, the platform's categories and price cap) those near her budget fit best:

    fit = appeal - fit_weight · log(price / budget)²,   budget = typical · income · closeness · occasion.

The occasion is that birthday, the festival of the day, or thanks (`sim.world.giving`): whichever of the three made
her think of it. A session with a gift in mind that sees anything that can be given buys only such things. The wish
comes from here; paying, the recipient's answer, deadline and refund are `offers.gift_packet`. Gifts by a company,
gifts in return and group gifts are not modelled here.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Mechanism, Params, View, param
from sim.elementary import log
from sim.kernels import expand, segments
from sim.units import F64, I64, NOBODY, Array, Bools, fen
from sim.world.giving import BIRTHDAY, THANKS, can_be_given
from sim.world.graph import DUNBAR

_OUT_OF_THE_QUESTION = -1e9
_SURELY = 1e3  # utility of the friend whose birthday it is
_YEAR = 365


class GiftParams(Params):
    """The wish to give."""

    needs = ("people.buy", "offers.gift_packet")
    lively = {"everyday": (0.5, 1.0)}

    everyday: float = param(0.002, "sessions with a gift in mind on an ordinary day", unit="share", ge=0, le=1)
    festival: float = param(0.06, "added at the strongest festival", unit="share", ge=0, le=1)
    birthday: float = param(0.05, "added when a close friend's birthday is near", unit="share", ge=0, le=1)
    birthday_days: int = param(3, "how long before a birthday one thinks of it", unit="days", ge=0, le=60)
    layer_weights: tuple[float, float, float, float] = param(
        (1.0, 0.4, 0.1, 0.03), "weight of a tie as recipient, by Dunbar layer", unit="relative"
    )
    typical: float = param(150.0, "budget of the average person for a friend", unit="yuan", gt=0, le=1e6)
    closeness: tuple[float, float, float, float] = param(
        (1.3, 1.0, 0.7, 0.5), "budget by Dunbar layer", unit="relative"
    )
    occasion: float = param(0.5, "rise of the budget at the strongest festival or a birthday", unit="share", ge=0, le=5)
    appeal: float = param(3.5, "utility of a gift at her budget", unit="utility", ge=0, le=20)
    fit_weight: float = param(1.5, "utility lost by a price off her budget", unit="utility", ge=0, le=100)


class Gift(Mechanism):
    """Who wants to give, to whom, and what."""

    Params = GiftParams

    def prepare(self) -> None:
        self._weights = log(np.maximum(np.array(self.p.layer_weights), 1e-300))

    def arrive(self, view: View) -> Effects:
        """Note the friend to whom each session wants to give (-1 for none), her budget in fen, and the occasion."""
        fx, size = Effects(), len(view.sessions)
        peer, budget, occasion = np.full(size, NOBODY, np.int64), np.zeros(size), np.full(size, -1)
        if view.clock.running and view.rules["gifts"] and view.shared("product", "gift_on").any():
            pull = float(view.calendar.gift_pull[view.clock.day])
            session, friend, layer, party, everyday = self._wishes(view, pull)
            peer[session] = friend
            budget[session] = self._budget(view, session, layer, np.where(party, 1.0, pull))
            festival = int(view.calendar.gift_festival[view.clock.day])
            occasion[session] = np.where(party, BIRTHDAY, np.where(everyday, THANKS, festival))
        fx.note("gift_peer", peer)
        fx.note("gift_budget", budget)
        fx.note("gift_occasion", occasion)
        return fx

    def appraise(self, view: View) -> Effects:
        """Whoever wants to give and sees what can be given looks at nothing else, and at her budget."""
        e, peer = view.exposures, view.scratch["gift_peer"]
        giving = np.zeros(len(view.sessions), np.bool_)
        at = (peer[e.session] >= 0).nonzero()[0]
        fx = Effects()
        if at.size:
            product = e.product[at]
            fits = self._allowed(view)[product]
            giving[e.session[at[fits]]] = True
            budget = np.maximum(view.scratch["gift_budget"][e.session[at]], 1.0)  # fen
            ratio = view.world.product["price"][product] / budget
            away = log(np.maximum(ratio, 1e-9))
            delta = np.where(fits, self.p.appeal - self.p.fit_weight * away * away, _OUT_OF_THE_QUESTION)
            appeal = np.zeros(len(e))
            appeal[at] = np.where(giving[e.session[at]], delta, 0.0)
            fx.appeal(appeal)
        fx.note("giving", giving)
        return fx

    def checkout(self, view: View) -> Effects:
        """Pay for what was chosen as a gift; the rest of its life is `offers.gift_packet`."""
        e, chosen = view.exposures, view.chosen
        if not chosen.size:
            return EMPTY
        chosen = chosen[view.scratch["giving"][e.session[chosen]]]
        fx, session, product = Effects(), e.session[chosen], e.product[chosen]
        fx.request(
            "gift_order",
            view.rows(
                "gift_order",
                session,
                cause=e.cause[chosen],
                peer=view.scratch["gift_peer"][session],
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

    # -------------------------------------------------------------------------------------------- parts

    def _wishes(self, view: View, pull: float) -> tuple[I64, I64, I64, Bools, Bools]:
        """Sessions with a gift in mind, the friend, the tie's layer, whether a birthday or no occasion moves her."""
        p, now, graph = self.p, view.sessions, view.world.graph
        generosity = view.person("generosity").astype(np.float64)
        any_day = p.everyday + p.festival * pull
        luck = draws.uniform("people.gift/wish", now.event)
        maybe = ((luck < generosity * (any_day + p.birthday)) & now.planned).nonzero()[0]
        wishes = luck[maybe] < generosity[maybe] * (any_day + p.birthday * self._party_near(view, now.user[maybe]))
        session = maybe[wishes]
        user = now.user[session]
        owner, tie = expand.expand(graph.indptr[user], graph.indptr[user + 1])
        friend, layer = graph.indices[tie].astype(np.int64), graph.layers(user[owner], tie).astype(np.int64)
        party = (layer == 0) & self._parties(view, friend)
        noise = draws.gumbel("people.gift/friend", now.event[session[owner]], view.world.local_user(friend))
        best = segments.argmax(owner, self._weights[layer] + noise + _SURELY * party, friend.astype(np.uint64))
        session = session[owner[best]]
        festive = luck[session] >= generosity[session] * p.everyday
        festive &= luck[session] < generosity[session] * any_day
        return session, friend[best], layer[best], party[best], ~festive

    def _party_near(self, view: View, user: Array) -> Bools:
        """Whose close friend has a birthday soon; close friends stand first in the graph's rows."""
        graph = view.world.graph
        start = graph.indptr[user]
        owner, tie = expand.expand(start, np.minimum(start + DUNBAR[0], graph.indptr[user + 1]))
        out = np.zeros(user.size, np.bool_)
        out[owner[(graph.layers(user[owner], tie) == 0) & self._parties(view, graph.indices[tie])]] = True
        return out

    def _parties(self, view: View, friend: Array) -> Bools:
        """Whose birthday is near."""
        today = int(view.calendar.day_of_year[view.clock.day])
        ahead = (view.world.people["birthday"][friend].astype(np.int64) - today) % _YEAR
        out: Bools = ahead <= self.p.birthday_days
        return out

    def _budget(self, view: View, session: I64, layer: I64, occasion: F64) -> F64:
        """What she means to spend, in fen."""
        income = view.world.people["income"][view.sessions.user[session]].astype(np.float64)
        closeness = np.array(self.p.closeness)[layer]
        out: F64 = fen(self.p.typical) * income * closeness * (1.0 + self.p.occasion * occasion)
        return out

    def _allowed(self, view: View) -> Bools:
        """Which products can be given today, shape (products,)."""
        return can_be_given(view.world, view.shared("product", "gift_on"), view.rules)
