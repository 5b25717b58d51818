"""The per-event engine: the same rules, one session and one request at a time, settled the moment they arise.

One SimPy process for each session and each timer. It shares the mechanisms, the state and the books with the array
engine, and works one at a time: processes instead of buckets of timers, a list of letters instead of pooled mail, a
set of what is open, and one piece taken off the shelf at a time. That both write the same ledger is what
`wxsim verify` checks.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sim import draws
from sim.contract import STAGES, Outcome, Sessions
from sim.engine import apply
from sim.engine.clock import EventClock, Steps
from sim.engine.engine import INBOX_CAPACITY, PATIENCE, Engine
from sim.ledger.schema import Records
from sim.units import DAY, I32, I64, U64, Array, Bools

SESSION, REQUEST = 0, 1  # at one second sessions come before requests, and these in the order of their ids
Asked = dict[str, list[tuple[Records, bool]]]  # a session's own requests, by kind, and whether each was granted


class EventEngine(Engine):
    """One SimPy process per session and per request; it drives itself."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._clock = EventClock(self.tick_seconds)
        self._mail: Any = Letters()
        self._subjects: Any = Open()
        self._timers: Any = self  # `add` is ours
        self._visits: dict[int, dict[int, tuple[int, bool]]] = {}  # tick -> user -> (second, planned)
        self._pending = 0  # requests that wait for their second
        self._sessions: list[Sessions] = []  # of this tick
        self._asked: Asked | None = None  # how the acting session's requests ended
        self._stage = len(STAGES)  # of the request that is settled now; -1 while a session acts

    def run(self, longest: int, told: Callable[[], None] = lambda: None) -> None:
        """Run from the first tick until everything open has come to its end, at most `longest` ticks."""
        for kind, rows in self.agendas().items():
            self.hand(kind, rows)
        self._clock.run(self, self.days * DAY // self.tick_seconds, longest, told)

    def idle(self) -> bool:
        return not self._pending and not self._visits

    def begin(self, tick: int) -> None:
        """Show what is shared as it stands now, and start the sessions of this tick."""
        self._begin(tick)
        self._sessions.clear()
        if self.view.clock.running and self.view.clock.start % DAY == 0:
            self._plan(self.view.clock.day)
        for user, (time, planned) in self._visits.pop(tick, {}).items():
            self._clock.start(self._visit(user, time, planned))

    def end(self, tick: int) -> None:
        """Close the day and write, when every session has responded."""
        if self.view.clock.end % DAY == 0:
            self._end_day(self.view.clock)
        self._write(tick, _side_by_side(self._sessions))

    def _visit(self, user: int, time: int, planned: bool) -> Steps:
        """One session: from opening WeChat to asking for what it wants; then what it does about what it got."""
        yield self._clock.until(time, SESSION)
        event = draws.child(self.world.user_key[user], "visit", self.view.clock.tick)
        who, when = np.array([user], np.int32), np.array([time], np.int64)
        view = self.view.apart(Sessions(who, when, event, np.array([planned])))
        self._sessions.append(view.sessions)
        self._deliver([view])
        asked: Asked = {}
        self._asked, self._stage = asked, -1
        self._take(self._act(view), own=True)
        self._asked, self._stage = None, len(STAGES)
        yield self._clock.until_end()
        view.outcomes = {kind: _outcome(settled) for kind, settled in asked.items()}
        self._take(self._respond(view))

    # ---------------------------------------------------------------------------------------------- requests

    def add(self, kind: str, rows: Records) -> None:
        """Take visits and requests of later ticks, one by one."""
        for row in _one_by_one(rows):
            user, time = int(row.user[0]), int(row.time[0])
            if kind in ("plan", "wake"):
                visits = self._visits.setdefault(time // self.tick_seconds, {})
                second, planned = visits.get(user, (time, False))
                visits[user] = (min(second, time), planned or kind == "plan")
            else:
                self._wait(kind, row, None)

    def _request(self, kind: str, rows: Records, own: bool) -> None:
        """A request of this tick whose stage is still to come stays in it; any other waits for the next."""
        end = self.view.clock.end
        if STAGES.index(self.crew.kinds[kind].stage) <= self._stage:
            rows = apply.not_before(rows, end)
        for row in _one_by_one(rows):
            mine = own and int(row.time[0]) < end
            self._wait(kind, row, self._asked if mine else None)

    def _wait(self, kind: str, row: Records, asked: Asked | None) -> None:
        self._pending += 1
        self._clock.start(self._timer(kind, row, asked))

    def _timer(self, kind: str, row: Records, asked: Asked | None) -> Steps:
        """One request, settled at its second; the session that waits for the outcome finds it in `asked`."""
        yield self._clock.until(int(row.time[0]), REQUEST + int(row.event[0]))
        self._pending -= 1
        stage = self.crew.kinds[kind].stage
        row, granted = self._grant(stage, row)
        if asked is not None:
            asked.setdefault(kind, []).append((row, granted))
        self._stage = STAGES.index(stage)
        answer = np.array([granted])
        self._take([mechanism.settle(self.view, kind, row, answer) for mechanism in self.crew.settling(kind)])
        self._stage = len(STAGES)

    def _grant(self, stage: str, row: Records) -> tuple[Records, bool]:
        """Whether what is asked for is there now; if so, it is taken."""
        if stage in ("once", "last"):
            holder = self._subjects.take(int(row.cause[0]))
            return row if holder is None or holder < 0 else row.with_(peer=holder), holder is not None
        merchants = self.state["merchant"]
        if stage == "ticket":
            merchant = int(row.merchant[0])
            row = row.with_(detail=int(merchants["members"][merchant]))
            merchants["members"][merchant] += 1
            self._shared_changed = True
        elif stage in ("stock", "coupon"):
            shelf = self.state["variant"]["stock"] if stage == "stock" else merchants["coupon_pool"]
            item = int((row.variant if stage == "stock" else row.merchant)[0])
            wanted = int(row.quantity[0])
            if wanted > 0 and int(shelf[item]) < wanted:
                return row, False
            shelf[item] -= wanted
            self._shared_changed = True
        return row, True


class Open:
    """Subjects that are open for the first who asks, and who holds each."""

    def __init__(self) -> None:
        self._holder: dict[int, int] = {}

    def add(self, subjects: list[tuple[U64, Array]]) -> None:
        for some, holders in subjects:
            self._holder.update(zip(some.tolist(), holders.tolist(), strict=True))

    def remove(self, subjects: list[U64]) -> None:
        for some in subjects:
            for subject in some.tolist():
                self._holder.pop(subject, None)

    def take(self, subject: int) -> int | None:
        """Who holds it (-1: nobody in particular), if it was open; now it is not."""
        return self._holder.pop(subject, None)


class Letters:
    """Each user's unread messages, as a list."""

    def __init__(self) -> None:
        self._of: dict[int, list[tuple[int, int, str, Records]]] = {}

    def post(self, kind: str, rows: Records) -> None:
        """Put each row into the list of its user."""
        for row in _one_by_one(rows):
            self._of.setdefault(int(row.user[0]), []).append((int(row.time[0]), int(row.event[0]), kind, row))

    def collect(
        self, users: I32, before: int, now: I64, woken: Bools, wakes: tuple[str, ...]
    ) -> tuple[dict[str, tuple[Records, I64]], Records]:
        """What one user finds now of what was posted before this tick; and what scrolled away unseen."""
        user, second = int(users[0]), int(now[0])
        waiting = self._of.pop(user, [])
        found = [letter for letter in waiting if letter[0] < before and (letter[2] in wakes or not woken[0])]
        if len(found) < len(waiting):
            self._of[user] = [letter for letter in waiting if letter not in found]
        letters = sorted(found, key=lambda letter: letter[:3])
        seen = [letter for letter in letters[-INBOX_CAPACITY:] if second - letter[0] <= PATIENCE]
        mail = {
            kind: Records.concat([letter[3] for letter in seen if letter[2] == kind])
            for kind in sorted({letter[2] for letter in seen})
        }
        lost = Records.concat([letter[3] for letter in letters if letter not in seen])
        return {kind: (rows, np.zeros(rows.n, np.int64)) for kind, rows in mail.items()}, lost

    def sweep(self, now: int) -> Records:
        """Throw away what is too old for whoever looks from now on."""
        stale = [letter[3] for letters in self._of.values() for letter in letters if letter[0] < now - PATIENCE]
        self._of = {
            user: [letter for letter in letters if letter[0] >= now - PATIENCE] for user, letters in self._of.items()
        }
        return Records.concat(stale)


def _one_by_one(rows: Records) -> Iterator[Records]:
    return (rows.take(np.array([i])) for i in range(rows.n)) if rows.n > 1 else iter([rows] if rows.n else [])


def _outcome(settled: list[tuple[Records, bool]]) -> Outcome:
    """How one session's requests of a kind ended, in settling order."""
    rows = Records.concat([row for row, _ in settled])
    return Outcome(rows, np.array([granted for _, granted in settled]), np.zeros(rows.n, np.int64))


def _side_by_side(sessions: list[Sessions]) -> Sessions:
    """The sessions of a tick, ordered by user."""
    if not sessions:
        none = np.zeros(0, np.int64)
        return Sessions(none.astype(np.int32), none, none.astype(np.uint64), none.astype(np.bool_))
    columns = [np.concatenate([getattr(one, name) for one in sessions]) for name in Sessions.__slots__]
    order = np.argsort(columns[0], kind="stable")
    return Sessions(*(column[order] for column in columns))
