"""Lotteries (抽奖): follow and share to enter, a draw at a date, and fans who came for the prize alone.

*Opening.* A lottery opens on `first_day`, and again every `every_days`, for `open_days`. People meet it through four
doors while it is open: a message to fans (once, `push`; it counts towards fatigue), articles (strangers too), the
merchant's pages, and friends who have entered. Who meets it enters with the chance `entry`, or `hunter_entry` if she
is one of the `hunters`, people who take part in whatever gives something away: a trait of hers for life. Entering is
addressed by (lottery, user): who would not enter does not change her mind when a second friend asks.

*Follow and share.* Who enters follows the service account, if she did not, and tells `invites` of her friends, drawn
by the weight of their ties; a friend notices with the chance `notice`. If nobody tells the same person twice, an
entrant leads on average to R = invites · notice · (share of people who enter) further ones, and a lottery that s
people find by themselves has s / (1 − R) entrants (a branching process, R < 1).

*Draw.* Every entrant has a ticket. The prizes go one after the other, one in each tick from the draw on, to the ticket
with the smallest number (its id, a hash) among those that have won nothing: every ticket has the same chance, and
there are min(prizes, entrants) winners. A prize is a piece of the merchant's cheapest product, taken off the shelf
and paid for like any other; a winner who finds the shelf empty gets nothing.

*Fans for the prize.* A hunter who became a fan by entering finds what the account shows her `indifference` less worth,
and after the draw turns away with the chance `turn_away` in each planned session: she unfollows, or only mutes.

It cannot: ask for a like or a purchase, let winners choose, catch people with many accounts, or send a prize back.
"""

from collections.abc import Iterator

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.elementary import log
from sim.kernels import expand, segments
from sim.ledger.schema import Postings, Records
from sim.params import Params, Setting, param
from sim.units import DAY, HOUR, I64, NOBODY, U64, Array, Bools, fen
from sim.world import announced
from sim.world.rounds import Rounds, too_late
from sim.world.shelf import cheapest
from sim.world.state import FOLLOWS, MUTED, PINNED, Column

FAN, STRANGER, HUNTER = 0, 1, 2  # `detail` of an entry: a fan before, a new fan, a new fan for the prize
_LAYERS = "layer_weights"


class LotteryParams(Params):
    """When there is a lottery, what it gives, and who enters."""

    wants = {"channels.service_account": "the fans that it wins hear nothing more"}
    moot = {
        "push": "channels.service_account",
        "indifference": "channels.service_account",
        "hunter_entry": "hunters",
        "notice": "invites",
        "layer_weights": "invites",
        "leaves": "turn_away",
    }
    lively = {"first_day": (0, 1), "open_days": (1,), "article": (0.5,), "entry": (0.5,)}

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """A first lottery after the last day."""
        yield from too_late(self.first_day, around)

    first_day: int = param(7, "day on which the first opens, from 0", unit="day", ge=0, le=3_650)
    every_days: int = param(60, "from one to the next", unit="days", ge=1, le=365)
    open_days: int = param(7, "from opening to draw, at most to the next opening", unit="days", ge=1, le=13)
    hour: int = param(12, "hour at which it opens, and of the draw", unit="hour of the day", ge=0, le=23)
    prizes: int = param(5, "pieces of the cheapest product given away", unit="prizes", ge=0, le=50)
    push: float = param(0.15, "fans who notice the message to them", unit="probability", ge=0, le=1)
    article: float = param(0.01, "readers of articles who come across it, per session", unit="probability", ge=0, le=1)
    page: float = param(0.2, "visitors of its pages who see it, per session", unit="probability", ge=0, le=1)
    hunters: float = param(0.2, "people who enter for prizes", unit="share", ge=0, le=1)
    hunter_entry: float = param(0.8, "of hunters who meet it, who enter", unit="probability", ge=0, le=1)
    entry: float = param(0.1, "of others who meet it, who enter", unit="probability", ge=0, le=1)
    invites: int = param(3, "friends whom an entrant has to tell", unit="friends", ge=0, le=100)
    notice: float = param(0.4, "friends told who notice", unit="probability", ge=0, le=1)
    layer_weights: tuple[float, float, float, float] = param(
        (1.0, 0.4, 0.1, 0.03), "weight of a tie when friends are told, by Dunbar layer", unit="relative"
    )
    indifference: float = param(
        1.0, "what the account shows is worth less to fans for the prize", unit="utility", ge=0, le=10
    )
    turn_away: float = param(0.5, "of those who turn away after the draw, per session", unit="probability", ge=0, le=1)
    leaves: float = param(0.6, "of these who unfollow instead of muting", unit="share", ge=0, le=1)
    parcel_yuan: float = param(6.0, "paid to send a prize", unit="yuan", ge=0, le=10_000)
    parcel_hours: float = param(48.0, "from the draw to the winner's door", unit="hours", ge=0, le=2_000)


