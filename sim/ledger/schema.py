"""The one record of the model: an event, a message and a request are the same row at different stages.

A mechanism makes rows; the engine delivers them (messages), settles them (requests) and writes them (events).
Every column is always there; one that does not apply holds its default.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from sim.kernels.order import settling
from sim.units import NOBODY, U64, Array

COLUMNS: Mapping[str, tuple[Any, Any]] = {
    "time": (np.int64, 0),  # seconds since the scenario's start
    "event": (np.uint64, 0),  # this row's own id
    "cause": (np.uint64, 0),  # id of the event that led to it; 0 for an exogenous root
    "user": (np.int32, NOBODY),  # who acts; of a message, who receives it
    "peer": (np.int32, NOBODY),  # the other person: recipient of a gift, sender of a message
    "merchant": (np.int32, NOBODY),
    "product": (np.int32, NOBODY),
    "variant": (np.int32, NOBODY),  # index into the variant table, the unit of stock
    "channel": (np.int16, NOBODY),  # code of the surface, see `sim.catalog.channels`
    "quantity": (np.int32, 0),
    "amount": (np.int64, 0),  # fen
    "detail": (np.int64, 0),  # the kind's own payload, documented where the kind is declared
}

POSTING_COLUMNS: Mapping[str, tuple[Any, Any]] = {
    "time": (np.int64, 0),
    "event": (np.uint64, 0),  # the event that moved it
    "item": (np.int32, NOBODY),  # variant for stock, merchant for coupons and points, -1 for money
    "source": (np.int8, 0),  # code in ACCOUNTS
    "source_owner": (np.int32, NOBODY),  # user, merchant or variant number; -1 for an account outside the model
    "target": (np.int8, 0),
    "target_owner": (np.int32, NOBODY),
    "amount": (np.int64, 0),  # > 0: fen, pieces, coupons or points
}

CURRENCIES = ("fen", "stock", "coupon", "points")


class Account(NamedTuple):
    """An account of the double entry: who owns it, and whether it may go below zero."""

    code: int
    open: bool  # True: the world outside, may go negative; the others never may
    owner: str  # whose number the owner is: user, merchant, variant, or none (then it is -1)
    currencies: tuple[str, ...]


_MONEY, _STOCK, _TOKENS = ("fen",), ("stock",), ("coupon", "points")
ACCOUNTS: Mapping[str, Account] = {
    # money
    "wallet": Account(0, True, "user", _MONEY),  # a user's money
    "escrow": Account(1, False, "merchant", _MONEY),  # held by the platform until the order ends
    "cash": Account(2, True, "merchant", _MONEY),  # a merchant's money; may be overdrawn (credit)
    "platform": Account(3, True, "none", _MONEY),  # service fees
    "payment": Account(4, True, "none", _MONEY),  # payment fees
    "supplier": Account(5, True, "none", _MONEY),  # goods paid for
    "courier": Account(6, True, "none", _MONEY),  # parcels paid for
    "media": Account(7, True, "none", _MONEY),  # advertising and content paid for
    "staff": Account(8, True, "none", _MONEY),  # wages
    "promoter": Account(9, True, "user", _MONEY),  # commission paid out
    # stock
    "factory": Account(10, True, "none", _STOCK),  # where stock comes from
    "shelf": Account(11, False, "variant", _STOCK),  # sellable pieces
    "reserved": Account(12, False, "variant", _STOCK),  # paid, not yet shipped or claimed
    "transit": Account(13, False, "variant", _STOCK),  # in a parcel
    "customer": Account(14, True, "none", _STOCK),  # delivered
    "scrap": Account(15, True, "none", _STOCK),  # returned and not resold
    # coupons and points
    "issuer": Account(16, True, "merchant", _TOKENS),  # where a merchant's coupons and points come from
    "pool": Account(17, False, "merchant", _TOKENS),  # issued, not claimed
    "holder": Account(18, False, "user", _TOKENS),  # claimed, not used
    "redeemed": Account(19, True, "none", _TOKENS),
    "expired": Account(20, True, "none", _TOKENS),
}


class Table:
    """Rows as a struct of arrays over a fixed schema. Columns not given are their default, made when read.

    Read a column as an attribute (`rows.time`). Rows are never changed: `take` and `with_` give new ones, which share
    what they can: a column is one number until somebody reads it, and is picked from its source when first read.
    """

    __slots__ = ("_columns", "n")
    schema: Mapping[str, tuple[Any, Any]] = {}

    def __init__(self, n: int, **columns: object) -> None:
        self.n = n
        self._columns: dict[str, Any] = columns  # an array, a number, or a pair (source array, positions)
        for name, value in columns.items():
            dtype, _ = self.schema[name]
            if type(value) is np.ndarray and value.ndim:
                if value.dtype != dtype:
                    value = value.astype(dtype)
                columns[name] = value if value.shape == (n,) else np.broadcast_to(value, (n,))
            elif isinstance(value, list | tuple | np.ndarray):
                columns[name] = np.broadcast_to(np.array(value, dtype), (n,))

    def __getattr__(self, name: str) -> Array:
        if name == "_columns":  # not set yet: an instance that is being copied
            raise AttributeError(name)
        column = self._columns.get(name)
        if type(column) is np.ndarray:
            return column
        if name not in self.schema:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}")
        return self._made(name, column)

    def _made(self, name: str, column: Any) -> Array:
        """Make a column that is not an array yet."""
        if type(column) is tuple:
            source, index = column
            made: Array = source[index]
        else:
            dtype, default = self.schema[name]
            made = np.full(self.n, default if column is None else column, dtype)
        self._columns[name] = made
        return made

    def __len__(self) -> int:
        return self.n

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.n, {name: getattr(self, name) for name in self._columns}))

    def take(self, index: Array) -> "Table":
        """The rows at these positions, or where a mask is true."""
        if index.dtype == np.bool_:
            if index.all():
                return self
            index = index.nonzero()[0]
        out = type(self)(index.size)
        for name, column in self._columns.items():
            if type(column) is tuple:
                column = self._made(name, column)
            out._columns[name] = (column, index) if type(column) is np.ndarray else column
        return out

    def with_(self, **columns: object) -> "Table":
        """The same rows with some columns replaced."""
        out = type(self)(self.n, **columns)
        out._columns = {**self._columns, **out._columns}
        return out

    @classmethod
    def concat(cls, tables: Iterable["Table"]) -> "Table":
        """All rows of the tables, in that order."""
        parts = [t for t in tables if t.n]
        if len(parts) == 1:
            return parts[0]
        out = cls(sum(t.n for t in parts))
        if parts:
            names: set[str] = set().union(*(t._columns for t in parts))
            for name in (name for name in cls.schema if name in names):
                columns: list[Any] = [t._columns.get(name) for t in parts]
                for i, column in enumerate(columns):
                    if type(column) is not np.ndarray:
                        columns[i] = parts[i]._made(name, column)
                out._columns[name] = np.concatenate(columns)
        return out

    def given(self, name: str) -> bool:
        """Whether a column was ever given or read; if not, all its rows hold the default."""
        return name in self._columns

    def columns(self) -> dict[str, Array]:
        """Every column, in schema order."""
        return {name: getattr(self, name) for name in self.schema}


def _rebuild(kind: type[Table], n: int, columns: dict[str, Array]) -> Table:
    return kind(n, **columns)


class Records(Table):
    """Events, messages or requests of one kind."""

    schema = COLUMNS

    time: Array
    event: U64
    cause: U64
    user: Array
    peer: Array
    merchant: Array
    product: Array
    variant: Array
    channel: Array
    quantity: Array
    amount: Array
    detail: Array

    def order(self) -> Array:
        """Positions in settling order: by (time, event id)."""
        return settling(self.time, self.event)

    def take(self, index: Array) -> "Records":
        return super().take(index)  # type: ignore[return-value]

    def with_(self, **columns: object) -> "Records":
        return super().with_(**columns)  # type: ignore[return-value]

    @classmethod
    def concat(cls, tables: Iterable[Table]) -> "Records":
        return super().concat(tables)  # type: ignore[return-value]


class Postings(Table):
    """Moves of one currency between two accounts (double entry: one row is both sides)."""

    schema = POSTING_COLUMNS

    time: Array
    event: U64
    item: Array
    source: Array
    source_owner: Array
    target: Array
    target_owner: Array
    amount: Array

    @classmethod
    def move(
        cls,
        rows: Records,
        source: str,
        source_owner: object,
        target: str,
        target_owner: object,
        amount: object,
        item: object = NOBODY,
    ) -> "Postings":
        """One move per row of `rows`, at its time, in its event's name. Rows that move nothing are left out."""
        moves = cls(
            rows.n,
            time=rows.time,
            event=rows.event,
            item=item,
            source=ACCOUNTS[source].code,
            source_owner=source_owner,
            target=ACCOUNTS[target].code,
            target_owner=target_owner,
            amount=amount,
        )
        return moves if moves.amount.all() else moves.take(moves.amount != 0)

    def take(self, index: Array) -> "Postings":
        return super().take(index)  # type: ignore[return-value]

    @classmethod
    def concat(cls, tables: Iterable[Table]) -> "Postings":
        return super().concat(tables)  # type: ignore[return-value]
