"""Promoters against stated chances, the last click against a plain rule, commission against its one sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import draws
from sim.catalog import channels
from sim.channels.promoters import ALONE, INVITER, RECRUIT, SURFACES, TYPICAL_PRICE, Promoters
from sim.config.load import load
from sim.contract import Effects
from sim.engine.apply import assemble
from sim.ledger.audit import audit
from sim.ledger.schema import ACCOUNTS, Records
from sim.metrics.genealogy import genealogy
from sim.run import run
from sim.units import DAY, HOUR, WEEK, fen
from sim.world.build import build
from tests.views import apply, csr, make_view, mechanism, post_inbox, post_outcome, ring, seat, show, slots_of
from tests.world.measures import layers

SIGMAS = 4.0


def close(got, wanted, n):
    assert abs(got - wanted) <= SIGMAS * np.sqrt(wanted * (1 - wanted) / n)


def view_of(users=200, merchants=2, **columns):
    view = make_view(users, merchants, columns=Promoters.columns, **columns)
    view.channels = {name: code for code, name in enumerate(channels())}
    return view


def events(fx, kind):
    return Records.concat([rows for name, rows in fx.events if name == kind])


def messages(fx, kind):
    return Records.concat([rows for name, rows in fx.messages if name == kind])


# ------------------------------------------------------------------------------------------------ joining


def joined(view, **params):
    """Who joins the first merchant."""
    made = mechanism(Promoters, view, on=np.arange(view.world.m) % view.world.merchants == 0, **params)
    return events(made.respond(view), "promoter_joined")


@pytest.mark.parametrize(("commission", "elasticity"), [(0.05, 1.0), (0.2, 1.0), (0.2, 0.5), (0.0, 1.0), (0.0, 0.0)])
def test_customers_join_by_what_they_can_expect(commission, elasticity):
    n = 20_000
    view = view_of(n, orders=1)  # eight ties each, mean price 160 yuan
    rows = joined(view, commission=commission, join=0.05, join_elasticity=elasticity, blogger_reach=100)
    relative = commission / 0.05 * fen(160) / TYPICAL_PRICE * 8 / 20
    close(rows.n / n, 0.05 * relative**elasticity if commission else 0.0, n)
    assert (rows.peer == -1).all()
    assert np.isin(rows.cause, view.sessions.event).all()


def test_strangers_join_only_if_they_are_bloggers():
    view = view_of(1_000, sociality=np.where(np.arange(1_000) % 2 == 0, 3.0, 1.0))
    rows = joined(view, join=1.0, commission=0.9, blogger_reach=24)  # eight ties times three
    assert rows.user.tolist() == list(range(0, 1_000, 2))
    assert joined(view_of(1_000, orders=1, promoter_hope=5), join=1.0, commission=0.9).n == 0  # they have


def test_more_commission_wins_more_and_loses_nobody():
    won = [set(joined(view_of(2_000, orders=1), join=0.1, commission=rate).user.tolist()) for rate in (0.05, 0.1, 0.3)]
    assert won[0] < won[1] < won[2]


def test_a_link_just_opened_makes_its_promoter_the_inviter():
    view = view_of(5_000)
    opened = links(view, np.arange(5_000))
    made = mechanism(Promoters, view, join=0.02, invited=10.0)
    rows = events(made.respond(view), "promoter_joined")
    close(rows.n / 5_000, 0.02 * fen(160) / TYPICAL_PRICE * 0.4 * 10, 5_000)
    assert (rows.peer == opened.peer[rows.user]).all()
    assert (rows.cause == opened.cause[rows.user]).all()


@pytest.mark.slow
def test_a_national_brand_wins_its_two_thousand_a_day():
    """facts promoters.joins_per_day_mass_brand 500 to 8,000, of the 3e8 people of gift.enabled_users_2024_12_20."""
    scenario = load("base")
    world = build(scenario.world, scenario.merchants, (1,))
    made = Promoters((Promoters.Params(),) + (None,) * 6, np.arange(7) == 0, world)
    user = np.arange(world.n)
    bloggers = world.graph.degree * world.people["sociality"] >= 100
    customers = np.arange(world.n) % 25 == 0  # of one shop of seven after two months
    chance = made.joins(user, np.zeros(world.n, np.int64), np.zeros(world.n, np.bool_)) * (bloggers | customers)
    a_day = 0.3 * (chance * world.people["activity"]).mean() * 3e8
    assert 500 < a_day < 8_000


# ------------------------------------------------------------------------------------------------ effort


@pytest.mark.parametrize("yuan", [1.0, 10.0, 90.0])
def test_who_expects_more_posts_more(yuan):
    n = 20_000
    view = view_of(n, promoter_hope=fen(yuan))
    rows = events(mechanism(Promoters, view, effort=0.8, worth_yuan=10, join=0).respond(view), "promotion")
    close(rows.n / (2 * n), 0.8 * yuan / (yuan + 10), 2 * n)
    assert (view.world.product["merchant"][rows.product] == rows.merchant).all()


def test_hopes_fade_unless_earnings_hold_them():
    view = view_of(2, 2, promoter_hope=1_000.0, orders=1, last_seen=0)
    made = mechanism(Promoters, view, memory_weeks=4.0)
    seat(view, user=np.arange(2), day=14)
    gone = view.sessions.time / (4.0 * WEEK)
    post_inbox(view, "commission_news", Records(1, user=1, merchant=0, amount=500))
    apply(view, made.deliver(view))
    hope = slots_of(view)["promoter_hope"][:, 0]
    assert hope == pytest.approx(1_000 * np.exp(-gone) + np.array([0, 125]), rel=1e-5)


def test_hopes_do_not_fade_twice_for_who_was_only_woken():
    view = view_of(2, 2, promoter_hope=1_000.0, promotions=1.0, last_seen=0)
    seat(view, user=np.arange(2), day=14, planned=np.array([False, True]))
    apply(view, mechanism(Promoters, view).deliver(view))
    hope, seen = (slots_of(view)[name][:, 0] for name in ("promoter_hope", "promotions"))
    assert hope[0] == 1_000 > hope[1] and seen[0] == 1 > seen[1]


def test_a_steady_income_holds_hope_at_itself():
    view = view_of(1, 1, graph=csr(np.zeros(1, np.int64), np.zeros(0, np.int64)), promoter_hope=9_000.0, last_seen=0)
    made = mechanism(Promoters, view, memory_weeks=2.0)
    for day in range(1, 150):
        seat(view, day=day)
        post_inbox(view, "commission_news", Records(1, user=0, merchant=0, amount=100))
        apply(view, made.deliver(view))
        view.state["user"]["last_seen"] = view.sessions.time.astype(np.int32)
    hope = float(slots_of(view)["promoter_hope"][0, 0])
    assert hope == pytest.approx(700, abs=100 / 2)  # 100 fen a day; a payment moves it by 100 / 2 weeks


def test_what_made_her_post_is_that_she_joined_or_the_last_payment_heard_of():
    view = view_of(2, promoter_hope=1e9, promoter_reason=9, last_seen=0)
    made = mechanism(Promoters, view, effort=1.0, join=0)
    news = Records(2, user=[0, 0], merchant=[0, 0], event=[1, 2], cause=[71, 72], time=[5, 6], amount=1)
    post_inbox(view, "commission_news", news)
    apply(view, made.deliver(view))
    rows = events(made.respond(view), "promotion")
    causes = dict(zip(zip(rows.user.tolist(), rows.merchant.tolist(), strict=True), rows.cause.tolist(), strict=True))
    assert causes == {(0, 0): 72, (0, 1): 9, (1, 0): 9, (1, 1): 9}


@pytest.mark.parametrize("surface", range(3))
def test_links_go_out_with_promoter_and_inviter(surface):
    view = view_of(500, 1, promoter_hope=1e9, promoter_inviter=np.arange(500)[:, None] // 2 - 1)
    weights = tuple(float(place == surface) for place in range(3))
    fx = mechanism(Promoters, view, effort=1.0, join=0, surfaces=weights).respond(view)
    posts, told = events(fx, "promotion"), messages(fx, "promoted")
    assert posts.n == 500
    assert (posts.channel == view.channel(SURFACES[surface])).all()
    assert posts.quantity.tolist() == np.bincount(told.peer, minlength=500).tolist()
    assert (told.cause == posts.event[told.peer]).all()
    assert (told.detail == told.peer // 2).all()  # local number of the inviter, plus one; 0 without
    assert told.n > 100


def test_surfaces_are_chosen_with_their_weights():
    n = 10_000
    view = view_of(n, 1, promoter_hope=1e9)
    posts = events(mechanism(Promoters, view, effort=1.0, surfaces=(1.0, 2.0, 1.0)).respond(view), "promotion")
    for name, wanted in zip(SURFACES, (0.25, 0.5, 0.25), strict=True):
        close((posts.channel == view.channel(name)).mean(), wanted, n)


# ------------------------------------------------------------------------------------------------ being sold to


def send(view, user, promoter=0, surface=0, product=0, inviter=-1):
    """Links in the inbox of these users, one each."""
    n = np.size(user)
    columns = {name: np.broadcast_to(value, n) for name, value in (("peer", promoter), ("product", product))}
    rows = Records(
        n,
        user=user,
        event=np.arange(n) + 1,
        cause=draws.child(np.full(n, 5, np.uint64), "promotion", np.arange(n)),
        merchant=view.world.product["merchant"][columns["product"]],
        channel=view.channel(SURFACES[surface]),
        detail=np.broadcast_to(np.asarray(inviter) + 1, n),
        **columns,
    )
    post_inbox(view, "promoted", rows)
    return rows


def links(view, user, promoter=0, inviter=-1, **shown):
    """Links that these users have opened."""
    rows = send(view, user, promoter, inviter=inviter)
    session = np.searchsorted(view.sessions.user, user)
    show(view, session, rows.product, view.channel(SURFACES[0]), cause=rows.cause, peer=rows.peer, **shown)
    return rows


@pytest.mark.parametrize("surface", range(3))
def test_an_advertisement_seen_through_has_less_appeal(surface):
    n = 10_000
    view = view_of(n)
    send(view, np.arange(n), surface=surface)
    made = mechanism(Promoters, view, recognised=0.3, selling=0.7, trust=(1.3, 0.6, 0.2))
    e = assemble([made.expose(view)], view.world.product)
    honest = (1.3, 0.6, 0.2)[surface]
    assert len(e) == n
    assert np.unique(e.appeal).tolist() == pytest.approx([honest - 0.7, honest])
    close((e.appeal < honest).mean(), 0.3, n)


def test_moments_are_seen_by_who_looks_there_and_nothing_by_who_was_only_woken():
    view = view_of(4, planned=np.array([True, True, False, True]))
    view.scratch["surface_moments"] = np.array([True, False, True, False])
    made = mechanism(Promoters, view)
    for surface, seen in ((0, [0, 1, 3]), (1, [0, 1, 3]), (2, [0])):
        send(view, np.arange(4), surface=surface)
        assert assemble([made.expose(view)], view.world.product).session.tolist() == seen


def test_each_promotion_seen_through_costs_the_merchant_trust_until_forgotten():
    view = view_of(3, 2, promotions=np.array([0.0, 1.0, 2.5])[:, None], last_seen=0)
    made = mechanism(Promoters, view, distrust=0.2, distrust_weeks=4.0, recognised=1.0)
    show(view, np.arange(3), 0, view.channel("store"))
    (lost,) = made.appraise(view).appeals
    assert lost == pytest.approx([0.0, -0.2, -0.5])
    links(view, np.arange(3), drawn=False)  # noticed, not opened
    fx = made.checkout(view)
    apply(view, fx)
    assert slots_of(view)["promotions"][:, 0].tolist() == [1.0, 2.0, 3.5]
    assert not fx.events
    seat(view, day=28)
    apply(view, made.deliver(view))
    left = np.exp(-view.sessions.time / (4.0 * WEEK)) * np.array([1.0, 2.0, 3.5])
    assert slots_of(view)["promotions"][:, 0] == pytest.approx(left, rel=1e-5)


def test_an_honest_word_costs_no_trust():
    view = view_of(3)
    links(view, np.arange(3))
    fx = mechanism(Promoters, view, recognised=0.0).checkout(view)
    apply(view, fx)
    assert not slots_of(view)["promotions"].any()
    assert events(fx, "link_opened").n == 3


# ------------------------------------------------------------------------------------------------ whose order it is


def buy(view, user, product=0, amount=10_000, kind="order", **columns):
    rows = Records(
        np.size(user),
        time=view.sessions.time[np.searchsorted(view.sessions.user, user)],
        user=user,
        event=draws.child(view.sessions.event[np.searchsorted(view.sessions.user, user)], "order"),
        merchant=view.world.product["merchant"][product],
        product=product,
        amount=amount,
        **columns,
    )
    post_outcome(view, kind, rows)
    return rows


def test_of_two_links_opened_at_once_the_one_that_sold_counts():
    view = view_of(50)
    rows = send(view, np.repeat(np.arange(50), 2), np.tile([7, 8], 50), product=np.tile([0, 1], 50))
    session = np.repeat(np.arange(50), 2)
    show(view, session, rows.product, view.channel(SURFACES[0]), cause=rows.cause, peer=rows.peer)
    made = mechanism(Promoters, view)
    for sold in (0, 1):
        view.chosen = np.arange(50) * 2 + sold
        opened = events(made.checkout(view), "link_opened")
        assert opened.peer.tolist() == [7 + sold] * 50
    view.chosen = np.zeros(0, np.int64)
    assert set(events(made.checkout(view), "link_opened").peer.tolist()) == {7, 8}


def plainly(acts, window, favour):
    """For whom each order counts: the link opened last, if in time; else, as a favour, the one met since then."""
    counted, holder, opened, met = [], None, -1, -1
    for time, act, promoter in acts:
        if act == "order":
            mine = opened >= time or (favour and met >= time)
            counted.append(holder if mine else None)
            if mine and opened < time:
                opened = time + window
        elif act == "open":
            holder, opened = promoter, time + window
        elif opened < time:
            holder, met = promoter, time + window
    return counted


ACTS = st.tuples(st.integers(0, 30), st.sampled_from(["order", "open", "meet"]), st.integers(1, 3))


@given(st.lists(ACTS, max_size=12), st.integers(0, 9), st.booleans())
def test_the_last_click_counts_within_the_window(acts, window, favour):
    view = view_of(6, 1)
    made = mechanism(Promoters, view, window_days=window, favour=float(favour), join=0, effort=0)
    got, told = [], []
    for number, (day, act, promoter) in enumerate(sorted(acts, key=lambda act: act[0])):
        seat(view, user=np.array([5]), day=number)
        view.sessions.time[:] = day * DAY + number
        told.append((day * DAY + number, act, promoter))
        view.exposures = assemble([], view.world.product)
        if act == "order":
            buy(view, np.array([5]))
            fx = made.respond(view)
            apply(view, fx)
            rows = events(fx, "attributed")
            got.append(int(rows.peer[0]) if rows.n else None)
        else:
            links(view, np.array([5]), promoter, drawn=act == "open")
            apply(view, made.checkout(view))
    assert got == plainly(told, window * DAY, favour)


def test_a_link_only_met_is_used_by_some_who_buy_anyway():
    n = 10_000
    view = view_of(n, link=77, link_promoter=3, link_met_until=10**9)
    orders = buy(view, np.arange(n))
    fx = mechanism(Promoters, view, favour=0.3, join=0, effort=0).respond(view)
    opened, counted = events(fx, "link_opened"), events(fx, "attributed")
    close(counted.n / n, 0.3, n)
    assert opened.user.tolist() == counted.user.tolist()
    assert set(opened.cause.tolist()) == {77}
    assert (counted.cause == orders.event[counted.user]).all()  # the order itself has the cause that it had


def test_a_gift_counts_like_what_she_buys_for_herself_and_nothing_counts_that_nobody_pays_for():
    linked = {"link_promoter": 1, "link_inviter": 2, "link_until": 10**9}
    found = {}
    for kind, peer, amount in (("order", -1, 9_990), ("gift_order", 3, 9_990), ("gift_order", 3, 0), ("order", -1, 0)):
        view = view_of(6, **linked)
        made = mechanism(Promoters, view, join=0, effort=0, commission=0.1, inviter_share=0.25)
        deal = buy(view, np.array([5]), amount=amount, kind=kind, peer=peer)
        fx = made.respond(view)
        counted, rows = events(fx, "attributed"), events(fx, "commission_held")
        assert counted.cause.tolist() == deal.event.tolist() * (amount > 0)
        found[kind, amount] = list(zip(rows.user.tolist(), rows.peer.tolist(), rows.amount.tolist(), strict=True))
    assert found["order", 9_990] == found["gift_order", 9_990] == [(1, 5, 750), (2, 5, 249)]
    assert found["order", 0] == found["gift_order", 0] == []


def test_who_buys_and_gives_in_one_session_goes_through_her_link_once():
    view = view_of(6, link=77, link_promoter=3, link_met_until=10**9)
    made = mechanism(Promoters, view, favour=1.0, join=0, effort=0)
    gift = buy(view, np.arange(1, 4), peer=5)
    post_outcome(view, "gift_order", gift.with_(event=draws.child(gift.event, "gift")))
    buy(view, np.arange(3))
    fx = made.respond(view)
    assert sorted(events(fx, "link_opened").user.tolist()) == [0, 1, 2, 3]
    assert sorted(events(fx, "attributed").user.tolist()) == [0, 1, 1, 2, 2, 3]


def held(view, **params):
    """Who holds what of the order of user 5, who opened the link of 1, whom 2 invited."""
    made = mechanism(Promoters, view, join=0, effort=0, commission=0.1, inviter_share=0.25, **params)
    buy(view, np.array([5]), amount=9_990)
    fx = made.respond(view)
    rows, opens = events(fx, "commission_held"), fx.opens
    moves = [(name, int(m.event[i]), int(m.amount[i])) for name, m in fx.posts for i in range(m.n)]
    assert moves == [("fen", *move) for move in zip(rows.event.tolist(), rows.amount.tolist(), strict=True)]
    assert all(sides(m) == ("cash", "commission") for _, m in fx.posts)
    assert [x for ids, _ in opens for x in ids.tolist()] == rows.event.tolist()
    assert [x for _, holders in opens for x in holders.tolist()] == rows.user.tolist()
    return dict(zip(rows.user.tolist(), rows.amount.tolist(), strict=True))


def test_an_inviter_shares_the_one_commission_as_the_platform_allows():
    linked = {"link_promoter": 1, "link_until": 10**9}
    assert held(view_of(6, **linked)) == {1: 999}
    view = view_of(6, link_inviter=2, **linked)
    assert held(view) == {1: 750, 2: 249}
    view.rules["levels_allowed"] = 1
    assert held(view) == {1: 999}
    assert held(view_of(6, link_inviter=5, **linked)) == {1: 999}  # nobody earns on what she buys herself
    assert held(view_of(6, link_promoter=1, link_until=0)) == {}


def test_self_purchase_is_a_parameter():
    own = {"promoter_hope": 1.0, "promoter_inviter": 4}
    assert held(view_of(6, **own)) == {}
    assert held(view_of(6, **own), self_purchase=True) == {5: 750, 4: 249}
    linked = {"link_promoter": 1, "link_until": 10**9}
    assert held(view_of(6, **own, **linked)) == {1: 999}
    assert held(view_of(6, **own, **linked), self_purchase=True) == {5: 750, 4: 249}


@given(st.integers(0, 10**9), st.floats(0, 0.9), st.floats(0, 1))
def test_the_parts_of_a_commission_are_one_commission(amount, rate, share):
    made = mechanism(
        Promoters, view_of(1, graph=csr(np.zeros(1, int), np.zeros(0, int))), commission=rate, inviter_share=share
    )
    alone, recruit, inviter = (
        int(made.part(np.array([0]), np.array([amount]), role)[0]) for role in (ALONE, RECRUIT, INVITER)
    )
    assert recruit + inviter == alone <= amount
    assert min(recruit, inviter) >= 0


# ------------------------------------------------------------------------------------------------ being paid


def sides(moves):
    """From where to where all of these go."""
    ((source, target),) = set(zip(moves.source.tolist(), moves.target.tolist(), strict=True))
    names = {account.code: name for name, account in ACCOUNTS.items()}
    return names[source], names[target]


def ended(kind):
    """What a completion or a return of attributed orders asks for, and what follows if the subjects are open."""
    view = view_of(6, link_promoter=1, link_inviter=2, link_until=10**9)
    made = mechanism(Promoters, view, commission=0.1, inviter_share=0.25, join=0, effort=0)
    orders = buy(view, np.arange(3, 6), amount=9_990)
    fx = made.respond(view)
    opened = np.concatenate([ids for ids, _ in fx.opens])
    holder = np.concatenate([who for _, who in fx.opens])
    row = orders.with_(cause=orders.event, event=draws.child(orders.event, kind), time=orders.time + DAY)
    asked = Effects()
    for name, rows in made.settle(view, kind, row, np.ones(row.n, np.bool_)).requests:
        won = np.isin(rows.cause, opened)
        place = np.argsort(opened)[np.searchsorted(np.sort(opened), rows.cause[won])]
        peer = rows.peer.copy()
        peer[won] = holder[place]
        done = made.settle(view, name, rows.with_(peer=peer), won)
        for entry in done.events:
            asked._add("events", entry)
        for entry in done.posts:
            asked._add("posts", entry)
        for entry in done.messages:
            asked._add("messages", entry)
    return view, events(fx, "commission_held"), asked


def test_what_was_held_is_paid_when_the_order_is_completed():
    view, held, fx = ended("completion")
    paid = events(fx, "commission_paid")
    columns = ("cause", "user", "peer", "amount", "detail")
    wanted = zip(held.event, held.user, held.peer, held.amount, held.detail, strict=True)
    assert sorted(zip(*(getattr(paid, name).tolist() for name in columns), strict=True)) == sorted(
        tuple(int(x) for x in row) for row in wanted
    )
    moved = [moves for _, moves in fx.posts]
    assert sum(int(moves.amount.sum()) for moves in moved) == 3 * 999
    for moves in moved:
        assert sides(moves) == ("commission", "promoter")
        assert np.isin(moves.target_owner, [1, 2]).all()
    news = messages(fx, "commission_news")
    assert sorted(news.cause.tolist()) == sorted(paid.event.tolist())


@pytest.mark.parametrize("end", ["return", "gift_deadline"])
def test_what_was_held_goes_back_to_the_merchant_when_the_order_does_not_last(end):
    _, held, fx = ended(end)
    voided = events(fx, "commission_voided")
    assert sorted(voided.cause.tolist()) == sorted(held.event.tolist())
    assert {sides(moves) for _, moves in fx.posts} == {("commission", "cash")}
    assert sum(int(moves.amount.sum()) for _, moves in fx.posts) == 3 * 999
    assert not fx.messages


# ------------------------------------------------------------------------------------------------ whole worlds


def test_stacked_worlds_promote_like_lone_ones():
    one = ring(200)
    graph = csr(np.full(400, 8), np.concatenate([one.indices, one.indices + 200]), np.tile(layers(one), 2))
    hoping = {"promoter_hope": 2_000.0, "orders": 1, "promoter_inviter": -1}

    def told(**world):
        view = view_of(200, **hoping, **world)
        slots_of(view)["promoter_hope"][:, 1] = 0.0  # all may join the second merchant
        fx = mechanism(Promoters, view, join=0.3).respond(view)
        return [events(fx, "promotion"), events(fx, "promoter_joined"), messages(fx, "promoted")]

    both = told(seeds=(7, 8), graph=graph)
    for place, seed in enumerate((7, 8)):
        for stacked, lone in zip(both, told(seeds=(seed,)), strict=True):
            mine = stacked.take((stacked.user // 200 == place).nonzero()[0])
            assert mine.n == lone.n > 10
            assert sorted(mine.event.tolist()) == sorted(lone.event.tolist())
            assert sorted((mine.user - 200 * place).tolist()) == sorted(lone.user.tolist())


LIVELY = """
title: Everybody promotes
horizon: {start: 2025-03-03, days: 12, tick: 6h}
world: {people: {count: 250}}
platform: {rules: {return_window_days: 1}}
people: {browse: {opens: 1.0}, buy: {nothing: 1.0}, repurchase: {}, gift: {everyday: 0.2}}
merchants:
  tea:
    products: {tin: {category: tea, price: 60, cost: 20}, cup: {category: tea, price: 40, cost: 20}}
    channels: {store: {}, promoters: {commission: 0.2, join: 0.05, invited: 40, blogger_reach: 20, window_days: 5}}
    offers: {gift_packet: {acceptance_within_24h: 0.5}}
    operations: {after_sale: {return_rate: 0.3}}
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("promoters")
    (folder / "lively.yaml").write_text(LIVELY, "utf-8")
    return run(load(folder / "lively.yaml"), (3,), (folder / "run",))[0]


