"""Sharing against its probabilities; cascades are held against the branching process in `tests/theory`."""

import numpy as np
import pytest

from sim import draws
from sim.engine.apply import assemble
from sim.ledger.schema import Records
from sim.people.share import Share
from tests.views import csr, make_view, mechanism, post_inbox, post_outcome, seat, show

SIGMAS = 4.0
CHAT, GROUP, MOMENTS = ({"surfaces": surfaces} for surfaces in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))


def check_share(got, wanted, n):
    assert abs(got - wanted) < SIGMAS * np.sqrt(wanted * (1 - wanted) / n)


def orders(view, product=0):
    n = view.world.n
    rows = Records(
        n,
        time=view.sessions.time,
        user=np.arange(n),
        event=draws.child(view.sessions.event, "order"),
        cause=view.sessions.event,
        merchant=view.world.product["merchant"][product],
        product=product,
    )
    post_outcome(view, "order", rows)
    return rows


def told(fx):
    """What was shared and who was told of it."""
    return dict(fx.events).get("share", Records(0)), dict(fx.messages).get("recommendation", Records(0))


def everybody_buys_and_tells(view, **params):
    rows = orders(view)
    return rows, *told(mechanism(Share, view, **{"after_order": 1.0, **params}).respond(view))


# ------------------------------------------------------------------------------------------------ occasions


@pytest.mark.parametrize(("sociality", "sharing", "rate"), [(1.0, 1.0, 0.05), (2.0, 1.5, 0.15), (0.5, 0.6, 0.015)])
def test_orders_are_shared_by_sociality_and_category(sociality, sharing, rate):
    n = 20_000
    view = make_view(n, sociality=sociality, sharing=sharing)
    rows = orders(view)
    share, _ = told(mechanism(Share, view).respond(view))
    check_share(share.n / n, rate, n)
    assert np.isin(share.cause, rows.event).all()
    assert (share.detail == 0).all()


def test_refused_orders_and_woken_sessions_share_nothing():
    view = make_view(300)
    post_outcome(view, "order", orders(view), granted=False)
    assert not mechanism(Share, view, after_order=1.0).respond(view).events
    woken = make_view(300, planned=False)
    orders(woken)
    assert not mechanism(Share, woken, after_order=1.0).respond(woken).events


