from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.ledger.schema import Records
from sim.units import DAY, HOUR
from sim.world import posts
from tests.views import make_world


def test_four_a_month_fall_in_the_middle_of_each_quarter_of_the_month() -> None:
    day, number, month = posts.monthly(date(2025, 1, 1), 59, 4)
    assert day.tolist() == [3, 11, 19, 27, 31 + 3, 31 + 10, 31 + 17, 31 + 24]
    assert number.tolist() == [0, 1, 2, 3] * 2
    assert np.unique(month).tolist() == [2025 * 12, 2025 * 12 + 1]


def test_months_begin_on_their_first_day_or_with_the_scenario() -> None:
    day, month = posts.months(date(2024, 12, 30), 40)
    assert day.tolist() == [0, 2, 33]
    assert month.tolist() == [2024 * 12 + 11, 2025 * 12, 2025 * 12 + 1]
    assert posts.months(date(2025, 1, 1), 31)[0].tolist() == [0]


@given(st.dates(date(2023, 1, 1), date(2027, 1, 1)), st.integers(1, 400), st.integers(0, 40))
def test_a_whole_month_holds_as_many_posts_as_were_planned(start: date, days: int, count: int) -> None:
    day, number, month = posts.monthly(start, days, count)
    assert ((day >= 0) & (day < days)).all()
    when = [start + timedelta(days=d) for d in day.tolist()]
    assert [d.year * 12 + d.month - 1 for d in when] == month.tolist()
    last = start + timedelta(days=days)
    for key in {d.year * 12 + d.month - 1 for d in when}:
        whole = date(key // 12, key % 12 + 1, 1) >= start and date((key + 1) // 12, (key + 1) % 12 + 1, 1) <= last
        assert not whole or sorted(number[month == key].tolist()) == list(range(count))


def test_a_later_start_drops_days_that_are_over_and_moves_none() -> None:
    early = posts.monthly(date(2025, 3, 1), 60, 4)
    late = posts.monthly(date(2025, 3, 10), 51, 4)
    kept = early[0] >= 9
    assert (late[0] + 9).tolist() == early[0][kept].tolist()
    assert late[1].tolist() == early[1][kept].tolist()


@pytest.mark.parametrize(("count", "days"), [(1, [0, 7]), (3, [0, 2, 4, 7, 9, 11]), (7, list(range(14))), (0, [])])
def test_weekly_posts_are_spread_over_the_week(count: int, days: list[int]) -> None:
    day, number = posts.weekly(14, count)
    assert day.tolist() == days
    assert not number.any()


def test_more_than_one_a_day_are_numbered_within_the_day() -> None:
    day, number = posts.weekly(7, 14)
    assert day.tolist() == np.repeat(np.arange(7), 2).tolist()
    assert number.tolist() == [0, 1] * 7


def test_a_plan_features_each_product_in_turn_and_addresses_each_post_by_its_key() -> None:
    world = make_world(users=10, merchants=2, products=3)
    day = np.arange(5)
    rows = posts.plan(world, "broadcast", 1, day, 20, day, day + 100)
    assert rows.product.tolist() == [3, 4, 5, 3, 4]
    assert (rows.time == day * DAY + 20 * HOUR).all()
    again = posts.plan(world, "broadcast", 1, day[2:], 9, day[2:], day[2:] + 100)
    assert (again.event == rows.event[2:]).all()
    assert np.unique(np.append(rows.event, posts.plan(world, "broadcast", 0, day, 20, day, day + 100).event)).size == 10


def test_unseen_is_what_a_plain_loop_finds() -> None:
    merchant = np.array([1, 0, 1, 1, 2])
    time = np.array([10, 20, 3_599, 3_600, 50]) + 7_200
    sent = Records(5, time=time, merchant=merchant, event=np.arange(1, 6))
    reader_of = np.array([0, 1, 1, 3])
    last_seen = np.array([-1, 10_800, 10_799, -1])
    since = np.array([7_220, 7_211, 0, 0])
    want = [
        (reader, post)
        for reader in range(4)
        for post in range(5)
        if merchant[post] == reader_of[reader]
        and time[post] >= since[merchant[post]]
        and last_seen[reader] < (time[post] // 3_600 + 1) * 3_600
    ]
    reader, post = posts.unseen(sent, reader_of, last_seen, 3_600, since)
    assert sorted(zip(reader.tolist(), post.tolist(), strict=True)) == want
    assert (2, 2) in want and (1, 2) not in want  # who came in the tick of the post meets it the next time
