"""What a mechanism is: parameters, state it owns, kinds it declares, and one method per phase it takes part in.

A mechanism reads a `View` (nothing in it can be written) and returns `Effects`; the engine applies them. Leaves
never import each other: they meet in the shared columns, the kinds of records, and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sim import draws
from sim.errors import ContractError
from sim.ledger.schema import CURRENCIES, Postings, Records
from sim.params import Params as Params
from sim.params import param as param
from sim.units import F64, I32, I64, NOBODY, U64, Array, Bools
from sim.world.state import SLOTS, Column

if TYPE_CHECKING:
    from sim.world.calendar import Calendar
    from sim.world.relations import Relations
    from sim.world.world import World

PHASES = (
    "arrive",  # who opens WeChat, when, and with what in mind
    "deliver",  # their inbox: messages visible before this tick
    "expose",  # every channel proposes what they could notice
    "attend",  # each session keeps as much as its attention allows
    "appraise",  # price after offers, trust and effort of what is left
    "choose",  # click, then a discrete choice with an outside option
    "checkout",  # requests: stock, coupons, gifts
    "settle",  # requests and timers that fall due, each at its own second, first come first served
    "respond",  # what they do about the outcome: share, follow, mute
    "close",  # once a day: scores, content decay, counters
)
HOOKS = frozenset(PHASES) | {"plan", "agenda"}
LAYERS = ("price", "reduction", "coupon", "points")  # of what an offer takes off; see `Effects.discount`
STAGES = ("once", "stock", "coupon", "ticket", "plain", "last")  # order of settling within a tick; see `Kind`


# ------------------------------------------------------------------------------------------- declarations


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record that a mechanism declares.

    `stage` makes it a request kind: ``once`` and ``last`` are settled by "the first on a subject wins" (the subject
    is `cause`, opened by `Effects.open_subject`; if it was opened for somebody, who wins finds her in `peer`);
    ``stock`` takes `quantity` of `variant` (negative puts back);
    ``coupon`` takes from the pool of `merchant`; ``ticket`` counts up and always succeeds. ``plain`` needs no
    resource. `detail` kinds are always counted, and written only when the scenario records everything.

    `says` tells an event of this kind in a sentence (`wxsim trace`), with columns in braces. What stands in square
    brackets is left out if a column in it is empty; ``[one|other]`` then says the other. `{amount}` is told in yuan,
    `{detail}` as a number or ``{detail:yuan}``, ``{detail:when}`` (a second), ``{detail:span}`` (seconds),
    ``{detail:nth}`` (counted from 0). A person in whose life it is told is "she" where the sentence begins with her
    and "her" elsewhere. Kinds that are only requests or messages are never told and need none.

    A `feed` kind is published with its quality in `detail` and the heat of its topic in `quantity`, both in 1/1000.

    A message that people open WeChat for `wakes`. Who only wakes answers it and looks at nothing else: she finds no
    other message, the rest of her inbox and all posts since her last planned session (`last_seen`) wait for the next.
    """

    doc: str
    stage: str = ""  # one of STAGES, "plain", or "" for a kind that is only written
    detail: bool = False
    says: str = ""  # "{user} follows the service account of {merchant}"
    feed: bool = False  # content that strangers may be shown (`platform.recommender`)
    wakes: bool = False  # a message that a session finds even if it is not planned


# ------------------------------------------------------------------------------------------- what is read


@dataclass(slots=True)
class Sessions:
    """Who acts in this tick: at most one session per user, ordered by user. Shape (S,) each."""

    user: I32
    time: I64  # the second at which the session begins
    event: U64  # the session's id: child of (user key, day, tick of the day)
    planned: Bools  # False: only woken by a message (a gift); see `Kind`

    def __len__(self) -> int:
        return int(self.user.size)

    def blocks(self, size: int) -> "list[Sessions]":
        """The same sessions, at most `size` at a time."""
        if len(self) <= size:
            return [self] if len(self) else []
        cuts = [slice(first, first + size) for first in range(0, len(self), size)]
        return [Sessions(self.user[cut], self.time[cut], self.event[cut], self.planned[cut]) for cut in cuts]


