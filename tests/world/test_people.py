from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim import draws
from sim.units import I32, U64, Array
from sim.world.categories import CATEGORIES, taste_share
from sim.world.circles import Circles
from sim.world.graph import SocialGraph
from sim.world.params import PeopleParams
from sim.world.people import NEVER, TRAITS, people
from tests.world.measures import SEED

Traits = dict[str, Array]


@pytest.fixture(scope="module")
def traits(keys: U64, where: Circles) -> Traits:
    return people(SEED, keys, where.member[1], PeopleParams(), where.tier)


def test_every_trait_is_there_in_its_type(traits: Traits, keys: U64) -> None:
    assert set(traits) == set(TRAITS)
    for name, (dtype, *_) in TRAITS.items():
        assert traits[name].dtype == dtype
        assert traits[name].shape == ((keys.size, len(CATEGORIES)) if name == "taste" else (keys.size,))


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("price_sensitivity", exp(0.35**2) - 1),
        ("activity", 1 / 1.5),
        ("sociality", 1 / 2),
        ("generosity", 1 / 2),
    ],
)
def test_relative_traits_have_mean_one_and_their_spread(traits: Traits, name: str, variance: float) -> None:
    values = traits[name].astype(np.float64)
    assert abs(values.mean() - 1) < 4 * sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=0.08)
    assert values.min() >= 0
    assert np.median(values) < 1  # skewed to the right


def test_income_is_lognormal_higher_in_larger_cities_and_one_on_average(traits: Traits) -> None:
    income, tier = traits["income"].astype(np.float64), traits["tier"]
    assert income.mean() == pytest.approx(1.0, abs=0.02)
    means = [income[tier == t].mean() for t in (1, 2, 3, 4)]
    assert means == sorted(means, reverse=True)
    for t in (1, 2, 3, 4):
        assert np.log(income[tier == t]).std() == pytest.approx(0.6, abs=0.03)


def test_richer_people_mind_the_price_less(traits: Traits) -> None:
    within = traits["tier"] == 2
    found = np.corrcoef(np.log(traits["income"][within]), np.log(traits["price_sensitivity"][within]))[0, 1]
    assert found == pytest.approx(-0.3, abs=4 / sqrt(within.sum()))


def test_city_tiers_have_their_shares(traits: Traits) -> None:
    shares = np.bincount(traits["tier"], minlength=5)[1:] / traits["tier"].size
    assert abs(shares - np.array([0.20, 0.25, 0.25, 0.30])).max() < 0.04


def test_ages_and_birthdays(traits: Traits) -> None:
    age, birthday = traits["age"], traits["birthday"]
    assert (age.min(), age.max()) == pytest.approx((18, 79), abs=1)
    assert age.mean() == pytest.approx(38.0 - 0.5, abs=4 * age.std() / sqrt(age.size))  # whole years, rounded down
    assert (birthday.min(), birthday.max()) == (0, 364)
    assert stats.chisquare(np.bincount(birthday)).pvalue > 1e-3


def test_attention_is_at_least_one_thing(traits: Traits) -> None:
    attention = traits["attention"].astype(np.float64)
    assert attention.min() >= 1
    assert attention.mean() == pytest.approx(6.0, abs=4 * attention.std() / sqrt(attention.size))


def test_tolerance_is_that_of_the_facts(traits: Traits) -> None:
    tolerance = traits["tolerance"]
    classes = [tolerance == 1, (tolerance >= 2) & (tolerance <= 5), (tolerance >= 6) & (tolerance <= 10)]
    for found, share in zip([*classes, tolerance == np.float32(NEVER)], (0.10, 0.37, 0.33, 0.20), strict=True):
        assert abs(found.mean() - share) < 4 * sqrt(share * (1 - share) / tolerance.size)
    inside = np.bincount(tolerance[tolerance < 11].astype(int))
    assert stats.chisquare(inside[2:6]).pvalue > 1e-3
    assert stats.chisquare(inside[6:11]).pvalue > 1e-3


def test_tastes_are_shares_near_the_average_taste(traits: Traits) -> None:
    taste = traits["taste"]
    assert (taste > 0).all()
    assert np.allclose(taste.sum(axis=1), 1, atol=1e-5)
    order = np.argsort(taste_share())
    assert np.array_equal(np.argsort(taste.mean(axis=0))[-3:], order[-3:])


def likeness(taste: Array, one: Array, two: Array) -> float:
    """Mean correlation of the log tastes of pairs, each category measured from its mean."""
    log = np.log(taste) - np.log(taste).mean(axis=0)
    return float(np.mean((log[one] * log[two]).sum(axis=1) / (log * log).sum(axis=1).mean()))


def test_friends_are_more_alike_than_strangers(traits: Traits, native: SocialGraph) -> None:
    owner, friend = native.owner()[::7], native.indices[::7]
    stranger = np.random.default_rng(1).permutation(friend)
    assert abs(likeness(traits["taste"], owner, stranger)) < 0.01
    assert likeness(traits["taste"], owner, friend) > 0.05


def test_no_homophily_when_none_is_asked_for(keys: U64, where: Circles, native: SocialGraph) -> None:
    taste = people(SEED, keys, where.member[1], PeopleParams(homophily=0), where.tier)["taste"]
    assert abs(likeness(taste, native.owner()[::7], native.indices[::7])) < 0.01


def test_one_more_person_changes_nobody_else(keys: U64, where: Circles, traits: Traits) -> None:
    n = 5_000
    fewer = people(SEED, keys[:n], where.member[1][:n], PeopleParams(), where.tier)
    more = people(SEED, keys[: n + 1], where.member[1][: n + 1], PeopleParams(), where.tier)
    for name in TRAITS:
        assert np.array_equal(more[name][:n], fewer[name])
        assert np.array_equal(traits[name][:n], fewer[name])


@given(st.integers(0, 2**63), st.integers(1, 50))
def test_traits_without_known_cities(seed: int, n: int) -> None:
    community: I32 = np.arange(n, dtype=np.int32) // 4
    got = people(seed, draws.keys(seed, "user", n), community, PeopleParams(attention=0.5))
    assert set(got["tier"]) <= {1, 2, 3, 4}
    assert all(len(set(got["tier"][community == c])) == 1 for c in set(community))
    assert (got["attention"] == 0.5).all()


def test_shares_that_leave_nobody(keys: U64) -> None:
    params = PeopleParams(tier_shares=(0, 0, 0, 1), tolerance=(0, 0, 0))
    got = people(1, keys[:500], np.arange(500, dtype=np.int32), params)
    assert (got["tier"] == 4).all()
    assert (got["tolerance"] == np.float32(NEVER)).all()
