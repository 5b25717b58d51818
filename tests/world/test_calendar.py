from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.world.calendar import FESTIVALS, HOUR_PROFILE, Calendar, day_of_year

# Dates as published (State Council holiday notices; Hong Kong Observatory conversion tables).
OFFICIAL = {
    "Spring Festival": (
        "2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 2029-02-13 "
        "2030-02-03"
    ),
    "Lantern Festival": "2024-02-24 2025-02-12 2026-03-03",
    "Dragon Boat Festival": (
        "2020-06-25 2021-06-14 2022-06-03 2023-06-22 2024-06-10 2025-05-31 2026-06-19 2027-06-09 2028-05-28 2029-06-16 "
        "2030-06-05"
    ),
    "Qixi": "2020-08-25 2021-08-14 2022-08-04 2023-08-22 2024-08-10 2025-08-29 2026-08-19",
    "Mid-Autumn Festival": (
        "2020-10-01 2021-09-21 2022-09-10 2023-09-29 2024-09-17 2025-10-06 2026-09-25 2027-09-15 2028-10-03 2029-09-22 "
        "2030-09-12"
    ),
    "Mother's Day": "2023-05-14 2024-05-12 2025-05-11 2026-05-10",
    "Valentine's Day": "2025-02-14",
    "Women's Day": "2025-03-08",
    "520": "2025-05-20",
    "618": "2025-06-18",
    "National Day": "2025-10-01 2026-10-01",
    "Double 11": "2025-11-11",
    "Double 12": "2025-12-12",
    "Christmas": "2025-12-25",
}


@pytest.fixture(scope="module")
def decade() -> Calendar:
    return Calendar(date(2020, 1, 1), 366 * 11)


@pytest.mark.parametrize(("name", "day"), [(name, day) for name, days in OFFICIAL.items() for day in days.split()])
def test_festivals_fall_on_their_official_dates(decade: Calendar, name: str, day: str) -> None:
    assert decade.name_of(decade.day_of(date.fromisoformat(day))) == name


def test_no_festival_is_missing_or_doubled(decade: Calendar) -> None:
    assert {festival.name for festival in FESTIVALS} == set(OFFICIAL)
    days = [day for day in range(decade.days) if decade.date_of(day).year == 2025 and decade.name_of(day)]
    assert len(days) == len({decade.name_of(day) for day in days}) == len(FESTIVALS)


@given(st.dates(date(2000, 1, 1), date(2080, 12, 31)), st.integers(1, 500), st.integers(0, 499))
def test_days_and_dates(start: date, days: int, day: int) -> None:
    calendar = Calendar(start, days)
    when = calendar.date_of(day)
    assert when == start + timedelta(days=day)
    assert calendar.day_of(when) == day
    if day < days:
        assert (calendar.weekday[day], calendar.month[day]) == (when.weekday(), when.month)


def test_birthdays_keep_their_date_in_leap_years() -> None:
    assert [day_of_year(date(year, 1, 1)) for year in (2023, 2024)] == [0, 0]
    assert [day_of_year(date(year, 12, 31)) for year in (2023, 2024)] == [364, 364]
    assert [day_of_year(date(2024, 2, day)) for day in (28, 29)] == [58, 58]
    assert {day_of_year(date(year, 3, 1)) for year in range(2000, 2030)} == {59}


def test_the_urge_to_give_rises_before_a_festival_and_falls_after_it() -> None:
    calendar = Calendar(date(2025, 7, 1), 120)
    qixi = calendar.day_of(date(2025, 8, 29))
    before = calendar.gift_pull[qixi - 8 : qixi + 1]
    assert before[0] == 0
    assert (np.diff(before) > 0).all()
    assert before[-1] == 0.7
    assert (calendar.gift_pull[qixi + 1 : qixi + 10] == 0).all()


def test_the_pull_of_a_festival_after_the_last_day_is_felt() -> None:
    calendar = Calendar(date(2024, 12, 20), 30)  # Spring Festival 2025 is on day 40, its lead 14 days
    assert calendar.gift_pull[26:].tolist() == pytest.approx([1 / 15, 2 / 15, 3 / 15, 4 / 15])


def test_pulls_stay_between_none_and_one(decade: Calendar) -> None:
    for pull in (decade.gift_pull, decade.sale_pull):
        assert pull.min() == 0
        assert pull.max() == 1
    strongest = {decade.name_of(int(day)) for day in np.flatnonzero(decade.gift_pull == 1)}
    assert strongest == {"Spring Festival"}
    assert {decade.name_of(int(day)) for day in np.flatnonzero(decade.sale_pull == 1)} == {"Double 11"}
    for festival in FESTIVALS:
        assert festival.gift > 0 or festival.sale > 0


def test_hours_and_weekdays_are_weights_of_a_mean_day(decade: Calendar) -> None:
    assert decade.hour_profile is HOUR_PROFILE
    assert HOUR_PROFILE.shape == (24,)
    assert HOUR_PROFILE.dtype == np.int64
    assert (HOUR_PROFILE > 0).all()
    assert HOUR_PROFILE.argmin() in range(2, 6)
    assert HOUR_PROFILE.argmax() in range(19, 24)
    assert decade.day_factor[:7].mean() == pytest.approx(1.0)


def test_nobody_can_write_to_a_calendar(decade: Calendar) -> None:
    with pytest.raises(ValueError, match="read-only"):
        decade.gift_pull[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        decade.hour_profile[0] = 1
