"""Browsing against its rates, the Plackett-Luce law of attention, and the laws of addressed draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.people.browse import Browse
from sim.units import DAY, HOUR
from tests.views import make_calendar, make_view, mechanism, seat, show

N = 20_000
SIGMAS = 4.0


def error(p: float, n: int) -> float:
    """Standard error of a share."""
    return float(np.sqrt(p * (1 - p) / n))


@pytest.mark.parametrize(("activity", "factor", "rate"), [(1.0, 1.0, 0.3), (2.0, 1.0, 0.6), (0.5, 0.8, 0.12)])
def test_people_open_wechat_at_three_days_in_ten_times_activity_and_day_factor(activity, factor, rate):
    calendar = make_calendar()
    calendar.day_factor[:] = factor
    view = make_view(N, activity=activity, calendar=calendar)
    browse = mechanism(Browse, view)
    opened = [browse.plan(view, day).n / N for day in range(5)]
    assert abs(np.mean(opened) - rate) < SIGMAS * error(rate, 5 * N)


def test_days_are_independent():
    view = make_view(N)
    browse = mechanism(Browse, view)
    both = np.intersect1d(browse.plan(view, 3).user, browse.plan(view, 4).user).size / N
    assert abs(both - 0.09) < SIGMAS * error(0.09, N)


def test_very_active_people_come_every_day_and_once():
    view = make_view(500, activity=50.0)
    assert mechanism(Browse, view).plan(view, 0).user.tolist() == list(range(500))


def test_seconds_follow_the_hour_profile_and_are_uniform_within_the_hour():
    calendar = make_calendar()
    calendar.hour_profile[:] = 0
    calendar.hour_profile[[3, 9, 20]] = [1, 3, 6]
    view = make_view(N, activity=10.0, calendar=calendar)
    rows = mechanism(Browse, view).plan(view, 2)
    second = rows.time - 2 * DAY
    hours = np.bincount(second // HOUR, minlength=24) / rows.n
    for hour in range(24):
        expected = {3: 0.1, 9: 0.3, 20: 0.6}.get(hour, 0.0)
        assert abs(hours[hour] - expected) <= SIGMAS * error(expected, rows.n)
    assert abs((second % HOUR).mean() - (HOUR - 1) / 2) < SIGMAS * HOUR / np.sqrt(12 * rows.n)


def test_a_plan_does_not_depend_on_how_many_others_there_are():
    few, many = make_view(100), make_view(70_000)  # more than one block of users
    small, large = mechanism(Browse, few).plan(few, 1), mechanism(Browse, many).plan(many, 1)
    assert large.user.max() > 65_536
    head = large.user < 100
    assert large.user[head].tolist() == small.user.tolist()
    assert large.time[head].tolist() == small.time.tolist()


def test_stacked_worlds_plan_like_lone_ones():
    stacked = make_view(300, seeds=(7, 8))
    rows = mechanism(Browse, stacked).plan(stacked, 0)
    for place, seed in enumerate((7, 8)):
        lone = make_view(300, seeds=(seed,))
        own = mechanism(Browse, lone).plan(lone, 0)
        mine = rows.user // 300 == place
        assert (rows.user[mine] - 300 * place).tolist() == own.user.tolist()
        assert rows.time[mine].tolist() == own.time.tolist()


def test_surfaces_are_visited_at_the_stated_shares_and_only_in_planned_sessions():
    planned = np.arange(N) % 2 == 0
    view = make_view(N, planned=planned)
    notes = dict(mechanism(Browse, view).arrive(view).scratch)
    for surface, share in (("moments", 0.72), ("articles", 0.33), ("mini_programs", 0.37)):
        visits = notes[f"surface_{surface}"]
        assert not visits[~planned].any()
        assert abs(visits[planned].mean() - share) < SIGMAS * error(share, N // 2)


def kept_by(view, **params):
    return mechanism(Browse, view, **params).attend(view).kept


def test_attention_is_the_trait_on_average_and_never_more_than_there_is():
    view = make_view(N, attention=2.3)
    show(view, np.repeat(np.arange(N), 4), np.tile(np.arange(4), N))
    kept = np.bincount(view.exposures.session[kept_by(view)], minlength=N)
    assert set(kept.tolist()) == {2, 3}
    assert abs(kept.mean() - 2.3) < SIGMAS * error(0.3, N)
    seat(view, hour=13)
    show(view, np.arange(N), np.zeros(N, np.int64))
    assert kept_by(view).all()


def test_somebody_with_hardly_any_attention_notices_one_thing():
    view = make_view(50, attention=0.01)
    show(view, np.repeat(np.arange(50), 3), np.tile(np.arange(3), 50))
    assert (np.bincount(view.exposures.session[kept_by(view)], minlength=50) >= 1).all()


def test_one_of_three_is_noticed_with_logit_shares():
    view = make_view(N, attention=1.0)
    salience = np.array([0.0, 0.7, -0.5])
    show(view, np.repeat(np.arange(N), 3), np.tile(np.arange(3), N), salience=np.tile(salience, N))
    shares = np.bincount(view.exposures.product[kept_by(view)], minlength=3) / N
    expected = np.exp(salience) / np.exp(salience).sum()
    for got, wanted in zip(shares, expected, strict=True):
        assert abs(got - wanted) < SIGMAS * error(wanted, N)


def test_without_noise_the_most_salient_are_noticed():
    view = make_view(40, attention=2.0)
    show(view, np.repeat(np.arange(40), 4), np.tile(np.arange(4), 40), salience=np.tile([0.1, 3.0, 0.2, 1.0], 40))
    kept = kept_by(view, salience_noise=0.0)
    assert view.exposures.product[kept].tolist() == [1, 3] * 40


@given(st.integers(0, 5), st.floats(0.01, 5.0), st.integers(1, 5))
def test_what_is_more_salient_only_gains(raised, by, attention):
    users = 60
    view = make_view(users, attention=float(attention))
    session, product = np.repeat(np.arange(users), 6), np.tile(np.arange(6), users)
    show(view, session, product)
    before = kept_by(view)
    show(view, session, product, salience=np.where(product == raised, by, 0.0))
    after = kept_by(view)
    assert after[product == raised][before[product == raised]].all()
    assert not (after & ~before)[product != raised].any()


def test_noise_is_addressed_by_the_name_of_a_channel_not_by_its_code():
    view = make_view(200, attention=1.0)
    session, product = np.repeat(np.arange(200), 2), np.tile([0, 1], 200)
    show(view, session, product, channel=np.full(400, view.channels["store"]))
    first = kept_by(view)
    view.channels = {"a_new_channel": 0, **{name: code + 1 for name, code in view.channels.items()}}
    show(view, session, product, channel=np.full(400, view.channels["store"]))
    assert kept_by(view).tolist() == first.tolist()


def test_nothing_to_see_is_no_effect():
    view = make_view(3)
    assert mechanism(Browse, view).attend(view).kept is None
