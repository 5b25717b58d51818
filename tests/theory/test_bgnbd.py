"""Buying again against the BG/NBD model (Fader, Hardie and Lee 2005): a lone customer base, and nothing else on.

A customer orders at a rate of her own, gamma with shape r and scale 1/α, and after each repeat order is gone for good
with a chance of her own, beta(a, b). Closed forms, t after the first order (their equations 8, 9 and 10):

    P(X(t) = x) = B(a, b+x)/B(a, b) · Γ(r+x)/(Γ(r) x!) · (α/(α+t))^r (t/(α+t))^x
                  + [x > 0] B(a+1, b+x-1)/B(a, b) · (1 - (α/(α+t))^r Σ_{j<x} Γ(r+j)/(Γ(r) j!) (t/(α+t))^j)
    E[X(t)] = (a+b-1)/(a-1) · (1 - (α/(α+t))^r 2F1(r, b; a+b-1; t/(α+t)))
    P(alive | x, t_x, T) = 1 / (1 + [x > 0] a/(b+x-1) · ((α+T)/(α+t_x))^(r+x))
    E[Y(t) | x, t_x, T] = (a+b+x-1)/(a-1) · (1 - ((α+T)/(α+T+t))^(r+x) 2F1(r+x, b+x; a+b+x-1; t/(α+T+t))) · P(alive)

*The run:* people who all bought once at second 0 (the opening state that the test gives `people.repurchase`) open
WeChat once a day; one merchant without any channel. *Made neutral:* every need is remembered and met (`recall`, `met`
1), none is delayed (`cycle_share` 0; nothing is late or refused), what is needed is seen, clicked and bought
(`appeal` 20, `nothing` -100, attention). Of needs that come between two sessions only one is met: the panel of the
paper is slowed down (its 4.414 weeks are 441.4 days here), so that they are few: a customer with the rate λ loses the
part λ/2 of her needs, all together lose (r + 1) / (2 α), 0.14 % of the panel's and 0.22 % of the eager ones'.
"""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import betaln, gammaln, hyp2f1

from sim.people.repurchase import Repurchase
from sim.units import DAY
from sim.world.state import SLOTS
from tests.theory.chance import agrees, agrees_mean, agrees_share, fits
from tests.theory.town import SURE, play

pytestmark = pytest.mark.slow  # `make test` runs it

PEOPLE, DAYS = 4_000, 720
A, B = 0.793, 2.426  # facts: repurchase.public_base_bgnbd
BASES = {"panel": (0.243, 441.4), "eager": (0.8, 400.0)}  # r, and α in days
SOON, LATE = DAYS // 2, DAYS


class Base(NamedTuple):
    """A customer base, and its repeat orders: who, and on which day (a fraction), ordered by both."""

    r: float
    alpha: float
    user: np.ndarray
    day: np.ndarray

    def count(self, begin, end):
        """Orders of each customer between two days."""
        return np.bincount(self.user[(self.day >= begin) & (self.day < end)], minlength=PEOPLE)


def bought_once(mechanism):
    """Everybody knows the one merchant and ordered at second 0."""
    n = mechanism.world.n
    merchant = np.full((n, SLOTS), -1)
    merchant[:, 0] = 0
    once = (merchant == 0).astype(np.int64)
    return {("slot", "merchant"): merchant, ("slot", "orders"): once, ("slot", "last_order"): once - 1}


@pytest.fixture(scope="module", params=BASES)
def base(request, tmp_path_factory):
    r, alpha = BASES[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repurchase, "initial", bought_once)
        ledger = play(
            f"""
title: Who comes back
horizon: {{start: 2025-01-01, days: {DAYS}, tick: 1d}}
world: {{people: {{count: {PEOPLE}}}, graph: {{networkx: {{generator: empty_graph}}}}, groups: {{per_person: 0}}}}
platform: {{rules: {{}}}}
people:
  browse: {{opens: 1}}
  buy: {{click_rates: {{}}, click_rate: {SURE}, click_weight: 0, nothing: -100}}
  repurchase: {{r: {r}, alpha: {alpha / 7}, a: {A}, b: {B}, met: 1, recall: 1, cycle_share: 0, appeal: 20}}
merchants:
  tea_house:
    products: {{cake: {{category: tea, price: 90}}}}
    operations: {{inventory: {{opening: 1000000}}, after_sale: {{late_delay: 0}}}}
""",
            tmp_path_factory.mktemp("base"),
            activity=10,
            attention=100,
        )
    rows = ledger.query('select "user", time from events where kind = \'order\' order by "user", time')
    return Base(r, alpha, rows["user"].to_numpy().astype(np.int64), rows["time"].to_numpy() / DAY)


