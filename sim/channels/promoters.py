"""Promoters (推客): people who pass on a merchant's links for a commission on what their friends buy.

*Joining.* Customers, and niche bloggers (ties · sociality of at least `blogger_reach`), may join in any session, and so
may people who have just opened a promoter's link, `invited` times as readily: she then is their inviter. With

    prospect = commission rate · mean price · ties · believed_sales   (fen a week that a newcomer counts on),

a session joins with probability join · (prospect / typical)^join_elasticity; `typical` is the prospect of 20 ties
(the mean of active ties) at 5 % of 172 yuan (facts: promoters.commission_typical, store.average_order_yuan). The
default gives 2,000 joins a day to a brand that everybody knows, among the 3·10^8 people of facts
gift.enabled_users_2024_12_20 (6.7 per million people and day; facts: promoters.joins_per_day_mass_brand): people have
0.3 sessions a day, and in the shipped town the relative prospects of customers and bloggers add up to about 0.2 per
person. A town of 5,000 then sees two joins in two months; a shop that asks people in person gets many more.

*Effort.* A promoter keeps in mind what she expects to earn a week, h: the prospect at first; it fades with e-folding
time τ = `memory_weeks`, and each payment that she hears of adds amount / τ, so a steady income r holds it at r. In a
session she posts with probability effort · h / (h + worth): those who sell post more, the others fade.

*Links* go out in a chat (friend i gets it with chance chat[layer i]), in one of her chat groups (each member notices
with `group_reach`) or in Moments (moments[layer i] · min(1, activity i)); fan-out skips at a power of two above the
highest chance and thins. A receiver *recognises* an advertisement with some chance: then it has less appeal than a
friend's honest word, by `selling`, and counts as a promotion seen; everything of the merchant is worth `distrust` less
to her for each promotion that she has seen, decayed over `distrust_weeks`.

*Attribution.* Who opens a link belongs to its promoter until `window_days` later, or until she opens another one: the
last click counts. Each order of hers by any way within that time is attributed, whether or not she would have bought
anyway. Who has only met a link and buys by another way remembers it as long, and goes through it at the till with
chance `favour`: the promoter is a friend. The cause of an order stays what it was. A gift that she pays for counts like
what she buys for herself (nothing in the facts sets gifts apart); what nobody pays for counts for nobody.

*Commission* on an attributed order is rate · amount, rounded down to whole fen; if the promoter was invited, and the
platform allows two levels, her inviter gets `inviter_share` of it. It is set aside from the merchant's cash when the
order is paid, and the platform holds it, apart from the order's own escrow, until the after-sale ends: promoters get it
when the order is completed, the merchant gets it back when the parcel is returned or nobody takes the gift. Whether
promoters earn on what they buy themselves is `self_purchase`; if so, their own link beats any other.

It cannot: police a third level, rewards per head or sales outside the platform, let promoters compare merchants or
choose goods by commission, or remember a link of a merchant for which there is no room in mind.
"""

import numpy as np
from pydantic import field_validator

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.elementary import exp, log
from sim.kernels import expand, segments
from sim.ledger.schema import Postings, Records
from sim.params import Params, Share, Weight, param
from sim.units import DAY, F64, I64, NOBODY, U64, WEEK, Array, Bools, fen
from sim.words import _
from sim.world import audience
from sim.world.doors import among
from sim.world.shelf import shelf
from sim.world.state import Column

BASIS = 10_000  # basis points in a whole
SURFACES = ("promoter_chat", "promoter_group", "promoter_moments")
TYPICAL_RATE, TYPICAL_PRICE, TYPICAL_TIES = 0.05, fen(172), 20  # of the typical prospect
ALONE, RECRUIT, INVITER = 0, 1, 2  # whose part of a commission
ROLES = (ALONE, RECRUIT, INVITER)
LEAST = 1e-12
_ENDS = {"completion": "commission_release", "return": "commission_void", "gift_deadline": "commission_void"}


