"""Posts: when merchants publish (so many a month or a week), and which of them a reader has not seen yet."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np

from sim import draws
from sim.kernels import expand
from sim.ledger.schema import Records
from sim.units import DAY, HOUR, I64, Array
from sim.world.world import World

WEEK_DAYS = 7
MOST_PER_DAY = 3
MOST_PER_WEEK = MOST_PER_DAY * WEEK_DAYS


def months(start: date, days: int) -> tuple[I64, I64]:
    """The first day that the scenario has of each calendar month, and the month (year · 12 + month from 0)."""
    first = [(max(begin, start) - start, begin) for begin in _firsts(start, start + timedelta(days=days))]
    day, month = [gap.days for gap, _ in first], [_month(begin) for _, begin in first]
    return np.array(day, np.int64), np.array(month, np.int64)


def monthly(start: date, days: int, count: int) -> tuple[I64, I64, I64]:
    """Days of `count` posts spread evenly over each calendar month, within a scenario of `days` days.

    Returns (day, number of the post in its month from 0, month); post k of n is on day (2k + 1)·length // 2n of the
    month. The month and the number are a post's natural key.
    """
    rows = []
    for first in _firsts(start, start + timedelta(days=days)):
        length = (_following(first) - first).days
        offset = (first - start).days
        rows += [(offset + (2 * k + 1) * length // (2 * count), k, _month(first)) for k in range(count)]
    table = np.array([row for row in rows if 0 <= row[0] < days], np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _firsts(start: date, stop: date) -> list[date]:
    """The first of every month that has a day in [start, stop)."""
    out = []
    first = start.replace(day=1)
    while first < stop:
        out.append(first)
        first = _following(first)
    return out


def _following(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _month(when: date) -> int:
    return when.year * 12 + when.month - 1


def weekly(days: int, count: int) -> tuple[I64, I64]:
    """Days of `count` posts spread evenly over each week from the start; returns (day, number of the post that day)."""
    number = np.arange(count)
    within = number * WEEK_DAYS // max(count, 1)
    of_day = number - np.searchsorted(within, within)
    weeks = np.arange(-(-days // WEEK_DAYS)) * WEEK_DAYS
    day = (weeks[:, None] + within).ravel()
    inside = day < days
    return day[inside], np.tile(of_day, weeks.size)[inside]


def every_week(world: World, kind: str, days: int, who: Iterable[tuple[int, int, int]]) -> dict[str, Records]:
    """Posts of a kind on evenly spread days of each week, for an agenda.

    `who` gives merchant, posts a week and hour of the first of a day, which others follow hourly; the number of the
    post in its day goes to `detail`.
    """
    plans = []
    for merchant, count, hour in who:
        day, number = weekly(days, count)
        plans.append(plan(world, kind, merchant, day, hour + number, number, day * MOST_PER_DAY + number))
    return {kind: Records.concat(plans)}


def plan(world: World, kind: str, merchant: int, day: I64, hour: int | I64, number: I64, key: I64) -> Records:
    """The posts of a merchant as dated errands, featuring its products in turn; none if it has no products.

    `number` (of the post within the span that a quota counts) goes to `detail`; `key` is unique per merchant.
    """
    first, last = np.searchsorted(world.product["merchant"], [merchant, merchant + 1])
    if first == last:
        return Records(0)
    return Records(
        day.size,
        time=day * DAY + hour * HOUR,
        event=draws.child(world.merchant_key[merchant], kind, key),
        merchant=merchant,
        product=first + np.arange(day.size) % (last - first),
        detail=number,
    )


def unseen(posts: Records, merchant: Array, last_seen: Array, tick_seconds: int, since: I64) -> tuple[I64, I64]:
    """Which posts of a merchant a reader finds new: pairs (position in `merchant`, position in `posts`).

    `merchant` and `last_seen` describe the readers, shape (R,). A post is public from the end of the tick of its time;
    one from before the second `since` (by merchant, of all of them) has scrolled away.
    """
    order = np.argsort(posts.merchant, kind="stable")
    order = order[posts.time[order] >= since[posts.merchant[order]]]
    ranked = posts.merchant[order]
    reader, place = expand.expand(np.searchsorted(ranked, merchant), np.searchsorted(ranked, merchant, side="right"))
    at = order[place]
    public = (posts.time[at] // tick_seconds + 1) * tick_seconds
    new = last_seen[reader] < public
    return reader[new], at[new]
