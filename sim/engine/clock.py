"""The clock of the few: SimPy owns time, ticks, agendas and errands. The only file that imports simpy.

A tick is handled at the end of its window, when everything that happens in it is known; whatever a process hands
over carries its own second and is settled in that order, not in the order in which processes ran.
"""

from collections.abc import Callable, Generator
from typing import Protocol

import numpy as np
import simpy
from simpy.events import EventPriority

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


class TickClock:
    """Drives an engine through its horizon and on until every open gift and parcel has ended."""

    def __init__(self, engine: Driven, tick_seconds: int, ticks: int, longest: int) -> None:
        """`ticks` in the horizon; at most `longest` ticks in all."""
        self._environment = simpy.Environment()
        self._engine = engine
        self._tick_seconds = tick_seconds
        self._ticks = ticks
        self._longest = longest
        self._waiting = 0  # errands that are not handed over yet

    def follow(self, kind: str, rows: Records) -> None:
        """Start a process that hands over each entry of an agenda, or each errand, when its time has come."""
        if rows.n:
            self._waiting += rows.n
            self._environment.process(self._errands(kind, rows.take(rows.order())))

    def run(self, told: Callable[[], None] = lambda: None) -> None:
        """Run to the end; `told` is called after each tick."""
        self._environment.run(until=self._environment.process(self._tick(told)))

    def _tick(self, told: Callable[[], None]) -> Steps:
        for tick in range(self._longest):
            if tick >= self._ticks and not self._waiting and self._engine.idle():
                return
            yield self._environment.timeout(self._tick_seconds)
            self._engine.advance(tick)
            told()

    def _errands(self, kind: str, rows: Records) -> Steps:
        times, first = np.unique(rows.time, return_index=True)
        for time, rows_then in zip(times.tolist(), np.split(np.arange(rows.n), first[1:]), strict=True):
            if time > self._environment.now:
                yield self._environment.timeout(time - self._environment.now)
            self._waiting -= rows_then.size
            self._engine.hand(kind, rows.take(rows_then))


class Stepped(Protocol):
    """What the event clock drives: an engine that begins and ends ticks, and whose processes run in between."""

    def begin(self, tick: int) -> None:
        """Begin the tick whose window begins now."""

    def end(self, tick: int) -> None:
        """End the tick whose window has just ended, after all that waited for its end."""

    def idle(self) -> bool:
        """Whether nothing is left to come to its end."""


class EventClock:
    """A SimPy process for each session and each timer, and one for the ticks; at one second lower ranks go first."""

    def __init__(self, tick_seconds: int) -> None:
        self._environment = simpy.Environment()
        self._tick_seconds = tick_seconds
        self._ending = self._environment.event()

    def start(self, steps: Steps) -> None:
        """Start a process."""
        self._environment.process(steps)

    def until(self, time: int, rank: int) -> simpy.Event:
        """What a process waits for until a second, after the tick that begins then has begun."""
        event = self._environment.event()
        event._ok, event._value = True, None  # as simpy's own Timeout does
        # simpy takes any integer as priority, though it names only four of them
        self._environment.schedule(event, EventPriority(2 + rank), time - self._environment.now)
        return event

    def until_end(self) -> simpy.Event:
        """What a process waits for until the end of the present tick."""
        return self._ending

    def run(self, engine: Stepped, ticks: int, longest: int, told: Callable[[], None]) -> None:
        """Run the horizon of `ticks` ticks, and on until the engine is idle."""
        self._environment.run(until=self._environment.process(self._tick(engine, ticks, longest, told)))

    def _tick(self, engine: Stepped, ticks: int, longest: int, told: Callable[[], None]) -> Steps:
        for tick in range(longest):
            if tick >= ticks and engine.idle():
                return
            engine.begin(tick)
            yield self._environment.timeout(self._tick_seconds)
            self._ending.succeed()
            yield self._ending  # whoever waited for it goes before
            self._ending = self._environment.event()
            engine.end(tick)
            told()
