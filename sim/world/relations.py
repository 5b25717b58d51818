"""Relations: what users keep in mind of merchants, in rows for those alone who have ever had to do with one.

Nine users in ten never do, so a row of slots for each would be the largest part of memory. Row 0 stands for all of them
and is never written: its slots are empty. Which row a user has depends on who came first, and is told to nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

import numpy as np

from sim.kernels import slots
from sim.units import I32, I64, Array, Bools
from sim.world.state import FOLLOWS, GROUP, PINNED, SLOTS, Column


def lasting(column: Callable[[str], Array]) -> Bools:
    """Relations never forgotten for a new one: of customers, holders of points or a coupon, fans, group members."""
    own = (column("orders") > 0) | (column("points") > 0) | (column("coupon_until") > 0)
    out: Bools = own | ((column("flags") & (FOLLOWS | PINNED | GROUP)) != 0)
    return out


class Relations:
    """The `slot` columns of N users: `columns[name]` has shape (rows, SLOTS), and `row[user]` is the user's row.

    There is a place for every user from the start, so nothing is moved while blocks of users act in threads; pages
    that nobody has written to take no memory. A place is a slot of a row, counted through: row * SLOTS + slot.
    """

    def __init__(self, users: int, columns: Iterable[Column], opening: Mapping[str, Array] | None = None) -> None:
        """Nobody has a relation, unless `opening` gives columns of shape (users, SLOTS)."""
        table = [column for column in columns if column.table == "slot"]
        self.row: I32 = np.zeros(users, np.int32)
        self.columns: dict[str, Array] = {c.name: np.zeros((users + 1, SLOTS), c.dtype) for c in table}
        self._defaults = {c.name: c.default for c in table}
        self._given = 0  # rows so far
        self._lock = Lock()
        self._take_rows(1)
        if opening:
            self.give(np.arange(users))
            for name, values in opening.items():
                self.columns[name][1:] = values

    def give(self, user: Array) -> None:
        """A fresh row for each of these different users who has none."""
        new = user[self.row.take(user) == 0]
        if new.size:
            self.row[new] = self._take_rows(new.size)

    def of(self, user: Array) -> tuple[I64, I64]:
        """All relations of these users: the position of each in `user`, and its place; ordered by both."""
        row = self.row.take(user)
        some = row.nonzero()[0]
        row = row[some].astype(np.int64)
        at, slot = slots.where(self.columns["merchant"].take(row, axis=0) >= 0)
        return some[at], row[at] * SLOTS + slot

    def find(self, user: Array, merchant: Array) -> I64:
        """The place of the relation of each user with each merchant, or -1, shape (n,) like both."""
        row = self.row.take(user)
        some = row.nonzero()[0]
        row = row[some].astype(np.int64)
        slot = slots.find(self.columns["merchant"], row, merchant[some])
        place = np.full(user.size, -1)
        place[some] = np.where(slot < 0, -1, row * SLOTS + slot)
        return place

    def read(self, column: str, place: I64) -> Array:
        """A column at these places."""
        return self.columns[column].reshape(-1).take(place)

    def open(self, place: I64, merchant: Array) -> None:
        """Begin relations with these merchants at these places; whoever was there is forgotten."""
        for name, default in self._defaults.items():
            column = self.columns[name].reshape(-1)
            if (column.take(place) != default).any():  # what nobody uses is never written, and takes no memory
                column[place] = default
        self.columns["merchant"].reshape(-1)[place] = merchant

    def _take_rows(self, count: int) -> I64:
        """Rows that are nobody else's, at their defaults."""
        with self._lock:
            first, self._given = self._given, self._given + count
        for name, default in self._defaults.items():
            if default:
                self.columns[name][first : first + count] = default
        return np.arange(first, first + count)