@pytest.mark.slow
def test_every_commission_held_is_paid_or_void_once_and_the_books_balance(ledger):
    assert audit(ledger).breaks == ()
    ends = ledger.rows(
        "SELECT held.amount = done.amount AND held.user = done.user, count(*) FROM events AS held "
        "JOIN events AS done ON done.cause = held.event AND done.kind IN ('commission_paid', 'commission_voided') "
        "WHERE held.kind = 'commission_held' GROUP BY ALL"
    )
    ((count,),) = ledger.rows("SELECT count(*) FROM events WHERE kind = 'commission_held'")
    assert ends == [(True, count)]
    kinds = dict(ledger.rows("SELECT kind, count(*) FROM events GROUP BY kind"))
    assert min(kinds["commission_paid"], kinds["commission_voided"]) > 0
    wrong = ledger.rows(
        "SELECT count(*) FROM events AS held JOIN events AS counted ON held.cause = counted.event "
        "JOIN events AS ended ON ended.cause = counted.cause "
        "AND ended.kind IN ('completed', 'returned', 'gift_expired') "
        "JOIN events AS done ON done.cause = held.event "
        "WHERE held.kind = 'commission_held' AND (ended.kind = 'completed') <> (done.kind = 'commission_paid')"
    )
    assert wrong == [(0,)]
    paid = ledger.rows("SELECT (SELECT sum(amount) FROM events WHERE kind = 'commission_paid'), (SELECT sum(amount) "
                       "FROM postings WHERE target = 'promoter')")  # fmt: skip
    assert paid[0][0] == paid[0][1] > 0
    gifts = ledger.rows("SELECT ended.kind, count(*) FROM events AS counted JOIN events AS gift ON counted.cause = "
                        "gift.event AND gift.kind = 'gift_sent' JOIN events AS ended ON ended.cause = gift.event "
                        "WHERE counted.kind = 'attributed' GROUP BY 1")  # fmt: skip
    assert min(dict(gifts)[end] for end in ("completed", "gift_expired")) > 0


