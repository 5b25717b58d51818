"""The audit after every tick: what has been written so far keeps every law, and the engine's state says the same.

A watch stands between an engine and its recorder, passes everything on and keeps it in memory. After each tick in which
something was written, it asks the questions of `sim.ledger.audit` of the ledger so far, with the deals that have not
ended yet as open, and compares the stock, pools and counts that the engine goes by with what the ledger adds up to.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import duckdb
import numpy as np

from sim.engine.engine import Engine
from sim.errors import ConservationError, ContractError
from sim.ledger.audit import AT_THE_END, CHECKS, DEALS, ENDS, Break, breaks_in, question
from sim.ledger.parquet import SCHEMAS, text_names, to_arrow
from sim.ledger.schema import ACCOUNTS, CURRENCIES, Postings, Records
from sim.units import I64, Array

HELD: Mapping[tuple[str, str], tuple[str, str]] = {  # columns of state that are the balance of an account
    ("variant", "stock"): ("stock", "shelf"),
    ("merchant", "coupon_pool"): ("coupon", "pool"),
}
COUNTED: Mapping[tuple[str, str], Mapping[str, int]] = {  # columns of state that count events
    ("merchant", "members"): {"group_joined": 1},
    ("merchant", "fans"): {"follow": 1, "unfollow": -1},
}
AS_WRITTEN = "the engine has what the ledger says"
_WATCHED = ("events", "postings", "stock")
_CHECKS = tuple(check for check in CHECKS if check not in AT_THE_END)


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

    Raises ConservationError after the first tick that breaks a law; it names the tick, the law and the event.
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
        tick = self._engine.view.clock.tick
        if not (self._events or self._moves) or (tick + 1) % self._every:
            return
        self._take_in(tick)
        self.audits += 1
        broken = [*self._differing(tick), *self._audit()]
        self._events, self._moves = [], []
        if broken:
            raise ConservationError(f"after tick {tick}: {broken[0]}")

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
                wrong = (
                    f"{column} of {table} {first} is {int(has[first])} in the engine, {int(says[first])} in the ledger"
                )
                yield Break(AS_WRITTEN, event, time, wrong, other.size)

    def _has(self, at: tuple[str, str]) -> I64:
        table, column = at
        out: I64 = self._engine.state[table][column]
        return out


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