class Lottery(Mechanism):
    """Opens lotteries, takes entries, draws winners and sends the prizes."""

    Params = LotteryParams
    columns = (
        Column("slot", "lottery", np.int32, 0, "second of the draw that she last entered; 0 none"),
        Column("slot", "prize_fan", np.bool_, 0, "became a fan for a prize alone"),
    )
    kinds = {
        "lottery_open": Kind(
            "a lottery opens; quantity: prizes, detail: the second of the draw",
            stage="plain",
            says="{merchant} gives away {quantity} × {product} among those who follow and share; draw {detail:when}",
        ),
        "lottery_entered": Kind(
            "a user entered (peer: the friend who told her); quantity: friends told, detail: 0 a fan before, 1 a new "
            "fan, 2 a new fan for the prize alone",
            says="{user} enters the lottery of {merchant}[, told by {peer}]; friends told: {quantity}",
        ),
        "lottery_invite": Kind("message to a friend (peer: who entered); cause: the entry"),
        "lottery_ticket": Kind("a ticket in the draw; cause is the prize, event the entry", stage="once"),
        "lottery_won": Kind("a ticket won; cause is the entry", says="{user} wins {product} of {merchant}"),
        "lottery_prize": Kind(
            "a prize is taken off the shelf; cause: lottery_won",
            stage="stock",
            says="{merchant} sends {product} to {user}",
        ),
        "lottery_missed": Kind(
            "the shelf was empty; cause: lottery_won", says="{product} of {merchant} is sold out: {user} gets nothing"
        ),
        "lottery_delivered": Kind(
            "a prize arrives; cause: lottery_prize", stage="plain", says="{product} of {merchant} reaches {user}"
        ),
    }
    settles = ("lottery_open", "lottery_ticket", "lottery_prize", "lottery_delivered")

    def prepare(self) -> None:
        self._of = of = {name: self.per_merchant(name) for name in LotteryParams.model_fields if name != _LAYERS}
        self._rounds = Rounds.of(of["first_day"], of["hour"], of["every_days"], of["open_days"] * DAY)
        weight = np.array([(1.0,) * 4 if p is None else p.layer_weights for p in self.p])
        self._weight = log(np.maximum(weight, 1e-300))  # (merchants, layers)
        self._parcel = self.per_merchant(lambda p: fen(p.parcel_yuan), 0, np.int64)
        self._prize = cheapest(self.world, np.arange(self.world.product["price"].size))

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        """Lotteries that open within the horizon, of merchants that have something to give."""
        plans = []
        for merchant in (self.on & (self._prize >= 0)).nonzero()[0].tolist():
            start = self._rounds.starts(merchant, days)
            number = self._rounds.number(np.full(start.size, merchant), start)
            event = draws.child(self.world.merchant_key[merchant], "lottery_open", number)
            draw, product = start + self._rounds.length[merchant], self._prize[merchant]
            quantity = self.p[merchant].prizes
            columns = {"merchant": merchant, "product": product, "quantity": quantity, "detail": draw}
            plans.append(Records(start.size, time=start, event=event, **columns))
        return {"lottery_open": Records.concat(plans)}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        if kind == "lottery_open":
            fx.event(kind, rows)
            fx.publish(kind, rows)
            owner, number = expand.expand(np.zeros(rows.n, np.int64), rows.quantity)
            fx.open_subject(draws.child(rows.event[owner], "prize", number))
        elif kind == "lottery_ticket":
            self._draw(view, fx, rows, granted)
        elif kind == "lottery_prize":
            self._send(fx, rows.take(granted))
            missed = rows.take(~granted)
            fx.event("lottery_missed", missed.with_(event=draws.child(missed.event, "lottery_missed")))
        else:
            fx.event(kind, rows)
            cost = self.world.product["cost"][rows.product] * rows.quantity
            fx.post(
                "stock", Postings.move(rows, "transit", rows.variant, "customer", NOBODY, rows.quantity, rows.variant)
            )
            fx.post("fen", Postings.move(rows, "cash", rows.merchant, "supplier", NOBODY, cost))
            fx.post("fen", Postings.move(rows, "cash", rows.merchant, "courier", NOBODY, self._parcel[rows.merchant]))
        return fx

    def deliver(self, view: View) -> Effects:
        """Fans for the prize turn away when it has been drawn."""
        fans = view.relations("prize_fan") & view.sessions.planned[view.related]
        at = (fans & (view.relations("lottery") < view.clock.start)).nonzero()[0]
        if at.size == 0:
            return EMPTY
        session, merchant, flags = view.related[at], view.relations("merchant")[at], view.relations("flags")[at]
        event, local = view.sessions.event[session], self.world.local_merchant(merchant)
        acts = draws.chance("offers.lottery/turn_away", event, self._of["turn_away"][merchant], local)
        leaves = draws.chance("offers.lottery/leaves", event, self._of["leaves"][merchant], local)
        follows, hears = (flags & FOLLOWS) != 0, (flags & MUTED) == 0
        fx = Effects()
        for kind, who in (("unfollow", acts & leaves & follows), ("mute", acts & ~leaves & hears)):
            ids = draws.child(event[who], "lottery_" + kind, local[who])
            fx.event(kind, view.rows(kind, session[who], event=ids, merchant=merchant[who]))
        fx.relate("or", "flags", session[acts], merchant[acts], MUTED)
        fx.relate("set", "prize_fan", session[acts], merchant[acts], False)
        gone = acts & leaves & follows
        fx.relate("clear", "flags", session[gone], merchant[gone], FOLLOWS | PINNED)
        fx.tally("merchant", "fans", merchant[gone], -1)
        return fx

    def appraise(self, view: View) -> Effects:
        """What the account shows to fans for the prize is worth less to them."""
        if not view.relations("prize_fan").any():
            return EMPTY
        fx, shown = Effects(), view.exposures
        at = (self.on[shown.merchant] & (shown.channel == view.channel("service_account"))).nonzero()[0]
        cold = view.relation("prize_fan", shown.session[at], shown.merchant[at]).astype(np.bool_)
        delta = np.zeros(len(shown))
        delta[at[cold]] = -self._of["indifference"][shown.merchant[at[cold]]]
        fx.appeal(delta)
        return fx

    def checkout(self, view: View) -> Effects:
        """Who meets a lottery enters it, perhaps: follows, and tells friends."""
        is_open = view.content("lottery_open")
        is_open = is_open.take(is_open.detail >= view.clock.end)
        if is_open.n == 0:
            return EMPTY
        fx, which, of = Effects(), announced.which_is_out(is_open, self.world.m), self._of
        pair, cause, peer = self._told(view, which)
        alone = (
            self._pushed(view, fx, is_open, which),
            announced.readers(view, "offers.lottery/article", which, of["article"]),
            announced.visitors(view, "offers.lottery/page", which, of["page"]),
        )
        pair = np.concatenate((pair, *alone))  # who was told by a friend comes first
        pair, first = np.unique(pair, return_index=True)
        session, merchant = np.divmod(pair, self.world.m)
        met = is_open.take(which[merchant])
        told = first < peer.size
        place = np.minimum(first, max(peer.size - 1, 0))
        met = met.with_(
            cause=np.where(told, _at(cause, place), met.event), peer=np.where(told, _at(peer, place), NOBODY)
        )
        self._enter(view, fx, session, met)
        return fx

    # --------------------------------------------------------------------------------------------------------- entering

    def _told(self, view: View, which: I64) -> tuple[I64, U64, Array]:
        """Who notices that a friend has entered: session · m + merchant, the friend's entry, the friend."""
        found = view.inbox("lottery_invite")
        here = view.sessions.planned[found.session] & (which[found.rows.merchant] >= 0)
        rows, session = found.rows.take(here), found.session[here]
        sees = draws.chance("offers.lottery/notice", rows.event, self._of["notice"][rows.merchant])
        rows, session = rows.take(sees), session[sees]
        return session * self.world.m + rows.merchant, rows.cause, rows.peer

    def _pushed(self, view: View, fx: Effects, is_open: Records, which: I64) -> I64:
        """Fans who notice the message to them: session · m + merchant."""
        session, sent = announced.fans(view, "offers.lottery/push", is_open, which, self._of["push"])
        announced.notice(view, fx, session, sent, sent.event)
        out: I64 = session * self.world.m + sent.merchant
        return out

    def _enter(self, view: View, fx: Effects, session: I64, met: Records) -> None:
        """Those who want to and can: they follow, tell friends, and have a ticket."""
        merchant, user = met.merchant, view.sessions.user[session]
        flags, of = view.relation("flags", session, merchant), self._of
        hunts = draws.chance("offers.lottery/hunter", view.keys[session], of["hunters"][merchant])
        p = np.where(hunts, of["hunter_entry"][merchant], of["entry"][merchant])
        enters = draws.chance("offers.lottery/enter", met.event, p, self.world.local_user(user))
        enters &= (view.relation("lottery", session, merchant) != met.detail) & ((flags & MUTED) == 0)
        enters &= view.has_room(session, merchant)
        session, met, new, hunts = session[enters], met.take(enters), (flags[enters] & FOLLOWS) == 0, hunts[enters]
        merchant, local = met.merchant, self.world.local_merchant(met.merchant)
        entry = draws.child(view.sessions.event[session], "lottery_entered", local)
        owner, friend = self._friends(view, session, merchant, entry)
        columns = {"merchant": merchant, "product": met.product, "peer": met.peer}
        kind = np.where(new, np.where(hunts, HUNTER, STRANGER), FAN)
        told = np.bincount(owner, minlength=session.size)
        rows = view.rows("lottery_entered", session, event=entry, cause=met.cause, **columns)
        fx.event("lottery_entered", rows.with_(quantity=told, detail=kind))
        self._tell(fx, rows.take(owner), friend)
        fx.relate("or", "flags", session, merchant, FOLLOWS)
        fx.relate("set", "lottery", session, merchant, met.detail)
        fx.relate("set", "prize_fan", session[new], merchant[new], hunts[new])
        follow = draws.child(entry[new], "lottery_follow")
        fx.event("follow", view.rows("follow", session[new], event=follow, cause=entry[new], merchant=merchant[new]))
        fx.tally("merchant", "fans", merchant[new])
        prizes = self._of["prizes"][merchant] > 0
        ticket = rows.with_(time=met.detail, cause=draws.child(met.event, "prize", 0), peer=NOBODY)
        ticket = ticket.with_(detail=self._rounds.number(merchant, met.time))
        fx.request("lottery_ticket", ticket.take(prizes))

    def _friends(self, view: View, session: I64, merchant: Array, entry: U64) -> tuple[I64, Array]:
        """Whom each entrant tells: her place in `session`, and the friend."""
        graph, user = self.world.graph, view.sessions.user[session]
        owner, tie = expand.expand(graph.indptr[user], graph.indptr[user + 1])
        friend = graph.indices[tie]
        noise = draws.gumbel("offers.lottery/friend", entry[owner], self.world.local_user(friend))
        weight = self._weight[merchant[owner], graph.layers(user[owner], tie)] + noise
        invites = self._of["invites"][merchant[owner]].astype(np.int64)
        chosen = segments.top_k(owner, weight, invites, friend.astype(np.uint64))
        return owner[chosen], friend[chosen]

    def _tell(self, fx: Effects, entry: Records, friend: Array) -> None:
        """Messages to these friends of what each entry is about."""
        event = draws.child(entry.event, "lottery_invite", self.world.local_user(friend))
        fx.message("lottery_invite", entry.with_(event=event, cause=entry.event, user=friend, peer=entry.user))

    # --------------------------------------------------------------------------------------------------------- the draw

    def _draw(self, view: View, fx: Effects, rows: Records, granted: Bools) -> None:
        """Winners get their prize; the other tickets wait for the next one. `quantity` is the number of the prize."""
        won = rows.take(granted)
        won = won.with_(event=draws.child(won.event, "lottery_won"), cause=won.event, quantity=1)
        fx.event("lottery_won", won)
        prize = won.with_(time=won.time + 1, event=draws.child(won.event, "lottery_prize"), cause=won.event)
        fx.request("lottery_prize", prize.with_(variant=self.world.variant_start[won.product]))
        following = rows.quantity + 1
        left = ~granted & (following < self._of["prizes"][rows.merchant])
        rest, number = rows.take(left), following[left]
        opened = draws.child(self.world.merchant_key[rest.merchant], "lottery_open", rest.detail)
        time = np.maximum(rest.time + 1, view.clock.end)
        fx.request("lottery_ticket", rest.with_(time=time, cause=draws.child(opened, "prize", number), quantity=number))

    def _send(self, fx: Effects, rows: Records) -> None:
        """Prizes leave the shelf, and arrive later."""
        fx.event("lottery_prize", rows)
        fx.post(
            "stock", Postings.move(rows, "shelf", rows.variant, "transit", rows.variant, rows.quantity, rows.variant)
        )
        way = np.maximum(np.rint(self._of["parcel_hours"][rows.merchant] * HOUR).astype(np.int64), 1)
        event = draws.child(rows.event, "lottery_delivered")
        fx.request("lottery_delivered", rows.with_(time=rows.time + way, event=event, cause=rows.event))


def _at(values: Array, place: I64) -> Array:
    """Values at these places; if there are none, zeros."""
    return values[place] if values.size else np.zeros(place.size, values.dtype)
