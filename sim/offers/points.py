"""Points (积分): earned with an order or by signing in, seen in the service account, spent instead of money.

*Earning.* A granted order, or gift, in a tool where points are earned promises its payer a point for so much paid,
times the multiplier if she is a member, rounded down. In its window (`when`: always, on dates, or whenever the
merchant's joint campaign runs) an order promises `multiplier` times as many. They are hers when the order is completed;
an order that comes back earns none. A notice then waits in her inbox, again every 8 days until she finds it (an inbox
keeps a week), and her next session books them. Who signs in to the mini-program's member centre earns some, at most
once in a planned session, of which there is one a day.

*Spending.* In the tools where they are spent, and in the points zone, a holder of at least `min_points` pays a part
of an order for herself with points, in the layer ``points``: ⌊min(balance · rate, share · list price, cap)⌋, in whole
points. They are settled with the order: if it is refused, she keeps them. If it is sent back, they come back as points
earned do, or are lost (`give_back`).

*Lapse.* All points of a relation lapse together, if nothing was earned or spent with them for `valid_days` (a rolling
expiry, as airlines and hotels have it), or at the end of the calendar year (年底清零). So a row holds one balance and
one second, and no lots. Followers find a reminder in the account, in the first session within `remind_days` of it.

*Coming back.* A balance helps only whom it is told: in the account if she follows, in the mini-program if she has it.
It adds to the recall of needs (slot column ``recall_points``, read by `people.repurchase`)

    recall · min(1, balance / min_points) ^ gradient,

rising towards the reward: a goal gradient (Kivetz, Urminsky and Zheng 2006, whose customers came about 20 % faster
near it). Who signs in, or opens a notice of points earned or about to lapse, steps into the points zone, where goods
have the added utility `appeal` if she can spend. Whoever would have bought anyway pays less all the same.

*Books.* Points are a currency: issuer → holder when she finds them, → redeemed, → expired, and redeemed → holder if
given back; promised points stay with the issuer. The ledger's holders hold what rows hold, but for balances that have
lapsed and not been looked at since. Points cost no fen but those taken off: what is outstanding is a liability that
the metric `points_liability` shows. What lapses competes with the next change of the balance: the subject is the
statement of the balance that she has had last. After the horizon nothing is booked or lapses.

It cannot: keep lots with dates of their own, be spent on gifts or goods for points alone, be sold or given on, or
make anybody open WeChat who otherwise would not. Points of a giver wait until she has a tie to the merchant that keeps
it in mind: an order for herself, following, a group, a coupon, or points.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from sim import draws
from sim.contract import EMPTY, LAYERS, Effects, Kind, Mechanism, View
from sim.elementary import exp, log
from sim.ledger.schema import Postings, Records
from sim.params import Setting, param
from sim.units import DAY, F64, FEN_PER_YUAN, I64, NOBODY, U64, Array, Bools, fen
from sim.words import _
from sim.world.doors import leads_in
from sim.world.relations import lasting
from sim.world.shelf import front, shelf
from sim.world.state import FOLLOWS, MEMBER, MINI, MUTED, Column
from sim.world.windows import Standing, Windows

AGAIN = 8 * DAY  # a notice is repeated: longer than an inbox keeps anything, by a tick
MOST = 1_000_000  # points that one order can earn, so that balances stay whole numbers of 32 bits
MILLE, BASIS = 1_000, 10_000
EARNED, RETURNED = 0, 1  # what a notice is about, in `detail`
OWNER = {"issuer": "merchant", "holder": "user"}  # of the accounts; the others are nobody's
MOVES = {  # what changes a balance: from, to
    "points_earned": ("issuer", "holder"),
    "points_sign_in": ("issuer", "holder"),
    "points_returned": ("redeemed", "holder"),
    "points_redeemed": ("holder", "redeemed"),
    "points_expired": ("holder", "expired"),
}


class PointsParams(Standing):
    """How points are earned, told, spent and lost."""

    moot = {
        "sign_in_points": "channels.mini_program",
        "sign_in_rate": "channels.mini_program",
        "member_multiplier": "channels.mini_program",
        "remind_days": "channels.service_account",
        "notice_open": "channels.service_account",
        "recall": "people.repurchase",
        "gradient": "recall",
    }
    lively = {"sign_in_rate": (1.0, 0.5), "min_points": (1, 10), "day": (0, 1), "hours": (24, 7)}

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """Windows outside the scenario, and tools that the merchant does not have."""
        yield from super().idle(around)
        for name in ("earned_in", "seen_in", "spent_in"):
            tool = getattr(self, name)
            if tool not in ("both", "nowhere") and f"channels.{tool}" not in around.on:
                yield name, _("there is no {tool}; write `channels: {{{tool}: {{}}}}`, or another tool", tool=tool)

    earned_in: Literal["both", "mini_program", "store"] = param("both", "tools whose orders earn", unit="tools")
    seen_in: Literal["both", "service_account", "mini_program", "nowhere"] = param(
        "both", "tools that tell people their balance", unit="tools"
    )
    spent_in: Literal["both", "mini_program", "store"] = param("both", "tools whose orders take points", unit="tools")
    points_per_yuan: float = param(1.0, "earned with a completed order", unit="points per yuan paid", ge=0, le=10)
    member_multiplier: float = param(1.5, "the same for members", unit="times", ge=1, le=10)
    multiplier: float = param(1.0, "the same for everybody in the window (`when`)", unit="times", ge=1, le=10)
    sign_in_points: int = param(2, "earned by signing in", unit="points", ge=0, le=1_000)
    sign_in_rate: float = param(
        0.05, "planned sessions in which a customer with the mini-program signs in", unit="share", ge=0, le=1
    )
    fen_per_point: int = param(1, "what a point takes off a price", unit="fen", ge=1, le=1_000)
    min_points: int = param(100, "balance from which points can be spent: the reward", unit="points", ge=1, le=10**6)
    max_share: float = param(0.5, "part of the list price that points may pay", unit="share", ge=0, le=1)
    max_yuan: float = param(50.0, "most that they may pay of an order", unit="yuan", ge=0, le=1e6)
    window: int = param(4, "goods that a visitor of the zone sees first", unit="goods", ge=1, le=100)
    salience: float = param(2.0, "how much they catch the eye", unit="utility", ge=-10, le=10)
    spend_rate: float = param(0.8, "sessions in which she pays with points if she can", unit="share", ge=0, le=1)
    give_back: bool = param(True, "whether points spent on an order that is sent back return", unit="yes or no")
    lapse: Literal["rolling", "year_end"] = param("rolling", "when a balance lapses", unit="rule")
    valid_days: int = param(365, "days without a change after which it does", unit="days", ge=1, le=3_650)
    remind_days: int = param(14, "how long before that followers are reminded", unit="days", ge=0, le=365)
    notice_open: float = param(
        0.35, "followers who open a notice about their points", unit="share",
        source="facts: service_account.subscribed_notice_open", ge=0, le=1,
    )  # fmt: skip
    recall: float = param(0.2, "recall won by a balance that she knows of, at the reward", unit="share", ge=0, le=1)
    gradient: float = param(
        1.0, "how steeply it rises towards the reward: 0 all holders alike, 1 with the balance", unit="exponent",
        ge=0, le=10,
    )  # fmt: skip
    appeal: float = param(
        2.0, "utility of what she can pay with points, in the points zone", unit="utility", ge=0, le=20
    )


class Points(Mechanism):
    """Promises, books, takes and cancels points."""

    Params = PointsParams
    clicks = {"points": 0.4}  # assumed
    columns = (
        Column("slot", "points_until", np.int32, 0, "second at which her points lapse"),
        Column("slot", "points_event", np.uint64, 0, "the last statement of her points"),
        Column("slot", "recall_points", np.float32, 0, "recall won by points that she knows of"),
    )
    kinds = {
        "points_credit": Kind("the points of an order are due (again); its subject names how many", stage="last"),
        "points_lapse": Kind("a balance may lapse at `detail`; its subject names how many", stage="once"),
        "points_notice": Kind(
            "message that `quantity` points wait; cause is what promised (detail 0) or redeemed them (detail 1)"
        ),
        "points_pending": Kind(
            "`quantity` points promised with an order, its cause",
            says="{user} will get {quantity} points of {merchant} if the order is kept",
        ),
        "points_earned": Kind(
            "`quantity` points booked, worth `amount`; cause is the promise",
            says="{user} gets {quantity} points of {merchant}",
        ),
        "points_sign_in": Kind(
            "`quantity` points for signing in, worth `amount`",
            says="{user} signs in at {merchant} and gets {quantity} points",
        ),
        "points_returned": Kind(
            "`quantity` points spent on an order that was sent back are hers again; cause is their redemption",
            says="{user} gets {quantity} points of {merchant} back",
        ),
        "points_redeemed": Kind(
            "`quantity` points took `amount` off an order, its cause",
            says="{user} pays {amount} of {product} with {quantity} points of {merchant}",
        ),
        "points_balance": Kind(
            "a statement: `quantity` points held until `detail`; cause is the change",
            says="{user} holds {quantity} points of {merchant}, good until {detail:when}",
        ),
        "points_expired": Kind(
            "`quantity` points worth `amount` lapsed; cause is the last statement",
            says="{user} lets {quantity} points of {merchant} lapse",
        ),
        "points_reminded": Kind(
            "she opens a reminder of `quantity` points that lapse at `detail`",
            says="{user} reads that her {quantity} points of {merchant} lapse on {detail:when}",
        ),
    }
    settles = ("completion", "return", "gift_deadline", "points_credit", "points_lapse")

    def prepare(self) -> None:
        whole = np.int64
        self._earns = self.per_merchant(_earns, ((0, 0), (0, 0)), whole)
        self._windows = Windows(self.p)
        self._earned, self._spent = self._tools("earned_in", "store"), self._tools("spent_in", "store")
        self._seen = self._tools("seen_in", "service_account")
        self._sign_in, self._rate = self.per_merchant("sign_in_points", 0, whole), self.per_merchant("sign_in_rate")
        self._worth = self.per_merchant("fen_per_point", 1, whole)
        self._least = self.per_merchant("min_points", 1, whole)
        self._share = self.per_merchant(lambda p: round(p.max_share * BASIS), 0, whole)
        self._cap = self.per_merchant(lambda p: fen(p.max_yuan), 0, whole)
        self._pays, self._back = self.per_merchant("spend_rate"), self.per_merchant("give_back", 0, np.bool_)
        self._yearly = self.per_merchant(lambda p: p.lapse == "year_end", 0, np.bool_)
        self._valid = self.per_merchant("valid_days", 0, whole) * DAY
        self._ahead = self.per_merchant("remind_days", 0, whole) * DAY
        self._opens, self._appeal = self.per_merchant("notice_open"), self.per_merchant("appeal")
        self._recall, self._gradient = self.per_merchant("recall"), self.per_merchant("gradient")
        self._window, self._salience = self.per_merchant("window", 1, whole), self.per_merchant("salience")
        self._shelf = shelf(self.world)

    def _tools(self, field: str, other: str) -> Array:
        """Whether it happens in the other tool (0) and in the mini-program (1), shape (2, merchants)."""
        stated = self.per_merchant(field, 0, np.str_)
        return np.stack([(stated == tool) | (stated == "both") for tool in (other, "mini_program")])

    # ---------------------------------------------------------------------------------------------- coming back

    def expose(self, view: View) -> Effects:
        """The points zone, for those who sign in or open a notice."""
        book = self._book(view)
        if not view.clock.running or not book.session.size:
            return EMPTY
        fx = Effects()
        visits = (self._sign_ins(view, book), self._opened(view, book), self._reminded(view, fx, book))
        at, cause = (np.concatenate(parts) for parts in zip(*visits, strict=True))
        session, merchant = book.session[at], book.merchant[at]
        worth = np.where(book.held[at] >= self._least[merchant], self._appeal[merchant], 0.0)
        owner, product = front(self._shelf, view.shared("product", "sold"), merchant, self._window[merchant])
        fx.expose(
            view.channel("points"), session[owner], product,
            cause=cause[owner], appeal=worth[owner], salience=self._salience[merchant[owner]],
        )  # fmt: skip
        return fx

    def _sign_ins(self, view: View, book: "_Book") -> tuple[I64, U64]:
        """Who signs in: customers and holders that have the mini-program; with their session as the cause."""
        may = book.planned & ((book.flags & MINI) != 0) & ((book.orders > 0) | (book.points > 0))
        at = (may & (self._sign_in[book.merchant] > 0)).nonzero()[0]
        merchant, event = book.merchant[at], view.sessions.event[book.session[at]]
        signs = draws.chance("offers.points/sign_in", event, self._rate[merchant], self.world.local_merchant(merchant))
        return at[signs], event[signs]

    def _opened(self, view: View, book: "_Book") -> tuple[I64, U64]:
        """Followers who open the notice of points that wait for them."""
        rows, at = self._notices(view, book)
        opens = draws.chance("offers.points/notice", rows.event, self._opens[rows.merchant])
        opens &= self._told(book)[at]
        return at[opens], rows.cause[opens]

    def _reminded(self, view: View, fx: Effects, book: "_Book") -> tuple[I64, U64]:
        """Followers who open the reminder of points that will lapse, which they find once."""
        sent = book.until - self._ahead[book.merchant]
        before, now = view.own("last_seen")[book.session], view.sessions.time[book.session]
        at = (self._told(book) & (book.held > 0) & (before < sent) & (sent <= now)).nonzero()[0]
        merchant, session = book.merchant[at], book.session[at]
        local = self.world.local_merchant(merchant)
        opens = draws.chance("offers.points/reminder", view.sessions.event[session], self._opens[merchant], local)
        at = at[opens]
        rows = view.rows(
            "points_reminded", session[opens], index=local[opens], merchant=merchant[opens],
            quantity=book.held[at], detail=book.until[at],
        )  # fmt: skip
        fx.event("points_reminded", rows)
        return at, rows.event

    def _told(self, book: "_Book") -> Bools:
        """Who hears of her points from the service account in a planned session."""
        hears = (book.flags & (FOLLOWS | MUTED)) == FOLLOWS
        out: Bools = hears & book.planned & self._seen[0, book.merchant]
        return out

    def pull(self, book: "_Book", held: I64) -> F64:
        """Recall won by balances that their holders know of, shape (A,)."""
        knows = ((book.flags & MINI) != 0) & self._seen[1, book.merchant]
        knows |= ((book.flags & (FOLLOWS | MUTED)) == FOLLOWS) & self._seen[0, book.merchant]
        out = np.zeros(held.size)
        at = (knows & (held > 0)).nonzero()[0]
        merchant = book.merchant[at]
        near = np.minimum(held[at] / self._least[merchant], 1.0)
        out[at] = self._recall[merchant] * exp(self._gradient[merchant] * log(near))
        return out

    # ------------------------------------------------------------------------------------------------- spending

    def appraise(self, view: View) -> Effects:
        """What holders save."""
        shown = view.exposures
        ours = self.on[shown.merchant] & (view.sessions.planned & ~view.gift_minded)[shown.session]
        at = ours.nonzero()[0]
        if not at.size:
            return EMPTY
        session, merchant, channel = shown.session[at], shown.merchant[at], shown.channel[at]
        alive = view.relation("points_until", session, merchant) >= view.clock.end
        held = view.relation("points", session, merchant).astype(np.int64)
        can = (alive & (held >= self._least[merchant])).nonzero()[0]
        at, session, merchant, channel, held = at[can], session[can], merchant[can], channel[can], held[can]
        local, event = self.world.local_merchant(merchant), view.sessions.event[session]
        pays = draws.chance("offers.points/spend", event, self._pays[merchant], local)
        inside = self._inside(view, session, merchant, channel).astype(np.int64)
        pays &= self._spent[inside, merchant] | (channel == view.channel("points"))
        most = np.minimum(shown.amount[at] * self._share[merchant] // BASIS, self._cap[merchant])
        points = np.minimum(held, most // self._worth[merchant]) * pays
        fx, some = Effects(), points.nonzero()[0]
        fx.discount(at[some], (points * self._worth[merchant])[some], "points")
        return fx

    def _inside(self, view: View, session: I64, merchant: Array, channel: Array) -> Bools:
        """From where a tap leads into the mini-program (see `channels.mini_program`)."""
        return leads_in(view.relation("flags", session, merchant), channel, view.channels)

    # ------------------------------------------------------------------------------------- orders come to an end

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx, rows = Effects(), rows.take(granted)
        if kind == "points_credit":
            self._announce(view, fx, rows)
        elif kind == "points_lapse":
            if view.clock.running:
                self._end(fx, rows)
        else:
            rows = rows.take(self.on[rows.merchant])
            promised, redeemed = (draws.child(rows.cause, of) for of in ("points_pending", "points_redeemed"))
            kept = np.full(rows.n, kind == "completion")
            back = self._back[rows.merchant] & (kind == "return")
            fx.close_subject(promised[~kept])
            fx.close_subject(redeemed[~back])
            _credit(view, fx, rows.take(kept).with_(detail=EARNED), promised[kept], 1)
            _credit(view, fx, rows.take(back).with_(detail=RETURNED), redeemed[back], 1)
        return fx

    def _announce(self, view: View, fx: Effects, rows: Records) -> None:
        """Tell people that points wait, and once more if they do not look."""
        fx.open_subject(rows.cause, rows.peer)
        event = draws.child(rows.event, "points_notice")
        fx.message("points_notice", rows.with_(event=event, peer=NOBODY, quantity=rows.peer))
        _credit(view, fx, rows, rows.cause, AGAIN)

    def _end(self, fx: Effects, rows: Records) -> None:
        """What was not touched in time lapses; the rest is looked at again."""
        over = rows.detail <= rows.time
        gone, rest = rows.take(over), rows.take(~over)
        gone = gone.with_(quantity=gone.peer, peer=NOBODY, detail=0, amount=gone.peer * self._worth[gone.merchant])
        _write(fx, "points_expired", gone)
        fx.open_subject(rest.cause, rest.peer)
        _watch(fx, rest.with_(peer=NOBODY))

    # ------------------------------------------------------------------------------------------- her own account

    def respond(self, view: View) -> Effects:
        """What was promised, and every change of a balance in this session."""
        if not view.clock.running:
            return EMPTY
        fx, book = Effects(), self._book(view)
        self._promise(view, fx)
        if not book.session.size:
            return fx
        changes = {
            "points_earned": self._found(view, fx, book, "points_earned", EARNED),
            "points_returned": self._found(view, fx, book, "points_returned", RETURNED),
            "points_sign_in": self._signed(view, book),
            "points_redeemed": self._redeemed(view, fx, book),
        }
        held, last = book.held.copy(), np.zeros(book.held.size, np.uint64)
        for kind, (at, rows) in changes.items():
            _write(fx, kind, rows)
            np.add.at(held, at, -rows.quantity if kind == "points_redeemed" else rows.quantity)
            last[at] = rows.event
        self._enter(view, fx, book, held, last)
        return fx

    def _promise(self, view: View, fx: Effects) -> None:
        """Points that orders and gifts of this tick will earn if they are kept."""
        for outcome in (view.outcome("order"), view.outcome("gift_order")):
            at = (outcome.granted & self.on[outcome.rows.merchant]).nonzero()[0]
            rows, session = outcome.rows.take(at), outcome.session[at]
            inside = self._inside(view, session, rows.merchant, rows.channel).astype(np.int64)
            member = ((view.relation("flags", session, rows.merchant) & MEMBER) != 0).astype(np.int64)
            more = self._windows.inside(view, rows.merchant, view.sessions.time[session]).astype(np.int64)
            points = rows.amount * self._earns[rows.merchant, more, member] // (MILLE * FEN_PER_YUAN)
            points = np.where(self._earned[inside, rows.merchant], np.minimum(points, MOST), 0)
            some = (points > 0).nonzero()[0]
            event = draws.child(rows.event[some], "points_pending")
            fx.event("points_pending", _of_order(rows.take(some), event, points[some], 0))
            fx.open_subject(event, points[some])

    def _found(self, view: View, fx: Effects, book: "_Book", kind: str, about: int) -> tuple[I64, Records]:
        """Points that waited for her: of orders that were kept, or given back for those that were not."""
        rows, at = self._notices(view, book)
        mine = (rows.detail == about).nonzero()[0]
        rows, at = rows.take(mine), at[mine]
        fx.close_subject(rows.cause)
        time, worth = view.sessions.time[book.session[at]], rows.quantity * self._worth[rows.merchant]
        return at, rows.with_(time=time, event=draws.child(rows.cause, kind), amount=worth, detail=0)

    def _notices(self, view: View, book: "_Book") -> tuple[Records, I64]:
        """Notices of points of merchants to whom she has a tie that lasts, and the account of each."""
        inbox = view.inbox("points_notice")
        at = book.find(inbox.session, inbox.rows.merchant)
        known = (at >= 0).nonzero()[0]
        known = known[book.lasting[at[known]]]
        return inbox.rows.take(known), at[known]

    def _signed(self, view: View, book: "_Book") -> tuple[I64, Records]:
        at, cause = self._sign_ins(view, book)
        merchant = book.merchant[at]
        points = self._sign_in[merchant]
        rows = view.rows(
            "points_sign_in", book.session[at], index=self.world.local_merchant(merchant), cause=cause,
            merchant=merchant, quantity=points, amount=points * self._worth[merchant],
        )  # fmt: skip
        return at, rows

    def _redeemed(self, view: View, fx: Effects, book: "_Book") -> tuple[I64, Records]:
        """Points that granted orders took; they come back if the order does."""
        outcome, off = view.outcome("order"), np.zeros(len(view.sessions), np.int64)
        off[view.exposures.session[view.chosen]] = view.exposures.off[view.chosen, LAYERS.index("points")]
        paid = (outcome.granted & self.on[outcome.rows.merchant] & (off[outcome.session] > 0)).nonzero()[0]
        rows, at = outcome.rows.take(paid), book.find(outcome.session[paid], outcome.rows.merchant[paid])
        rows, at = rows.take(at >= 0), at[at >= 0]
        off = off[book.session[at]]
        points = np.minimum(-(-off // self._worth[rows.merchant]), book.held[at])
        event = draws.child(rows.event, "points_redeemed")
        rows = _of_order(rows, event, points, off).take(points > 0)
        fx.open_subject(rows.event, rows.quantity)
        return at[points > 0], rows

    def _enter(self, view: View, fx: Effects, book: "_Book", held: I64, last: U64) -> None:
        """Change rows: balances, when they lapse, and how much they make her think of the merchant."""
        at = (held != book.points).nonzero()[0]
        fx.relate("set", "points", book.session[at], book.merchant[at], held[at])
        at = (last != 0).nonzero()[0]
        fx.close_subject(book.statement[at[book.held[at] > 0]])
        session, merchant, time = book.session[at], book.merchant[at], view.sessions.time[book.session[at]]
        until, event = self._until(view, time, merchant), draws.child(last[at], "points_balance")
        fx.relate("set", "points_until", session, merchant, until)
        fx.relate("set", "points_event", session, merchant, event)
        rows = Records(
            at.size, time=time, event=event, cause=last[at], user=view.sessions.user[session], merchant=merchant,
            quantity=held[at], detail=until,
        ).take(held[at] > 0)  # fmt: skip
        fx.event("points_balance", rows)
        fx.open_subject(rows.event, rows.quantity)
        _watch(fx, rows.with_(cause=rows.event))
        pull = self.pull(book, held).astype(np.float32)
        at = (pull != book.recall).nonzero()[0]
        fx.relate("set", "recall_points", book.session[at], book.merchant[at], pull[at])

    def _until(self, view: View, time: I64, merchant: I64) -> I64:
        """When balances that changed at these times lapse."""
        until: I64 = time + self._valid[merchant]
        yearly = self._yearly[merchant]
        if yearly.any():
            start, years = view.calendar.start, range(1, 3 + view.calendar.days // 365)
            turn = np.array([(date(start.year + year, 1, 1) - start).days * DAY for year in years], np.int64)
            until[yearly] = turn[np.searchsorted(turn, time[yearly], side="right")]
        return until

    def _book(self, view: View) -> "_Book":
        """The relations of this tick's sessions with merchants that give points."""
        at = self.on[view.relations("merchant")].nonzero()[0]
        session, merchant = view.related[at], view.relations("merchant")[at].astype(np.int64)
        pair = session * self.world.m + merchant
        order = np.argsort(pair, kind="stable")
        at, session, merchant = at[order], session[order], merchant[order]

        def own(name: str) -> Array:
            return view.relations(name)[at]

        points, until = own("points"), own("points_until")
        held = np.where(until >= view.clock.end, points, 0).astype(np.int64)
        last, recall, flags, planned = own("points_event"), own("recall_points"), own("flags"), view.sessions.planned
        return _Book(
            self.world.m, pair[order], session, merchant, points, held, until, last, recall, flags, own("orders"),
            lasting(own), planned[session],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Book:
    """Accounts: relations with merchants that give points, ordered by (session, merchant); shape (A,) each."""

    merchants: int
    pair: I64
    session: I64
    merchant: I64
    points: Array  # as the row has it
    held: I64  # of these, what outlasts the tick
    until: Array
    statement: U64  # the last one
    recall: Array
    flags: Array
    orders: Array
    lasting: Bools  # whether a tie keeps the relation from being forgotten in this tick
    planned: Bools

    def find(self, session: I64, merchant: Array) -> I64:
        """The account of each pair, -1 where there is none."""
        wanted = session * self.merchants + merchant
        at = np.searchsorted(self.pair, wanted)
        there = at < self.pair.size
        there[there] = self.pair[at[there]] == wanted[there]
        return np.where(there, at, -1)


def _earns(p: PointsParams) -> list[list[int]]:
    """Points in 1/1000 for a yuan paid, outside and inside the window, of others and of members."""
    by_time, by_person = (1.0, p.multiplier), (1.0, p.member_multiplier)
    return [[round(p.points_per_yuan * person * time * MILLE) for person in by_person] for time in by_time]


def _credit(view: View, fx: Effects, rows: Records, subject: U64, delay: int) -> None:
    """Ask that points of a subject be announced, while people still come; `detail` of a return is kept as 1."""
    if view.clock.running:
        event = draws.child(rows.event, "points_credit")
        fx.request("points_credit", rows.with_(time=rows.time + delay, event=event, cause=subject, peer=NOBODY))


def _watch(fx: Effects, rows: Records) -> None:
    """Look at balances when they lapse (`detail`), or after a while: a run need not wait for a year to end."""
    time = np.minimum(rows.detail, rows.time + AGAIN)
    fx.request("points_lapse", rows.with_(time=time, event=draws.child(rows.event, "points_lapse")))


def _of_order(rows: Records, event: U64, points: Array, amount: Array | int) -> Records:
    """What an order means in points: its own columns, and it as the cause."""
    return Records(
        rows.n, time=rows.time, event=event, cause=rows.event, user=rows.user, merchant=rows.merchant,
        product=rows.product, channel=rows.channel, quantity=points, amount=amount,
    )  # fmt: skip


def _write(fx: Effects, kind: str, rows: Records) -> None:
    """Write down a change of balances, and post it."""
    fx.event(kind, rows)
    source, target = MOVES[kind]
    owner = {name: getattr(rows, OWNER[name]) if name in OWNER else NOBODY for name in (source, target)}
    fx.post("points", Postings.move(rows, source, owner[source], target, owner[target], rows.quantity, rows.merchant))
