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
    "commission": Account(21, False, "merchant", _MONEY),  # held by the platform until the order ends
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
    """Rows as a struct of arrays over a fixed schema. Columns not given are their default.

    Read a column as an attribute (`rows.time`). Rows are never changed: `take`, `with_` and `concat` give new ones at
    next to no cost, as a column is picked from its source when it is first read. A column may be given as one number
    for all rows, or as a function that makes it if it is ever read.
    """

    schema: Mapping[str, tuple[Any, Any]] = {}
    n: int
    _given: dict[str, Any]  # columns that are one number or a function; those made stand among the attributes
    _source: Any  # where others come from: a pair (table, positions), a list of tables, or None

    def __init__(self, n: int, **columns: object) -> None:
        self.n = n
        self._source = None
        self._give({}, columns)

    def _give(self, given: dict[str, Any], columns: Mapping[str, Any]) -> None:
        self._given = given
        made = self.__dict__
        for name, value in columns.items():
            dtype, _ = self.schema[name]
            if type(value) is np.ndarray and value.ndim:
                if value.dtype != dtype:
                    value = value.astype(dtype)
                made[name] = value if value.shape == (self.n,) else np.broadcast_to(value, (self.n,))
            elif isinstance(value, list | tuple | np.ndarray):
                made[name] = np.broadcast_to(np.array(value, dtype), (self.n,))
            else:
                made.pop(name, None)
                given[name] = value

    def __getattr__(self, name: str) -> Array:
        if name not in self.schema:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}")
        column = self._find(name)
        out: Array = column if type(column) is np.ndarray else _filled(self.n, column, self.schema[name][0])
        self.__dict__[name] = out
        return out

    def _find(self, name: str) -> Any:
        """A column as it is kept: an array, or one number for all rows."""
        made, given, source = self.__dict__, self._given, self._source
        if name in made:
            return made[name]
        if name in given:
            column = given[name]
            if callable(column):
                column = column()
        elif source is None:
            return self.schema[name][1]
        elif type(source) is tuple:
            table, index = source
            column = table._find(name)
            if type(column) is np.ndarray:
                column = column[index]
        else:
            column = _joined(source, name, self.schema[name][0])
        (made if type(column) is np.ndarray else given)[name] = column
        return column

    def __len__(self) -> int:
        return self.n

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.n, {name: self._find(name) for name in self.schema}))

    def take(self, index: Array | slice) -> "Table":
        """The rows at these positions, or where a mask is true."""
        if type(index) is slice:
            out = type(self)(len(range(self.n)[index]))
        else:
            if index.dtype == np.bool_:
                index = index.nonzero()[0]
                if index.size == self.n:
                    return self
            out = type(self)(index.size)
        if out.n:
            out._source = (self, index)
        return out

    def with_(self, **columns: object) -> "Table":
        """The same rows with some columns replaced."""
        out = object.__new__(type(self))
        out.__dict__.update(self.__dict__)
        out._give({**self._given}, columns)
        return out

    def whole(self) -> "Table":
        """The same rows, independent of the tables that they were taken from."""
        return type(self)(self.n, **{name: self._find(name) for name in self.schema})

    @classmethod
    def concat(cls, tables: Iterable["Table"]) -> "Table":
        """All rows of the tables, in that order."""
        parts = [t for t in tables if t.n]
        if len(parts) == 1:
            return parts[0]
        out = cls(sum([t.n for t in parts]))
        out._source = parts or None
        return out

    def given(self, name: str) -> bool:
        """Whether a column may hold anything but its default."""
        column = self._find(name)
        return type(column) is np.ndarray or column != self.schema[name][1]

    def columns(self) -> dict[str, Array]:
        """Every column, in schema order."""
        return {name: getattr(self, name) for name in self.schema}


def _filled(n: int, value: Any, dtype: Any) -> Array:
    out: Array = np.empty(n, dtype)
    out.fill(value)
    return out


def _joined(parts: list[Table], name: str, dtype: Any) -> Any:
    """A column of several tables: an array, or the number that holds for all of them."""
    columns = [part._find(name) for part in parts]
    arrays = [type(column) is np.ndarray for column in columns]
    if not any(arrays) and all(column == columns[0] for column in columns):
        return columns[0]
    if not all(arrays):
        columns = [
            column if is_array else _filled(part.n, column, dtype)
            for part, column, is_array in zip(parts, columns, arrays, strict=True)
        ]
    return np.concatenate(columns)


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

    def take(self, index: Array | slice) -> "Records":
        return super().take(index)  # type: ignore[return-value]

    def with_(self, **columns: object) -> "Records":
        return super().with_(**columns)  # type: ignore[return-value]

    def whole(self) -> "Records":
        return super().whole()  # type: ignore[return-value]

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
        return moves.take(moves.amount != 0)

    def take(self, index: Array | slice) -> "Postings":
        return super().take(index)  # type: ignore[return-value]

    @classmethod
    def concat(cls, tables: Iterable[Table]) -> "Postings":
        return super().concat(tables)  # type: ignore[return-value]
