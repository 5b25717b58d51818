"""The audit after every tick: what has been written so far keeps every law, and the engine's state says the same.

A watch stands between an engine and its recorder, passes everything on and keeps it in memory. After each tick in which
something was written, it asks the questions of `sim.ledger.audit` of the ledger so far, with the deals that have not
ended yet as open, and compares the stock, pools and counts that the engine goes by with what the ledger adds up to.
Who is to blame is seen where it is answered: the watch remembers which mechanism wrote each event and made each move.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np

from sim.contract import HOOKS, Effects
from sim.engine.books import Books
from sim.engine.engine import Engine
from sim.errors import ConservationError, ContractError
from sim.ledger.audit import AT_THE_END, CHECKS, DEALS, ENDS, Break, breaks_in, question
from sim.ledger.parquet import SCHEMAS, text_names, to_arrow
from sim.ledger.schema import ACCOUNTS, CURRENCIES, Postings, Records
from sim.units import I64, Array
from sim.words import _, in_english, marked

HELD: Mapping[tuple[str, str], tuple[str, str]] = {  # columns of state that are the balance of an account
    ("variant", "stock"): ("stock", "shelf"),
    ("merchant", "coupon_pool"): ("coupon", "pool"),
}
COUNTED: Mapping[tuple[str, str], Mapping[str, int]] = {  # columns of state that count events
    ("merchant", "members"): {"group_joined": 1},
    ("merchant", "fans"): {"follow": 1, "unfollow": -1},
}
AS_WRITTEN = marked("the engine has what the ledger says")
DIFFERS = marked("{} of {} {} is {} in the engine, {} in the ledger")
_WATCHED = ("events", "postings", "stock")
_CHECKS = tuple(check for check in CHECKS if check not in AT_THE_END)
_ACCOUNT = {account.code: name for name, account in ACCOUNTS.items()}


class LawBrokenError(ConservationError):
    """What an audit found: the law that broke first, the event that broke it, its causes, and who moved what for it."""

    def __init__(
        self,
        tick: int | None,
        breaks: Sequence[Break],
        chain: Sequence[Mapping[str, Any]],
        doings: Mapping[int, Sequence[str]],
    ) -> None:
        """`tick`: after which, None in the end.

        `chain`: rows of the event and its causes, back to the root; `doings`: what was done for each, by whom.
        """
        super().__init__(f"{tick}: {in_english(breaks[0])}")
        self.tick, self.breaks, self.chain, self.doings = tick, tuple(breaks), tuple(chain), doings

    def __str__(self) -> str:
        if self.tick is None:
            return _("in the end: {found}", found=self.breaks[0])
        return _("after tick {tick}: {found}", tick=self.tick, found=self.breaks[0])

    @property
    def law(self) -> str:
        """The law that broke first, by its name in the audit."""
        return self.breaks[0].check


class Patient(Books):
    """Books that object when the tick is over, so that all of it has been written and can be audited."""

    objection: ConservationError | None = None

    def apply(self, currency: str, postings: Postings) -> None:
        """Book moves; remember what is wrong with them."""
        try:
            super().apply(currency, postings)
        except ConservationError as error:
            self.objection = self.objection or error


@contextmanager
def watching(everything: bool = False, every: int = 1) -> Iterator[Callable[[Engine], "Watch"]]:
    """What to give `sim.run.run` as its watch; the memory that it takes is freed when the context ends."""
    watches: list[Watch] = []

    def watch(engine: Engine) -> Watch:
        watches.append(Watch(engine, everything=everything, every=every))
        return watches[-1]

    try:
        yield watch
    finally:
        for each in watches:
            each.close()


class Watch:
    """Watches one engine on a lone world: made before the first tick, called after each.

    Raises LawBrokenError after the first tick that breaks a law; it names the tick, the law and the event. What makes
    the books object is such a tick as well: it is written to its end first.
    """

    def __init__(self, engine: Engine, *, everything: bool = False, every: int = 1) -> None:
        """`everything`: whether the scenario records details too; `every`: ticks from one audit to the next."""
        if engine.world.count != 1:
            raise ContractError("a watch looks at one world; run them one after the other")
        self._engine, self._recorder, self._every = engine, engine.recorder, every
        self._written = {kind: everything or not declared.detail for kind, declared in engine.crew.kinds.items()}
        self._code = {kind: code for code, kind in enumerate(self._written)}
        self._names = text_names([*self._written], [*engine.view.channels])
        self._events: list[tuple[str, Records]] = []
        self._moves: list[tuple[str, Postings]] = []
        self.audits = 0  # so far
        self._open: set[int] = set()  # deals that have not ended
        self._says: dict[tuple[str, str], I64] = {at: np.zeros_like(self._has(at)) for at in (*HELD, *COUNTED)}
        self._tables = duckdb.connect(":memory:", config={"threads": 1})
        for table in (*_WATCHED, "daily"):
            self._tables.from_arrow(SCHEMAS[table].empty_table()).create(table)
        self._tables.execute(f"PREPARE audit AS {question(_CHECKS, together=True)}")
        self._answers: list[tuple[str, Effects]] = []  # those that write events or moves, and whose they are
        self._listen()
        self._books = engine.books = Patient(engine.world)
        engine.recorder = self

    def close(self) -> None:
        """Free the tables."""
        self._tables.close()

    # ----------------------------------------------------------------------------------------------- as a recorder

    def events(self, kind: str, rows: Records, tick: int, written: Array | None = None) -> None:
        """Pass events on, and keep those that are written down."""
        self._recorder.events(kind, rows, tick, written)
        if not self._written[kind]:
            rows = Records(0) if written is None else rows.take(np.asarray(written, np.bool_))
        if rows.n:
            self._events.append((kind, rows))

    def postings(self, currency: str, rows: Postings, tick: int) -> None:
        """Pass moves on, and keep them."""
        self._recorder.postings(currency, rows, tick)
        if rows.n:
            self._moves.append((currency, rows))

    # --------------------------------------------------------------------------------------------- after every tick

    def __call__(self) -> None:
        """Audit what has been written so far, if anything was written since the last time."""
        tick, objection = self._engine.view.clock.tick, self._books.objection
        if objection is None and (not (self._events or self._moves) or (tick + 1) % self._every):
            return
        self._take_in(tick)
        self.audits += 1
        broken = [*self._differing(tick), *self._audit()]
        self._events, self._moves = [], []
        if broken:
            raise self._broken(tick, broken)
        if objection is not None:
            raise objection

    def in_the_end(self, breaks: Sequence[Break]) -> LawBrokenError:
        """What the audit of the finished ledger found, with all that the watch has seen of it."""
        self._take_in(self._engine.view.clock.tick)
        self._events, self._moves = [], []
        return self._broken(None, breaks)

    def _take_in(self, tick: int) -> None:
        """Add what this tick wrote to the tables and to the sums."""
        sizes = [rows.n for _, rows in self._events]
        kind = np.repeat([self._code[kind] for kind, _ in self._events], sizes)
        events = Records.concat(rows for _, rows in self._events)
        self._insert("events", {**events.columns(), "kind": kind, "tick": np.full(events.n, tick)})
        for is_stock, table in ((False, "postings"), (True, "stock")):
            moves = [(currency, rows) for currency, rows in self._moves if (currency == "stock") == is_stock]
            codes = np.repeat([CURRENCIES.index(currency) for currency, _ in moves], [rows.n for _, rows in moves])
            self._insert(table, {**Postings.concat(rows for _, rows in moves).columns(), "currency": codes})
        for name, rows in self._events:
            self._open |= set(rows.event.tolist()) if name in DEALS else set()
        for name, rows in self._events:
            self._open -= set(rows.cause.tolist()) if name in ENDS else set()
            for at, signs in COUNTED.items():
                np.add.at(self._says[at], rows.merchant, signs.get(name, 0))
        for currency, postings in self._moves:
            for at, (held, account) in HELD.items():
                if held == currency:
                    _add_up(self._says[at], postings, ACCOUNTS[account].code)

    # ----------------------------------------------------------------------------------------------- who did what

    def _listen(self) -> None:
        """Hear what every mechanism answers."""
        for mechanism in self._engine.crew.mechanisms:
            for hook in sorted(HOOKS):
                if hasattr(mechanism, hook):
                    key = f"{mechanism.folder}.{mechanism.name}"
                    setattr(mechanism, hook, self._heard(key, hook, getattr(mechanism, hook)))

    def _heard(self, key: str, hook: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any) -> Any:
            answer = ask(*args)
            if isinstance(answer, Effects) and (answer.events or answer.posts):
                self._answers.append((f"{key} in `{hook}`" + (f" of {args[1]}" if hook == "settle" else ""), answer))
            return answer

        return asked

    def _broken(self, tick: int | None, breaks: Sequence[Break]) -> LawBrokenError:
        chain: list[Mapping[str, Any]] = []
        event = breaks[0].event
        while event and event not in (row["event"] for row in chain):
            asked = f"SELECT * FROM events WHERE event = {event} LIMIT 1"
            found: list[Mapping[str, Any]] = self._tables.sql(asked).to_arrow_table().to_pylist()
            chain += found
            event = int(found[0]["cause"]) if found else 0
        concerned = dict.fromkeys([breaks[0].event, *(int(row["event"]) for row in chain)])
        return LawBrokenError(tick, breaks, chain, {each: tuple(self._doings(each)) for each in concerned if each})

    def _doings(self, event: int) -> Iterator[str]:
        """Who wrote an event, and what was moved for it by whom."""
        for who, fx in self._answers:
            for kind, records in fx.events:
                yield from [f"{kind} is written by {who}"] * int((records.event == event).sum())
        for who, fx in self._answers:
            for currency, moves in fx.posts:
                for at in np.flatnonzero(moves.event == event).tolist():
                    yield f"{_move(currency, moves, at)}, by {who}"

    # ------------------------------------------------------------------------------------------------ the tables

    def _insert(self, table: str, columns: Mapping[str, Array]) -> None:
        if columns["time"].size:
            self._tables.from_arrow(to_arrow(table, columns, self._names)).insert_into(table)

    def _audit(self) -> tuple[Break, ...]:
        asked = f"EXECUTE audit(open := {sorted(self._open)}::UBIGINT[])"
        return breaks_in(self._tables.execute(asked).fetchall())

    def _differing(self, tick: int) -> Iterator[Break]:
        """Where the engine's state and the ledger part, with the last event of the tick on that merchant or variant."""
        for at, says in self._says.items():
            has = self._has(at)
            other = np.flatnonzero(has != says)
            if other.size:
                table, column = at
                first = int(other[0])
                last = [rows for _, rows in self._events if (getattr(rows, table) == first).any()]
                event, time = _last(last, table, first) if last else (0, tick * self._engine.tick_seconds)
                values = (column, table, str(first), str(has[first]), str(says[first]))
                yield Break(AS_WRITTEN, event, time, DIFFERS, values, other.size)

    def _has(self, at: tuple[str, str]) -> I64:
        table, column = at
        out: I64 = self._engine.state[table][column]
        return out


def _move(currency: str, moves: Postings, at: int) -> str:
    """A move in words; of owners, those that there are."""
    ends = []
    for end in ("source", "target"):
        code, owner = (int(getattr(moves, name)[at]) for name in (end, f"{end}_owner"))
        account = _ACCOUNT.get(code, f"account {code}")
        ends.append(f"{account} of {owner}" if owner >= 0 else account)
    item = f" {moves.item[at]}" if moves.item[at] >= 0 else ""
    return f"{moves.amount[at]} {currency}{item} from {ends[0]} to {ends[1]}"


def _add_up(balance: I64, moves: Postings, account: int) -> None:
    """Add to the owners' balances what moves into the account, take away what moves out."""
    into, out = moves.target == account, moves.source == account
    np.add.at(balance, moves.target_owner[into], moves.amount[into])
    np.subtract.at(balance, moves.source_owner[out], moves.amount[out])


def _last(tables: list[Records], column: str, value: int) -> tuple[int, int]:
    """Id and second of the last event of a merchant or variant."""
    rows = Records.concat(tables)
    rows = rows.take(getattr(rows, column) == value)
    at = int(rows.order()[-1])
    return int(rows.event[at]), int(rows.time[at])
