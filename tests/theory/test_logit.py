"""Choice against the multinomial logit: exp(u) / sum of exp(u), outside option included (McFadden 1974).

With standard Gumbel noise on every option the shares are the logit's. The noise of `people.buy` has two parts: one of
the session, standard Gumbel, and `frozen_weight` times another that lasts for life. Their sum is *not* Gumbel (only
mean and variance add up), so what is exactly true is this: given a person's lasting taste, her choices from day to
day are logit; over all people they are a mixed logit, the mean of those logits, here computed by quadrature. With
`frozen_weight` 0 it is the plain logit; with the default of 0.5 a market is a little less elastic than that.

*Made neutral:* every page shown is opened (`click_rate` 1, `click_weight` 0), quality, taste and the level of prices
do not count (weights 0); in the run also trust in the shop, and sales elsewhere.
"""

import numpy as np
import pytest

from sim import draws
from sim.kernels.choice import discrete_choice
from sim.people.buy import Buy
from tests.theory.chance import Z, agrees, agrees_share
from tests.theory.town import DRINKER, SURE, play
from tests.views import make_view, mechanism, seat, show

N = 20_000
NEUTRAL = {"taste_weight": 0.0, "quality_weight": 0.0, "level_elasticity": 0.0}
PLAIN = {**NEUTRAL, "click_rates": {}, "click_rate": SURE, "click_weight": 0.0}
UTILITY, OUTSIDE = np.array([0.0, 1.0, -0.5]), 0.5


def logit(utility, outside):
    """Shares of the options and of staying away, last."""
    weight = np.exp(np.append(utility, outside))
    return weight / weight.sum()


def mixed_logit(utility, outside, frozen):
    """The same with lasting noise: of each option the chance that it is the largest, by the distributions of all."""
    x, g = np.linspace(-12, 40, 2_601), np.linspace(-4, 25, 726)
    density = np.exp(-g - np.exp(-g))
    density /= density.sum()
    below = [np.exp(-np.exp(-(x[:, None] - u - frozen * g))) @ density for u in utility]
    below.append(np.exp(-np.exp(-(x - outside))))
    steps = [np.diff(one) for one in below]
    middle = [(one[1:] + one[:-1]) / 2 for one in below]
    return np.array(
        [(step * np.prod(middle[:j] + middle[j + 1 :], axis=0)).sum() for j, step in enumerate(steps)]
    )  # fmt: skip


def choices(view, **params):
    """What each session buys of three products with these utilities: 0, 1, 2, or 3 for nothing."""
    n = view.world.n
    show(view, np.repeat(np.arange(n), 3), np.tile(np.arange(3), n), appeal=np.tile(UTILITY, n))
    chosen = mechanism(Buy, view, nothing=OUTSIDE, **PLAIN, **params).choose(view).chosen
    bought = np.full(n, 3)
    bought[view.exposures.session[chosen]] = view.exposures.product[chosen]
    return bought


def check(counts, shares, n):
    for hits, wanted in zip(counts, shares, strict=True):
        agrees_share(hits, n, wanted, within=0.15)


def test_the_kernel_chooses_with_the_shares_of_the_logit():
    session, option = np.repeat(np.arange(2 * N), 3), np.tile(np.arange(3), 2 * N)
    keys = draws.keys(1, "choice", 2 * N)
    noisy = UTILITY[option] + draws.gumbel("test/noise", keys[session], option)
    away = OUTSIDE + draws.gumbel("test/outside", keys)
    chosen = discrete_choice(session, noisy, away, draws.bits("test/tie", keys[session], option))
    check(np.bincount(np.where(chosen < 0, 3, chosen % 3)), logit(UTILITY, OUTSIDE), 2 * N)


def test_buyers_choose_with_the_shares_of_the_logit():
    bought = choices(make_view(N), frozen_weight=0.0)
    check(np.bincount(bought), logit(UTILITY, OUTSIDE), N)


def test_given_lasting_taste_choices_are_those_of_a_logit():
    """Sums of independent trials, each with its own chance, against the sums of the chances."""
    view, frozen, days = make_view(N // 4), 1.5, 5
    number = view.world.product_number(np.arange(3))
    lasting = draws.gumbel("people.buy/frozen", view.world.user_key[:, None], number)
    chance = np.array([logit(UTILITY + frozen * taste, OUTSIDE) for taste in lasting])
    counts = np.zeros(4)
    for day in range(days):
        counts += np.bincount(choices(seat(view, day=day), frozen_weight=frozen), minlength=4)
    error = np.sqrt(days * (chance * (1 - chance)).sum(axis=0))
    for hits, wanted, one in zip(counts, days * chance.sum(axis=0), error, strict=True):
        agrees(hits, wanted, one, within=0.1)


@pytest.mark.parametrize("frozen", [0.5, 1.5])
def test_over_all_people_choices_are_those_of_the_mixed_logit(frozen):
    shares = mixed_logit(UTILITY, OUTSIDE, frozen)
    assert shares.sum() == pytest.approx(1.0, abs=1e-4)
    assert mixed_logit(UTILITY, OUTSIDE, 0.0) == pytest.approx(logit(UTILITY, OUTSIDE), abs=1e-4)
    check(np.bincount(choices(make_view(N), frozen_weight=frozen)), shares, N)


def test_the_sum_of_both_parts_of_the_noise_is_no_gumbel():
    """The plain logit is refuted, with the scale of the noise's whole variance as with scale 1."""
    frozen = 1.5
    bought = np.bincount(choices(make_view(N), frozen_weight=frozen)) / N
    for scale in (1.0, np.sqrt(1 + frozen**2)):
        shares = logit(UTILITY / scale, OUTSIDE / scale)
        assert (np.abs(bought - shares) > 2 * Z * np.sqrt(shares * (1 - shares) / N)).any()


@pytest.mark.slow
def test_in_a_run_who_opens_k_like_pages_buys_with_the_share_of_k_against_the_outside(tmp_path):
    """k / (k + exp(attraction)), session by session, from the ledger alone."""
    attraction = 1.0
    tea = ", ".join(f"tea_{number}: {{category: tea, price: 90}}" for number in range(6))
    ledger = play(
        f"""
title: Six teas alike
record: all
horizon: {{start: 2025-03-03, days: 4, tick: 12h}}
world: {{people: {{count: 4000}}, graph: {{networkx: {{generator: empty_graph}}}}, groups: {{per_person: 0}}}}
platform: {{rules: {{}}, rivals: {{attraction: {attraction}, sale_attraction: 0}}}}
people:
  browse: {{opens: 1}}
  buy: {{click_rates: {{}}, click_rate: 0.7, click_weight: 0, taste_weight: 0, quality_weight: 0, level_elasticity: 0,
    frozen_weight: 0}}
merchants:
  tea_house:
    products: {{{tea}}}
    channels: {{store: {{discovery: 1, score_exponent: 0, trust: 0, return_visit: 0}}}}
    operations: {{inventory: {{opening: 1000000}}}}
""",
        tmp_path,
        taste=DRINKER,
        activity=10,
        attention=100,
    )
    sessions = ledger.rows(
        """with seen as (select cause, count(*) k from events where kind = 'view' group by cause),
                bought as (select cause from events where kind = 'order')
           select k, count(*), count(bought.cause) from seen left join bought using (cause) group by k order by k"""
    )
    assert [k for k, _, _ in sessions] == [1, 2, 3, 4]
    for k, n, orders in sessions:
        agrees_share(orders, n, k / (k + np.exp(attraction)), within=0.2)