def test_only_parcels_that_please_are_talked_of():
    n = 10_000
    view = make_view(n)
    satisfaction = np.where(np.arange(n) % 2 == 0, 800, 799)
    causes = np.arange(1, n + 1).astype(np.uint64)
    rows = Records(n, user=np.arange(n), event=causes + np.uint64(10**9), cause=causes, product=3, detail=satisfaction)
    post_inbox(view, "parcel_arrived", rows)
    share, _ = told(mechanism(Share, view).respond(view))
    assert (share.user % 2 == 0).all()
    check_share(share.n / (n / 2), 0.06, n // 2)
    assert (share.cause == causes[share.user]).all()
    assert (share.merchant == 1).all()


def test_pages_are_shared_seldom_and_recommended_ones_forwarded():
    n = 20_000
    view = make_view(n)
    peer = np.where(np.arange(n) % 2 == 0, 5, -1)
    show(view, np.arange(n), np.zeros(n, np.int64), peer=peer)
    share, _ = told(mechanism(Share, view, forward=0.2, after_view=0.02).respond(view))
    forwarded = share.user % 2 == 0
    check_share(forwarded.sum() / (n / 2), 0.2, n // 2)
    check_share((~forwarded).sum() / (n / 2), 0.02, n // 2)


def test_a_page_seen_two_ways_is_shared_at_most_once_and_as_the_friend_s():
    view = make_view(200)
    both = np.repeat(np.arange(200), 2)
    show(view, both, np.zeros(400, np.int64), channel=np.tile([0, 10], 200), peer=np.tile([-1, 5], 200))
    share, _ = told(mechanism(Share, view, forward=1.0, after_view=0.0).respond(view))
    assert share.user.tolist() == list(range(200))
    view.viewed[:] = False
    assert not mechanism(Share, view, forward=1.0, after_view=1.0).respond(view).events


# ------------------------------------------------------------------------------------------------ surfaces


def test_surfaces_are_chosen_with_their_weights():
    n = 20_000
    view = make_view(n)
    _, share, _ = everybody_buys_and_tells(view, surfaces=(3.0, 1.0, 1.0))
    for name, wanted in (("share_chat", 0.6), ("share_group", 0.2), ("share_moments", 0.2)):
        check_share((share.channel == view.channel(name)).mean(), wanted, n)


def test_a_chat_is_with_one_friend_by_the_weight_of_the_tie():
    n = 20_000
    view = make_view(n)
    _, share, told_to = everybody_buys_and_tells(view, **CHAT)
    assert (share.quantity == 1).all()
    assert told_to.peer.tolist() == share.user.tolist()
    steps = np.abs(told_to.user - told_to.peer)
    layer = np.minimum(steps, n - steps) - 1
    for code, wanted in enumerate(np.array([1.0, 0.4, 0.1, 0.03]) / 1.53):
        check_share((layer == code).mean(), wanted, n)


def test_in_a_group_the_others_notice_one_by_one():
    n = 10_000
    view = make_view(n)
    _, share, told_to = everybody_buys_and_tells(view, group_reach=0.3, **GROUP)
    assert share.n == n
    check_share(told_to.n / (9 * n), 0.3, 9 * n)
    assert (told_to.user != told_to.peer).all()
    assert (told_to.user // 10 == told_to.peer // 10).all()
    assert (np.bincount(told_to.peer, minlength=n) == share.quantity).all()


@pytest.mark.parametrize("reach", [0.25, 0.18, 1.0])
def test_in_moments_friends_see_it_by_content_tie_and_scrolling(reach):
    n = 10_000
    activity = np.where(np.arange(n) % 2 == 0, 0.5, 3.0)
    view = make_view(n, activity=activity, sharing=0.8)
    view.world.people["sociality"][:] = 10.0  # everybody shares
    _, share, told_to = everybody_buys_and_tells(view, moments_reach=reach, **MOMENTS)
    assert share.n == n
    steps = np.abs(told_to.user - told_to.peer)
    layer = np.minimum(steps, n - steps) - 1
    for code, tie in enumerate((1.0, 0.8, 0.6, 0.4)):
        for idle in (True, False):
            seen = ((layer == code) & ((told_to.user % 2 == 0) == idle)).sum() / n  # two friends of each kind for two
            check_share(seen, reach * 0.8 * tie * (0.5 if idle else 1.0), n)


def test_people_without_friends_or_groups_tell_nobody():
    lonely = csr(np.zeros(40, np.int64), np.zeros(0, np.int64))
    view = make_view(40, graph=lonely)
    for surface in (CHAT, MOMENTS):
        _, share, told_to = everybody_buys_and_tells(seat(view), **surface)
        assert share.quantity.tolist() == [0] * 40
        assert told_to.n == 0


def test_what_is_more_often_seen_is_seen_by_more_and_lost_to_nobody():
    few, many = make_view(2_000), make_view(2_000)
    _, _, first = everybody_buys_and_tells(few, group_reach=0.2, **GROUP)
    _, _, second = everybody_buys_and_tells(many, group_reach=0.4, **GROUP)
    pairs = [set(zip(rows.peer.tolist(), rows.user.tolist(), strict=True)) for rows in (first, second)]
    assert pairs[0] < pairs[1]


# ------------------------------------------------------------------------------------------------ being told


def recommend(view, channel, bought):
    n = view.world.n
    rows = Records(
        n,
        user=np.arange(n),
        peer=(np.arange(n) + 1) % n,
        event=np.arange(n) + 1,
        cause=np.arange(n) + 100,
        product=2,
        channel=view.channel(channel),
        quantity=bought,
        detail=1,
    )
    post_inbox(view, "recommendation", rows)


def seen(view, **params):
    return assemble([mechanism(Share, view, **params).expose(view)], view.world.product)


def test_a_recommendation_is_an_exposure_with_the_friend_s_odds():
    view = make_view(4, sharing=1.5)
    recommend(view, "share_chat", [0, 1, 0, 1])
    e = seen(view, trust=(0.3, 0.0, 0.0))
    assert e.session.tolist() == [0, 1, 2, 3]
    assert e.peer.tolist() == [1, 2, 3, 0]
    assert e.cause.tolist() == [100, 101, 102, 103]
    assert e.appeal == pytest.approx(0.3 + np.log(1.5) + np.array([0, 1, 0, 1]) * np.log(1.55))


def test_posts_in_moments_are_seen_only_by_who_looks_there():
    view = make_view(4)
    view.scratch["surface_moments"] = np.array([True, False, True, False])
    recommend(view, "share_moments", 0)
    assert seen(view).session.tolist() == [0, 2]
    recommend(view, "share_group", 0)
    assert seen(view).session.tolist() == [0, 1, 2, 3]


def test_woken_sessions_see_no_recommendations():
    view = make_view(4, planned=np.array([True, True, False, True]))
    recommend(view, "share_chat", 1)
    assert seen(view).session.tolist() == [0, 1, 3]


# ------------------------------------------------------------------------------------------------ cascades


def cascades(view, share, roots):
    """Sizes of the cascades that begin with an order of each root; everybody who is told opens the page."""
    seat(view, user=roots)
    rows = view.rows("order", np.arange(roots.size), product=0, merchant=0)
    post_outcome(view, "order", rows)
    fx = share.respond(view)
    root_of, size, generation = {}, dict.fromkeys(roots.tolist(), 0), 0
    while fx.events:
        shares, messages = told(fx)
        assert (shares.detail == generation).all()
        for event, cause, user in zip(shares.event.tolist(), shares.cause.tolist(), shares.user.tolist(), strict=True):
            root_of[event] = root_of.get(cause, user)
            size[root_of[event]] += 1
        generation += 1
        if not messages.n:
            break
        seat(view, user=np.unique(messages.user), day=generation)
        post_inbox(view, "recommendation", messages)
        view.exposures = assemble([share.expose(view)], view.world.product)
        view.viewed = np.ones(len(view.exposures), np.bool_)
        fx = share.respond(view)
    return np.array(list(size.values()))


def random_tree(users, degree):
    """Everybody has `degree` friends anywhere: with few active, cascades hardly ever meet."""
    who = draws.below("tests/friend", np.arange(users, dtype=np.uint64)[:, None], users, np.arange(degree))
    return csr(np.full(users, degree), who.ravel())


def test_most_cascades_die_at_once_by_default():
    users, roots = 100_000, 2_000
    view = make_view(users, merchants=1, products=1, graph=random_tree(users, 20))
    sizes = cascades(view, mechanism(Share, view, after_order=1.0), np.arange(0, users, users // roots)[:roots])
    assert (sizes == 1).mean() > 0.8
    assert sizes.mean() < 1.5


def test_stacked_worlds_tell_like_lone_ones():
    stacked = make_view(300, seeds=(7, 8), graph=two_rings())
    _, _, both = everybody_buys_and_tells(stacked)
    for place, seed in enumerate((7, 8)):
        lone = make_view(300, seeds=(seed,))
        _, _, own = everybody_buys_and_tells(lone)
        mine = np.flatnonzero(both.peer // 300 == place)
        order = np.argsort(both.event[mine])
        assert both.event[mine][order].tolist() == np.sort(own.event).tolist()
        assert (both.user[mine][order] - 300 * place).tolist() == own.user[np.argsort(own.event)].tolist()
        assert own.n > 300


def two_rings():
    from tests.views import ring
    from tests.world.measures import layers

    one = ring(300)
    return csr(np.full(600, 8), np.concatenate([one.indices, one.indices + 300]), np.tile(layers(one), 2))


def test_articles_are_passed_on_with_the_urge_that_they_leave():
    n, article = 20_000, 71
    view = make_view(n, sociality=2.0)
    view.contents["article"] = Records(1, event=article, merchant=0, product=2)
    view.scratch["article_read"] = np.tile(np.array([0, article], np.uint64), (n, 1))
    view.scratch["article_urge"] = np.tile([0.9, 0.05], (n, 1))
    share, friends = told(mechanism(Share, view).respond(view))
    check_share(share.n / n, 0.1, n)
    assert set(share.cause.tolist()) == {article} and set(share.product.tolist()) == {2}
    assert set(friends.product.tolist()) == {2}
