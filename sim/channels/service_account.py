"""The service account (服务号): broadcasts to fans, the folded box, templates, the menu, the prompt to follow.

*Broadcasts* go out on evenly spread days of each calendar month; the platform's rule caps them per month. A fan who
has not muted the account meets a broadcast in her first planned session after it, unless it is too old by then. It
is noticed for certain if it lies open, and with the platform's folding multiplier if messages are folded into one
box and she has not pinned the account. A noticed broadcast is opened with probability

    open_rate · (½ + quality) · (½ + loyalty),

so a middling fan of a middling account opens it with the open rate (facts: service_account). Both draws are
addressed by (broadcast, user). What is noticed counts towards her fatigue, opened or not; what is opened shows its
product and the cards of its article (`channels.articles`), and with some probability she goes on to the menu.

*Templates*: a fan opens the notice that her parcel has arrived far more often than a broadcast, and sees the menu.
*Welcome*: in her first session after following she gets an automatic reply. *Pinning*: a fan who is content with
what arrived may pin the account, which takes it out of the folded box.
*Prompt*: sessions that bought from the merchant, received its parcel or saw its goods, and do not follow it yet, are
asked to; the notes ``prompt_merchant`` and ``prompt_strength`` tell `people.follow`.

It cannot: segment its fans, test headlines, or be recommended to strangers (image posts, articles).
"""

from dataclasses import dataclass

import numpy as np

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.kernels import segments
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import DAY, F64, I64, NOBODY, U64, Array, Bools
from sim.world import feed, posts
from sim.world.shelf import front, shelf
from sim.world.state import FOLLOWS, MUTED, PINNED, Column

MOST_PER_MONTH = 62
SATISFACTION_UNIT = 1_000  # satisfaction travels in thousandths


class ServiceAccountParams(Params):
    """How an account is run."""

    needs = ("people.follow | channels.offline_qr | offers.lottery",)
    moot = {
        "hour": "broadcasts_per_month",
        "open_rate": "broadcasts_per_month",
        "quality": "broadcasts_per_month",
        "menu": "broadcasts_per_month",
        "content": "pin",
        "follow_prompt": "people.follow",
    }

    broadcasts_per_month: int = param(
        4, "broadcasts planned per month; the platform's cap applies", unit="per month",
        source="facts: service_account.broadcasts_per_month", ge=0, le=MOST_PER_MONTH,
    )  # fmt: skip
    hour: int = param(20, "hour at which they go out", unit="hour of the day", ge=0, le=23)
    open_rate: float = param(
        0.04, "share of noticed broadcasts that a middling fan opens", unit="probability",
        source="facts: service_account.open_rate_unfolded", ge=0, le=1,
    )  # fmt: skip
    quality: float = param(0.5, "quality of the writing, 0.5 is middling", unit="0..1", ge=0, le=1)
    menu: float = param(0.3, "chance to go on to the menu from an opened broadcast", unit="probability", ge=0, le=1)
    template_open: float = param(
        0.35, "chance that a fan opens a notice about her order", unit="probability",
        source="facts: service_account.subscribed_notice_open", ge=0, le=1,
    )  # fmt: skip
    welcome_open: float = param(
        0.3, "chance that a new fan follows the automatic reply", unit="probability", ge=0, le=1
    )
    pin: float = param(0.05, "chance that a fan content with a parcel pins the account", unit="probability", ge=0, le=1)
    content: float = param(0.7, "satisfaction from which a fan is content", unit="0..1", ge=0, le=1)
    follow_prompt: float = param(
        0.5, "how prominently buyers and visitors are asked to follow", unit="0..1", ge=0, le=1
    )
    after_buying: float = param(1.0, "how strongly having bought prompts to follow", unit="relative", ge=0, le=10)
    after_parcel: float = param(0.6, "the same of a parcel that arrived", unit="relative", ge=0, le=10)
    after_viewing: float = param(0.15, "the same of a page that was looked at", unit="relative", ge=0, le=10)
    lasts: float = param(7.0, "age from which a broadcast has scrolled away", unit="days", gt=0, le=14)
    menu_goods: int = param(3, "goods behind the menu that she looks at", unit="goods", ge=1, le=100)
    opened_salience: float = param(
        2.0, "how much what stands in a message that she opened catches the eye", unit="utility", ge=-10, le=10
    )
    menu_salience: float = param(1.5, "the same of what stands behind the menu", unit="utility", ge=-10, le=10)


