"""Giving against its probabilities: when, to whom, what fits, and that other sessions are left alone."""

import numpy as np
import pytest

from sim.people.gift import Gift
from tests.views import CATEGORIES, apply, csr, make_calendar, make_view, mechanism, show

N = 20_000
SIGMAS = 4.0


def giving_view(users=N, *, pull=0.0, birthday=200, gifts=True, gift_on=True, **columns):
    """Today is the first of January; nobody has a birthday near and everything can be given, unless stated."""
    calendar = make_calendar()
    calendar.gift_pull[:] = pull
    view = make_view(users, calendar=calendar, gift_on=gift_on, birthday=birthday, **columns)
    view.rules["gifts"] = gifts
    return view


def arrive(view, **params):
    apply(view, mechanism(Gift, view, **params).arrive(view))
    return view.scratch["gift_peer"]


def check_share(got, wanted, n):
    assert abs(got - wanted) < SIGMAS * np.sqrt(wanted * (1 - wanted) / n)


# ------------------------------------------------------------------------------------------------ when


@pytest.mark.parametrize(
    ("pull", "generosity", "birthday", "share"),
    [
        (0.0, 1.0, 200, 0.01),
        (0.0, 3.0, 200, 0.03),
        (0.5, 1.0, 200, 0.06),
        (1.0, 1.0, 200, 0.11),
        (0.0, 1.0, 0, 0.21),
        (0.0, 1.0, 3, 0.21),
        (0.0, 1.0, 4, 0.01),
        (0.0, 1.0, 364, 0.01),
        (0.5, 2.0, 2, 0.52),
    ],
)
def test_the_wish_to_give_grows_with_generosity_festival_and_birthday(pull, generosity, birthday, share):
    view = giving_view(pull=pull, generosity=generosity, birthday=birthday)
    wishes = arrive(view, everyday=0.01, festival=0.1, birthday=0.2) >= 0
    check_share(wishes.mean(), share, N)