class PromotersParams(Params):
    """What a merchant offers to promoters, and how they and their friends take it."""

    needs = ("people.buy",)
    lively = {"join": (1.0,), "effort": (1.0,), "blogger_reach": (0.0, 10.0)}

    commission: float = param(
        0.05, "part of an attributed order that is paid to promoters", unit="share",
        source="facts: promoters.commission_typical", ge=0, le=0.9,
    )  # fmt: skip
    inviter_share: float = param(0.1, "part of a recruit's commission that her inviter gets", unit="share", ge=0, le=1)
    window_days: float = param(15.0, "time in which orders count for the link opened last", unit="days", ge=0, le=90)
    favour: float = param(
        0.5, "buyers on their own account who go through a link that they remember", unit="share", ge=0, le=1
    )
    self_purchase: bool = param(False, "whether promoters earn on what they buy themselves", unit="yes or no")
    join: float = param(
        1.1e-4, "sessions of customers and bloggers that join at the typical prospect", unit="probability",
        source="facts: promoters.joins_per_day_mass_brand, gift.enabled_users_2024_12_20", ge=0, le=1,
    )  # fmt: skip
    join_elasticity: float = param(1.0, "growth of joining with the prospect", unit="exponent", ge=0, le=5)
    blogger_reach: float = param(100.0, "ties · sociality from which one is a blogger", unit="ties", ge=0, le=1e6)
    invited: float = param(5.0, "how much more readily one joins by a link just opened", unit="relative", ge=0, le=1e4)
    believed_sales: float = param(
        0.02, "orders a week and tie that a newcomer counts on", unit="orders", gt=1e-6, le=10
    )
    memory_weeks: float = param(4.0, "time in which hopes fade", unit="weeks", gt=0.1, le=52)
    worth_yuan: float = param(
        10.0, "weekly earnings that are worth half of the most effort", unit="yuan per week", gt=0.01, le=1e6
    )
    effort: float = param(0.8, "sessions in which one posts who earns very much", unit="probability", ge=0, le=1)
    surfaces: tuple[Weight, Weight, Weight] = param(
        (0.3, 0.3, 0.4), "links in chats, in a group and in Moments, relative", unit="relative"
    )
    chat: tuple[Share, Share, Share, Share] = param(
        (0.3, 0.1, 0.03, 0.01), "friends who get a link that goes out in chats, by Dunbar layer", unit="share"
    )
    group_reach: float = param(0.15, "members of a group who notice", unit="share", ge=0, le=1)
    moments: tuple[Share, Share, Share, Share] = param(
        (0.15, 0.12, 0.09, 0.06), "friends who come across a post in Moments, by Dunbar layer", unit="share"
    )
    recognised: float = param(0.6, "receivers who see that it is an advertisement", unit="share", ge=0, le=1)
    trust: tuple[float, float, float] = param(
        (1.3, 0.6, 0.2), "utility added by an honest word in a chat, in a group, in Moments", unit="utility"
    )
    selling: float = param(1.0, "utility lost where it is seen as selling", unit="utility", ge=0, le=20)
    distrust: float = param(0.05, "utility that the merchant loses by each promotion seen", unit="utility", ge=0, le=5)
    distrust_weeks: float = param(4.0, "time in which promotions seen are forgotten", unit="weeks", gt=0.1, le=52)
    salience: tuple[float, float, float] = param(
        (2.5, 1.0, 0.5), "how much a link catches the eye, by surface", unit="utility"
    )

    @field_validator("surfaces")
    @classmethod
    def _some_surface(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not any(value):
            raise ValueError(_("one of the weights must be positive"))
        return value


class Promoters(Mechanism):
    """Who promotes, who sees and follows links, and who is paid for it."""

    Params = PromotersParams
    clicks = {"promoter_chat": 0.35, "promoter_group": 0.12, "promoter_moments": 0.05}  # assumed, as for shares
    columns = (
        Column("slot", "promoter_hope", np.float32, 0, "fen a week that she expects to earn as a promoter; 0 is none"),
        Column("slot", "promoter_reason", np.uint64, 0, "what made her promote: joining, or the last payment heard of"),
        Column("slot", "promoter_inviter", np.int32, NOBODY, "the promoter by whose link she joined; -1 none"),
        Column("slot", "promotions", np.float32, 0, "promotions that she has seen through, decayed"),
        Column("slot", "link", np.uint64, 0, "the promotion whose link she opened last, else met last"),
        Column("slot", "link_promoter", np.int32, NOBODY, "the promoter of that link; -1 none"),
        Column("slot", "link_inviter", np.int32, NOBODY, "who invited that promoter; -1 nobody"),
        Column("slot", "link_until", np.int32, 0, "second until which her orders count for that link, if opened"),
        Column("slot", "link_met_until", np.int32, 0, "second until which she remembers it, if only met"),
    )
    kinds = {
        "promoter_joined": Kind(
            "became a promoter (peer: who invited her); cause: the promotion that she opened, else her session",
            says="{user} becomes a promoter of {merchant}[, invited by {peer}]",
        ),
        "promotion": Kind(
            "passed on her link; cause: the last payment that she heard of, else that she joined; "
            "quantity: people reached",
            says="{user} promotes {product} of {merchant} ({channel}); people reached: {quantity}",
        ),
        "promoted": Kind("message to who sees a link (peer: promoter); detail: 1 + local number of her inviter"),
        "link_opened": Kind(
            "opened a promoter's link (peer); cause: promotion, detail: second until which orders count for it",
            says="{user} opens the link of {peer} to {product} of {merchant}",
        ),
        "attributed": Kind(
            "an order (cause) counts for a promoter (peer); amount: that of the order",
            says="the order of {user} at {merchant} over {amount} counts for {peer}",
        ),
        "commission_held": Kind(
            "what the user will get of an order of peer (cause: attributed) when its after-sale has ended; "
            "detail: 0 she alone, 1 shared with her inviter, 2 as inviter",
            says="{merchant} holds {amount} of commission for {user} on the order of {peer}",
        ),
        "commission_release": Kind("an order is completed; cause: commission_held", stage="last"),
        "commission_void": Kind("an order came back, or nobody took the gift; cause: commission_held", stage="last"),
        "commission_paid": Kind(
            "held commission was paid; cause and columns: commission_held",
            says="{merchant} pays {user} {amount} of commission on the order of {peer}",
        ),
        "commission_voided": Kind(
            "held commission goes back to the merchant, as the order did not last; cause and columns: commission_held",
            says="{user} loses {amount} of commission: {merchant} pays back the order of {peer} for {product}",
        ),
        "commission_news": Kind("message to the promoter: commission was paid; cause: commission_paid"),
    }
    settles = (*_ENDS, "commission_release", "commission_void")

    def prepare(self) -> None:
        number = self.per_merchant
        self._rate = number(lambda p: round(p.commission * BASIS), 0, np.int64)
        self._inviter_share = number(lambda p: round(p.inviter_share * BASIS), 0, np.int64)
        self._window = number(lambda p: round(p.window_days * DAY), 0, np.int64)
        self._self_purchase = number("self_purchase", False, np.bool_)
        self._join, self._elasticity, self._invited = number("join"), number("join_elasticity"), number("invited")
        self._memory, self._distrust_memory = number("memory_weeks", 1.0), number("distrust_weeks", 1.0)
        self._effort, self._worth = number("effort"), number(lambda p: float(fen(p.worth_yuan)), 1.0)
        self._favour = number("favour")
        self._group_reach, self._recognised = number("group_reach"), number("recognised")
        self._selling, self._distrust = number("selling"), number("distrust")
        self._reach = np.stack([number("chat", (0.0,) * 4), number("moments", (0.0,) * 4)])
        self._trust, self._salience = number("trust", (0.0,) * 3), number("salience", (0.0,) * 3)
        self._edges = number(lambda p: _edges(p.surfaces), (0.0, 0.0))
        self._shelf = shelf(self.world)
        earned = self._commission()
        self._hoped = earned * number("believed_sales")  # fen a week and tie
        self._relative = earned / (TYPICAL_RATE * TYPICAL_PRICE * TYPICAL_TIES)  # prospect over the typical, per tie
        self._blogger_reach = number("blogger_reach", np.inf)
        self._blogs = self._circle(np.arange(self.world.n)) >= self._blogger_reach.min(initial=np.inf)
        self._local = self.on[: self.world.merchants].nonzero()[0]

    def _commission(self) -> F64:
        """Commission on the mean list price of each merchant's products, fen."""
        price, owner = np.zeros(self.world.m, np.int64), self.world.product["merchant"]
        np.add.at(price, owner, self.world.product["price"])
        mean = price // np.maximum(np.bincount(owner, minlength=self.world.m), 1)
        out: F64 = mean * (self._rate / BASIS)
        return out

    def _circle(self, user: Array) -> F64:
        """Ties · sociality."""
        out: F64 = self.world.people["sociality"][user].astype(np.float64) * self._ties(user)
        return out

    def _ties(self, user: Array) -> I64:
        indptr = self.world.graph.indptr
        out: I64 = indptr[user + 1] - indptr[user]
        return out

    # ---------------------------------------------------------------------------------------------- what she keeps

    def deliver(self, view: View) -> Effects:
        """Hopes and annoyance fade; news of earnings raises hopes."""
        fx, merchant, planned = Effects(), view.relations("merchant"), view.sessions.planned[view.related]
        for column, weeks in (("promoter_hope", self._memory), ("promotions", self._distrust_memory)):
            kept = view.relations(column)
            at = ((kept > 0) & planned).nonzero()[0]
            if at.size:
                session = view.related[at]
                gone = np.maximum(view.sessions.time[session] - view.own("last_seen")[session], 0)
                left = kept[at].astype(np.float64) * exp(-gone / (weeks[merchant[at]] * WEEK))
                fx.relate("set", column, session, merchant[at], left)
        news = view.inbox("commission_news")
        if news.rows.n:
            mine = (view.relation("promoter_hope", news.session, news.rows.merchant) > 0).nonzero()[0]
            rows, session = news.rows.take(mine), news.session[mine]
            fx.relate("add", "promoter_hope", session, rows.merchant, rows.amount / self._memory[rows.merchant])
            fx.relate("set", "promoter_reason", session, rows.merchant, rows.cause)  # the last one stays
        return fx

    # ---------------------------------------------------------------------------------------------- seeing a link

    def expose(self, view: View) -> Effects:
        """Links come into sight; those in Moments only to who looks there."""
        told = view.inbox("promoted")
        if not told.rows.n:
            return EMPTY
        fx, here = Effects(), view.sessions.planned[told.session]
        looks = view.scratch.get("surface_moments")
        for place, name in enumerate(SURFACES):
            seen = here & (told.rows.channel == view.channel(name))
            if name == "promoter_moments" and looks is not None:
                seen &= looks[told.session]
            rows, session = told.rows.take(seen), told.session[seen]
            through = self._sees_through(rows.cause, view.sessions.user[session], rows.merchant)
            fx.expose(
                view.channel(name),
                session,
                rows.product,
                cause=rows.cause,
                appeal=self._trust[rows.merchant, place] - through * self._selling[rows.merchant],
                salience=self._salience[rows.merchant, place],
                peer=rows.peer,
            )
        return fx

    def _sees_through(self, promotion: U64, reader: Array, merchant: Array) -> Bools:
        """Who recognises an advertisement."""
        number = self.world.local_user(reader)
        return draws.chance("channels.promoters/recognised", promotion, self._recognised[merchant], number)

    def appraise(self, view: View) -> Effects:
        """Whoever has seen through promotions of a merchant trusts it less, wherever she meets it."""
        shown = view.exposures
        at = (self.on & (self._distrust > 0))[shown.merchant].nonzero()[0]
        if not at.size:
            return EMPTY
        seen = view.relation("promotions", shown.session[at], shown.merchant[at]).astype(np.float64)
        if not seen.any():
            return EMPTY
        fx, lost = Effects(), np.zeros(len(shown))
        lost[at] = -self._distrust[shown.merchant[at]] * seen
        fx.appeal(lost)
        return fx

    # ---------------------------------------------------------------------------------------------- following it

    def checkout(self, view: View) -> Effects:
        """Promotions noticed are remembered; the last link opened is whose her orders are from now on."""
        e, at = view.exposures, self._links(view)
        if not at.size:
            return EMPTY
        fx = Effects()
        through = at[self._sees_through(e.cause[at], view.sessions.user[e.session[at]], e.merchant[at])]
        fx.relate("add", "promotions", e.session[through], e.merchant[through], 1.0)
        at = self._last(view, at)
        session, merchant = e.session[at], e.merchant[at]
        opened, now = view.viewed[at], view.sessions.time[session]
        until = now + self._window[merchant]
        link: dict[str, Array] = {
            "link": e.cause[at],
            "link_promoter": e.peer[at],
            "link_inviter": self._inviters(view, e.cause[at], e.peer[at]),
        }
        free = view.relation("link_until", session, merchant) < now
        for which, column in ((opened, "link_until"), (~opened & free, "link_met_until")):
            for name, value in (*link.items(), (column, until)):
                fx.relate("set", name, session[which], merchant[which], value[which])
        at, goods = at[opened], ("cause", "peer", "merchant", "product", "channel")
        self._open(view, fx, e.session[at], until[opened], {name: getattr(e, name)[at] for name in goods})
        return fx

    def _open(self, view: View, fx: Effects, session: I64, until: I64, link: dict[str, Array]) -> None:
        """Write down which links were opened."""
        number = self.world.local_merchant(link["merchant"])
        fx.event("link_opened", view.rows("link_opened", session, index=number, detail=until, **link))

    def _links(self, view: View) -> I64:
        """Positions of the exposures that are links of promoters."""
        return among(SURFACES, view.exposures.channel, view.channels).nonzero()[0]

    def _last(self, view: View, at: I64) -> I64:
        """Of the links to a merchant in a session: that she bought through, else one that she opened, else any.

        `at` and the result are positions of exposures, the result by (session, merchant).
        """
        if not at.size:
            return at
        e = view.exposures
        key = e.session[at] * self.world.m + e.merchant[at]
        order = np.argsort(key, kind="stable")
        at, key = at[order], key[order]
        number = self.world.local_user(view.sessions.user[e.session[at]])
        luck = draws.uniform("channels.promoters/last", e.cause[at], number)
        return at[segments.argmax(key, luck + view.viewed[at] + np.isin(at, view.chosen), e.cause[at])]

    def _inviters(self, view: View, promotion: U64, promoter: Array) -> I64:
        """Who invited the promoter of each link, as its message says; -1 nobody."""
        rows = view.inbox("promoted").rows
        order = np.argsort(rows.cause, kind="stable")  # all messages of one promotion say the same
        local = rows.detail[order[np.searchsorted(rows.cause[order], promotion)]] - 1
        return np.where(local < 0, NOBODY, promoter // self.world.users * self.world.users + local)

    # ---------------------------------------------------------------------------------------------- what comes of it

    def respond(self, view: View) -> Effects:
        """Count orders for promoters, win new ones, and let promoters post."""
        fx = Effects()
        self._attribute(view, fx)
        self._recruit(view, fx)
        self._promote(view, fx)
        return fx

    def _attribute(self, view: View, fx: Effects) -> None:
        """What is paid by who opened a link in time: commission is held for its promoter, and for who invited her."""
        paid = [view.outcome(kind) for kind in ("order", "gift_order")]
        rows = Records.concat(out.rows.take(out.granted) for out in paid)
        session = np.concatenate([out.session[out.granted] for out in paid])
        at = (self.on[rows.merchant] & (rows.amount > 0)).nonzero()[0]
        if not at.size:
            return
        rows, session = rows.take(at), session[at]
        promoter, inviter = self._owners(view, fx, session, rows)
        counts = promoter >= 0
        rows, promoter, inviter = rows.take(counts), promoter[counts], inviter[counts]
        attributed = rows.with_(event=draws.child(rows.event, "attributed"), cause=rows.event, peer=promoter, detail=0)
        fx.event("attributed", attributed)
        alone = inviter < 0
        self._hold(fx, attributed.take(alone), ALONE, promoter[alone])
        self._hold(fx, attributed.take(~alone), RECRUIT, promoter[~alone])
        self._hold(fx, attributed.take(~alone), INVITER, inviter[~alone])

    def _owners(self, view: View, fx: Effects, session: I64, rows: Records) -> tuple[Array, Array]:
        """The promoter for whom each order counts, and who shares with her; -1 for nobody."""
        merchant, own = rows.merchant, self._self_purchase[rows.merchant]
        hers = own & (view.relation("promoter_hope", session, merchant) > 0)
        opened = view.relation("link_until", session, merchant) >= rows.time
        met = ~hers & ~opened & (view.relation("link_met_until", session, merchant) >= rows.time)
        favour = met & draws.chance("channels.promoters/favour", rows.event, self._favour[merchant])
        self._go_through(view, fx, session, rows, favour.nonzero()[0])
        holder = view.relation("link_promoter", session, merchant, NOBODY)
        inviter = view.relation("link_inviter", session, merchant, NOBODY)
        promoter = np.where(opened | favour, holder, NOBODY)
        promoter = np.where(hers, rows.user, promoter)
        inviter = np.where(hers, view.relation("promoter_inviter", session, merchant, NOBODY), inviter)
        shared = (promoter >= 0) & ((inviter != rows.user) | own) & (view.rules["levels_allowed"] >= 2)
        return promoter, np.where(shared, inviter, NOBODY)

    def _go_through(self, view: View, fx: Effects, session: I64, rows: Records, at: I64) -> None:
        """Buyers on their own account who go through the link that they remember, once in a session."""
        at = at[np.unique(session[at] * self.world.m + rows.merchant[at], return_index=True)[1]]
        session, rows = session[at], rows.take(at)
        until = rows.time + self._window[rows.merchant]
        fx.relate("set", "link_until", session, rows.merchant, until)
        link = {name: getattr(rows, name) for name in ("merchant", "product", "channel")}
        link["cause"] = view.relation("link", session, rows.merchant)
        link["peer"] = view.relation("link_promoter", session, rows.merchant, NOBODY)
        self._open(view, fx, session, until, link)

    def _hold(self, fx: Effects, attributed: Records, role: int, earner: Array) -> None:
        """Hold commission for one of those who earn by these orders."""
        stake, amount = _stake(attributed.cause, role), self.part(attributed.merchant, attributed.amount, role)
        whose = {"cause": attributed.event, "user": earner, "peer": attributed.user}
        held = attributed.with_(event=stake, amount=amount, detail=role, **whose)
        fx.event("commission_held", held)
        fx.post("fen", Postings.move(held, "cash", held.merchant, "commission", held.merchant, amount))
        fx.open_subject(stake, earner)

    def part(self, merchant: Array, amount: Array, role: Array | int) -> I64:
        """What a role gets of the one commission on an order of this amount, fen."""
        whole = amount * self._rate[merchant] // BASIS
        shared = whole * self._inviter_share[merchant] // BASIS
        out: I64 = np.where(role == ALONE, whole, np.where(role == INVITER, shared, whole - shared))
        return out

    # ---------------------------------------------------------------------------------------------- joining

    def _recruit(self, view: View, fx: Effects) -> None:
        """Customers, bloggers and people who have just opened a link become promoters."""
        e, at = view.exposures, self._links(view)
        clicks = self._last(view, at[view.viewed[at]])
        session, merchant, link = self._candidates(view, clicks)
        user, local = view.sessions.user[session], self.world.local_merchant(merchant)
        hope = (self._hoped[merchant] * self._ties(user)).astype(np.float32)
        chance = self.joins(user, merchant, link >= 0) * (hope > 0)
        at = draws.chance("channels.promoters/join", view.sessions.event[session], chance, local).nonzero()[0]
        if not at.size:
            return
        session, merchant, link = session[at], merchant[at], link[at]
        cause, inviter = view.sessions.event[session], np.full(at.size, NOBODY)
        invited = link >= 0
        cause[invited], inviter[invited] = e.cause[link[invited]], e.peer[link[invited]]
        rows = view.rows("promoter_joined", session, index=local[at], cause=cause, peer=inviter, merchant=merchant)
        fx.event("promoter_joined", rows)
        fx.relate("set", "promoter_hope", session, merchant, hope[at])
        fx.relate("set", "promoter_reason", session, merchant, rows.event)
        fx.relate("set", "promoter_inviter", session, merchant, inviter)

    def _candidates(self, view: View, clicks: I64) -> tuple[I64, I64, I64]:
        """Pairs (session, merchant) that might join, each once, and the position of the link just opened, or -1."""
        planned, m, merchant = view.sessions.planned, self.world.m, view.relations("merchant").astype(np.int64)
        customer = (view.relations("orders") > 0) & planned[view.related] & self.on[merchant]
        blogger = (self._blogs[view.sessions.user] & planned).nonzero()[0]
        home = self.world.world_of(view.sessions.user[blogger]).astype(np.int64)
        shops = self.world.merchant_in(home[:, None], self._local)
        wide = self._circle(view.sessions.user[blogger])[:, None] >= self._blogger_reach[shops]
        opened = view.exposures.session[clicks] * m + view.exposures.merchant[clicks]  # ascending
        pair = np.concatenate([(view.related * m + merchant)[customer], (blogger[:, None] * m + shops)[wide], opened])
        pair = np.unique(pair)
        pair = pair[view.relation("promoter_hope", pair // m, pair % m) == 0]
        place = np.searchsorted(opened, pair)
        found = np.append(opened, NOBODY)[place] == pair
        return pair // m, pair % m, np.where(found, np.append(clicks, NOBODY)[place], NOBODY)

    def joins(self, user: Array, merchant: Array, invited: Bools) -> F64:
        """Chance to become a promoter in a session."""
        relative = self._relative[merchant] * self._ties(user)
        keen = exp(self._elasticity[merchant] * log(np.maximum(relative, LEAST)))
        keen *= np.where(invited, self._invited[merchant], 1.0)
        out: F64 = np.minimum(self._join[merchant] * keen, 1.0) * (relative > 0)
        return out

    # ---------------------------------------------------------------------------------------------- promoting

    def _promote(self, view: View, fx: Effects) -> None:
        """Promoters post, the more the more they expect to earn."""
        hope, merchant = view.relations("promoter_hope"), view.relations("merchant")
        at = ((hope > 0) & view.sessions.planned[view.related]).nonzero()[0]
        if not at.size:
            return
        session, merchant, hope = view.related[at], merchant[at], hope[at].astype(np.float64)
        chance = self._effort[merchant] * hope / (hope + self._worth[merchant])
        local = self.world.local_merchant(merchant)
        posts = draws.chance("channels.promoters/post", view.sessions.event[session], chance, local)
        session, merchant = session[posts], merchant[posts]
        owner, product = self._goods(view, session, merchant)
        session, merchant, local = session[owner], merchant[owner], local[posts][owner]
        cause = view.relation("promoter_reason", session, merchant)
        rows = view.rows("promotion", session, index=local, cause=cause, merchant=merchant, product=product)
        self._tell(view, fx, rows, view.relation("promoter_inviter", session, merchant, NOBODY))

    def _goods(self, view: View, session: I64, merchant: Array) -> tuple[I64, I64]:
        """What each promotes, by the popularity of the merchant's products: place in `session`, product."""
        owner, product = expand.expand(self._shelf[merchant], self._shelf[merchant + 1])
        number = self.world.product_number(product)
        arrival = draws.exponential("channels.promoters/product", view.sessions.event[session[owner]], number)
        weight = np.maximum(self.world.product["weight"][product], LEAST)
        first = segments.argmax(owner, -arrival / weight, number.astype(np.uint64))
        return owner[first], product[first]

    def _tell(self, view: View, fx: Effects, rows: Records, inviter: Array) -> None:
        """Write the promotions down and send the links."""
        luck = draws.uniform("channels.promoters/surface", rows.event)
        surface = (luck[:, None] >= self._edges[rows.merchant]).sum(axis=1)
        rows = rows.with_(channel=np.array([view.channel(name) for name in SURFACES])[surface])
        owner, friend = self._audience(rows, surface)
        fx.event("promotion", rows.with_(quantity=np.bincount(owner, minlength=rows.n)))
        told, code = rows.take(owner), np.where(inviter < 0, 0, self.world.local_user(inviter) + 1)
        ids = draws.child(told.event, "promoted", self.world.local_user(friend))
        fx.message("promoted", told.with_(event=ids, cause=told.event, user=friend, peer=told.user, detail=code[owner]))

    def _audience(self, rows: Records, surface: I64) -> tuple[I64, Array]:
        """Who gets each link: place in `rows`, friend."""
        alone, said = rows.take(surface != 1), rows.take(surface == 1)
        moments = surface[surface != 1] == 2
        reach = self._reach[moments.astype(np.int64), alone.merchant]  # (n, layers)
        owner, friend = audience.friends(
            self.world, alone.user, alone.event, reach, moments, "channels.promoters/friend"
        )
        speaker, member = audience.members(
            self.world, said.user, said.event, self._group_reach[said.merchant], "channels.promoters/chat"
        )
        place = np.concatenate([(surface != 1).nonzero()[0][owner], (surface == 1).nonzero()[0][speaker]])
        return place, np.concatenate([friend, member])

    # ---------------------------------------------------------------------------------------------- being paid

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        rows = rows.take(granted & self.on[rows.merchant])
        if not rows.n:
            return fx
        if kind in _ENDS:
            for role in ROLES:
                stake = _stake(rows.cause, role)
                ended = draws.child(stake, _ENDS[kind])
                fx.request(_ENDS[kind], rows.with_(event=ended, cause=stake, detail=role))
            return fx
        amount = self.part(rows.merchant, rows.amount, rows.detail)
        rows = rows.with_(user=rows.peer, peer=rows.user, amount=amount)
        if kind == "commission_void":
            fx.event("commission_voided", rows)
            fx.post("fen", Postings.move(rows, "commission", rows.merchant, "cash", rows.merchant, amount))
            return fx
        fx.event("commission_paid", rows)
        fx.post("fen", Postings.move(rows, "commission", rows.merchant, "promoter", rows.user, amount))
        news = rows.with_(event=draws.child(rows.event, "commission_news"), cause=rows.event, peer=NOBODY)
        fx.message("commission_news", news)
        return fx


def _stake(order: U64, role: int) -> U64:
    """The subject of a role's part of the commission on each order, and the event by which it is held."""
    return draws.child(order, "commission_held", role)


def _edges(surfaces: tuple[float, float, float]) -> tuple[float, float]:
    """Where the shares of surfaces end on (0, 1), but for the last."""
    chat, group, moments = surfaces
    whole = max(chat + group + moments, LEAST)
    return chat / whole, (chat + group) / whole
