"""Timers: what falls due later (a gift's deadline, a parcel, a return window), kept in one bucket per tick."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from sim.kernels import segments
from sim.kernels.order import settling, stable
from sim.kernels.rows import Rows

R = TypeVar("R", bound=Rows)


class Timers(Generic[R]):
    """A bucket queue of rows by the tick of their time, and by kind.

    `concat` joins tables of rows. What `due` returns does not depend on the order or the batches of `add`.
    """

    def __init__(self, tick_seconds: int, concat: Callable[[Iterable[R]], R]) -> None:
        self._tick_seconds = tick_seconds
        self._concat = concat
        self._buckets: dict[int, dict[str, list[R]]] = {}
        self._pending = 0

    def add(self, kind: str, rows: R) -> None:
        """Remember the rows until the tick of their time, which must not have been asked for yet."""
        if rows.n == 0:
            return
        self._pending += rows.n
        tick = rows.time // self._tick_seconds
        order = stable(tick - tick.min())
        tick, rows = tick[order], rows.take(order).whole()
        begin = segments.starts(tick).tolist()
        for start, stop in zip(begin, [*begin[1:], rows.n], strict=True):
            self._put(int(tick[start]), kind, rows.take(slice(start, stop)))

    def _put(self, tick: int, kind: str, rows: R) -> None:
        self._buckets.setdefault(tick, {}).setdefault(kind, []).append(rows)

    def take(self, tick: int, kind: str) -> R:
        """Take out the rows of one kind of this tick, as they were added."""
        return self._taken(self._buckets.get(tick, {}).pop(kind, []))

    def due(self, tick: int) -> dict[str, R]:
        """Take out the rows of this tick: kinds by name, each sorted by (time, event id)."""
        bucket = self._buckets.pop(tick, {})
        out = {}
        for kind in sorted(bucket):
            rows = self._taken(bucket[kind])
            out[kind] = rows if rows.n == 1 else rows.take(settling(rows.time, rows.event))
        return out

    def _taken(self, parts: list[R]) -> R:
        rows = self._concat(parts)
        self._pending -= rows.n
        return rows

    def pending(self) -> int:
        """How many rows wait."""
        return self._pending

    def last(self) -> int:
        """The largest tick for which rows wait, or -1."""
        return max(self._buckets, default=-1)
