"""The mini-program (小程序): a shop of the merchant's own, in the user's list, one tap from paying.

It has no worth of its own; it works through three things.

*Reach.* It stands in the list of those who opened it once: buyers who keep it, readers of a friend's card that opens
it, people who scan its code. When such a user looks through her mini-programs she may step in and see the shelf.

*Path.* Where a tap leads into the mini-program, the steps to payment are its own instead of the store's: few for
those whom it knows (list or earlier order: address and login are there), more for newcomers, who must authorise it. A
tap leads there from its own pages, and for those who have it in their list from anywhere but the store's own cards.
The utility of a step is that of the store (columns `merchant.path_steps`, `merchant.step_cost`).

*Loading.* Whoever does not wait is gone. The chance to leave before the page has loaded is

    P(bounce) = bounce_at_1s · growth(loading_seconds),

with growth 1 at 1 s, 1.32 at 3 s, 1.90 at 5 s, 2.06 at 6 s and 2.23 at 10 s, linear in between and constant outside
(Google/SOASTA Research 2017, "Find out how you stack up to new industry benchmarks for mobile page speed": +32, 90,
106 and 123 %). It is drawn once per session and merchant; a faster program keeps everybody whom a slower one keeps.

*From outside.* Links outside WeChat (search ads, other apps) open it: each person comes upon them as a Poisson process
with `outside` a day, and follows the first of them in her next session, so that a day brings `outside` entries per
person, or little less. Such visitors have heard nothing of the merchant (`outside_appeal`), and each may cost something
(`outside_cost`, paid to media). Visitors of the service account's pages, and of the store's home page, may be led
into it too (`menu_entry`; note `home_mini` of `channels.home_page`).

The member centre enrols a share of the buyers who have it; members think of the merchant more easily
(`people.repurchase`).

The cart, subscribed notices and the lag behind the store's stock are `channels.cart`, `channels.template_messages` and
`operations.stock_sync`; pages that these show stand in it too (`sim.world.doors`).

It cannot: be found by WeChat's own search, or know a visitor from outside again.
"""

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.elementary import exp
from sim.kernels import segments
from sim.ledger.schema import Postings, Records
from sim.params import Params, param
from sim.units import DAY, I64, NOBODY, Array, Bools, fen
from sim.world.doors import in_mini, leads_in
from sim.world.shelf import front, shelf
from sim.world.state import MEMBER, MINI

_GROWTH_SECONDS = (1.0, 3.0, 5.0, 6.0, 10.0)
_GROWTH = (1.0, 1.32, 1.90, 2.06, 2.23)
USUAL_STEPS, STEP_COST = 5.0, 0.12  # of a merchant without a store: those of an ordinary one
GONE = 1e9  # utility lost by a page that did not load in time


class MiniProgramParams(Params):
    """How fast and how short the mini-program is, and how people come to have it."""

    needs = ("people.buy",)
    moot = {
        "menu_entry": "channels.service_account",
        "card_entry": "people.share | channels.promoters | offers.share_discount",
        "outside_appeal": "outside",
        "outside_cost": "outside",
    }
    lively = {"scan": (0.3, 0.0)}

    loading_seconds: float = param(2.0, "time until its page stands", unit="seconds", gt=0, le=60)
    bounce_at_1s: float = param(
        0.1, "share that leaves before a page that takes 1 s", unit="probability", ge=0, le=0.44
    )
    path_steps: int = param(3, "steps from a tap to payment for those whom it knows", unit="steps", ge=1, le=30)
    first_steps: int = param(6, "the same for newcomers", unit="steps", ge=1, le=30)
    menu_visit: float = param(
        0.1, "chance to step in when she looks through her mini-programs", unit="probability", ge=0, le=1
    )
    adoption: float = param(0.3, "buyers who keep it in their list", unit="probability", ge=0, le=1)
    card_entry: float = param(
        0.5, "friends' cards that open in it when their page is seen", unit="probability", ge=0, le=1
    )
    scan: float = param(
        0.0, "chance to scan its code on a package or in a shop, per session", unit="probability", ge=0, le=1
    )
    menu_entry: float = param(0.0, "pages of the service account that open in it", unit="probability", ge=0, le=1)
    outside: float = param(0.0, "visitors by a link from outside WeChat", unit="per person and day", ge=0, le=10)
    outside_appeal: float = param(-0.5, "utility added for them", unit="utility", ge=-10, le=10)
    outside_cost: float = param(0.0, "paid for each of them", unit="yuan", ge=0, le=10_000)
    window: int = param(4, "goods that a visitor sees first", unit="goods", ge=1, le=100)
    salience: float = param(
        1.0, "how much these catch her eye, for she stepped up to them", unit="utility", ge=-10, le=10
    )
    member: float = param(0.25, "buyers who have it and join its member centre", unit="probability", ge=0, le=1)


