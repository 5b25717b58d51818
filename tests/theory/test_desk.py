"""A service desk on the engine's clock: M/M/c against Erlang's formulas (1917).

Customers arrive as a Poisson process with rate λ, c clerks serve them first come first served, each in an
exponential time with rate μ. With a = λ/μ < c a customer waits with the probability of Erlang C and on average
C / (c μ - λ); the wait of those who wait is exponential with mean 1 / (c μ - λ).

The clock is `sim.engine.clock.TickClock`, which owns the time of all that is few: arrivals are an agenda, the end of
each service an errand that the desk sets itself, inside the tick in which the service began. The clock counts whole
seconds, so a service of half an hour is rounded by less than a part in 3,600; that is far below the standard errors.
One customer's wait follows from the last one's, so standard errors come from *cycles*: at each arrival at an empty
desk everything begins afresh, and the sums over cycles are independent (Crane and Iglehart 1975).
"""

import math
from collections import deque

import numpy as np
import pytest

from sim import draws
from sim.engine.clock import TickClock
from sim.ledger.schema import Records
from sim.units import DAY, HOUR
from tests.theory.chance import agrees

pytestmark = pytest.mark.slow  # `make test` runs it

SERVICE = 1_800  # seconds, mean
KEY = np.uint64(7)


class Desk:
    """Clerks and a queue; what the clock hands over at a second is handled at that second."""

    def __init__(self, clerks: int, service) -> None:
        self.free, self.queue, self.service = clerks, deque(), service
        self.waits: dict[int, int] = {}  # seconds, by customer
        self.empty: list[int] = []  # customers who found nobody there
        self.present, self.now, self.ticks = 0, 0, 0
        self.clock: TickClock

    def hand(self, kind: str, rows: Records) -> None:
        for time, customer in zip(rows.time.tolist(), rows.detail.tolist(), strict=True):
            assert self.now <= time
            self.now = time
            if kind == "arrival":
                if self.present == 0:
                    self.empty.append(customer)
                self.present += 1
                self.queue.append((time, customer))
            else:
                self.present -= 1
                self.free += 1
            if self.free and self.queue:
                self.serve(time)

    def serve(self, time: int) -> None:
        came, customer = self.queue.popleft()
        self.free -= 1
        self.waits[customer] = time - came
        self.clock.follow("end", Records(1, time=time + self.service[customer], detail=customer))

    def advance(self, tick: int) -> None:
        assert self.now <= (tick + 1) * HOUR
        self.ticks += 1

    def idle(self) -> bool:
        return self.present == 0


def erlang_c(clerks: int, load: float) -> float:
    """Probability that a customer waits."""
    last = load**clerks / math.factorial(clerks) * clerks / (clerks - load)
    return last / (math.fsum(load**k / math.factorial(k) for k in range(clerks)) + last)


def by_cycles(values, starts) -> tuple[float, float]:
    """The mean per customer and its standard error, from independent cycles that begin at these customers."""
    total = np.add.reduceat(values.astype(np.float64), starts)[:-1]  # the last cycle may not have ended
    count = np.diff(starts)
    mean = total.sum() / count.sum()
    return mean, math.sqrt(((total - mean * count) ** 2).sum()) / count.sum()


@pytest.fixture(scope="module", params=[(1, 0.5), (2, 1.3), (4, 2.6)], ids=["M/M/1", "M/M/2", "M/M/4"])
def day_after_day(request):
    """Clerks, load, the wait of each customer, where cycles begin, and seconds of service of each."""
    clerks, load = request.param
    customers = 25_000
    number = np.arange(customers)
    gaps = draws.exponential("test.desk/gap", KEY, number) * SERVICE / load
    service = np.rint(draws.exponential("test.desk/service", KEY, number) * SERVICE).astype(np.int64)
    arrival = np.floor(np.cumsum(gaps)).astype(np.int64)
    desk = Desk(clerks, service.tolist())
    days = int(arrival[-1]) // DAY + 1
    desk.clock = TickClock(desk, HOUR, days * DAY // HOUR, 2 * days * DAY // HOUR)
    desk.clock.follow("arrival", Records(customers, time=arrival, event=number + 1, detail=number))
    desk.clock.run()
    assert len(desk.waits) == customers and desk.ticks >= days * DAY // HOUR
    return clerks, load, np.array([desk.waits[i] for i in range(customers)]), np.array(desk.empty), service


def test_customers_wait_with_the_probability_of_erlang_c(day_after_day):
    clerks, load, wait, starts, _ = day_after_day
    waits, error = by_cycles(wait > 0, starts)
    agrees(waits, erlang_c(clerks, load), error, within=0.2)


def test_the_mean_wait_is_that_of_erlang(day_after_day):
    clerks, load, wait, starts, _ = day_after_day
    mean, error = by_cycles(wait, starts)
    agrees(mean, erlang_c(clerks, load) * SERVICE / (clerks - load), error, within=0.4)


def test_who_waits_waits_exponentially(day_after_day):
    """P(W > t) = C exp(-(c μ - λ) t), at the t that is the mean wait of those who wait."""
    clerks, load, wait, starts, _ = day_after_day
    longer, error = by_cycles(wait > SERVICE / (clerks - load), starts)
    agrees(longer, erlang_c(clerks, load) * math.exp(-1), error, within=0.4)


def test_each_customer_is_served_as_by_a_plain_loop(day_after_day):
    """The exact waits: each is served by the clerk who is free first (Kiefer and Wolfowitz 1955)."""
    clerks, load, wait, _, service = day_after_day
    gaps = draws.exponential("test.desk/gap", KEY, np.arange(wait.size)) * SERVICE / load
    free = [0] * clerks
    for time, lasted, waited in zip(np.floor(np.cumsum(gaps)).tolist(), service.tolist(), wait.tolist(), strict=True):
        begins = max(time, min(free))
        assert waited == begins - time
        free[free.index(min(free))] = begins + lasted
