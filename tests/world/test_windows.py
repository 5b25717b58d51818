"""Windows against a list of all of them."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.units import DAY, HOUR
from sim.world.windows import NEVER, Dated, Windowed, Windows

START = date(2025, 3, 3)
some = st.builds(
    Dated,
    start=st.none() | st.dates(START - timedelta(days=9), START + timedelta(days=9)),
    day=st.integers(0, 9),
    hour=st.integers(0, 23),
    hours=st.integers(1, 60),
    times=st.integers(1, 4),
    every_days=st.integers(1, 5),
)


def moment(tick: int = 0, **shared: Any) -> Any:
    """A view of a tick of six hours."""
    clock = SimpleNamespace(start=tick * 6 * HOUR, end=(tick + 1) * 6 * HOUR)
    return SimpleNamespace(clock=clock, calendar=SimpleNamespace(start=START), state={"merchant": shared})


def spans(p: Dated) -> list[tuple[int, int]]:
    """All windows, one by one."""
    first = ((p.start - START).days if p.start else p.day) * DAY + p.hour * HOUR
    return [(first + k * p.every_days * DAY, first + k * p.every_days * DAY + p.hours * HOUR) for k in range(p.times)]


@given(st.lists(st.none() | some, min_size=1, max_size=3), st.integers(0, 25 * DAY))
def test_the_window_that_runs_or_comes_next(params: list[Dated | None], time: int) -> None:
    found = Windows(params).at(moment(), np.arange(len(params)), time)
    for p, begin, end in zip(params, *found, strict=True):
        left = [span for span in spans(p) if span[1] > time] if p else []
        assert (begin, end) == (left[0] if left else (NEVER, NEVER))


@given(some, st.integers(0, 60), st.integers(0, 3 * DAY))
def test_a_window_touches_every_tick_in_which_a_second_of_it_lies(p: Dated, tick: int, before: int) -> None:
    view = moment(tick)
    near = [begin < view.clock.end + before and end > view.clock.start for begin, end in spans(p)]
    assert Windows([p]).touching(view, before).tolist() == [any(near)]


@given(st.lists(st.none() | some, min_size=1, max_size=3), st.integers(1, 20))
def test_dates_are_all_windows_of_the_horizon(params: list[Dated | None], days: int) -> None:
    rows = Windows(params).dates(moment(), days)
    wanted = [
        (merchant, max(begin, 0), end, number)
        for merchant, p in enumerate(params)
        if p
        for number, (begin, end) in enumerate(spans(p))
        if begin < days * DAY and end > 0
    ]
    got = zip(*(x.tolist() for x in (rows.merchant, rows.time, rows.detail, rows.quantity)), strict=True)
    assert list(got) == wanted


def test_in_a_campaign_the_columns_of_the_campaign_count() -> None:
    joint, own = Windowed(when="campaign", day=0), Windowed(day=5, hours=1)
    windows, merchant = Windows([joint, own]), np.array([0, 1])
    shared = {"campaign_start": np.array([100, 100]), "campaign_end": np.array([200, 200])}
    for time, begin in ((0, 100), (199, 100), (200, NEVER)):
        assert windows.at(moment(**shared), merchant, time)[0].tolist() == [begin, 5 * DAY]
    assert windows.at(moment(), merchant, 0)[0].tolist() == [NEVER, 5 * DAY]  # nobody runs campaigns here
    assert windows.dates(moment(), 9).merchant.tolist() == [1]
