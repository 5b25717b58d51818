"""The inbox: messages wait for their reader until she opens WeChat, scroll away, or grow stale.

What a reader finds follows from the messages alone, by (time, event id), never from when or in what batches they
were posted or swept: of all posted before the tick, the newest `capacity`, if not older than `patience` seconds. A
reader who is only woken looks among the messages that wake as if there were no others.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import numpy as np

from sim.kernels import segments
from sim.kernels.rows import Rows
from sim.units import I32, I64, Array, Bools

R = TypeVar("R", bound=Rows)

_NONE = -1
_READ = -1  # the kind of a message that is gone


class Mailbox(Generic[R]):
    """Messages of `users` users in one pool of columns, a linked list per user; `make(n, **columns)` gives rows back.

    The pool has the columns that were ever given; others keep the default that `make` gives them. Reading costs in
    proportion to the readers and their messages. Messages that are gone leave their place in the pool until it is
    full or half empty at a sweep; then it is packed.
    """

    def __init__(self, users: int, capacity: int, patience: int, make: Callable[..., R]) -> None:
        self._capacity = capacity
        self._patience = patience
        self._make = make
        self._kinds: list[str] = []
        self._places = np.zeros(0, np.int64)  # of each kind among the kinds sorted by name
        self._head: I32 = np.full(users, _NONE, np.int32)
        self._next: I32 = np.zeros(0, np.int32)
        self._kind = np.zeros(0, np.int16)
        self._blank = {name: column[0] for name, column in make(1).columns().items()}
        self._pool: dict[str, Array] = {
            name: np.zeros(0, self._blank[name].dtype) for name in ("time", "event", "user")
        }
        self._size = 0
        self._gone = 0

    def pending(self) -> int:
        """How many messages wait."""
        return self._size - self._gone

    def post(self, kind: str, rows: R) -> None:
        """Put each row into the inbox of `rows.user`."""
        if rows.n == 0:
            return
        self._make_room(rows.n)
        begin, end = self._size, self._size + rows.n
        for name, blank in self._blank.items():
            if rows.given(name):
                if name not in self._pool:
                    self._pool[name] = np.full(self._kind.size, blank)
                self._pool[name][begin:end] = getattr(rows, name)
            elif name in self._pool:
                self._pool[name][begin:end] = blank
        self._kind[begin:end] = self._code(kind)
        self._size = end
        self._link(rows.user, np.arange(begin, end, dtype=np.int32))

    def collect(
        self, users: I32, before: int, now: I64 | int, woken: Bools | None = None, wakes: Iterable[str] = ()
    ) -> tuple[dict[str, tuple[R, I64]], R]:
        """Take out all messages of these users (sorted, distinct) with a time before `before`.

        Of the messages of a user who is only `woken` the kinds `wakes` alone are taken out; the rest waits. Returns
        those that are found, by kind: rows ordered by (user, time, event id), and the position in `users` of each; and
        those that scrolled away unseen, in no order. `now` is when each user looks.
        """
        reader, node = self._walk(users, before, woken, wakes)
        if node.size == 0:
            return {}, self._make(0)
        time, kind = self._pool["time"][node], self._places[self._kind[node]]
        order = np.lexsort((kind, self._pool["event"][node], time, reader))
        reader, node, time, kind = reader[order], node[order], time[order], kind[order]
        age = np.broadcast_to(np.asarray(now), users.shape)[reader] - time
        newest = segments.rank(reader[::-1])[::-1] < self._capacity
        seen = newest & (age <= self._patience)
        self._forget(node)
        return self._by_kind(kind[seen], reader[seen], node[seen]), self._rows(node[~seen])

    def sweep(self, now: int) -> R:
        """Throw away what is older than `patience` at `now`, the earliest time of any later look; returns it."""
        if self._size == 0:
            return self._make(0)
        alive = self._kind[: self._size] != _READ
        stale = (alive & (self._pool["time"][: self._size] < now - self._patience)).nonzero()[0]
        dropped = self._rows(stale)
        self._forget(stale)
        if self._gone > self._size // 2:
            self._pack()
        return dropped

    # the pool -------------------------------------------------------------------------------------------------

    def _code(self, kind: str) -> int:
        if kind not in self._kinds:
            self._kinds.append(kind)
            self._places = np.argsort(np.argsort(self._kinds))
        return self._kinds.index(kind)

    def _make_room(self, more: int) -> None:
        """Room for more messages at the end: pack if half are gone, else double."""
        if self._size + more <= self._kind.size:
            return
        if self._gone > self._size // 2:
            self._pack()
        wanted = max(self._size + more, 2 * self._kind.size)
        if self._size + more > self._kind.size:
            self._next, self._kind = _grown(self._next, wanted), _grown(self._kind, wanted)
            self._pool = {name: _grown(column, wanted) for name, column in self._pool.items()}

    def _pack(self) -> None:
        """Move the waiting messages to the front and link them anew."""
        alive = (self._kind[: self._size] != _READ).nonzero()[0]
        for column in (self._kind, *self._pool.values()):
            column[: alive.size] = column[alive]
        self._size, self._gone = alive.size, 0
        self._head[:] = _NONE
        self._link(self._pool["user"][: self._size], np.arange(self._size, dtype=np.int32))

    def _link(self, user: Array, node: I32) -> None:
        """Put nodes in front of their users' lists."""
        order = np.argsort(user)
        user, node = user[order], node[order]
        first = segments.first(user)
        self._next[node[1:]] = node[:-1]
        self._next[node[first]] = self._head[user[first]]
        last = np.empty_like(first)  # the row before the next user's first
        last[:-1], last[-1:] = first[1:], True
        self._head[user[last]] = node[last]

    def _walk(self, users: I32, before: int, woken: Bools | None, wakes: Iterable[str]) -> tuple[I64, I32]:
        """The messages that these users take off their lists, with who reads each."""
        reader, node = np.arange(users.size), self._head[users]
        found: list[tuple[I64, I32]] = []
        while (on := node >= 0).any():
            reader, node = reader[on], node[on]
            found.append((reader, node))
            node = self._next[node]
        if not found:
            return reader[:0], node[:0]
        reader, node = np.concatenate([r for r, _ in found]), np.concatenate([m for _, m in found])
        self._head[users] = _NONE
        alive = self._kind[node] != _READ
        early = self._pool["time"][node] < before
        if woken is not None and woken.any():
            early &= ~woken[reader] | np.isin(self._kind[node], [self._code(kind) for kind in wakes])
        stay = alive & ~early
        if stay.any():
            self._link(users[reader[stay]], node[stay])
        take = alive & early
        return reader[take], node[take]

    def _forget(self, node: Array) -> None:
        self._kind[node] = _READ
        self._gone += node.size

    def _by_kind(self, kind: I64, reader: I64, node: I32) -> dict[str, tuple[R, I64]]:
        """Rows and readers of the messages found, kinds by name."""
        order = np.argsort(kind, kind="stable")
        kind, reader, node = kind[order], reader[order], node[order]
        columns = {name: column[node] for name, column in self._pool.items()}
        names = sorted(self._kinds)
        begin = segments.starts(kind)
        out = {}
        for a, b in zip(begin.tolist(), [*begin[1:].tolist(), kind.size], strict=False):
            rows = self._make(b - a, **{name: column[a:b] for name, column in columns.items()})
            out[names[kind[a]]] = (rows, reader[a:b])
        return out

    def _rows(self, node: Array) -> R:
        columns = self._pool if node.size else {}
        return self._make(node.size, **{name: column[node] for name, column in columns.items()})


def _grown(array: Array, size: int) -> Array:
    out = np.zeros(size, array.dtype)
    out[: array.size] = array
    return out