@dataclass(slots=True)
class Inbox:
    """Messages that this tick's sessions find, one kind: rows, and the session (S) that reads each."""

    rows: Records
    session: I64


@dataclass(slots=True)
class Exposures:
    """What sessions could notice. Shape (E,) each, ordered by (session, product, channel)."""

    session: I64
    product: I32
    merchant: I32
    channel: Array
    cause: U64  # the message, post or session that brought it
    peer: I32  # the friend who recommended it, or -1
    appeal: F64  # utility added by the way it is shown
    salience: F64  # how much it catches the eye; decides what attention keeps
    quantity: I32  # pieces that she would order
    off: I64  # fen that offers take off the whole order, by layer, shape (E, LAYERS)
    amount: I64  # fen for the whole order, after offers

    @property
    def price(self) -> I64:
        """Fen for a piece, after offers; a fraction of a fen is dropped."""
        return self.amount // self.quantity

    def __len__(self) -> int:
        return int(self.session.size)

    @classmethod
    def none(cls) -> "Exposures":
        """No exposures."""
        i64, i32, f64 = np.int64, np.int32, np.float64
        types: tuple[Any, ...] = (i64, i32, i32, np.int16, np.uint64, i32, f64, f64, i32)
        columns: list[Any] = [np.zeros(0, dtype) for dtype in types]
        columns += [np.zeros((0, len(LAYERS)), i64), np.zeros(0, i64)]
        return cls(*columns)


@dataclass(slots=True)
class Outcome:
    """How this tick's own requests of one kind ended, for `respond`."""

    rows: Records
    granted: Bools
    session: I64


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the tick stands. Seconds are since the scenario's start (midnight, Beijing time)."""

    tick: int
    start: int  # first second of the tick
    end: int  # first second after it
    day: int  # days since the start
    hour: int  # hour of the day at `start`
    running: bool  # False after the horizon, while open gifts and parcels come to their end


