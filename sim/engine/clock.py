"""The clock of the few: SimPy owns time, ticks, agendas and errands. The only file that imports simpy.

A tick is handled at the end of its window, when everything that happens in it is known; whatever a process hands
over carries its own second and is settled in that order, not in the order in which processes ran.
"""

from collections.abc import Callable, Generator
from typing import Protocol

import numpy as np
import simpy

from sim.ledger.schema import Records

Steps = Generator[simpy.Event, None, None]


class Driven(Protocol):
    """What the clock drives: an engine."""

    def advance(self, tick: int) -> None:
        """Handle the tick whose window has just ended."""

    def hand(self, kind: str, rows: Records) -> None:
        """Take requests of the few, each due at its own second."""

    def idle(self) -> bool:
        """Whether nothing is left to come to its end."""


class Clock:
    """Drives an engine through its horizon and on until every open gift and parcel has ended."""

    def __init__(self, engine: Driven, tick_seconds: int, ticks: int, longest: int) -> None:
        """`ticks` in the horizon; at most `longest` ticks in all."""
        self._environment = simpy.Environment()
        self._engine = engine
        self._tick_seconds = tick_seconds
        self._ticks = ticks
        self._longest = longest

    def follow(self, kind: str, rows: Records) -> None:
        """Start a process that hands over each entry of an agenda, or each errand, when its time has come."""
        if rows.n:
            self._environment.process(self._errands(kind, rows.take(rows.order())))

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Run to the end, or until `stop()` is true at the end of a tick."""
        self._environment.run(until=self._environment.process(self._tick(stop)))

    def _tick(self, stop: Callable[[], bool]) -> Steps:
        for tick in range(self._longest):
            if tick >= self._ticks and self._engine.idle():
                return
            yield self._environment.timeout(self._tick_seconds)
            self._engine.advance(tick)
            if stop():
                return

    def _errands(self, kind: str, rows: Records) -> Steps:
        times, first = np.unique(rows.time, return_index=True)
        for time, rows_then in zip(times.tolist(), np.split(np.arange(rows.n), first[1:]), strict=True):
            if time > self._environment.now:
                yield self._environment.timeout(time - self._environment.now)
            self._engine.hand(kind, rows.take(rows_then))