def age(days):
    """Sessions are spread over the day: the last one is half a day before the end, on average."""
    return days - 0.5


def expected(base, t):
    """E[X(t)]."""
    z = t / (base.alpha + t)
    return (A + B - 1) / (A - 1) * (1 - (1 - z) ** base.r * hyp2f1(base.r, B, A + B - 1, z))


def pmf(base, t, most):
    """P(X(t) = 0), ..., P(X(t) = most)."""
    r, x, z = base.r, np.arange(most + 1), t / (base.alpha + t)
    as_if_alive = np.exp(gammaln(r + x) - gammaln(r) - gammaln(x + 1)) * (1 - z) ** r * z**x
    fewer = np.concatenate([[0.0], np.cumsum(as_if_alive)[:-1]])
    gone = np.exp(betaln(A + 1, B + np.maximum(x, 1) - 1) - betaln(A, B)) * (1 - fewer)
    return np.exp(betaln(A, B + x) - betaln(A, B)) * as_if_alive + np.where(x > 0, gone, 0.0)


def alive(base, x, last, T):
    """P(alive | x, t_x, T)."""
    odds = A / (B + np.maximum(x, 1) - 1) * ((base.alpha + T) / (base.alpha + last)) ** (base.r + x)
    return 1 / (1 + np.where(x > 0, odds, 0.0))


def to_come(base, x, last, T, t):
    """E[Y(t) | x, t_x, T]: orders in the next t days of a customer with x repeat orders until T, the last at t_x."""
    z = t / (base.alpha + T + t)
    rest = 1 - (1 - z) ** (base.r + x) * hyp2f1(base.r + x, B + x, A + B + x - 1, z)
    return (A + B + x - 1) / (A - 1) * rest * alive(base, x, last, T)


@pytest.mark.parametrize("days", [SOON, LATE])
def test_the_mean_number_of_repeat_orders_is_that_of_the_closed_form(base, days):
    agrees_mean(base.count(0, days), expected(base, age(days)), within=0.25)


def test_the_numbers_of_repeat_orders_are_distributed_as_in_the_closed_form(base):
    assert pmf(base, age(LATE), 500) @ np.arange(501) == pytest.approx(expected(base, age(LATE)), rel=1e-3)
    fits(base.count(0, LATE), pmf(base, age(LATE), 30))


@pytest.mark.parametrize("days", [SOON, LATE])
def test_as_many_never_come_back_as_the_gamma_mixture_says(base, days):
    never = (base.alpha / (base.alpha + age(days))) ** base.r
    assert never == pytest.approx(pmf(base, age(days), 0)[0])
    agrees_share((base.count(0, days) == 0).sum(), PEOPLE, never, within=0.1)


def test_what_customers_did_foretells_what_they_will_do(base):
    """P(alive) times what the living buy, over people with the same kind of history."""
    x, last, T = base.count(0, SOON), np.zeros(PEOPLE), age(SOON)
    before = base.day < SOON
    last[base.user[before]] = base.day[before]  # ordered by time: the last one stays
    silent = last < SOON / 2
    off = base.count(SOON, LATE) - to_come(base, x, last, T, float(LATE - SOON))
    groups = {"none": x == 0, "one, long ago": (x == 1) & silent, "one": (x == 1) & ~silent, "more": x > 1}
    for name, who in groups.items():
        assert who.sum() > 50, name
        foretold = to_come(base, x[who], last[who], T, float(LATE - SOON)).mean()
        agrees(foretold + off[who].mean(), foretold, off[who].std(ddof=1) / np.sqrt(who.sum()), within=0.8)
    chance = alive(base, x, last, T)
    assert chance[groups["one, long ago"]].mean() < chance[groups["one"]].mean() < 1  # the history tells