class View:
    """All that a mechanism may read. Arrays are read-only; shared columns are as they stood when the tick began."""

    def __init__(
        self,
        world: "World",
        calendar: "Calendar",
        state: Mapping[str, Mapping[str, Array]],
        relations: "Relations",
        channels: Mapping[str, int],
    ) -> None:
        self.world = world
        self.calendar = calendar
        self.state = state
        self._kept = relations
        self.channels = channels
        self.clicks: Mapping[str, float] = {}  # share of noticed pages that are opened, by channel, as it says itself
        self.feeds: tuple[str, ...] = ()  # kinds of content that may be shown to strangers
        self.rules: Mapping[str, Any] = {}
        self.clock = Clock(0, 0, 0, 0, 0, True)
        self.contents: dict[str, Records] = {}
        self.reset_tick()

    def reset_tick(self) -> None:
        """Forget the last tick; what is shared stays."""
        none = np.zeros(0, np.int64)
        empty = none.astype(np.int32), none, none.astype(np.uint64), none.astype(np.bool_)
        self.sessions = Sessions(*empty)
        self.scratch: dict[str, Array] = {}
        self.forget_relations()
        self.inboxes: dict[str, Inbox] = {}
        self.exposures = Exposures.none()
        self.viewed: Bools = none.astype(np.bool_)
        self.chosen: I64 = none
        self.hesitant: Sequence[I64] = ()  # exposures that would be put off if they were chosen
        self.put_off: I64 = none  # exposures that were chosen, but put off
        self.outcomes: dict[str, Outcome] = {}

    def apart(self, sessions: Sessions) -> "View":
        """A view of the same moment for these sessions alone."""
        other = copy(self)
        other.reset_tick()
        other.sessions = sessions
        return other

    # the acting users' own rows -------------------------------------------------------------------------------

    def own(self, column: str) -> Array:
        """A `user` column of the acting users, shape (S,)."""
        out: Array = self.state["user"][column][self.sessions.user]
        return out

    def person(self, trait: str) -> Array:
        """A fixed trait of the acting users (see `sim.world.people.TRAITS`), shape (S,) or (S, categories)."""
        return self.world.people[trait].take(self.sessions.user, axis=0)

    @property
    def gift_minded(self) -> Bools:
        """Sessions with a friend in mind to whom they want to give (note `gift_peer` of `people.gift`), shape (S,)."""
        peer = self.scratch.get("gift_peer")
        return np.zeros(len(self.sessions), np.bool_) if peer is None else np.asarray(peer >= 0)

    @property
    def related(self) -> I64:
        """The session of each relation that the acting users have, ordered by (session, slot), shape (T,)."""
        return self._of_sessions()[0]

    def relations(self, column: str) -> Array:
        """A `slot` column of all relations that the acting users have, in the order of `related`, shape (T,)."""
        out: Array | None = self._read.get(column)
        if out is None:
            self._read[column] = out = self._kept.read(column, self._of_sessions()[1])
        return out

    @property
    def relation_columns(self) -> tuple[str, ...]:
        """The `slot` columns that there are."""
        return tuple(self._kept.columns)

    def relation(self, column: str, session: I64, merchant: Array, default: float = 0) -> Array:
        """A `slot` column for pairs (session, merchant); `default` where the user has no relation with it."""
        place = self._kept.find(self.sessions.user[session], merchant)
        out = self._kept.read(column, place)  # of -1 the last place, put right at once
        out[place < 0] = default
        return out

    def has_room(self, session: I64, merchant: Array, beside: Array | int = 0) -> Bools:
        """Whether each session's user knows the merchant already or can remember one more, `beside` so many others."""
        kept = np.bincount(self.related, minlength=len(self.sessions))[session] + beside
        out: Bools = (self.relation("merchant", session, merchant, NOBODY) >= 0) | (kept < SLOTS)
        return out

    def followed(self, flag: int) -> tuple[I64, Array]:
        """Pairs (session, merchant) whose relation carries the flag, ordered by (session, merchant)."""
        at = (self.relations("flags") & flag).nonzero()[0]
        session, merchant = self.related[at], self.relations("merchant")[at]
        order = np.lexsort((merchant, session))
        return session[order], merchant[order]

    def forget_relations(self) -> None:
        """Look at relations anew: they have changed."""
        self._places: tuple[I64, I64] | None = None
        self._read: dict[str, Array] = {}

    def _of_sessions(self) -> tuple[I64, I64]:
        """The session and the place of each relation of the acting users."""
        if self._places is None:
            self._places = self._kept.of(self.sessions.user)
        return self._places

    @property
    def keys(self) -> U64:
        """Keys of the acting users: addresses of what is theirs for life, shape (S,)."""
        out: U64 = self.world.user_key[self.sessions.user]
        return out

    # everything shared ----------------------------------------------------------------------------------------

    def shared(self, table: str, column: str) -> Array:
        """A whole column of a shared table (merchant, product, variant) as it stood when the tick began."""
        return self.state[table][column]

    def content(self, kind: str) -> Records:
        """Posts of a kind published before this tick and still kept, ordered by (time, event)."""
        return self.contents.get(kind) or Records(0)

    def inbox(self, kind: str) -> Inbox:
        """Messages of a kind that this tick's sessions find."""
        return self.inboxes.get(kind) or Inbox(Records(0), np.zeros(0, np.int64))

    def outcome(self, kind: str) -> Outcome:
        """How this tick's own requests of a kind ended (in `respond`)."""
        return self.outcomes.get(kind) or Outcome(Records(0), np.zeros(0, np.bool_), np.zeros(0, np.int64))

    def ways(self, product: Array, channel: Array) -> U64:
        """The natural index of each way to meet a product: the product's number and the channel's name."""
        out: U64 = _channel_keys(tuple(self.channels.items()))[channel] + self.world.product_number(product).astype(
            np.uint64
        )
        return out

    def channel(self, name: str) -> int:
        """The code of a channel by its file name."""
        return self.channels[name]

    # the little that every mechanism does ---------------------------------------------------------------------

    def rows(self, kind: str, session: I64, *, index: object = 0, cause: object = None, **columns: Any) -> Records:
        """Records by the acting users: ids are children of their session under (kind, index).

        `index` must be a natural key that is unique within (session, kind): which product, which friend.
        """
        if not session.size:
            return Records(0)
        parent = self.sessions.event[session]
        return Records(
            session.size,
            **{
                "time": self.sessions.time[session],
                "user": self.sessions.user[session],
                "event": draws.child(parent, kind, index),
                "cause": parent if cause is None else cause,
                **columns,
            },
        )


