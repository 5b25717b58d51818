"""Rounds: dated doings of a merchant that come back every so many days, such as live shows and lotteries."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sim.params import Setting
from sim.units import DAY, HOUR, I64, Array, Bools
from sim.words import _, marked


@dataclass(frozen=True, slots=True)
class Rounds:
    """When each merchant's rounds begin and how long they last; seconds, shape (m,) each. `every` is at least a day."""

    first: I64
    every: I64
    length: I64

    @classmethod
    def of(cls, first_day: Array, hour: Array, every_days: Array, length: Array) -> "Rounds":
        """Rounds that begin at that hour of these days; `length` in seconds, at most until the next round."""
        every = np.maximum(every_days.astype(np.int64), 1) * DAY
        first = first_day.astype(np.int64) * DAY + hour.astype(np.int64) * HOUR
        return cls(first, every, np.clip(np.rint(length).astype(np.int64), 1, every))

    def starts(self, merchant: int, days: int) -> I64:
        """When the rounds of a merchant begin that do so within so many days."""
        return np.arange(self.first[merchant], days * DAY, self.every[merchant])

    def number(self, merchant: Array, start: I64) -> I64:
        """The number of the round of each merchant that begins then, from 0: its natural key."""
        out: I64 = (start - self.first[merchant]) // self.every[merchant]
        return out

    def next(self, merchant: Array, time: Array) -> I64:
        """When the next round of each merchant begins after that second."""
        passed = (time.astype(np.int64) - self.first[merchant]) // self.every[merchant]
        out: I64 = self.first[merchant] + np.maximum(passed + 1, 0) * self.every[merchant]
        return out

    def running(self, merchant: Array, time: Array, stop: Array | int = 0) -> tuple[I64, Bools]:
        """When the last round of each merchant began that had begun at `time`, and whether it was still on at `stop`.

        `stop` is `time` if it is not given, and at most `time`: with a window's last second and its first, the answer
        is whether any round touches the window.
        """
        start = self.next(merchant, time) - self.every[merchant]
        on = (start >= self.first[merchant]) & (start + self.length[merchant] > (stop or time))
        return start, on


def too_late(first_day: int, around: Setting) -> Iterator[tuple[str, str]]:
    """A first round after the last day of the scenario, for `Params.idle`."""
    if first_day >= around.days:
        said = marked("the first is on day {day} of {days}; write a day from 0 to {last}")
        yield "first_day", _(said, day=first_day, days=around.days, last=around.days - 1)
