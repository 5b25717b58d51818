"""Windows: the hours in which an offer is on, from a date or a day's number, once or again and again.

The n-th window (from 0) of a merchant is [first + n · every, first + n · every + hours). Leaves share a campaign's
window through the columns `merchant.campaign_start` and `merchant.campaign_end` of `offers.joint_campaign`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Literal, Protocol

import numpy as np

from sim.ledger.schema import Records
from sim.params import Params, Setting, param
from sim.units import DAY, HOUR, I64, Array, Bools
from sim.words import _

NEVER = 1 << 60  # a second that does not come


class Moment(Protocol):
    """What windows need of a view: the clock's tick, the calendar's first day, the shared columns."""

    clock: Any
    calendar: Any
    state: Any


class Dated(Params):
    """When an offer is on."""

    start: date | None = param(None, "first day of its window; by default `day`", unit="date")
    day: int = param(14, "the same as a number of days from the scenario's start", unit="days", ge=0, le=3_650)
    hour: int = param(0, "hour at which it begins", unit="hour of the day", ge=0, le=23)
    hours: int = param(48, "how long it lasts", unit="hours", ge=1, le=10_000)
    times: int = param(1, "how often it comes", unit="windows", ge=1, le=1_000)
    every_days: int = param(7, "days from the beginning of one to that of the next", unit="days", ge=1, le=3_650)

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """Windows outside the scenario, a campaign that nobody calls, dates that do not count."""
        when = getattr(self, "when", "dates")
        if when == "campaign" and "offers.joint_campaign" not in around.on:
            yield "when", _("there is no campaign; write `offers: {joint_campaign: {}}`, or `when: dates`")
        elif when != "dates":
            stated = [name for name in Dated.model_fields if name in self.model_fields_set]
            said = _("is not read when it is on {when}; leave it out, or write `when: dates`", when=when)
            yield from ((name, said) for name in stated)
        else:
            yield from self._outside(around)

    def _outside(self, around: Setting) -> Iterator[tuple[str, str]]:
        """That no window touches the days of the scenario."""
        first = (self.start - around.start).days if self.start is not None else self.day
        begin = [first * DAY + self.hour * HOUR + turn * self.every_days * DAY for turn in range(self.times)]
        if not any(start < around.days * DAY and start + self.hours * HOUR > 0 for start in begin):
            last = around.start + timedelta(around.days - 1)
            name = "day" if self.start is None else "start"
            said = _(
                "no window within the scenario's days, {first} to {last}; write a date or day of these",
                first=around.start,
                last=last,
            )
            yield name, said


class Windowed(Dated):
    """When an offer is on: on dates of its own, or in the merchant's joint campaign."""

    when: Literal["dates", "campaign"] = param(
        "dates", "on its own dates, or whenever the joint campaign runs", unit="name"
    )


class Standing(Dated):
    """When an offer is on that by itself has no end."""

    when: Literal["always", "dates", "campaign"] = param(
        "always", "always, on its own dates, or whenever the joint campaign runs", unit="name"
    )


class Windows:
    """The windows of all merchants; where there are no parameters there are no windows."""

    def __init__(self, params: Sequence[Any]) -> None:
        """`params` has one `Dated` or None per merchant; `when` is read where there is one."""
        self._date = _column(params, lambda p: p.start.toordinal() if p.start else -1, -1)
        self._day, self._hour = _column(params, lambda p: p.day), _column(params, lambda p: p.hour * HOUR)
        self._length = _column(params, lambda p: p.hours * HOUR)
        self._times = _column(params, lambda p: p.times)
        self._every = _column(params, lambda p: p.every_days * DAY, DAY)
        when = np.array(["" if p is None else getattr(p, "when", "dates") for p in params])
        self._joint, self._always = when == "campaign", when == "always"
        self._dated = bool((self._date >= 0).any())
        self._others = bool((self._joint | self._always).any())

    def at(self, view: Moment, merchant: Array, time: Array | int) -> tuple[I64, I64]:
        """First second of, and first second after, the window that runs at these seconds, else of the next.

        Both are `NEVER` where there is none to come. `merchant` and `time` broadcast.
        """
        first = self._first(view)[merchant]
        length, every = self._length[merchant], self._every[merchant]
        number = np.maximum((time - first - length) // every + 1, 0)
        begin = np.where(number < self._times[merchant], first + number * every, NEVER)
        end = np.where(begin < NEVER, begin + length, NEVER)
        return self._other(view, merchant, time, begin, end) if self._others else (begin, end)

    def touching(self, view: Moment, before: Array | int = 0) -> Array:
        """Merchants with a window that touches this tick, or begins at most `before` seconds after it; shape (m,)."""
        begin, _ = self.at(view, np.arange(self._day.size), view.clock.start)
        out: Array = begin < view.clock.end + before
        return out

    def inside(self, view: Moment, merchant: Array, time: Array) -> Bools:
        """Whether a window runs at these seconds."""
        begin, _ = self.at(view, merchant, time)
        out: Bools = begin <= time
        return out

    def dates(self, view: Moment, days: int) -> Records:
        """The windows on dates of their own that begin or still run within so many days.

        `time` is the beginning, but not before 0, `detail` the end, `quantity` the window's number.
        """
        own = self._times * ~(self._joint | self._always)
        merchant = np.repeat(np.arange(own.size), own)
        number = np.arange(merchant.size) - np.repeat(np.cumsum(own) - own, own)
        begin = self._first(view)[merchant] + number * self._every[merchant]
        end = begin + self._length[merchant]
        rows = Records(merchant.size, time=np.maximum(begin, 0), merchant=merchant, detail=end, quantity=number)
        return rows.take((begin < days * DAY) & (end > 0))

    def _first(self, view: Moment) -> I64:
        """The second at which each merchant's first window begins; negative before the scenario."""
        day = self._day
        if self._dated:
            day = np.where(self._date >= 0, self._date - view.calendar.start.toordinal(), day)
        return day * DAY + self._hour

    def _other(self, view: Moment, merchant: Array, time: Array | int, begin: I64, end: I64) -> tuple[I64, I64]:
        """The windows of campaigns, and of what is always on."""
        always, joint, shared = self._always[merchant], self._joint[merchant], view.state["merchant"]
        begin, end = np.where(always, -NEVER, begin), np.where(always, NEVER, end)
        if "campaign_end" not in shared:
            return np.where(joint, NEVER, begin), np.where(joint, NEVER, end)
        comes = shared["campaign_end"][merchant] > time
        from_, to = shared["campaign_start"][merchant], shared["campaign_end"][merchant]
        return (
            np.where(joint, np.where(comes, from_, NEVER), begin),
            np.where(joint, np.where(comes, to, NEVER), end),
        )


def _column(params: Sequence[Any], read: Any, default: int = 0) -> I64:
    return np.array([default if p is None else read(p) for p in params], np.int64)