class ServiceAccount(Mechanism):
    """Reaches fans, and asks others to become fans."""

    Params = ServiceAccountParams
    clicks = {"service_account": 0.35}  # assumed
    columns = (Column("slot", "welcomed", np.bool_, 0, "has had the automatic reply to following"),)
    kinds = {
        "broadcast": Kind(
            "a broadcast of the service account; detail: number in its month, from 0",
            stage="plain",
            says="{merchant} sends its fans a broadcast about {product}",
        ),
        "broadcast_refused": Kind(
            "a broadcast beyond the platform's monthly cap",
            says="{merchant} wants to send its fans a broadcast, but has reached the month's cap",
        ),
        "opened": Kind(
            "a fan opens a broadcast", detail=True, says="{user} opens the broadcast of {merchant} about {product}"
        ),
        "pinned": Kind("a fan pins the account", says="{user} pins the service account of {merchant}"),
    }
    settles = ("broadcast",)

    def prepare(self) -> None:
        self._open_rate = self.per_merchant("open_rate") * (0.5 + self.per_merchant("quality"))
        self._menu = self.per_merchant("menu")
        self._template_open = self.per_merchant("template_open")
        self._welcome_open = self.per_merchant("welcome_open")
        self._pin = self.per_merchant("pin")
        self._content = self.per_merchant("content")
        self._follow_prompt = self.per_merchant("follow_prompt")
        self._after = tuple(self.per_merchant(f"after_{what}") for what in ("viewing", "buying", "parcel"))
        self._lasts = self.per_merchant(lambda p: round(p.lasts * DAY), 0, np.int64)
        self._menu_goods = self.per_merchant("menu_goods", 1, np.int64)
        self._opened, self._behind = self.per_merchant("opened_salience"), self.per_merchant("menu_salience")
        self._shelf = shelf(self.world)

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        plans = []
        for merchant in self.on.nonzero()[0].tolist():
            p = self.p[merchant]
            day, number, month = posts.monthly(view.calendar.start, days, p.broadcasts_per_month)
            key = month * MOST_PER_MONTH + number
            plans.append(posts.plan(self.world, "broadcast", merchant, day, p.hour, number, key))
        return {"broadcast": Records.concat(plans)}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        rows = rows.with_(channel=view.channel("service_account"))
        allowed = rows.detail < view.rules["broadcasts_per_month_cap"]
        fx.event("broadcast", rows.take(allowed))
        fx.publish("broadcast", rows.take(allowed))
        fx.event("broadcast_refused", rows.take(~allowed))
        return fx

    def expose(self, view: View) -> Effects:
        fx = Effects()
        fan = _fans(view, self.on)
        if fan.session.size:
            self._broadcasts(view, fan, fx)
            self._welcome(view, fan, fx)
        self._templates(view, fx)
        return fx

    def checkout(self, view: View) -> Effects:
        """Ask one merchant's visitors per session to follow: where she bought, else received, else looked."""
        fx = Effects()
        session, merchant, strength = self._moments(view)
        flags = view.relation("flags", session, merchant)
        asked = (strength > 0.0) & ((flags & (FOLLOWS | MUTED)) == 0) & view.sessions.planned[session]
        session, merchant, strength = session[asked], merchant[asked], strength[asked]
        order = np.lexsort((merchant, -strength, session))
        order = order[segments.first(session[order])]
        who = np.full(len(view.sessions), NOBODY, np.int32)
        how = np.zeros(len(view.sessions))
        who[session[order]], how[session[order]] = merchant[order], strength[order]
        fx.note("prompt_merchant", who)
        fx.note("prompt_strength", how)
        return fx

    def respond(self, view: View) -> Effects:
        """Content fans pin the account, so that it is not folded."""
        fx = Effects()
        rows, session = self._parcels(view)
        if rows.n == 0:
            return fx
        content = rows.detail >= self._content[rows.merchant] * SATISFACTION_UNIT
        fan = (view.relation("flags", session, rows.merchant) & (FOLLOWS | MUTED | PINNED)) == FOLLOWS
        pins = draws.chance("channels.service_account/pin", rows.cause, self._pin[rows.merchant]) & content & fan
        pair = session[pins] * self.world.m + rows.merchant[pins]
        at = pins.nonzero()[0][np.unique(pair, return_index=True)[1]]
        session, rows = session[at], rows.take(at)
        fx.relate("or", "flags", session, rows.merchant, PINNED)
        local = self.world.local_merchant(rows.merchant)
        fx.event("pinned", view.rows("pinned", session, index=local, cause=rows.cause, merchant=rows.merchant))
        return fx

    # -------------------------------------------------------------------------------------------------- reaching fans

    def _broadcasts(self, view: View, fan: "_Fans", fx: Effects) -> None:
        """Broadcasts that fans find: noticed, perhaps opened, perhaps followed on to the menu."""
        sent, clock = view.content("broadcast"), view.clock
        oldest = clock.start - self._lasts
        if sent.n == 0 or sent.time[-1] < oldest.min():
            return
        last_seen = view.own("last_seen")[fan.session]
        who, post = posts.unseen(sent, fan.merchant, last_seen, clock.end - clock.start, oldest)
        if who.size == 0:
            return
        session, merchant, event = fan.session[who], fan.merchant[who], sent.event[post]
        reader = self.world.local_user(view.sessions.user[session])
        lies_open = 1.0 if not view.rules["folding"] else view.rules["folding_multiplier"]
        reach = np.where(fan.pinned[who], 1.0, lies_open)
        noticed = draws.chance("channels.service_account/notice", event, reach, reader)
        rate = self._open_rate[merchant] * (0.5 + fan.loyalty[who])
        opened = draws.chance("channels.service_account/open", event, rate, reader) & noticed
        self._note(view, fx, "notice", session[noticed], sent.take(post[noticed]))
        fx.relate("add", "notices", session[noticed], merchant[noticed], 1.0)
        session, found, reader = session[opened], sent.take(post[opened]), reader[opened]
        self._note(view, fx, "opened", session, found)
        channel = view.channel("service_account")
        fx.expose(channel, session, found.product, cause=found.event, salience=self._opened[found.merchant])
        self._read(view, fx, session, found.event)
        taps = draws.chance("channels.service_account/menu", found.event, self._menu[found.merchant], reader)
        self._show_menu(view, fx, session[taps], found.merchant[taps], found.event[taps])

    def _read(self, view: View, fx: Effects, session: I64, ids: U64) -> None:
        """What broadcasts open into: the cards of the article, if there is one; noted for who goes on from there."""
        if not ids.size:
            return
        fx.note("read_service_account", feed.by_session(len(view.sessions), session, ids))
        cards = view.content("article_card")
        if cards.n:
            owner, at = feed.under(cards, ids)
            channel = view.channel("articles")
            salience = self._opened[cards.merchant[at]]
            fx.expose(channel, session[owner], cards.product[at], cause=ids[owner], salience=salience)

    def _note(self, view: View, fx: Effects, kind: str, session: I64, found: Records) -> None:
        """Events of readers of broadcasts, children of the broadcast."""
        user = view.sessions.user[session]
        fx.event(
            kind,
            Records(
                session.size,
                time=view.sessions.time[session],
                event=draws.child(found.event, kind, self.world.local_user(user)),
                cause=found.event,
                user=user,
                merchant=found.merchant,
                product=found.product,
                channel=found.channel,
            ),
        )

    def _welcome(self, view: View, fan: "_Fans", fx: Effects) -> None:
        """The automatic reply that new fans find."""
        new = ~fan.welcomed
        session, merchant = fan.session[new], fan.merchant[new]
        if session.size == 0:
            return
        fx.relate("set", "welcomed", session, merchant, True)
        event, local = view.sessions.event[session], self.world.local_merchant(merchant)
        reads = draws.chance("channels.service_account/welcome", event, self._welcome_open[merchant], local)
        self._show_menu(view, fx, session[reads], merchant[reads], event[reads])

    def _templates(self, view: View, fx: Effects) -> None:
        """Notices of arrived parcels that fans open."""
        rows, session = self._parcels(view)
        if rows.n == 0:
            return
        fan = (view.relation("flags", session, rows.merchant) & (FOLLOWS | MUTED)) == FOLLOWS
        opens = draws.chance("channels.service_account/template", rows.cause, self._template_open[rows.merchant]) & fan
        self._show_menu(view, fx, session[opens], rows.merchant[opens], rows.cause[opens])

    def _show_menu(self, view: View, fx: Effects, session: I64, merchant: Array, cause: U64) -> None:
        owner, product = front(self._shelf, view.shared("product", "sold"), merchant, self._menu_goods[merchant])
        salience = self._behind[merchant[owner]]
        fx.expose(view.channel("service_account"), session[owner], product, cause=cause[owner], salience=salience)

    # ------------------------------------------------------------------------------------------------ asking to follow

    def _parcels(self, view: View) -> tuple[Records, I64]:
        """Notices of arrived parcels of merchants with an account, and the planned session that finds each."""
        inbox = view.inbox("parcel_arrived")
        at = (self.on[inbox.rows.merchant] & view.sessions.planned[inbox.session]).nonzero()[0]
        return inbox.rows.take(at), inbox.session[at]

    def _moments(self, view: View) -> tuple[I64, Array, F64]:
        """Moments at which an account asks to be followed: (session, merchant, strength)."""
        shown, (parcels, at) = view.exposures, self._parcels(view)
        viewed = (view.viewed & self.on[shown.merchant]).nonzero()[0]
        bought = view.chosen[self.on[shown.merchant[view.chosen]]]
        session = np.concatenate((shown.session[viewed], shown.session[bought], at))
        merchant = np.concatenate((shown.merchant[viewed], shown.merchant[bought], parcels.merchant))
        which = np.repeat(np.arange(len(self._after)), (viewed.size, bought.size, at.size))
        return session, merchant, np.choose(which, [of[merchant] for of in self._after]) * self._follow_prompt[merchant]


@dataclass(frozen=True, slots=True)
class _Fans:
    """Fans among this tick's planned sessions who have not muted the account; shape (F,) each."""

    session: I64
    merchant: Array
    pinned: Bools
    welcomed: Bools
    loyalty: Array


def _fans(view: View, on: Bools) -> _Fans:
    hears = (view.relations("flags") & (FOLLOWS | MUTED)) == FOLLOWS
    hears &= view.sessions.planned[view.related] & on[view.relations("merchant")]
    at = hears.nonzero()[0]
    merchant, flags, welcomed, loyalty = (
        view.relations(name)[at] for name in ("merchant", "flags", "welcomed", "loyalty")
    )
    return _Fans(view.related[at], merchant, (flags & PINNED) != 0, welcomed, loyalty)
