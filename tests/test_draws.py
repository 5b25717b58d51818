"""Addressed draws: as random as statistics can tell, and functions of their address alone.

Every statistic is held to four standard errors or to a significance of 1e-4. The seeds are fixed, so a test that
passes once passes always: these levels say how surprising a failure after a change would be.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim import draws

N = 100_000
LEVEL = 1e-4
EVENTS = draws.keys(1, "test", N)
ids = st.integers(0, 2**64 - 1).map(np.uint64)


def independent(a, b, cells=16):
    """The p-value of a chi-square test that two samples on (0, 1) are independent."""
    table = np.histogram2d(a, b, bins=cells, range=((0, 1), (0, 1)))[0]
    return stats.chi2_contingency(table).pvalue


# addresses ----------------------------------------------------------------------------------------------------


@given(ids, st.integers(0, 2**31))
def test_a_draw_is_a_function_of_its_address(event, index):
    many = draws.bits("a", np.array([3, event, 5], np.uint64), np.array([7, index, 9]))
    assert draws.bits("a", event, index)[0] == many[1]


def test_every_part_of_an_address_matters():
    event = np.uint64(77)
    base = draws.bits("a", event, 1)[0]
    assert base != draws.bits("b", event, 1)[0]
    assert base != draws.bits("a", event + np.uint64(1), 1)[0]
    assert base != draws.bits("a", event, 2)[0]


def test_draws_broadcast():
    assert draws.uniform("a", EVENTS[:4, None], np.arange(3)).shape == (4, 3)
    assert draws.uniform("a", EVENTS[0], np.arange(5)).shape == (5,)
    assert draws.uniform("a", EVENTS[:0]).shape == (0,)
    assert draws.chance("a", EVENTS[:3], np.array([0.0, 0.5, 1.0])).shape == (3,)
    grid = draws.bits("a", EVENTS[:4, None], np.arange(3))
    assert grid[2, 1] == draws.bits("a", EVENTS[2], 1)[0]


def test_an_index_may_be_any_integer_type():
    wide, narrow = np.arange(5), np.arange(5, dtype=np.int32)
    assert (draws.bits("a", EVENTS[:5], wide) == draws.bits("a", EVENTS[:5], narrow)).all()
    assert draws.bits("a", EVENTS[0], -1)[0] != draws.bits("a", EVENTS[0], 0)[0]


def test_mix_is_a_bijection_that_changes_half_the_bits():
    x = np.arange(N, dtype=np.uint64)
    assert np.unique(draws.mix(x)).size == N
    flipped = draws.mix(x[:, None] ^ (np.uint64(1) << np.arange(64, dtype=np.uint64)))[: N // 10]
    changed = np.bitwise_count(flipped ^ draws.mix(x)[: N // 10, None])
    assert np.abs(changed.mean(axis=0) - 32).max() < 1  # each input bit moves about half the output bits


# uniformity and independence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_uniform_over_users(seed):
    u = draws.uniform("test/u", draws.keys(seed, "user", N))
    assert stats.kstest(u, "uniform").pvalue > LEVEL
    assert u.min() > 0
    assert u.max() < 1


def test_uniform_over_indices_of_one_event():
    u = draws.uniform("test/u", EVENTS[5], np.arange(N))
    assert stats.kstest(u, "uniform").pvalue > LEVEL
    assert independent(u[:-1], u[1:]) > LEVEL


def test_uniform_over_consecutive_event_numbers():
    u = draws.uniform("test/u", np.arange(N, dtype=np.uint64))
    assert stats.kstest(u, "uniform").pvalue > LEVEL
    assert independent(u[:-1], u[1:]) > LEVEL


def test_every_bit_is_fair():
    bits = (draws.bits("test/bits", EVENTS)[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    ones = bits.sum(axis=0)
    assert (np.abs(ones.astype(float) - N / 2) < 5 * math.sqrt(N / 4)).all()  # 64 bits: 5 SE are 4e-5 in all


def test_parts_of_an_address_are_independent():
    base = draws.uniform("test/one", EVENTS)
    other_purpose = draws.uniform("test/two", EVENTS)
    other_index = draws.uniform("test/one", EVENTS, 1)
    child = draws.uniform("test/one", draws.child(EVENTS, "share"))
    for other in (other_purpose, other_index, child):
        assert independent(base, other) > LEVEL
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / math.sqrt(N)


def test_seeds_share_nothing():
    u = [draws.uniform("test/u", draws.keys(seed, "user", N)) for seed in (0, 1)]
    assert (u[0] != u[1]).all()
    assert independent(*u) > LEVEL


# distributions ------------------------------------------------------------------------------------------------


@given(ids, st.floats(0, 1), st.floats(0, 1))
def test_chance_is_monotone_in_its_probability(event, p, q):
    low, high = sorted((p, q))
    assert draws.chance("test/coin", event, low)[0] <= draws.chance("test/coin", event, high)[0]


@pytest.mark.parametrize("p", [0.001, 0.3, 0.999])
def test_chance_has_its_probability(p):
    assert abs(draws.chance("test/coin", EVENTS, p).mean() - p) < 4 * math.sqrt(p * (1 - p) / N)


def test_never_and_always():
    assert not draws.chance("test/coin", EVENTS, 0.0).any()
    assert draws.chance("test/coin", EVENTS, 1.0).all()


@pytest.mark.parametrize("bound", [1, 2, 7, 1_000])
def test_below_is_uniform_in_its_range(bound):
    drawn = draws.below("test/below", EVENTS, bound)
    assert drawn.dtype == np.int64
    counts = np.bincount(drawn, minlength=bound)
    assert counts.size == bound
    if bound > 1:
        assert stats.chisquare(counts).pvalue > LEVEL


def test_below_takes_a_bound_per_row():
    bound = np.array([1, 2, 3, 2**31 - 1])
    drawn = draws.below("test/below", EVENTS[:4000].reshape(1000, 4), bound)
    assert (drawn >= 0).all()
    assert (drawn < bound).all()
    assert drawn[:, 3].max() > 2**30


def test_exponential():
    drawn = draws.exponential("test/exp", EVENTS)
    assert abs(drawn.mean() - 1) < 4 / math.sqrt(N)
    assert abs(drawn.var() - 1) < 4 * math.sqrt(8 / N)  # fourth central moment 9
    assert stats.kstest(drawn, "expon").pvalue > LEVEL


def test_gumbel():
    drawn = draws.gumbel("test/gumbel", EVENTS)
    variance = math.pi**2 / 6
    assert abs(drawn.mean() - np.euler_gamma) < 4 * math.sqrt(variance / N)
    assert abs(drawn.var() - variance) < 4 * variance * math.sqrt((12 / 5 + 2) / N)  # excess kurtosis 12/5
    assert stats.kstest(drawn, "gumbel_r").pvalue > LEVEL


def test_quantile_follows_its_table():
    table = np.array([0.0, 1.0, 1.5, 10.0])  # a third of all draws between neighbouring points
    drawn = draws.quantile(table, "test/quantile", EVENTS)
    assert stats.kstest(drawn, lambda x: np.interp(x, table, np.linspace(0, 1, 4))).pvalue > LEVEL
    assert drawn.min() >= 0
    assert drawn.max() <= 10
    u = draws.uniform("test/quantile", EVENTS)
    assert np.allclose(drawn, np.interp(u, np.linspace(0, 1, 4), table), rtol=1e-12)  # monotone in the same luck


def test_quantile_of_a_constant():
    assert (draws.quantile(np.array([4.0]), "test/quantile", EVENTS[:10]) == 4.0).all()


# identities ---------------------------------------------------------------------------------------------------


def test_children_are_distinct_and_never_zero():
    parents = np.concatenate((np.array([0, 1, 2**64 - 1], np.uint64), EVENTS[:2_000]))
    born = [draws.child(parents[:, None], kind, np.arange(20)).ravel() for kind in ("order", "share")]
    together = np.concatenate([parents, *born])
    assert np.unique(together).size == together.size
    assert np.concatenate(born).all()


def test_a_child_that_would_be_zero_is_one(monkeypatch):
    monkeypatch.setattr(draws, "bits", lambda *_: np.array([0, 5], np.uint64))
    assert draws.child(np.uint64(1), "order").tolist() == [1, 5]


def test_keys_differ_and_do_not_depend_on_how_many():
    users, merchants, others = draws.keys(0, "user", N), draws.keys(0, "merchant", N), draws.keys(1, "user", N)
    assert np.unique(np.concatenate((users, merchants, others))).size == 3 * N
    assert (draws.keys(0, "user", 10) == users[:10]).all()
    assert draws.keys(0, "user", 0).size == 0


def test_purposes_differ_by_name():
    names = [f"people.buy/{k}" for k in range(1_000)]
    assert len({int(draws.purpose(name)) for name in names}) == 1_000
    assert draws.purpose("a") == draws.purpose("a")


WORDS = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(WORDS, WORDS | st.integers(0, 9)), min_size=2, max_size=20))
def test_a_lone_draw_is_that_of_one_among_many(addresses: list[tuple[int, int]]) -> None:
    event, index = (np.array(part, np.uint64) for part in zip(*addresses, strict=True))
    for draw in (draws.bits, draws.uniform, draws.exponential, draws.gumbel):
        alone = np.concatenate([draw("a", event[i : i + 1], index[i : i + 1]) for i in range(event.size)])
        together = draw("a", event, index)
        assert alone.dtype == together.dtype
        assert alone.tolist() == together.tolist()
        assert draw("a", event[0], 7).tolist() == draw("a", event, 7)[:1].tolist()
