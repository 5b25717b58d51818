from math import exp, log, sqrt

import numpy as np
import pytest

from sim import draws
from sim.units import U64
from sim.world.circles import FAMILY_SIZE, FAR, REGION, Circles, circles
from sim.world.params import GraphParams
from sim.world.people import AGE_RANK

MU = log(20) - 0.94**2 / 2  # so that the mean is 20


def test_wanted_ties_are_lognormal(where: Circles) -> None:
    ties = where.ties
    assert ties.mean() == pytest.approx(20.0, rel=0.01)
    assert np.log(ties).mean() == pytest.approx(MU, abs=0.04)
    assert np.log(ties).std() == pytest.approx(0.94, abs=0.04)
    for p, z in ((0.1, -1.2816), (0.5, 0.0), (0.9, 1.2816), (0.99, 2.3263)):
        wanted = exp(MU + 0.94 * z)
        assert np.quantile(ties, p) == pytest.approx(wanted, rel=0.06, abs=0.6)  # whole numbers: 0.6


def test_ties_follow_the_parameters(keys: U64) -> None:
    params = GraphParams(mean_degree=40, degree_spread=0.5, cap=60)
    ties = circles(1, keys, params).ties
    assert ties.max() == 60
    assert (np.log(ties[ties < 60]) < log(60)).all()
    flat = circles(1, keys, GraphParams(mean_degree=12.5, degree_spread=0.0)).ties
    assert np.unique(flat).tolist() == [12, 13]
    assert flat.mean() == pytest.approx(12.5, abs=4 * 0.5 / sqrt(keys.size))


def test_far_ties_are_their_share(where: Circles) -> None:
    rounding = 0.5 * sqrt(where.ties.size) / where.ties.sum()  # a coin per person
    assert where.far.sum() / where.ties.sum() == pytest.approx(FAR, abs=4 * rounding)
    assert (where.far <= where.ties).all()


@pytest.mark.parametrize("more", [1, 700])
def test_more_people_leave_workplaces_as_they_are(keys: U64, where: Circles, more: int) -> None:
    longer = circles(3, draws.keys(3, "user", keys.size + more), GraphParams())
    n = keys.size
    assert np.array_equal(longer.member[1][:n], where.member[1])
    assert np.array_equal(longer.region[:n], where.region)
    assert np.array_equal(longer.tier[: where.tier.size], where.tier)


def test_workplaces_are_runs_of_people_and_circles_stay_in_a_region(where: Circles) -> None:
    family, work, school = where.member
    assert (np.isin(np.diff(work), [0, 1, 2])).all()  # now and then a workplace is too small for anybody
    assert np.array_equal(where.region, work // REGION)
    for circle in (family, school):
        order = np.lexsort((where.region, circle))
        same = circle[order][1:] == circle[order][:-1]
        assert (where.region[order][1:][same] == where.region[order][:-1][same]).all()


def test_families_are_small_and_class_mates_of_an_age(where: Circles, keys: U64) -> None:
    family, _, school = where.member
    assert np.bincount(family).mean() == pytest.approx(FAMILY_SIZE, rel=0.01)
    assert set(np.bincount(family)) <= {3, 4, 5}
    age = draws.uniform(AGE_RANK, keys)
    size = np.bincount(school)
    mean = np.bincount(school, age) / size
    assert np.sqrt(np.mean((age - mean[school]) ** 2)) < 0.1 * age.std()


def test_busier_people_have_larger_workplaces(where: Circles) -> None:
    work = where.member[1]
    size = np.bincount(work)[work]
    assert np.corrcoef(np.log(size), np.log(where.ties))[0, 1] > 0.6


def test_tiers_are_spread_evenly_over_people(where: Circles) -> None:
    tier = where.tier[where.member[1]]
    shares = np.histogram(tier, np.linspace(0, 1, 5))[0] / tier.size
    assert abs(shares - 0.25).max() < 0.04


def test_two_people_are_enough() -> None:
    tiny = circles(1, draws.keys(1, "user", 2), GraphParams())
    assert tiny.ties.tolist() == [1, 1]