class MiniProgram(Mechanism):
    """Shows the shelf to those who have it, and shortens their way."""

    Params = MiniProgramParams
    clicks = {"mini_program": 0.3, "outside_link": 0.15}  # assumed
    kinds = {
        "mini_program_added": Kind(
            "a user has it in her list from now on", says="{user} keeps the mini-program of {merchant} in her list"
        ),
        "outside_entry": Kind(
            "came by a link from outside WeChat; amount: what it cost, fen",
            says="{user} follows a link from outside into the mini-program of {merchant}",
        ),
        "member_joined": Kind("a user joined the member centre", says="{user} joins the member centre of {merchant}"),
        "bounced": Kind(
            "she left before the page had loaded",
            detail=True,
            says="{user} does not wait until the page of {merchant} has loaded",
        ),
    }

    def prepare(self) -> None:
        self._bounce = self.per_merchant(bounce)
        self._known, self._first = self.per_merchant("path_steps"), self.per_merchant("first_steps")
        self._menu_visit = self.per_merchant("menu_visit")
        self._adoption, self._card_entry = self.per_merchant("adoption"), self.per_merchant("card_entry")
        self._scan, self._member = self.per_merchant("scan"), self.per_merchant("member")
        self._menu_entry = self.per_merchant("menu_entry")
        self._outside, self._outside_appeal = self.per_merchant("outside"), self.per_merchant("outside_appeal")
        self._outside_cost = self.per_merchant(lambda p: fen(p.outside_cost), 0, np.int64)
        self._window, self._salience = self.per_merchant("window", 1, np.int64), self.per_merchant("salience")
        self._shelf = shelf(self.world)
        self._linked = self._outside[: self.world.merchants].nonzero()[0]
        self._scanned = self._scan[: self.world.merchants].nonzero()[0]

    def expose(self, view: View) -> Effects:
        fx = Effects()
        if view.clock.running:
            for session, merchant in (self._visits(view), self._scans(view)):
                owner, product = front(self._shelf, view.shared("product", "sold"), merchant, self._window[merchant])
                session, salience = session[owner], self._salience[merchant[owner]]
                channel, cause = view.channel("mini_program"), view.sessions.event[session]
                fx.expose(channel, session, product, cause=cause, salience=salience)
            if self._linked.size:
                self._from_outside(view, fx)
        return fx

    def appraise(self, view: View) -> Effects:
        """The way to the till, and who does not wait for the page."""
        fx = Effects()
        at, known = self._inside(view, self.on[view.exposures.merchant].nonzero()[0])
        if at.size:
            merchant, session = view.exposures.merchant[at], view.exposures.session[at]
            shared = view.state["merchant"]
            usual = shared["path_steps"][merchant] if "path_steps" in shared else USUAL_STEPS
            cost = shared["step_cost"][merchant] if "step_cost" in shared else STEP_COST
            delta = np.zeros(len(view.exposures))
            delta[at] = cost * (usual - np.where(known, self._known[merchant], self._first[merchant]))
            delta[at[self._leaves(view, session, merchant)]] -= GONE
            fx.appeal(delta)
        return fx

    def respond(self, view: View) -> Effects:
        """Who did not wait, who has it from now on, and who becomes a member."""
        fx = Effects()
        viewed = (view.viewed & self.on[view.exposures.merchant]).nonzero()[0]
        buyers = self._buyers(view)
        led = self._led(view)
        if viewed.size == 0 and buyers.n == 0 and led.size == 0:
            return fx
        self._count_bounces(view, fx, viewed)
        entered = np.unique(np.concatenate((self._keepers(buyers), self._openers(view, viewed), led)))
        session, merchant = np.divmod(entered, self.world.m)
        new = (view.relation("flags", session, merchant) & MINI) == 0
        self._enrol(view, fx, "mini_program_added", MINI, session[new], merchant[new])
        self._members(view, fx, buyers, entered)
        return fx

    # --------------------------------------------------------------------------------------------------- who comes in

    def _visits(self, view: View) -> tuple[I64, Array]:
        """Sessions that look through their mini-programs and step in: (session, merchant)."""
        looks = view.scratch.get("surface_mini_programs")
        if looks is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        at = (((view.relations("flags") & MINI) != 0) & (looks & view.sessions.planned)[view.related]).nonzero()[0]
        session, merchant = view.related[at], view.relations("merchant")[at]
        event, local = view.sessions.event[session], self.world.local_merchant(merchant)
        steps_in = draws.chance("channels.mini_program/menu", event, self._menu_visit[merchant], local)
        return session[steps_in], merchant[steps_in]

    def _scans(self, view: View) -> tuple[I64, Array]:
        """Sessions that begin with scanning a code: one merchant each, in proportion to how often it is scanned."""
        local, event = self._scanned, view.sessions.event
        total = 0.0
        for rate in self._scan[local].tolist():
            total += rate
        if total == 0.0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        scans = draws.chance("channels.mini_program/scan", event, total) & view.sessions.planned
        session = scans.nonzero()[0]
        owner, number = np.repeat(session, local.size), np.tile(local, session.size)
        arrival = draws.exponential("channels.mini_program/code", event[owner], number) / self._scan[number]
        won = number[segments.argmax(owner, -arrival, number.astype(np.uint64))]
        return session, won + view.world.world_of(view.sessions.user[session]) * self.world.merchants

    def _from_outside(self, view: View, fx: Effects) -> None:
        """Links followed since the last session: what they show, and what they cost."""
        now, local = view.sessions, self._linked
        planned = now.planned.nonzero()[0]
        session = planned.repeat(local.size)
        days = (now.time - np.maximum(view.own("last_seen"), 0))[session] / float(DAY)
        number = np.tile(local, planned.size)
        comes = draws.chance(
            "channels.mini_program/outside", now.event[session], 1.0 - exp(-self._outside[number] * days), number
        )
        session, number = session[comes], number[comes]
        merchant = number + self.world.world_of(now.user[session]) * self.world.merchants
        cost, channel = self._outside_cost[merchant], view.channel("outside_link")
        rows = view.rows("outside_entry", session, index=number, merchant=merchant, channel=channel, amount=cost)
        fx.event("outside_entry", rows)
        fx.post("fen", Postings.move(rows, "cash", rows.merchant, "media", NOBODY, rows.amount))
        owner, product = front(self._shelf, view.shared("product", "sold"), merchant, self._window[merchant])
        appeal, salience = self._outside_appeal[merchant[owner]], self._salience[merchant[owner]]
        fx.expose(channel, session[owner], product, cause=rows.event[owner], appeal=appeal, salience=salience)

    def _led(self, view: View) -> I64:
        """Sessions that the store's home page leads into it: pairs session · m + merchant."""
        home = view.scratch.get("home_mini")
        if home is None:
            return np.zeros(0, np.int64)
        session = (home >= 0).nonzero()[0]
        session = session[self.on[home[session]]]
        out: I64 = session * self.world.m + home[session]
        return out

    def _buyers(self, view: View) -> Records:
        """What was bought in this tick, for oneself or as a gift; `detail` is the session."""
        parts = [view.outcomes[kind] for kind in ("order", "gift_order") if kind in view.outcomes]
        rows = Records.concat([part.rows.with_(detail=part.session).take(part.granted) for part in parts])
        return rows.take(self.on[rows.merchant])

    def _keepers(self, buyers: Records) -> I64:
        """Buyers who keep it in their list: pairs session · m + merchant."""
        keeps = draws.chance("channels.mini_program/adopt", buyers.event, self._adoption[buyers.merchant])
        out: I64 = buyers.detail[keeps] * self.world.m + buyers.merchant[keeps]
        return out

    def _openers(self, view: View, viewed: I64) -> I64:
        """Sessions that opened it, by its own entries, a friend's card or a menu: pairs session · m + merchant."""
        shown = view.exposures
        session, merchant = shown.session[viewed], shown.merchant[viewed]
        event, local = view.sessions.event[session], self.world.local_merchant(merchant)
        card = draws.chance("channels.mini_program/card", event, self._card_entry[merchant], local)
        enters = in_mini(shown.channel[viewed], view.channels) | ((shown.peer[viewed] >= 0) & card)
        if self._menu_entry.any():
            menu = draws.chance("channels.mini_program/account", event, self._menu_entry[merchant], local)
            enters |= menu & (shown.channel[viewed] == view.channel("service_account"))
        out: I64 = session[enters] * self.world.m + merchant[enters]
        return out

    # ------------------------------------------------------------------------------------------------- once they are in

    def _inside(self, view: View, at: I64) -> tuple[I64, Bools]:
        """Those of the exposures from which a tap leads into the mini-program, and whether it knows the user."""
        shown = view.exposures
        session, merchant, channel = shown.session[at], shown.merchant[at], shown.channel[at]
        flags = view.relation("flags", session, merchant)
        inside = leads_in(flags, channel, view.channels).nonzero()[0]
        known = ((flags[inside] & MINI) != 0) | (view.relation("orders", session[inside], merchant[inside]) > 0)
        return at[inside], known

    def _leaves(self, view: View, session: I64, merchant: Array) -> Bools:
        """Who does not wait: once per session and merchant."""
        event, local = view.sessions.event[session], self.world.local_merchant(merchant)
        return draws.chance("channels.mini_program/bounce", event, self._bounce[merchant], local)

    def _count_bounces(self, view: View, fx: Effects, viewed: I64) -> None:
        session, merchant = view.exposures.session[viewed], view.exposures.merchant[viewed]
        at, _ = self._inside(view, viewed[self._leaves(view, session, merchant)])
        pair = np.unique(view.exposures.session[at] * self.world.m + view.exposures.merchant[at])
        session, merchant = np.divmod(pair, self.world.m)
        self._write(view, fx, "bounced", session, merchant)

    def _members(self, view: View, fx: Effects, buyers: Records, entered: I64) -> None:
        """Buyers who have it (since now or before) and join the member centre."""
        if not buyers.n:
            return
        session, merchant = buyers.detail, buyers.merchant
        flags = view.relation("flags", session, merchant)
        has = ((flags & MINI) != 0) | np.isin(session * self.world.m + merchant, entered)
        joins = has & ((flags & MEMBER) == 0)
        joins &= draws.chance("channels.mini_program/member", buyers.event, self._member[merchant])
        self._enrol(view, fx, "member_joined", MEMBER, session[joins], merchant[joins])

    def _enrol(self, view: View, fx: Effects, kind: str, flag: int, session: I64, merchant: Array) -> None:
        fx.relate("or", "flags", session, merchant, flag)
        self._write(view, fx, kind, session, merchant)

    def _write(self, view: View, fx: Effects, kind: str, session: I64, merchant: Array) -> None:
        local = self.world.local_merchant(merchant)
        channel = view.channel("mini_program")
        fx.event(kind, view.rows(kind, session, index=local, merchant=merchant, channel=channel))


def bounce(p: MiniProgramParams) -> float:
    """Chance that a visitor leaves before the page has loaded."""
    return p.bounce_at_1s * _growth(p.loading_seconds)


def _growth(seconds: float) -> float:
    """Bounces relative to those at 1 s: linear between the points of the source."""
    points = list(zip(_GROWTH_SECONDS, _GROWTH, strict=True))
    if seconds <= points[0][0]:
        return points[0][1]
    for (low, at_low), (high, at_high) in zip(points, points[1:], strict=False):
        if seconds <= high:
            return at_low + (at_high - at_low) * (seconds - low) / (high - low)
    return points[-1][1]