def test_birthdays_of_distant_friends_are_forgotten():
    birthday = np.full(N, 200)
    birthday[::2] = 1  # on the ring, odd people's closest friends (one step away) have a birthday, those two away not
    view = giving_view(birthday=birthday)
    wishes = arrive(view, everyday=0.0, festival=0.0, birthday=0.3) >= 0
    check_share(wishes[1::2].mean(), 0.3, N // 2)
    assert not wishes[::2].any()


@pytest.mark.parametrize("off", [{"gifts": False}, {"gift_on": False}, {"planned": False}, {"running": False}])
def test_nobody_wants_to_give_before_gifts_exist_or_when_only_woken(off):
    view = giving_view(500, **off)
    assert (arrive(view, everyday=1.0) == -1).all()


# ------------------------------------------------------------------------------------------------ to whom


def test_friends_are_drawn_by_the_weight_of_their_layer():
    view = giving_view()
    peer = arrive(view, everyday=1.0)
    steps = np.abs(peer - np.arange(N))
    layer = np.minimum(steps, N - steps) - 1  # on the ring two friends in each of four layers
    weights = np.array([1.0, 0.4, 0.1, 0.03]) / 1.53
    for code, wanted in enumerate(weights):
        check_share((layer == code).mean(), wanted, N)


def test_the_friend_with_the_birthday_is_the_one():
    birthday = np.full(1_000, 200)
    birthday[::4] = 2
    view = giving_view(1_000, birthday=birthday)
    peer = arrive(view, everyday=1.0)
    users = np.arange(1_000)
    near = (users % 4 == 1) | (users % 4 == 3)
    assert (peer[near] % 4 == 0).all()
    assert (np.abs(peer - users)[near & (users < 999)] == 1).all()
    assert (peer[~near] % 4 != 0).any()


def test_who_has_no_friends_gives_nothing():
    lonely = csr(np.zeros(50, np.int64), np.zeros(0, np.int64))
    view = giving_view(50, graph=lonely)
    assert (arrive(view, everyday=1.0) == -1).all()


def test_a_larger_budget_goes_with_income_closeness_and_occasion():
    party = np.where(np.arange(60) == 1, 0, 200)
    view = giving_view(60, income=np.linspace(0.5, 2.0, 60), birthday=party)
    peer = arrive(view, everyday=1.0, layer_weights=(1.0, 0.0, 0.0, 0.0))
    expected = 15_000 * 1.3 * np.linspace(0.5, 2.0, 60) * np.where(peer == 1, 1.5, 1.0)
    assert (peer == 1).sum() == 2
    assert view.scratch["gift_budget"] == pytest.approx(expected, rel=1e-6)


# ------------------------------------------------------------------------------------------------ what


def shown(view, peer, budget=15_000.0, products=(0, 1, 2)):
    n = view.world.n
    view.scratch["gift_peer"] = np.asarray(peer)
    view.scratch["gift_budget"] = np.full(n, budget)
    show(view, np.repeat(np.arange(n), len(products)), np.tile(products, n))
    fx = mechanism(Gift, view).appraise(view)
    apply(view, fx)
    return fx.appeals[0].reshape(n, -1) if fx.appeals else None


def test_what_is_near_the_budget_fits_best():
    view = giving_view(2)
    view.world.product["price"][:3] = [7_500, 15_000, 30_000]
    appeal = shown(view, [1, -1])
    assert appeal[0] == pytest.approx([3.5 - 1.5 * np.log(2) ** 2, 3.5, 3.5 - 1.5 * np.log(2) ** 2])
    assert (appeal[1] == 0).all()
    assert view.scratch["giving"].tolist() == [True, False]


def test_what_cannot_be_given_is_out_of_the_question():
    view = giving_view(1)
    view.rules.update(gift_price_cap_yuan=200, gift_excluded_categories=["jewellery", CATEGORIES[1]])
    view.world.product["price"][:] = [20_000, 20_001, 15_000, 15_000, 15_000, 15_000]
    view.state["product"]["gift_on"][2] = False
    appeal = shown(view, [0], products=range(6))
    assert appeal[0, 0] > 0
    assert (appeal[0, 1:] == -1e9).all()


def test_who_sees_nothing_that_can_be_given_shops_for_herself():
    view = giving_view(2)
    view.state["product"]["gift_on"][:3] = False
    assert (shown(view, [1, 0]) == 0).all()
    assert not view.scratch["giving"].any()


def test_without_any_wish_nothing_is_touched():
    assert shown(giving_view(3), [-1, -1, -1]) is None


def test_what_is_chosen_as_a_gift_is_ordered_for_the_friend():
    view = giving_view(3)
    shown(view, [2, -1, 0])
    listed = view.world.product["price"][view.exposures.product]
    view.exposures.amount[:], view.exposures.off[:, 0] = 11_000, listed - 11_000
    view.chosen = np.array([0, 4, 8])  # products 0, 1, 2
    view.scratch["variant"] = np.array([0, 3, 5])
    ((kind, rows),) = mechanism(Gift, view).checkout(view).requests
    assert kind == "gift_order"
    assert rows.user.tolist() == [0, 2]
    assert rows.peer.tolist() == [2, 0]
    assert rows.variant.tolist() == [0, 5]
    assert rows.amount.tolist() == [11_000, 11_000]
    assert rows.detail.tolist() == [1_000, 9_000]
    assert rows.quantity.tolist() == [1, 1]
    assert rows.cause.tolist() == view.exposures.cause[[0, 8]].tolist()


def test_stacked_worlds_wish_like_lone_ones():
    def world(seeds):
        calendar = make_calendar()
        calendar.gift_pull[:] = 0.5
        graph = csr(np.full(300 * len(seeds), 2), (np.arange(300 * len(seeds))[:, None] // 300 * 300 + [1, 2]).ravel())
        view = make_view(300, seeds=seeds, calendar=calendar, gift_on=True, graph=graph, generosity=5.0)
        return arrive(view)

    both = world((7, 8))
    for place, seed in enumerate((7, 8)):
        mine = both[300 * place : 300 * (place + 1)]
        assert np.where(mine >= 0, mine - 300 * place, -1).tolist() == world((seed,)).tolist()
        assert (mine >= 0).sum() > 20