@cache
def _channel_keys(codes: tuple[tuple[str, int], ...]) -> U64:
    """Words for the names of channels, by code."""
    out = np.zeros(1 + max(code for _, code in codes), np.uint64)
    for name, code in codes:
        out[code] = draws.purpose("channel/" + name)
    return out


# ------------------------------------------------------------------------------------------- what is returned


def spread(value: Any, n: int) -> Array:
    """A value for each of n rows: one number for all, or an array of n as it is."""
    if isinstance(value, np.ndarray) and value.shape == (n,):
        return value
    return np.full(n, value)


class Effects:
    """What a mechanism wants to happen. It only collects; the engine checks and applies.

    A list that nobody asked for is the empty tuple of the class, so that an idle mechanism costs nothing.
    """

    events: Sequence[tuple[str, Records]] = ()
    messages: Sequence[tuple[str, Records]] = ()
    requests: Sequence[tuple[str, Records]] = ()
    publications: Sequence[tuple[str, Records]] = ()
    posts: Sequence[tuple[str, Postings]] = ()
    wakes: Sequence[Records] = ()
    changes: Sequence[tuple[str, str, I64, Array]] = ()
    relations: Sequence[tuple[str, str, I64, Array, Array]] = ()
    tallies: Sequence[tuple[str, str, Array, Array]] = ()
    sets: Sequence[tuple[str, str, Array]] = ()
    scratch: Sequence[tuple[str, Array]] = ()
    exposures: Sequence[dict[str, Any]] = ()
    appeals: Sequence[F64] = ()
    discounts: Sequence[tuple[I64, Array, str]] = ()
    bundles: Sequence[tuple[I64, Array]] = ()
    reductions: Sequence[tuple[I64, Array, Array]] = ()
    top_ups: Sequence[tuple[I64, Array, Array]] = ()
    put_offs: Sequence[I64] = ()
    opens: Sequence[tuple[U64, Array]] = ()
    closes: Sequence[U64] = ()
    kept: Bools | None = None
    chosen: I64 | None = None
    viewed: Bools | None = None

    def _add(self, what: str, entry: object) -> None:
        self.__dict__.setdefault(what, []).append(entry)

    def __bool__(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.__dict__)

    # for the ledger, for others, for later
    def event(self, kind: str, rows: Records) -> None:
        """Write it down (and count it by day, merchant and channel)."""
        if rows.n:
            self._add("events", (kind, rows))

    def message(self, kind: str, rows: Records) -> None:
        """To `rows.user`, from `rows.peer`; seen in a session of a later tick, if not scrolled away before."""
        if rows.n:
            self._add("messages", (kind, rows))

    def wake(self, rows: Records) -> None:
        """`rows.user` will open WeChat at `rows.time` (a later tick) because of `rows.cause`."""
        if rows.n:
            self._add("wakes", rows)

    def request(self, kind: str, rows: Records) -> None:
        """To be settled at `rows.time`: in this tick at a later stage, or in any later tick (then it is a timer)."""
        if rows.n:
            self._add("requests", (kind, rows))

    def publish(self, kind: str, rows: Records) -> None:
        """Public content, readable by all from the next tick."""
        if rows.n:
            self._add("publications", (kind, rows))

    def post(self, currency: str, postings: Postings) -> None:
        """Move fen, stock, coupons or points (double entry)."""
        if currency not in CURRENCIES:
            raise ContractError(f"unknown currency {currency!r}; one of {', '.join(CURRENCIES)}")
        if postings.n:
            self._add("posts", (currency, postings))

    def open_subject(self, subject: U64, holder: Any = NOBODY) -> None:
        """Open subjects for "the first wins" (an unclaimed gift, an unused coupon, a commission).

        A `holder` is a user whom the request that wins the subject finds in its `peer`; or any other number, not
        negative, that whoever opens a subject leaves there for whoever wins it.
        """
        if subject.size:
            self._add("opens", (subject, spread(holder, subject.size)))

    def close_subject(self, subject: U64) -> None:
        """Close subjects, so that later requests on them are refused."""
        if subject.size:
            self._add("closes", subject)

    # the acting user's own row
    def set(self, column: str, session: I64, value: Any) -> None:
        """Set a `user` column of the sessions' users (each session at most once)."""
        if session.size:
            self._add("changes", ("set", column, session, spread(value, session.size)))

    def add(self, column: str, session: I64, value: Any) -> None:
        """Add to a `user` column."""
        if session.size:
            self._add("changes", ("add", column, session, spread(value, session.size)))

    def relate(self, op: str, column: str, session: I64, merchant: Array, value: Any) -> None:
        """Change a `slot` column of (session, merchant): op is set, add, or (flags on) or clear (flags off).

        A relation that is not there yet is begun, if the user has a slot to spare; `clear` never begins one.
        """
        if session.size:
            self._add("relations", (op, column, session, spread(merchant, session.size), spread(value, session.size)))

    def note(self, name: str, values: Array) -> None:
        """Leave a note for later phases of this tick, an entry or a row per session; read as `view.scratch[name]`."""
        self._add("scratch", (name, values))

    # shared columns
    def tally(self, table: str, column: str, index: Array, amount: Any = 1) -> None:
        """Add integers to a shared column (order-free); visible from the next tick."""
        if np.size(index):
            self._add("tallies", (table, column, np.asarray(index), np.asarray(amount)))

    def put(self, table: str, column: str, values: Array) -> None:
        """Replace a whole shared column that this mechanism owns (only in `close`)."""
        self._add("sets", (table, column, values))

    # the shop window
    def expose(
        self,
        channel: int,
        session: I64,
        product: Array,
        *,
        cause: Any,
        appeal: Any = 0.0,
        salience: Any = 0.0,
        peer: Any = NOBODY,
    ) -> None:
        """Propose products to sessions; equal (session, product, channel) are one exposure, the most salient."""
        if session.size:
            self._add(
                "exposures",
                {
                    "channel": channel,
                    "session": session,
                    "product": product,
                    "cause": cause,
                    "appeal": appeal,
                    "salience": salience,
                    "peer": peer,
                },
            )

    def keep(self, mask: Bools) -> None:
        """Which exposures get attention (only `people.browse`)."""
        self.kept = mask

    def appeal(self, delta: F64) -> None:
        """Add to the utility of every attended exposure, shape (E,)."""
        self._add("appeals", delta)

    def discount(self, exposure: I64, off: Array, layer: str = "price") -> None:
        """Take `off` fen from these exposures: from every piece in the layer ``price``, else from the whole order.

        In a layer the largest counts. Layers add up as far as the merchant lets them (`merchant.stacking`): those that
        it does not let stand alone against the sum of the others, and the best for the buyer counts. What was granted
        stands in `Exposures.off`.
        """
        if layer not in LAYERS:
            raise ContractError(f"unknown layer {layer!r} of offers; one of {', '.join(LAYERS)}")
        if exposure.size:
            self._add("discounts", (exposure, np.asarray(off), layer))

    def bundle(self, exposure: I64, quantity: Any) -> None:
        """Let these exposures stand for orders of so many pieces (one by default; of several the most)."""
        if exposure.size:
            self._add("bundles", (exposure, spread(quantity, exposure.size)))

    def reduce(self, exposure: I64, above: Any, off: Any) -> None:
        """Take `off` fen from orders that come to `above` fen or more, in the layer ``reduction`` (满减).

        An order's sum is that of all its pieces after the layer ``price``, if the merchant lets the two add up.
        """
        if exposure.size:
            self._add("reductions", (exposure, spread(above, exposure.size), spread(off, exposure.size)))

    def top_up(self, exposure: I64, above: Any, gap: Any) -> None:
        """Let orders that come to less than `above` fen (the sum of `reduce`), by at most `gap` fen, grow to reach it.

        Pieces are added; like a bundle it is not for sessions that look for a gift.
        """
        if exposure.size:
            self._add("top_ups", (exposure, spread(above, exposure.size), spread(gap, exposure.size)))

    def put_off(self, exposure: I64) -> None:
        """Should one of these be chosen, she does not order it now; `View.put_off` tells from `checkout` on."""
        if exposure.size:
            self._add("put_offs", exposure)

    def choose(self, exposure: I64, viewed: Bools) -> None:
        """The exposures that are bought (at most one per session) and those whose page was seen (only `people.buy`)."""
        self.chosen = exposure
        self.viewed = viewed


