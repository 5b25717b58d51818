"""The one record of the model: an event, a message and a request are the same row at different stages.

A mechanism makes rows; the engine delivers them (messages), settles them (requests) and writes them (events).
Every column is always there; one that does not apply holds its default.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

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

# Accounts by name. `open` ones stand for the world outside and may go negative; the others never may.
ACCOUNTS: Mapping[str, tuple[int, bool]] = {
    # money
    "wallet": (0, True),  # a user's money; owner: user
    "escrow": (1, False),  # held by the platform until the order ends; owner: merchant
    "cash": (2, True),  # a merchant's money; owner: merchant; may be overdrawn (credit)
    "platform": (3, True),  # service fees
    "payment": (4, True),  # payment fees
    "supplier": (5, True),  # goods paid for
    "courier": (6, True),  # parcels paid for
    "media": (7, True),  # advertising and content paid for
    "staff": (8, True),  # wages
    "promoter": (9, True),  # commission paid out; owner: user
    # stock
    "factory": (10, True),  # where stock comes from
    "shelf": (11, False),  # sellable pieces; owner: variant
    "reserved": (12, False),  # paid, not yet shipped or claimed; owner: variant
    "transit": (13, False),  # in a parcel; owner: variant
    "customer": (14, True),  # delivered
    "scrap": (15, True),  # returned and not resold
    # coupons and points
    "issuer": (16, True),  # where a merchant's coupons and points come from; owner: merchant
    "pool": (17, False),  # issued, not claimed; owner: merchant
    "holder": (18, False),  # claimed, not used; owner: user
    "redeemed": (19, True),
    "expired": (20, True),
}


class Table:
    """Rows as a struct of arrays over a fixed schema. Columns not given are their default, made when read.

    Read a column as an attribute (`rows.time`). Rows are never changed: `take`, `where`, `with_` give new ones.
    """

    __slots__ = ("_columns", "n")
    schema: Mapping[str, tuple[Any, Any]] = {}

    def __init__(self, n: int, **columns: object) -> None:
        self.n = n
        self._columns: dict[str, Array] = {}
        for name, value in columns.items():
            dtype, _ = self.schema[name]
            array = np.asarray(value)
            if array.dtype != dtype:
                array = array.astype(dtype)
            if array.ndim == 0 or array.shape != (n,):
                array = np.broadcast_to(array, (n,))
            self._columns[name] = array

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        column = self._columns.get(name)
        if column is None:
            try:
                dtype, default = self.schema[name]
            except KeyError:
                raise AttributeError(f"{type(self).__name__} has no column {name!r}") from None
            column = self._columns[name] = np.full(self.n, default, dtype)
        return column

    def __len__(self) -> int:
        return self.n

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.n, self._columns))

    def take(self, index: Array) -> "Table":
        """The rows at these positions, or where a mask is true."""
        if index.dtype == np.bool_:
            index = np.flatnonzero(index)
        out = type(self)(index.size)
        out._columns = {name: column[index] for name, column in self._columns.items()}
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
        names = {name for t in parts for name in t._columns}
        out._columns = {
            name: np.concatenate([getattr(t, name) for t in parts]) for name in cls.schema if name in names
        }
        return out

    def columns(self) -> dict[str, Array]:
        """Every column, in schema order."""
        return {name: getattr(self, name) for name in self.schema}


def _rebuild(kind: type[Table], n: int, columns: dict[str, Array]) -> Table:
    out = kind(n)
    out._columns = columns
    return out


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
        return np.lexsort((self.event, self.time))

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
            source=ACCOUNTS[source][0],
            source_owner=source_owner,
            target=ACCOUNTS[target][0],
            target_owner=target_owner,
            amount=amount,
        )
        return moves if moves.amount.all() else moves.take(moves.amount != 0)  # type: ignore[return-value]
