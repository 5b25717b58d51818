"""The array engine: one tick is the phases in order, each a batch over the sessions and requests of that tick."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol

import numpy as np

from sim import draws
from sim.contract import PHASES, Clock, Effects, Inbox, Outcome, Sessions, View
from sim.engine import apply
from sim.engine.books import Books
from sim.engine.clock import TickClock
from sim.engine.crew import Crew
from sim.engine.settle import Desk, Subjects
from sim.errors import ContractError
from sim.kernels import queue, segments
from sim.kernels.inbox import Mailbox
from sim.kernels.timers import Timers
from sim.ledger.schema import Postings, Records
from sim.units import DAY, I32, U64, Array, Bools
from sim.world.calendar import Calendar
from sim.world.relations import Relations
from sim.world.state import State, allocate
from sim.world.world import World

INBOX_CAPACITY = 12  # messages that a user still scrolls through (assumed)
PATIENCE = 7 * DAY  # older ones are not read any more (assumed)
BLOCK = 1 << 15  # sessions that act together: what they need then stays near the processor
WORTH_A_THREAD = 12_000  # sessions under which a second thread waits more than it works
CONTENT_DAYS = 14  # posts older than this are not shown any more (assumed)
_NO_IDS: U64 = np.zeros(0, np.uint64)
BEFORE_SETTLING = PHASES[: PHASES.index("settle")]


Act = Callable[[View], list[Effects]]


class Recorder(Protocol):
    """Where the engine writes what happened; `sim.ledger.writer.LedgerWriter` is one."""

    def events(self, kind: str, rows: Records, tick: int, written: Array | None = None) -> None:
        """Count events of one kind, and write them down; of details only where `written`, or all if it records all."""

    def postings(self, currency: str, rows: Postings, tick: int) -> None:
        """Write moves of one currency down."""


class Engine:
    """State of a run and the rules that move it, tick by tick."""

    def __init__(
        self,
        crew: Crew,
        world: World,
        calendar: Calendar,
        channels: tuple[str, ...],
        tick_seconds: int,
        days: int,
        recorder: Recorder,
        block: int = BLOCK,
        threads: int = 1,
    ) -> None:
        """`block` sessions act together, `threads` blocks at a time: for speed alone, the ledger is always the same."""
        self.crew, self.world, self.calendar, self.recorder = crew, world, calendar, recorder
        self.tick_seconds, self.days, self.block, self.threads = tick_seconds, days, block, threads
        self._each: Callable[[Act, Iterable[View]], Iterable[list[Effects]]] = map
        columns = crew.columns()
        opening = crew.initial()
        self.state: State = allocate(world, columns, opening)
        known = {name: values for (table, name), values in opening.items() if table == "slot"}
        self.relations = Relations(world.n, columns, known)
        self._shown = {t: {c: a.copy() for c, a in self.state[t].items()} for t in ("merchant", "product", "variant")}
        own = {"user": {c: _read_only(a) for c, a in self.state["user"].items()}}
        shown = {t: {c: _read_only(a) for c, a in table.items()} for t, table in self._shown.items()}
        self.view = View(world, calendar, own | shown, self.relations, {name: i for i, name in enumerate(channels)})
        self.view.clicks, self.view.feeds = crew.clicks, crew.feeds
        self._timers: Timers[Records] = Timers(tick_seconds, Records.concat)
        self._mail: Mailbox[Records] = Mailbox(world.n, INBOX_CAPACITY, PATIENCE, Records)
        self._wakes = tuple(name for name, kind in crew.kinds.items() if kind.wakes)
        self._subjects = Subjects()
        self._users: I32 = np.zeros(0, np.int32)  # who acts in this tick, in order
        self._outcomes: dict[str, Outcome] = {}  # how their requests ended
        self.books = Books(world)
        self._content: dict[str, list[Records]] = {}
        self._shared_changed = True
        self._content_changed: set[str] = set()
        self._desk = Desk(crew.kinds)
        self._posted: dict[str, list[Postings]] = {}
        self._written: list[tuple[str, Records]] = []
        self._rules_of = _rules(crew)
        self.follow: Callable[[str, Records], None] = self.hand  # the clock takes errands of the few, if there is one

    # ---------------------------------------------------------------------------------------------- driven by the clock

    def run(self, longest: int, told: Callable[[], None] = lambda: None) -> None:
        """Run from the first tick until everything open has come to its end, at most `longest` ticks."""
        clock = TickClock(self, self.tick_seconds, self.days * DAY // self.tick_seconds, longest)
        self.follow = clock.follow
        for kind, rows in self.agendas().items():
            clock.follow(kind, rows)
        with ThreadPoolExecutor(self.threads) as pool:  # nothing is started before something is asked of it
            self._each = pool.map if self.threads > 1 else map
            clock.run(told)

    def agendas(self) -> dict[str, Records]:
        """Dated doings of the few, by kind, over the horizon."""
        self._set_clock(0)
        out: dict[str, list[Records]] = {}
        for hook in self.crew.hooks("agenda"):
            for kind, rows in hook(self.view, self.days).items():
                out.setdefault(kind, []).append(rows)
        return {kind: Records.concat(parts) for kind, parts in out.items()}

    def hand(self, kind: str, rows: Records) -> None:
        """Take requests of the few, each due at its own second."""
        self._timers.add(kind, rows)

    def idle(self) -> bool:
        """Whether nothing is left to come to its end."""
        return self._timers.pending() == 0

    def advance(self, tick: int) -> None:
        """Handle one tick: everything that happens in its window."""
        view = self.view
        self._begin(tick)
        clock = view.clock
        if clock.running and clock.start % DAY == 0:
            self._plan(clock.day)
        sessions = self._arrivals(self._timers.take(tick, "plan"), self._timers.take(tick, "wake"))
        due = self._timers.due(tick)
        for kind, rows in due.items():
            self._desk.put(kind, rows, own=False)
        self._shared_changed |= bool(due)  # a timer takes and puts back, as a request of a session does
        size = min(self.block, max(-(-len(sessions) // self.threads), WORTH_A_THREAD))
        views = [view.apart(block) for block in sessions.blocks(size)]
        self._deliver(views)
        for acted in self._each(self._act, views):
            self._take(acted, own=True)
        self._users = sessions.user
        self._desk.settle(self.state, self._subjects, self._serve)
        for number, apart in enumerate(views):
            apart.outcomes = self._outcomes_of(number * size, len(apart.sessions))
        for responded in self._each(self._respond, views):
            self._take(responded)
        self._outcomes.clear()
        if clock.end % DAY == 0:
            self._end_day(clock)
        self._write(tick, sessions)

    # ---------------------------------------------------------------------------------------------- a tick

    def _set_clock(self, tick: int) -> None:
        start = tick * self.tick_seconds
        day, second = divmod(start, DAY)
        running = day < self.days
        self.view.clock = Clock(tick, start, start + self.tick_seconds, day, second // 3600, running)
        if second == 0 or not self.view.rules:
            self.view.rules = self._rules_of(self.calendar.start + timedelta(days=day))

    def _begin(self, tick: int) -> None:
        """Show what is shared as it stands now."""
        self.view.reset_tick()
        self._desk.open()
        self._set_clock(tick)
        if self._shared_changed:
            for table, columns in self._shown.items():
                for name, shown in columns.items():
                    np.copyto(shown, self.state[table][name])
            self._shared_changed = False
        for kind in self._content_changed:
            rows = Records.concat(self._content[kind])
            self.view.contents[kind] = rows.take(rows.order())
        self._content_changed.clear()

    def _plan(self, day: int) -> None:
        for hook in self.crew.hooks("plan"):
            self._timers.add("plan", hook(self.view, day))

    def _arrivals(self, planned: Records, woken: Records) -> Sessions:
        """At most one session per user: planned, woken by a message, or both; the earlier second counts."""
        rows = Records.concat((planned, woken))
        user, time, is_planned = rows.user, rows.time, np.arange(rows.n) < planned.n
        if woken.n:
            order = np.argsort(user.astype(np.int64) << 32 | time - self.view.clock.start, kind="stable")
            user, time, is_planned = user[order], time[order], is_planned[order]
            first = segments.starts(user)
            user, time, is_planned = user[first], time[first], np.logical_or.reduceat(is_planned, first)
        return Sessions(user, time, draws.child(self.world.user_key[user], "visit", self.view.clock.tick), is_planned)

    def _deliver(self, views: Iterable[View]) -> None:
        """Give each session the messages that it finds."""
        for view in views:
            now = view.sessions
            mail, dropped = self._mail.collect(now.user, view.clock.start, now.time, ~now.planned, self._wakes)
            view.inboxes = {kind: Inbox(rows, session) for kind, (rows, session) in mail.items()}
            self._record("message_dropped", dropped)

    def _act(self, view: View) -> list[Effects]:
        """What the sessions in view do until their requests are settled; changes nothing but their own rows."""
        acted = []
        for phase in BEFORE_SETTLING:
            if phase in ("attend", "appraise", "choose") and not len(view.exposures):
                continue
            effects = self._ask(phase, view)
            if phase == "expose":
                view.exposures = apply.assemble(effects, self.world.product)
                view.viewed = np.zeros(len(view.exposures), np.bool_)
            for one in effects:
                if one.kept is not None:
                    view.exposures = apply.select(view.exposures, one.kept)
                    view.viewed = np.zeros(len(view.exposures), np.bool_)
                if one.chosen is not None and one.viewed is not None:
                    view.chosen, view.viewed = one.chosen, one.viewed
                    if view.hesitant:
                        later = np.isin(view.chosen, np.concatenate(view.hesitant))
                        view.chosen, view.put_off = view.chosen[~later], view.chosen[later]
            if phase == "appraise":
                view.hesitant = [rows for one in effects for rows in one.put_offs]
                apply.appraise(view.exposures, effects, view.shared("merchant", "stacking"))
            self._change(view, effects)
            acted += effects
        return acted

    def _respond(self, view: View) -> list[Effects]:
        """What the sessions in view do about the outcome; changes nothing but their own rows."""
        effects = self._ask("respond", view)
        self._change(view, effects)
        now = view.sessions
        self.state["user"]["last_seen"][now.user[now.planned]] = now.time[now.planned]
        return effects

    def _ask(self, phase: str, view: View) -> list[Effects]:
        return [effects for hook in self.crew.hooks(phase) if (effects := hook(view))]

    def _outcomes_of(self, first: int, count: int) -> dict[str, Outcome]:
        """How the requests of a block of sessions ended."""
        if count == self._users.size:
            return self._outcomes.copy()
        found = {}
        for kind, outcome in self._outcomes.items():
            of = outcome.session - first
            at = ((of >= 0) & (of < count)).nonzero()[0]
            found[kind] = Outcome(outcome.rows.take(at), outcome.granted[at], of[at])
        return found

    def _serve(self, kind: str, rows: Records, granted: Bools, own: Bools) -> None:
        if own.any():
            mine = rows.take(own)
            session = np.searchsorted(self._users, mine.user)
            self._outcomes[kind] = Outcome(mine, granted[own], session)
        mechanisms = self.crew.settling(kind)
        self._take([mechanism.settle(self.view, kind, rows, granted) for mechanism in mechanisms])

    # ---------------------------------------------------------------------------------------------- effects

    def _change(self, view: View, effects: Iterable[Effects]) -> None:
        """Change the rows of the users in view."""
        apply.change_users(self.state, view.sessions.user, effects)
        if any(one.relations for one in effects):
            apply.change_relations(self.relations, view.sessions.user, effects)
            view.forget_relations()
        for one in effects:
            for name, values in one.scratch:
                if name in view.scratch:
                    raise ContractError(f"two mechanisms leave the session note {name!r}")
                view.scratch[name] = values

    def _take(self, effects: Iterable[Effects], own: bool = False) -> None:
        """Take what goes beyond the rows of the users in view: for the ledger, for others, for later."""
        view = self.view
        for one in effects:
            for kind, rows in one.events:
                self._record(kind, rows)
            for kind, rows in one.messages:
                self._mail.post(kind, rows)
            for rows in one.wakes:
                self._timers.add("wake", apply.not_before(rows, view.clock.end))
            for kind, rows in one.requests:
                self._request(kind, rows, own)
            for kind, rows in one.publications:
                self._content.setdefault(kind, []).append(rows)
                self._content_changed.add(kind)
            for currency, postings in one.posts:
                self._posted.setdefault(currency, []).append(postings)
            for table, column, index, amount in one.tallies:
                np.add.at(self.state[table][column], index, amount)
            for table, column, values in one.sets:
                self.state[table][column][:] = values
            self._shared_changed |= bool(one.tallies or one.sets)
            self._subjects.add(one.opens)
            self._subjects.remove(one.closes)

    def _request(self, kind: str, rows: Records, own: bool) -> None:
        """A request of this tick that its stage can still take stays; any other is a timer of a later tick."""
        end = self.view.clock.end
        if rows.time.min() < end:
            if self._desk.takes(kind):
                now = rows.time < end
                self._desk.put(kind, rows.take(now), own)
                self._shared_changed = True
                rows = rows.take(~now)
            rows = apply.not_before(rows, end)
        self._timers.add(kind, rows)

    def _record(self, kind: str, rows: Records) -> None:
        if rows.n:
            self._written.append((kind, rows))

    def _write(self, tick: int, sessions: Sessions) -> None:
        """Hand the tick's events to the recorder, with the visits that led to any of them."""
        for currency, parts in self._posted.items():
            postings = Postings.concat(parts)
            self.books.apply(currency, postings)
            self.recorder.postings(currency, postings, tick)
        self._posted.clear()
        if len(sessions):
            self._write_visits(tick, sessions)
        for kind, rows in self._written:
            self.recorder.events(kind, rows, tick)
        self._written.clear()

    def _write_visits(self, tick: int, sessions: Sessions) -> None:
        causes = [rows.cause for kind, rows in self._written if not self.crew.kinds[kind].detail]
        led = queue.member(sessions.event, np.sort(np.concatenate([_NO_IDS, *causes])))
        visits = Records(len(sessions), time=sessions.time, event=sessions.event, user=sessions.user)
        self.recorder.events("visit", visits, tick, led)

    def _end_day(self, clock: Clock) -> None:
        if clock.running:
            effects = [hook(self.view) for hook in self.crew.hooks("close")]
            errands = [errand for one in effects for errand in one.requests]
            for one in effects:
                if one.requests:  # `EMPTY` stays empty
                    one.requests = []
            self._take(effects)
            for kind, rows in errands:
                self.follow(kind, apply.not_before(rows, clock.end))
            self._record("message_dropped", self._mail.sweep(clock.end))
            self._forget_posts(clock.end - CONTENT_DAYS * DAY)

    def _forget_posts(self, before: int) -> None:
        for kind, parts in self._content.items():
            rows = Records.concat(parts)
            if rows.n and int(rows.time.min()) < before:
                self._content[kind] = [rows.take(rows.time >= before).whole()]
                self._content_changed.add(kind)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _rules(crew: Crew) -> Callable[[Any], Any]:
    rules = crew.find("platform.rules")
    if rules is None:
        raise ContractError("every scenario needs platform.rules; write `platform: {rules: {}}`")
    return rules.effective  # type: ignore[attr-defined,no-any-return]
