"""Buying again: needs come back, at a pace of one's own, until a customer drifts away for good.

The classic panel model (BG/NBD: Fader, Hardie and Lee 2005). Each pair of customer and merchant has a lasting rate of
needs, gamma with shape `r` and scale 1/`alpha` per week, and after each repeat order the customer drops out with a
lasting chance, beta(`a`, `b`). Alone, with nothing forgotten, it has the closed form

    E[X(t)] = (a + b - 1) / (a - 1) · (1 - (alpha / (alpha + t))^r · 2F1(r, b; a + b - 1; t / (alpha + t))).

The panel saw orders, not needs. Of the needs of a customer without any private tie a part `met` ends in an order with
the merchant: she must think of it, and then like something. So needs arise at the panel's rate divided by `met`; a
Poisson process thinned by it is the panel's again, and a merchant whom she forgets less often gets more than the panel.

The world takes needs away in other ways too: none arises before `cycle_share` of the merchant's shortest
consumption cycle has passed since the last order; several needs between two sessions are one; after a late parcel or
a refused order the next need comes later by the share in the slot column `late` (`operations.after_sale`); and a need
goes to the merchant only if she thinks of it, with the chance

    recall = 1 - (1 - base) · product over the private ties that she has of (1 - lift).

A mechanism that gives her another reason to think of the merchant owns a slot column ``recall_<name>`` with its lift.

Whoever keeps in mind what she was given (`offers.gift_packet`) has tried the goods without having bought them. Her
needs arise like a customer's, but at the share ``recipients`` of the pace, counted from the day of the gift.

*Stock at home.* Whoever orders several pieces at once (a sale, a full reduction) uses them one after the other: of q
pieces that each last `cycle_days` c, q - 1 lie in store for (q - 1) · c, or q for q · c if there was a store before.
The slot column `stored_until` is the second at which the last of them is begun. Until then no need arises, and the
merchant's goods are worth `sated` less to her wherever she meets them: this is the dip after a promotion. With `fresh`
the same holds, by its own weight, for the pause after any order: who bought today has no use for more tomorrow.

A recalled need shows her the merchant's products with much appeal, the more the more loyal she is; she still chooses.
A need that she forgets or that finds nothing she likes is met elsewhere and does not come back by itself.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Mechanism, Params, View, param
from sim.elementary import exp
from sim.kernels import expand, segments
from sim.ledger.schema import Records
from sim.units import DAY, F64, I64, NOBODY, U64, WEEK, Array
from sim.world.state import DROPPED, FOLLOWS, GROUP, MEMBER, MINI, MUTED, PINNED, Column
from sim.world.tables import beta_table, gamma_table

_BGNBD = "facts: repurchase.public_base_bgnbd"
_LAST_SECOND = 2**31 - 1  # that a slot column can hold
_HEARD = FOLLOWS | PINNED | GROUP  # ties that a muted merchant speaks through no more


class RepurchaseParams(Params):
    """How needs come back, and what makes people think of a merchant then."""

    needs = ("people.buy",)
    moot = {
        "recipients": "offers.gift_packet",
        "follows": "channels.service_account",
        "pinned": "channels.service_account",
        "group": "channels.groups",
        "mini": "channels.mini_program",
        "member": "channels.mini_program",
    }

    r: float = param(0.243, "evenness of rates among customers (gamma shape)", unit="shape", source=_BGNBD, gt=0, le=50)
    alpha: float = param(4.414, "scale of rates: the mean rate is r/alpha", unit="weeks", source=_BGNBD, gt=0, le=1e4)
    a: float = param(0.793, "drop-out: first shape of its beta distribution", unit="shape", source=_BGNBD, gt=0, le=100)
    b: float = param(2.426, "drop-out: second shape", unit="shape", source=_BGNBD, gt=0, le=100)
    met: float = param(
        0.25, "needs that end in an order with a merchant to whom she has no tie", unit="share", gt=0.01, le=1
    )
    cycle_share: float = param(0.3, "part of the consumption cycle free of needs", unit="share", ge=0, le=1)
    recipients: float = param(
        0.0, "needs of who has only been given the goods, relative to a customer's", unit="relative", ge=0, le=1
    )
    recall: float = param(0.5, "chance to think of the merchant with no tie to it", unit="share", ge=0, le=1)
    follows: float = param(0.3, "recall won by following its service account", unit="share", ge=0, le=1)
    pinned: float = param(0.3, "recall won by pinning it", unit="share", ge=0, le=1)
    group: float = param(0.4, "recall won by sitting in its group", unit="share", ge=0, le=1)
    mini: float = param(0.3, "recall won by its mini-program in her list", unit="share", ge=0, le=1)
    member: float = param(0.3, "recall won by membership", unit="share", ge=0, le=1)
    appeal: float = param(5.3, "utility of what she needs, at loyalty 0.5", unit="utility", ge=0, le=20)
    loyalty_weight: float = param(2.0, "utility of full loyalty over none", unit="utility", ge=0, le=20)
    salience: float = param(4.0, "how much what she came for catches the eye", unit="utility", ge=0, le=20)
    sated: float = param(
        3.0,
        "utility that a merchant's goods lose while pieces of them lie at home unopened",
        unit="utility",
        ge=0,
        le=20,
    )
    fresh: float = param(
        0.0, "the same in the part of the cycle after any order that is free of needs", unit="utility", ge=0, le=20
    )


class Repurchase(Mechanism):
    """Needs of past customers, whom they think of, and when they leave for good."""

    Params = RepurchaseParams
    clicks = {"repurchase": 0.9}  # assumed
    columns = (Column("slot", "stored_until", np.int32, 0, "second at which the last stored piece is begun; 0 none"),)

    def prepare(self) -> None:
        p, product = self.p, self.world.product
        self._rate = gamma_table(p.r) * (p.r / p.alpha / p.met)
        self._drop = beta_table(p.a, p.b)
        self._lifts = {FOLLOWS: p.follows, PINNED: p.pinned, GROUP: p.group, MINI: p.mini, MEMBER: p.member}
        self._by_merchant = np.argsort(product["merchant"], kind="stable")
        self._start = np.searchsorted(product["merchant"][self._by_merchant], np.arange(self.world.m + 1))
        cycle = np.where(product["cycle_days"] > 0, product["cycle_days"], np.inf)
        shortest = np.full(self.world.m, np.inf)
        np.minimum.at(shortest, product["merchant"], cycle)
        shortest[np.isinf(shortest)] = 0.0
        self._pause = (p.cycle_share * DAY * shortest).astype(np.int64)
        self._cycle = (product["cycle_days"] * DAY).astype(np.int64)

    def arrive(self, view: View) -> Effects:
        """Note the merchant that each session needs something from, -1 for none."""
        fx = Effects()
        session, merchant, flags = self._needs(view)
        event, number = view.sessions.event[session], view.world.local_merchant(merchant)
        lifts = [view.relation(name, session, merchant) for name in _lifts(view)]
        recalled = draws.chance("people.repurchase/recall", event, self.recall(flags, *lifts), number)
        at = recalled.nonzero()[0]
        luck = draws.uniform("people.repurchase/first", event[at], number[at])
        first = at[segments.argmax(session[at], luck, number[at].astype(np.uint64))]
        needed = np.full(len(view.sessions), NOBODY, np.int64)
        needed[session[first]] = merchant[first]
        fx.note("need_merchant", needed)
        return fx

    def expose(self, view: View) -> Effects:
        """What she needs is before her eyes: all products of that merchant."""
        merchant = view.scratch["need_merchant"]
        session = (merchant >= 0).nonzero()[0]
        if not session.size:
            return EMPTY
        fx, merchant = Effects(), merchant[session]
        loyalty = view.relation("loyalty", session, merchant, 0.5).astype(np.float64)
        owner, place = expand.expand(self._start[merchant], self._start[merchant + 1])
        fx.expose(
            view.channel("repurchase"),
            session[owner],
            self._by_merchant[place],
            cause=view.sessions.event[session[owner]],
            appeal=(self.p.appeal + self.p.loyalty_weight * (loyalty - 0.5))[owner],
            salience=self.p.salience,
        )
        return fx

    def appraise(self, view: View) -> Effects:
        """Who has enough at home wants less of it; a gift is for somebody else."""
        known, loss = self._plenty(view)
        if not known.size:
            return EMPTY
        fx, shown = Effects(), view.exposures
        pair = view.related[known] * self.world.m + view.relations("merchant")[known]
        order = np.argsort(pair)
        pair, loss = pair[order], loss[order]
        wanted = shown.session * self.world.m + shown.merchant
        place = np.minimum(np.searchsorted(pair, wanted), pair.size - 1)
        has = (pair[place] == wanted) & ~view.gift_minded[shown.session]
        fx.appeal(np.where(has, -loss[place], 0.0))
        return fx

    def respond(self, view: View) -> Effects:
        """What is stored, and whether a repeat order was the customer's last with the merchant."""
        out = view.outcome("order")
        if not out.granted.any():
            return EMPTY
        fx, session, rows = Effects(), out.session[out.granted], out.rows.take(out.granted)
        self._store(view, fx, session, rows)
        self._drop_out(view, fx, session, rows.merchant)
        return fx

    # -------------------------------------------------------------------------------------------- parts

    def _store(self, view: View, fx: Effects, session: I64, rows: Records) -> None:
        """Pieces beyond the one in use are begun one cycle after the other."""
        stored = view.relation("stored_until", session, rows.merchant).astype(np.int64)
        cycle, more = self._cycle[rows.product], rows.quantity.astype(np.int64) - 1
        until = np.where(stored > rows.time, stored + (more + 1) * cycle, rows.time + more * cycle)
        at = (until > np.maximum(stored, rows.time)).nonzero()[0]
        fx.relate("set", "stored_until", session[at], rows.merchant[at], np.minimum(until[at], _LAST_SECOND))

    def _drop_out(self, view: View, fx: Effects, session: I64, merchant: Array) -> None:
        before = view.relation("orders", session, merchant).astype(np.int64)
        again = (before > 0).nonzero()[0]
        session, merchant = session[again], merchant[again]
        number = view.world.local_merchant(merchant)
        key = view.keys[session]
        chance = draws.quantile(self._drop, "people.repurchase/drop_chance", key, number)
        drops = draws.chance("people.repurchase/drop", key, chance, number * 65_536 + before[again])
        fx.relate("or", "flags", session[drops], merchant[drops], DROPPED)

    def _plenty(self, view: View) -> tuple[I64, F64]:
        """Relations with somebody who has enough at home, and what that takes from the worth of more."""
        time = view.sessions.time[view.related]
        loss = np.where(view.relations("stored_until") > time, self.p.sated, 0.0)
        if self.p.fresh > 0:
            last, merchant = view.relations("last_order"), view.relations("merchant")
            lasts = (view.relations("orders") > 0) & (last + self._pause[merchant] > time)
            loss = np.maximum(loss, np.where(lasts, self.p.fresh, 0.0))
        at = loss.nonzero()[0]
        return at, loss[at]

    def recall(self, flags: Array, *lifts: Array) -> F64:
        """Chance to think of a merchant with these flags, and these lifts besides, when a need arises."""
        flags = np.where((flags & MUTED) != 0, flags & ~np.uint16(_HEARD), flags)
        forgets = np.full(flags.shape, 1.0 - self.p.recall)
        for flag, lift in self._lifts.items():
            forgets *= np.where(flags & flag, 1.0 - lift, 1.0)
        for more in lifts:
            forgets *= 1.0 - more.astype(np.float64)
        return 1.0 - forgets

    def _needs(self, view: View) -> tuple[I64, I64, Array]:
        """Pairs (session, merchant) with at least one need since her last session, and the flags of each."""
        now = view.sessions
        bought, given = view.relations("orders") > 0, self._given(view)
        customer = (bought | (given >= 0)) & ((view.relations("flags") & DROPPED) == 0)
        known = (customer & now.planned[view.related]).nonzero()[0]
        session = view.related[known]
        merchant, flags = view.relations("merchant")[known].astype(np.int64), view.relations("flags")[known]
        supplied = np.maximum(view.relations("last_order")[known], given[known] * DAY)
        since = np.maximum(view.own("last_seen")[session], supplied + self._pause[merchant])
        stored = view.relations("stored_until")[known].astype(np.int64)
        since = np.maximum(since, np.where(stored > 0, stored + self._pause[merchant], 0))
        weeks = np.maximum(now.time[session] - since, 0) / float(WEEK)
        weeks = np.where(bought[known], weeks, self.p.recipients * weeks)
        if "late" in view.relation_columns:
            weeks = weeks / (1.0 + view.relations("late")[known].astype(np.float64))
        number = view.world.local_merchant(merchant)
        arises = 1.0 - exp(-self._rates(view.keys[session], number) * weeks)
        at = draws.chance("people.repurchase/need", now.event[session], arises, number).nonzero()[0]
        return session[at], merchant[at], flags[at]

    def _given(self, view: View) -> I64:
        """The day on which each of the acting users' relations brought her a gift that counts; -1 none."""
        if not self.p.recipients or "given" not in view.relation_columns:
            return np.full(view.related.size, -1)
        return view.relations("given").astype(np.int64)

    def _rates(self, key: U64, number: I64) -> F64:
        """Needs per week of these customers, theirs for life."""
        return draws.quantile(self._rate, "people.repurchase/rate", key, number)


def _lifts(view: View) -> list[str]:
    """The slot columns by which other mechanisms make people think of a merchant."""
    return sorted(name for name in view.relation_columns if name.startswith("recall_"))