@pytest.mark.slow
def test_the_ledger_tells_for_whom_an_order_counts_and_who_recruited_whom(ledger):
    expected = ledger.rows(
        "SELECT deal.event, link.peer FROM (FROM events WHERE kind IN ('order', 'gift_sent') AND amount > 0) AS deal "
        "ASOF JOIN (FROM events WHERE kind = 'link_opened') AS link "
        "ON deal.user = link.user AND deal.time >= link.time WHERE deal.time <= link.detail ORDER BY 1"
    )
    counted = ledger.rows("SELECT cause, peer FROM events WHERE kind = 'attributed' ORDER BY 1")
    assert counted == expected
    assert counted
    chains = ledger.rows(
        "SELECT above.kind, joined.peer = above.user FROM events AS joined JOIN events AS above "
        "ON joined.cause = above.event WHERE joined.kind = 'promoter_joined' AND joined.peer >= 0 GROUP BY ALL"
    )
    assert chains == [("promotion", True)]
    reasons = ledger.rows(
        "SELECT DISTINCT above.kind FROM events AS post JOIN events AS above ON post.cause = above.event "
        "WHERE post.kind = 'promotion' ORDER BY 1"
    )
    assert reasons == [("commission_paid",), ("promoter_joined",)]
    trees = genealogy(ledger, "promotions").trees
    assert trees.depth.max() > 0  # posted, sold, paid, posted again; or recruited by a post
    late = ledger.rows("SELECT max(time) FROM events WHERE kind = 'promotion'")[0][0]
    assert late < 12 * DAY + HOUR
