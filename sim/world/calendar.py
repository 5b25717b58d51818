"""The calendar: real dates, weekdays, the hours of the day, Chinese festivals and shopping festivals."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from sim.units import F64, I64, Array

# Share of a day's sessions that begin in each hour, per mille (assumed: low at night, peaks at lunch and at 20-22 h).
HOUR_PROFILE = np.array(
    [14, 7, 4, 3, 3, 6, 16, 32, 44, 48, 50, 54, 66, 56, 46, 44, 45, 48, 56, 66, 80, 88, 76, 48], np.int64
)
HOUR_PROFILE.setflags(write=False)
WEEKDAY_FACTOR = np.array([0.97, 0.96, 0.97, 0.98, 1.00, 1.06, 1.06])  # sessions, Monday first (assumed)


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _lunar(month: int, day: int) -> Callable[[int], date]:
    def of(year: int) -> date:
        from borax.calendars.lunardate import LunarDate

        found: date = LunarDate(year, month, day).to_solar_date()
        return found

    return of


def _mothers_day(year: int) -> date:
    """The second Sunday of May."""
    first = date(year, 5, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7)


@dataclass(frozen=True, slots=True)
class Festival:
    """A day of the year that moves people to give (`gift`) or to buy (`sale`), from `lead` days before it."""

    name: str
    of: Callable[[int], date]
    lead: int = 0  # days before the festival on which the pull rises (assumed)
    gift: float = 0.0  # pull at its height, relative to the strongest (assumed)
    sale: float = 0.0
    lag: int = 0  # days after it on which the pull stays (assumed)


FESTIVALS = (
    Festival("Spring Festival", _lunar(1, 1), lead=14, gift=1.0, lag=3),
    Festival("Lantern Festival", _lunar(1, 15), lead=3, gift=0.2),
    Festival("Valentine's Day", _fixed(2, 14), lead=7, gift=0.7),
    Festival("Women's Day", _fixed(3, 8), lead=5, gift=0.5, sale=0.3),
    Festival("520", _fixed(5, 20), lead=7, gift=0.8),
    Festival("Mother's Day", _mothers_day, lead=7, gift=0.6),
    Festival("Dragon Boat Festival", _lunar(5, 5), lead=7, gift=0.5),
    Festival("618", _fixed(6, 18), lead=18, sale=0.8, lag=2),
    Festival("Qixi", _lunar(7, 7), lead=7, gift=0.7),
    Festival("Mid-Autumn Festival", _lunar(8, 15), lead=14, gift=0.9),
    Festival("National Day", _fixed(10, 1), lead=3, gift=0.3, sale=0.2, lag=6),
    Festival("Double 11", _fixed(11, 11), lead=11, sale=1.0, lag=1),
    Festival("Double 12", _fixed(12, 12), lead=3, sale=0.4),
    Festival("Christmas", _fixed(12, 25), lead=7, gift=0.4),
)


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The days of a scenario; every array has shape (days,)."""

    start: date
    days: int
    weekday: npt.NDArray[np.int8] = field(init=False)  # 0 is Monday
    month: npt.NDArray[np.int8] = field(init=False)  # 1..12
    day_of_year: npt.NDArray[np.int16] = field(init=False)  # 0..364, as in a year without 29 February
    festival: npt.NDArray[np.int8] = field(init=False)  # index into FESTIVALS, the first of two; -1 on an ordinary day
    gift_pull: F64 = field(init=False)  # 0..1, how strongly a festival moves people to give
    gift_festival: npt.NDArray[np.int8] = field(init=False)  # which one: index into FESTIVALS, -1 where none does
    sale_pull: F64 = field(init=False)  # 0..1, how strongly a shopping festival moves people to buy
    day_factor: F64 = field(init=False)  # sessions, relative to a mean day

    def __post_init__(self) -> None:
        dates = [self.start + timedelta(days=day) for day in range(self.days)]
        found = _festivals(self.start, self.days)
        weekday = np.array([d.weekday() for d in dates], np.int8)
        (gift, giving), (sale, _) = (_pull(found, self.days, what) for what in ("gift", "sale"))
        columns: dict[str, Array] = {
            "weekday": weekday,
            "month": np.array([d.month for d in dates], np.int8),
            "day_of_year": np.array([day_of_year(d) for d in dates], np.int16),
            "festival": _codes(found, self.days),
            "gift_pull": gift,
            "gift_festival": giving,
            "sale_pull": sale,
            "day_factor": WEEKDAY_FACTOR[weekday],
        }
        for name, column in columns.items():
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    @property
    def hour_profile(self) -> I64:
        """Weight of each hour of a day, shape (24,), integers."""
        return HOUR_PROFILE

    def date_of(self, day: int) -> date:
        """The date of a day of the scenario."""
        return self.start + timedelta(days=day)

    def day_of(self, when: date) -> int:
        """The day of the scenario on a date; negative before the start."""
        return (when - self.start).days

    def name_of(self, day: int) -> str:
        """The festival on a day, "" on an ordinary one."""
        code = int(self.festival[day])
        return FESTIVALS[code].name if code >= 0 else ""


def day_of_year(when: date) -> int:
    """0..364; 29 February counts as the 28th, so that birthdays keep their date."""
    if (when.month, when.day) == (2, 29):
        when = when.replace(day=28)
    return when.replace(year=2001).timetuple().tm_yday - 1


def _festivals(start: date, days: int) -> list[tuple[int, int]]:
    """(day, code) of every festival whose pull may reach the scenario."""
    years = range(start.year - 1, (start + timedelta(days=days)).year + 2)
    return [((festival.of(year) - start).days, code) for year in years for code, festival in enumerate(FESTIVALS)]


def _codes(found: list[tuple[int, int]], days: int) -> npt.NDArray[np.int8]:
    out = np.full(days, -1, np.int8)
    for day, code in found:
        if 0 <= day < days and out[day] < 0:
            out[day] = code
    return out


def _pull(found: list[tuple[int, int]], days: int, what: str) -> tuple[F64, npt.NDArray[np.int8]]:
    """The strongest pull of each day, rising evenly over the lead, full on the festival, half after it; and whose."""
    out, whose = np.zeros(days), np.full(days, -1, np.int8)
    for day, code in found:
        festival = FESTIVALS[code]
        height = getattr(festival, what)
        for offset in range(-festival.lead, festival.lag + 1):
            if height and 0 <= day + offset < days:
                share = (festival.lead + 1 + offset) / (festival.lead + 1) if offset <= 0 else 0.5
                if height * share > out[day + offset]:
                    out[day + offset], whose[day + offset] = height * share, code
    return out, whose