# ------------------------------------------------------------------------------------------- the mechanism


class Mechanism:
    """Base of all mechanisms. A leaf gives `Params`, what it declares, and methods named as the phases.

    Phase methods take the view and return effects: ``def expose(self, view: View) -> Effects``. Besides the phases:
    ``plan(view, day) -> Records`` (only `people.browse`: who opens WeChat on a day), ``agenda(view, days) -> dict of
    kind -> Records`` (dated doings of the few: broadcasts, campaigns) and ``settle(view, kind, rows, granted)`` for
    every kind named in `settles` (its own or another's), called with rows in (time, event id) order.
    """

    Params: ClassVar[type[Params]] = Params
    columns: ClassVar[tuple[Column, ...]] = ()
    kinds: ClassVar[Mapping[str, Kind]] = {}
    settles: ClassVar[tuple[str, ...]] = ()
    clicks: ClassVar[Mapping[str, float]] = {}  # channels it shows things on: share of noticed pages that are opened

    folder: str = ""  # set by the catalogue
    name: str = ""

    def __init__(self, params: Any, on: Bools, world: "World") -> None:
        """`params` is one frozen model, or for a merchant's mechanism one per merchant (None where it is off).

        `on` has one entry per merchant of the (stacked) world: all True for `people` and `platform`.
        """
        self.p = params
        self.on = on
        self.world = world
        self.prepare()

    def prepare(self) -> None:
        """Compile parameters to arrays, once."""

    def initial(self) -> Mapping[tuple[str, str], Array]:
        """Opening values of shared columns, by (table, column), where the column's default is not it."""
        return {}

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        """What follows from requests of a kind named in `settles`; rows in (time, event id) order."""
        return Effects()

    def per_merchant(self, field: str | Callable[[Any], Any], default: Any = 0.0, dtype: Any = np.float64) -> Array:
        """A merchant's mechanism's parameter as an array over merchants; `default` (of its shape) where it is off."""
        read = field if callable(field) else lambda p: getattr(p, field)
        return np.array([default if p is None else read(p) for p in self.p], dtype)


PER_MERCHANT = frozenset({"channels", "offers", "operations"})
EMPTY = Effects()  # what an idle mechanism returns
